// SPDX-License-Identifier: LGPL-2.1-or-later
#include "voice_rows.hpp"

#include <algorithm>
#include <cstring>

using namespace patchcord;

// What every voice does: order, flushes, states, failures. Formats are in
// test_voice_formats.cpp.
namespace {

constexpr char kTwo[] = "segment start:1 [One two three four. Five six.] end:1 "
                        "closing start:2 [Seven.] end:2 closing eos";
void say_two(VoiceBench &bench) {
  bench.utterance(1, {"One two three four.", "Five six."});
  bench.utterance(2, {"Seven."});
}

// --- what is promised --------------------------------------------------------

void test_contract(const Voice &voice) {
  VoiceCall call(voice);
  call.bench.play();
  say_two(call.bench);
  call.expect(kTwo);
  call.did_not_fail();
  const auto items = call.bench.items();
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].name.starts_with("end:")) {
      // Behind it one buffer: 10 ms of silence.
      assert_equal(items[i + 1].name, "audio");
      g_assert_cmpuint(items[i + 1].duration, >=, 10 * GST_MSECOND);
      const std::uint8_t silence = items[i + 1].mulaw ? 0xff : 0;
      g_assert_true(std::all_of(
          items[i + 1].bytes.begin(), items[i + 1].bytes.end(),
          [silence](std::uint8_t byte) { return byte == silence; }));
      g_assert_true(items[i + 2].name != "audio");
    } else if (items[i].name == "audio" &&
               !items[i - 1].name.starts_with("end:")) {
      g_assert_cmpuint(items[i].duration, >=, 20 * GST_MSECOND);
      g_assert_cmpuint(items[i].duration, <=, 100 * GST_MSECOND);
    }
  }
  // Words have their times, from 0 in each piece.
  for (const auto &item : items)
    if (item.name.starts_with("spoken:")) {
      g_assert_cmpuint(item.timings.size(), >=, 1);
      g_assert_cmpuint(item.timings[0].offset, ==, 0);
    }
  g_assert_cmpfloat(call.bench.level(), >, -32);
  g_assert_cmpfloat(call.bench.level(), <, -12);
}

// Of many utterances at once.
void test_interleaved(const Voice &voice) {
  VoiceCall call(voice);
  call.bench.play();
  std::string shape = "segment";
  for (std::uint32_t i = 1; i <= 6; ++i) {
    const std::string number = std::to_string(i);
    call.bench.utterance(i, {"Number " + number + ".", "And more."});
    shape += " start:" + number + " [Number " + number +
             ". And more.] end:" + number + " closing";
  }
  call.expect(shape + " eos");
}

// Running time at an utterance's first audio, contiguous from there on.
void test_stamps(const Voice &voice) {
  VoiceCall call(voice);
  call.bench.play();
  call.worker->run_for(3s);
  call.bench.utterance(1, {"One.", "Two."});
  call.bench.await("end:1");
  call.worker->run_for(10s);
  call.bench.utterance(2, {"Three."});
  call.bench.utterance(3, {"Four."});
  call.bench.eos();
  call.bench.await("eos");
  GstClockTime next = GST_CLOCK_TIME_NONE;
  std::vector<GstClockTime> jumps;
  for (const auto &item : call.bench.items()) {
    if (item.name != "audio")
      continue;
    g_assert_true(item.discont == (item.pts != next));
    if (item.discont)
      jumps.push_back(item.pts);
    next = item.pts + item.duration;
  }
  g_assert_cmpuint(jumps.size(), ==, 2);
  for (const std::size_t i : {0, 1}) {
    g_assert_cmpuint(jumps[i], >=, (i == 0 ? 3 : 13) * GST_SECOND);
    g_assert_cmpuint(jumps[i], <, (i == 0 ? 4 : 14) * GST_SECOND);
  }
}

void test_plain_source(const Voice &voice) {
  VoiceCall call(voice, nullptr, nullptr, false);
  g_object_set(call.bench.element(), "text", "Hello there. This is a test.",
               nullptr);
  GstClockTime first = 0;
  for (int run = 0; run < 2; ++run) { // and once more from the start
    call.bench.play();
    call.bench.await("eos");
    assert_equal(call.bench.shape(), "segment start:1 [Hello there. This is a "
                                     "test.] end:1 closing eos");
    const auto items = call.bench.items();
    const auto audio =
        std::find_if(items.begin(), items.end(),
                     [](const auto &item) { return item.name == "audio"; });
    g_assert_cmpuint(audio->pts, ==, 0);
    const GstClockTime length = call.bench.length();
    g_assert_cmpfloat_with_epsilon(
        static_cast<double>(length),
        static_cast<double>(run == 0 ? length : first),
        0.02 * static_cast<double>(length));
    first = length;
    call.bench.set_state(GST_STATE_NULL);
    call.bench.clear();
  }
}

void test_silent_utterances(const Voice &voice) {
  VoiceCall call(voice);
  call.bench.play();
  call.bench.utterance(1, {});
  call.bench.utterance(2, {"...", " ", ""});
  call.bench.say("Without events.");
  call.expect("segment start:1 end:1 closing start:2 end:2 closing [Without "
              "events.] eos");
}

void test_other_events(const Voice &voice) {
  VoiceCall call(voice);
  call.bench.play();
  call.bench.start(1);
  call.bench.say("Hello.");
  call.bench.push(events::make(events::Dtmf{"5"}));
  call.bench.end(1);
  call.expect("segment start:1 [Hello.] patchcord-dtmf end:1 closing eos");
  call.bench.push_upstream(events::make(events::Playout{}));
  g_assert_cmpuint(call.bench.upstream().size(), ==, 1);
  assert_equal(call.bench.upstream()[0], events::Playout::kName);
  // Latency: none of its own.
  const auto query = Ref<GstQuery>::adopt(gst_query_new_latency());
  g_assert_true(gst_pad_peer_query(call.bench.audio_pad(), query.get()));
  GstClockTime least = 1;
  gst_query_parse_latency(query.get(), nullptr, &least, nullptr);
  g_assert_cmpuint(least, ==, 0);
}

// --- flushes -----------------------------------------------------------------

void test_flush(const Voice &voice) {
  VoiceCall call(voice);
  call.bench.play();
  call.bench.start(1);
  call.bench.say("This will be cut by the caller.");
  call.bench.await("audio", 3);
  call.bench.say("This was never heard.");
  call.bench.end(1);
  call.bench.clear();
  call.bench.flush_start();
  // On its way at once, not behind the speech.
  assert_equal(call.bench.shape(), "flush-start");
  call.worker->run_for(5s);
  call.bench.flush_stop();
  call.worker->run_for(5s);
  assert_equal(call.bench.shape(), "flush-start flush-stop");
  const GstClockTime asked =
      gst_element_get_current_running_time(call.bench.element());
  call.bench.utterance(2, {"After it."});
  call.expect("flush-start flush-stop segment start:2 [After it.] end:2 "
              "closing eos");
  // Stamps start at now, not behind what was thrown away.
  for (const auto &item : call.bench.items())
    if (item.name == "audio") {
      g_assert_cmpuint(item.pts, >=, asked);
      g_assert_cmpuint(item.pts, <, asked + GST_SECOND);
      g_assert_true(item.discont);
      break;
    }
}

// Before the first text, in the middle of a request, and many times.
void test_rapid_flushes(const Voice &voice) {
  VoiceCall call(voice);
  call.bench.play();
  for (std::uint32_t i = 1; i <= 12; ++i) {
    call.bench.start(i);
    if (i % 3 != 0)
      call.bench.say("Word by word by word.");
    call.worker->run_for(20ms);
    call.bench.flush_start();
    call.bench.flush_stop();
  }
  call.bench.clear();
  call.bench.utterance(20, {"Still here."});
  call.expect("segment start:20 [Still here.] end:20 closing eos");
  call.did_not_fail();
}

// The sink's events may bring the agent to flush while a buffer is pushed.
void test_flush_from_within_a_push(const Voice &voice) {
  VoiceCall call(voice);
  call.bench.play();
  call.bench.on_audio([&] {
    call.bench.clear();
    call.bench.flush_start();
    call.bench.flush_stop();
    call.bench.utterance(2, {"Next."});
  });
  call.bench.utterance(1, {"A sentence of more than one buffer."});
  call.bench.await("end:2");
  call.worker->run_for(5s);
  assert_equal(call.bench.shape(), "flush-start flush-stop segment start:2 "
                                   "[Next.] end:2 closing");
}

// An interruption that may be none: the sink keeps what comes, so that the
// voice goes on; and the word of it overtakes all texts that wait.
void test_hold_overtakes(const Voice &voice) {
  GstClockTime lengths[2];
  for (const bool held : {false, true}) {
    VoiceCall call(voice);
    call.bench.play();
    if (held)
      call.bench.on_audio(
          [&] { call.bench.push(events::make(events::Hold{})); });
    call.bench.utterance(1, {"One sentence.", "Another one."});
    call.bench.await("end:1");
    std::size_t before = 0; // buffers
    for (const auto &item : call.bench.items()) {
      if (item.name == events::Hold::kName)
        break;
      before += item.name == "audio" ? 1 : 0;
    }
    g_assert_true(held == (before == 1));
    call.bench.push(events::make(events::Resume{}));
    call.bench.await("patchcord-resume");
    call.bench.eos();
    call.bench.await("eos");
    lengths[held ? 1 : 0] = call.bench.length();
  }
  // A sample more or less: the synthesizer's, from run to run.
  g_assert_cmpfloat_with_epsilon(static_cast<double>(lengths[0]),
                                 static_cast<double>(lengths[1]), 10e6);
}

// --- states ------------------------------------------------------------------

void test_state_cycling(const Voice &voice) {
  VoiceCall call(voice);
  for (int i = 0; i < 3; ++i) {
    call.bench.clear();
    call.bench.play();
    call.bench.utterance(1, {"Hello."});
    call.expect("segment start:1 [Hello.] end:1 closing eos");
    call.bench.set_state(GST_STATE_NULL);
    // Stopped while it connects, and while audio is on its way.
    call.bench.play();
    call.bench.set_state(GST_STATE_NULL);
    call.bench.play();
    call.bench.start(2);
    call.bench.say("Not to be heard.");
    call.worker->run_for(50ms);
    call.bench.set_state(i == 1 ? GST_STATE_NULL : GST_STATE_READY);
    call.bench.clear();
    call.worker->run_for(5s);
    assert_equal(call.bench.shape(), "");
    call.bench.set_state(GST_STATE_NULL);
  }
  g_assert_cmpuint(call.worker->armed_timers(), ==, 0);
  g_assert_cmpuint(call.worker->watched_fds(), ==, 0);
}

void test_stop_from_within_a_push(const Voice &voice) {
  VoiceCall call(voice);
  call.bench.play();
  call.bench.on_audio([&] { call.bench.set_state(GST_STATE_NULL); });
  call.bench.utterance(1, {"A sentence of more than one buffer, surely."});
  call.bench.await("audio");
  const auto count = call.bench.items().size();
  call.worker->run_for(5s);
  g_assert_cmpuint(call.bench.items().size(), ==, count);
  g_assert_cmpuint(call.bench.messages(GST_MESSAGE_ERROR), ==, 0);
  g_assert_cmpuint(call.worker->armed_timers(), ==, 0);
}

// Stopped in the middle of a sentence, nothing keeps it.
void test_nothing_is_kept(const Voice &voice) {
  bool gone = false;
  {
    VoiceCall call(voice);
    g_object_weak_ref(
        G_OBJECT(call.bench.element()),
        [](gpointer flag, GObject *) { *static_cast<bool *>(flag) = true; },
        &gone);
    call.bench.play();
    call.bench.utterance(1, {"A sentence of more than one buffer, surely."});
    call.bench.await("audio");
    call.bench.set_state(GST_STATE_NULL);
    call.worker->run_for(5s);
  }
  g_assert_true(gone);
}

void test_real_worker(const Voice &voice) {
  const auto worker = Worker::start("call");
  {
    VoiceCall call(voice, nullptr, nullptr, true, worker);
    call.bench.play();
    call.bench.utterance(1, {"One.", "Two.", "Three."});
    call.bench.await("end:1");
    call.bench.start(2);
    call.bench.say("To be cut.");
    call.bench.flush_start();
    call.bench.flush_stop();
    call.bench.utterance(3, {"Last."});
    call.bench.eos();
    call.bench.await("eos");
    const std::string shape = call.bench.shape();
    g_assert_true(shape.starts_with("segment start:1 [One. Two. Three.] end:1 "
                                    "closing start:2 "));
    g_assert_true(shape.ends_with("flush-start flush-stop segment start:3 "
                                  "[Last.] end:3 closing eos"));
  }
  worker->stop();
}

void failed_once(VoiceBench &bench, const Voice &voice, const char *code,
                 bool retryable) {
  const auto failures = bench.failures();
  g_assert_cmpuint(failures.size(), ==, 1);
  assert_equal(failures[0].provider, voice.provider);
  if (code != nullptr)
    assert_equal(failures[0].code, code);
  g_assert_false(failures[0].code.empty());
  g_assert_false(failures[0].message.empty());
  g_assert_true(failures[0].retryable == retryable);
  g_assert_cmpuint(bench.messages(GST_MESSAGE_WARNING), ==, 1);
  g_assert_cmpuint(bench.messages(GST_MESSAGE_ERROR), ==, 0);
}

// --- what goes wrong ---------------------------------------------------------

void test_nothing_to_say(const Voice &voice) {
  VoiceCall call(voice, nullptr, nullptr, false);
  g_assert_cmpint(call.bench.set_state(GST_STATE_PLAYING), ==,
                  GST_STATE_CHANGE_FAILURE);
  std::string text;
  g_assert_cmpuint(call.bench.messages(GST_MESSAGE_ERROR, &text), ==, 1);
  g_assert_nonnull(std::strstr(text.c_str(), "text"));
}

// In a call: told once, and never silent.
void test_failure(const Voice &voice) {
  VoiceCall call(voice);
  voice.spoil(call.bench.element());
  call.bench.play();
  say_two(call.bench);
  call.expect(kTwo);
  failed_once(call.bench, voice, voice.spoilt, false);
  g_assert_cmpfloat(call.bench.level(), >, -32);
}

void test_invalid_key(const Voice &voice) {
  if (voice.configure == nullptr)
    return g_test_skip("there is no key");
  for (const char *key : {"bad", "", static_cast<const char *>(nullptr)}) {
    g_test_message("%s", key == nullptr ? "none" : key);
    VoiceCall call(voice);
    voice.configure(call.bench.element(), call.server->url(), key);
    call.bench.play();
    say_two(call.bench);
    call.expect(kTwo);
    const bool given = key != nullptr && *key != '\0';
    failed_once(call.bench, voice, given ? nullptr : "missing_api_key", false);
  }
  GstElement *element = gst_element_factory_make(voice.factory, nullptr);
  GParamSpec *spec =
      g_object_class_find_property(G_OBJECT_GET_CLASS(element), "api-key");
  g_assert_nonnull(spec);
  g_assert_cmpint(spec->flags & G_PARAM_READABLE, ==, 0);
  gst_object_unref(element);
}

// The connection breaks, or among what comes is what nobody understands: said
// to the end all the same.
void survives(const Voice &voice, const char *script) {
  if (script == nullptr)
    return g_test_skip("it does not happen to this voice");
  VoiceCall call(voice, script);
  call.bench.play();
  call.bench.utterance(1, {"One two three four.", "Five six."});
  call.bench.await("end:1");
  call.bench.utterance(2, {"Seven."});
  call.expect(kTwo);
  call.did_not_fail();
}
void test_reconnects(const Voice &voice) { survives(voice, voice.breaks); }
void test_garbage(const Voice &voice) { survives(voice, voice.garbage); }

// Who says nothing any more is not waited for for ever.
void replaced(const Voice &voice, const char *script) {
  if (script == nullptr)
    return g_test_skip("it does not happen to this voice");
  VoiceCall call(voice, script);
  call.bench.play();
  const TimePoint asked = call.worker->now();
  say_two(call.bench);
  call.expect(kTwo);
  g_assert_true(call.worker->now() - asked < 10s);
  failed_once(call.bench, voice, nullptr, true);
}
void test_mute(const Voice &voice) { replaced(voice, voice.mute); }
void test_down(const Voice &voice) { replaced(voice, voice.down); }

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  g_unsetenv("ELEVENLABS_API_KEY");
  add_voice_cases(
      "/voice/",
      {
          {"events-and-audio-in-the-promised-order", test_contract},
          {"interleaved-requests-keep-their-order", test_interleaved},
          {"stamps-are-running-time-then-contiguous", test_stamps},
          {"text-property-makes-a-plain-source", test_plain_source},
          {"silent-utterances-still-end", test_silent_utterances},
          {"passes-other-events-both-ways", test_other_events},
          {"flush-leaves-no-late-audio", test_flush},
          {"rapid-flushes-do-no-harm", test_rapid_flushes},
          {"flush-from-within-a-push", test_flush_from_within_a_push},
          {"a-hold-overtakes-and-loses-nothing", test_hold_overtakes},
          {"starts-again-after-each-stop", test_state_cycling},
          {"stop-from-within-a-push", test_stop_from_within_a_push},
          {"keeps-nothing", test_nothing_is_kept},
          {"on-a-worker-of-its-own-thread", test_real_worker},
          {"nothing-to-say-is-an-error", test_nothing_to_say},
          {"a-failure-is-told-once-and-spoken-over", test_failure},
          {"invalid-key", test_invalid_key},
          {"reconnects-after-a-break", test_reconnects},
          {"garbage-is-survived", test_garbage},
          {"who-falls-silent-is-replaced", test_mute},
          {"who-is-down-is-replaced", test_down},
      });
  const int result = g_test_run();
  gst_deinit();
  return result;
}
