// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "twilio/playout.hpp"

#include <glib.h>

#include <deque>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace patchcord::twilio {

// Twilio's side of the buffer, written from its documentation and independent
// of the code under test: what arrives plays in order and in real time, a mark
// comes back when all before it was played, a clear empties the buffer and
// returns every mark. Time passes in steps of 1 ms, 8 samples each.
class TwilioModel final : public Playout::Peer {
public:
  static constexpr int kNever = -1;
  std::function<int()> there = [] { return 0; }; // ms to Twilio
  std::function<int()> back = [] { return 0; };  // of a mark, or kNever
  bool echo_at_once = false; // a peer that returns marks unheard
  // ms from a clear to the return of the mark behind it, or kNever.
  int answer_after = 0;

  void send_media(ByteSpan mulaw) override {
    g_assert_cmpuint(mulaw.size() % 160, ==, 0);
    g_assert_cmpuint(mulaw.size(), >, 0);
    media_sizes.push_back(mulaw.size());
    post({Kind::kMedia, Bytes(mulaw.begin(), mulaw.end()), ""});
  }
  void send_mark(std::string_view name) override {
    mark_names.emplace_back(name);
    marks_at.push_back(sent);
    post({Kind::kMark, {}, std::string(name)});
  }
  void send_clear() override {
    ++clears;
    post({Kind::kClear, {}, ""});
  }

  // The marks that come back at the beginning of this millisecond.
  std::vector<std::string> returned() {
    receive();
    std::vector<std::string> names;
    for (auto *echoes : {&echoes_, &answers_})
      while (!echoes->empty() && echoes->front().first <= now_) {
        names.push_back(echoes->front().second);
        echoes->pop_front();
      }
    return names;
  }
  // The millisecond passes.
  void play() {
    receive();
    const int now = now_++;
    for (int i = 0; i < 8 && !buffer_.empty(); ++i) {
      heard.push_back(buffer_.front());
      buffer_.pop_front();
      ++played_;
    }
    while (!marks_.empty() && marks_.front().first <= played_) {
      echo(marks_.front().second, now + 1);
      marks_.pop_front();
    }
    if (buffer_.empty() && played_ > 0 && !dry_) {
      dry_ = true;
      dry_since = now;
    }
  }

  std::size_t queued() const { return buffer_.size(); }

  Bytes heard; // each sample that was played
  std::vector<std::size_t> media_sizes;
  std::vector<std::string> mark_names;
  std::vector<std::uint64_t> marks_at; // positions in what was sent
  std::uint64_t sent = 0;
  int clears = 0;
  std::vector<std::size_t> cleared_at; // of `heard`, when a clear came
  int dry_since = -1;
  std::vector<int> underruns; // ms without audio between two messages

private:
  enum class Kind { kMedia, kMark, kClear };
  struct Message {
    Kind kind;
    Bytes audio;
    std::string name;
    int at = 0;
  };
  void post(Message message) {
    sent += message.audio.size();
    // TCP: nothing overtakes, and what is sent at once comes at once.
    const bool together = std::exchange(posted_, now_) == now_;
    message.at = together ? arrival_ : std::max(now_ + there(), arrival_);
    arrival_ = message.at;
    wire_.push_back(std::move(message));
  }
  void receive() {
    while (!wire_.empty() && wire_.front().at <= now_) {
      arrive(wire_.front(), now_);
      wire_.pop_front();
    }
  }
  void arrive(const Message &message, int now) {
    const bool answer =
        std::exchange(cleared_, message.kind == Kind::kClear) && answer_after;
    if (answer && message.kind == Kind::kMark) {
      if (const int delay = back(); answer_after != kNever && delay != kNever)
        answers_.emplace_back(now + answer_after + delay, message.name);
    } else if (message.kind == Kind::kMedia) {
      if (dry_) {
        underruns.push_back(now - dry_since);
        dry_ = false;
      }
      buffer_.insert(buffer_.end(), message.audio.begin(), message.audio.end());
      received_ += message.audio.size();
    } else if (message.kind == Kind::kMark) {
      if (echo_at_once || buffer_.empty())
        echo(message.name, now);
      else
        marks_.emplace_back(received_, message.name);
    } else {
      cleared_at.push_back(heard.size());
      buffer_.clear();
      received_ = played_;
      for (const auto &[position, name] : marks_)
        echo(name, now);
      marks_.clear();
    }
  }
  void echo(const std::string &name, int now) {
    const int delay = back();
    if (delay == kNever)
      return;
    int at = now + delay;
    if (!echoes_.empty())
      at = std::max(at, echoes_.back().first);
    echoes_.emplace_back(at, name);
  }

  int now_ = 0;
  int posted_ = -1, arrival_ = 0; // of the last message
  bool dry_ = false;
  std::deque<Message> wire_;
  std::deque<std::uint8_t> buffer_;
  std::uint64_t received_ = 0, played_ = 0;
  std::deque<std::pair<std::uint64_t, std::string>> marks_;
  std::deque<std::pair<int, std::string>> echoes_, answers_;
  bool cleared_ = false; // by the last message
};

// A Playout and its peer on one clock.
class Line {
public:
  explicit Line(const Playout::Settings &settings = {})
      : playout(settings, peer) {}

  TimePoint now() const { return std::chrono::milliseconds(1000 + ms); }

  // Lets time pass; what is due happens at its millisecond, ticks `late` ms
  // after.
  void run(int duration) {
    for (const int end = ms + duration; ms < end;) {
      for (const auto &name : peer.returned()) {
        returned.emplace_back(ms, name);
        playout.mark_echo(name, now());
      }
      tick();
      peer.play();
      ++ms;
    }
  }
  void tick() {
    const auto deadline = playout.next_deadline();
    if (deadline && tick_at_ < 0 && *deadline <= now())
      tick_at_ = ms + (late ? late() : 0);
    if (tick_at_ >= 0 && ms >= tick_at_) {
      tick_at_ = -1;
      playout.tick(now());
      const auto next = playout.next_deadline();
      g_assert_true(!next || *next > now());
    }
    collect();
  }
  void collect() {
    while (auto event = playout.next_event())
      events.push_back(std::move(*event));
  }
  void audio(std::size_t samples, std::uint8_t value = 1) {
    playout.audio(Bytes(samples, value), now());
    collect();
  }
  // A whole utterance, faster than real time.
  void say(std::uint32_t id, std::size_t samples, const char *text = "") {
    playout.utterance_start(id, now());
    if (*text != '\0')
      playout.spoken_text(id, text, {}, now());
    if (samples > 80)
      playout.audio(Bytes(samples - 80, static_cast<std::uint8_t>(id)), now());
    playout.utterance_end(id, now());
    playout.audio(Bytes(std::min<std::size_t>(samples, 80),
                        static_cast<std::uint8_t>(id)),
                  now());
    collect();
  }
  // "started 1, ended 1 8000/8000 \"text\"", without progress.
  std::string story() {
    collect();
    std::string text;
    for (const auto &event : events) {
      if (event.what == PlayoutEvent::What::kProgress)
        continue;
      if (!text.empty())
        text += ", ";
      const char *const words[] = {"started", "", "ended", "cut", "held"};
      text += words[static_cast<int>(event.what)];
      text += ' ' + std::to_string(event.utterance);
      if (event.what != PlayoutEvent::What::kStarted)
        text += ' ' + std::to_string(event.heard_samples) + '/' +
                std::to_string(event.total_samples);
      if (!event.heard_text.empty())
        text += " \"" + event.heard_text + '"';
      if (event.estimated)
        text += " estimated";
    }
    return text;
  }
  std::string take_story() {
    std::string text = story();
    events.clear();
    return text;
  }

  int ms = 0;
  TwilioModel peer;
  Playout playout;
  std::vector<PlayoutEvent> events;
  std::vector<std::pair<int, std::string>> returned; // marks, and when
  std::function<int()> late;                         // of timers, in ms

private:
  int tick_at_ = -1;
};

} // namespace patchcord::twilio
