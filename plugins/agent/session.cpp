// SPDX-License-Identifier: LGPL-2.1-or-later
#include "session.hpp"

#include "base/text.hpp"
#include "graph/contexts.hpp"
#include "graph/events.hpp"
#include "graph/messages.hpp"

#include <utility>

GST_DEBUG_CATEGORY_EXTERN(agent_debug);
#define GST_CAT_DEFAULT agent_debug

namespace patchcord {
namespace {

namespace action = agent::action;

// Typed text that waits for PLAYING.
constexpr std::size_t kMostInputs = 1000;

GstClockTime clock_time(const std::optional<TimePoint> &time) {
  return time ? static_cast<GstClockTime>(time->count()) : GST_CLOCK_TIME_NONE;
}

std::string text_of(GstBuffer *buffer) {
  const MappedBuffer mapped(buffer);
  const std::string_view raw = as_text(mapped.bytes());
  if (raw.empty())
    return {}; // its data may be null
  const GCharPtr valid(
      g_utf8_make_valid(raw.data(), static_cast<gssize>(raw.size())));
  return valid ? valid.get() : "";
}

// Whether the stream upstream has: with nobody to listen to there is nobody to
// wait for. An element that starts again alone is not told another time.
bool has_begun(GstPad *sink) {
  GstPad *peer = gst_pad_get_peer(sink);
  if (peer == nullptr)
    return true;
  const auto start = Ref<GstEvent>::adopt(
      gst_pad_get_sticky_event(peer, GST_EVENT_STREAM_START, 0));
  gst_object_unref(peer);
  return static_cast<bool>(start);
}

} // namespace

AgentSession::AgentSession(const Pads &pads, std::shared_ptr<Worker> worker,
                           std::unique_ptr<agent::Conversation> conversation,
                           ModelEndpoint endpoint, ToolEndpoint tools)
    : pads_(pads), worker_(std::move(worker)),
      conversation_(std::move(conversation)), endpoint_(std::move(endpoint)),
      tool_endpoint_(std::move(tools)) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  upstream_began_ = has_begun(pads_.sink);
}

AgentSession::~AgentSession() = default;

// --- time --------------------------------------------------------------------

// Running time by the worker's clock, whatever clock the pipeline has: what
// timers and messages say agrees, and a sound card's drift does not matter
// here.
TimePoint AgentSession::now() const { return worker_->now() - origin_; }

std::optional<TimePoint> AgentSession::running(GstClockTime time) const {
  if (!GST_CLOCK_TIME_IS_VALID(time))
    return std::nullopt;
  return TimePoint(static_cast<TimePoint::rep>(time));
}

TimePoint AgentSession::running_or_now(GstClockTime time) const {
  return running(time).value_or(now());
}

void AgentSession::play() {
  if (!upstream_began_)
    GST_INFO_OBJECT(pads_.element, "waits for the stream upstream");
  const GstClockTime time = graph::running_time(pads_.element);
  origin_ = worker_->now() - running(time).value_or(TimePoint{});
  // Behind this state change, so that the whole pipeline plays. What comes
  // before that waits on: a text must not overtake the start.
  worker_->post([weak = weak_from_this(), play = ++plays_] {
    const auto self = weak.lock();
    if (!self || self->closed_ || self->plays_ != play)
      return;
    self->in_playing_ = true;
    self->begin();
  });
}

// In gst-launch the pipeline plays long before anybody calls: greeting, limits
// and timers begin with the stream, not before.
void AgentSession::upstream_began() {
  if (!std::exchange(upstream_began_, true))
    begin();
}

void AgentSession::begin() {
  if (!in_playing_ || !upstream_began_ || closed_)
    return;
  playing_ = true;
  const Fifo<Input> waiting = std::exchange(inputs_, {});
  feed([to = conversation_.get()](TimePoint now) { return to->started(now); });
  for (const Input &input : waiting)
    feed(input);
  if (!timer_.armed())
    arm_timer();
}

void AgentSession::pause() {
  ++plays_;
  in_playing_ = playing_ = false;
  timer_.cancel();
}

void AgentSession::close() {
  closed_ = true;
  playing_ = false;
  inputs_.clear();
  timer_.cancel();
  model_.reset();
  tools_.reset();
}

void AgentSession::feed(const Input &input) {
  if (closed_)
    return;
  if (!playing_ || busy_) {
    if (inputs_.size() < kMostInputs)
      inputs_.push_back(input);
    return;
  }
  const auto keep = shared_from_this();
  busy_ = true;
  Input next = input;
  for (;;) {
    for (const agent::Action &todo : next(now())) {
      if (closed_)
        return;
      perform(todo);
    }
    if (inputs_.empty() || closed_)
      break;
    next = std::move(inputs_.front());
    inputs_.pop_front();
  }
  busy_ = false;
}

// --- what comes in -----------------------------------------------------------

GstFlowReturn AgentSession::text(GstBuffer *buffer) {
  if (conversation_->ending())
    return GST_FLOW_EOS;
  const std::string text = text_of(buffer);
  std::optional<TimePoint> end;
  if (GST_BUFFER_PTS_IS_VALID(buffer) && segment_.format == GST_FORMAT_TIME) {
    GstClockTime pts = GST_BUFFER_PTS(buffer);
    if (GST_BUFFER_DURATION_IS_VALID(buffer))
      pts += GST_BUFFER_DURATION(buffer);
    end = running(gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, pts));
  }
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)) {
    feed([this, end](TimePoint now) {
      return conversation_->not_understood(now, end);
    });
    return flow_ == GST_FLOW_FLUSHING ? GST_FLOW_OK : flow_;
  }
  // Typed text may come as many lines at once.
  const auto lines = split(text, '\n');
  for (const std::string &line : lines)
    if (lines.size() == 1 || !trim(line).empty())
      feed([this, line, end](TimePoint now) {
        return conversation_->final(now, line, end);
      });
  return flow_ == GST_FLOW_FLUSHING ? GST_FLOW_OK : flow_;
}

bool AgentSession::downstream_event(GstEvent *event) {
  if (const auto started = events::parse<events::SpeechStarted>(event)) {
    feed([this, at = started->time](TimePoint now) {
      return conversation_->speech_started(now, running_or_now(at));
    });
  } else if (const auto stopped = events::parse<events::SpeechStopped>(event)) {
    feed([this, at = stopped->time](TimePoint now) {
      return conversation_->speech_stopped(now, running_or_now(at));
    });
  } else if (const auto partial =
                 events::parse<events::PartialTranscript>(event)) {
    feed([this, text = partial->text](TimePoint now) {
      return conversation_->partial(now, text);
    });
  } else if (const auto dtmf = events::parse<events::Dtmf>(event)) {
    feed([this, digit = dtmf->digit](TimePoint now) {
      return conversation_->dtmf(now, digit);
    });
  } else if (const auto failed = events::parse<events::ProviderFailed>(event)) {
    feed([this, failure = agent::Failure{failed->provider, failed->code,
                                         failed->message,
                                         failed->retryable}](TimePoint now) {
      return conversation_->recogniser_failed(now, failure);
    });
  } else {
    return false;
  }
  return true;
}

bool AgentSession::upstream_event(GstEvent *event) {
  if (const auto playout = events::parse<events::Playout>(event)) {
    agent::PlayoutReport report;
    report.what = static_cast<agent::PlayoutReport::What>(playout->what);
    report.utterance = playout->utterance;
    report.time = running(playout->time);
    report.first_audio = running(playout->first_audio);
    report.first_sent = running(playout->first_sent);
    report.heard_ms = playout->heard_samples / 8; // 8 kHz
    report.heard_text = playout->heard_text;
    feed([this, report](TimePoint now) {
      return conversation_->playout(now, report);
    });
    return true;
  }
  if (const auto failed = events::parse<events::VoiceFailed>(event)) {
    feed([this, failure = agent::Failure{failed->provider, failed->code,
                                         failed->message,
                                         failed->retryable}](TimePoint now) {
      return conversation_->voice_failed(now, failure);
    });
    return true;
  }
  return false;
}

void AgentSession::end_of_stream() {
  feed([this](TimePoint now) { return conversation_->caller_gone(now); });
}

// Of a conversation that goes on, as when the caller is gone: nothing is asked
// and no timer runs any more. What was not begun has nothing to end.
void AgentSession::end() {
  if (closed_ || eos_)
    return;
  if (playing_)
    return end_of_stream();
  closed_ = true;
  begin_stream();
  push_event(gst_event_new_eos());
}

void AgentSession::answered_by(const std::string &who) {
  feed([this, who](TimePoint now) {
    return conversation_->answered_by(now, who);
  });
}

void AgentSession::flushed() {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
  need_segment_ = true;
  if (flow_ == GST_FLOW_FLUSHING)
    flow_ = GST_FLOW_OK;
}

// --- what is done ------------------------------------------------------------

void AgentSession::perform(const agent::Action &todo) {
  std::visit([this](const auto &one) { act(one); }, todo);
}

void AgentSession::act(const action::StartUtterance &todo) {
  begin_stream();
  push_event(
      events::make(events::UtteranceStart{todo.utterance, todo.interruptible}));
}
void AgentSession::act(const action::Say &todo) { push_text(todo.text); }
void AgentSession::act(const action::EndUtterance &todo) {
  push_event(events::make(events::UtteranceEnd{todo.utterance}));
}
void AgentSession::act(const action::Hold &) {
  push_event(events::make(events::Hold{}));
}
void AgentSession::act(const action::Resume &) {
  push_event(events::make(events::Resume{}));
}
void AgentSession::act(const action::Flush &) {
  gst_pad_push_event(pads_.src, gst_event_new_flush_start());
  // Running time goes on: nothing else in the call starts again.
  gst_pad_push_event(pads_.src, gst_event_new_flush_stop(FALSE));
  need_segment_ = true;
  if (flow_ == GST_FLOW_FLUSHING)
    flow_ = GST_FLOW_OK;
}
void AgentSession::act(const action::StartRequest &todo) {
  start_request(todo.request, todo.body);
}
void AgentSession::act(const action::CancelRequest &) { model_.reset(); }
void AgentSession::act(const action::RunTool &todo) {
  if (!tools_)
    tools_ = std::make_unique<ToolRunner>(
        *worker_, tool_endpoint_,
        [weak = weak_from_this()](std::uint32_t run,
                                  const Result<agent::ToolAnswer> &answer) {
          if (const auto self = weak.lock())
            self->feed(
                [to = self->conversation_.get(), run, answer](TimePoint now) {
                  return to->tool_done(now, run, answer);
                });
        });
  tools_->run(todo.run, todo.request);
}
void AgentSession::act(const action::CancelTools &) { tools_->cancel_all(); }
void AgentSession::act(const action::Expect &todo) {
  gst_pad_push_event(pads_.sink,
                     events::make(events::Expect{todo.expectation}));
}
void AgentSession::act(const action::SetTimer &todo) {
  deadline_ = todo.deadline;
  arm_timer();
}
void AgentSession::act(const action::EndCall &) {
  eos_ = true;
  begin_stream();
  push_event(gst_event_new_eos());
}
void AgentSession::act(const action::Decided &todo) {
  messages::post(pads_.element,
                 messages::Decision{todo.turn, todo.utterance, todo.caller,
                                    todo.action, todo.message, todo.extracted,
                                    todo.found});
}
void AgentSession::act(const action::Heard &todo) {
  messages::post(pads_.element,
                 messages::Heard{todo.turn, todo.utterance, todo.state,
                                 todo.text, todo.heard_ms});
}
void AgentSession::act(const action::Interrupted &todo) {
  messages::post(pads_.element,
                 messages::Interrupted{todo.turn, todo.utterance,
                                       todo.heard_text, todo.heard_ms});
}
void AgentSession::act(const action::Latency &todo) {
  messages::post(pads_.element,
                 messages::TurnLatency{
                     todo.turn, clock_time(todo.speech_end),
                     clock_time(todo.transcript), clock_time(todo.decision),
                     clock_time(todo.first_audio), clock_time(todo.first_sent),
                     todo.filler, todo.preemptive, todo.discarded});
}
void AgentSession::act(const action::ToolEnded &todo) {
  messages::post(pads_.element,
                 messages::Tool{todo.turn, todo.name, todo.status,
                                static_cast<std::uint64_t>(todo.took / 1ms)});
}
void AgentSession::act(const action::Trouble &todo) {
  GST_WARNING_OBJECT(pads_.element, "%s failed: %s: %s",
                     todo.failure.provider.c_str(), todo.failure.code.c_str(),
                     todo.failure.message.c_str());
  messages::post(pads_.element, messages::ProviderTrouble{
                                    todo.failure.provider, todo.failure.code,
                                    todo.failure.message, todo.fatal});
}
void AgentSession::act(const action::Ended &todo) {
  GST_INFO_OBJECT(pads_.element, "conversation ended: %s", todo.reason.c_str());
  messages::post(
      pads_.element,
      messages::ConversationEnded{todo.reason, todo.goal_reached, todo.found});
}

void AgentSession::act(const action::Transfer &todo) {
  GST_INFO_OBJECT(pads_.element, "hands over to %s", todo.target.name.c_str());
  messages::post(
      pads_.element,
      messages::Transfer{todo.turn, todo.target.name, todo.target.number,
                         static_cast<std::uint32_t>(todo.target.timeout / 1s),
                         todo.target.summary, todo.summary, todo.withheld,
                         todo.language, todo.state});
}
void AgentSession::act(const action::AnsweredBy &todo) {
  messages::post(pads_.element, messages::AnsweredBy{todo.who, todo.outcome});
}

void AgentSession::begin_stream() {
  if (!std::exchange(stream_begun_, true)) {
    const GCharPtr id(
        gst_pad_create_stream_id(pads_.src, pads_.element, "speech"));
    GstEvent *start = gst_event_new_stream_start(id.get());
    gst_event_set_group_id(start, gst_util_group_id_next());
    push_event(start);
    const auto caps = Ref<GstCaps>::adopt(gst_caps_new_simple(
        "text/x-raw", "format", G_TYPE_STRING, "utf8", nullptr));
    push_event(gst_event_new_caps(caps.get()));
  }
  if (std::exchange(need_segment_, false)) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    push_event(gst_event_new_segment(&segment));
  }
}

void AgentSession::push_event(GstEvent *event) {
  gst_pad_push_event(pads_.src, event);
}

void AgentSession::push_text(const std::string &text) {
  auto buffer = buffer_of(as_bytes(text));
  GST_BUFFER_PTS(buffer.get()) = clock_time(now());
  flow_ = gst_pad_push(pads_.src, buffer.release());
  GST_DEBUG_OBJECT(pads_.element, "clause of %" G_GSIZE_FORMAT " bytes: %s",
                   text.size(), gst_flow_get_name(flow_));
  // Nobody upstream sees what this push returns: it is ours to report, once.
  if ((flow_ < GST_FLOW_EOS || flow_ == GST_FLOW_NOT_LINKED) &&
      !std::exchange(failed_, true))
    GST_ELEMENT_FLOW_ERROR(pads_.element, flow_);
}

void AgentSession::arm_timer() {
  if (!deadline_)
    return timer_.cancel();
  if (has_timer_)
    return worker_->rearm(timer_, *deadline_ + origin_);
  has_timer_ = true;
  timer_ = worker_->at(*deadline_ + origin_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self)
      return;
    self->deadline_.reset();
    self->feed([to = self->conversation_.get()](TimePoint now) {
      return to->timer(now);
    });
  });
}

// What a request that was cancelled still has to say carries its number, by
// which the conversation drops it.
void AgentSession::start_request(std::uint32_t id, const std::string &body) {
  const auto weak = weak_from_this();
  ModelStream::Handlers handlers;
  handlers.text = [weak, id](const std::string &text) {
    if (const auto self = weak.lock())
      self->feed([to = self->conversation_.get(), id, text](TimePoint now) {
        return to->model_text(now, id, text);
      });
  };
  handlers.done = [weak, id](const std::string &reason,
                             const std::string &refusal,
                             const std::vector<openai::ToolCall> &calls) {
    if (const auto self = weak.lock())
      self->feed([to = self->conversation_.get(), id, reason, refusal,
                  calls](TimePoint now) {
        return to->model_done(now, id, reason, refusal, calls);
      });
  };
  handlers.failed = [weak, id](const agent::Failure &failure) {
    if (const auto self = weak.lock())
      self->feed([to = self->conversation_.get(), id, failure](TimePoint now) {
        return to->model_failed(now, id, failure);
      });
  };
  // The request is a good part of a call's memory; until the transfer's own end
  // dropping it would cost the connection.
  handlers.ended = [weak, id] {
    if (const auto self = weak.lock(); self && self->model_id_ == id)
      self->model_.reset();
  };
  model_id_ = id;
  model_ = std::make_unique<ModelStream>(*worker_, endpoint_, body,
                                         std::move(handlers));
}

} // namespace patchcord
