// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stt_rows.hpp"

#include <cmath>

using namespace patchcord;

// What every recogniser does.
namespace {

void equal(const std::string &got, const std::string &expected) {
  g_assert_cmpstr(got.c_str(), ==, expected.c_str());
}
// Within what voice activity may take for the edge of a word.
void about(GstClockTime got, GstClockTime expected, double within_ms = 150) {
  g_assert_cmpfloat_with_epsilon(static_cast<double>(got) / GST_MSECOND,
                                 static_cast<double>(expected) / GST_MSECOND,
                                 within_ms);
}
constexpr char kTurn[] = " started stopped text:";

SttBench::Item last(SttBench &bench, const char *name) {
  SttBench::Item found;
  for (const auto &item : bench.items())
    if (item.name == name)
      found = item;
  equal(found.name, name);
  return found;
}

std::string texts(SttBench &bench) {
  std::string all;
  for (const auto &item : bench.items())
    if (item.name == "text")
      all += item.text + ". ";
  return all;
}

// --- what is promised --------------------------------------------------------

void test_turn(const Recogniser &recogniser) {
  SttCall call(recogniser, {kYes, kPlace});
  call.play();
  std::string shape = "caps segment";
  for (const char *text : {kYes, kPlace}) {
    const auto said = call.say(text);
    shape += kTurn + std::string(text);
    call.bench.await("text", text == kYes ? 1 : 2);
    equal(call.bench.shape(), shape);
    const auto started = last(call.bench, "started"),
               stopped = last(call.bench, "stopped"),
               words = last(call.bench, "text");
    about(started.time, said.from);
    about(stopped.time, said.to, 350); // a voice's last sound may be soft
    about(words.time, started.time, 70);
    about(words.time + words.duration, stopped.time, 70);
    // And the world is told the same.
    const auto finals = call.bench.finals();
    equal(finals.back().text, text);
    about(finals.back().start, started.time, 70);
    about(finals.back().end, stopped.time, 70);
  }
  g_assert_cmpuint(call.bench.finals().size(), ==, 2);
  g_assert_true(call.bench.warnings().empty());
  g_assert_cmpuint(call.bench.errors(), ==, 0);
}

// Turn upon turn, before the first has its text.
void test_interleaved(const Recogniser &recogniser) {
  SttCall call(recogniser, {kYes, kPlace, kPeople, kYes});
  call.play();
  call.run_for(1s);
  for (const char *text : {kYes, kPlace, kPeople, kYes})
    call.say(text, 800, false);
  call.bench.silence(1000);
  call.bench.await("text", 4);
  equal(texts(call.bench),
        "yes please. mountain view. two people. yes please. ");
}

void test_end_waits(const Recogniser &recogniser) {
  for (const int behind_ms : {0, 100, 240}) {
    SttCall call(recogniser, {kPlace});
    call.play();
    call.say(kPlace, behind_ms); // hangs up behind it
    const TimePoint hung_up = call.worker->now();
    call.bench.eos();
    call.bench.await("eos");
    equal(call.bench.shape(),
          "caps segment" + std::string(kTurn) + kPlace + " eos");
    g_assert_true(call.worker->now() - hung_up < 5s);
  }
}

void test_end_at_once(const Recogniser &recogniser) {
  SttCall call(recogniser, {});
  call.play();
  call.bench.silence(2000);
  call.bench.eos();
  equal(call.bench.shape(), "caps segment eos");
}

// In the middle of speech, and of a request.
void test_flush(const Recogniser &recogniser) {
  SttCall call(recogniser, {kYes, kPlace, kPeople});
  call.play();
  call.run_for(1s);
  call.bench.silence(500);
  const auto yes = recogniser.voice(call.bench, kYes);
  call.bench.samples(std::span(yes).first(yes.size() / 2));
  call.bench.await("started");
  call.bench.flush();
  call.run_for(5s);
  equal(call.bench.shape(), "caps segment started flush-start flush-stop "
                            "segment");
  call.bench.clear();
  call.say(kPlace, 520); // the turn is over, its text is not here
  call.bench.clear();    // (sphinxstt has it already)
  call.bench.flush();
  call.run_for(5s);
  equal(call.bench.shape(), "flush-start flush-stop segment");
  call.bench.clear();
  const auto said = call.say(kPeople);
  call.bench.await("text");
  // Of its own time; which of its turns the fake takes it for is not ours.
  about(last(call.bench, "text").time, said.from);
  equal(call.bench.shape().substr(0, sizeof kTurn - 2), kTurn + 1);
}

// A turn ends even where the silence behind it is not sent.
void test_holes(const Recogniser &recogniser) {
  for (const bool with_event : {false, true}) {
    SttCall call(recogniser, {kYes, kPlace});
    call.play();
    const auto said = call.say(kYes, 0);
    if (with_event)
      call.bench.push(gst_event_new_gap(said.to, 3 * GST_SECOND));
    call.bench.skip(3000);
    const auto next = call.say(kPlace);
    call.bench.await("text", 2);
    equal(call.bench.shape(),
          "caps segment" + std::string(kTurn) + kYes + kTurn + kPlace);
    g_assert_cmpuint(call.bench.items()[3].time, <=,
                     said.to + 70 * GST_MSECOND);
    about(last(call.bench, "started").time, next.from);
  }
}

// Silence was made up for audio that was only late (docs/events.md).
void test_stamps_go_back(const Recogniser &recogniser) {
  SttCall call(recogniser, {kYes, kPlace});
  call.play();
  call.say(kYes, 1000);
  call.bench.skip(-900);
  const auto said = call.say(kPlace);
  call.bench.await("text", 2);
  equal(call.bench.shape(),
        "caps segment" + std::string(kTurn) + kYes + kTurn + kPlace);
  about(last(call.bench, "started").time, said.from);
  about(last(call.bench, "text").time, said.from);
}

void test_other_events(const Recogniser &recogniser) {
  SttCall call(recogniser, {kYes});
  call.play();
  call.bench.push(events::make(events::Dtmf{"5"}));
  call.bench.push(events::make(events::SpeechStarted{1}));
  call.bench.push(events::make(events::SpeechStopped{2}));
  call.say(kYes);
  call.bench.await("text");
  equal(call.bench.shape(), "caps segment custom-downstream started stopped" +
                                std::string(kTurn) + kYes);
  const auto query = Ref<GstQuery>::adopt(gst_query_new_latency());
  g_assert_true(gst_pad_peer_query(call.bench.text_pad(), query.get()));
  gboolean live = FALSE;
  GstClockTime least = 0, most = 0;
  gst_query_parse_latency(query.get(), &live, &least, &most);
  g_assert_true(live);
  g_assert_cmpuint(least, ==, 20 * GST_MSECOND);
  g_assert_cmpuint(most, ==, GST_CLOCK_TIME_NONE);
}

void test_refused_caps(const Recogniser &recogniser) {
  for (const char *caps : recogniser.refused) {
    SttCall call(recogniser, {});
    const auto parsed = Ref<GstCaps>::adopt(gst_caps_from_string(caps));
    g_assert_false(
        gst_pad_peer_query_accept_caps(call.bench.audio_pad(), parsed.get()));
    call.bench.play(caps);
    g_assert_cmpint(call.bench.silence(20), ==, GST_FLOW_NOT_NEGOTIATED);
    g_assert_cmpint(call.bench.order().find("caps"), ==, std::string::npos);
  }
}

void test_flow_goes_upstream(const Recogniser &recogniser) {
  SttCall call(recogniser, {kYes});
  call.play();
  call.bench.set_flow(GST_FLOW_ERROR);
  call.say(kYes);
  call.run_for(1s);
  g_assert_cmpint(call.bench.silence(20), ==, GST_FLOW_ERROR);
}

// --- states ------------------------------------------------------------------

void test_state_cycling(const Recogniser &recogniser) {
  SttCall call(recogniser, {kYes, kPlace});
  for (int i = 0; i < 3; ++i) {
    call.play();
    call.say(kYes);
    call.bench.await("text");
    equal(call.bench.shape(), "caps segment" + std::string(kTurn) + kYes);
    // And once with something under way.
    call.say(kPlace, 600, false);
    call.bench.set_state(i == 1 ? GST_STATE_READY : GST_STATE_NULL);
    g_assert_cmpint(call.bench.silence(20), ==, GST_FLOW_FLUSHING);
    call.bench.clear();
    call.run_for(5s);
    equal(call.bench.shape(), "");
    g_assert_cmpuint(call.worker->armed_timers(), ==, 0);
    g_assert_cmpuint(call.worker->watched_fds(), ==, 0);
    g_assert_cmpuint(call.bench.finals().size(), ==,
                     static_cast<std::size_t>(i) + 1);
  }
}

void test_state_within_a_push(const Recogniser &recogniser) {
  SttCall call(recogniser, {kYes});
  call.play();
  bool stopped = false;
  call.bench.on_text([&] {
    call.bench.set_state(GST_STATE_READY);
    stopped = true;
  });
  call.say(kYes, 700);
  call.run_for(2s);
  g_assert_true(stopped);
  g_assert_cmpuint(call.worker->armed_timers(), ==, 0);
}

void test_nothing_is_kept(const Recogniser &recogniser) {
  bool gone = false;
  {
    SttCall call(recogniser, {kYes, kPlace});
    g_object_weak_ref(
        G_OBJECT(call.bench.element()),
        [](gpointer flag, GObject *) { *static_cast<bool *>(flag) = true; },
        &gone);
    std::vector<Ref<GstBuffer>> buffers;
    gst_pad_add_probe(
        call.bench.audio_pad(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad *, GstPadProbeInfo *info, gpointer all) {
          static_cast<std::vector<Ref<GstBuffer>> *>(all)->push_back(
              Ref<GstBuffer>::share(GST_PAD_PROBE_INFO_BUFFER(info)));
          return GST_PAD_PROBE_OK;
        },
        &buffers, nullptr);
    call.play();
    call.say(kYes);
    call.bench.await("text");
    call.say(kPlace, 600, false); // stopped with that under way
    for (const auto &buffer : buffers)
      g_assert_cmpint(GST_MINI_OBJECT_REFCOUNT_VALUE(buffer.get()), ==, 1);
    call.bench.set_state(GST_STATE_NULL);
    call.run_for(5s);
    (void)call.bench.transcripts(); // takes them from the bus
  }
  g_assert_true(gone);
}

void test_real_time(const Recogniser &recogniser) {
  const auto worker = Worker::start("test");
  {
    SttCall call(recogniser, {kPeople, kYes}, nullptr, worker);
    call.play();
    call.say(kPeople);
    call.bench.await("text");
    call.say(kYes, 200);
    call.bench.eos();
    call.bench.await("eos");
    equal(call.bench.shape(), "caps segment" + std::string(kTurn) + kPeople +
                                  kTurn + kYes + " eos");
  }
  worker->stop();
}

// --- what goes wrong ---------------------------------------------------------

// One warning, one event that names the provider's code, and the stream goes on
// to its end.
void failed_once(SttCall &call, const char *code, bool retryable) {
  call.bench.eos();
  call.bench.await("eos");
  const auto failed = last(call.bench, "failed");
  if (code != nullptr)
    equal(failed.text, code);
  g_assert_false(failed.text.empty());
  g_assert_true(failed.retryable == retryable);
  equal(call.bench.shape(), "caps segment failed:" + failed.text + " eos");
  g_assert_cmpuint(call.bench.warnings().size(), ==, 1);
  g_assert_cmpuint(call.bench.errors(), ==, 0);
}

void test_invalid_key(const Recogniser &recogniser) {
  if (recogniser.configure == nullptr)
    return g_test_skip("there is no key");
  for (const char *key : {"bad", static_cast<const char *>(nullptr)}) {
    g_test_message("%s", key == nullptr ? "none" : key);
    SttCall call(recogniser, {kYes});
    recogniser.configure(call.bench.element(), call.server->url(), key);
    call.play();
    call.run_for(100ms);
    call.say(kYes);
    failed_once(call, key == nullptr ? nullptr : "invalid_api_key", false);
  }
  GstElement *element = gst_element_factory_make(recogniser.factory, nullptr);
  GParamSpec *spec =
      g_object_class_find_property(G_OBJECT_GET_CLASS(element), "api-key");
  g_assert_nonnull(spec);
  g_assert_cmpint(spec->flags & G_PARAM_READABLE, ==, 0);
  gst_object_unref(element);
}

// Who cannot be had for five seconds is given up.
void test_down(const Recogniser &recogniser) {
  if (recogniser.down == nullptr)
    return g_test_skip("it does not happen to this one");
  SttCall call(recogniser, {}, recogniser.down);
  call.play();
  call.bench.silence(4000);
  equal(call.bench.shape(), "caps segment");
  call.bench.silence(2000);
  failed_once(call, nullptr, true);
}

// The connection breaks, or among what comes is what nobody understands.
void survives(const Recogniser &recogniser, void (*fault)(fakes::Script &)) {
  if (fault == nullptr)
    return g_test_skip("it does not happen to this one");
  SttCall call(recogniser, {kYes, kPlace}, fault);
  call.play();
  const auto said = call.say(kYes, 2000);
  call.bench.await("text");
  about(last(call.bench, "text").time, said.from);
  call.say(kPlace);
  call.bench.await("text", 2); // speech may be told twice
  equal(texts(call.bench), "yes please. mountain view. ");
  g_assert_true(call.bench.warnings().empty());
  g_assert_cmpuint(call.bench.errors(), ==, 0);
}
void test_reconnects(const Recogniser &recogniser) {
  survives(recogniser, recogniser.breaks);
}
void test_garbage(const Recogniser &recogniser) {
  survives(recogniser, recogniser.garbage);
}

// A result that does not come is not waited for for ever, by the next nor by
// the end.
void test_mute(const Recogniser &recogniser) {
  if (recogniser.mute == nullptr)
    return g_test_skip("it does not happen to this one");
  SttCall next(recogniser, {kYes, kPlace}, recogniser.mute);
  next.play();
  next.say(kYes);
  next.say(kPlace);
  next.bench.await("text");
  equal(last(next.bench, "text").text, kPlace);
  SttCall end(recogniser, {kYes}, recogniser.mute);
  end.play();
  end.say(kYes, 0);
  const TimePoint hung_up = end.worker->now();
  end.bench.eos();
  end.bench.await("eos");
  g_assert_true(end.worker->now() - hung_up <= 5s);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  g_unsetenv("OPENAI_API_KEY");
  g_unsetenv("OPENAI_BASE_URL");
  add_stt_cases(
      "/recogniser/",
      {
          {"a-turn-yields-its-text", test_turn},
          {"interleaved-results-keep-their-order", test_interleaved},
          {"end-waits-for-the-last-words", test_end_waits},
          {"end-at-once-after-silence", test_end_at_once},
          {"flush", test_flush},
          {"holes-end-a-turn", test_holes},
          {"stamps-may-go-back", test_stamps_go_back},
          {"other-events-and-latency-pass", test_other_events},
          {"other-caps-are-refused", test_refused_caps},
          {"flow-goes-upstream", test_flow_goes_upstream},
          {"states-may-cycle", test_state_cycling},
          {"states-may-change-within-a-push", test_state_within_a_push},
          {"keeps-nothing", test_nothing_is_kept},
          {"on-threads-in-real-time", test_real_time},
          {"invalid-key", test_invalid_key},
          {"who-is-down-is-given-up", test_down},
          {"reconnects-after-a-break", test_reconnects},
          {"garbage-is-survived", test_garbage},
          {"a-result-that-does-not-come-is-not-waited-for", test_mute},
      });
  const int result = g_test_run();
  gst_deinit();
  return result;
}
