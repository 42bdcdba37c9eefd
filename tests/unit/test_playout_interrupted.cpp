// SPDX-License-Identifier: LGPL-2.1-or-later
#include "playout_line.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
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
};

// Reports, by how many words they were off, and the worst in time.
struct Tally {
  std::array<int, 10> off{};
  std::int64_t worst_ms = 0;
  int leftovers = 0; // times anything was played behind a clear
  int checks() const { return std::accumulate(off.begin(), off.end(), 0); }
  int beyond_one() const { return checks() - off[0] - off[1]; }
  int worst() const {
    int worst = 9;
    while (worst > 0 && off[static_cast<std::size_t>(worst)] == 0)
      --worst;
    return worst;
  }
};

class InterruptedCall {
public:
  InterruptedCall(unsigned seed, const Variant &variant, Tally &tally)
      : seed_(seed), variant_(variant), tally_(tally), random_(seed) {
    there_ = below(150);
    const int back = below(150);
    jitter_ = below(3) == 0 ? 1 + below(60) : 0;
    const bool echoes = below(6) != 0;
    line_.peer.echo_at_once = variant.echo_at_once;
    line_.peer.there = [this] {
      int there = there_;
      if (variant_.jitter != 0)
        there += below(variant_.jitter);
      if (variant_.stall != 0 && below(40) == 0)
        there += variant_.stall;
      return there;
    };
    line_.peer.back = [this, back, echoes] {
      return echoes ? back + (jitter_ != 0 ? below(jitter_ + 1) : 0)
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
      hold();
      talk(below(4) == 0 ? 0 : below(2500));
      if (i + 1 == holds && below(2) == 0)
        return flush();
      line_.playout.resume(line_.now());
    }
    while (!over() && line_.ms < 200'000)
      talk(100);
    g_assert_true(over());
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

  void hold() {
    line_.collect();
    const std::size_t before = line_.events.size();
    line_.playout.hold(line_.now());
    check_silence();
    line_.collect();
    // All that was told before it: an end that the clock knew.
    if (line_.events.size() > before)
      check_text(line_.events[before]);
  }

  void flush() {
    line_.playout.flush(line_.now());
    check_silence();
    line_.collect();
    if (line_.events.back().what == PlayoutEvent::What::kCut)
      check_text(line_.events.back());
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

  void check_text(const PlayoutEvent &event) {
    const std::size_t played = line_.peer.heard.size();
    const auto truth =
        std::count_if(words_.begin(), words_.end(), [played](const Word &word) {
          return word.end <= played;
        });
    const auto said = split(event.heard_text, ' ');
    const auto count =
        event.heard_text.empty() ? 0 : static_cast<std::ptrdiff_t>(said.size());
    g_assert_cmpint(count, <=, static_cast<int>(words_.size()));
    for (std::ptrdiff_t i = 0; i < count; ++i)
      g_assert_true(said[static_cast<std::size_t>(i)] ==
                    words_[static_cast<std::size_t>(i)].text);
    const int off = static_cast<int>(std::abs(truth - count));
    ++tally_.off[static_cast<std::size_t>(std::min(off, 9))];
    const auto heard = std::min<std::size_t>(played, total_);
    tally_.worst_ms =
        std::max(tally_.worst_ms,
                 std::abs(static_cast<std::int64_t>(heard) -
                          static_cast<std::int64_t>(event.heard_samples)) /
                     8);
    if (off > 1)
      g_test_message("seed %u: %d words were heard, %d were told; %d samples "
                     "of %d, told %d",
                     seed_, static_cast<int>(truth), static_cast<int>(count),
                     static_cast<int>(played), static_cast<int>(total_),
                     static_cast<int>(event.heard_samples));
  }

  // Not a sample was lost, said twice, or in another order.
  void check_all() {
    Bytes heard = line_.peer.heard;
    heard.erase(std::remove(heard.begin(), heard.end(), 0xff), heard.end());
    if (variant_.jitter + variant_.stall != 0)
      return; // Which the peer's clock does not tell to the sample.
    if (variant_.echo_at_once) { // A mark may be believed 20 ms too soon.
      const auto off = static_cast<std::int64_t>(heard.size()) -
                       static_cast<std::int64_t>(total_);
      g_assert_cmpint(std::abs(off), <=, 4 * 160); // each time it was held
      return;
    }
    if (jitter_ != 0) { // Marks that come late move the clock by as much.
      const auto off = std::abs(static_cast<std::int64_t>(heard.size()) -
                                static_cast<std::int64_t>(total_));
      g_assert_cmpint(off, <=, 4 * (jitter_ + 2) * 8);
      return;
    }
    g_assert_cmpuint(heard.size(), ==, total_);
    for (std::size_t i = 0; i < total_; ++i)
      g_assert_cmpuint(heard[i], ==, sample_of(i));
  }

  const unsigned seed_;
  const Variant variant_;
  Tally &tally_;
  std::mt19937 random_;
  Line line_;
  int there_ = 0, jitter_ = 0;
  std::vector<Segment> segments_;
  std::vector<Word> words_;
  std::size_t total_ = 0, fast_ = 0; // samples; a millisecond
  std::size_t next_ = 0, spoken_ = 0, made_ = 0;
};

Tally thousand(const char *name, const Variant &variant) {
  Tally tally;
  for (unsigned seed = 1; seed <= 1000; ++seed)
    InterruptedCall(seed, variant, tally).run();
  g_test_message("%s: %d reports of what was heard, %d off by more than one "
                 "word, by %d at worst, and by %d ms; %d times anything was "
                 "played behind a clear",
                 name, tally.checks(), tally.beyond_one(), tally.worst(),
                 static_cast<int>(tally.worst_ms), tally.leftovers);
  g_assert_cmpint(tally.checks(), >, 1000);
  g_assert_cmpint(tally.leftovers, ==, 0);
  return tally;
}

void within_one_word(const Tally &tally) {
  g_assert_cmpint(tally.beyond_one(), ==, 0);
}

// An even voice, of which half the sentences tell no timings.
void test_even_voice() { within_one_word(thousand("even", {})); }

void test_timed_voice() {
  within_one_word(thousand("timed", {.timed = Timed::kYes, .uneven = true}));
}

// A way there that takes up to 100 ms longer, differently for each message: of
// a clear as well, and what is heard until it comes cannot be known.
void test_jitter() {
  const Tally tally =
      thousand("jitter", {.timed = Timed::kYes, .uneven = true, .jitter = 100});
  g_assert_cmpint(tally.beyond_one() * 200, <=, tally.checks());
  g_assert_cmpint(tally.worst(), <=, 2);
}

// A connection that stands still for longer than the peer has audio. Nothing
// tells it until two marks are late, and a clear may stand still as well: so
// long is what is told wrong, and no longer.
void test_stalls() {
  constexpr int kStall = 600;
  const Tally tally = thousand(
      "stalls", {.timed = Timed::kYes, .uneven = true, .stall = kStall});
  g_assert_cmpint(tally.beyond_one() * 25, <=, tally.checks());
  g_assert_cmpint(tally.worst_ms, <=, 2 * kStall);
}

void test_echo_at_once() {
  within_one_word(
      thousand("marks at once",
               {.timed = Timed::kYes, .uneven = true, .echo_at_once = true}));
}

// Words are placed by their share of up to 24 words that come as one.
void test_untimed_voice() {
  const Tally tally =
      thousand("untimed", {.timed = Timed::kNo, .uneven = true});
  g_assert_cmpint(tally.beyond_one() * 50, <=, tally.checks());
  g_assert_cmpint(tally.worst(), <=, 3);
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
      {"heard-text-when-marks-come-at-once", test_echo_at_once},
      {"heard-text-of-a-voice-without-timings", test_untimed_voice},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func((std::string("/playout/") + name).c_str(), test);
  return g_test_run();
}
