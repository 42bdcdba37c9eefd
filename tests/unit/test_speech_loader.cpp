// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/speech_loader.hpp"
#include "phone/wav.hpp"
#include "phone/wav_reader.hpp"

#include "../support/check_text.hpp"
#include "../support/temp_dir.hpp"
#include "audio/mulaw.hpp"

#include <glib.h>
#include <gst/gst.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// What becomes of a caller's WAV files.
using namespace patchcord;
using namespace patchcord::phone;

namespace {

constexpr std::uint32_t kWhole = 0xffffffff; // the chunk's true length

struct Shape {
  int tag = 1, channels = 1, rate = 8000, bits = 16;
  std::string extra; // behind the format
};

std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, value >>= 8)
    text += static_cast<char>(value & 0xff);
  return text;
}

std::string chunk(const std::string &name, const std::string &content,
                  std::uint32_t told = kWhole) {
  return name + number(told == kWhole ? content.size() : told, 4) + content +
         (content.size() % 2 != 0 ? std::string(1, '\0') : "");
}

std::string format(const Shape &shape) {
  const int block = shape.channels * shape.bits / 8;
  std::string text = number(shape.tag, 2) + number(shape.channels, 2) +
                     number(shape.rate, 4) + number(shape.rate * block, 4) +
                     number(block, 2) + number(shape.bits, 2);
  if (shape.tag != 1)
    text += number(shape.extra.size(), 2) + shape.extra;
  return chunk("fmt ", text);
}

std::string riff(const std::string &chunks, std::uint32_t told = kWhole) {
  return "RIFF" + number(told == kWhole ? chunks.size() + 4 : told, 4) +
         "WAVE" + chunks;
}

// A second of a tone, as `sample` writes it.
template <typename F> std::string tone(int rate, F &&sample) {
  std::string text;
  for (int i = 0; i < rate; ++i)
    text += sample(static_cast<std::int16_t>(8000 * std::sin(i * 0.4)));
  return text;
}

std::string linear(std::int16_t value) {
  return number(static_cast<std::uint16_t>(value), 2);
}
std::string mulaw(std::int16_t value) {
  return {static_cast<char>(audio::linear_to_mulaw(value))};
}
// G.711, table 1: the sign, the segment and four bits of what is in it, every
// other bit inverted.
std::string alaw(std::int16_t value) {
  int size = (value < 0 ? -value - 1 : value) >> 4;
  int segment = size < 16 ? 0 : 1;
  for (; size >= 32; size >>= 1)
    ++segment;
  const int code = (value >= 0 ? 0x80 : 0) | segment << 4 | (size & 15);
  return {static_cast<char>(code ^ 0x55)};
}

// Of GUID_AUDIO: the format is its first two bytes.
std::string extension(int tag) {
  return number(16, 2) + number(4, 4) + number(tag, 2) +
         std::string("\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71", 14);
}

class Folder {
public:
  std::string write(const std::string &content) const {
    g_assert_true(write_file(path(), as_bytes(content)).ok());
    return path();
  }
  std::string path() const { return folder_ / "x.wav"; }
  const std::string &folder() const { return folder_.path(); }

private:
  test::TempDir folder_;
};

// Root mean square.
double loudness(const Bytes &sound) {
  double sum = 0;
  for (const std::uint8_t each : sound)
    sum += std::pow(audio::mulaw_to_linear(each), 2);
  return std::sqrt(sum / static_cast<double>(sound.size()));
}

void test_takes_what_a_wav_may_hold() {
  const std::string pcm = tone(16'000, linear);
  const Shape wide{1, 1, 16'000, 16, {}};
  const std::pair<const char *, std::string> files[] = {
      {"PCM", riff(format(wide) + chunk("data", pcm))},
      {"extensible PCM", riff(format({0xfffe, 1, 16'000, 16, extension(1)}) +
                              chunk("data", pcm))},
      {"mu-law",
       riff(format({7, 1, 8000, 8, {}}) + chunk("data", tone(8000, mulaw)))},
      {"A-law",
       riff(format({6, 1, 8000, 8, {}}) + chunk("data", tone(8000, alaw)))},
      {"a chunk of odd length before it",
       riff(format(wide) + chunk("junk", "odd") + chunk("data", pcm))},
      {"notes before and behind it",
       riff(format(wide) + chunk("LIST", "INFO" + chunk("ISFT", "Lavf59.27")) +
            chunk("data", pcm) +
            chunk("LIST", "INFO" + chunk("ICMT", std::string(999, 'c'))))},
      {"no length, from a pipe", riff(format(wide) + chunk("data", pcm, 0), 0)},
      {"a length near 2 GB, from a pipe",
       riff(format(wide) + chunk("data", pcm, 0x7ffff000))},
  };
  const Folder folder;
  for (const auto &[name, content] : files) {
    g_test_message("%s", name);
    const auto speech = load_wav(folder.write(content));
    if (!speech)
      g_error("%s: %s", name, speech.error().message.c_str());
    g_assert_cmpint(std::abs(static_cast<int>((*speech)->mulaw.size()) - 8000),
                    <=, 80);
    g_assert_cmpfloat_with_epsilon(loudness((*speech)->mulaw), 5657, 250);
  }
}

void test_refuses_others_in_words() {
  const std::string some(1024, '\x21');
  const Shape pcm;
  const std::pair<std::string, const char *> files[] = {
      {riff(format({2, 1, 8000, 4, std::string(32, '\0')}) +
            chunk("data", some)),
       "is in MS ADPCM: expected PCM, float, mu-law or A-law"},
      {riff(format({0x11, 1, 8000, 4, "\xf9\x01"}) + chunk("data", some)),
       "is in IMA ADPCM: expected PCM, float, mu-law or A-law"},
      {riff(format({0xfffe, 1, 8000, 4, extension(2)}) + chunk("data", some)),
       "is in MS ADPCM: expected PCM, float, mu-law or A-law"},
      {riff(format({0x92, 1, 8000, 16, {}}) + chunk("data", some)),
       "is in format 0x0092: expected PCM, float, mu-law or A-law"},
      {riff(format({1, 0, 8000, 16, {}}) + chunk("data", some)),
       "has a format with no channels, or no rate"},
      {riff(chunk("fmt ", "short") + chunk("data", some)),
       "has a format that is too short for a WAV file"},
      {riff(chunk("data", some)), "has no format (\"fmt \") before its sound"},
      {riff(format(pcm) + chunk("data", "")),
       "has no audio: there is nothing behind its header"},
      {riff(format(pcm) + chunk("data", "") + chunk("LIST", some)),
       "has no audio: there is nothing behind its header"},
      {riff(format({0xfffe, 1, 8000, 8, extension(7)}) + chunk("data", some)),
       "has mu-law or A-law behind an extensible header: expected a plain one"},
      {riff(format(pcm) + chunk("data", some, 4096)),
       "is cut off: its header tells of 4096 bytes of sound, 1024 are there"},
      {riff(format(pcm) + chunk("data", some)).substr(0, 30),
       "ends within its header: expected a whole WAV file"},
      {riff(format(pcm)), "ends within its header: expected a whole WAV file"},
      {riff(chunk("LIST", some, 0xfffffff0) + format(pcm)),
       "ends within its header: expected a whole WAV file"},
      {"a text, and no sound at all",
       "is no WAV file: expected RIFF and WAVE at its beginning"},
      {"", "is empty: expected a WAV file"},
  };
  for (const auto &[content, expected] : files) {
    const auto coding = inspect_wav(as_bytes(content));
    CHECK_TEXT(coding ? "taken" : coding.error().message, expected);
  }
  // The file is named.
  const Folder folder;
  const auto speech = load_wav(folder.write("no sound"));
  CHECK_TEXT(speech ? "taken" : speech.error().message,
             '"' + folder.path() +
                 "\" is no WAV file: expected RIFF and WAVE at its beginning");
}

void test_tells_why_a_file_is_not_read() {
  const Folder folder;
  const auto missing = load_wav(folder.path());
  CHECK_TEXT(missing ? "taken" : missing.error().message,
             "cannot open \"" + folder.path() +
                 "\": No such file or directory");
  const auto directory = load_wav(folder.folder());
  CHECK_TEXT(directory ? "taken" : directory.error().message,
             "cannot read \"" + folder.folder() + "\": Is a directory");
}

// What only GStreamer finds wrong is told when it does, not after a patience.
void test_a_pipeline_s_error_comes_at_once() {
  std::string content =
      riff(format(Shape()) + chunk("data", std::string(1024, '\x21')));
  content.replace(32, 2, 2, '\0'); // the length of a frame
  const Folder folder;
  const std::string path = folder.write(content);
  const auto before = std::chrono::steady_clock::now();
  const auto speech = load_wav(path);
  g_assert_true(std::chrono::steady_clock::now() - before < 5s);
  g_assert_false(speech.ok());
  g_assert_true(speech.error().message.starts_with(
      '"' + path + "\" cannot be played: GStreamer says: "));
}

void test_an_error_names_its_line() {
  Script script;
  g_assert_true(script.add_text("# a caller\n\nwav none.wav\n", "a.txt").ok());
  const auto plan = load_plan(script);
  CHECK_TEXT(plan ? "taken" : plan.error().message,
             "a.txt:3: wav: cannot open \"none.wav\": No such file or "
             "directory");
  Script option;
  g_assert_true(option.add("wav", "none.wav").ok());
  const auto planned = load_plan(option);
  CHECK_TEXT(planned ? "taken" : planned.error().message,
             "--wav: cannot open \"none.wav\": No such file or directory");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  const std::pair<const char *, void (*)()> tests[] = {
      {"takes-what-a-wav-may-hold", test_takes_what_a_wav_may_hold},
      {"refuses-others-in-words", test_refuses_others_in_words},
      {"tells-why-a-file-is-not-read", test_tells_why_a_file_is_not_read},
      {"a-pipeline-s-error-comes-at-once",
       test_a_pipeline_s_error_comes_at_once},
      {"an-error-names-its-line", test_an_error_names_its_line},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func((std::string("/speech-loader/") + name).c_str(), test);
  return g_test_run();
}
