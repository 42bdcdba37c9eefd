// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/call_registry.hpp"

#include "agent/definition_file.hpp"
#include "base/text.hpp"
#include "call/call_registry_state.hpp"
#include "call/graph_builder.hpp"
#include "config/config.hpp"

#include <algorithm>
#include <malloc.h>
#include <set>

namespace patchcord::call {

std::vector<store::CallRecord> CallRegistry::State::expire(Data &all,
                                                           TimePoint now) {
  std::vector<store::CallRecord> gone;
  for (auto it = all.pending.begin(); it != all.pending.end();) {
    if (it->second.claimed || it->second.expires > now) {
      ++it;
      continue;
    }
    // Twilio tells of a stream that it could not open; else the caller was
    // gone before it had to.
    const std::string &error = it->second.stream_error;
    it->second.record.status = error.empty() ? "completed" : "failed";
    it->second.record.end_reason =
        error.empty() ? "caller_hung_up" : "stream_error";
    it->second.record.end_detail =
        "no media stream came" + (error.empty() ? "" : ": " + error);
    it->second.record.ended_ms = unix_ms();
    gone.push_back(it->second.record);
    it->second.events->close();
    all.by_call.erase(it->second.offer.call_sid);
    it = all.pending.erase(it);
  }
  std::erase_if(all.tickets,
                [now](const auto &used) { return used.second.expires <= now; });
  return gone;
}

std::vector<Parked> CallRegistry::State::take_forgotten(Data &all,
                                                        TimePoint now) {
  std::vector<Parked> forgotten;
  for (auto it = all.parked.begin(); it != all.parked.end();)
    if (it->second.expires <= now) {
      forgotten.push_back(std::move(it->second));
      it = all.parked.erase(it);
    } else {
      ++it;
    }
  return forgotten;
}

std::size_t CallRegistry::State::may_come_back(const Data &all, TimePoint now) {
  return static_cast<std::size_t>(std::count_if(
      all.parked.begin(), all.parked.end(),
      [now](const auto &entry) { return entry.second.may_come_back(now); }));
}

namespace {

const RealClock &real_clock() {
  static const RealClock clock;
  return clock;
}

} // namespace

CallRegistry::CallRegistry(const config::Config &config,
                           store::RecordStore &store,
                           recording::Writer *recordings, const Clock *clock)
    : config_(config), store_(store), recordings_(recordings),
      clock_(clock != nullptr ? *clock : real_clock()),
      state_(std::make_shared<State>()) {}

CallRegistry::~CallRegistry() { leave_transfers(); }

// Tells who waits for the end, if this is it.
void CallRegistry::settle() {
  const TimePoint now = clock_.now();
  const auto drained = state_->data.with([now](State::Data &all) {
    std::vector<std::function<void()>> waiting;
    const bool awaited = !all.stopping && State::may_come_back(all, now) > 0;
    if (all.draining && all.live.empty() && all.replaced.empty() &&
        all.pending.empty() && !awaited)
      waiting.swap(all.drained);
    return waiting;
  });
  for (const auto &done : drained)
    done();
}

namespace {

// A file with mistakes fails the call, which can say so.
Result<KnownAgent> find_agent(const std::string &name) {
  auto found = config::find_agent(name);
  if (!found)
    return make_error("bad_agent", found.error().message);
  const auto definition = agent::load_definition(*found);
  return KnownAgent{*std::move(found),
                    definition && !(*definition)->transfer.empty()};
}

Result<std::string> find_graph(const std::string &name) {
  const auto file = config::find_pipeline(name);
  if (!file)
    return make_error("bad_pipeline", file.error().message);
  return read_pipeline(*file);
}

} // namespace

void CallRegistry::load() {
  std::set<std::string> names{config_.call.agent};
  bool has_graph = false;
  state_->data.with([&](State::Data &all) {
    for (const auto &[name, agent] : all.agents)
      names.insert(name);
    has_graph = all.graphs.contains(config_.call.pipeline);
  });
  for (std::string &name : config::agent_names())
    names.insert(std::move(name));
  std::map<std::string, KnownAgent> found;
  for (const std::string &name : names)
    if (auto agent = find_agent(name))
      found.emplace(name, *std::move(agent));
  const auto graph =
      has_graph ? make_error("known", "") : find_graph(config_.call.pipeline);
  state_->data.with([&](State::Data &all) {
    for (auto &[name, agent] : found)
      all.agents.insert_or_assign(name, std::move(agent));
    if (graph)
      all.graphs.emplace(config_.call.pipeline, *graph);
  });
}

Result<Unit> CallRegistry::State::Data::takes_calls(TimePoint now,
                                                    int most) const {
  if (draining)
    return make_error("draining", "the server is about to stop");
  const auto coming =
      std::count_if(pending.begin(), pending.end(), [now](const auto &offered) {
        return offered.second.claimed || offered.second.expires > now;
      });
  if (most > 0 && live.size() + static_cast<std::size_t>(coming) >=
                      static_cast<std::size_t>(most))
    return make_error("full", std::to_string(most) +
                                  (most == 1 ? " call is" : " calls are") +
                                  " all it takes");
  return ok();
}

Result<Admission> CallRegistry::offer(const Offer &offered) {
  Offer offer = offered;
  if (offer.agent.empty())
    offer.agent = config_.call.agent;
  if (offer.pipeline.empty())
    offer.pipeline = config_.call.pipeline;

  const auto known = state_->data.with([&](State::Data &all) {
    return std::pair(all.agents.contains(offer.agent),
                     all.graphs.contains(offer.pipeline));
  });
  KnownAgent agent;
  std::string graph;
  if (!known.first) {
    auto found = find_agent(offer.agent);
    if (!found)
      return found.error();
    agent = *std::move(found);
  }
  if (!known.second) {
    auto text = find_graph(offer.pipeline);
    if (!text)
      return text.error();
    graph = *std::move(text);
  }

  const TimePoint now = clock_.now();
  std::vector<store::CallRecord> gone;
  std::vector<Parked> forgotten;
  std::optional<store::CallRecord> fresh;
  auto result = state_->data.with([&](State::Data &all) -> Result<Admission> {
    if (!known.first)
      all.agents.emplace(offer.agent, agent);
    if (!known.second)
      all.graphs.emplace(offer.pipeline, graph);
    gone = State::expire(all, now);
    forgotten = State::take_forgotten(all, now);
    if (const auto token = all.by_call.find(offer.call_sid);
        token != all.by_call.end()) {
      Pending &pending = all.pending.at(token->second);
      pending.expires = now + kTokenLife;
      return Admission{token->second, pending.transfers};
    }
    if (auto room = all.takes_calls(now, config_.server.max_calls); !room)
      return room.error();
    Pending pending;
    pending.offer = offer;
    pending.events = std::make_shared<EventLog>();
    pending.expires = now + kTokenLife;
    pending.transfers = all.agents.at(offer.agent).transfers;
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
    Admission taken{random_hex(16), pending.transfers};
    all.by_call.emplace(offer.call_sid, taken.token);
    all.pending.emplace(taken.token, std::move(pending));
    return taken;
  });
  for (const auto &record : gone)
    store_.put_call(record);
  end_transfers(std::move(forgotten));
  if (fresh)
    store_.put_call(*fresh);
  return result;
}

std::optional<Offer> CallRegistry::claim(const std::string &token) {
  return state_->data.with([&](State::Data &all) -> std::optional<Offer> {
    const auto it = all.pending.find(token);
    if (it == all.pending.end() || it->second.claimed ||
        it->second.expires <= clock_.now())
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
  std::optional<Parked> forgotten;
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
    setup.agent_file = all.agents.at(offer.agent).file;
    setup.events = pending.events;
    setup.config = &config_;
    setup.store = &store_;
    setup.recordings = recordings_;
    setup.resume = pending.resume;
    setup.started = pending.started;
    // Who it was is known when he comes back.
    setup.screen = offer.screened && pending.resume.empty();
    setup.answered_by = pending.answered_by;
    const std::uint64_t serial = ++all.last_serial;
    if (pending.transfers)
      setup.hand_over = [this, offer, serial](Handover handover) {
        return park(offer, serial, std::move(handover));
      };
    setup.handed_over = [this, sid, serial](bool dialling) {
      handed_over(sid, serial, dialling);
    };
    setup.over = [this, sid, serial] { finished(sid, serial); };
    auto made = std::make_shared<Call>(std::move(setup));
    Live &live = all.live[sid];
    if (live.call) {
      replaced = live.call;
      all.replaced[live.serial] = std::move(live);
    }
    live = {serial, made, pending.events};
    // Of a stream before, which the webhook replaced.
    if (const auto left = all.parked.find(sid); left != all.parked.end()) {
      forgotten = std::move(left->second);
      all.parked.erase(left);
    }
    return made;
  });
  visit(std::move(replaced), [](Call &old) { old.supersede(); });
  if (forgotten) {
    forgotten->events->close();
    let_go(std::move(forgotten->call));
  }
  if (call)
    call->start(attach);
}

void CallRegistry::finished(const std::string &call_sid, std::uint64_t serial) {
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
  });
  // What the calls had goes back to the system while nobody can be disturbed by
  // that: their memory lies between what lives longer.
  if (call && empty)
    call->worker()->post([] { malloc_trim(0); });
  settle();
}

void CallRegistry::stream_status(const std::string &call_sid,
                                 const std::string &event,
                                 const std::string &error) {
  if (event != "stream-error")
    return;
  auto call = state_->data.with([&](State::Data &all) {
    for (auto &[token, pending] : all.pending)
      if (pending.offer.call_sid == call_sid)
        pending.stream_error = error.empty() ? "stream-error" : error;
    const auto it = all.live.find(call_sid);
    return it != all.live.end() ? it->second.call : nullptr;
  });
  // It can come half a minute before the socket notices.
  visit(std::move(call),
        [error](Call &alive) { alive.end("stream_error", error); });
}

std::size_t CallRegistry::active() const {
  return state_->data.with([](State::Data &all) { return all.live.size(); });
}

std::size_t CallRegistry::offered() const {
  return state_->data.with([](State::Data &all) { return all.pending.size(); });
}

std::size_t CallRegistry::awaited() const {
  const TimePoint now = clock_.now();
  return state_->data.with(
      [now](State::Data &all) { return State::may_come_back(all, now); });
}

Result<Unit> CallRegistry::takes_calls() const {
  return state_->data.with([&](const State::Data &all) {
    return all.takes_calls(clock_.now(), config_.server.max_calls);
  });
}

void CallRegistry::drain(std::function<void()> done) {
  const TimePoint now = clock_.now();
  std::vector<store::CallRecord> gone;
  state_->data.with([&](State::Data &all) {
    all.draining = true;
    all.drained.push_back(std::move(done));
    // Nobody waits for callers who have not connected, but for those who come
    // back: the others would be new.
    for (auto &[token, pending] : all.pending)
      if (pending.ticket.empty())
        pending.expires = now;
    gone = State::expire(all, now);
  });
  for (const auto &record : gone)
    store_.put_call(record);
  settle();
}

void CallRegistry::sweep() {
  const TimePoint now = clock_.now();
  std::vector<store::CallRecord> gone;
  std::vector<Parked> forgotten;
  state_->data.with([&](State::Data &all) {
    gone = State::expire(all, now);
    forgotten = State::take_forgotten(all, now);
  });
  for (const auto &record : gone)
    store_.put_call(record);
  end_transfers(std::move(forgotten));
  settle();
}

void CallRegistry::stop_all() {
  constexpr char kWhy[] = "the server was stopped";
  std::vector<std::shared_ptr<Call>> calls;
  std::vector<store::CallRecord> gone;
  state_->data.with([&](State::Data &all) {
    all.stopping = true;
    for (const auto &[sid, live] : all.live)
      calls.push_back(live.call);
    // Who comes back now finds nobody.
    for (auto &[token, pending] : all.pending) {
      pending.record.status = "failed";
      pending.record.end_reason = "server_stopped";
      pending.record.end_detail = kWhy;
      pending.record.ended_ms = unix_ms();
      gone.push_back(std::move(pending.record));
      pending.events->close();
    }
    all.pending.clear();
    all.by_call.clear();
  });
  for (const auto &record : gone)
    store_.put_call(record);
  for (auto &call : calls)
    visit(std::move(call),
          [kWhy](Call &alive) { alive.end("server_stopped", kWhy); });
  leave_transfers();
  settle();
}

std::vector<std::pair<std::string, std::string>>
CallRegistry::pushes_on(const Worker &worker) {
  std::vector<std::shared_ptr<Call>> calls;
  state_->data.with([&](State::Data &all) {
    const auto add = [&](const auto &lives) {
      for (const auto &[key, live] : lives)
        if (live.call->worker().get() == &worker)
          calls.push_back(live.call);
    };
    add(all.live);
    add(all.replaced);
  });
  std::vector<std::pair<std::string, std::string>> found;
  for (auto &call : calls) {
    if (auto elements = call->elements_in_push(); !elements.empty())
      found.emplace_back(call->call_sid(), std::move(elements));
    let_go(std::move(call));
  }
  return found;
}

std::optional<std::function<void()>>
CallRegistry::subscribe(const std::string &call_sid, EventHandler event) {
  const auto events = state_->data.with([&](State::Data &all) {
    if (const auto it = all.live.find(call_sid); it != all.live.end())
      return it->second.events;
    if (const auto it = all.by_call.find(call_sid); it != all.by_call.end())
      return all.pending.at(it->second).events;
    if (const auto it = all.parked.find(call_sid); it != all.parked.end())
      return it->second.events;
    return std::shared_ptr<EventLog>();
  });
  if (!events)
    return std::nullopt;
  return events->follow(std::move(event));
}

} // namespace patchcord::call
