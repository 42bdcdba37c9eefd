// SPDX-License-Identifier: LGPL-2.1-or-later
#include "outbound_session.hpp"

#include "graph/contexts.hpp"
#include "graph/events.hpp"

#include <algorithm>
#include <utility>

GST_DEBUG_CATEGORY_EXTERN(twiliosink_debug);
#define GST_CAT_DEFAULT twiliosink_debug

namespace patchcord {
namespace {

// Messages that go out at the same time are one write.
class Gathering {
public:
  explicit Gathering(twilio::MediaStream *stream) : stream_(stream) {
    if (stream_ != nullptr)
      stream_->gather(true);
  }
  ~Gathering() {
    if (stream_ != nullptr)
      stream_->gather(false);
  }
  Gathering(const Gathering &) = delete;
  Gathering &operator=(const Gathering &) = delete;

private:
  twilio::MediaStream *const stream_;
};

} // namespace

OutboundSession::OutboundSession(GstElement *element, GstPad *pad,
                                 Worker &worker,
                                 const twilio::Playout::Settings &settings)
    : element_(element), pad_(pad), worker_(worker), playout_(settings, *this) {
}

OutboundSession::~OutboundSession() {
  if (stream_)
    stream_->set_sink(nullptr);
}

void OutboundSession::attach(std::shared_ptr<twilio::MediaStream> stream) {
  if (stream_ || !stream)
    return;
  stream_ = std::move(stream);
  stream_->set_sink(this);
}

void OutboundSession::play() {
  playing_ = true;
  open();
  settle();
}

void OutboundSession::audio(ByteSpan mulaw) {
  {
    const Gathering gathering(stream_.get());
    playout_.audio(mulaw, worker_.now());
  }
  settle();
}

bool OutboundSession::downstream_event(GstEvent *event) {
  const TimePoint now = worker_.now();
  const auto gathered = [this](auto &&what) {
    const Gathering gathering(stream_.get());
    what();
  };
  if (const auto start = events::parse<events::UtteranceStart>(event)) {
    playout_.utterance_start(start->utterance, now);
  } else if (const auto end = events::parse<events::UtteranceEnd>(event)) {
    playout_.utterance_end(end->utterance, now);
  } else if (auto spoken = events::parse<events::SpokenText>(event)) {
    std::vector<twilio::WordTiming> timings;
    timings.reserve(spoken->timings.size());
    for (const auto &timing : spoken->timings)
      timings.push_back({timing.offset, timing.ms});
    playout_.spoken_text(spoken->utterance, std::move(spoken->text),
                         std::move(timings), now);
  } else if (events::parse<events::Hold>(event)) {
    gathered([&] { playout_.hold(now); });
  } else if (events::parse<events::Resume>(event)) {
    gathered([&] { playout_.resume(now); });
  } else {
    return false;
  }
  settle();
  return true;
}

void OutboundSession::flush_start() {
  flushing_ = true;
  eos_due_ = false;
  {
    const Gathering gathering(stream_.get());
    playout_.flush(worker_.now());
  }
  settle();
}

void OutboundSession::flush_stop() {
  flushing_ = false;
  settle();
}

void OutboundSession::eos(guint32 seqnum) {
  eos_due_ = true;
  eos_seqnum_ = seqnum;
  playout_.eos(worker_.now());
  settle();
}

void OutboundSession::on_start(const twilio::StreamStart &) {
  started_ = true;
  open();
  settle();
}

void OutboundSession::on_mark(std::string_view name) {
  {
    const Gathering gathering(stream_.get());
    playout_.mark_echo(name, worker_.now());
  }
  settle();
}

void OutboundSession::on_end(twilio::StreamEnd, std::string_view) {
  playout_.close(worker_.now());
  settle();
}

void OutboundSession::send_media(ByteSpan mulaw) { stream_->send_media(mulaw); }
void OutboundSession::send_mark(std::string_view name) {
  stream_->send_mark(name);
}
void OutboundSession::send_clear() { stream_->send_clear(); }

void OutboundSession::open() {
  if (!playing_ || !started_ || std::exchange(open_, true))
    return;
  playout_.open(worker_.now());
}

// Brings the outside up to date after a change. What hears of an event may
// change things again - an agent that is told may flush at once - and comes
// back here from within.
void OutboundSession::settle() {
  if (settling_)
    return;
  const auto self = shared_from_this();
  settling_ = true;
  while (!flushing_) {
    const auto event = playout_.next_event();
    if (!event)
      break;
    tell(*event);
  }
  settling_ = false;
  if (const auto dropped = playout_.dropped(); dropped != dropped_) {
    GST_WARNING_OBJECT(element_,
                       "%" G_GUINT64_FORMAT " samples dropped: behind a flush "
                       "or the end of the stream, or more than 10 min waiting",
                       dropped - dropped_);
    dropped_ = dropped;
  }
  if (eos_due_ && playing_ && playout_.finished())
    post_eos();
  arm();
}

void OutboundSession::tell(const twilio::PlayoutEvent &event) {
  // From the worker's clock to running time.
  const GstClockTime running = graph::running_time(element_);
  const TimePoint now = worker_.now();
  const auto at = [&](std::optional<TimePoint> time) -> GstClockTime {
    if (!time || !GST_CLOCK_TIME_IS_VALID(running))
      return GST_CLOCK_TIME_NONE;
    const auto ago = (now - *time).count();
    return static_cast<GstClockTime>(
        std::max<std::int64_t>(static_cast<std::int64_t>(running) - ago, 0));
  };
  events::Playout playout;
  playout.what = static_cast<events::Playout::What>(event.what);
  playout.utterance = event.utterance;
  playout.time = at(event.time);
  playout.first_audio = at(event.first_audio);
  playout.first_sent = at(event.first_sent);
  playout.heard_samples = event.heard_samples;
  playout.total_samples = event.total_samples;
  playout.heard_text = event.heard_text;
  playout.estimated = event.estimated;
  GST_LOG_OBJECT(element_,
                 "utterance %u: %d, heard %" G_GUINT64_FORMAT
                 " of %" G_GUINT64_FORMAT " samples",
                 event.utterance, static_cast<int>(event.what),
                 event.heard_samples, event.total_samples);
  gst_pad_push_event(pad_, events::make(playout));
}

void OutboundSession::post_eos() {
  eos_due_ = false;
  GST_INFO_OBJECT(element_, "all was heard: EOS");
  if (stream_)
    stream_->conclude();
  GstMessage *message = gst_message_new_eos(GST_OBJECT(element_));
  gst_message_set_seqnum(message, eos_seqnum_);
  gst_element_post_message(element_, message);
}

void OutboundSession::arm() {
  if (stream_)
    stream_->expect_mark(playout_.mark_due());
  const auto deadline = playout_.next_deadline();
  if (!deadline) {
    timer_.cancel();
    return;
  }
  if (std::exchange(timer_made_, true)) {
    worker_.rearm(timer_, *deadline);
    return;
  }
  timer_ = worker_.at(*deadline, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      {
        const Gathering gathering(self->stream_.get());
        self->playout_.tick(self->worker_.now());
      }
      self->settle();
    }
  });
}

} // namespace patchcord
