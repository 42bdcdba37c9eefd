// SPDX-License-Identifier: LGPL-2.1-or-later
#include "playout_line.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <numeric>
#include <string>

// Thousands of calls with random voices, networks and interruptions: what was
// said to be heard against what the peer played.
using namespace patchcord;
using namespace patchcord::twilio;

namespace {

std::uint8_t sample_of(std::size_t index) {
  std::uint64_t x = index * 0x9e3779b97f4a7c15ULL;
  x ^= x >> 31;
  x *= 0xbf58476d1ce4e5b9ULL;
  return static_cast<std::uint8_t>(x >> 57); // under 0x80: never silence
}

struct Word {
  std::string text;
  std::size_t end = 0; // position behind its last sample
};

struct Segment {
  std::string text;
  std::vector<WordTiming> timings;
  std::size_t samples = 0;
};

enum class Timed { kMixed, kYes, kNo };

// What is unlike an even voice on a line whose way there is constant.
struct Variant {
  Timed timed = Timed::kMixed; // the voice tells when it says a word
  bool uneven = false; // each word at its own speed, and gaps of any length
  int jitter = 0;      // ms, of the way there
  int stall = 0;       // ms, which one message in 40 takes longer
  bool echo_at_once = false; // the peer returns marks unheard
  int answer_after = 0;      // ms, the mark behind a clear; TwilioModel::kNever
};

// Where in the voice's audio the caller is, told by what the peer played: on
// from any sample behind a clear, from the next one else.
class Trace {
public:
  Trace(const Bytes &heard, const std::vector<std::size_t> &cleared_at) {
    std::size_t from = 0, at = 0, farthest = 0;
    const auto piece = [&](std::size_t to) {
      if (to == from) {
        jumps_.push_back(0);
        return;
      }
      const ByteSpan audio = ByteSpan(heard).subspan(from, to - from);
      const std::ptrdiff_t by = jump(audio, at);
      jumps_.push_back(by);
      at = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(at) + by);
      for (const std::uint8_t sample : audio) {
        at += sample == kSilence ? 0 : 1;
        farthest = std::max(farthest, at);
        heard_.push_back(farthest);
      }
      from = to;
    };
    for (const std::size_t cleared : cleared_at)
      piece(cleared);
    piece(heard.size());
  }
  // What was heard of it, behind so many samples that were played.
  std::size_t after(std::size_t played) const {
    return played == 0 ? 0 : heard_[played - 1];
  }
  // How many samples were left out (positive) or came again (negative).
  const std::vector<std::ptrdiff_t> &jumps() const { return jumps_; }

private:
  static constexpr std::uint8_t kSilence = 0xff;
  static constexpr std::ptrdiff_t kFarthest = 40'000;

  static bool is_at(ByteSpan audio, std::size_t at) {
    return std::all_of(audio.begin(), audio.end(), [&at](std::uint8_t sample) {
      return sample == kSilence || sample == sample_of(at++);
    });
  }
  static std::ptrdiff_t jump(ByteSpan audio, std::size_t at) {
    const auto from = static_cast<std::ptrdiff_t>(at);
    for (std::ptrdiff_t by = 0; by <= kFarthest; ++by)
      for (const std::ptrdiff_t to : {from - by, from + by})
        if (to >= 0 && is_at(audio, static_cast<std::size_t>(to)))
          return to - from;
    g_error("%d samples that were heard are not the voice's, or far away",
            static_cast<int>(audio.size()));
  }

  std::vector<std::size_t> heard_;
  std::vector<std::ptrdiff_t> jumps_;
};

// Reports, by how many words they were off, and the worst in time.
struct Tally {
  std::array<int, 10> off{};
  std::int64_t worst_ms = 0, sum_ms = 0;
  void add(int words, std::int64_t ms) {
    ++off[static_cast<std::size_t>(std::min(words, 9))];
    worst_ms = std::max(worst_ms, std::abs(ms));
    sum_ms += ms;
  }
  int checks() const { return std::accumulate(off.begin(), off.end(), 0); }
  int beyond_one() const { return checks() - off[0] - off[1]; }
  int worst() const {
    int worst = 9;
    while (worst > 0 && off[static_cast<std::size_t>(worst)] == 0)
      --worst;
    return worst;
  }
  void print(const char *name, const char *when) const {
    g_test_message("%s: %d reports %s, %d off by more than one word, by %d at "
                   "worst, by %d ms at worst, %d us in the mean",
                   name, checks(), when, beyond_one(), worst(),
                   static_cast<int>(worst_ms),
                   static_cast<int>(sum_ms * 1000 / std::max(checks(), 1)));
  }
};

// What was sent again after an interruption, in samples: what was not heard and
// never came, and what was heard and came again.
struct Resumed {
  std::ptrdiff_t lost = 0, repeated = 0; // at worst
  int losses = 0, times = 0;
  void add(std::ptrdiff_t jump) {
    ++times;
    losses += jump > 0 ? 1 : 0;
    lost = std::max(lost, jump);
    repeated = std::max(repeated, -jump);
  }
  void print(const char *name, const char *where) const {
    g_test_message("%s: %d times resumed %s: %d times %d samples were lost, "
                   "and %d heard twice, at worst",
                   name, times, where, losses, static_cast<int>(lost),
                   static_cast<int>(repeated));
  }
};

struct Tallies {
  Tally at_once, in_the_end; // of what was told
  Tally known;               // in the end, of a line known to be uneven
  Tally unmarked;            // in the end, of a peer that returns no marks
  Tally certain;             // in the end, and not said to be estimated
  Resumed steady;            // a line that is the same for every message
  Resumed even, uneven;      // one that is not, before and after it was known
  int leftovers = 0;         // times anything was played behind a clear
};

class InterruptedCall {
public:
  InterruptedCall(unsigned seed, const Variant &variant, Tallies &tally)
      : seed_(seed), variant_(variant), tally_(tally), random_(seed) {
    there_ = below(150);
    const int back = below(150);
    jitter_ = below(3) == 0 ? 1 + below(60) : 0;
    echoes_ = below(6) != 0;
    line_.peer.echo_at_once = variant.echo_at_once;
    line_.peer.answer_after = variant.answer_after;
    line_.peer.there = [this] {
      int there = there_;
      if (variant_.jitter != 0)
        there += below(variant_.jitter);
      if (variant_.stall != 0 && below(40) == 0)
        there += variant_.stall;
      return there;
    };
    line_.peer.back = [this, back] {
      return echoes_ ? back + (jitter_ != 0 ? below(jitter_ + 1) : 0)
                     : TwilioModel::kNever;
    };
    if (below(2) == 0)
      line_.late = [this] { return below(20); };
    write();
  }

  void run() {
    line_.playout.open(line_.now());
    line_.playout.utterance_start(1, line_.now());
    const int holds = 1 + below(4);
    for (int i = 0; i < holds && !over(); ++i) {
      talk(below(3) == 0 ? below(200) : below(static_cast<int>(total_ / 8)));
      if (below(5) == 0) {
        interrupt([this] { line_.playout.flush(line_.now()); });
        break;
      }
      interrupt([this] { line_.playout.hold(line_.now()); });
      if (below(4) != 0) {
        check_silence();
        talk(below(3) == 0 ? 0 : below(2000));
      } else {
        talk(below(100)); // the clear may not be there yet
      }
      if (i + 1 == holds && below(2) == 0) {
        line_.playout.flush(line_.now());
        break;
      }
      // Until what is sent next nothing is heard.
      const auto sent = line_.peer.sent;
      line_.playout.resume(line_.now());
      for (int ms = 0; ms < 3000 && line_.peer.sent == sent && !over(); ++ms)
        talk(1);
      note_report();
    }
    while (!over() && line_.ms < 200'000)
      talk(100);
    g_assert_true(over());
    note_report();
    talk(1000);
    check_all();
  }

private:
  int below(int limit) {
    return static_cast<int>(random_() % static_cast<unsigned>(limit));
  }

  // A reply of some sentences, and the voice that speaks it.
  void write() {
    const int rate = 50 + below(30); // ms a character
    for (int left = 1 + below(5); left > 0; --left) {
      Segment segment;
      const bool timed = variant_.timed == Timed::kYes ||
                         (variant_.timed == Timed::kMixed && below(2) == 0);
      int ms = 0;
      for (int words = 1 + below(variant_.timed == Timed::kNo ? 24 : 9);
           words > 0; --words) {
        const int letters = 1 + below(9);
        const std::string word(static_cast<std::size_t>(letters), 'x');
        if (!segment.text.empty()) {
          segment.text += ' ';
          ms += variant_.uneven ? 20 + below(231) : rate;
        }
        if (timed)
          segment.timings.push_back(
              {static_cast<std::uint32_t>(segment.text.size()),
               static_cast<std::uint32_t>(ms)});
        segment.text += word;
        ms += variant_.uneven ? letters * rate * (65 + below(71)) / 100
                              : letters * rate;
        words_.push_back({word, total_ + static_cast<std::size_t>(ms) * 8});
      }
      segment.samples = static_cast<std::size_t>(ms * 8 + below(800));
      total_ += segment.samples;
      segments_.push_back(segment);
    }
    fast_ = below(3) == 0 ? total_ : 8 + static_cast<std::size_t>(below(40));
  }

  // What the voice has made in a millisecond goes in, ahead of real time.
  void speak(std::size_t samples) {
    while (samples != 0 && next_ < segments_.size()) {
      const Segment &segment = segments_[next_];
      if (spoken_ == 0)
        line_.playout.spoken_text(1, segment.text, segment.timings,
                                  line_.now());
      const std::size_t count = std::min(samples, segment.samples - spoken_);
      Bytes audio(count);
      for (auto &sample : audio)
        sample = sample_of(made_++);
      spoken_ += count;
      samples -= count;
      if (made_ == total_)
        line_.playout.utterance_end(1, line_.now());
      line_.playout.audio(audio, line_.now());
      if (spoken_ == segment.samples) {
        ++next_;
        spoken_ = 0;
      }
    }
  }
  void talk(int ms) {
    for (int i = 0; i < ms; ++i) {
      speak(fast_);
      line_.run(1);
    }
  }
  bool over() {
    line_.collect();
    return std::any_of(line_.events.begin(), line_.events.end(),
                       [](const PlayoutEvent &event) {
                         return event.what == PlayoutEvent::What::kEnded ||
                                event.what == PlayoutEvent::What::kCut;
                       });
  }

  struct Interruption {
    int clears = 0;         // that the peer was sent by then
    std::size_t played = 0; // by then, if none was sent
    std::size_t events = 0; // told before it
    bool uneven = false;    // the line was known to be
    std::optional<PlayoutEvent> at_once, in_the_end;
  };

  template <typename Do> void interrupt(Do now) {
    line_.collect();
    Interruption &it = interruptions_.emplace_back();
    it.events = line_.events.size();
    const int clears = line_.peer.clears;
    it.uneven = line_.playout.line_is_uneven();
    now();
    if (line_.peer.clears > clears)
      it.clears = line_.peer.clears;
    it.played = line_.peer.heard.size();
    line_.collect();
    if (line_.events.size() > it.events)
      it.at_once = line_.events[it.events];
  }
  // The last word on an interruption.
  void note_report() {
    line_.collect();
    if (interruptions_.empty())
      return;
    Interruption &it = interruptions_.back();
    if (!it.in_the_end && line_.events.size() > it.events)
      it.in_the_end = line_.events.back();
  }

  // Nothing is played once the clear has come to the peer.
  void check_silence() {
    talk(there_ + 1);
    talk(variant_.jitter + variant_.stall);
    g_assert_cmpuint(line_.peer.queued(), ==, 0);
    const std::size_t heard = line_.peer.heard.size();
    talk(150);
    if (line_.peer.heard.size() != heard)
      ++tally_.leftovers;
  }

  void check_text(const PlayoutEvent &event, std::size_t truth, Tally &tally) {
    const auto words =
        std::count_if(words_.begin(), words_.end(),
                      [truth](const Word &word) { return word.end <= truth; });
    const auto said = split(event.heard_text, ' ');
    const auto count =
        event.heard_text.empty() ? 0 : static_cast<std::ptrdiff_t>(said.size());
    g_assert_cmpint(count, <=, static_cast<int>(words_.size()));
    for (std::ptrdiff_t i = 0; i < count; ++i)
      g_assert_true(said[static_cast<std::size_t>(i)] ==
                    words_[static_cast<std::size_t>(i)].text);
    const int off = static_cast<int>(std::abs(words - count));
    tally.add(off, (static_cast<std::int64_t>(event.heard_samples) -
                    static_cast<std::int64_t>(std::min(truth, total_))) /
                       8);
    if (off > 1 && &tally != &tally_.at_once && &tally != &tally_.known &&
        &tally != &tally_.certain)
      g_test_message("seed %u: %d words were heard, %d were told; %d samples "
                     "of %d, told %d",
                     seed_, static_cast<int>(words), static_cast<int>(count),
                     static_cast<int>(truth), static_cast<int>(total_),
                     static_cast<int>(event.heard_samples));
  }

  // What was told of each interruption, and what was sent again.
  void check_all() {
    const Trace trace(line_.peer.heard, line_.peer.cleared_at);
    const auto jumps = trace.jumps();
    const int beyond = tally_.in_the_end.beyond_one();
    bool known = true;
    for (const Interruption &it : interruptions_) {
      const auto clear = static_cast<std::size_t>(it.clears);
      const std::size_t truth = trace.after(
          clear != 0 ? line_.peer.cleared_at.at(clear - 1) : it.played);
      const bool marked = echoes_ || steady();
      if (it.at_once && marked)
        check_text(*it.at_once, truth, tally_.at_once);
      if (it.in_the_end)
        check_text(*it.in_the_end, truth,
                   marked ? tally_.in_the_end : tally_.unmarked);
      if (it.in_the_end && marked && !it.in_the_end->estimated)
        check_text(*it.in_the_end, truth, tally_.certain);
      // What was told wrong before it was known is told on.
      known = known && (it.uneven || tally_.in_the_end.beyond_one() == beyond);
      if (it.in_the_end && it.uneven && known)
        check_text(*it.in_the_end, truth, tally_.known);
      if (clear != 0)
        check_jump(jumps.at(clear), it.uneven);
    }
    if (line_.events.back().what == PlayoutEvent::What::kEnded)
      check_jump(
          static_cast<std::ptrdiff_t>(total_) -
              static_cast<std::ptrdiff_t>(trace.after(line_.peer.heard.size())),
          line_.playout.line_is_uneven());
  }
  bool steady() const { return variant_.jitter + variant_.stall == 0; }
  void check_jump(std::ptrdiff_t jump, bool uneven) {
    if (steady() && (jitter_ == 0 || !echoes_))
      tally_.steady.add(jump);
    else if (echoes_)
      (uneven ? tally_.uneven : tally_.even).add(jump);
    if (jump > 0)
      g_test_message("seed %u: %d samples were lost", seed_,
                     static_cast<int>(jump));
  }

  const unsigned seed_;
  const Variant variant_;
  Tallies &tally_;
  std::mt19937 random_;
  Line line_;
  int there_ = 0, jitter_ = 0;
  bool echoes_ = true; // the peer returns marks
  std::vector<Segment> segments_;
  std::vector<Word> words_;
  std::size_t total_ = 0, fast_ = 0; // samples; a millisecond
  std::size_t next_ = 0, spoken_ = 0, made_ = 0;
  std::vector<Interruption> interruptions_;
};

Tallies thousand(const char *name, const Variant &variant) {
  Tallies tally;
  for (unsigned seed = 1; seed <= 1000; ++seed)
    InterruptedCall(seed, variant, tally).run();
  tally.at_once.print(name, "at once");
  tally.in_the_end.print(name, "in the end");
  tally.known.print(name, "in the end, of a line known to be uneven");
  tally.unmarked.print(name, "without marks");
  tally.certain.print(name, "that were not estimated");
  tally.steady.print(name, "on a steady line");
  tally.even.print(name, "on a line that was not known to be uneven");
  tally.uneven.print(name, "on a line that was");
  g_assert_cmpint(tally.in_the_end.checks(), >, 1000);
  g_assert_cmpint(tally.leftovers, ==, 0);
  return tally;
}

constexpr std::ptrdiff_t kMs = 8; // samples

void within_one_word(const Tallies &tally) {
  g_assert_cmpint(tally.at_once.beyond_one(), ==, 0);
  g_assert_cmpint(tally.in_the_end.beyond_one(), ==, 0);
}

// Not a sample was lost, or said twice, where all takes the same time; where
// marks jitter on their way back, none was lost.
void resumed_at_the_sample(const Tallies &tally) {
  g_assert_cmpint(tally.steady.times, >, 500);
  g_assert_cmpint(tally.steady.lost, ==, 0);
  g_assert_cmpint(tally.steady.repeated, ==, 0);
  g_assert_cmpint(tally.even.losses + tally.uneven.losses, ==, 0);
  g_assert_cmpint(tally.even.repeated, <=, 200 * kMs);
  g_assert_cmpint(tally.uneven.repeated, <=, 200 * kMs);
}

// An even voice, of which half the sentences tell no timings.
void test_even_voice() {
  const Tallies tally = thousand("even", {});
  within_one_word(tally);
  resumed_at_the_sample(tally);
}

void test_timed_voice() {
  const Tallies tally =
      thousand("timed", {.timed = Timed::kYes, .uneven = true});
  within_one_word(tally);
  resumed_at_the_sample(tally);
}

// A way there that takes up to 100 ms longer, differently for each message: of
// a clear as well. What is heard until it comes cannot be known when it is
// sent, and is when it is answered.
void test_jitter() {
  constexpr int kJitter = 100;
  const Tallies tally = thousand(
      "jitter", {.timed = Timed::kYes, .uneven = true, .jitter = kJitter});
  g_assert_cmpint(tally.in_the_end.beyond_one(), ==, 0);
  g_assert_cmpint(tally.at_once.worst(), <=, 2);
  g_assert_cmpint(tally.at_once.beyond_one() * 200, <=, tally.at_once.checks());
  // A line that was even so far may have been so by chance.
  g_assert_cmpint(tally.even.lost, <=, kJitter * kMs);
  g_assert_cmpint(tally.even.losses * 10, <=, tally.even.times);
  g_assert_cmpint(tally.uneven.times, >, 400);
  g_assert_cmpint(tally.uneven.losses, ==, 0);
  g_assert_cmpint(tally.uneven.repeated, <=, 400 * kMs);
  // By the clock, which is wrong by what the clear took longer than the voice.
  g_assert_cmpint(tally.unmarked.checks(), >, 200);
  g_assert_cmpint(tally.unmarked.beyond_one(), ==, 0);
  g_assert_cmpint(tally.unmarked.worst_ms, <=, kJitter + 20);
}

// A connection that stands still for longer than the peer has audio. Where it
// was in that audio is told by marks: by those of each message once the line
// has stood still before. Until then there is one every 500 ms, and what is
// told is the middle between them, and said to be estimated.
void test_stalls() {
  constexpr int kStall = 600;
  const Tallies tally = thousand(
      "stalls", {.timed = Timed::kYes, .uneven = true, .stall = kStall});
  g_assert_cmpint(tally.known.checks(), >, 300);
  g_assert_cmpint(tally.known.beyond_one(), ==, 0);
  g_assert_cmpint(tally.in_the_end.beyond_one() * 200, <=,
                  tally.in_the_end.checks());
  g_assert_cmpint(tally.in_the_end.worst_ms, <=, 500);
  g_assert_cmpint(tally.even.lost, <=, 500 * kMs);
  g_assert_cmpint(tally.even.losses * 50, <=, tally.even.times);
  g_assert_cmpint(tally.uneven.times, >, 400);
  g_assert_cmpint(tally.uneven.losses, ==, 0);
  g_assert_cmpint(tally.uneven.repeated, <=, 600 * kMs);
  // By the clock, which does not know that the line, or the clear, stood still.
  g_assert_cmpint(tally.unmarked.checks(), >, 200);
  g_assert_cmpint(tally.unmarked.beyond_one() * 50, <=,
                  tally.unmarked.checks());
  g_assert_cmpint(tally.unmarked.worst_ms, <=, 2 * kStall);
}

// Why it can be no better: the line stands still before one message or before
// the next, a clear is sent meanwhile, and all comes at once. What comes back
// is the same to the millisecond, and what was heard is not. Who is told the
// same can only tell the same: the middle is nearest to all.
void test_histories() {
  constexpr int kHeldAt = 3190, kOverAt = kHeldAt + 500; // ms
  struct Told {
    std::uint64_t told = 0;
    std::vector<std::size_t> heard;
  };
  std::map<std::string, Told> by_answer;
  for (int begins = kHeldAt - 450; begins < kHeldAt; begins += 10) {
    Line line;
    line.peer.there = [&line, begins] {
      return line.ms < begins ? 30 : std::max(30, kOverAt - line.ms);
    };
    line.peer.back = [] { return 30; };
    line.playout.open(line.now());
    line.say(1, 80'000);
    line.run(kHeldAt);
    line.playout.hold(line.now());
    line.run(1000);
    std::string answer;
    for (const auto &[ms, name] : line.returned)
      answer += std::to_string(ms) + ':' + name + ' ';
    Told &told = by_answer[answer];
    told.told = line.events.back().heard_samples;
    g_assert_true(line.events.back().estimated);
    told.heard.push_back(line.peer.heard.size());
  }
  std::size_t widest = 0;
  for (const auto &[answer, told] : by_answer) {
    const auto [least, most] =
        std::minmax_element(told.heard.begin(), told.heard.end());
    widest = std::max(widest, *most - *least);
    // To a message: what is written with a mark comes with it.
    const auto middle = static_cast<std::ptrdiff_t>((*least + *most) / 2);
    g_assert_cmpint(std::abs(static_cast<std::ptrdiff_t>(told.told) - middle),
                    <=, 50 * kMs);
  }
  g_test_message("%d answers, of what was heard %d ms apart",
                 static_cast<int>(by_answer.size()),
                 static_cast<int>(widest / 8));
  g_assert_cmpuint(widest, >=, 200 * kMs);
}

void test_echo_at_once() {
  const Tallies tally =
      thousand("marks at once",
               {.timed = Timed::kYes, .uneven = true, .echo_at_once = true});
  within_one_word(tally);
  // Until one came before it was due it seemed to say what was heard.
  for (const Resumed *resumed : {&tally.steady, &tally.even, &tally.uneven})
    g_assert_cmpint(resumed->lost, <=, 100 * kMs);
  g_assert_cmpint(tally.steady.losses * 100, <=, tally.steady.times);
  g_assert_cmpint(tally.even.losses * 50, <=, tally.even.times);
}

// A peer that returns the mark behind a clear late, or never: what a clear
// brought back was not played, and is said again.
void test_late_answer() {
  for (const int after : {20, 100, 180, 300, TwilioModel::kNever}) {
    const std::string name = "answered after " + std::to_string(after);
    const Tallies tally =
        thousand(name.c_str(),
                 {.timed = Timed::kYes, .uneven = true, .answer_after = after});
    g_assert_cmpint(tally.steady.times, >, 500);
    g_assert_cmpint(tally.steady.losses, ==, 0);
    g_assert_cmpint(tally.even.losses + tally.uneven.losses, ==, 0);
    g_assert_cmpint(tally.certain.beyond_one(), ==, 0);
    g_assert_cmpint(tally.certain.worst_ms, <=, 150);
    g_assert_cmpint(tally.certain.checks() * 10, >,
                    tally.in_the_end.checks() * 4);
    for (const Resumed *resumed : {&tally.steady, &tally.even, &tally.uneven})
      g_assert_cmpint(resumed->repeated, <=, 400 * kMs);
  }
}

// Words are placed by their share of up to 24 words that come as one.
void test_untimed_voice() {
  const Tallies tally =
      thousand("untimed", {.timed = Timed::kNo, .uneven = true});
  g_assert_cmpint(tally.in_the_end.beyond_one() * 50, <=,
                  tally.in_the_end.checks());
  g_assert_cmpint(tally.in_the_end.worst(), <=, 5);
  resumed_at_the_sample(tally);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"heard-text-of-a-thousand-interrupted-calls", test_even_voice},
      {"heard-text-of-an-uneven-voice", test_timed_voice},
      {"heard-text-over-a-line-with-jitter", test_jitter},
      {"heard-text-over-a-line-that-stalls", test_stalls},
      {"what-comes-back-is-the-same-of-different-histories", test_histories},
      {"heard-text-when-marks-come-at-once", test_echo_at_once},
      {"heard-text-when-a-clear-is-answered-late", test_late_answer},
      {"heard-text-of-a-voice-without-timings", test_untimed_voice},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func((std::string("/playout/") + name).c_str(), test);
  return g_test_run();
}
