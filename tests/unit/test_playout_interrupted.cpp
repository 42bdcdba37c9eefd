// SPDX-License-Identifier: LGPL-2.1-or-later
#include "playout_line.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

// A thousand calls with random voices, networks and interruptions: what was
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

class InterruptedCall {
public:
  explicit InterruptedCall(unsigned seed) : seed_(seed), random_(seed) {
    there_ = below(150);
    const int back = below(150);
    jitter_ = below(3) == 0 ? 1 + below(60) : 0;
    const bool echoes = below(6) != 0;
    line_.peer.there = [this] { return there_; };
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

  static int worst_words, checks, leftovers;

private:
  int below(int limit) {
    return static_cast<int>(random_() % static_cast<unsigned>(limit));
  }

  // A reply of some sentences, and the voice that speaks it.
  void write() {
    const int rate = 50 + below(30); // ms a character
    for (int left = 1 + below(5); left > 0; --left) {
      Segment segment;
      const bool timed = below(2) == 0;
      for (int words = 1 + below(9); words > 0; --words) {
        std::string word(1 + static_cast<std::size_t>(below(9)), 'x');
        const std::size_t at =
            segment.text.empty() ? 0 : segment.text.size() + 1;
        const auto ms =
            static_cast<std::uint32_t>(at) * static_cast<std::uint32_t>(rate);
        if (timed)
          segment.timings.push_back({static_cast<std::uint32_t>(at), ms});
        segment.text += (at == 0 ? "" : " ") + word;
        words_.push_back({word, total_ + segment.text.size() *
                                             static_cast<std::size_t>(rate) *
                                             8});
      }
      segment.samples =
          segment.text.size() * static_cast<std::size_t>(rate) * 8 +
          static_cast<std::size_t>(below(800));
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
    g_assert_cmpuint(line_.peer.queued(), ==, 0);
    const std::size_t heard = line_.peer.heard.size();
    talk(150);
    if (line_.peer.heard.size() != heard)
      ++leftovers;
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
    worst_words = std::max(worst_words, off);
    ++checks;
    if (off > 1)
      g_error("seed %u: %d words were heard, %d were told; %d samples of %d, "
              "told %d",
              seed_, static_cast<int>(truth), static_cast<int>(count),
              static_cast<int>(played), static_cast<int>(total_),
              static_cast<int>(event.heard_samples));
  }

  // Not a sample was lost, said twice, or in another order.
  void check_all() {
    Bytes heard = line_.peer.heard;
    heard.erase(std::remove(heard.begin(), heard.end(), 0xff), heard.end());
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
  std::mt19937 random_;
  Line line_;
  int there_ = 0, jitter_ = 0;
  std::vector<Segment> segments_;
  std::vector<Word> words_;
  std::size_t total_ = 0, fast_ = 0; // samples; a millisecond
  std::size_t next_ = 0, spoken_ = 0, made_ = 0;
};

int InterruptedCall::worst_words = 0;
int InterruptedCall::checks = 0;
int InterruptedCall::leftovers = 0;

void test_thousand() {
  for (unsigned seed = 1; seed <= 1000; ++seed)
    InterruptedCall(seed).run();
  g_test_message("%d reports of what was heard, off by %d words at worst; %d "
                 "times anything was played behind a clear",
                 InterruptedCall::checks, InterruptedCall::worst_words,
                 InterruptedCall::leftovers);
  g_assert_cmpint(InterruptedCall::checks, >, 1000);
  g_assert_cmpint(InterruptedCall::leftovers, ==, 0);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/playout/heard-text-of-a-thousand-interrupted-calls",
                  test_thousand);
  return g_test_run();
}
