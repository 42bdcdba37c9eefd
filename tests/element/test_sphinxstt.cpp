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
    GstPad *sink = gst_element_get_static_pad(bench.element(), "sink");
    audio = Ref<GstPad>::adopt(gst_pad_get_peer(sink));
    gst_object_unref(sink);
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
    GstFlowReturn flow = GST_FLOW_OK;
    constexpr std::size_t kPiece = kRate / 50;
    for (std::size_t at = 0; at < samples.size() && flow == GST_FLOW_OK;
         at += kPiece) {
      const std::size_t size = std::min(kPiece, samples.size() - at);
      auto buffer = buffer_of(
          {reinterpret_cast<const std::uint8_t *>(samples.data() + at),
           size * sizeof(std::int16_t)});
      GST_BUFFER_PTS(buffer.get()) = position;
      GST_BUFFER_DURATION(buffer.get()) =
          gst_util_uint64_scale(size, GST_SECOND, kRate);
      position += GST_BUFFER_DURATION(buffer.get());
      flow = gst_pad_push(audio.get(), buffer.release());
      if (turns && worker->is_virtual())
        worker->run_for(20ms);
    }
    return flow;
  }
  GstFlowReturn silence(int milliseconds) {
    return push(Samples(static_cast<std::size_t>(milliseconds) * kRate / 1000));
  }
  GstFlowReturn say(const char *text) { return push(spoken(text, 600)); }
  void expect(const Expectation &expectation) {
    g_assert_true(gst_pad_push_event(
        bench.text_pad(), events::make(events::Expect{expectation})));
  }

  std::shared_ptr<Worker> worker;
  SttBench bench;
  Ref<GstPad> audio; // the bench's, that feeds the element
  GstClockTime position = 0;
  std::string gaps; // of each text buffer "gap " or "text "
};

const Expectation kYesNo{Kind::kYesNo, {}, {}};
const Expectation kPlace{Kind::kChoice, {"mountain view", "sunnyvale"}, {}};
const Expectation kPeople{Kind::kNumber, {"people"}, {}};

void test_turns() {
  Call call;
  call.bench.play(kCaps);
  call.expect(kPeople);
  call.silence(1000);
  call.say("two people");
  call.bench.await("text");
  equal(call.bench.order(), "caps segment started stopped text:two people");
  const auto items = call.bench.items();
  const auto length = static_cast<double>(items[3].time - items[2].time);
  about(items[2].time, 1600 * GST_MSECOND, 120);
  g_assert_cmpfloat(length, >, 400e6);
  g_assert_cmpfloat(length, <, 1500e6);
  g_assert_cmpuint(items[4].time, ==, items[2].time);
  g_assert_cmpuint(items[4].duration, ==, items[3].time - items[2].time);
  const GstClockTime second = call.position;
  call.expect(kYesNo);
  call.say("yes please");
  call.bench.await("text", 2);
  about(call.bench.items()[5].time, second + 600 * GST_MSECOND, 120);
  const auto transcripts = call.bench.transcripts();
  g_assert_cmpuint(transcripts.size(), ==, 2);
  equal(transcripts[0], "two people");
  equal(transcripts[1], "yes please");
  equal(call.gaps, "text text ");
  g_assert_true(call.bench.warnings().empty());
}

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

void test_refused_caps() {
  for (const char *caps :
       {"audio/x-raw,format=S16LE,layout=interleaved,rate=8000,channels=1",
        "audio/x-raw,format=S16LE,layout=interleaved,rate=16000,channels=2",
        "audio/x-raw,format=F32LE,layout=interleaved,rate=16000,channels=1",
        "audio/x-mulaw,rate=8000,channels=1"}) {
    Call call;
    call.bench.set_state(GST_STATE_PLAYING);
    call.bench.push(gst_event_new_stream_start("audio"));
    const auto parsed = Ref<GstCaps>::adopt(gst_caps_from_string(caps));
    g_assert_false(
        gst_pad_peer_query_accept_caps(call.audio.get(), parsed.get()));
    call.bench.push(gst_event_new_caps(parsed.get()));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    call.bench.push(gst_event_new_segment(&segment));
    g_assert_cmpint(call.silence(20), ==, GST_FLOW_NOT_NEGOTIATED);
    g_assert_cmpint(call.bench.order().find("caps"), ==, std::string::npos);
  }
}

void test_caps() {
  Call call;
  call.bench.play(kCaps);
  const auto out =
      Ref<GstCaps>::adopt(gst_pad_get_current_caps(call.bench.text_pad()));
  const GCharPtr text(gst_caps_to_string(out.get()));
  g_assert_cmpstr(text.get(), ==, "text/x-raw, format=(string)utf8");
  const auto in =
      Ref<GstCaps>::adopt(gst_pad_peer_query_caps(call.audio.get(), nullptr));
  const auto expected = Ref<GstCaps>::adopt(gst_caps_from_string(kCaps));
  g_assert_true(gst_caps_is_equal(in.get(), expected.get()));
}

void test_flush() {
  Call call;
  call.bench.play(kCaps);
  call.expect(kYesNo);
  // In the middle of speech.
  const Samples yes = spoken("yes please", 600);
  call.push({yes.begin(), yes.begin() + kRate});
  call.bench.await("started");
  call.bench.flush();
  call.silence(1000);
  // Before what was said is decoded.
  call.position = 0;
  call.push(yes, false);
  equal(call.bench.order(), "caps segment started flush-start flush-stop "
                            "segment started stopped");
  call.bench.flush();
  call.worker->run_for(1s);
  call.bench.clear();
  // What comes after it is of its own time, and the expectation holds.
  call.position = 0;
  call.push(yes);
  call.bench.await("text");
  equal(call.bench.order(), "started stopped text:yes please");
  about(call.bench.items()[0].time, 600 * GST_MSECOND, 120);
  g_assert_cmpuint(call.bench.transcripts().size(), ==, 1);
}

void test_end() {
  for (const int silence_ms : {0, 200, 500}) {
    Call call;
    call.bench.play(kCaps);
    call.expect(kPlace);
    call.silence(500);
    call.push(spoken("mountain view", 0));
    call.push(Samples(static_cast<std::size_t>(silence_ms) * kRate / 1000),
              false);
    call.bench.eos();
    call.bench.await("eos");
    equal(call.bench.order(),
          "caps segment started stopped text:mountain view eos");
  }
  Call quiet;
  quiet.bench.play(kCaps);
  quiet.silence(500);
  quiet.bench.eos();
  equal(quiet.bench.order(), "caps segment eos"); // at once
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

// A turn ends even where the silence behind it is not sent.
void test_holes() {
  for (const bool with_event : {false, true}) {
    Call call;
    call.bench.play(kCaps);
    call.expect(kPlace);
    call.silence(500);
    call.push(spoken("sunnyvale", 0));
    const GstClockTime end = call.position;
    if (with_event)
      call.bench.push(gst_event_new_gap(end, 3 * GST_SECOND));
    call.position += 3 * GST_SECOND;
    const GstClockTime next = call.position;
    call.say("mountain view");
    call.bench.await("text", 2);
    equal(call.bench.order(), "caps segment started stopped text:sunnyvale "
                              "started stopped text:mountain view");
    g_assert_cmpuint(call.bench.items()[3].time, <=, end);
    about(call.bench.items()[5].time, next + 600 * GST_MSECOND, 120);
  }
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

void test_states() {
  Call call;
  for (int i = 0; i < 3; ++i) {
    call.position = 0;
    call.bench.play(kCaps);
    call.expect(kYesNo);
    call.say("yes please");
    call.bench.await("text");
    equal(call.bench.order(), "caps segment started stopped text:yes please");
    // And once with something under way.
    call.push(spoken("no", 600), false);
    call.bench.set_state(i == 1 ? GST_STATE_READY : GST_STATE_NULL);
    g_assert_cmpint(call.silence(20), ==, GST_FLOW_FLUSHING);
    call.worker->run_for(1s);
    g_assert_cmpuint(call.worker->armed_timers(), ==, 0);
    g_assert_cmpuint(call.bench.transcripts().size(), ==,
                     static_cast<std::size_t>(i) + 1);
    call.bench.clear();
  }
}

void test_state_within_a_push() {
  Call call;
  call.bench.play(kCaps);
  call.expect(kYesNo);
  bool stopped = false;
  call.bench.on_text([&] {
    call.bench.set_state(GST_STATE_READY);
    stopped = true;
  });
  call.say("yes please");
  call.worker->run_for(1s);
  g_assert_true(stopped);
}

void test_nothing_is_kept() {
  GstElement *element = nullptr;
  bool gone = false;
  Ref<GstBuffer> buffer;
  {
    Call call;
    element = call.bench.element();
    g_object_weak_ref(
        G_OBJECT(element),
        [](gpointer flag, GObject *) { *static_cast<bool *>(flag) = true; },
        &gone);
    call.bench.play(kCaps);
    call.expect(kYesNo);
    const Samples yes = spoken("yes please", 600);
    buffer = buffer_of({reinterpret_cast<const std::uint8_t *>(yes.data()),
                        yes.size() * sizeof(std::int16_t)});
    GST_BUFFER_PTS(buffer.get()) = 0;
    gst_pad_push(call.audio.get(), gst_buffer_ref(buffer.get()));
    call.bench.await("text");
    g_assert_cmpint(GST_MINI_OBJECT_REFCOUNT_VALUE(buffer.get()), ==, 1);
    call.bench.set_state(GST_STATE_NULL);
    (void)call.bench.transcripts(); // takes them from the bus
  }
  g_assert_true(gone);
}

void test_flow_goes_upstream() {
  Call call;
  call.bench.play(kCaps);
  call.expect(kYesNo);
  call.bench.set_flow(GST_FLOW_ERROR);
  call.say("yes please");
  g_assert_cmpint(call.silence(20), ==, GST_FLOW_ERROR);
}

void test_latency() {
  Call call;
  call.bench.play(kCaps);
  GstQuery *query = gst_query_new_latency();
  g_assert_true(gst_pad_peer_query(call.bench.text_pad(), query));
  gboolean live = FALSE;
  GstClockTime least = 0, most = 0;
  gst_query_parse_latency(query, &live, &least, &most);
  gst_query_unref(query);
  g_assert_true(live);
  g_assert_cmpuint(least, ==, 20 * GST_MSECOND);
  g_assert_cmpuint(most, ==, GST_CLOCK_TIME_NONE);
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

void test_real_time() {
  Call call(Worker::start("test"));
  call.bench.play(kCaps);
  call.expect(kPeople);
  call.say("two people");
  call.bench.await("text");
  call.expect(kYesNo);
  call.push(spoken("yes please", 200));
  call.bench.eos();
  call.bench.await("eos");
  equal(call.bench.order(), "caps segment started stopped text:two people "
                            "started stopped text:yes please eos");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  const std::pair<const char *, void (*)()> tests[] = {
      {"/sphinxstt/turns", test_turns},
      {"/sphinxstt/understands-what-is-expected", test_expectation},
      {"/sphinxstt/caps", test_caps},
      {"/sphinxstt/other-caps-are-refused", test_refused_caps},
      {"/sphinxstt/flush", test_flush},
      {"/sphinxstt/end-waits-for-the-last-words", test_end},
      {"/sphinxstt/pushes-do-not-wait-for-others", test_pushes_do_not_wait},
      {"/sphinxstt/events-keep-their-place", test_events_keep_their_place},
      {"/sphinxstt/holes-end-a-turn", test_holes},
      {"/sphinxstt/clicks-and-keys-are-no-answers", test_what_is_no_answer},
      {"/sphinxstt/long-speech-is-cut", test_long_speech},
      {"/sphinxstt/states-may-cycle", test_states},
      {"/sphinxstt/states-may-change-within-a-push", test_state_within_a_push},
      {"/sphinxstt/keeps-nothing", test_nothing_is_kept},
      {"/sphinxstt/flow-goes-upstream", test_flow_goes_upstream},
      {"/sphinxstt/latency-passes", test_latency},
      {"/sphinxstt/settings", test_settings},
      {"/sphinxstt/guessed-words-are-told-once", test_guessed_words},
      {"/sphinxstt/on-threads-in-real-time", test_real_time},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func(name, test);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
