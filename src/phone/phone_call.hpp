// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "net/http_client.hpp"
#include "phone/call_report.hpp"
#include "phone/media_leg.hpp"
#include "phone/twiml_parser.hpp"
#include "twilio/form.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace patchcord::phone {

// What all calls of a run share.
struct CallSetup {
  std::string url; // of the voice webhook
  std::string from = "+14155550100", to = "+14155550199";
  std::string account_sid; // empty: a random one
  std::string auth_token;  // empty: requests are not signed
  std::shared_ptr<const Plan> plan;
  Duration max_duration = 300s;
  Faults faults;
  bool record_audio = false, keep_events = false;
  // As placed by Twilio's REST API: the SID that it gave, and whom to tell.
  bool placed = false;
  std::string call_sid; // empty: a random one
  std::string status_callback, amd_callback;
  std::string unanswered;       // "busy", "no-answer" ...; empty: answered
  std::string answered_by;      // the verdict of machine detection
  Duration answered_by_after{}; // since the answer
  // What comes of each <Dial>, in turn; the last of all that follow. None:
  // "answered".
  std::vector<std::string> dial_outcomes;
  Duration dial_talk = 500ms; // of the two who were joined
  std::string api;            // origin of the agent's API (docs/api.md)
  std::string api_token;      // for its Authorization header; empty: none
  bool fetch_record = false;  // when the call is over

  net::HttpRequest api_request(const std::string &path) const;
};

// One simulated call as Twilio makes it: requests the voice URL, runs the TwiML
// that comes back, connects its media stream, tells status callbacks, and goes
// on with the TwiML behind the stream. On its worker.
class PhoneCall : public std::enable_shared_from_this<PhoneCall> {
  struct Passkey {
    explicit Passkey() = default;
  };

public:
  // `event` may be empty. `done` runs once, last, from the worker; the call may
  // be released in it.
  static std::shared_ptr<PhoneCall>
  start(std::shared_ptr<Worker> worker, std::shared_ptr<const CallSetup> setup,
        EventSink event, std::function<void(CallReport)> done);
  PhoneCall(Passkey, std::shared_ptr<Worker> worker,
            std::shared_ptr<const CallSetup> setup, EventSink event,
            std::function<void(CallReport)> done);
  PhoneCall(const PhoneCall &) = delete;
  PhoneCall &operator=(const PhoneCall &) = delete;

  // Ends it from outside; `why` becomes the report's `end`, and the call is not
  // in order.
  void hang_up(const std::string &why);
  // What Twilio's REST API does to a live call: it goes on with this document,
  // or is over.
  void update(const std::string &twiml);
  void complete();

private:
  void request(const std::string &url, const std::string &method,
               const twilio::Form &more = {});
  void reply(const Result<net::HttpResponse> &response);
  void run_verbs();
  void connect(const TwimlVerb &verb);
  void stream_ended(MediaLeg::End end, const std::string &detail);
  void stream_status(const char *event, const std::string &error);
  void place();
  void answered();
  void call_status(const std::string &status);
  void tell_who_answered();
  void callback(const std::string &url, const std::string &method,
                const twilio::Form &form, const std::string &what);
  void dial(const TwimlVerb &verb);
  void whisper(const TwimlVerb &verb);
  void dial_ended(const TwimlVerb &verb, Duration talked);
  void go_on_with(TwimlDocument document);
  void finish(const std::string &end, const std::string &trouble);
  void fetch_record();
  void settle();

  twilio::Form call_fields() const;
  net::HttpRequest signed_request(const std::string &url,
                                  const std::string &method,
                                  const twilio::Form &form,
                                  bool bad_signature = false) const;
  void later(void (PhoneCall::*step)());
  void emit(PhoneEvent event);
  void warn(const std::string &code, const std::string &text);

  const std::shared_ptr<Worker> worker_;
  const std::shared_ptr<const CallSetup> setup_;
  const EventSink event_;
  const std::function<void(CallReport)> done_;

  CallReport report_;
  std::string account_sid_, status_ = "ringing";
  std::string document_url_;
  TwimlDocument document_;
  std::size_t verb_ = 0; // the next one
  int requests_ = 0;
  TwimlVerb connect_; // of the leg
  std::unique_ptr<MediaLeg> leg_;
  bool streamed_ = false, finishing_ = false, settled_ = false;
  std::string hang_up_reason_;
  std::set<std::string> faults_;        // that came
  std::optional<TwimlDocument> update_; // by REST, once the stream has stopped
  bool answered_ = false;
  int status_events_ = 0;
  std::string dialled_sid_;

  std::unique_ptr<net::HttpClient::Transfer> webhook_, record_, whisper_;
  std::vector<std::unique_ptr<net::HttpClient::Transfer>> callbacks_;
  int callbacks_open_ = 0;
  TimePoint requested_{}, record_deadline_{};
  Timer pause_, max_duration_, settle_timer_, amd_;
};

} // namespace patchcord::phone
