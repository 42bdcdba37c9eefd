// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/call.hpp"

#include "base/text.hpp"
#include "call/event_json.hpp"
#include "call/graph_builder.hpp"
#include "call/stall_watch.hpp"
#include "call/threads.hpp"
#include "graph/contexts.hpp"
#include "graph/worker_clock.hpp"

#include <chrono>
#include <fstream>
#include <sstream>

namespace patchcord::call {
namespace {

// Behind the agent's own limit: for a call whose agent does not end it.
constexpr Duration kGrace = 60s;

std::int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// What a stream's end means for a record whose conversation was not over.
const char *reason_of(const std::string &stream_end) {
  if (stream_end == "lost")
    return "stream_lost";
  if (stream_end == "protocol")
    return "stream_error";
  return "caller_hung_up";
}

// Whether a media stream that has the call's token is the call's as well.
Result<> check_start(const twilio::StreamStart &start,
                     const std::string &call_sid,
                     const std::string &account_sid) {
  if (start.call_sid != call_sid)
    return make_error("wrong_call", "its callSid is not the webhook's");
  if (!account_sid.empty() && start.account_sid != account_sid)
    return make_error("wrong_account", "its accountSid is not the webhook's");
  return ok();
}

} // namespace

Call::Call(Setup setup) : setup_(std::move(setup)), recorder_(setup_.record) {}

Call::~Call() {
  if (tap_)
    tap_->close(); // The graph's context holds it, and it the graph.
}

std::string Call::elements_in_push() {
  return visible_graph_.with([](const Ref<GstElement> &graph) {
    return graph ? call::elements_in_push(graph.get()) : std::string();
  });
}

log::Context Call::log_context() const {
  return {recorder_.record().call_sid, recorder_.record().stream_sid};
}

std::int64_t Call::since_start_ms() const {
  return static_cast<std::int64_t>(to_ms(setup_.worker->now() - started_));
}

void Call::put(const store::TurnRecord *turn) {
  if (superseded_)
    return;
  if (turn != nullptr)
    setup_.store->put_turn(recorder_.record().call_sid, *turn);
}

void Call::put_record() {
  if (superseded_ || handed_over_)
    return;
  setup_.store->put_call(recorder_.record());
}

void Call::tell(std::string event) {
  if (tap_)
    tap_->told(event);
  setup_.events->publish(std::move(event));
}

// The graph is made, and does not play yet.
void Call::record(GstElement *graph) {
  recording::Header header;
  header.call_sid = setup_.offer.call_sid;
  header.account_sid = setup_.offer.account_sid;
  header.agent = setup_.record.agent;
  header.pipeline = setup_.graph_name;
  header.answered_ms = unix_ms();
  header.max_duration_s = setup_.config->call.max_duration_s;
  std::ifstream in(setup_.agent_file);
  std::stringstream definition;
  definition << in.rdbuf();
  tap_ = std::make_shared<CallTap>(
      *setup_.worker,
      setup_.recordings->start(header.call_sid, definition.str()));
  tap_->tap(graph, std::move(header));
}

void Call::start(const WebSocketMediaStream::Attach &attach) {
  Worker &worker = *setup_.worker;
  started_ = setup_.started.value_or(worker.now());
  const std::string call_sid = setup_.offer.call_sid;
  const std::string account_sid = setup_.offer.account_sid;
  stream_ = WebSocketMediaStream::create(
      worker, attach, call_sid,
      [call_sid, account_sid](const twilio::StreamStart &start) {
        return check_start(start, call_sid, account_sid);
      });
  stream_->on_ended([weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->on_stream_over();
  });

  auto graph = build_graph(setup_.graph_name, setup_.graph_text, *setup_.config,
                           setup_.agent_file, {setup_.resume, setup_.screen});
  if (!graph) {
    log::error(graph.error().message, log_context());
    end("error", graph.error().message);
    return;
  }
  graph_ = *std::move(graph);
  agent_ = find_element(graph_.get(), "agent");
  visible_graph_.with([this](auto &visible) { visible = graph_; });
  // No queue of messages and no descriptor to poll it: a call's messages are
  // handled where they are posted, on its worker.
  bus_ = Ref<GstBus>::adopt(
      GST_BUS(g_object_new(GST_TYPE_BUS, "enable-async", FALSE, nullptr)));
  gst_bus_set_sync_handler(
      bus_.get(),
      [](GstBus *, GstMessage *message, gpointer self) {
        const auto owned = Ref<GstMessage>::adopt(message);
        auto &call = *static_cast<Call *>(self);
        if (call.worker()->on_thread())
          call.on_message(message);
        else // of a thread behind a queue
          call.worker()->post([weak = call.weak_from_this(), owned] {
            if (const auto alive = weak.lock(); alive && !alive->torn_down_)
              alive->on_message(owned.get());
          });
        return GST_BUS_DROP;
      },
      this, nullptr);
  gst_element_set_bus(graph_.get(), bus_.get());
  // The goodbye is over when the caller's sink says so, not when a recorder
  // beside it does as well.
  g_object_set(graph_.get(), "message-forward", TRUE, nullptr);
  graph::set_calls_worker(graph_.get(), setup_.worker);
  if (setup_.recordings != nullptr)
    record(graph_.get());
  graph::set_media_stream(graph_.get(), tap_ ? tap_->tap(stream_) : stream_);
  gst_pipeline_use_clock(GST_PIPELINE(graph_.get()),
                         graph::make_worker_clock(setup_.worker).get());
  deadline_ = worker.after(
      std::chrono::seconds(setup_.config->call.max_duration_s) + kGrace,
      [this] { end("max_duration", "the call outlived its limit"); });
  play();
}

// In two steps: threads begin in PAUSED, and nothing flows before PLAYING.
void Call::play() {
  const auto reach = [&](GstState state) {
    return gst_element_set_state(graph_.get(), state) !=
           GST_STATE_CHANGE_FAILURE;
  };
  if (!reach(GST_STATE_PAUSED) || (!ending_ && !reach(GST_STATE_PLAYING)))
    end("error", "the graph " + setup_.graph_name + " did not start");
  else if (!setup_.answered_by.empty())
    answered_by(setup_.answered_by);
}

void Call::on_message(GstMessage *message) {
  switch (GST_MESSAGE_TYPE(message)) {
  case GST_MESSAGE_ELEMENT:
    if (gst_message_has_name(message, "GstBinForwarded"))
      on_forwarded(message);
    else
      on_element_message(message);
    break;
  case GST_MESSAGE_STREAM_STATUS:
    on_stream_status(message);
    break;
  case GST_MESSAGE_EOS:
    // The goodbye has been heard.
    if (!ending_)
      hang_up();
    break;
  case GST_MESSAGE_ERROR:
    on_error(message);
    break;
  case GST_MESSAGE_WARNING: {
    GErrorHolder warning;
    gst_message_parse_warning(message, warning.out(), nullptr);
    log::warning(std::string(GST_MESSAGE_SRC_NAME(message)) + ": " +
                     warning.message(),
                 log_context());
    break;
  }
  default:
    break;
  }
}

void Call::on_stream_status(GstMessage *message) {
  const std::string reason = thread_in_the_way(message);
  if (reason.empty() || ending_)
    return;
  const std::string text = setup_.graph_name + ": " + reason;
  log::error(text, log_context());
  end("error", text);
}

// What a pipeline with several sinks keeps to itself until all have said it.
void Call::on_forwarded(GstMessage *message) {
  GstMessage *inner = nullptr;
  gst_structure_get(gst_message_get_structure(message), "message",
                    GST_TYPE_MESSAGE, &inner, nullptr);
  const auto owned = Ref<GstMessage>::adopt(inner);
  if (!owned || GST_MESSAGE_TYPE(inner) != GST_MESSAGE_EOS ||
      !GST_IS_ELEMENT(GST_MESSAGE_SRC(inner)))
    return;
  GstElementFactory *factory =
      gst_element_get_factory(GST_ELEMENT(GST_MESSAGE_SRC(inner)));
  if (factory != nullptr &&
      std::string_view(GST_OBJECT_NAME(factory)) == "twiliosink")
    hang_up();
}

void Call::on_error(GstMessage *message) {
  GErrorHolder error;
  GCharPtr details;
  char *raw = nullptr;
  gst_message_parse_error(message, error.out(), &raw);
  details.reset(raw);
  const std::string text =
      std::string(GST_MESSAGE_SRC_NAME(message)) + ": " + error.message();
  log::error(text + (details ? std::string(" (") + details.get() + ")" : ""),
             log_context());
  end("error", text);
}

void Call::on_decision(GstMessage *message) {
  const auto decision = *messages::parse<messages::Decision>(message);
  last_words_.clear();
  put(recorder_.decision(decision, since_start_ms()));
  put_record();
  tell(event_json(since_start_ms(), decision));
}

void Call::on_element_message(GstMessage *message) {
  using namespace messages;
  const std::int64_t now = since_start_ms();
  if (const auto started = parse<CallStarted>(message)) {
    recorder_.started(*started, unix_ms());
    put_record();
    log::info("the media stream began", log_context());
    tell(event_json(now, *started));
  } else if (const auto transcript = parse<Transcript>(message)) {
    if (!transcript->final) {
      setup_.events->publish_passing(
          [&] { return event_json(now, *transcript); });
      return;
    }
    if (!transcript->text.empty())
      last_words_ = transcript->text;
    tell(event_json(now, *transcript));
  } else if (parse<Decision>(message)) {
    on_decision(message);
  } else if (const auto heard = parse<Heard>(message)) {
    put(recorder_.heard(*heard));
    tell(event_json(now, *heard));
  } else if (const auto interrupted = parse<Interrupted>(message)) {
    put(recorder_.interrupted(*interrupted));
    tell(event_json(now, *interrupted));
  } else if (const auto latency = parse<TurnLatency>(message)) {
    put(recorder_.latency(*latency));
    tell(event_json(now, *latency));
  } else if (const auto tool = parse<Tool>(message)) {
    put(recorder_.tool(*tool));
    tell(event_json(now, *tool));
  } else if (const auto dtmf = parse<DtmfReceived>(message)) {
    tell(event_json(now, *dtmf));
  } else if (const auto trouble = parse<ProviderTrouble>(message)) {
    log::warning(trouble->provider + ": " + trouble->code + ": " +
                     trouble->message,
                 log_context());
    if (trouble->fatal)
      recorder_.edit().end_detail = trouble->provider + ": " + trouble->message;
    else if (trouble_.empty())
      trouble_ = trouble->provider + ": " + trouble->message;
    tell(event_json(now, *trouble));
  } else if (const auto over = parse<ConversationEnded>(message)) {
    recorder_.conversation_ended(*over);
    put_record();
    tell(event_json(now, *over));
  } else if (auto transfer = parse<Transfer>(message)) {
    recorder_.transfer(*transfer);
    put_record();
    tell(event_json(now, *transfer));
    transfer_ = *std::move(transfer);
  } else if (const auto who = parse<AnsweredBy>(message)) {
    log::info("answered by " + who->answered_by + ": " + who->outcome,
              log_context());
    recorder_.answered_by(*who);
    put_record();
    tell(event_json(now, *who));
  } else if (const auto ended = parse<StreamEnded>(message)) {
    if (!handed_over_)
      recorder_.end(reason_of(ended->reason), ended->detail);
    log::info("the media stream ended: " + ended->reason +
                  (ended->detail.empty() ? "" : " (" + ended->detail + ")"),
              log_context());
  } else if (const auto odd = parse<StreamAnomalies>(message)) {
    std::string counts;
    for (const auto &[kind, count] : odd->counts)
      counts +=
          (counts.empty() ? "" : ", ") + kind + " " + std::to_string(count);
    log::warning("on the media stream: " + counts, log_context());
  }
}

void Call::hang_up() {
  if (ending_)
    return;
  ending_ = true;
  // Nothing else has ended it: all was said, and heard.
  if (transfer_ && recorder_.record().end_reason.empty() && stream_ &&
      !stream_->ended())
    return hand_over();
  log::info("hanging up: " + recorder_.record().end_reason, log_context());
  if (!stream_ || stream_->ended()) {
    tear_down_soon();
    return;
  }
  hanging_up_ =
      setup_.worker->after(Call::kHangUpTimeout, [this] { tear_down_soon(); });
  if (setup_.config->twilio.hangup == "rest")
    ask_by_rest(
        twilio::hang_up_request(rest_account(), recorder_.record().call_sid),
        "hanging up");
  else
    stream_->close(1000, "the call is over");
}

void Call::end(const std::string &reason, const std::string &detail) {
  if (tap_ && !ending_)
    tap_->ended_from_outside(reason, detail);
  // How a call ends that was handed over is for others to tell.
  if (!handed_over_)
    recorder_.end(reason, detail);
  hang_up();
}

void Call::supersede() {
  superseded_ = true;
  end("replaced", "another media stream of the same call came");
}

void Call::on_stream_over() { tear_down_soon(); }

void Call::finish() {
  recorder_.finish(unix_ms());
  if (recorder_.record().end_detail.empty())
    recorder_.edit().end_detail = trouble_;
  put_record();
  const auto &record = recorder_.record();
  log::info("the call is over: " + record.end_reason + ", " +
                std::to_string(record.turns.size()) +
                (record.turns.size() == 1 ? " turn" : " turns"),
            log_context());
  tell(call_ended_json(since_start_ms(), record));
  setup_.events->close();
}

// Not from within an element's callback: the graph cannot stop itself.
void Call::tear_down_soon() {
  ending_ = true;
  setup_.worker->post([self = shared_from_this()] { self->tear_down(); });
}

void Call::tear_down() {
  if (std::exchange(torn_down_, true))
    return;
  deadline_.cancel();
  hanging_up_.cancel();
  if (!handed_over_) // else its answer says whether anybody is dialled
    rest_.reset();
  // Inputs first, then the graph, then the socket.
  if (stream_) {
    stream_->set_source(nullptr);
    if (!stream_->ended())
      stream_->close(1001, "the call is over");
  }
  if (graph_) {
    gst_element_set_state(graph_.get(), GST_STATE_NULL);
    gst_bus_set_sync_handler(bus_.get(), nullptr, nullptr, nullptr);
  }
  visible_graph_.with([](auto &visible) { visible.reset(); });
  agent_.reset();
  graph_.reset();
  bus_.reset();
  stream_.reset();
  if (handed_over_) {
    if (tap_)
      tap_->graph_gone();
    if (const auto over = std::exchange(setup_.over, nullptr))
      over();
    return;
  }
  recorder_.transfer_ended("canceled"); // by who hung up before it
  if (!last_words_.empty())
    put(recorder_.unanswered(last_words_, since_start_ms()));
  recorder_.end("caller_hung_up", "");
  finish();
  if (tap_)
    tap_->close();
  if (const auto over = std::exchange(setup_.over, nullptr))
    over();
}

} // namespace patchcord::call
