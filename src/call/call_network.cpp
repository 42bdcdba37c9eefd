// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/text.hpp"
#include "call/call.hpp"
#include "call/event_json.hpp"
#include "call/rest.hpp"

// What a call has Twilio do with it, and what Twilio tells about it.
namespace patchcord::call {

twilio::RestAccount Call::rest_account() const {
  const auto &twilio = setup_.config->twilio;
  // While tokens rotate, the first is the one in force.
  return {twilio.api_url,
          twilio.account_sid.empty() ? recorder_.record().account_sid
                                     : twilio.account_sid,
          split(twilio.auth_token, ',').front()};
}

// Twilio then ends the stream by `stop`. Closing the WebSocket is the way out
// when the request fails: what stands behind <Connect> hangs up, or dials, as
// well.
void Call::ask_by_rest(const twilio::RestRequest &asked,
                       const std::string &what) {
  rest_ = setup_.worker->service<net::HttpClient>().fetch(
      http_request(asked, kHangUpTimeout / 2),
      [this, what](const Result<net::HttpResponse> &response) {
        std::string problem = response ? "" : response.error().message;
        if (response) {
          const auto answer =
              twilio::classify_answer(response->status, response->body);
          if (answer.outcome == twilio::RestOutcome::kDone) {
            // With an error code the call was over already: nobody dials.
            if (handed_over_ && setup_.handed_over)
              setup_.handed_over(answer.code == 0);
            return;
          }
          problem = answer.message;
        }
        log::warning(what + " by REST failed (" + problem +
                         "); closing the media stream instead",
                     log_context());
        if (stream_)
          stream_->close(1000, "the call is over");
      });
}

// --- transfer ----------------------------------------------------------------

void Call::hand_over() {
  log::info("putting the caller through to " + transfer_->target + ", " +
                log::mask_number(transfer_->number),
            log_context());
  std::string twiml;
  if (!setup_.hand_over) {
    recorder_.transfer_ended("failed");
    recorder_.end("error", "nobody can put callers through here");
  } else if (!superseded_) {
    twiml = setup_.hand_over({*transfer_, recorder_.record(), started_});
    handed_over_ = !twiml.empty();
    superseded_ = twiml.empty(); // it will be told so
  }
  hanging_up_ =
      setup_.worker->after(kHangUpTimeout, [this] { tear_down_soon(); });
  if (handed_over_ && setup_.config->twilio.hangup == "rest" &&
      twiml.size() <= twilio::kMostInlineTwiml)
    ask_by_rest(twilio::update_request(rest_account(),
                                       recorder_.record().call_sid, twiml),
                "putting through");
  else
    stream_->close(1000, "the caller is put through");
}

void Call::transfer_ended(const std::string &outcome, bool over) {
  if (!handed_over_ || superseded_)
    return;
  log::info("transfer to " + transfer_->target + ": " + outcome, log_context());
  if (tap_)
    tap_->transfer_ended(outcome, over);
  recorder_.transfer_ended(outcome);
  tell(transfer_ended_json(since_start_ms(), transfer_->target, outcome));
  if (over) {
    handed_over_ = false; // the record is ours once more
    const bool reached = outcome == "answered" || outcome == "unknown";
    recorder_.end(reached ? "transferred" : "caller_hung_up", "");
    finish();
    handed_over_ = true;
  }
  if (tap_)
    tap_->close();
}

// --- who answered ------------------------------------------------------------

void Call::answered_by(const std::string &who) {
  if (!agent_ || torn_down_)
    return;
  if (tap_)
    tap_->answered_by(who);
  g_signal_emit_by_name(agent_.get(), "answered-by", who.c_str());
}

} // namespace patchcord::call
