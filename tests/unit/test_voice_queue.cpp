// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audio/mulaw.hpp"
#include "graph/voice_format.hpp"
#include "graph/voice_queue.hpp"

#include <gst/gst.h>

#include <cmath>

using namespace patchcord;
using graph::VoiceFormat;
using graph::VoiceQueue;

// All that may go out now, as words.
static std::string drain(VoiceQueue &queue) {
  std::string out;
  while (auto output = queue.next()) {
    out += out.empty() ? "" : " ";
    if (const auto *started = std::get_if<events::UtteranceStart>(&*output))
      out += "start" + std::to_string(started->utterance);
    else if (const auto *spoken = std::get_if<events::SpokenText>(&*output))
      out += std::to_string(spoken->utterance) + "\"" + spoken->text + "\"" +
             std::to_string(spoken->timings.size());
    else if (const auto *audio = std::get_if<Bytes>(&*output))
      out += std::string(audio->begin(), audio->end());
    else if (const auto *ended = std::get_if<events::UtteranceEnd>(&*output))
      out += "end" + std::to_string(ended->utterance);
    else
      out += GST_EVENT_TYPE_NAME(std::get<Ref<GstEvent>>(*output).get());
  }
  return out;
}

static void assert_out(VoiceQueue &queue, const char *expected) {
  const std::string out = drain(queue);
  g_assert_cmpstr(out.c_str(), ==, expected);
}

static Bytes sound(std::string_view text) { return {text.begin(), text.end()}; }

static void test_order() {
  VoiceQueue queue;
  queue.start({1, true});
  assert_out(queue, "start1");
  const auto hello = queue.text("Hello.");
  const auto there = queue.text("There.");
  queue.end({1});
  queue.start({2, false});
  const auto next = queue.text("Next.");
  queue.end({2});
  queue.pass(Ref<GstEvent>::adopt(gst_event_new_eos()));
  assert_out(queue, "");
  g_assert_true(queue.speaking());
  // The engine works on several texts at once.
  queue.audio(next, sound("NEXT"));
  queue.finished(next);
  assert_out(queue, "");
  queue.spoken(hello, "Hello.", {{0, 0}});
  queue.audio(hello, sound("HEL"));
  assert_out(queue, "1\"Hello.\"1 HEL");
  queue.audio(hello, sound("LO"));
  assert_out(queue, "LO");
  queue.spoken(there, "There.", {{0, 0}});
  queue.audio(there, sound("THERE"));
  assert_out(queue, "");
  queue.finished(hello);
  assert_out(queue, "1\"There.\"1 THERE");
  queue.finished(there);
  assert_out(queue, "end1 start2 2\"Next.\"0 NEXT end2 eos");
  g_assert_true(queue.empty());
  g_assert_false(queue.speaking());
}

static void test_pieces() {
  // A provider times a text in pieces.
  VoiceQueue queue;
  queue.start({7, true});
  const auto text = queue.text("One two three four.");
  queue.spoken(text, "One two", {{0, 0}, {4, 300}});
  queue.audio(text, sound("12"));
  queue.spoken(text, "three four.", {{0, 10}, {6, 400}});
  queue.audio(text, sound("34"));
  queue.finished(text);
  assert_out(queue, "start7 7\"One two\"2 12 7\"three four.\"2 34");
}

static void test_silent_texts() {
  VoiceQueue queue;
  queue.start({1, true});
  queue.end({1});
  assert_out(queue, "start1 end1");
  queue.start({2, true});
  const auto nothing = queue.text("...");
  queue.end({2});
  assert_out(queue, "start2");
  queue.audio(nothing, {});
  queue.finished(nothing);
  assert_out(queue, "end2");
  // Audio after the end of its text is not played behind what follows.
  queue.audio(nothing, sound("LATE"));
  assert_out(queue, "");
}

static void test_flush() {
  VoiceQueue queue;
  queue.start({1, true});
  const auto first = queue.text("First.");
  const auto second = queue.text("Second.");
  queue.audio(first, sound("FIR"));
  assert_out(queue, "start1 1\"First.\"0 FIR");
  queue.audio(first, sound("ST"));
  queue.end({1});
  queue.flush();
  g_assert_true(queue.empty());
  queue.audio(first, sound("LATE"));
  queue.spoken(second, "Second.", {});
  queue.audio(second, sound("LATE"));
  queue.finished(first);
  queue.finished(second);
  assert_out(queue, "");
  // Numbers of dropped texts do not come back, nor does the utterance.
  const auto third = queue.text("Third.");
  g_assert_cmpuint(third, !=, first);
  g_assert_cmpuint(third, !=, second);
  queue.audio(third, sound("THIRD"));
  queue.finished(third);
  assert_out(queue, "0\"Third.\"0 THIRD");
}

static void test_take_back() {
  VoiceQueue queue;
  const auto first = queue.text("First.");
  const auto second = queue.text("Second.");
  queue.audio(first, sound("FIR"));
  queue.audio(second, sound("SEC"));
  assert_out(queue, "0\"First.\"0 FIR");
  // Another engine takes over: the first has been heard, the second not.
  g_assert_false(queue.take_back(first));
  g_assert_true(queue.take_back(second));
  queue.spoken(first, "st.", {});
  queue.audio(first, sound("st"));
  queue.finished(first);
  queue.audio(second, sound("second"));
  queue.finished(second);
  assert_out(queue, "0\"st.\"0 st 0\"Second.\"0 second");
  g_assert_false(queue.take_back(second));
}

static void test_change_audio() {
  VoiceQueue queue;
  const auto first = queue.text("First.");
  const auto second = queue.text("Second.");
  queue.audio(second, sound("SEC"));
  queue.audio(second, sound("OND"));
  queue.change_audio([](Bytes &audio) { audio.push_back('!'); });
  queue.audio(first, sound("FIRST"));
  queue.finished(first);
  queue.finished(second);
  assert_out(queue, "0\"First.\"0 FIRST 0\"Second.\"0 SEC! OND!");
}

static void test_events_keep_their_place() {
  VoiceQueue queue;
  const auto text = queue.text("Text.");
  queue.pass(Ref<GstEvent>::adopt(events::make(events::Dtmf{"5"})));
  queue.audio(text, sound("TEXT"));
  assert_out(queue, "0\"Text.\"0 TEXT");
  queue.finished(text);
  assert_out(queue, "custom-downstream");
}

static void test_formats() {
  static const struct {
    const char *caps;
    bool known, mulaw;
    int rate;
    std::size_t ten_ms;
  } kRows[] = {
      {"audio/x-mulaw,rate=8000,channels=1", true, true, 8000, 80},
      {"audio/x-raw,format=S16LE,layout=interleaved,rate=22050,channels=1",
       true, false, 22050, 442},
      {"audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=1",
       true, false, 16000, 320},
      {"audio/x-raw,format=F32LE,layout=interleaved,rate=16000,channels=1",
       false, false, 0, 0},
      {"audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=2",
       false, false, 0, 0},
      {"audio/x-alaw,rate=8000,channels=1", false, false, 0, 0},
      {"audio/x-mulaw,channels=1", false, false, 0, 0},
  };
  for (const auto &row : kRows) {
    const auto caps = Ref<GstCaps>::adopt(gst_caps_from_string(row.caps));
    const auto format = VoiceFormat::from_caps(caps.get());
    g_test_message("%s", row.caps);
    g_assert_true(format.has_value() == row.known);
    if (!format)
      continue;
    g_assert_true(format->mulaw == row.mulaw);
    g_assert_cmpint(format->rate, ==, row.rate);
    g_assert_cmpuint(format->bytes_in_ms(10), ==, row.ten_ms);
    g_assert_cmpuint(format->silence(10).size(), ==, row.ten_ms);
    g_assert_cmpuint(
        format->duration(static_cast<std::uint64_t>(format->rate) * 3), ==,
        3 * GST_SECOND);
    const auto back = format->caps();
    g_assert_true(gst_caps_is_equal(caps.get(), back.get()));
  }
}

static std::vector<std::int16_t> tone(int rate, double hz, double seconds,
                                      double amplitude) {
  std::vector<std::int16_t> samples;
  const auto count = static_cast<std::size_t>(rate * seconds);
  for (std::size_t i = 0; i < count; ++i)
    samples.push_back(static_cast<std::int16_t>(std::lround(
        amplitude * std::sin(2 * G_PI * hz * static_cast<double>(i) / rate))));
  return samples;
}

// A tone comes out of each conversion at its own place, height and strength.
static void test_conversion() {
  const auto samples = tone(22050, 440, 0.5, 12000);
  static const VoiceFormat kFormats[] = {{true, 8000},   {false, 8000},
                                         {false, 16000}, {false, 22050},
                                         {false, 24000}, {false, 44100}};
  for (const VoiceFormat &format : kFormats) {
    g_test_message("%s %d", format.mulaw ? "mu-law" : "S16LE", format.rate);
    const Bytes out = graph::convert_speech(samples, 22050, format);
    const auto expected = tone(format.rate, 440, 0.5, 12000);
    g_assert_cmpuint(out.size(), ==, expected.size() * format.sample_bytes());
    double error = 0, energy = 0;
    // The edges ring: a tone that begins at full strength is not speech.
    for (std::size_t i = 100; i + 100 < expected.size(); ++i) {
      const int sample =
          format.mulaw
              ? audio::mulaw_to_linear(out[i])
              : static_cast<std::int16_t>(out[2 * i] | out[2 * i + 1] << 8);
      error += std::pow(sample - expected[i], 2);
      energy += std::pow(expected[i], 2);
    }
    const double noise_db = 10 * std::log10(error / energy + 1e-12);
    g_test_message("error %.1f dB", noise_db);
    // The resampler's own offset, 12 us at most, is -30 dB at 440 Hz; one
    // sample off would be -9 dB.
    g_assert_cmpfloat(noise_db, <, -28);
  }
  g_assert_true(graph::convert_speech({}, 22050, {true, 8000}).empty());
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  g_test_add_func("/voice-queue/audio-comes-out-in-the-order-of-the-texts",
                  test_order);
  g_test_add_func("/voice-queue/a-text-may-be-announced-in-pieces",
                  test_pieces);
  g_test_add_func("/voice-queue/an-utterance-without-sound-still-ends",
                  test_silent_texts);
  g_test_add_func("/voice-queue/nothing-flushed-comes-back", test_flush);
  g_test_add_func("/voice-queue/another-engine-may-take-over", test_take_back);
  g_test_add_func("/voice-queue/audio-that-waits-can-be-made-over",
                  test_change_audio);
  g_test_add_func("/voice-queue/other-events-keep-their-place",
                  test_events_keep_their_place);
  g_test_add_func("/voice-format/caps-and-sizes", test_formats);
  g_test_add_func("/voice-format/a-tone-stays-the-same-tone", test_conversion);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
