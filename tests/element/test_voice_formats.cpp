// SPDX-License-Identifier: LGPL-2.1-or-later
#include "voice_rows.hpp"

#include <algorithm>

using namespace patchcord;

// The formats of every voice, and what becomes of them when downstream changes
// its mind.
namespace {

constexpr char k16k[] =
    "audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=1";
constexpr char kMulaw[] = "audio/x-mulaw,rate=8000,channels=1";
constexpr char kSaid[] = "One two three four five six.";

// Whether all audio is in these caps.
bool all_in(VoiceBench &bench, const char *caps) {
  const auto parsed = Ref<GstCaps>::adopt(gst_caps_from_string(caps));
  const GstStructure *format = gst_caps_get_structure(parsed.get(), 0);
  int rate = 0;
  gst_structure_get_int(format, "rate", &rate);
  const bool mulaw = gst_structure_has_name(format, "audio/x-mulaw") != FALSE;
  const auto items = bench.items();
  return std::all_of(items.begin(), items.end(), [&](const auto &item) {
    return item.name != "audio" || (item.mulaw == mulaw && item.rate == rate);
  });
}

// The same text says the same in any format.
void assert_sounds_like(VoiceBench &bench, GstClockTime length, double level) {
  g_assert_cmpfloat_with_epsilon(static_cast<double>(bench.length()),
                                 static_cast<double>(length),
                                 0.02 * static_cast<double>(length));
  g_assert_cmpfloat_with_epsilon(bench.level(), level, 1.5);
}

void test_refused_caps_of_text(const Voice &voice) {
  VoiceCall call(voice);
  call.bench.play();
  const auto caps = Ref<GstCaps>::adopt(
      gst_caps_from_string("text/x-raw, format=pango-markup"));
  call.bench.push(gst_event_new_caps(caps.get()));
  g_assert_cmpint(call.bench.say("<b>Hello.</b>"), ==, GST_FLOW_NOT_NEGOTIATED);
  call.worker->run_for(1s);
  assert_equal(call.bench.shape(), "");
}

void test_refused_caps_of_audio(const Voice &voice) {
  VoiceCall call(voice);
  call.bench.take("audio/x-alaw,rate=8000,channels=1");
  call.bench.play();
  call.bench.utterance(1, {"Hello."});
  call.worker->run_for(5s);
  g_assert_cmpuint(call.bench.messages(GST_MESSAGE_ERROR), ==, 1);
}

void test_flow_errors(const Voice &voice) {
  static const struct {
    GstFlowReturn flow;
    unsigned errors;
  } kRows[] = {
      {GST_FLOW_EOS, 0}, {GST_FLOW_NOT_NEGOTIATED, 1}, {GST_FLOW_FLUSHING, 0}};
  for (const auto &row : kRows) {
    g_test_message("%s", gst_flow_get_name(row.flow));
    VoiceCall call(voice);
    call.bench.play();
    call.bench.set_flow(row.flow);
    call.bench.utterance(1, {"Hello."});
    call.worker->run_for(3s);
    g_assert_cmpuint(call.bench.messages(GST_MESSAGE_ERROR), ==, row.errors);
    // Downstream that is being stopped is no reason to stay silent for ever.
    g_assert_cmpint(call.bench.say("More."), ==,
                    row.flow == GST_FLOW_FLUSHING ? GST_FLOW_OK : row.flow);
  }
}

// RECONFIGURE between two utterances: the next is in the new format; and again
// back.
void test_format_between_utterances(const Voice &voice) {
  VoiceCall call(voice, nullptr, k16k);
  call.bench.play();
  GstClockTime length = 0;
  double level = 0;
  std::uint32_t number = 0;
  for (const char *caps : {k16k, kMulaw, k16k, voice.favourite}) {
    g_test_message("%s", caps);
    if (number != 0)
      call.bench.take(caps);
    call.worker->run_for(2s);
    call.bench.clear();
    call.bench.utterance(++number, {kSaid});
    call.bench.await("end:" + std::to_string(number));
    call.worker->run_for(1s);
    g_assert_true(all_in(call.bench, caps));
    if (number == 1) {
      length = call.bench.length();
      level = call.bench.level();
    }
    assert_sounds_like(call.bench, length, level);
  }
  call.did_not_fail();
}

// Within one, by who does not take the old format any more: at once, and not a
// word is lost.
void test_format_within_an_utterance(const Voice &voice) {
  GstClockTime length = 0;
  double level = 0;
  for (const std::size_t buffers : {0, 1, 9}) { // until it changes; 0: never
    VoiceCall call(voice, nullptr, k16k);
    call.bench.play();
    std::size_t came = 0;
    std::function<void()> count = [&] {
      if (++came == buffers)
        call.bench.take(kMulaw);
      else
        call.bench.on_audio(count);
    };
    call.bench.on_audio(count);
    call.bench.utterance(1, {kSaid, kSaid});
    call.bench.utterance(2, {kSaid});
    const std::string said = std::string(kSaid) + " " + kSaid;
    call.expect("segment start:1 [" + said + "] end:1 closing start:2 [" +
                kSaid + "] end:2 closing eos");
    if (buffers == 0) {
      length = call.bench.length();
      level = call.bench.level();
      continue;
    }
    assert_sounds_like(call.bench, length, level);
    GstClockTime next = 0;
    std::size_t in_16k = 0;
    for (const auto &item : call.bench.items()) {
      if (item.name != "audio")
        continue;
      in_16k += item.mulaw ? 0 : 1;
      // The line goes on where it was.
      if (!item.discont)
        g_assert_cmpuint(item.pts, ==, next);
      next = item.pts + item.duration;
    }
    g_assert_cmpuint(in_16k, ==, buffers);
    call.did_not_fail();
  }
}

// By who takes the old one as well: behind the utterance.
void test_format_behind_an_utterance(const Voice &voice) {
  VoiceCall call(voice, nullptr, k16k);
  call.bench.play();
  const std::string both = std::string(voice.favourite) + ";" + k16k;
  call.bench.on_audio([&] { call.bench.take(both.c_str()); });
  call.bench.utterance(1, {kSaid});
  call.bench.await("end:1");
  call.worker->run_for(1s);
  g_assert_true(all_in(call.bench, k16k));
  call.bench.clear();
  call.bench.utterance(2, {kSaid});
  call.expect(std::string("start:2 [") + kSaid + "] end:2 closing eos");
  g_assert_true(all_in(call.bench, voice.favourite));
  call.did_not_fail();
}

// Nothing has changed, or nothing can be had: no new caps.
void test_format_stays(const Voice &voice) {
  VoiceCall call(voice, nullptr, k16k);
  call.bench.play();
  call.bench.utterance(1, {"One."});
  call.bench.await("end:1");
  call.bench.take(k16k);
  call.worker->run_for(2s);
  call.bench.utterance(2, {"Two."});
  call.bench.await("end:2");
  const auto items = call.bench.items();
  g_assert_cmpint(
      std::count_if(items.begin(), items.end(),
                    [](const auto &item) { return item.name == "caps"; }),
      ==, 1);
  call.bench.take("audio/x-alaw,rate=8000,channels=1");
  call.bench.utterance(3, {"Three."});
  call.worker->run_for(5s);
  g_assert_cmpuint(call.bench.messages(GST_MESSAGE_ERROR), ==, 1);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  g_unsetenv("ELEVENLABS_API_KEY");
  add_voice_cases(
      "/voice/",
      {
          {"other-caps-of-text-are-refused", test_refused_caps_of_text},
          {"caps-that-nobody-makes-are-an-error", test_refused_caps_of_audio},
          {"one-error-when-downstream-refuses", test_flow_errors},
          {"another-format-between-two-utterances",
           test_format_between_utterances},
          {"another-format-within-an-utterance",
           test_format_within_an_utterance},
          {"another-format-waits-where-it-may",
           test_format_behind_an_utterance},
          {"the-same-format-is-no-other", test_format_stays},
      });
  const int result = g_test_run();
  gst_deinit();
  return result;
}
