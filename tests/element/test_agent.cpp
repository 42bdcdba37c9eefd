// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent_bench.hpp"
#include "stream_group.hpp"

#include <glib/gstdio.h>

using namespace patchcord;

namespace {

using What = events::Playout::What;

const char *const kGreeting =
    "stream-start caps segment start:1 \"Hello, room desk.\" \"Book a room, or "
    "cancel one?\" end:1 expect:choice";

// --- scripted ----------------------------------------------------------------

void test_call() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  bench.play();
  equal(bench.take(), kGreeting);
  check_stream_has_group(bench.element());
  const struct {
    const char *words, *reply;
  } turns[] = {
      {"book a room", "start:2 \"In which office?\" end:2 expect:choice"},
      {"Mountain View", "start:3 \"For which day?\" end:3 expect:date"},
      {"today", "start:4 \"At what time?\" end:4 expect:time"},
      {"two thirty p m", "start:5 \"For how long?\" end:5 expect:choice"},
      {"half an hour", "start:6 \"For how many people?\" end:6 expect:number"},
      {"two people",
       "start:7 \"So, book a room, in Mountain View, today, at 2:30 PM, for "
       "half an hour, for 2 people.\" \"Is that right?\" end:7 expect:yes-no"},
      {"yes", "start:8! \"All set.\" \"Goodbye.\" end:8 expect:nothing eos"},
  };
  for (const auto &turn : turns) {
    g_assert_cmpint(bench.words(turn.words), ==, GST_FLOW_OK);
    equal(bench.take(), turn.reply);
  }
  g_assert_cmpint(bench.words("hello?"), ==, GST_FLOW_EOS);
  const auto decisions = bench.messages<messages::Decision>();
  g_assert_cmpuint(decisions.size(), ==, 8);
  equal(decisions[5].extracted, R"({"duration":"30"})");
  equal(decisions[7].action, "end_call");
  const auto ended = bench.messages<messages::ConversationEnded>();
  g_assert_cmpuint(ended.size(), ==, 1);
  equal(ended[0].reason, "goal");
  g_assert_true(ended[0].goal_reached);
  equal(ended[0].found.fields,
        R"({"request":"book","location":"Mountain View","date":"2026-04-29",)"
        R"("time":"14:30","duration":"30","people":2})");
}

// How long a call with a caller who never comes to an end lasts.
Duration longest_call(unsigned limit_s) {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker, "intake"); // ten minutes
  g_object_set(bench.element(), "max-duration", limit_s, nullptr);
  bench.play();
  const TimePoint begun = worker->now();
  std::vector<messages::ConversationEnded> ended;
  for (; ended.empty(); ended = bench.messages<messages::ConversationEnded>()) {
    worker->run_for(2s);
    if ((worker->now() - begun) % Duration(18s) == Duration{})
      (void)bench.words("repeat");
  }
  equal(ended[0].reason, "max_duration");
  return worker->now() - begun;
}

void test_limit() {
  // The smaller of the daemon's and the agent's own.
  g_assert_true(longest_call(0) == 600s);
  g_assert_true(longest_call(1800) == 600s);
  g_assert_true(longest_call(60) == 60s);
}

// A pipeline of gst-launch plays long before it is called.
void test_waits_for_the_stream() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  g_object_set(bench.element(), "max-duration", 10, nullptr);
  GstPad *caller = gst_pad_new("caller", GST_PAD_SRC);
  GstPad *sink = gst_element_get_static_pad(bench.element(), "sink");
  gst_pad_link(caller, sink);
  gst_pad_set_active(caller, TRUE);
  gst_element_set_state(bench.element(), GST_STATE_PLAYING);
  worker->run_for(600s);
  equal(bench.take(), "");
  gst_pad_push_event(caller, gst_event_new_stream_start("caller"));
  equal(bench.take(), kGreeting); // at once
  worker->run_for(9s);
  g_assert_true(bench.messages<messages::ConversationEnded>().empty());
  worker->run_for(2s);
  equal(bench.messages<messages::ConversationEnded>().at(0).reason,
        "max_duration");
  gst_pad_unlink(caller, sink);
  gst_object_unref(sink);
  gst_object_unref(caller);
}

// By somebody upstream: what was said goes, the conversation does not.
void test_flush() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  bench.play();
  bench.take();
  gst_harness_push_event(bench.harness(), gst_event_new_flush_start());
  gst_harness_push_event(bench.harness(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(bench.harness(), gst_event_new_segment(&segment));
  equal(bench.take(), "flush-start flush-stop");
  g_assert_cmpint(bench.words("book a room"), ==, GST_FLOW_OK);
  equal(bench.take(),
        "segment start:2 \"In which office?\" end:2 expect:choice");
}

void test_refused_caps() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  bench.play();
  const auto caps = Ref<GstCaps>::adopt(
      gst_caps_from_string("text/x-raw, format=pango-markup"));
  gst_harness_push_event(bench.harness(), gst_event_new_caps(caps.get()));
  g_assert_cmpint(bench.words("<b>book</b>"), ==, GST_FLOW_NOT_NEGOTIATED);
}

void test_stops_within() {
  for (const char *name :
       {messages::Decision::kName, messages::ConversationEnded::kName}) {
    const auto worker = Worker::create_virtual();
    AgentBench bench(worker);
    GstBus *bus = gst_element_get_bus(bench.element());
    std::pair<GstElement *, const char *> stop(bench.element(), name);
    gst_bus_set_sync_handler(
        bus,
        [](GstBus *, GstMessage *message, gpointer data) {
          const auto &[element, what] =
              *static_cast<std::pair<GstElement *, const char *> *>(data);
          if (gst_message_has_name(message, what))
            gst_element_set_state(element, GST_STATE_NULL);
          return GST_BUS_PASS;
        },
        &stop, nullptr);
    bench.play();
    if (name == std::string(messages::ConversationEnded::kName))
      gst_harness_push_event(bench.harness(), gst_event_new_eos());
    worker->run_for(60s);
    g_assert_cmpint(GST_STATE(bench.element()), ==, GST_STATE_NULL);
    g_assert_cmpuint(worker->armed_timers(), ==, 0);
    gst_bus_set_sync_handler(bus, nullptr, nullptr, nullptr);
    gst_object_unref(bus);
  }
}

void test_interruption() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  bench.play();
  bench.take();
  bench.playout(What::kStarted, 1);
  worker->run_for(800ms);
  bench.downstream(events::SpeechStarted{});
  equal(bench.take(), "patchcord-hold");
  bench.playout(What::kHeld, 1, "Hello, room");
  worker->run_for(300ms);
  bench.downstream(events::SpeechStopped{});
  g_assert_cmpint(bench.words("book a room"), ==, GST_FLOW_OK);
  equal(bench.take(), "flush-start flush-stop segment start:2 \"In which "
                      "office?\" end:2 expect:choice");
  bench.playout(What::kCut, 1, "Hello, room");
  const auto interrupted = bench.messages<messages::Interrupted>();
  g_assert_cmpuint(interrupted.size(), ==, 1);
  equal(interrupted[0].heard_text, "Hello, room");
  g_assert_cmpuint(interrupted[0].heard_ms, ==, 1000);
  const auto heard = bench.messages<messages::Heard>();
  g_assert_cmpuint(heard.size(), ==, 2);
  equal(heard[1].state, "interrupted");
}

void test_false_interruption() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  bench.play();
  bench.take();
  bench.playout(What::kStarted, 1);
  worker->run_for(800ms);
  bench.downstream(events::SpeechStarted{});
  bench.playout(What::kHeld, 1, "Hello, room");
  worker->run_for(300ms);
  bench.downstream(events::SpeechStopped{});
  worker->run_for(3s);
  equal(bench.take(), "patchcord-hold patchcord-resume");
  const auto heard = bench.messages<messages::Heard>();
  equal(heard.back().state, "false-interruption");
  equal(heard.back().text, "Hello, room");
}

void test_timestamps() {
  // Running time goes on over a flush, and words are stamped with it.
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  bench.play();
  bench.playout(What::kStarted, 1);
  worker->run_for(1500ms);
  bench.downstream(events::SpeechStarted{});
  bench.words("book a room");
  GstBuffer *last = nullptr;
  while (GstBuffer *buffer = gst_harness_try_pull(bench.harness())) {
    gst_clear_buffer(&last);
    last = buffer;
  }
  g_assert_cmpuint(GST_BUFFER_PTS(last), ==, 1500 * GST_MSECOND);
  gst_buffer_unref(last);
}

void test_latency_message() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  bench.play();
  bench.playout(What::kEnded, 1);
  worker->run_for(2s);
  bench.downstream(events::SpeechStarted{1 * GST_SECOND});
  bench.downstream(events::SpeechStopped{1500 * GST_MSECOND});
  bench.words("book a room");
  events::Playout started;
  started.utterance = 2;
  started.first_audio = 2100 * GST_MSECOND;
  started.first_sent = 2120 * GST_MSECOND;
  gst_harness_push_upstream_event(bench.harness(), events::make(started));
  const auto latency = bench.messages<messages::TurnLatency>();
  g_assert_cmpuint(latency.size(), ==, 1);
  g_assert_cmpuint(latency[0].turn, ==, 1);
  g_assert_cmpuint(latency[0].speech_end, ==, 1500 * GST_MSECOND);
  g_assert_cmpuint(latency[0].transcript, ==, 2 * GST_SECOND);
  g_assert_cmpuint(latency[0].decision, ==, 2 * GST_SECOND);
  g_assert_cmpuint(latency[0].first_audio, ==, 2100 * GST_MSECOND);
  g_assert_cmpuint(latency[0].first_sent, ==, 2120 * GST_MSECOND);
}

void test_silence() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  bench.play();
  bench.playout(What::kStarted, 1);
  worker->run_for(20s);
  bench.playout(What::kEnded, 1);
  bench.take();
  worker->run_for(7990ms);
  equal(bench.take(), "");
  worker->run_for(20ms);
  equal(bench.take(), "start:2 \"Are you still there?\" \"Would you like to "
                      "book a room, or cancel one?\" end:2 expect:choice");
}

void test_caller_gone() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  bench.play();
  bench.take();
  g_assert_true(gst_harness_push_event(bench.harness(), gst_event_new_eos()));
  equal(bench.take(), "eos");
  const auto ended = bench.messages<messages::ConversationEnded>();
  g_assert_cmpuint(ended.size(), ==, 1);
  equal(ended[0].reason, "caller_hung_up");
}

// gst-launch-1.0 -e, or a program that has enough: as if the caller had gone,
// and nothing of the conversation is left to come.
void test_eos_of_the_application() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  bench.play();
  bench.playout(What::kStarted, 1);
  worker->run_for(5s);
  bench.playout(What::kEnded, 1);
  bench.take();
  g_assert_true(gst_element_send_event(bench.element(), gst_event_new_eos()));
  equal(bench.take(), "eos");
  const auto ended = bench.messages<messages::ConversationEnded>();
  g_assert_cmpuint(ended.size(), ==, 1);
  equal(ended[0].reason, "caller_hung_up");
  g_assert_cmpuint(worker->armed_timers(), ==, 0);
  worker->run_for(60s); // he is not asked whether he is still there
  equal(bench.take(), "");
  gst_element_send_event(bench.element(), gst_event_new_eos());
  equal(bench.take(), "");
}

void test_ears_fail() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  bench.play();
  bench.take();
  bench.downstream(events::ProviderFailed{"openai-realtime", "invalid_api_key",
                                          "no", false});
  equal(bench.take(), "flush-start flush-stop segment start:2! \"I am sorry, I "
                      "cannot help right now.\" "
                      "\"Please call again later.\" end:2 expect:nothing eos");
  const auto trouble = bench.messages<messages::ProviderTrouble>();
  g_assert_cmpuint(trouble.size(), ==, 1);
  equal(trouble[0].provider, "openai-realtime");
  g_assert_true(trouble[0].fatal);
}

void test_voice_fails() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  bench.play();
  bench.take();
  gst_harness_push_upstream_event(
      bench.harness(),
      events::make(events::VoiceFailed{"elevenlabs", "quota", "no", false}));
  bench.run();
  equal(bench.take(), "");
  g_assert_false(bench.messages<messages::ProviderTrouble>().at(0).fatal);
  bench.words("book a room");
  equal(bench.take(), "start:2 \"In which office?\" end:2 expect:choice");
}

// Or after it, when the worker has not come to the start yet.
void lines_before_the_start(GstState state) {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  GstHarness *harness =
      gst_harness_new_with_element(bench.element(), "sink", "src");
  gst_element_set_state(bench.element(), state);
  gst_harness_set_src_caps_str(harness, "text/x-raw, format=utf8");
  const std::string lines = "cancel\nSunnyvale\n\ntoday\nnoon\nyes\n";
  g_assert_cmpint(
      gst_harness_push(harness, buffer_of(as_bytes(lines)).release()), ==,
      GST_FLOW_OK);
  gst_harness_push_event(harness, gst_event_new_eos());
  if (state == GST_STATE_PAUSED) {
    bench.run();
    equal(bench.take(), "");
  }
  gst_element_set_state(bench.element(), GST_STATE_PLAYING);
  bench.run();
  g_assert_true(
      bench.take().ends_with("\"Goodbye.\" end:6 expect:nothing eos"));
  equal(bench.messages<messages::ConversationEnded>().at(0).reason, "goal");
  gst_harness_teardown(harness);
}

void test_lines_before_playing() {
  lines_before_the_start(GST_STATE_PAUSED);
  lines_before_the_start(GST_STATE_PLAYING);
}

void test_odd_text() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  bench.play();
  bench.take();
  for (const std::string &text :
       {std::string(), std::string("\n \n"), std::string("  ")})
    g_assert_cmpint(bench.words(text), ==, GST_FLOW_OK);
  equal(bench.take(), "");
  g_assert_cmpint(bench.words(std::string("\xff\xfe\0x", 4)), ==, GST_FLOW_OK);
  equal(bench.take(),
        "start:2 \"Sorry, I did not get that.\" \"Would you like to book a "
        "room, or cancel one?\" end:2 expect:choice");
}

void test_again() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  const std::size_t timers = worker->armed_timers();
  bench.play();
  bench.words("book a room");
  for (int i = 0; i < 3; ++i) {
    gst_element_set_state(bench.element(), GST_STATE_NULL);
    bench.run();
    g_assert_cmpuint(worker->armed_timers(), ==, timers);
    bench.take();
    gst_element_set_state(bench.element(), GST_STATE_PLAYING);
    bench.run();
    equal(bench.take(), kGreeting);
  }
  // A pause keeps the conversation, and its timers rest.
  bench.playout(What::kEnded, 1);
  gst_element_set_state(bench.element(), GST_STATE_PAUSED);
  worker->run_for(60s);
  equal(bench.take(), "");
  gst_element_set_state(bench.element(), GST_STATE_PLAYING);
  bench.run();
  bench.words("book a room");
  equal(bench.take(), "start:2 \"In which office?\" end:2 expect:choice");
}

// Parsed once for all calls, but not once and for all.
void test_changed_file() {
  const GCharPtr folder(g_dir_make_tmp("patchcord-XXXXXX", nullptr));
  const std::string file = std::string(folder.get()) + "/agent.toml";
  const auto greeting_of = [&](const char *greeting) {
    if (greeting != nullptr) {
      const std::string text = "name = \"a\"\ninstructions = \"b\"\n"
                               "greeting = \"" +
                               std::string(greeting) + "\"\n";
      g_assert_true(
          g_file_set_contents(file.c_str(), text.c_str(), -1, nullptr));
    }
    AgentBench bench(Worker::create_virtual());
    g_object_set(bench.element(), "definition", file.c_str(), nullptr);
    bench.play();
    return bench.take();
  };
  const std::string first = greeting_of("Good day.");
  g_assert_true(first.find("\"Good day.\"") != std::string::npos);
  equal(greeting_of(nullptr), first);
  // Of the same length, and at once.
  const std::string second = greeting_of("Good way.");
  g_assert_true(second.find("\"Good way.\"") != std::string::npos);
  g_unlink(file.c_str());
  g_rmdir(folder.get());
}

void test_refusals() {
  const struct {
    const char *property, *value;
  } rows[] = {{"definition", ""},
              {"definition", "/nowhere/agent.toml"},
              {"definition", "/dev/null"},
              {"mind", "hal"},
              {"today", "soon"}};
  for (const auto &row : rows) {
    AgentBench bench(Worker::create_virtual());
    g_object_set(bench.element(), row.property, row.value, nullptr);
    g_assert_cmpint(gst_element_set_state(bench.element(), GST_STATE_PLAYING),
                    ==, GST_STATE_CHANGE_FAILURE);
    g_assert_cmpuint(bench.errors(), ==, 1);
  }
}

void test_secrets() {
  AgentBench bench(Worker::create_virtual());
  GParamSpec *spec = g_object_class_find_property(
      G_OBJECT_GET_CLASS(bench.element()), "api-key");
  g_assert_true((spec->flags & G_PARAM_WRITABLE) != 0);
  g_assert_true((spec->flags & G_PARAM_READABLE) == 0);
}

void test_latency_query() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  bench.play();
  GstPad *src = gst_element_get_static_pad(bench.element(), "src");
  GstQuery *query = gst_query_new_latency();
  g_assert_true(gst_pad_query(src, query));
  gboolean live = FALSE;
  GstClockTime min = 1, max = 1;
  gst_query_parse_latency(query, &live, &min, &max);
  g_assert_true(live);
  g_assert_cmpuint(min, ==, 0);
  g_assert_cmpuint(max, ==, GST_CLOCK_TIME_NONE);
  gst_query_unref(query);
  gst_object_unref(src);
}

void test_downstream_error() {
  const auto worker = Worker::create_virtual();
  AgentBench bench(worker);
  GstPad *src = gst_element_get_static_pad(bench.element(), "src");
  gst_pad_add_probe(
      src, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad *, GstPadProbeInfo *info, gpointer) {
        gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
        info->data = nullptr;
        GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_ERROR;
        return GST_PAD_PROBE_HANDLED;
      },
      nullptr, nullptr);
  gst_object_unref(src);
  bench.play();
  g_assert_cmpuint(bench.errors(), ==, 1);
  g_assert_cmpint(bench.words("book a room"), ==, GST_FLOW_ERROR);
  g_assert_cmpuint(bench.errors(), ==, 1);
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"holds-a-whole-call", test_call},
      {"smaller-of-two-limits-ends-the-call", test_limit},
      {"begins-with-the-stream-and-not-before", test_waits_for_the_stream},
      {"flush-from-upstream-keeps-the-conversation", test_flush},
      {"other-caps-are-refused", test_refused_caps},
      {"states-may-change-within-a-push", test_stops_within},
      {"interruption-is-a-flush-and-a-new-segment", test_interruption},
      {"false-interruption-is-a-hold-and-a-resume", test_false_interruption},
      {"running-time-goes-on-over-a-flush", test_timestamps},
      {"posts-every-stage-of-a-turn", test_latency_message},
      {"silence-is-counted-from-the-end-of-playout", test_silence},
      {"caller-who-hangs-up-is-the-end", test_caller_gone},
      {"eos-of-the-application-is-the-end", test_eos_of_the_application},
      {"recogniser-that-fails-ends-the-call-with-words", test_ears_fail},
      {"voice-that-fails-over-changes-nothing", test_voice_fails},
      {"lines-that-come-before-playing-wait", test_lines_before_playing},
      {"odd-text-is-harmless", test_odd_text},
      {"plays-again-after-null-and-goes-on-after-a-pause", test_again},
      {"changed-file-holds-from-the-next-call-on", test_changed_file},
      {"refuses-bad-settings-with-one-error", test_refusals},
      {"key-cannot-be-read", test_secrets},
      {"is-live-without-latency", test_latency_query},
      {"error-downstream-is-told-once", test_downstream_error},
  };
  for (const auto &test : tests)
    g_test_add_func(("/agent/" + std::string(test.name)).c_str(), test.test);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
