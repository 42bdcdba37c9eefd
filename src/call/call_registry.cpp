// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/call_registry.hpp"

#include "base/text.hpp"
#include "call/call.hpp"
#include "call/event_log.hpp"
#include "call/graph_builder.hpp"

#include <chrono>
#include <malloc.h>

namespace patchcord::call {
namespace {

// Twilio opens the stream within a second or two of the TwiML.
constexpr auto kTokenLife = std::chrono::seconds(60);

using SteadyTime = std::chrono::steady_clock::time_point;

std::int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

struct Pending {
  Offer offer;
  store::CallRecord record;
  std::shared_ptr<EventLog> events;
  SteadyTime expires;
  bool claimed = false; // between the handshake and the call's start
};

struct Live {
  std::uint64_t serial = 0;
  std::shared_ptr<Call> call;
  std::shared_ptr<EventLog> events;
};

} // namespace

struct CallRegistry::State {
  struct Data {
    std::map<std::string, Pending> pending;     // by token
    std::map<std::string, std::string> by_call; // call SID -> token
    std::map<std::string, Live> live;           // by call SID
    std::map<std::uint64_t, Live> replaced;     // by another of the same SID
    std::uint64_t last_serial = 0;
    std::map<std::string, std::string> graphs; // texts by name
    std::map<std::string, std::string> agents; // files by name
    bool draining = false;
    std::vector<std::function<void()>> drained;
  };
  Guarded<Data> data;

  // Offers that nobody came for: their callers hung up while it rang.
  std::vector<store::CallRecord> expire(Data &all, SteadyTime now) {
    std::vector<store::CallRecord> gone;
    for (auto it = all.pending.begin(); it != all.pending.end();) {
      if (it->second.claimed || it->second.expires > now) {
        ++it;
        continue;
      }
      it->second.record.status = "completed";
      it->second.record.end_reason = "caller_hung_up";
      it->second.record.end_detail = "no media stream came";
      it->second.record.ended_ms = unix_ms();
      gone.push_back(it->second.record);
      it->second.events->close();
      all.by_call.erase(it->second.offer.call_sid);
      it = all.pending.erase(it);
    }
    return gone;
  }

  // Who waits for the end, if this is it.
  static std::vector<std::function<void()>> take_drained(Data &all) {
    std::vector<std::function<void()>> waiting;
    if (all.draining && all.live.empty() && all.replaced.empty() &&
        all.pending.empty())
      waiting.swap(all.drained);
    return waiting;
  }
};

CallRegistry::CallRegistry(const config::Config &config,
                           store::RecordStore &store,
                           recording::Writer *recordings)
    : config_(config), store_(store), recordings_(recordings),
      state_(std::make_shared<State>()) {}

CallRegistry::~CallRegistry() = default;

Result<std::string> CallRegistry::offer(const Offer &offered) {
  Offer offer = offered;
  if (offer.agent.empty())
    offer.agent = config_.call.agent;
  if (offer.pipeline.empty())
    offer.pipeline = config_.call.pipeline;

  const auto known = state_->data.with([&](State::Data &all) {
    return std::pair(all.agents.contains(offer.agent),
                     all.graphs.contains(offer.pipeline));
  });
  std::string agent_file, graph;
  if (!known.first) {
    auto found = config::find_agent(offer.agent);
    if (!found)
      return make_error("bad_agent", found.error().message);
    agent_file = *found;
  }
  if (!known.second) {
    const auto file = config::find_pipeline(offer.pipeline);
    if (!file)
      return make_error("bad_pipeline", file.error().message);
    auto text = read_pipeline(*file);
    if (!text)
      return text.error();
    graph = *text;
  }

  const auto now = std::chrono::steady_clock::now();
  std::vector<store::CallRecord> gone;
  std::optional<store::CallRecord> fresh;
  auto result = state_->data.with([&](State::Data &all) -> Result<std::string> {
    if (!known.first)
      all.agents.emplace(offer.agent, agent_file);
    if (!known.second)
      all.graphs.emplace(offer.pipeline, graph);
    gone = state_->expire(all, now);
    if (const auto token = all.by_call.find(offer.call_sid);
        token != all.by_call.end()) {
      Pending &pending = all.pending.at(token->second);
      pending.expires = now + kTokenLife;
      return token->second;
    }
    if (all.draining)
      return make_error("draining", "the server is about to stop");
    if (config_.server.max_calls > 0 &&
        all.live.size() + all.pending.size() >=
            static_cast<std::size_t>(config_.server.max_calls))
      return make_error("full", std::to_string(config_.server.max_calls) +
                                    " calls are all it takes");
    Pending pending;
    pending.offer = offer;
    pending.events = std::make_shared<EventLog>();
    pending.expires = now + kTokenLife;
    store::CallRecord &record = pending.record;
    record.call_sid = offer.call_sid;
    record.account_sid = offer.account_sid;
    record.from = offer.from;
    record.to = offer.to;
    record.direction = offer.direction;
    record.agent = offer.agent;
    record.pipeline = offer.pipeline;
    record.created_ms = unix_ms();
    record.status = "ringing";
    fresh = record;
    std::string token = random_hex(16);
    all.by_call.emplace(offer.call_sid, token);
    all.pending.emplace(token, std::move(pending));
    return token;
  });
  for (const auto &record : gone)
    store_.put_call(record);
  if (fresh)
    store_.put_call(*fresh);
  return result;
}

std::optional<Offer> CallRegistry::claim(const std::string &token) {
  return state_->data.with([&](State::Data &all) -> std::optional<Offer> {
    const auto it = all.pending.find(token);
    if (it == all.pending.end() || it->second.claimed ||
        it->second.expires <= std::chrono::steady_clock::now())
      return std::nullopt;
    it->second.claimed = true;
    return it->second.offer;
  });
}

void CallRegistry::release(const std::string &token) {
  state_->data.with([&](State::Data &all) {
    if (const auto it = all.pending.find(token); it != all.pending.end())
      it->second.claimed = false;
  });
}

void CallRegistry::start(const std::shared_ptr<Worker> &worker,
                         const Offer &offer,
                         const WebSocketMediaStream::Attach &attach) {
  const std::string sid = offer.call_sid;
  // A call sent to our webhook anew has a new stream, maybe before the old one
  // has ended, and maybe on another worker.
  std::shared_ptr<Call> replaced;
  auto call = state_->data.with([&](State::Data &all) {
    const auto token = all.by_call.find(sid);
    if (token == all.by_call.end())
      return std::shared_ptr<Call>();
    Pending pending = std::move(all.pending.at(token->second));
    all.pending.erase(token->second);
    all.by_call.erase(token);
    Call::Setup setup;
    setup.worker = worker;
    setup.offer = offer;
    setup.record = pending.record;
    setup.graph_name = offer.pipeline;
    setup.graph_text = all.graphs.at(offer.pipeline);
    setup.agent_file = all.agents.at(offer.agent);
    setup.events = pending.events;
    setup.config = &config_;
    setup.store = &store_;
    setup.recordings = recordings_;
    const std::uint64_t serial = ++all.last_serial;
    setup.over = [this, sid, serial] { finished(sid, serial); };
    auto made = std::make_shared<Call>(std::move(setup));
    Live &live = all.live[sid];
    if (live.call) {
      replaced = live.call;
      all.replaced[live.serial] = std::move(live);
    }
    live = {serial, made, pending.events};
    return made;
  });
  if (replaced)
    replaced->worker()->post([replaced] { replaced->supersede(); });
  if (call)
    call->start(attach);
}

void CallRegistry::finished(const std::string &call_sid, std::uint64_t serial) {
  std::vector<std::function<void()>> drained;
  // Outlives the lock: its destructor must not run under it.
  std::shared_ptr<Call> call;
  bool empty = false;
  state_->data.with([&](State::Data &all) {
    if (const auto it = all.live.find(call_sid);
        it != all.live.end() && it->second.serial == serial) {
      call = std::move(it->second.call);
      all.live.erase(it);
    } else if (const auto old = all.replaced.find(serial);
               old != all.replaced.end()) {
      call = std::move(old->second.call);
      all.replaced.erase(old);
    } else {
      return;
    }
    empty = all.live.empty() && all.replaced.empty();
    drained = State::take_drained(all);
  });
  // What the calls had goes back to the system while nobody can be disturbed by
  // that: their memory lies between what lives longer.
  if (call && empty)
    call->worker()->post([] { malloc_trim(0); });
  for (const auto &done : drained)
    done();
}

void CallRegistry::stream_status(const std::string &call_sid,
                                 const std::string &event,
                                 const std::string &error) {
  if (event != "stream-error")
    return;
  const auto call = state_->data.with([&](State::Data &all) {
    const auto it = all.live.find(call_sid);
    return it != all.live.end() ? it->second.call : nullptr;
  });
  // It can come half a minute before the socket notices.
  if (call)
    call->worker()->post([call, error] { call->end("stream_error", error); });
}

std::size_t CallRegistry::active() const {
  return state_->data.with([](State::Data &all) { return all.live.size(); });
}

std::size_t CallRegistry::offered() const {
  return state_->data.with([](State::Data &all) { return all.pending.size(); });
}

bool CallRegistry::draining() const {
  return state_->data.with([](State::Data &all) { return all.draining; });
}

void CallRegistry::drain(std::function<void()> done) {
  std::vector<std::function<void()>> drained;
  std::vector<store::CallRecord> gone;
  state_->data.with([&](State::Data &all) {
    all.draining = true;
    all.drained.push_back(std::move(done));
    // Nobody waits for callers who have not connected: they would be new.
    gone = state_->expire(all, SteadyTime::max());
    drained = State::take_drained(all);
  });
  for (const auto &record : gone)
    store_.put_call(record);
  for (const auto &each : drained)
    each();
}

void CallRegistry::stop_all() {
  std::vector<std::shared_ptr<Call>> calls;
  state_->data.with([&](State::Data &all) {
    for (const auto &[sid, live] : all.live)
      calls.push_back(live.call);
  });
  for (const auto &call : calls)
    call->worker()->post(
        [call] { call->end("server_stopped", "the server was stopped"); });
}

std::optional<std::function<void()>>
CallRegistry::subscribe(const std::string &call_sid, EventHandler event) {
  const auto events = state_->data.with([&](State::Data &all) {
    if (const auto it = all.live.find(call_sid); it != all.live.end())
      return it->second.events;
    if (const auto it = all.by_call.find(call_sid); it != all.by_call.end())
      return all.pending.at(it->second).events;
    return std::shared_ptr<EventLog>();
  });
  if (!events)
    return std::nullopt;
  return events->follow(std::move(event));
}

} // namespace patchcord::call
