// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/say_language.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "call/call_registry_state.hpp"

#include <algorithm>

// Callers who are put through, and calls that we place.
namespace patchcord::call {

// --- transfer ----------------------------------------------------------------

// From the call's worker, before Twilio can ask.
std::string CallRegistry::park(const Offer &offer, std::uint64_t serial,
                               Handover handover) {
  Parked parked;
  parked.offer = offer;
  parked.serial = serial;
  parked.ticket = random_hex(16);
  parked.expires = parked.back_until = clock_.now() + kUnasked;
  std::string twiml = dial_twiml(offer.origin, parked.ticket, handover);
  parked.handover = std::move(handover);
  const bool done = state_->data.with([&](State::Data &all) {
    const auto live = all.live.find(offer.call_sid);
    // Another stream of the caller's may have come, and does not know it yet.
    if (live == all.live.end() || live->second.serial != serial)
      return false;
    parked.call = live->second.call;
    parked.events = live->second.events;
    all.parked.insert_or_assign(offer.call_sid, std::move(parked));
    return true;
  });
  return done ? twiml : "";
}

void CallRegistry::handed_over(const std::string &call_sid,
                               std::uint64_t serial, bool dialling) {
  const TimePoint now = clock_.now();
  std::vector<Parked> forgotten;
  state_->data.with([&](State::Data &all) {
    const auto it = all.parked.find(call_sid);
    if (it == all.parked.end() || (serial != 0 && it->second.serial != serial))
      return;
    Parked &parked = it->second;
    parked.dialling = dialling;
    if (!dialling)
      parked.expires = now;
    else if (!parked.gone)
      parked.expires = now + kLongestTransfer;
    parked.back_until = now;
    if (dialling)
      parked.back_until +=
          std::chrono::seconds(parked.handover.transfer.timeout) +
          kDialOverhead;
    forgotten = State::take_forgotten(all, now);
  });
  end_transfers(std::move(forgotten));
}

// Nothing was told of them in time.
void CallRegistry::end_transfers(std::vector<Parked> forgotten) {
  for (Parked &parked : forgotten)
    visit(std::move(parked.call),
          [outcome = parked.dialling ? "unknown" : "canceled"](Call &call) {
            call.transfer_ended(outcome, true);
          });
}

// Of callers who are put through the end is not known, and will not be: the
// server stops.
void CallRegistry::leave_transfers() {
  auto parked = state_->data.with(
      [](State::Data &all) { return std::exchange(all.parked, {}); });
  for (auto &[sid, left] : parked) {
    store::CallRecord &record = left.handover.record;
    record.status = "completed";
    record.end_reason = "transferred";
    record.end_detail = "the server stopped before its end was told";
    record.transfer_outcome = "unknown";
    record.ended_ms = unix_ms();
    store_.put_call(record);
    log::info("stopping: what becomes of the transfer to " +
                  record.transfer_to + " will not be known",
              {sid, {}});
    left.events->close();
    let_go(std::move(left.call));
  }
}

std::optional<std::string>
CallRegistry::after_stream(const std::string &call_sid) {
  handed_over(call_sid, 0, true);
  return state_->data.with([&](State::Data &all) -> std::optional<std::string> {
    const auto it = all.parked.find(call_sid);
    if (it == all.parked.end())
      return std::nullopt;
    const Parked &parked = it->second;
    return dial_twiml(parked.offer.origin, parked.ticket, parked.handover);
  });
}

std::optional<std::pair<std::string, std::string>>
CallRegistry::whisper(const std::string &ticket,
                      const std::string &parent_sid) {
  using Words = std::optional<std::pair<std::string, std::string>>;
  return state_->data.with([&](State::Data &all) -> Words {
    for (const auto &[sid, parked] : all.parked)
      if (constant_time_equal(parked.ticket, ticket) &&
          (parent_sid.empty() || parent_sid == sid)) {
        const auto &transfer = parked.handover.transfer;
        return std::pair(whispered(transfer, parked.handover.record),
                         agent::say_language(transfer.language));
      }
    return std::nullopt;
  });
}

DialAnswer CallRegistry::dial_result(const DialResult &result) {
  const TimePoint now = clock_.now();
  const bool over = result.outcome == "answered" || result.caller_gone;
  DialAnswer answer;
  std::shared_ptr<Call> call;
  std::optional<store::CallRecord> changed;
  state_->data.with([&](State::Data &all) {
    // Asked twice: he is expected back already.
    if (const auto token = all.by_call.find(result.call_sid);
        token != all.by_call.end()) {
      Pending &pending = all.pending.at(token->second);
      if (!pending.ticket.empty() &&
          constant_time_equal(pending.ticket, result.ticket)) {
        pending.expires = now + kTokenLife;
        answer.known = true;
        answer.back.emplace(pending.offer,
                            Admission{token->second, pending.transfers});
      }
      return;
    }
    const auto it = all.parked.find(result.call_sid);
    if (it == all.parked.end() ||
        !constant_time_equal(it->second.ticket, result.ticket))
      return;
    answer.known = true;
    Parked parked = std::move(it->second);
    all.parked.erase(it);
    call = std::move(parked.call);
    if (over)
      return;
    Pending pending;
    pending.offer = parked.offer;
    pending.record = std::move(parked.handover.record);
    pending.record.transfer_outcome = result.outcome;
    pending.events = parked.events;
    pending.expires = now + kTokenLife;
    pending.transfers = true;
    pending.resume = parked.handover.transfer.state;
    pending.ticket = parked.ticket;
    pending.started = parked.handover.started;
    changed = pending.record;
    const std::string token = random_hex(16);
    answer.back.emplace(pending.offer, Admission{token, true});
    all.by_call.emplace(result.call_sid, token);
    all.pending.emplace(token, std::move(pending));
  });
  if (changed)
    store_.put_call(*changed);
  visit(std::move(call), [outcome = result.outcome, over](Call &put_through) {
    put_through.transfer_ended(outcome, over);
  });
  settle();
  return answer;
}

// --- calls that we place -----------------------------------------------------

void CallRegistry::answered_by(const std::string &call_sid,
                               const std::string &who) {
  std::shared_ptr<Call> call;
  state_->data.with([&](State::Data &all) {
    if (const auto it = all.live.find(call_sid); it != all.live.end()) {
      call = it->second.call;
    } else if (const auto token = all.by_call.find(call_sid);
               token != all.by_call.end()) {
      std::string &known = all.pending.at(token->second).answered_by;
      if (known.empty() || known == "machine_start")
        known = who;
    }
  });
  visit(std::move(call), [who](Call &alive) { alive.answered_by(who); });
}

void CallRegistry::call_status(const CallStatus &told) {
  const TimePoint now = clock_.now();
  const bool over = told.status == "completed" || told.status == "busy" ||
                    told.status == "no-answer" || told.status == "failed" ||
                    told.status == "canceled";
  const bool known = state_->data.with([&](State::Data &all) {
    const auto token = all.by_call.find(told.call_sid);
    const auto parked = all.parked.find(told.call_sid);
    // He does not come any more: sweep() ends it. Of a transfer the result may
    // be on its way yet.
    if (over && token != all.by_call.end())
      all.pending.at(token->second).expires = now;
    if (over && parked != all.parked.end()) {
      Parked &left = parked->second;
      left.gone = true;
      left.expires = std::min<TimePoint>(left.expires, now + kUnasked);
      left.back_until = std::min(left.back_until, left.expires);
    }
    return all.live.contains(told.call_sid) || token != all.by_call.end() ||
           parked != all.parked.end();
  });
  // Its own record says more.
  if (known)
    return;
  store::CallRecord record;
  record.call_sid = told.call_sid;
  record.account_sid = told.account_sid;
  record.from = told.from;
  record.to = told.to;
  record.direction = told.direction;
  record.agent = told.agent;
  record.pipeline = config_.call.pipeline;
  record.created_ms = unix_ms();
  const std::string &status = told.status;
  if (status == "queued" || status == "initiated" || status == "ringing") {
    record.status = "ringing";
  } else if (status == "busy" || status == "no-answer" || status == "failed" ||
             status == "canceled") {
    record.status = record.end_reason = status;
    record.ended_ms = unix_ms();
  } else if (status == "completed") {
    record.status = "failed";
    record.end_reason = "error";
    record.end_detail = "it was answered, and no media stream came";
    record.ended_ms = unix_ms();
  } else {
    return; // answered: its webhook is on its way
  }
  store_.put_unanswered(record);
}

bool CallRegistry::use_ticket(const std::string &nonce,
                              const std::string &call_sid) {
  const TimePoint now = clock_.now();
  return state_->data.with([&](State::Data &all) {
    const auto [it, fresh] =
        all.tickets.try_emplace(nonce, UsedTicket{call_sid, now + kNonceLife});
    return fresh || it->second.call_sid == call_sid;
  });
}

} // namespace patchcord::call
