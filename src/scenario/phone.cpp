// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/phone.hpp"

#include "audio/mulaw.hpp"
#include "base/json.hpp"

#include <algorithm>

namespace patchcord::scenario {
namespace {

using phone::kFrame;
using phone::kFrameTime;
using phone::to_duration;
using phone::to_samples;

// As phone::MediaLeg has them.
constexpr Duration kAgentHangover = 300ms;
constexpr Samples kKeySpacing = phone::kRate / 4;
constexpr std::int64_t kFirstTimestampMs = 120;

} // namespace

Phone::Phone(Worker &worker, std::vector<PreparedLine> lines, Stage &stage,
             twilio::StreamStart start, const PhoneScript &script, bool record,
             Handlers handlers)
    : worker_(worker), lines_(std::move(lines)), stage_(stage),
      stream_(std::move(start)), handlers_(std::move(handlers)),
      socket_(make_socket()), parser_(stream_.stream_sid),
      detector_(kAgentHangover), noise_(1), returns_marks_(script.marks),
      record_(record) {}

std::shared_ptr<MemorySocket> Phone::make_socket() {
  return std::make_shared<MemorySocket>(
      worker_, MemorySocket::Handlers{
                   [this](std::string_view text) { received(text); },
                   [this](std::uint16_t code) {
                     play();
                     finish(code == 1006 ? "stream_lost" : "agent_closed");
                   }});
}

void Phone::reconnect(const std::string &stream_sid) {
  play();
  socket_->forget();
  socket_ = make_socket();
  stream_.stream_sid = stream_sid;
  parser_.emplace(stream_sid);
  end_.clear();
  sequence_ = 0;
  frame_ = first_frame_ = now() / kFrame;
  agent_has_replied_ = agent_speaking_ = false;
  cleared_ = true;
}

void Phone::start() {
  if (first_frame_ == 0)
    start_ = worker_.now();
  message_.clear();
  twilio::peer::append_connected(message_);
  socket_->deliver(message_);
  message_.clear();
  twilio::peer::append_start(message_, stream_, ++sequence_);
  socket_->deliver(message_);
  timer_ = worker_.at(start_ + kFrameTime * (frame_ + 1), [this] { tick(); });
}

void Phone::emit(Samples at, std::string_view kind, std::string_view key,
                 std::string_view value) {
  JsonWriter out;
  out.begin_object()
      .member("t_ms", static_cast<std::int64_t>(at / 8))
      .member("event", kind);
  if (!key.empty())
    out.member(key, value);
  out.end_object();
  handlers_.event(at, out.take());
}

// --- the caller speaks -------------------------------------------------------

// While nobody speaks and the server does not read each message at once, two
// are sent together: half of a long call's steps are spared, and nobody can
// tell.
bool Phone::may_wait() const {
  return !speaking_ && !agent_speaking_ && playout_.queued() == 0 &&
         socket_->read_period() >= 2 * kFrameTime;
}

void Phone::tick() {
  play();
  echo();
  while (end_.empty() && now() >= (frame_ + 1) * kFrame) {
    send_frame(frame_ * kFrame);
    ++frame_;
  }
  if (end_.empty())
    worker_.rearm(timer_,
                  start_ + kFrameTime * (frame_ + (may_wait() ? 2 : 1)));
}

bool Phone::cue_has_come(const Cue &cue, Samples now) const {
  const Samples time = to_samples(cue.time);
  switch (cue.kind) {
  case Cue::Kind::kReply:
    return agent_has_replied_ && !agent_speaking_ &&
           now - agent_until_ >= time && !says_more();
  case Cue::Kind::kWord:
    return words_into_reply_ >= cue.word && word_at_ >= last_line_end_ &&
           (words_into_reply_ > cue.word || now - word_at_ >= time);
  case Cue::Kind::kAt:
    return now >= time;
  case Cue::Kind::kAfter:
    return now - last_line_end_ >= time;
  case Cue::Kind::kSilence:
    return !agent_speaking_ &&
           now - std::max(agent_until_, last_line_end_) >= time;
  }
  return false;
}

// Whether the agent is silent within an utterance that goes on.
bool Phone::says_more() const {
  if (!last_heard_ || cleared_)
    return false;
  const auto &words = stage_.agent_words;
  const std::size_t next = *last_heard_ + std::size_t{1};
  if (next == words.size())
    return stage_.in_reply;
  return next >= stage_.unsaid_until &&
         words[next].reply == words[*last_heard_].reply;
}

void Phone::send_frame(Samples at) {
  frame_audio_.clear();
  if (!speaking_ && index_ < lines_.size() &&
      cue_has_come(lines_[index_].line.cue, at))
    begin_line(at);
  if (!end_.empty())
    return;
  if (speaking_) {
    if (lines_[index_].line.what == Line::What::kDtmf)
      press(at);
    else
      speak(at);
  }
  noise_.fill(frame_audio_,
              static_cast<std::size_t>(kFrame) - frame_audio_.size());
  if (record_)
    caller_audio_.insert(caller_audio_.end(), frame_audio_.begin(),
                         frame_audio_.end());
  send_media();
}

void Phone::send_media() {
  message_.clear();
  twilio::peer::append_media(
      message_, stream_.stream_sid, ++sequence_, frame_ - first_frame_ + 1,
      kFirstTimestampMs + (frame_ - first_frame_) * 20, frame_audio_);
  deliver(true);
}

// Sends message_, unless the line stands still.
void Phone::deliver(bool media) {
  const auto stall =
      std::find_if(stalls_.begin(), stalls_.end(), [&](const Stall &each) {
        return now() > each.from && now() <= each.to;
      });
  if (stall != stalls_.end() && !stall->lost)
    return stalled_.push_back(message_);
  if (stall != stalls_.end() && media)
    return;
  deliver_stalled();
  socket_->deliver(message_);
}

// In their order: nothing overtakes what is late.
void Phone::deliver_stalled() {
  for (const std::string &message : std::exchange(stalled_, {}))
    socket_->deliver(message);
}

void Phone::begin_line(Samples at) {
  const PreparedLine &line = lines_[index_];
  if (line.line.what == Line::What::kHangUp) {
    ++index_;
    hang_up(at);
    return;
  }
  speaking_ = true;
  begun_ = at;
  keys_pressed_ = 0;
  if (const Line::Stall &stall = line.line.stall; stall.length > 0s)
    stalls_.push_back({at + to_samples(stall.at),
                       at + to_samples(stall.at + stall.length), stall.lost});
  said_.push_back({index_, at, at + line.voiced_end});
  emit(at, "line-started", "text", line.line.text);
  const auto time = [&](Samples sample) {
    return start_ + to_duration(at + sample);
  };
  for (const WordAt &word : line.heard)
    stage_.caller_words.push_back(
        {word.text, time(word.begin), time(word.end)});
  if (line.line.heard && line.line.heard->empty())
    stage_.mumbles.push_back({time(0), time(line.voiced_end)});
}

void Phone::speak(Samples at) {
  const Bytes &sound = lines_[index_].mulaw;
  const auto from = static_cast<std::size_t>(at - begun_);
  const std::size_t to = std::min(from + std::size_t{kFrame}, sound.size());
  if (from < to)
    frame_audio_.assign(sound.begin() + static_cast<std::ptrdiff_t>(from),
                        sound.begin() + static_cast<std::ptrdiff_t>(to));
  if (to == sound.size())
    end_line(begun_ + lines_[index_].voiced_end);
}

void Phone::press(Samples at) {
  const std::string &keys = lines_[index_].line.text;
  if (at - begun_ < static_cast<Samples>(keys_pressed_) * kKeySpacing)
    return;
  const char key = keys[keys_pressed_++];
  message_.clear();
  twilio::peer::append_dtmf(message_, stream_.stream_sid, ++sequence_,
                            {&key, 1});
  deliver(false);
  if (keys_pressed_ == keys.size())
    end_line(at);
}

void Phone::end_line(Samples at) {
  emit(at, "line-ended");
  said_.back().to = at;
  ++index_;
  speaking_ = false;
  agent_has_replied_ = false;
  last_line_end_ = at;
}

void Phone::hang_up(Samples at) {
  emit(at, "hang-up");
  deliver_stalled();
  message_.clear();
  twilio::peer::append_stop(message_, stream_, ++sequence_);
  socket_->deliver(message_);
  socket_->close(1000);
  finish("caller_hung_up");
}

void Phone::finish(const std::string &end) {
  if (!end_.empty())
    return;
  end_ = end;
  timer_.cancel();
  if (playout_.queued() > 0)
    cut();
  speech_.clear();
  detector_.finish(speech_);
  for (const auto &event : speech_)
    agent_spoke(event, false);
  emit(duration(), "call-over", "end", end);
  handlers_.over();
}

// --- the caller hears --------------------------------------------------------

// Within a call of the server's: nothing is answered here.
void Phone::received(std::string_view text) {
  if (!end_.empty())
    return;
  play();
  auto message = parser_->parse(text);
  if (const auto *media = std::get_if<twilio::peer::Media>(&message))
    playout_.push(media->mulaw);
  else if (auto *mark = std::get_if<twilio::peer::Mark>(&message))
    playout_.mark(std::move(mark->name), echoes_);
  else if (std::holds_alternative<twilio::peer::Clear>(message))
    cleared();
  else
    ++refused_;
  if (!echoes_.empty() && !std::exchange(echo_due_, true))
    worker_.post([this, weak = std::weak_ptr(alive_)] {
      if (!weak.expired())
        echo();
    });
}

void Phone::cleared() {
  const Samples dropped = playout_.clear(echoes_);
  emit(now(), "clear");
  cleared_ = true;
  if (dropped == 0)
    return;
  cut();
  speech_.clear();
  detector_.finish(speech_);
  for (const auto &event : speech_)
    agent_spoke(event, true);
}

// Ends what is heard; not once more what was cut before.
void Phone::cut() {
  if (goes_on())
    go_on();
  if (!std::exchange(silenced_, true) && !heard_replies_.empty()) {
    auto &last = heard_replies_.back().stretches.back();
    last.cut_at = playout_.position();
    if (last.in_word)
      last.to = last.cut_at;
  }
  sounds_from_ = -1;
  unmarked_ = 0;
}

void Phone::play() {
  fresh_.clear();
  const Samples from = playout_.position(), queued = playout_.queued();
  playout_.play_until(now(), fresh_, echoes_);
  if (record_)
    heard_audio_.insert(heard_audio_.end(), fresh_.begin(), fresh_.end());
  const Samples played = queued - playout_.queued();
  if (silenced_) {
    unmarked_ += played;
    const auto sound =
        std::find_if(fresh_.begin(), fresh_.end(), [](std::uint8_t code) {
          return code != audio::kMulawSilence;
        });
    if (sounds_from_ < 0 && sound != fresh_.end())
      sounds_from_ = from + (sound - fresh_.begin());
  }
  listen();
  if (goes_on() && sounds_from_ >= 0)
    go_on();
}

// Whether what was cut last is played again: something new begins with a word.
bool Phone::goes_on() const {
  return silenced_ && unmarked_ > kMarkLength && !heard_replies_.empty();
}

void Phone::listen() {
  words_.clear();
  ear_.push(fresh_, words_);
  for (const Ear::Event &event : words_)
    word_event(event);
  speech_.clear();
  detector_.push(fresh_, speech_);
  for (const auto &event : speech_)
    agent_spoke(event, false);
}

void Phone::word_event(const Ear::Event &event) {
  if (event.word >= stage_.agent_words.size())
    return;
  cleared_ = false;
  const Stage::AgentWord &word = stage_.agent_words[event.word];
  if (heard_replies_.empty() || heard_replies_.back().reply != word.reply) {
    heard_replies_.push_back({word.reply, {{event.at, event.at}}});
    silenced_ = false;
  } else if (silenced_) {
    go_on();
  }
  HeardReply::Stretch &stretch = heard_replies_.back().stretches.back();
  stretch.to = event.at;
  if (!event.end) {
    stretch.in_word = {event.word, event.at};
    words_into_reply_ = word.index;
    word_at_ = event.at;
    return;
  }
  const bool begun = std::exchange(stretch.in_word, {}).has_value();
  // What goes on may go on a little before its cut: the last of a word that was
  // heard then is no other word.
  if (!begun && last_heard_ == event.word)
    return;
  last_heard_ = event.word;
  stretch.words.push_back(event.word);
  stretch.word_ends.push_back(event.at);
  emit(event.at, "word-heard", "text", word.text);
}

void Phone::go_on() {
  silenced_ = false;
  auto &stretches = heard_replies_.back().stretches;
  const HeardReply::Stretch &before = stretches.back();
  // In the pause behind a word there is no sound.
  const Samples from = sounds_from_ >= 0 ? sounds_from_ : playout_.position();
  HeardReply::Stretch next{from, from};
  if (before.in_word)
    next.in_word = {before.in_word->word,
                    from - (before.cut_at - before.in_word->from)};
  stretches.push_back(std::move(next));
}

void Phone::agent_spoke(const phone::SpeechDetector::Event &event, bool cut) {
  agent_speaking_ = event.started;
  if (event.started)
    return;
  agent_until_ = event.at;
  if (!cut && !speaking_ && event.at > last_line_end_)
    agent_has_replied_ = true;
}

void Phone::echo() {
  echo_due_ = false;
  // Answers to a mark may bring another.
  auto echoes = std::exchange(echoes_, {});
  for (const auto &echo : echoes) {
    if (!end_.empty() || !returns_marks_)
      return;
    message_.clear();
    twilio::peer::append_mark(message_, stream_.stream_sid, ++sequence_,
                              echo.name);
    deliver(false);
  }
}

} // namespace patchcord::scenario
