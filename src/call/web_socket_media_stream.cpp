// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/web_socket_media_stream.hpp"

#include "base/log.hpp"
#include "twilio/messages.hpp"
#include "worker/beat.hpp"

#include <set>

namespace patchcord::call {
namespace {

using namespace twilio;

// What Twilio sends at a time, without a promise that it does: 20 ms.
constexpr std::size_t kUsualPacket = 160;
// `start` follows the handshake within milliseconds.
constexpr Duration kStartTimeout = 5s;
// Media comes 50 times a second, also in silence.
constexpr Duration kReceiveTimeout = 10s;
// After `stop` Twilio closes; closing first would show as an error (31921) in
// its debugger.
constexpr Duration kCloseGrace = 2s;

// What was sent is on its way for so long before it is played.
constexpr Duration kUnderWay = 250ms;

// RFC 6455 section 7.4.1.
constexpr std::uint16_t kNormal = 1000, kGoingAway = 1001, kPolicy = 1008,
                        kNoStatus = 1005, kAbnormal = 1006;

// Streams whose close frame is under way: what used them has let go, and they
// must outlive the handshake or the peer would see a broken connection (31903).
// A service of the worker, so that none outlives it.
struct Closing {
  explicit Closing(Worker &) {}
  std::set<std::shared_ptr<MediaStream>> streams;
};

std::string describe(const net::WebSocket::Closed &closed) {
  std::string text = closed.code == kAbnormal   ? "connection lost"
                     : closed.code == kNoStatus ? "closed"
                                                : std::to_string(closed.code);
  if (!closed.reason.empty())
    text += ": " + closed.reason;
  return text;
}

// For the message being sent. Of the thread: each call would keep the memory of
// its longest.
std::string &scratch() {
  thread_local std::string text;
  text.clear();
  return text;
}

class Stream final : public WebSocketMediaStream {
public:
  Stream(Worker &worker, std::string call_sid, CheckStart check_start)
      : worker_(worker), call_sid_(std::move(call_sid)),
        check_start_(std::move(check_start)), received_(worker.now()) {}

  void attach(const Attach &make_socket);

  void set_source(MediaSourceListener *listener) override;
  void set_sink(MediaSinkListener *listener) override;
  const StreamStart *started() const override {
    return start_.stream_sid.empty() ? nullptr : &start_;
  }
  bool ended() const override { return ended_; }
  const std::map<std::string, std::uint64_t> &anomalies() const override {
    return anomalies_;
  }
  void set_read_period(Duration period) override;
  bool peer_hears() const override {
    return worker_.now() < played_ + kUnderWay;
  }
  void expect_mark(std::optional<TimePoint> due) override { mark_due_ = due; }
  void conclude() override { concluded_ = true; }
  bool concluded() const override { return concluded_; }
  void send_media(ByteSpan mulaw) override;
  void send_mark(std::string_view name) override;
  void send_clear() override;
  void gather(bool on) override {
    if (socket_)
      socket_->set_corked(on);
  }
  void close(std::uint16_t code, std::string_view reason) override;
  void on_ended(std::function<void()> ended) override;

private:
  void on_text(std::string_view text);
  void on_closed(const net::WebSocket::Closed &closed);
  void on_message(ConnectedMessage &) {}
  void on_message(Anomaly &anomaly) { count(anomaly); }
  void on_message(StartMessage &message);
  void on_message(MediaMessage &message);
  void on_message(DtmfMessage &message);
  void on_message(MarkMessage &message);
  void on_message(StopMessage &message);

  // Whether a message is of this stream and in its place; counts it if not.
  bool belongs(std::string_view stream_sid, std::int64_t sequence);
  void follow(std::int64_t &last, std::int64_t now, Anomaly gap);
  void count(Anomaly anomaly);
  void watch();
  void finish(StreamEnd end, std::string detail);
  void close_socket(std::uint16_t code, std::string_view reason);
  bool may_send() const { return started() != nullptr && !ended_; }
  log::Context context() const { return {call_sid_, start_.stream_sid}; }

  Worker &worker_;
  std::string call_sid_; // empty: the start message tells
  const CheckStart check_start_;
  std::unique_ptr<net::WebSocket> socket_;
  MessageParser parser_;
  MediaSourceListener *source_ = nullptr;
  MediaSinkListener *sink_ = nullptr;
  std::function<void()> on_ended_;

  StreamStart start_;          // no stream SID: not started
  std::string unusable_start_; // what was wrong with the last one
  std::int64_t sequence_ = kNoCounter, chunk_ = kNoCounter;
  std::map<std::string, std::uint64_t> anomalies_;
  TimePoint played_{
      std::chrono::hours(-1)}; // all that was sent, had it been there at once
  std::optional<TimePoint> mark_due_;
  bool concluded_ = false;
  TimePoint received_;
  Timer timer_;          // for the start, then for silence, then for the close
  bool closing_ = false; // close() was called
  bool ended_ = false;
  StreamEnd end_ = StreamEnd::kLocal;
  std::string end_detail_;
};

void Stream::attach(const Attach &make_socket) {
  const auto weak =
      std::weak_ptr(std::static_pointer_cast<Stream>(shared_from_this()));
  // What a handler calls may let go of the stream: each holds it meanwhile.
  net::WebSocket::Handlers handlers;
  handlers.text = [weak](std::string_view text) {
    if (const auto self = weak.lock())
      self->on_text(text);
  };
  handlers.binary = [weak](ByteSpan) {
    if (const auto self = weak.lock())
      self->count(Anomaly::kBinaryFrame);
  };
  handlers.too_big = [weak] {
    if (const auto self = weak.lock())
      self->count(Anomaly::kTooLarge);
  };
  handlers.closed = [weak](const net::WebSocket::Closed &closed) {
    if (const auto self = weak.lock())
      self->on_closed(closed);
  };
  net::WebSocket::Limits limits;
  limits.message_bytes = kMaxMessageBytes;
  socket_ = make_socket(std::move(handlers), limits);
  timer_ = worker_.after(kStartTimeout, [weak] {
    if (const auto self = weak.lock())
      self->watch();
  });
}

void Stream::set_source(MediaSourceListener *listener) {
  source_ = listener;
  if (source_ != nullptr && started() != nullptr)
    source_->on_start(start_);
  // on_start may have set another listener, or none.
  if (source_ != nullptr && source_ == listener && ended_)
    source_->on_end(end_, end_detail_);
}

void Stream::set_sink(MediaSinkListener *listener) {
  sink_ = listener;
  if (sink_ != nullptr && started() != nullptr)
    sink_->on_start(start_);
  if (sink_ != nullptr && sink_ == listener && ended_)
    sink_->on_end(end_, end_detail_);
}

void Stream::set_read_period(Duration period) {
  if (ended_ || closing_)
    return;
  // A read shortly before a mark may come, and each at once from then on.
  if (mark_due_ && period > 0s) {
    const Duration left = *mark_due_ - worker_.now();
    period = left < 2 * kBeat ? Duration{0} : std::min(period, left);
  }
  socket_->set_read_period(period);
}

void Stream::send_media(ByteSpan mulaw) {
  if (!may_send())
    return;
  concluded_ = false;
  played_ = std::max(played_, worker_.now()) +
            std::chrono::microseconds(mulaw.size() * 125);
  std::string &out = scratch();
  append_media(out, start_.stream_sid, mulaw);
  socket_->send_text(out);
}

void Stream::send_mark(std::string_view name) {
  if (!may_send())
    return;
  std::string &out = scratch();
  append_mark(out, start_.stream_sid, name);
  socket_->send_text(out);
}

void Stream::send_clear() {
  if (!may_send())
    return;
  played_ = std::min(played_, worker_.now());
  std::string &out = scratch();
  append_clear(out, start_.stream_sid);
  socket_->send_text(out);
}

void Stream::close(std::uint16_t code, std::string_view reason) {
  if (ended_ || closing_)
    return;
  closing_ = true;
  end_detail_ = reason;
  close_socket(code, reason);
}

void Stream::on_ended(std::function<void()> ended) {
  on_ended_ = std::move(ended);
  if (ended_ && on_ended_)
    std::exchange(on_ended_, nullptr)();
}

void Stream::on_text(std::string_view text) {
  received_ = worker_.now();
  if (closing_)
    return;
  auto message = parser_.parse(text);
  if (ended_) { // behind `stop`
    count(Anomaly::kAfterStop);
    return;
  }
  std::visit([this](auto &kind) { on_message(kind); }, message);
}

void Stream::on_closed(const net::WebSocket::Closed &closed) {
  timer_.cancel();
  if (closing_)
    finish(StreamEnd::kLocal, end_detail_);
  else
    finish(closed.code == kAbnormal ? StreamEnd::kLost : StreamEnd::kClosed,
           describe(closed));
  worker_.service<Closing>().streams.erase(shared_from_this());
}

void Stream::on_message(StartMessage &message) {
  if (started() != nullptr) {
    count(Anomaly::kSecondStart);
    return;
  }
  if (check_start_) {
    if (const auto taken = check_start_(message.start); !taken) {
      finish(StreamEnd::kProtocol, "start refused: " + taken.error().message);
      close_socket(kPolicy, "start refused");
      return;
    }
  }
  start_ = std::move(message.start);
  call_sid_ = start_.call_sid;
  sequence_ = message.sequence;
  worker_.rearm(timer_, worker_.now() + kReceiveTimeout);
  // The sink first: the source's audio may make it speak at once.
  if (sink_ != nullptr)
    sink_->on_start(start_);
  if (source_ != nullptr && !ended_)
    source_->on_start(start_);
}

void Stream::on_message(MediaMessage &message) {
  if (!belongs(message.stream_sid, message.sequence))
    return;
  follow(chunk_, message.chunk, Anomaly::kChunkGap);
  if (message.mulaw.size() != kUsualPacket)
    count(Anomaly::kOddSize);
  if (source_ != nullptr)
    source_->on_media(message.timestamp_ms, message.mulaw);
}

void Stream::on_message(DtmfMessage &message) {
  if (belongs(message.stream_sid, message.sequence) && source_ != nullptr)
    source_->on_dtmf(message.digit);
}

void Stream::on_message(MarkMessage &message) {
  if (!belongs(message.stream_sid, message.sequence))
    return;
  if (sink_ != nullptr)
    sink_->on_mark(message.name);
}

void Stream::on_message(StopMessage &message) {
  if (!belongs(message.stream_sid, message.sequence))
    return;
  // Twilio closes now; what remains is to wait for that without being in
  // anyone's way.
  worker_.rearm(timer_, worker_.now() + kCloseGrace);
  worker_.service<Closing>().streams.insert(shared_from_this());
  finish(StreamEnd::kStop, "");
}

bool Stream::belongs(std::string_view stream_sid, std::int64_t sequence) {
  if (started() == nullptr) {
    count(Anomaly::kBeforeStart);
    return false;
  }
  if (stream_sid != start_.stream_sid) {
    count(Anomaly::kWrongStreamSid);
    return false;
  }
  follow(sequence_, sequence, Anomaly::kSequenceGap);
  return true;
}

void Stream::follow(std::int64_t &last, std::int64_t now, Anomaly gap) {
  if (now == kNoCounter)
    return;
  if (last != kNoCounter && now != last + 1)
    count(gap);
  last = now;
}

void Stream::count(Anomaly anomaly) {
  const char *name = to_string(anomaly);
  const bool of_start =
      anomaly == Anomaly::kBadStart || anomaly == Anomaly::kBadMediaFormat;
  const std::string detail = of_start ? ": " + parser_.detail() : "";
  if (of_start && started() == nullptr)
    unusable_start_ = name + detail;
  if (++anomalies_[name] == 1)
    log::warning(std::string("media stream: ") + name + " (first of its kind)" +
                     detail,
                 context());
}

void Stream::watch() {
  if (ended_) {
    close_socket(kNormal, "");
    return;
  }
  if (closing_)
    return; // `closed` comes by the WebSocket's own timeout.
  if (started() == nullptr) {
    finish(StreamEnd::kProtocol,
           unusable_start_.empty()
               ? "no start within 5 s"
               : "no start of use within 5 s: " + unusable_start_);
    close_socket(kPolicy, "no start");
    return;
  }
  if (worker_.now() - received_ < kReceiveTimeout) {
    worker_.rearm(timer_, received_ + kReceiveTimeout);
    return;
  }
  finish(StreamEnd::kLost, "nothing received for 10 s");
  close_socket(kGoingAway, "nothing received");
}

void Stream::finish(StreamEnd end, std::string detail) {
  if (ended_)
    return;
  ended_ = true;
  end_ = end;
  end_detail_ = std::move(detail);
  // The sink first: what was heard is known before the source ends the graph.
  if (sink_ != nullptr)
    sink_->on_end(end_, end_detail_);
  if (source_ != nullptr)
    source_->on_end(end_, end_detail_);
  if (on_ended_)
    std::exchange(on_ended_, nullptr)();
}

void Stream::close_socket(std::uint16_t code, std::string_view reason) {
  if (!socket_)
    return;
  worker_.service<Closing>().streams.insert(shared_from_this());
  socket_->close(code, reason);
}

} // namespace

std::shared_ptr<WebSocketMediaStream>
WebSocketMediaStream::create(Worker &worker, const Attach &attach,
                             const std::string &call_sid,
                             CheckStart check_start) {
  auto stream =
      std::make_shared<Stream>(worker, call_sid, std::move(check_start));
  stream->attach(attach);
  return stream;
}

} // namespace patchcord::call
