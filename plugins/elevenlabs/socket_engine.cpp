// SPDX-License-Identifier: LGPL-2.1-or-later
#include "socket_engine.hpp"

#include "elevenlabs/messages.hpp"
#include "elevenlabs/speech_text.hpp"

#include <algorithm>

using namespace patchcord;
using elevenlabs::Failure;

GST_DEBUG_CATEGORY_EXTERN(elevenlabs_src_debug);
#define GST_CAT_DEFAULT elevenlabs_src_debug

namespace {

// Of an idle connection that cannot be had; one that is needed is tried at
// once, and once more.
constexpr Duration kFirstReopen = 250ms, kLongestReopen = 10s;
constexpr int kTries = 2;
// Well within the 180 s after which the server ends an idle context.
constexpr Duration kKeepAlive = 60s;
// Minutes of audio at once.
constexpr std::size_t kMaxMessage = std::size_t{16} << 20;

elevenlabs::SpeechFormat speech_format(const graph::VoiceFormat &format) {
  return {format.rate, static_cast<int>(format.sample_bytes())};
}

} // namespace

SocketEngine::SocketEngine(graph::VoicePads &pads, const Settings &settings)
    : pads_(pads), settings_(settings), made_(pads.format()),
      session_(make_session()) {}

std::unique_ptr<elevenlabs::Session> SocketEngine::make_session() {
  return std::make_unique<elevenlabs::Session>(
      settings_.voice, speech_format(made_),
      static_cast<elevenlabs::Session::Listener &>(*this));
}

void SocketEngine::open() {
  if (settings_.api_key.empty())
    fail({"missing_api_key",
          "There is no key for ElevenLabs: set the property api-key or the "
          "variable ELEVENLABS_API_KEY",
          false});
  else
    connect();
}

// --- what is to be said

void SocketEngine::speak(Segment segment, const std::string &text) {
  if (state_ != State::kRunning) {
    speak_offline(segment, elevenlabs::speech_text(text));
    return;
  }
  session_->speak(segment, text);
  if (!socket_ && state_ == State::kRunning)
    connect();
  watch_deadline(false);
}

void SocketEngine::end_utterance() {
  session_->end_utterance();
  watch_deadline(false);
}

// Now if nothing is being said, else behind it (watch_deadline()). Not from
// within a report of the session's.
void SocketEngine::format_changed() {
  pads_.worker()->post(bind(&SocketEngine::renew));
}

void SocketEngine::renew() {
  if (made_ == pads_.format() || state_ != State::kRunning || !session_->idle())
    return;
  made_ = pads_.format();
  session_ = make_session();
  let_go();
  connect();
}

void SocketEngine::cancel() {
  session_->cancel();
  watch_deadline(false);
  if (fallback_)
    fallback_->cancel();
}

void SocketEngine::stop() {
  state_ = State::kStopped;
  let_go();
  if (fallback_)
    fallback_->stop();
}

// Nothing comes from the connection or the timers after this.
void SocketEngine::let_go() {
  deadline_.cancel();
  reopen_.cancel();
  alive_.cancel();
  const auto socket = std::move(socket_);
  if (!socket)
    return;
  socket->send_text(elevenlabs::close_socket());
  socket->leave(1000, "");
}

void SocketEngine::speak_offline(Segment segment, const std::string &words) {
  if (fallback_ && !words.empty())
    fallback_->speak(segment, words);
  else
    pads_.finished(segment);
}

// --- what comes of it

void SocketEngine::send(const std::string &message) {
  GST_LOG_OBJECT(pads_.element(), "sending %zu bytes", message.size());
  if (socket_)
    socket_->send_text(message);
}

void SocketEngine::spoken(Segment segment, const std::string &words,
                          const std::vector<elevenlabs::WordTiming> &timings) {
  std::vector<events::SpokenText::Timing> out;
  out.reserve(timings.size());
  for (const elevenlabs::WordTiming &timing : timings)
    out.push_back({timing.offset, timing.ms});
  pads_.spoken(segment, words, std::move(out));
}

void SocketEngine::audio(Segment segment, Bytes audio) {
  if (made_ != pads_.format())
    audio = graph::convert_speech(audio, made_, pads_.format());
  pads_.audio(segment, std::move(audio));
}

void SocketEngine::finished(Segment segment) { pads_.finished(segment); }

// --- the connection

void SocketEngine::connect() {
  reopen_.cancel();
  elevenlabs::StreamSettings stream = settings_.stream;
  stream.output_format =
      made_.mulaw ? "ulaw_8000" : "pcm_" + std::to_string(made_.rate);
  const auto url = elevenlabs::stream_url(stream);
  if (!url) {
    fail({url.error().code,
          url.error().message + ": check the property base-url", false});
    return;
  }
  net::WebSocket::ConnectOptions options;
  options.url = *url;
  options.headers = {{"xi-api-key", settings_.api_key}};
  options.timeout = settings_.timeout;
  was_open_ = false;
  told_.reset();
  GST_DEBUG_OBJECT(pads_.element(), "connecting to %s", url->c_str());
  net::WebSocket::Handlers handlers;
  handlers.open = bind(&SocketEngine::on_open);
  handlers.text = bind(&SocketEngine::on_text);
  handlers.closed = bind(&SocketEngine::on_closed);
  net::WebSocket::Limits limits;
  limits.message_bytes = kMaxMessage;
  socket_ = net::WebSocket::connect(*pads_.worker(), options,
                                    std::move(handlers), limits);
}

void SocketEngine::on_open() {
  GST_DEBUG_OBJECT(pads_.element(), "connected");
  was_open_ = true;
  session_->connected();
  keep_alive();
}

void SocketEngine::keep_alive() {
  session_->keep_alive();
  alive_ = pads_.worker()->after(kKeepAlive, bind(&SocketEngine::keep_alive));
}

void SocketEngine::on_text(std::string_view json) {
  auto message = elevenlabs::parse_server_message(json);
  if (!message) {
    GST_INFO_OBJECT(pads_.element(), "ignored a message of %zu bytes: %s",
                    json.size(), message.error().message.c_str());
    return;
  }
  if (!message->error.empty()) {
    told_ = elevenlabs::classify_error(message->error, message->message);
    if (!told_->retryable)
      fail(*told_);
    return; // The server closes now.
  }
  const bool progress = !message->audio.empty() || message->final;
  if (!message->audio.empty())
    losses_ = 0;
  session_->receive(*std::move(message));
  if (session_->mute() && state_ == State::kRunning)
    fail({"no_audio",
          "ElevenLabs has no audio for the text: check the properties voice-id "
          "and model-id",
          false});
  watch_deadline(progress);
}

Failure SocketEngine::why(const net::WebSocket::Closed &closed) const {
  if (told_)
    return *told_;
  if (closed.http_status != 0)
    return elevenlabs::classify_http(closed.http_status, "");
  if (!was_open_)
    return {"unreachable",
            "ElevenLabs cannot be reached at " + settings_.stream.base_url +
                " (" + closed.reason + "): check the property base-url",
            true};
  return elevenlabs::classify_close(closed.code, closed.reason);
}

void SocketEngine::on_closed(const net::WebSocket::Closed &closed) {
  const Failure failure = why(closed);
  GST_INFO_OBJECT(pads_.element(), "connection over: %s",
                  failure.message.c_str());
  socket_.reset();
  alive_.cancel();
  session_->disconnected();
  if (state_ != State::kRunning)
    return;
  ++losses_;
  if (!failure.retryable || (session_->waiting() && losses_ >= kTries)) {
    fail(failure);
  } else if (session_->waiting()) {
    connect();
  } else {
    const Duration delay =
        std::min(kLongestReopen, kFirstReopen * (1 << std::min(losses_, 8)));
    reopen_ = pads_.worker()->after(delay, bind(&SocketEngine::connect));
  }
  watch_deadline(false);
}

// --- failing

// Audio that is owed comes in time, or somebody else speaks.
void SocketEngine::watch_deadline(bool progress) {
  if (state_ == State::kRunning && made_ != pads_.format())
    format_changed();
  if (state_ != State::kRunning || !session_->waiting()) {
    deadline_.cancel();
  } else if (progress || !deadline_.armed()) {
    deadline_ = pads_.worker()->after(settings_.timeout,
                                      bind(&SocketEngine::on_deadline));
  }
}

void SocketEngine::on_deadline() {
  const auto unsaid = session_->take_unsaid();
  if (unsaid.empty()) {
    GST_INFO_OBJECT(pads_.element(), "a final marker did not come");
    return; // Nothing is missing.
  }
  fall_back({"no_audio",
             "ElevenLabs sent no audio for " +
                 std::to_string(static_cast<int>(to_ms(settings_.timeout))) +
                 " ms (property timeout)",
             true},
            unsaid);
}

void SocketEngine::fail(const Failure &failure) {
  if (state_ == State::kRunning)
    fall_back(failure, session_->take_unsaid());
}

void SocketEngine::fall_back(const Failure &failure,
                             const std::vector<Unsaid> &unsaid) {
  if (state_ != State::kRunning)
    return; // Stopped from within a report.
  state_ = State::kFailed;
  let_go();
  if (settings_.fallback_voice.empty() && !pads_.has_text_pad()) {
    GST_ELEMENT_ERROR(pads_.element(), RESOURCE, FAILED,
                      ("%s", failure.message.c_str()),
                      ("elevenlabs: %s", failure.code.c_str()));
    pads_.abort();
    return;
  }
  if (!settings_.fallback_voice.empty())
    fallback_ = std::make_shared<graph::EspeakEngine>(
        pads_, offline::EspeakVoice::Settings{settings_.fallback_voice});
  pads_.report_failure(
      {"elevenlabs", failure.code, failure.message, failure.retryable});
  // The agent may have dropped them meanwhile; the queue ignores those.
  for (const Unsaid &text : unsaid)
    if (state_ == State::kFailed)
      speak_offline(text.segment,
                    pads_.take_back(text.segment) ? text.text : text.words);
}
