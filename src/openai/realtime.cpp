// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/realtime.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace patchcord::openai {
namespace {

// A caller who is not heard shall be told so before he asks whether anybody is
// there: without a session for so long, it is given up.
constexpr Duration kMostUnheard = 5s;
constexpr Duration kConnectLimit = 3500ms; // upgrade, created, updated: each
constexpr int kMaxAttempts = 5;            // of sessions that do not last, too
constexpr Duration kFirstDelay = 500ms, kLongestDelay = 1500ms;
constexpr Duration kStable = 10s; // ready for so long: attempts start anew
constexpr Duration kFinishGrace = 2s, kFinishLimit = 30s;
constexpr Duration kLiveDeadline = 1s, kTurnDeadline = 3s;
constexpr int kPrefixPaddingMs = 300;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool is_empty_commit(const ErrorFields &error) {
  return error.code == "input_audio_buffer_commit_empty" ||
         (contains(error.message, "buffer") &&
          (contains(error.message, "too small") ||
           contains(error.message, "empty")));
}

} // namespace

RealtimeTranscription::RealtimeTranscription(Settings settings)
    : settings_(std::move(settings)), model_(realtime_model(settings_.model)),
      result_deadline_(settings_.result_deadline > 0s
                           ? settings_.result_deadline
                       : model_.live ? kLiveDeadline
                                     : kTurnDeadline),
      random_(settings_.seed) {}

void RealtimeTranscription::start(TimePoint now) {
  if (link_ == Link::kIdle)
    connect(now);
}

void RealtimeTranscription::connect(TimePoint now) {
  unheard(now);
  link_ = Link::kConnecting;
  link_deadline_ = now + kConnectLimit;
  outbox_.clear();
  items_.reset();
  act({Action::Kind::kConnect,
       realtime_url(settings_.base_url, settings_.realtime_url,
                    model_in_url_ ? settings_.model : "")});
}

void RealtimeTranscription::on_open(TimePoint now) {
  if (link_ != Link::kConnecting)
    return;
  link_ = Link::kOpen;
  link_deadline_ = now + kConnectLimit;
}

void RealtimeTranscription::unheard(TimePoint now) {
  if (!give_up_at_)
    give_up_at_ = now + kMostUnheard;
}

void RealtimeTranscription::configure(TimePoint now) {
  unheard(now);
  link_ = Link::kConfiguring;
  link_deadline_ = now + kConnectLimit;
  outbox_.push_back(beta_ ? beta_session_update() : session_update());
}

std::string RealtimeTranscription::session_update() {
  JsonWriter json;
  json.begin_object()
      .member("type", "session.update")
      .member("event_id", "cfg_" + std::to_string(++updates_made_));
  json.key("session").begin_object().member("type", "transcription");
  json.key("audio").begin_object().key("input").begin_object();
  json.key("format").begin_object();
  if (format_ == Format::kMulaw8k)
    json.member("type", "audio/pcmu");
  else
    json.member("type", "audio/pcm").member("rate", 24000);
  json.end_object().key("transcription").begin_object();
  json.member("model", settings_.model);
  const auto languages = split(settings_.language, ',');
  if (!settings_.language.empty() && !model_.takes_languages)
    json.member("language", trim(languages.front()));
  if (!settings_.language.empty() && model_.takes_languages) {
    json.key("languages").begin_array();
    for (const auto &language : languages)
      json.value(trim(language));
    json.end_array();
  }
  json.end_object().key("noise_reduction").null().key("turn_detection");
  if (model_.server_vad)
    json.begin_object()
        .member("type", "server_vad")
        .member("threshold", settings_.vad_threshold)
        .member("prefix_padding_ms", kPrefixPaddingMs)
        .member("silence_duration_ms", settings_.vad_silence_ms)
        .end_object();
  else
    json.null(); // an object would be refused, leaving it out means VAD
  return json.end_object().end_object().end_object().end_object().take();
}

std::string RealtimeTranscription::beta_session_update() const {
  JsonWriter json;
  json.begin_object().member("type", "transcription_session.update");
  json.key("session").begin_object();
  json.member("input_audio_format",
              format_ == Format::kMulaw8k ? "g711_ulaw" : "pcm16");
  json.key("input_audio_transcription").begin_object();
  json.member("model", settings_.model);
  if (!settings_.language.empty())
    json.member("language", trim(split(settings_.language, ',').front()));
  json.end_object().key("turn_detection");
  if (model_.server_vad)
    json.begin_object()
        .member("type", "server_vad")
        .member("threshold", settings_.vad_threshold)
        .member("prefix_padding_ms", kPrefixPaddingMs)
        .member("silence_duration_ms", settings_.vad_silence_ms)
        .end_object();
  else
    json.null();
  return json.end_object().end_object().take();
}

void RealtimeTranscription::become_ready(TimePoint now) {
  link_ = Link::kReady;
  give_up_at_.reset();
  ready_since_ = now;
  const double jitter = 0.9 + 0.1 * std::uniform_real_distribution<>()(random_);
  recycle_at_ = now + std::chrono::duration_cast<Duration>(
                          settings_.recycle_after * jitter);
  begin_session();
  extend_finish(now);
}

// The connection is gone or of no use: another one, after a while.
void RealtimeTranscription::lose(std::string why, bool at_once, TimePoint now) {
  act({Action::Kind::kNotice, "connection lost: " + why});
  act({Action::Kind::kDisconnect});
  if (link_ == Link::kReady && now - ready_since_ >= kStable)
    attempts_ = 0;
  requeue_turns();
  items_.reset();
  outbox_.clear();
  unheard(now);
  if (++attempts_ > kMaxAttempts || now >= *give_up_at_) {
    fail("connection_lost", std::move(why), true);
    return;
  }
  lost_by_ = std::move(why);
  Duration delay{};
  if (!at_once || attempts_ > 1) {
    delay = std::min(kFirstDelay * (1 << (attempts_ - 1)), kLongestDelay);
    const double jitter =
        0.75 + 0.25 * std::uniform_real_distribution<>()(random_);
    delay = std::chrono::duration_cast<Duration>(delay * jitter);
  }
  link_ = Link::kWaiting;
  link_deadline_ = now + delay;
}

void RealtimeTranscription::fail(std::string code, std::string message,
                                 bool retryable) {
  stop_speaking(audio_.end());
  items_.expire_all(); // what was heard of them so far
  deliver();
  commits_.clear();
  turn_.reset();
  outbox_.clear();
  give_up_at_.reset();
  link_ = Link::kDead;
  act({Action::Kind::kDisconnect});
  act({Action::Kind::kFailed,
       std::move(message),
       {},
       {},
       std::move(code),
       retryable});
  check_finished();
}

bool RealtimeTranscription::try_with_model_in_url(TimePoint now) {
  if (model_in_url_ || was_created_ || !settings_.realtime_url.empty() ||
      is_openai_url(settings_.base_url))
    return false;
  model_in_url_ = true;
  act({Action::Kind::kNotice, "the server wants the model in the URL"});
  act({Action::Kind::kDisconnect});
  connect(now);
  return true;
}

void RealtimeTranscription::on_message(std::string_view json, TimePoint now) {
  if (link_ == Link::kIdle || link_ == Link::kWaiting || link_ == Link::kDead)
    return;
  const auto parsed = parse_realtime_event(json);
  if (!parsed.ok()) {
    act({Action::Kind::kNotice, "bad event: " + parsed.error().message});
    return;
  }
  switch (parsed->type) {
  case RealtimeEvent::Type::kOther:
    return;
  case RealtimeEvent::Type::kCreated:
    if (link_ != Link::kOpen && link_ != Link::kConnecting)
      return;
    was_created_ = true;
    beta_ = parsed->beta;
    link_ = Link::kCreated;
    if (format_)
      configure(now);
    else // Nobody speaks yet.
      give_up_at_.reset();
    return;
  case RealtimeEvent::Type::kUpdated:
    if (link_ == Link::kConfiguring)
      become_ready(now);
    return;
  case RealtimeEvent::Type::kError:
    on_error(parsed->error, now);
    return;
  default:
    if (link_ == Link::kReady)
      take_item_event(*parsed, now);
  }
}

// API reference "error"; help page "API error codes". The codes of wrong
// configurations are not all documented: any error that answers our update, or
// comes before the session is ready, is taken for one.
void RealtimeTranscription::on_error(const ErrorFields &error, TimePoint now) {
  const std::string code = error.name("realtime_error");
  const bool of_update =
      !error.event_id.empty() &&
      error.event_id == "cfg_" + std::to_string(updates_made_);
  if (error.code == "invalid_api_key") {
    fail(code, error.message, false);
  } else if (is_quota_code(error.code) || is_quota_code(error.type)) {
    fail("insufficient_quota", error.message, false);
  } else if (error.code == "session_expired" ||
             contains(error.message, "maximum duration")) {
    lose(error.message, true, now);
  } else if (error.code == "rate_limit_exceeded" ||
             error.code == "server_is_overloaded") {
    lose(error.message, false, now);
  } else if (error.code == "missing_model") {
    if (!try_with_model_in_url(now))
      fail(code, error.message, false);
  } else if (is_empty_commit(error)) {
    // The server's own detector was first; nothing is lost.
    act({Action::Kind::kNotice, "nothing to commit: " + error.message});
    drop_commit(error.event_id);
  } else if (of_update || link_ != Link::kReady ||
             error.code == "invalid_model") {
    const std::string param =
        error.param.empty() ? "" : " (" + error.param + ")";
    fail(code, error.message + param, false);
  } else {
    act({Action::Kind::kNotice,
         "error ignored: " + code + ": " + error.message});
    if (!error.event_id.empty())
      drop_commit(error.event_id);
  }
}

void RealtimeTranscription::on_closed(std::uint16_t code,
                                      std::string_view reason, int http_status,
                                      TimePoint now) {
  if (link_ == Link::kIdle || link_ == Link::kWaiting || link_ == Link::kDead)
    return;
  std::string why = "close " + std::to_string(code);
  if (http_status != 0)
    why = "HTTP status " + std::to_string(http_status);
  if (!reason.empty())
    why += ": " + std::string(reason);
  // A wrong key is told by OpenAI after the upgrade, by others instead of it.
  if (code == 3000 || http_status == 401 ||
      contains(reason, "invalid_api_key")) {
    fail("invalid_api_key", why, false);
  } else if (http_status == 402 || contains(reason, "insufficient_quota")) {
    fail("insufficient_quota", why, false);
  } else if (contains(reason, "missing_model") ||
             (http_status >= 400 && http_status < 500 && http_status != 408 &&
              http_status != 429)) {
    if (!try_with_model_in_url(now))
      fail(http_status != 0 ? "http_" + std::to_string(http_status)
                            : std::string("missing_model"),
           why, false);
  } else if (code == 1008) { // policy: speaches' way to refuse a key
    fail("refused", why, false);
  } else {
    lose(std::move(why), code == 1001, now);
  }
}

void RealtimeTranscription::extend_finish(TimePoint now) {
  if (finishing_)
    finish_deadline_ = std::min(
        std::max(finish_deadline_, now + result_deadline_ + kFinishGrace),
        finish_limit_);
}

void RealtimeTranscription::finish(bool speech_left, TimePoint now) {
  if (finishing_)
    return;
  finishing_ = true;
  finish_limit_ = now + kFinishLimit;
  finish_deadline_ = now + kMostUnheard;
  if (link_ == Link::kReady)
    finish_deadline_ = now;
  extend_finish(now);
  if (model_.server_vad && (speech_left || speaking_) && link_ != Link::kDead) {
    // The position where the speech began is told by the item, if at all.
    turn_ = OpenTurn{sent_, commit_from_};
    commit_turn(audio_.end(), false);
  }
  check_finished();
}

void RealtimeTranscription::check_finished() {
  if (!finishing_ || finished_)
    return;
  const bool all_sent = !model_.server_vad || sent_ == audio_.end();
  const bool nothing_left =
      link_ == Link::kReady && outbox_.empty() && all_sent && between_turns();
  if (!nothing_left && link_ != Link::kDead && link_ != Link::kIdle)
    return;
  finished_ = true;
  give_up_at_.reset();
  if (link_ == Link::kReady)
    act({Action::Kind::kDisconnect});
  if (link_ != Link::kDead)
    link_ = Link::kIdle;
  act({Action::Kind::kFinished});
}

std::optional<TimePoint> RealtimeTranscription::deadline() const {
  std::optional<TimePoint> first = items_.deadline();
  const auto earliest = [&](TimePoint time) {
    if (!first || time < *first)
      first = time;
  };
  for (const Commit &commit : commits_)
    if (commit.sent)
      earliest(commit.deadline);
  if (link_ == Link::kConnecting || link_ == Link::kOpen ||
      link_ == Link::kConfiguring || link_ == Link::kWaiting)
    earliest(link_deadline_);
  if (give_up_at_)
    earliest(*give_up_at_);
  if (link_ == Link::kReady && between_turns() && !finishing_)
    earliest(recycle_at_);
  if (finishing_ && !finished_)
    earliest(finish_deadline_);
  return first;
}

void RealtimeTranscription::on_time(TimePoint now) {
  expire(now);
  if (finishing_ && !finished_ && now >= finish_deadline_) {
    items_.expire_all();
    deliver();
    commits_.clear();
    turn_.reset();
    act({Action::Kind::kNotice, "the last result did not come in time"});
    act({Action::Kind::kDisconnect});
    link_ = link_ == Link::kDead ? Link::kDead : Link::kIdle;
    give_up_at_.reset();
  }
  if (give_up_at_ && now >= *give_up_at_) {
    fail("connection_lost",
         lost_by_.empty() ? "no answer from the server" : lost_by_, true);
  } else if (link_ == Link::kReady) {
    if (now >= recycle_at_ && between_turns() && !finishing_) {
      act({Action::Kind::kNotice, "a new session before this one expires"});
      act({Action::Kind::kDisconnect});
      connect(now);
    }
  } else if (now >= link_deadline_) {
    if (link_ == Link::kWaiting)
      connect(now);
    else if (link_ == Link::kConnecting || link_ == Link::kOpen ||
             link_ == Link::kConfiguring)
      lose("no answer from the server", false, now);
  }
  check_finished();
}

bool RealtimeTranscription::next_action(Action &action) {
  check_finished();
  if (actions_.empty())
    return false;
  action = std::move(actions_.front());
  actions_.pop_front();
  return true;
}

} // namespace patchcord::openai
