// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/run.hpp"

#include "agent/definition.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "call/call.hpp"
#include "net/http_client.hpp"
#include "scenario/last_record.hpp"
#include "scenario/model_server.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

namespace patchcord::scenario {
namespace {

constexpr char kCallSid[] = "CA00000000000000000000000000000001";
constexpr char kStreamSid[] = "MZ00000000000000000000000000000001";
constexpr char kNextStreamSid[] = "MZ00000000000000000000000000000002";
constexpr char kAccountSid[] = "AC00000000000000000000000000000001";
constexpr char kNumber[] = "+14155550100";
// Until a transfer is taken, or not.
constexpr Duration kRinging = 2s;
// Behind the agent's own limit, for its goodbye.
constexpr Duration kGrace = 90s;

Result<Duration> agent_limit(const Scenario &scenario) {
  std::ifstream in(scenario.agent);
  std::stringstream text;
  text << in.rdbuf();
  const auto agent = agent::parse_definition(text.str(), scenario.agent);
  if (!agent)
    return agent.error();
  const Duration own = agent->limits.max_duration;
  return scenario.max_duration > 0s ? std::min(scenario.max_duration, own)
                                    : own;
}

std::string graph_text(const Scenario &scenario,
                       const std::string &tool_origin) {
  const std::string tools =
      tool_origin.empty() ? "" : " tool-origin=" + tool_origin;
  return "twiliosrc chunk-ms=100 ! voiceactivity ! scenariostt ! agent mind=" +
         scenario.mind + " today=" + scenario.today + tools +
         " ! scenariovoice ! twiliosink";
}

// One call from its first sample to its record.
class Run {
public:
  Run(const Scenario &scenario, std::vector<PreparedLine> lines, Duration limit,
      const RunOptions &options);
  Outcome play();

private:
  call::Call::Setup setup();
  void start(call::Call::Setup setup);
  void tell_who_answered();
  void put_through();
  bool run_until(const std::function<bool()> &done, TimePoint deadline);
  void take(const std::string &json);
  Outcome outcome();

  const Scenario &scenario_;
  const Duration limit_;
  const RunOptions options_;
  const std::shared_ptr<Worker> worker_ = Worker::create_virtual();
  std::optional<ModelServer> model_;
  config::Config config_;
  LastRecord record_;
  std::shared_ptr<call::EventLog> log_ = std::make_shared<call::EventLog>();
  struct Event {
    std::int64_t t_ms;
    std::string json;
  };
  std::vector<Event> events_;
  std::vector<std::string> troubles_, told_transfers_, summaries_;
  std::vector<Belief> beliefs_;
  int interruptions_ = 0;
  bool call_over_ = false, phone_over_ = false;
  Stage &stage_ = worker_->service<Stage>();
  Phone phone_;
  std::shared_ptr<call::Call> call_;
  std::optional<call::Handover> handover_; // whose end is to be told
  std::size_t transfers_ = 0;
  Timer answered_by_, transfer_;
};

Run::Run(const Scenario &scenario, std::vector<PreparedLine> lines,
         Duration limit, const RunOptions &options)
    : scenario_(scenario), limit_(limit), options_(options),
      phone_(*worker_, std::move(lines), stage_,
             {kStreamSid, kAccountSid, kCallSid, {}}, scenario.phone,
             options.record_audio,
             {[this](Samples at, const std::string &json) {
                events_.push_back({at / 8, json});
              },
              [this] { phone_over_ = true; }}) {
  stage_.stt = scenario.stt;
  stage_.voice = scenario.voice;
  config_.call.max_duration_s = static_cast<int>(
      std::chrono::duration_cast<std::chrono::seconds>(limit).count());
  if (scenario.mind == "openai" && options.live_model != nullptr) {
    config_.openai = options.live_model->openai;
  } else if (scenario.mind == "openai") {
    model_.emplace(*worker_, scenario.model, scenario.tools);
    config_.openai.base_url = model_->url();
    config_.openai.api_key = "scripted";
    config_.openai.chat_model = "scripted";
  }
}

call::Call::Setup Run::setup() {
  call::Call::Setup setup;
  setup.worker = worker_;
  setup.offer.call_sid = setup.record.call_sid = kCallSid;
  setup.offer.account_sid = setup.record.account_sid = kAccountSid;
  setup.record.agent = scenario_.agent;
  setup.record.pipeline = setup.graph_name = "scenario";
  setup.graph_text = graph_text(scenario_, model_ ? model_->origin() : "");
  setup.agent_file = scenario_.agent;
  setup.events = log_;
  setup.config = &config_;
  setup.store = &record_;
  setup.recordings = options_.recordings;
  setup.screen = !scenario_.network.answered_by.empty();
  setup.record.direction = setup.screen ? "outbound-api" : "inbound";
  setup.record.from = kNumber;
  setup.record.to = kNumber;
  setup.hand_over = [this](call::Handover handover) {
    handover_ = std::move(handover);
    transfer_ = worker_->after(kRinging, [this] { put_through(); });
    return std::string("<Response/>");
  };
  setup.over = [this] { call_over_ = true; };
  return setup;
}

void Run::start(call::Call::Setup setup) {
  call_over_ = phone_over_ = false;
  call_ = std::make_shared<call::Call>(std::move(setup));
  call_->start([this](net::WebSocket::Handlers handlers,
                      const net::WebSocket::Limits &) {
    return phone_.socket()->accept(std::move(handlers));
  });
  phone_.start();
}

void Run::tell_who_answered() {
  if (call_)
    call_->answered_by(scenario_.network.answered_by);
}

// Somebody takes the call, or the caller is back in another stream.
void Run::put_through() {
  const auto &outcomes = scenario_.network.transfers;
  const std::string outcome =
      outcomes[std::min(transfers_++, outcomes.size() - 1)];
  call::Handover handover = *std::exchange(handover_, std::nullopt);
  const bool over = outcome == "answered";
  call_->transfer_ended(outcome, over);
  if (over)
    return;
  call::Call::Setup again = setup();
  again.screen = false;
  again.record = std::move(handover.record);
  again.record.transfer_outcome = outcome;
  again.resume = handover.transfer.state;
  again.started = handover.started;
  record_.put_call(again.record);
  phone_.reconnect(kNextStreamSid);
  start(std::move(again));
}

// A live event of the call.
void Run::take(const std::string &json) {
  const auto document = JsonDocument::parse(json);
  if (!document)
    return;
  const JsonView root = document->root();
  const std::string kind = root["event"].string().value_or("");
  if (kind == "interrupted")
    ++interruptions_;
  if (kind == "provider-trouble")
    troubles_.push_back(root["provider"].string().value_or(""));
  if (kind == "transfer")
    summaries_.push_back(root["summary"].string().value_or(""));
  if (kind == "transfer-ended")
    told_transfers_.push_back(root["target"].string().value_or("") + ": " +
                              root["outcome"].string().value_or(""));
  const std::string state = root["state"].string().value_or("");
  if (kind == "heard" && (state == "complete" || state == "interrupted"))
    beliefs_.push_back(
        {static_cast<int>(root["utterance"].integer().value_or(0)),
         state == "complete", root["text"].string().value_or(""),
         root["heard_ms"].integer()});
  events_.push_back({root["t_ms"].integer().value_or(0), json});
}

// While a live model is waited for, virtual time is real time.
bool Run::run_until(const std::function<bool()> &done, TimePoint deadline) {
  if (options_.live_model == nullptr)
    return worker_->run_until(done, deadline);
  using RealTime = std::chrono::steady_clock;
  const auto &model = worker_->service<net::HttpClient>();
  const auto pause = [&] { return done() || model.busy(); };
  while (worker_->run_until(pause, deadline) && !done()) {
    auto before = RealTime::now();
    while (model.busy() && !done() && worker_->now() < deadline) {
      std::this_thread::sleep_for(1ms);
      const auto now = RealTime::now();
      worker_->run_until(done, worker_->now() + (now - before));
      before = now;
    }
  }
  return done();
}

Outcome Run::play() {
  const auto unfollow = log_->follow([this](std::optional<std::string> json) {
    if (json)
      take(*json);
  });
  start(setup());
  if (!scenario_.network.answered_by.empty())
    answered_by_ = worker_->after(scenario_.network.answered_by_at,
                                  [this] { tell_who_answered(); });
  const auto done = [this] {
    if (model_)
      model_->settle();
    return call_over_ && phone_over_ && !handover_;
  };
  if (!run_until(done, worker_->now() + limit_ + kGrace)) {
    call_->end("outlived", "the scenario has no end");
    worker_->run_until(done, worker_->now() + 60s);
  }
  call_.reset();
  worker_->run_ready();
  unfollow();
  return outcome();
}

std::vector<Talk> conversation(const Scenario &scenario,
                               const Outcome &outcome) {
  std::vector<Talk> talk;
  for (const SaidLine &said : outcome.said) {
    const Line &line = scenario.lines[said.line];
    std::string text = line.text;
    if (line.what == Line::What::kNoise)
      text = "(noise)";
    else if (line.what == Line::What::kDtmf)
      text = "(presses " + line.text + ")";
    talk.push_back(
        {false, said.from, said.to, text, line.heard.value_or(text)});
  }
  for (const HeardReply &reply : outcome.heard)
    for (const auto &stretch : reply.stretches)
      talk.push_back({true, stretch.from, stretch.to,
                      &stretch == reply.stretches.data()
                          ? reply_text(reply.reply, outcome.words)
                          : "(goes on)",
                      words_text(stretch.words, outcome.words)});
  std::stable_sort(talk.begin(), talk.end(), [](const Talk &a, const Talk &b) {
    return a.from < b.from;
  });
  return talk;
}

Outcome Run::outcome() {
  Outcome out;
  out.said = phone_.said();
  out.heard = phone_.heard();
  out.words = stage_.agent_words;
  out.talk = conversation(scenario_, out);
  out.lines_begun = phone_.lines_begun();
  out.caller_end = phone_.end();
  out.record = record_.last;
  std::stable_sort(
      events_.begin(), events_.end(),
      [](const Event &a, const Event &b) { return a.t_ms < b.t_ms; });
  for (Event &event : events_)
    out.events.push_back(std::move(event.json));
  out.troubles = troubles_;
  out.transfers = told_transfers_;
  out.summaries = summaries_;
  out.beliefs = beliefs_;
  out.interruptions = interruptions_;
  if (model_) {
    out.requests = model_->requests();
    out.tool_requests = model_->tool_requests();
  }
  out.duration = phone_.duration();
  out.refused = phone_.refused();
  out.caller_audio = phone_.caller_audio();
  out.heard_audio = phone_.heard_audio();
  return out;
}

} // namespace

std::string words_text(const std::vector<std::uint32_t> &numbers,
                       const std::vector<Stage::AgentWord> &words) {
  std::vector<std::string> texts;
  texts.reserve(numbers.size());
  for (const std::uint32_t number : numbers)
    texts.push_back(words[number].text);
  return join(texts, " ");
}

std::string heard_text(const HeardReply &reply,
                       const std::vector<Stage::AgentWord> &words) {
  std::vector<std::uint32_t> numbers;
  for (const auto &stretch : reply.stretches)
    numbers.insert(numbers.end(), stretch.words.begin(), stretch.words.end());
  return words_text(numbers, words);
}

std::string reply_text(int reply, const std::vector<Stage::AgentWord> &words) {
  std::vector<std::string> texts;
  for (const auto &word : words)
    if (word.reply == reply)
      texts.push_back(word.text);
  return join(texts, " ");
}

Result<Outcome> run(const Scenario &scenario, const RunOptions &options) {
  const auto begun = std::chrono::steady_clock::now();
  if (scenario.mind == "openai" && scenario.model.answers.empty() &&
      options.live_model == nullptr)
    return make_error("bad_definition",
                      scenario.file + ": model: expected answers, for mind = "
                                      "\"openai\" without --live-model");
  auto lines = prepare(scenario);
  if (!lines)
    return lines.error();
  const auto limit = agent_limit(scenario);
  if (!limit)
    return limit.error();
  Outcome outcome = Run(scenario, *std::move(lines), *limit, options).play();
  check(scenario, outcome, options.live_model != nullptr);
  outcome.wall_ms = std::chrono::duration<double, std::milli>(
                        std::chrono::steady_clock::now() - begun)
                        .count();
  return outcome;
}

} // namespace patchcord::scenario
