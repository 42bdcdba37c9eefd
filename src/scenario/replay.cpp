// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/replay.hpp"

#include "base/json.hpp"
#include "base/url.hpp"
#include "call/call.hpp"
#include "net/http_client.hpp"
#include "scenario/last_record.hpp"
#include "scenario/memory_socket.hpp"
#include "scenario/replay_marks.hpp"
#include "scenario/replay_script.hpp"
#include "twilio/peer_messages.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

namespace patchcord::scenario {
namespace {

using recording::Event;
using recording::Kind;
using Transfer = net::HttpClient::Transfer;

// Behind the recording's end, for a call that goes on otherwise.
constexpr Duration kGrace = 120s;
// What comes from outside comes when it came as long as the call is in step.
constexpr Duration kInStep = 5ms;
// A mark that came back comes in its order with all else; others come behind.
constexpr Duration kBehind = 250us;

// --- the peer ----------------------------------------------------------------

// Twilio's end of the media stream: sends what it sent.
class Peer {
public:
  Peer(Worker &worker, const ReplayScript &script,
       const recording::Recording &recording)
      : worker_(worker), script_(script), marks_(recording.events),
        socket_(std::make_shared<MemorySocket>(
            worker, MemorySocket::Handlers{
                        [this](std::string_view text) { hear(text); }, {}})) {
    start_.call_sid = recording.header.call_sid;
    start_.account_sid = recording.header.account_sid;
  }
  const std::shared_ptr<MemorySocket> &socket() const { return socket_; }
  ~Peer() { socket_->forget(); }
  Peer(const Peer &) = delete;
  Peer &operator=(const Peer &) = delete;
  void send(const Event &event);

private:
  void hear(std::string_view text);
  void return_marks();
  void wait_for_mark();
  void deliver() {
    socket_->deliver(message_);
    message_.clear();
  }
  Worker &worker_;
  const ReplayScript &script_;
  ReplayMarks marks_;
  Timer mark_due_;
  const std::shared_ptr<MemorySocket> socket_;
  twilio::StreamStart start_;
  std::optional<twilio::peer::Parser> parser_; // once the stream has begun
  std::int64_t sequence_ = 0, chunk_ = 0;
  std::string message_;
};

// From within the server's sending: what comes of it comes later.
void Peer::hear(std::string_view text) {
  if (parser_)
    marks_.sent(parser_->parse(text), script_.now());
  wait_for_mark();
}

void Peer::wait_for_mark() {
  mark_due_.cancel();
  if (const auto due = marks_.due())
    mark_due_ = worker_.after(
        std::max(*due - script_.now(), Duration{}) + kBehind, [this] {
          return_marks();
          wait_for_mark();
        });
}

void Peer::return_marks() {
  for (const std::string &name : marks_.take(script_.now())) {
    twilio::peer::append_mark(message_, start_.stream_sid, ++sequence_, name);
    deliver();
  }
}

void Peer::send(const Event &event) {
  switch (event.kind) {
  case Kind::kStreamStart:
    start_.stream_sid = event.text;
    parser_.emplace(event.text);
    twilio::peer::append_connected(message_);
    deliver();
    twilio::peer::append_start(message_, start_, ++sequence_);
    break;
  case Kind::kMedia: // How it sounds was heard by the recogniser.
    twilio::peer::append_media(
        message_, start_.stream_sid, ++sequence_, ++chunk_, event.number,
        Bytes(static_cast<std::size_t>(event.count), 0xff));
    break;
  case Kind::kDigit:
    twilio::peer::append_dtmf(message_, start_.stream_sid, ++sequence_,
                              event.text);
    break;
  case Kind::kMarkBack:
    return return_marks();
  case Kind::kStreamEnd:
    if (event.text == to_string(twilio::StreamEnd::kStop)) {
      twilio::peer::append_stop(message_, start_, ++sequence_);
      deliver();
    }
    if (event.text != to_string(twilio::StreamEnd::kLocal))
      socket_->close(event.text == to_string(twilio::StreamEnd::kLost) ? 1006
                                                                       : 1000);
    return;
  default:
    return;
  }
  deliver();
}

// --- HTTP --------------------------------------------------------------------

// Answers requests with what was answered, when it came; a request that was not
// made then has no answer.
class Answers {
public:
  Answers(Worker &worker, ReplayScript &script)
      : worker_(worker), script_(script) {
    script_.http = [this](const Event &event) { due(event); };
  }
  std::unique_ptr<Transfer> serve(const net::HttpRequest &request,
                                  net::HttpClient::StreamHandlers handlers);

private:
  struct Open {
    net::HttpClient::StreamHandlers handlers;
    bool in_step = true;
    std::vector<Timer> timers;
  };
  class Handle final : public Transfer {
  public:
    Handle(std::weak_ptr<std::map<std::int64_t, std::shared_ptr<Open>>> all,
           std::int64_t number)
        : all_(std::move(all)), number_(number) {}
    ~Handle() override {
      if (const auto all = all_.lock())
        all->erase(number_);
    }
    Handle(const Handle &) = delete;
    Handle &operator=(const Handle &) = delete;

  private:
    const std::weak_ptr<std::map<std::int64_t, std::shared_ptr<Open>>> all_;
    const std::int64_t number_;
  };
  void due(const Event &event) {
    const auto open = open_->find(event.number);
    if (open != open_->end() && open->second->in_step)
      tell(event);
  }
  void tell(const Event &event);

  Worker &worker_;
  ReplayScript &script_;
  std::int64_t not_recorded_ = 0; // their numbers: negative
  const std::shared_ptr<std::map<std::int64_t, std::shared_ptr<Open>>> open_ =
      std::make_shared<std::map<std::int64_t, std::shared_ptr<Open>>>();
};

std::unique_ptr<Transfer>
Answers::serve(const net::HttpRequest &request,
               net::HttpClient::StreamHandlers handlers) {
  auto events = script_.take_request(request.method,
                                     url_resource(redacted_url(request.url)));
  if (events.empty()) {
    Event none;
    none.kind = Kind::kResponseOver;
    none.number = --not_recorded_;
    none.code = "not_recorded";
    none.text = "the recording has no answer to this request";
    none.t = script_.now();
    events = {none};
  }
  const std::int64_t number = events.front().number;
  auto open = std::make_shared<Open>();
  open->handlers = std::move(handlers);
  (*open_)[number] = open;
  const Duration late = script_.now() - events.front().t;
  open->in_step = number > 0 && late < kInStep && late > -kInStep;
  if (!open->in_step)
    for (const Event &event : events)
      if (event.kind != Kind::kRequest)
        open->timers.push_back(worker_.after(event.t - events.front().t,
                                             [this, event] { tell(event); }));
  return std::make_unique<Handle>(open_, number);
}

void Answers::tell(const Event &event) {
  const auto found = open_->find(event.number);
  if (found == open_->end())
    return;
  const auto open = found->second; // It may be let go of meanwhile.
  if (event.kind == Kind::kResponse && open->handlers.response)
    open->handlers.response(static_cast<int>(event.count),
                            {{"content-type", event.text}});
  else if (event.kind == Kind::kData && open->handlers.data)
    open->handlers.data(as_bytes(event.text));
  else if (event.kind == Kind::kResponseOver && open->handlers.done)
    open->handlers.done(event.code.empty()
                            ? ok()
                            : Result<Unit>(make_error(event.code, event.text)));
}

// --- the graph ---------------------------------------------------------------

std::string quoted(const std::string &value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\')
      text += '\\';
    text += c;
  }
  return text + "\"";
}

std::string properties(const recording::Header &header, const char *element) {
  std::string text;
  const auto found = header.elements.find(element);
  if (found == header.elements.end())
    return text;
  for (const auto &[name, value] : found->second) {
    const bool is_name = std::all_of(name.begin(), name.end(), [](char c) {
      return c == '-' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    });
    if (is_name)
      text += " " + name + "=" + quoted(value);
  }
  return text;
}

std::string graph_text(const recording::Header &header) {
  const std::string today =
      header.today.empty() ? "" : " today=" + quoted(header.today);
  // With an origin of their own tools need no secrets. Nobody is asked there.
  return "twiliosrc ! replaystt ! agent tool-origin=\"http://replayed\"" +
         properties(header, "agent") + today + " ! replayvoice ! twiliosink" +
         properties(header, "twiliosink");
}

// --- the call ----------------------------------------------------------------

class Replay {
public:
  Replay(const recording::Recording &recording, std::string agent_file)
      : recording_(recording), agent_file_(std::move(agent_file)) {
    script_.load(recording.events);
    script_.peer = [this](const Event &event) { peer_.send(event); };
    script_.operating = [this](const Event &event) { operate(event); };
    worker_->service<net::HttpClient>().serve_by(
        [this](const net::HttpRequest &request,
               net::HttpClient::StreamHandlers handlers) {
          return answers_.serve(request, std::move(handlers));
        });
    config_.call.max_duration_s =
        static_cast<int>(recording.header.max_duration_s);
    config_.openai.api_key = "replayed";
  }
  std::vector<std::string> play();

private:
  call::Call::Setup setup();
  void operate(const Event &event);

  const recording::Recording &recording_;
  const std::string agent_file_;
  const std::shared_ptr<Worker> worker_ = Worker::create_virtual();
  ReplayScript &script_ = worker_->service<ReplayScript>();
  Peer peer_{*worker_, script_, recording_};
  Answers answers_{*worker_, script_};
  config::Config config_;
  LastRecord record_;
  const std::shared_ptr<call::EventLog> log_ =
      std::make_shared<call::EventLog>();
  bool over_ = false;
  std::ptrdiff_t transfers_ = 0; // whose end is to be told
  std::shared_ptr<call::Call> call_;
};

call::Call::Setup Replay::setup() {
  const recording::Header &header = recording_.header;
  call::Call::Setup setup;
  setup.worker = worker_;
  setup.offer.call_sid = setup.record.call_sid = header.call_sid;
  setup.offer.account_sid = setup.record.account_sid = header.account_sid;
  setup.record.agent = header.agent;
  setup.record.pipeline = setup.graph_name = "replay";
  setup.graph_text = graph_text(header);
  setup.agent_file = agent_file_;
  setup.events = log_;
  setup.config = &config_;
  setup.store = &record_;
  // What became of it the recording tells.
  setup.hand_over = [](const call::Handover &) {
    return std::string("<Response/>");
  };
  setup.over = [this] { over_ = true; };
  return setup;
}

// What the network told; and what ended the call from outside, and not by what
// it was told.
void Replay::operate(const Event &event) {
  if (event.kind == Kind::kAnsweredBy)
    return call_->answered_by(event.text);
  if (event.kind == Kind::kTransferEnded) {
    --transfers_;
    return call_->transfer_ended(event.code, event.flag);
  }
  if (event.code == "replaced")
    call_->supersede();
  else if (event.code == "server_stopped" || event.code == "stream_error")
    call_->end(event.code, event.text);
}

std::vector<std::string> Replay::play() {
  std::vector<std::string> told;
  const auto unfollow = log_->follow([&told](std::optional<std::string> json) {
    if (json)
      told.push_back(*std::move(json));
  });
  call_ = std::make_shared<call::Call>(setup());
  call_->start([this](net::WebSocket::Handlers handlers,
                      const net::WebSocket::Limits &) {
    return peer_.socket()->accept(std::move(handlers));
  });
  // Behind what the graph has in mind to do first.
  worker_->post([this] { script_.start(); });
  const Duration length =
      recording_.events.empty() ? Duration{} : recording_.events.back().t;
  transfers_ = std::count_if(
      recording_.events.begin(), recording_.events.end(),
      [](const Event &event) { return event.kind == Kind::kTransferEnded; });
  const auto done = [this] { return over_ && transfers_ <= 0; };
  if (!worker_->run_until(done, worker_->now() + length + kGrace)) {
    call_->end("outlived", "the recording is over");
    worker_->run_until(done, worker_->now() + 60s);
  }
  script_.stop();
  call_.reset();
  worker_->run_ready();
  unfollow();
  return told;
}

std::vector<std::string>
recorded_events(const recording::Recording &recording) {
  std::vector<std::string> told;
  for (const Event &event : recording.events)
    if (event.kind == Kind::kTold)
      told.push_back(event.text);
  return told;
}

} // namespace

Result<Replayed> replay(const recording::Recording &recording,
                        const std::string &agent_file) {
  const auto begun = std::chrono::steady_clock::now();
  Replayed replayed;
  replayed.recorded = told_of(recorded_events(recording));
  replayed.now = told_of(Replay(recording, agent_file).play());
  replayed.differences =
      compare(replayed.recorded, replayed.now, recording.complete);
  if (!recording.events.empty())
    replayed.length = recording.events.back().t;
  replayed.wall_ms = std::chrono::duration<double, std::milli>(
                         std::chrono::steady_clock::now() - begun)
                         .count();
  return replayed;
}

} // namespace patchcord::scenario
