// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.hpp"
#include "base/text.hpp"
#include "call/call_registry_state.hpp"

#include <algorithm>

// Callers who are put through, and calls that we place.
namespace patchcord::call {

// --- transfer ----------------------------------------------------------------

// From the call's worker, before Twilio can ask.
std::string CallRegistry::park(const Offer &offer, Handover handover) {
  const auto now = std::chrono::steady_clock::now();
  Parked parked;
  parked.offer = offer;
  parked.ticket = random_hex(16);
  parked.expires = now + kUnasked;
  const std::string twiml =
      dial_twiml(offer.origin, parked.ticket, handover.transfer);
  parked.handover = std::move(handover);
  state_->data.with([&](State::Data &all) {
    const auto live = all.live.find(offer.call_sid);
    if (live == all.live.end())
      return;
    parked.call = live->second.call;
    parked.events = live->second.events;
    all.parked.insert_or_assign(offer.call_sid, std::move(parked));
  });
  return twiml;
}

void CallRegistry::handed_over(const std::string &call_sid, bool dialling) {
  const auto now = std::chrono::steady_clock::now();
  state_->data.with([&](State::Data &all) {
    const auto it = all.parked.find(call_sid);
    if (it == all.parked.end())
      return;
    it->second.dialling = dialling;
    it->second.expires = dialling ? now + kLongestTransfer : now;
    State::forget_transfers(all, now);
  });
}

std::optional<std::string>
CallRegistry::after_stream(const std::string &call_sid) {
  handed_over(call_sid, true);
  return state_->data.with([&](State::Data &all) -> std::optional<std::string> {
    const auto it = all.parked.find(call_sid);
    if (it == all.parked.end())
      return std::nullopt;
    const Parked &parked = it->second;
    return dial_twiml(parked.offer.origin, parked.ticket,
                      parked.handover.transfer);
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
                         say_language(transfer.language));
      }
    return std::nullopt;
  });
}

DialAnswer CallRegistry::dial_result(const DialResult &result) {
  const auto now = std::chrono::steady_clock::now();
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
    call = parked.call;
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
  if (call)
    call->worker()->post([call, outcome = result.outcome, over] {
      call->transfer_ended(outcome, over);
    });
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
  if (call)
    call->worker()->post([call, who] { call->answered_by(who); });
}

void CallRegistry::call_status(const CallStatus &told) {
  const auto now = std::chrono::steady_clock::now();
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
    if (over && parked != all.parked.end())
      parked->second.expires = std::min(parked->second.expires, now + kUnasked);
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
    record.status = status == "failed" ? "failed" : "completed";
    record.end_reason = status;
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
  const auto now = std::chrono::steady_clock::now();
  return state_->data.with([&](State::Data &all) {
    const auto [it, fresh] =
        all.tickets.try_emplace(nonce, UsedTicket{call_sid, now + kNonceLife});
    return fresh || it->second.call_sid == call_sid;
  });
}

} // namespace patchcord::call
