// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/telephone.hpp"
#include "stt_bench.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

using namespace patchcord;
using agent::Expectation;
using Kind = Expectation::Kind;

namespace {

constexpr char kCaps[] =
    "audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=1";
constexpr int kRate = 16000;
using Samples = std::vector<std::int16_t>;

// By a voice that is understood well, with silence on either side.
Samples spoken(const char *text, int silence_ms) {
  const auto sound = test::say("en-us+f2", 160, text);
  return test::over_telephone(sound, silence_ms).samples;
}

// g_assert_cmpstr keeps pointers: a temporary string would be gone by then.
void equal(const std::string &got, const std::string &expected) {
  g_assert_cmpstr(got.c_str(), ==, expected.c_str());
}
void about(GstClockTime got, GstClockTime expected, double within_ms = 70) {
  const double ms = static_cast<double>(got) / GST_MSECOND;
  g_assert_cmpfloat_with_epsilon(
      ms, static_cast<double>(expected) / GST_MSECOND, within_ms);
}

// On a virtual worker unless told otherwise.
struct Call {
  explicit Call(std::shared_ptr<Worker> on = Worker::create_virtual())
      : worker(std::move(on)), bench("sphinxstt", worker) {
    gst_pad_add_probe(bench.text_pad(), GST_PAD_PROBE_TYPE_BUFFER, note, this,
                      nullptr);
  }

  static GstPadProbeReturn note(GstPad *, GstPadProbeInfo *info,
                                gpointer self) {
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    static_cast<Call *>(self)->gaps +=
        GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP) ? "gap " : "text ";
    return GST_PAD_PROBE_OK;
  }

  // `turns` of the worker: no virtual time passes without.
  GstFlowReturn push(const Samples &samples, bool turns = true) {
    return bench.samples(samples, turns);
  }
  GstFlowReturn silence(int milliseconds) {
    return bench.silence(milliseconds);
  }
  GstFlowReturn say(const char *text) { return push(spoken(text, 600)); }
  void expect(const Expectation &expectation) {
    g_assert_true(gst_pad_push_event(
        bench.text_pad(), events::make(events::Expect{expectation})));
  }

  std::shared_ptr<Worker> worker;
  SttBench bench;
  std::string gaps; // of each text buffer "gap " or "text "
};

const Expectation kYesNo{Kind::kYesNo, {}, {}};
const Expectation kPlace{Kind::kChoice, {"mountain view", "sunnyvale"}, {}};
const Expectation kPeople{Kind::kNumber, {"people"}, {}};

void test_expectation() {
  Call call;
  call.bench.play(kCaps);
  call.expect(kYesNo);
  call.say("mountain view");
  call.bench.await("text");
  call.expect(kPlace);
  call.say("mountain view");
  call.bench.await("text", 2);
  // One that comes while somebody speaks counts for what is being said.
  const Samples place = spoken("sunnyvale", 600);
  const auto middle = place.begin() + static_cast<std::ptrdiff_t>(kRate);
  call.expect(kYesNo);
  call.push({place.begin(), middle});
  call.bench.await("started", 3);
  call.expect(kPlace);
  call.push({middle, place.end()});
  call.bench.await("text", 3);
  equal(call.bench.order(),
        "caps segment started stopped text: started stopped "
        "text:mountain view started stopped text:sunnyvale");
  equal(call.gaps, "gap text text ");
  equal(call.bench.transcripts().front(), "");
}

// A yes is over before a place is.
void test_silence_that_ends() {
  Call yes;
  yes.bench.play(kCaps);
  yes.expect(kYesNo);
  yes.push(spoken("yes please", 250));
  yes.bench.await("text");
  equal(yes.bench.order(), "caps segment started stopped text:yes please");
  Call place;
  place.bench.play(kCaps);
  place.expect(kPlace);
  place.push(spoken("sunnyvale", 250));
  equal(place.bench.order(), "caps segment started");
  place.silence(300);
  place.bench.await("text");
}

void test_caps() {
  Call call;
  call.bench.play(kCaps);
  const auto out =
      Ref<GstCaps>::adopt(gst_pad_get_current_caps(call.bench.text_pad()));
  const GCharPtr text(gst_caps_to_string(out.get()));
  g_assert_cmpstr(text.get(), ==, "text/x-raw, format=(string)utf8");
  const auto in = Ref<GstCaps>::adopt(
      gst_pad_peer_query_caps(call.bench.audio_pad(), nullptr));
  const auto expected = Ref<GstCaps>::adopt(gst_caps_from_string(kCaps));
  g_assert_true(gst_caps_is_equal(in.get(), expected.get()));
}

// Before what was said is decoded; the expectation holds.
void test_flush() {
  Call call;
  call.bench.play(kCaps);
  call.expect(kYesNo);
  const Samples yes = spoken("yes please", 600);
  call.push(yes, false);
  equal(call.bench.order(), "caps segment started stopped");
  call.bench.flush();
  call.worker->run_for(1s);
  call.bench.clear();
  call.push(yes);
  call.bench.await("text");
  equal(call.bench.order(), "started stopped text:yes please");
  g_assert_cmpuint(call.bench.transcripts().size(), ==, 1);
}

// Nothing is decoded within a push, least of all what others said; order is
// kept all the same.
void test_pushes_do_not_wait() {
  Call first;
  Call second(first.worker);
  for (Call *call : {&first, &second}) {
    call->bench.play(kCaps);
    call->expect(kYesNo);
    call->push(spoken("yes please", 600), false);
    equal(call->bench.order(), "caps segment started stopped");
  }
  second.push(spoken("no", 600), false); // before "yes please" is decoded
  second.bench.eos();
  equal(second.bench.order(), "caps segment started stopped started");
  equal(first.bench.order(), "caps segment started stopped");
  first.worker->run_ready();
  equal(first.bench.order(), "caps segment started stopped text:yes please");
  equal(second.bench.order(), "caps segment started stopped started "
                              "text:yes please stopped text:no eos");
}

// Who begins to speak is heard at once; all else keeps its place, also what
// others tell.
void test_events_keep_their_place() {
  Call call;
  call.bench.play(kCaps);
  call.expect(kYesNo);
  call.push(spoken("yes please", 600), false);
  call.bench.push(events::make(events::Dtmf{"5"}));
  call.bench.push(events::make(events::SpeechStopped{1}));
  call.bench.push(events::make(events::SpeechStarted{2}));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.base = 3600 * GST_SECOND;
  call.bench.push(gst_event_new_segment(&segment));
  equal(call.bench.order(), "caps segment started stopped started");
  call.worker->run_ready();
  equal(call.bench.order(),
        "caps segment started stopped started "
        "text:yes please custom-downstream stopped segment");
}

void test_what_is_no_answer() {
  Call call;
  call.bench.play(kCaps);
  call.silence(500);
  const auto hum = [](double seconds) {
    Samples samples(static_cast<std::size_t>(seconds * kRate));
    for (std::size_t i = 0; i < samples.size(); ++i)
      samples[i] = static_cast<std::int16_t>(
          8000 * std::sin(0.4 * static_cast<double>(i)));
    return samples;
  };
  // Shorter than any word.
  call.push(hum(0.04));
  call.silence(1000);
  equal(call.bench.order(), "caps segment");
  // A key is heard, and is no word.
  call.push(hum(0.3));
  call.silence(1000);
  call.bench.await("text");
  equal(call.bench.order(), "caps segment started stopped text:");
}

// Who does not stop is cut off: memory is bounded.
void test_long_speech() {
  Call call;
  call.bench.play(kCaps);
  call.expect({Kind::kDigits, {}, {}});
  call.silence(500);
  std::string text;
  for (int i = 0; i < 28; ++i)
    text += "nine two eight ";
  call.push(spoken(text.c_str(), 600));
  call.silence(1000);
  const auto items = call.bench.items();
  std::vector<GstClockTime> lengths;
  for (const auto &item : items)
    if (item.name == "text")
      lengths.push_back(item.duration);
  g_assert_cmpuint(lengths.size(), >=, 2);
  for (const GstClockTime length : lengths)
    g_assert_cmpuint(length, <=, 15 * GST_SECOND + 40 * GST_MSECOND);
  about(lengths[0], 15 * GST_SECOND);
}

void test_settings() {
  Call call;
  GstElement *element = call.bench.element();
  g_object_set(element, "hmm", "/nowhere", nullptr);
  g_assert_cmpint(call.bench.set_state(GST_STATE_PLAYING), ==,
                  GST_STATE_CHANGE_FAILURE);
  g_assert_cmpuint(call.bench.errors(), ==, 1);
  // Empty is what it was at first, and the element is none the worse.
  call.bench.set_state(GST_STATE_NULL);
  g_object_set(element, "hmm", "", "min-score", -1.0, nullptr);
  call.bench.play(kCaps);
  call.expect(kYesNo);
  call.say("yes please");
  call.bench.await("text");
  equal(call.gaps, "gap "); // nobody is as clear as that
}

void test_guessed_words() {
  Call call;
  call.bench.play(kCaps);
  for (int i = 0; i < 2; ++i)
    call.expect({Kind::kName, {"Smith", "Patchcord"}, {}});
  const auto warnings = call.bench.warnings();
  g_assert_cmpuint(warnings.size(), ==, 1);
  g_assert_nonnull(std::strstr(warnings[0].c_str(), "patchcord"));
  g_assert_null(std::strstr(warnings[0].c_str(), "smith"));
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  const std::pair<const char *, void (*)()> tests[] = {
      {"/sphinxstt/understands-what-is-expected", test_expectation},
      {"/sphinxstt/hears-the-end-of-a-yes-sooner", test_silence_that_ends},
      {"/sphinxstt/caps", test_caps},
      {"/sphinxstt/flush", test_flush},
      {"/sphinxstt/pushes-do-not-wait-for-others", test_pushes_do_not_wait},
      {"/sphinxstt/events-keep-their-place", test_events_keep_their_place},
      {"/sphinxstt/clicks-and-keys-are-no-answers", test_what_is_no_answer},
      {"/sphinxstt/long-speech-is-cut", test_long_speech},
      {"/sphinxstt/settings", test_settings},
      {"/sphinxstt/guessed-words-are-told-once", test_guessed_words},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func(name, test);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
