// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/phone_call.hpp"

#include "base/text.hpp"

#include <glib.h>

#include <algorithm>

// What a call that was placed by REST tells, and what <Dial> does.
namespace patchcord::phone {
namespace {

// Until the other phone is picked up, or not.
constexpr Duration kRinging = 300ms;

} // namespace

// --- placed by REST ----------------------------------------------------------

// Twilio docs, "Call resource", status callbacks: what they carry.
void PhoneCall::call_status(const std::string &status) {
  if (setup_->status_callback.empty())
    return;
  twilio::Form form = call_fields();
  std::erase_if(form, [](const auto &field) {
    return field.first == "CallStatus" || field.first == "CallToken";
  });
  form.emplace_back("CallStatus", status);
  form.emplace_back("CallbackSource", "call-progress-events");
  form.emplace_back("SequenceNumber", std::to_string(status_events_++));
  if (status != "initiated" && status != "ringing" && status != "in-progress")
    form.emplace_back("CallDuration",
                      std::to_string((worker_->now() - report_.started) / 1s));
  callback(setup_->status_callback, "POST", form, status);
}

void PhoneCall::answered() {
  if (std::exchange(answered_, true))
    return;
  status_ = "in-progress";
  call_status(status_);
  if (!setup_->answered_by.empty())
    amd_ = worker_->after(setup_->answered_by_after,
                          [this] { tell_who_answered(); });
}

void PhoneCall::tell_who_answered() {
  emit({worker_->now(), "answered-by", {{"verdict", setup_->answered_by}}});
  if (setup_->amd_callback.empty())
    return;
  const twilio::Form form = {{"AccountSid", account_sid_},
                             {"AnsweredBy", setup_->answered_by},
                             {"CallSid", report_.call_sid},
                             {"MachineDetectionDuration",
                              std::to_string(setup_->answered_by_after / 1ms)}};
  callback(setup_->amd_callback, "POST", form, "answered-by");
}

// --- <Dial> ------------------------------------------------------------------

void PhoneCall::dial(const TwimlVerb &verb) {
  const auto &outcomes = setup_->dial_outcomes;
  DialledCall dialled;
  dialled.number = verb.dial.number;
  dialled.caller_id =
      verb.dial.caller_id.empty() ? setup_->from : verb.dial.caller_id;
  dialled.outcome =
      outcomes.empty()
          ? "answered"
          : outcomes[std::min(report_.dialled.size(), outcomes.size() - 1)];
  emit({worker_->now(), "dial", {{"number", dialled.number}}});
  const bool picked_up = dialled.outcome == "answered";
  if (picked_up)
    dialled.outcome = "completed";
  report_.dialled.push_back(std::move(dialled));
  dialled_sid_ = "CA" + random_hex(16);
  pause_ = worker_->after(kRinging, [this, verb, picked_up] {
    if (!picked_up)
      dial_ended(verb, {});
    else if (!verb.dial.whisper.empty())
      whisper(verb);
    else
      pause_ = worker_->after(setup_->dial_talk, [this, verb] {
        dial_ended(verb, setup_->dial_talk);
      });
  });
}

// To who was called, before the two are joined: the other call asks for it.
void PhoneCall::whisper(const TwimlVerb &verb) {
  twilio::Form form = {{"AccountSid", account_sid_},
                       {"CallSid", dialled_sid_},
                       {"CallStatus", "in-progress"},
                       {"Direction", "outbound-dial"},
                       {"From", report_.dialled.back().caller_id},
                       {"ParentCallSid", report_.call_sid},
                       {"To", verb.dial.number}};
  whisper_ = worker_->service<net::HttpClient>().fetch(
      signed_request(resolve_url(document_url_, verb.dial.whisper),
                     verb.dial.whisper_method, form),
      [this, verb](const Result<net::HttpResponse> &response) {
        const auto document =
            response && response->status == 200
                ? parse_twiml(response->body)
                : make_error("11200", "no TwiML came for <Number url>");
        if (!document)
          warn(document.error().code, document.error().message);
        else
          for (const TwimlVerb &said : document->verbs)
            if (said.kind == TwimlVerb::Kind::kSay) {
              report_.dialled.back().whispered.push_back(said.text);
              emit({worker_->now(), "whisper", {{"text", said.text}}});
            } else if (said.kind == TwimlVerb::Kind::kDial) {
              warn("13201", "<Number url> may not <Dial>");
            }
        pause_ = worker_->after(setup_->dial_talk, [this, verb] {
          dial_ended(verb, setup_->dial_talk);
        });
      });
}

void PhoneCall::dial_ended(const TwimlVerb &verb, Duration talked) {
  const std::string &outcome = report_.dialled.back().outcome;
  emit({worker_->now(), "dial-ended", {{"outcome", outcome}}});
  if (verb.action.empty())
    return later(&PhoneCall::run_verbs);
  const bool joined = outcome == "completed";
  twilio::Form result = {{"DialCallStatus", outcome},
                         {"DialCallSid", dialled_sid_},
                         {"DialBridged", joined ? "true" : "false"}};
  if (joined)
    result.emplace_back("DialCallDuration", std::to_string(talked / 1s));
  request(resolve_url(document_url_, verb.action), verb.method, result);
}

} // namespace patchcord::phone
