// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/audio_backlog.hpp"

#include <glib.h>

#include <cmath>
#include <cstdlib>

using namespace patchcord;
using openai::AudioBacklog;

namespace {

// A tone of 300 Hz, as 16-bit PCM at 24 kHz, from `first` on.
Bytes tone(std::size_t first, std::size_t samples) {
  Bytes out;
  for (std::size_t i = first; i < first + samples; ++i) {
    const auto value = static_cast<std::int16_t>(
        8000 * std::sin(2 * M_PI * 300 * static_cast<double>(i) / 24000));
    out.push_back(static_cast<std::uint8_t>(value & 0xff));
    out.push_back(static_cast<std::uint8_t>(value >> 8 & 0xff));
  }
  return out;
}

int sample(const Bytes &pcm, std::size_t i) {
  return static_cast<std::int16_t>(pcm[2 * i] | pcm[2 * i + 1] << 8);
}

} // namespace

static void test_pieces_come_back_whole() {
  AudioBacklog backlog;
  const Bytes all = tone(0, 10000);
  for (std::size_t at = 0; at < all.size(); at += 700) {
    const std::size_t size = std::min<std::size_t>(700, all.size() - at);
    backlog.append(ByteSpan(all).subspan(at, size));
  }
  g_assert_cmpint(backlog.end(), ==, 20000);
  g_assert_true(backlog.range(0, 20000) == all);
  g_assert_true(backlog.range(2398, 4802) ==
                Bytes(all.begin() + 2398, all.begin() + 4802));
  g_assert_true(backlog.range(19990, 99999) ==
                Bytes(all.begin() + 19990, all.end()));
  g_assert_true(backlog.range(500, 500).empty());
}

static void test_what_is_dropped_is_gone() {
  AudioBacklog backlog;
  const Bytes all = tone(0, 10000);
  backlog.append(all);
  backlog.drop_before(7000);
  backlog.drop_before(6000); // never back
  g_assert_cmpint(backlog.begin(), ==, 7000);
  g_assert_true(backlog.range(0, 20000) ==
                Bytes(all.begin() + 7000, all.end()));
  g_assert_cmpuint(backlog.held_bytes(), <, 20000);
  backlog.drop_before(1'000'000);
  g_assert_cmpint(backlog.begin(), ==, 20000);
  g_assert_cmpuint(backlog.held_bytes(), ==, 0);
  const Bytes mulaw(100, 0x55);
  backlog.append(mulaw);
  g_assert_true(backlog.range(20000, 20100) == mulaw);
}

static void test_packed_audio_is_small_and_sounds_the_same() {
  AudioBacklog backlog;
  constexpr std::size_t kSeconds = 4;
  for (std::size_t at = 0; at < kSeconds * 24000; at += 480) {
    backlog.append(tone(at, 480));
    backlog.pack_before(backlog.end());
  }
  g_assert_cmpuint(backlog.held_bytes(), <, kSeconds * 8000 + 2 * 2400);
  const Bytes original = tone(0, kSeconds * 24000);
  const Bytes held = backlog.range(0, backlog.end());
  g_assert_cmpuint(held.size(), ==, original.size());
  double error = 0, power = 0;
  for (std::size_t i = 0; i < held.size() / 2; ++i) {
    error += std::pow(sample(held, i) - sample(original, i), 2);
    power += std::pow(sample(original, i), 2);
  }
  // Mu-law's own noise is at -37 dB.
  g_assert_cmpfloat(10 * std::log10(power / error), >, 30.0);
}

static void test_what_is_not_sent_is_not_packed() {
  AudioBacklog backlog;
  const Bytes all = tone(0, 6000);
  backlog.append(all);
  backlog.pack_before(5999); // 999 groups of three samples, not the 1000th
  g_assert_true(backlog.range(5994, 12000) ==
                Bytes(all.begin() + 5994, all.end()));
  g_assert_true(backlog.range(5988, 5994) !=
                Bytes(all.begin() + 5988, all.begin() + 5994));
}

// In pieces of any size, packed and dropped at any place: what comes out is
// what went in, to mu-law's precision.
static void test_pieces_of_any_size() {
  GRand *random = g_rand_new_with_seed(7);
  AudioBacklog backlog;
  const Bytes all = tone(0, 40000);
  std::int64_t packed = 0;
  for (std::size_t at = 0; at < all.size();) {
    const auto size = std::min<std::size_t>(
        2 * static_cast<std::size_t>(g_rand_int_range(random, 1, 2000)),
        all.size() - at);
    backlog.append(ByteSpan(all).subspan(at, size));
    at += size;
    const auto place = [&] {
      return 2 * g_rand_int_range(random, static_cast<int>(backlog.begin() / 2),
                                  static_cast<int>(backlog.end() / 2) + 1);
    };
    if (g_rand_boolean(random)) {
      const int to = place();
      backlog.pack_before(to);
      packed = std::max<std::int64_t>(packed, to);
    }
    if (g_rand_int_range(random, 0, 4) == 0)
      backlog.drop_before(place());
    const std::int64_t from = place(), to = place();
    const Bytes out = backlog.range(from, to);
    g_assert_cmpint(static_cast<int>(out.size()), ==,
                    static_cast<int>(std::max<std::int64_t>(to - from, 0)));
    for (std::size_t i = 0; i < out.size() / 2; ++i) {
      const auto index = static_cast<std::size_t>(from) / 2 + i;
      const int error = std::abs(sample(out, i) - sample(all, index));
      // The first and the last group have a neighbour on one side alone.
      g_assert_cmpint(error, <=,
                      static_cast<std::int64_t>(2 * index) < packed ? 700 : 0);
    }
  }
  g_rand_free(random);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/audio-backlog/pieces-come-back-whole",
                  test_pieces_come_back_whole);
  g_test_add_func("/audio-backlog/what-is-dropped-is-gone",
                  test_what_is_dropped_is_gone);
  g_test_add_func("/audio-backlog/packed-audio-is-small-and-sounds-the-same",
                  test_packed_audio_is_small_and_sounds_the_same);
  g_test_add_func("/audio-backlog/what-is-not-sent-is-not-packed",
                  test_what_is_not_sent_is_not_packed);
  g_test_add_func("/audio-backlog/pieces-of-any-size", test_pieces_of_any_size);
  return g_test_run();
}
