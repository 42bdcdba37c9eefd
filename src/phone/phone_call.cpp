// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/phone_call.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "twilio/signature.hpp"

#include <glib.h>

#include <algorithm>

namespace patchcord::phone {
namespace {

// Twilio gives up on a webhook after 15 s.
constexpr Duration kWebhookTimeout = 15s;
// Twilio follows more <Redirect>s; ten of them are a loop.
constexpr int kMaxRequests = 10;
// For status callbacks that are under way when the call ends.
constexpr Duration kCallbackPatience = 3s;
// The record is written while the call is being torn down.
constexpr Duration kRecordPatience = 5s, kRecordPoll = 100ms;

constexpr char kByRest[] = "completed_by_rest";

std::uint32_t seed_of(const std::string &sid) {
  return static_cast<std::uint32_t>(std::hash<std::string>{}(sid));
}

std::string timestamp_now() {
  GDateTime *now = g_date_time_new_now_utc();
  const GCharPtr text(g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ"));
  g_date_time_unref(now);
  return text.get();
}

} // namespace

net::HttpRequest CallSetup::api_request(const std::string &path) const {
  net::HttpRequest request;
  request.url = api + path;
  if (!api_token.empty())
    request.headers = {{"Authorization", "Bearer " + api_token}};
  return request;
}

PhoneCall::PhoneCall(Passkey, std::shared_ptr<Worker> worker,
                     std::shared_ptr<const CallSetup> setup, EventSink event,
                     std::function<void(CallReport)> done)
    : worker_(std::move(worker)), setup_(std::move(setup)),
      event_(std::move(event)), done_(std::move(done)) {}

std::shared_ptr<PhoneCall>
PhoneCall::start(std::shared_ptr<Worker> worker,
                 std::shared_ptr<const CallSetup> setup, EventSink event,
                 std::function<void(CallReport)> done) {
  auto call = std::make_shared<PhoneCall>(Passkey{}, std::move(worker),
                                          std::move(setup), std::move(event),
                                          std::move(done));
  call->report_.call_sid = call->setup_->call_sid.empty()
                               ? "CA" + random_hex(16)
                               : call->setup_->call_sid;
  call->report_.lines = call->setup_->plan->size();
  call->account_sid_ = call->setup_->account_sid.empty()
                           ? "AC" + random_hex(16)
                           : call->setup_->account_sid;
  call->report_.started = call->worker_->now();
  call->max_duration_ =
      call->worker_->after(call->setup_->max_duration, [raw = call.get()] {
        raw->hang_up("max_duration");
      });
  call->later(&PhoneCall::place);
  return call;
}

void PhoneCall::place() {
  call_status("initiated");
  call_status("ringing");
  if (setup_->unanswered.empty())
    return request(setup_->url, "POST");
  status_ = setup_->unanswered;
  finish(setup_->unanswered, "");
}

// Everything a fresh call carries, empty values too: they count in the
// signature.
twilio::Form PhoneCall::call_fields() const {
  twilio::Form form = {
      {"AccountSid", account_sid_},
      {"ApiVersion", "2010-04-01"},
      {"CallSid", report_.call_sid},
      {"CallStatus", status_},
      {"CallToken", R"({"parentCallInfoToken":")" + report_.call_sid + "\"}"},
      {"Direction", setup_->placed ? "outbound-api" : "inbound"},
      {"From", setup_->from},
      {"StirVerstat", "TN-Validation-Passed-A"},
      {"To", setup_->to}};
  for (const char *name : {"Called", "To"}) {
    form.emplace_back(std::string(name) + "City", "SAN FRANCISCO");
    form.emplace_back(std::string(name) + "Country", "US");
    form.emplace_back(std::string(name) + "State", "CA");
    form.emplace_back(std::string(name) + "Zip", "94105");
  }
  for (const char *name : {"Caller", "From"}) {
    form.emplace_back(std::string(name) + "City", "");
    form.emplace_back(std::string(name) + "Country", "US");
    form.emplace_back(std::string(name) + "State", "CA");
    form.emplace_back(std::string(name) + "Zip", "");
  }
  form.emplace_back("Called", setup_->to);
  form.emplace_back("Caller", setup_->from);
  return form;
}

net::HttpRequest PhoneCall::signed_request(const std::string &url,
                                           const std::string &method,
                                           const twilio::Form &form,
                                           bool bad_signature) const {
  net::HttpRequest request;
  request.method = method;
  // What stands behind # is an instruction to Twilio and is not sent.
  request.url = url.substr(0, url.find('#'));
  request.timeout = kWebhookTimeout;
  request.connect_timeout = 5s;
  request.headers = {{"User-Agent", "TwilioProxy/1.1"}};
  if (method == "GET") {
    request.url += request.url.find('?') == std::string::npos ? '?' : '&';
    request.url += twilio::encode_form(form);
  } else {
    request.headers.emplace_back(
        "Content-Type", "application/x-www-form-urlencoded; charset=UTF-8");
    request.body = twilio::encode_form(form);
  }
  if (!setup_->auth_token.empty() || bad_signature)
    request.headers.emplace_back(
        "X-Twilio-Signature",
        twilio::sign(setup_->auth_token + (bad_signature ? "?" : ""),
                     request.url, method == "GET" ? twilio::Form{} : form));
  return request;
}

void PhoneCall::request(const std::string &url, const std::string &method,
                        const twilio::Form &more) {
  if (++requests_ > kMaxRequests) {
    finish("webhook_failed", "more than ten redirects");
    return;
  }
  document_url_ = url;
  requested_ = worker_->now();
  emit({requested_, "webhook", {{"url", url}}});
  twilio::Form form = call_fields();
  form.insert(form.end(), more.begin(), more.end());
  webhook_ = worker_->service<net::HttpClient>().fetch(
      signed_request(url, method, form, setup_->faults.bad_signature),
      [this](const Result<net::HttpResponse> &response) { reply(response); });
}

void PhoneCall::reply(const Result<net::HttpResponse> &response) {
  const Duration latency = worker_->now() - requested_;
  if (!answered_)
    report_.webhook_latency = latency;
  if (!response) {
    finish("webhook_failed",
           "no answer from " + document_url_ + ": " + response.error().message);
    return;
  }
  emit({worker_->now(),
        "webhook-reply",
        {{"status", std::int64_t{response->status}},
         {"latency_ms", to_ms(latency)}}});
  if (response->status < 200 || response->status > 299) {
    finish("webhook_failed",
           "the webhook answered with HTTP status " +
               std::to_string(response->status) +
               (response->status == 403 && setup_->auth_token.empty()
                    ? "; set TWILIO_AUTH_TOKEN, so that the phone can sign"
                    : ""));
    return;
  }
  if (!response->header("content-type")) {
    finish("webhook_failed", "12300: the webhook's answer has no Content-Type");
    return;
  }
  auto document = parse_twiml(response->body);
  if (!document) {
    finish("webhook_failed",
           document.error().code + ": " + document.error().message);
    return;
  }
  answered();
  go_on_with(std::move(*document));
}

void PhoneCall::go_on_with(TwimlDocument document) {
  for (const std::string &warning : document.warnings)
    warn("12200", warning);
  document_ = std::move(document);
  verb_ = 0;
  later(&PhoneCall::run_verbs);
}

// A step of the call's course, out of the stack of whatever ended.
void PhoneCall::later(void (PhoneCall::*step)()) {
  worker_->post([weak = weak_from_this(), step] {
    if (const auto call = weak.lock())
      (call.get()->*step)();
  });
}

void PhoneCall::run_verbs() {
  using Kind = TwimlVerb::Kind;
  while (!finishing_) {
    if (verb_ == document_.verbs.size()) {
      finish("hung_up", streamed_ ? "" : "the TwiML has no <Connect><Stream>");
      return;
    }
    const TwimlVerb &verb = document_.verbs[verb_++];
    status_ = "in-progress";
    switch (verb.kind) {
    case Kind::kSay:
      report_.said.push_back(verb.text);
      emit({worker_->now(), "say", {{"text", verb.text}}});
      break;
    case Kind::kPlay:
      emit({worker_->now(), "play", {{"url", verb.text}}});
      break;
    case Kind::kPause:
      emit({worker_->now(), "pause", {{"ms", to_ms(verb.length)}}});
      pause_ = worker_->after(verb.length, [this] { run_verbs(); });
      return;
    case Kind::kConnect:
      if (verb.stream.url.empty())
        break;
      connect(verb);
      return;
    case Kind::kDial:
      dial(verb);
      return;
    case Kind::kHangup:
      finish("hung_up",
             streamed_ ? "" : "the TwiML hung up before any media stream");
      return;
    case Kind::kReject:
      finish("rejected", "the call was rejected: " + verb.text);
      return;
    case Kind::kRedirect:
      request(resolve_url(document_url_, verb.text), verb.method);
      return;
    case Kind::kOther:
      break;
    }
  }
}

void PhoneCall::connect(const TwimlVerb &verb) {
  connect_ = verb;
  report_.end.clear(); // of a stream before this one
  connect_.stream.url =
      resolve_url(document_url_, verb.stream.url, /*web_socket=*/true);
  if (connect_.stream.url.find('?') != std::string::npos)
    warn("31920", "<Stream url> has a query string, which Twilio does not "
                  "support");
  MediaLeg::Setup leg;
  leg.url = connect_.stream.url;
  if (!setup_->auth_token.empty() || setup_->faults.bad_stream_signature)
    leg.signature = twilio::sign(
        setup_->auth_token + (setup_->faults.bad_stream_signature ? "?" : ""),
        leg.url);
  leg.start.stream_sid = "MZ" + random_hex(16);
  leg.start.account_sid = account_sid_;
  leg.start.call_sid = report_.call_sid;
  for (const auto &[name, value] : connect_.stream.parameters) {
    if (name.size() + value.size() >= 500)
      warn("31951", "<Parameter> \"" + name + "\" is 500 characters or more");
    leg.start.parameters[name] = value;
  }
  leg.plan = setup_->plan;
  leg.first_line = report_.lines_begun;
  leg.faults = setup_->faults;
  leg.record = setup_->record_audio;
  leg.seed = seed_of(report_.call_sid);
  MediaLeg::Handlers handlers;
  handlers.event = [this](PhoneEvent event) { emit(std::move(event)); };
  handlers.started = [this] {
    streamed_ = true;
    requests_ = 0;
    report_.stream_started = worker_->now() - report_.started;
    emit(
        {worker_->now(),
         "stream-started",
         {{"call_sid", report_.call_sid}, {"stream_sid", report_.stream_sid}}});
    stream_status("stream-started", "");
  };
  handlers.ended = [this](MediaLeg::End end, const std::string &detail) {
    stream_ended(end, detail);
  };
  if (!connect_.stream.track.empty() &&
      connect_.stream.track != "inbound_track") {
    warn("31941", "<Stream track=\"" + connect_.stream.track +
                      "\">: only inbound_track can be connected");
    later(&PhoneCall::run_verbs);
    return;
  }
  leg_ = std::make_unique<MediaLeg>(*worker_, std::move(leg), report_,
                                    std::move(handlers));
}

void PhoneCall::stream_ended(MediaLeg::End end, const std::string &detail) {
  using End = MediaLeg::End;
  emit({worker_->now(), "stream-ended", {{"detail", detail}}});
  stream_status(end == End::kRefused || end == End::kLost ? "stream-error"
                                                          : "stream-stopped",
                end == End::kRefused || end == End::kLost ? detail : "");
  switch (end) {
  case End::kRefused:
    report_.end = "stream_failed";
    report_.trouble = "the media stream was refused: " + detail;
    break;
  case End::kLost:
    report_.end = "stream_lost";
    report_.trouble = "the connection of the media stream broke";
    break;
  case End::kAgentClosed:
    report_.end = "agent_closed";
    if (report_.unheard > 0)
      report_.trouble = std::to_string(report_.unheard * 1000 / kRate) +
                        " ms of the agent's last words were never heard";
    else if (report_.warnings.contains("31921"))
      report_.trouble = report_.warnings["31921"].first;
    break;
  case End::kDropped:
    finish("dropped", "");
    return;
  case End::kHungUp:
    if (update_) {
      go_on_with(*std::exchange(update_, std::nullopt));
      return;
    }
    finish(hang_up_reason_.empty() ? "caller_hung_up" : hang_up_reason_,
           hang_up_reason_.empty() || hang_up_reason_ == kByRest
               ? ""
               : "hung up: " + hang_up_reason_);
    return;
  }
  // The call goes on behind <Connect>.
  if (!connect_.action.empty())
    worker_->post([weak = weak_from_this()] {
      if (const auto call = weak.lock(); call && !call->finishing_)
        call->request(resolve_url(call->document_url_, call->connect_.action),
                      call->connect_.method);
    });
  else
    later(&PhoneCall::run_verbs);
}

// Twilio docs, "TwiML Voice: Stream", status callbacks.
void PhoneCall::stream_status(const char *event, const std::string &error) {
  const TwimlStream &stream = connect_.stream;
  if (stream.status_callback.empty())
    return;
  twilio::Form form = {
      {"AccountSid", account_sid_},
      {"CallSid", report_.call_sid},
      {"StreamSid", report_.stream_sid},
      {"StreamName", stream.name.empty() ? report_.stream_sid : stream.name},
      {"StreamEvent", event},
      {"Timestamp", timestamp_now()}};
  if (!error.empty())
    form.emplace_back("StreamError", error);
  callback(stream.status_callback, stream.status_method, form, event);
}

void PhoneCall::callback(const std::string &url, const std::string &method,
                         const twilio::Form &form, const std::string &what) {
  ++callbacks_open_;
  callbacks_.push_back(worker_->service<net::HttpClient>().fetch(
      signed_request(url, method, form),
      [this, what](const Result<net::HttpResponse> &response) {
        --callbacks_open_;
        if (!response)
          warn("11200", "no answer to the status callback " + what + ": " +
                            response.error().message);
        else if (response->status < 200 || response->status > 299)
          warn("11200", "the status callback " + what +
                            " was answered with HTTP status " +
                            std::to_string(response->status));
        if (finishing_ && callbacks_open_ == 0)
          later(&PhoneCall::fetch_record);
      }));
}

void PhoneCall::hang_up(const std::string &why) {
  if (finishing_)
    return;
  hang_up_reason_ = why;
  emit({worker_->now(), "hang-up", {{"reason", why}}});
  if (leg_ && report_.end.empty())
    leg_->hang_up();
  else
    finish(why, why == kByRest ? "" : "hung up: " + why);
}

void PhoneCall::complete() { hang_up(kByRest); }

void PhoneCall::update(const std::string &twiml) {
  if (finishing_)
    return;
  auto document = parse_twiml(twiml);
  if (!document)
    return finish("webhook_failed",
                  document.error().code + ": " + document.error().message);
  emit({worker_->now(), "update", {{"twiml", twiml}}});
  if (leg_ && report_.end.empty()) {
    update_ = std::move(*document);
    leg_->hang_up();
  } else {
    webhook_.reset();
    pause_.cancel();
    go_on_with(std::move(*document));
  }
}

// `end` and `trouble` unless the stream's own end said so before.
void PhoneCall::finish(const std::string &end, const std::string &trouble) {
  if (finishing_)
    return;
  finishing_ = true;
  pause_.cancel();
  amd_.cancel();
  max_duration_.cancel();
  webhook_.reset();
  whisper_.reset();
  if (report_.end.empty())
    report_.end = end;
  if (report_.trouble.empty())
    report_.trouble = trouble;
  if (setup_->faults.reuse_token && report_.warnings.contains("reuse-token"))
    report_.trouble = report_.warnings["reuse-token"].first;
  report_.in_order =
      report_.trouble.empty() && (streamed_ || !setup_->unanswered.empty());
  report_.duration = worker_->now() - report_.started;
  if (const auto missed = missed_faults(setup_->faults, faults_);
      !missed.empty())
    warn("fault-missed", "the call was over before: " + missed);
  emit({worker_->now(),
        "call-ended",
        {{"end", report_.end}, {"trouble", report_.trouble}}});
  if (status_ == "ringing" || status_ == "in-progress")
    status_ = "completed";
  call_status(status_);
  record_deadline_ = worker_->now() + kRecordPatience;
  settle_timer_ = worker_->after(kCallbackPatience, [this] { fetch_record(); });
  if (callbacks_open_ == 0)
    later(&PhoneCall::fetch_record);
}

void PhoneCall::fetch_record() {
  settle_timer_.cancel();
  if (!setup_->fetch_record) {
    settle();
    return;
  }
  record_ = worker_->service<net::HttpClient>().fetch(
      setup_->api_request("/api/calls/" + report_.call_sid),
      [this](const Result<net::HttpResponse> &response) {
        bool ended = false;
        if (response && response->status == 200) {
          const auto document = JsonDocument::parse(response->body);
          if (document)
            report_.record = response->body;
          ended = document &&
                  document->root()["ended_ms"].integer().value_or(0) != 0;
        }
        if (ended || worker_->now() >= record_deadline_)
          later(&PhoneCall::settle);
        else
          settle_timer_ =
              worker_->after(kRecordPoll, [this] { fetch_record(); });
      });
}

void PhoneCall::settle() {
  if (std::exchange(settled_, true))
    return;
  const auto keep_alive = shared_from_this();
  done_(std::move(report_));
}

void PhoneCall::emit(PhoneEvent event) {
  if (event.kind == "fault")
    faults_.insert(event.text("what"));
  event.at -= report_.started;
  if (event_)
    event_(event);
  if (setup_->keep_events)
    report_.events.push_back(std::move(event));
}

void PhoneCall::warn(const std::string &code, const std::string &text) {
  Warning &warning = report_.warnings[code];
  if (warning.count++ == 0) {
    warning.first = text;
    emit({worker_->now(), "warning", {{"code", code}, {"text", text}}});
  }
}

} // namespace patchcord::phone
