// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/media_leg.hpp"

#include "audio/mulaw.hpp"
#include "base/handles.hpp"

#include <algorithm>
#include <utility>

namespace patchcord::phone {
namespace {

// Pauses of the agent's that are shorter belong to what it is saying.
constexpr Duration kAgentHangover = 300ms;

// The first timestamp of captured streams lies between 100 and 171 ms.
constexpr std::int64_t kFirstTimestampMs = 100, kFirstTimestampSpread = 71;

net::WebSocket::Limits limits() {
  net::WebSocket::Limits limits;
  // No largest message is published: a whole utterance in one is legal.
  limits.message_bytes = std::size_t{8} << 20;
  limits.ping_interval = 0s;
  return limits;
}

} // namespace

std::string missed_faults(const Faults &faults,
                          const std::set<std::string> &came) {
  std::string missed;
  const auto look = [&](const char *what, std::optional<Duration> at) {
    if (came.contains(what))
      return;
    missed += (missed.empty() ? "" : ", ") + std::string(what);
    if (at) {
      const GCharPtr time(g_strdup_printf(" at %g s", to_seconds(*at)));
      missed += time.get();
    }
  };
  if (faults.gap > Duration::zero())
    look("gap", faults.gap_at);
  if (faults.drop_at)
    look("drop-without-stop", faults.drop_at);
  if (faults.bad_json_at)
    look("bad-json", faults.bad_json_at);
  if (faults.no_stop)
    look("no-stop", std::nullopt);
  return missed;
}

MediaLeg::MediaLeg(Worker &worker, Setup setup, CallReport &report,
                   Handlers handlers)
    : worker_(worker), setup_(std::move(setup)), report_(report),
      handlers_(std::move(handlers)), parser_(setup_.start.stream_sid),
      detector_(kAgentHangover), caller_(setup_.plan, setup_.first_line),
      noise_(setup_.seed), random_(setup_.seed) {
  report_.stream_sid = setup_.start.stream_sid;
  connect();
}

void MediaLeg::connect() {
  net::WebSocket::ConnectOptions options;
  options.url = setup_.url;
  options.headers = {{"User-Agent", "Twilio.TmeWs/1.0"}};
  if (!setup_.signature.empty())
    options.headers.emplace_back("X-Twilio-Signature", setup_.signature);
  net::WebSocket::Handlers handlers;
  handlers.open = [this] { opened(); };
  handlers.text = [this](std::string_view text) { received(text); };
  handlers.binary = [this](ByteSpan) {
    warn(std::to_string(twilio::peer::kBinaryFrameWarning),
         "a binary frame: audio goes as base64 in text frames");
  };
  handlers.closed = [this](const net::WebSocket::Closed &how) { closed(how); };
  socket_ =
      net::WebSocket::connect(worker_, options, std::move(handlers), limits());
}

void MediaLeg::opened() {
  open_ = true;
  // A whole millisecond, as the worker's timers have it: then a tick that runs
  // on time counts as on time.
  start_ = std::chrono::ceil<std::chrono::milliseconds>(worker_.now());
  first_timestamp_ms_ =
      kFirstTimestampMs +
      static_cast<std::int64_t>(random_()) % kFirstTimestampSpread;
  message_.clear();
  twilio::peer::append_connected(message_);
  socket_->send_text(message_);
  message_.clear();
  twilio::peer::append_start(message_, setup_.start, ++sequence_);
  socket_->send_text(message_);
  timer_ = worker_.at(deadline(), [this] { tick(); });
  if (setup_.faults.reuse_token)
    try_token_again();
  if (setup_.faults.slow_reader)
    socket_->set_reading(false);
  handlers_.started();
}

void MediaLeg::try_token_again() {
  net::WebSocket::ConnectOptions options;
  options.url = setup_.url;
  if (!setup_.signature.empty())
    options.headers = {{"X-Twilio-Signature", setup_.signature}};
  net::WebSocket::Handlers handlers;
  handlers.open = [this] {
    warn("reuse-token", "the server took a second stream with the same token");
    second_socket_->close(1000, "");
  };
  handlers.closed = [this](const net::WebSocket::Closed &how) {
    if (how.http_status != 0)
      emit("token-refused", now(), {{"status", std::int64_t{how.http_status}}});
  };
  second_socket_ =
      net::WebSocket::connect(worker_, options, std::move(handlers), limits());
}

void MediaLeg::received(std::string_view text) {
  if (over_ || hanging_up_)
    return;
  play();
  auto message = parser_.parse(text);
  if (const auto *media = std::get_if<twilio::peer::Media>(&message)) {
    on_media(media->mulaw);
  } else if (auto *mark = std::get_if<twilio::peer::Mark>(&message)) {
    ++report_.marks;
    emit("mark", now(), {{"name", mark->name}});
    echoes_.clear();
    playout_.mark(std::move(mark->name), echoes_);
    echo(echoes_);
  } else if (std::holds_alternative<twilio::peer::Clear>(message)) {
    on_clear();
  } else if (const auto *refused =
                 std::get_if<twilio::peer::Refused>(&message)) {
    warn(std::to_string(refused->warning), refused->reason);
  }
}

void MediaLeg::on_media(ByteSpan mulaw) {
  const Samples at = now();
  ++report_.media_messages;
  report_.media_samples += static_cast<Samples>(mulaw.size());
  if (!report_.first_media)
    report_.first_media = at;
  if (playout_.queued() == 0)
    emit("agent-audio", at);
  meter_.media_arrived(at, audible(mulaw));
  if (!playout_.push(mulaw))
    warn(std::to_string(twilio::peer::kQueueFullWarning),
         "more than ten minutes of audio are queued");
}

void MediaLeg::on_clear() {
  ++report_.clears;
  const Samples at = now();
  echoes_.clear();
  const Samples dropped = playout_.clear(echoes_);
  emit("clear", at,
       {{"dropped_ms", to_ms(dropped)},
        {"marks", static_cast<std::int64_t>(echoes_.size())}});
  echo(echoes_);
  meter_.cleared(at, dropped);
  if (dropped == 0)
    return;
  speech_.clear();
  detector_.finish(speech_);
  for (const auto &event : speech_)
    agent_event(event, /*cut=*/true);
}

void MediaLeg::echo(const std::vector<PlayoutBuffer::Echo> &echoes) {
  for (const auto &echo : echoes) {
    emit(echo.cleared ? "mark-cleared" : "mark-played", echo.at,
         {{"name", echo.name}});
    if (setup_.faults.mute_marks)
      continue;
    message_.clear();
    twilio::peer::append_mark(message_, setup_.start.stream_sid, ++sequence_,
                              echo.name);
    socket_->send_text(message_);
  }
}

void MediaLeg::play() {
  heard_.clear();
  echoes_.clear();
  playout_.play_until(now(), heard_, echoes_);
  listen(heard_);
  echo(echoes_);
}

void MediaLeg::listen(ByteSpan heard) {
  if (setup_.record)
    report_.heard_audio.insert(report_.heard_audio.end(), heard.begin(),
                               heard.end());
  speech_.clear();
  detector_.push(heard, speech_);
  for (const auto &event : speech_)
    agent_event(event, /*cut=*/false);
}

void MediaLeg::agent_event(const SpeechDetector::Event &event, bool cut) {
  if (event.started) {
    agent_since_ = event.at;
    if (!report_.first_heard)
      report_.first_heard = event.at;
    caller_.agent_started(event.at);
    meter_.agent_started(event.at);
    std::vector<std::pair<std::string_view, Event::Value>> fields = {
        {"sample", event.at}};
    if (const auto waited = meter_.waited_for(event.at))
      fields.emplace_back("latency_ms", to_ms(*waited));
    emit("agent-speech-started", event.at, std::move(fields));
  } else {
    report_.agent_speech += event.at - agent_since_;
    caller_.agent_stopped(event.at, cut);
    meter_.agent_stopped(event.at);
    emit("agent-speech-ended", event.at, {{"sample", event.at}, {"cut", cut}});
  }
}

// Of the frame that is to be sent next: when its last sample has been spoken.
TimePoint MediaLeg::deadline() {
  TimePoint due = start_ + kFrameTime * (frame_ + 1);
  if (setup_.faults.jitter > Duration::zero())
    due += Duration(std::uniform_int_distribution<Duration::rep>(
        0, setup_.faults.jitter.count())(random_));
  deadline_ = std::max(deadline_, due); // one after the other
  return deadline_;
}

void MediaLeg::tick() {
  for (TimePoint now = worker_.now(); deadline_ <= now;) {
    report_.lateness.add(now - deadline_);
    play();
    send_frame();
    if (over_ || hanging_up_)
      return;
    deadline();
  }
  worker_.rearm(timer_, deadline_);
}

void MediaLeg::send_frame() {
  const Samples at = frame_ * kFrame;
  if (run_faults(at))
    return;
  const Caller::Step step = caller_.next(at);
  report_.lines_begun = caller_.lines_begun();
  note_lines(step, at);
  if (step.hang_up) {
    emit("hang-up", at);
    hang_up();
    return;
  }
  frame_audio_.assign(step.audio.begin(), step.audio.end());
  noise_.fill(frame_audio_,
              static_cast<std::size_t>(kFrame) - frame_audio_.size());
  if (setup_.record)
    report_.caller_audio.insert(report_.caller_audio.end(),
                                frame_audio_.begin(), frame_audio_.end());
  if (step.key != 0) {
    message_.clear();
    twilio::peer::append_dtmf(message_, setup_.start.stream_sid, ++sequence_,
                              {&step.key, 1});
    socket_->send_text(message_);
    emit("dtmf", at, {{"digit", std::string(1, step.key)}});
  }
  send_media(at);
  ++frame_;
}

void MediaLeg::send_media(Samples at) {
  const Faults &faults = setup_.faults;
  const Duration time = to_duration(at);
  if (faults.gap > Duration::zero() && time >= faults.gap_at &&
      time < faults.gap_at + faults.gap) {
    if (!std::exchange(gap_begun_, true))
      emit("fault", at, {{"what", std::string("gap")}});
    return;
  }
  message_.clear();
  twilio::peer::append_media(message_, setup_.start.stream_sid, ++sequence_,
                             ++chunk_, first_timestamp_ms_ + frame_ * 20,
                             frame_audio_);
  socket_->send_text(message_);
}

// True when the stream is over because of one.
bool MediaLeg::run_faults(Samples at) {
  const Duration time = to_duration(at);
  const Faults &faults = setup_.faults;
  if (faults.bad_json_at && time >= *faults.bad_json_at && !bad_json_sent_) {
    bad_json_sent_ = true;
    emit("fault", at, {{"what", std::string("bad-json")}});
    socket_->send_text(R"({"event":"media","media":{"payload":)");
  }
  if (faults.drop_at && time >= *faults.drop_at) {
    emit("fault", at, {{"what", std::string("drop-without-stop")}});
    socket_.reset();
    end(End::kDropped, "connection dropped as asked");
    return true;
  }
  return false;
}

void MediaLeg::note_lines(const Caller::Step &step, Samples at) {
  if (step.started) {
    meter_.line_started(*step.started, at);
    emit("line-started", at,
         {{"line", static_cast<std::int64_t>(*step.started)},
          {"text", (*setup_.plan)[*step.started].line.text},
          {"sample", at}});
  }
  if (step.ended) {
    meter_.line_ended(step.voiced_end);
    emit("line-ended", step.line_end,
         {{"line", static_cast<std::int64_t>(*step.ended)},
          {"voiced_end_sample", step.voiced_end},
          {"sample", step.line_end}});
  }
}

void MediaLeg::hang_up() {
  if (over_ || hanging_up_)
    return;
  hanging_up_ = true;
  timer_.cancel();
  if (!open_) {
    socket_.reset();
    end(End::kHungUp, "before the stream was open");
    return;
  }
  if (!setup_.faults.no_stop) {
    message_.clear();
    twilio::peer::append_stop(message_, setup_.start, ++sequence_);
    socket_->send_text(message_);
  } else {
    emit("fault", now(), {{"what", std::string("no-stop")}});
  }
  socket_->set_reading(true); // up to the close frame
  socket_->close(1000, "");
}

void MediaLeg::closed(const net::WebSocket::Closed &how) {
  const std::string detail = "code " + std::to_string(how.code) +
                             (how.reason.empty() ? "" : ", " + how.reason);
  if (hanging_up_) {
    end(End::kHungUp, detail);
  } else if (!open_) {
    if (how.http_status != 0)
      warn("31920", "the upgrade was answered with HTTP status " +
                        std::to_string(how.http_status));
    else
      warn("31901", "no WebSocket at " + setup_.url + ": " + how.reason);
    end(End::kRefused, how.http_status != 0
                           ? "HTTP status " + std::to_string(how.http_status)
                           : how.reason);
  } else if (how.code == 1006) {
    warn("31903", "the connection broke: " + how.reason);
    end(End::kLost, detail);
  } else {
    // Twilio logs any close by the server; 1000 and 1005 are no trouble.
    if (how.code != 1000 && how.code != 1005)
      warn("31921", "the server closed with " + detail);
    end(End::kAgentClosed, detail);
  }
}

void MediaLeg::end(End end, const std::string &detail) {
  if (over_)
    return;
  over_ = true;
  timer_.cancel();
  if (open_) {
    // What the caller heard up to this moment; marks find nobody any more.
    heard_.clear();
    echoes_.clear();
    playout_.play_until(now(), heard_, echoes_);
    listen(heard_);
    speech_.clear();
    detector_.finish(speech_);
    for (const auto &event : speech_)
      agent_event(event, /*cut=*/false);
    ByteSpan rest = playout_.waiting();
    while (!rest.empty() && !audible(rest.last(1)))
      rest = rest.first(rest.size() - 1);
    report_.unheard = static_cast<Samples>(rest.size());
    report_.underruns += playout_.underruns();
    report_.turns.insert(report_.turns.end(), meter_.turns().begin(),
                         meter_.turns().end());
    if (setup_.record)
      align_recording();
  }
  handlers_.ended(end, detail);
}

// Both sides end here, so that another stream's audio would begin together.
void MediaLeg::align_recording() {
  Bytes &caller = report_.caller_audio;
  Bytes &heard = report_.heard_audio;
  const std::size_t size = std::max(caller.size(), heard.size());
  caller.resize(size, audio::kMulawSilence);
  heard.resize(size, audio::kMulawSilence);
}

void MediaLeg::emit(
    std::string_view kind, Samples at,
    std::vector<std::pair<std::string_view, Event::Value>> fields) {
  // Absolute on the worker's clock; the receiver makes it the call's.
  handlers_.event({start_ + to_duration(at), kind, std::move(fields)});
}

void MediaLeg::warn(const std::string &code, const std::string &text) {
  Warning &warning = report_.warnings[code];
  if (warning.count++ != 0)
    return;
  warning.first = text;
  handlers_.event({worker_.now(), "warning", {{"code", code}, {"text", text}}});
}

} // namespace patchcord::phone
