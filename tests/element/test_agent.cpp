// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../unit/raw_server.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "graph/contexts.hpp"
#include "graph/events.hpp"
#include "graph/handles.hpp"
#include "graph/messages.hpp"

#include <gst/check/gstharness.h>
#include <gst/gst.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

using namespace patchcord;

namespace {

void equal(const std::string &is, const std::string &expected) {
  if (is != expected)
    g_error("expected\n  %s\ngot\n  %s", expected.c_str(), is.c_str());
}

std::string definition_path(const char *name) {
  return std::string(g_getenv("PATCHCORD_DATA_DIR")) + "/agents/" + name +
         ".toml";
}

// An agent in a harness, and all that leaves it at its pads and on its bus as
// lines, in order.
class Bench {
public:
  explicit Bench(const std::shared_ptr<Worker> &worker,
                 const char *definition = "room-booking")
      : worker_(worker), element_(gst_element_factory_make("agent", nullptr)),
        bus_(gst_bus_new()) {
    g_assert_nonnull(element_);
    gst_object_ref_sink(element_);
    g_object_set(element_, "definition", definition_path(definition).c_str(),
                 "today", "2026-04-29", nullptr);
    gst_element_set_bus(element_, bus_);
    graph::set_worker(element_, worker);
    probe("src",
          static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM |
                                       GST_PAD_PROBE_TYPE_EVENT_FLUSH));
    probe("sink", GST_PAD_PROBE_TYPE_EVENT_UPSTREAM);
  }
  ~Bench() {
    if (harness_ != nullptr)
      gst_harness_teardown(harness_);
    gst_element_set_state(element_, GST_STATE_NULL);
    gst_element_set_bus(element_, nullptr);
    gst_object_unref(bus_);
    gst_object_unref(element_);
  }
  Bench(const Bench &) = delete;
  Bench &operator=(const Bench &) = delete;

  GstElement *element() { return element_; }
  GstHarness *harness() { return harness_; }
  void play() {
    harness_ = gst_harness_new_with_element(element_, "sink", "src");
    gst_harness_set_sink_caps_str(harness_, "text/x-raw, format=utf8");
    gst_harness_play(harness_);
    gst_harness_set_src_caps_str(harness_, "text/x-raw, format=utf8");
    run();
  }
  void run() {
    if (worker_->is_virtual())
      worker_->run_ready();
  }

  GstFlowReturn words(const std::string &text,
                      GstClockTime end = GST_CLOCK_TIME_NONE) {
    auto buffer = buffer_of(as_bytes(text));
    GST_BUFFER_PTS(buffer.get()) = end;
    const GstFlowReturn flow = gst_harness_push(harness_, buffer.release());
    run();
    return flow;
  }
  template <typename T> void downstream(const T &event) {
    g_assert_true(gst_harness_push_event(harness_, events::make(event)));
    run();
  }
  void playout(events::Playout::What what, std::uint32_t utterance,
               const std::string &heard = {}) {
    events::Playout event;
    event.what = what;
    event.utterance = utterance;
    event.heard_text = heard;
    event.heard_samples = 8000;
    g_assert_true(
        gst_harness_push_upstream_event(harness_, events::make(event)));
    run();
  }

  // What came since the last call; and what the bus has.
  std::string take() {
    const std::lock_guard lock(mutex_);
    const std::string all = join(log_, " ");
    log_.clear();
    return all;
  }
  void await(const std::string &line) {
    std::unique_lock lock(mutex_);
    const bool came = changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      return std::find(log_.begin(), log_.end(), line) != log_.end();
    });
    if (!came)
      g_error("no %s in %s", line.c_str(), join(log_, " ").c_str());
  }
  template <typename T> std::vector<T> messages() {
    for (GstMessage *message; (message = gst_bus_pop(bus_)) != nullptr;)
      messages_.push_back(Ref<GstMessage>::adopt(message));
    std::vector<T> found;
    for (const auto &message : messages_)
      if (const auto one = messages::parse<T>(message.get()))
        found.push_back(*one);
    return found;
  }
  unsigned errors() {
    (void)messages<messages::Decision>();
    unsigned count = 0;
    for (const auto &message : messages_)
      count += GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR ? 1 : 0;
    return count;
  }

private:
  void probe(const char *name, GstPadProbeType type) {
    GstPad *pad = gst_element_get_static_pad(element_, name);
    gst_pad_add_probe(
        pad, type,
        [](GstPad *, GstPadProbeInfo *info, gpointer self) {
          static_cast<Bench *>(self)->saw(info);
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
    gst_object_unref(pad);
  }

  void saw(GstPadProbeInfo *info) {
    std::string line;
    if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
      const MappedBuffer buffer(GST_PAD_PROBE_INFO_BUFFER(info));
      line = "\"" + std::string(as_text(buffer.bytes())) + "\"";
      g_assert_true(GST_BUFFER_PTS_IS_VALID(GST_PAD_PROBE_INFO_BUFFER(info)));
    } else {
      line = name_of(GST_PAD_PROBE_INFO_EVENT(info));
    }
    if (line.empty())
      return;
    const std::lock_guard lock(mutex_);
    log_.push_back(line);
    changed_.notify_all();
  }

  static std::string name_of(GstEvent *event) {
    if (const auto start = events::parse<events::UtteranceStart>(event))
      return "start:" + std::to_string(start->utterance) +
             (start->interruptible ? "" : "!");
    if (const auto end = events::parse<events::UtteranceEnd>(event))
      return "end:" + std::to_string(end->utterance);
    if (const auto expect = events::parse<events::Expect>(event))
      return std::string("expect:") + to_string(expect->expectation.kind);
    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_RECONFIGURE:
    case GST_EVENT_LATENCY:
    case GST_EVENT_CUSTOM_UPSTREAM:
      return {};
    default:
      return GST_EVENT_TYPE_NAME(event);
    }
  }

  const std::shared_ptr<Worker> worker_;
  GstElement *element_;
  GstBus *bus_;
  GstHarness *harness_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> log_;
  std::vector<Ref<GstMessage>> messages_;
};

using What = events::Playout::What;

const char *const kGreeting =
    "stream-start caps segment start:1 \"Hello, room desk.\" \"Book a room, or "
    "cancel one?\" end:1 expect:choice";

// --- scripted ----------------------------------------------------------------

void test_call() {
  const auto worker = Worker::create_virtual();
  Bench bench(worker);
  bench.play();
  equal(bench.take(), kGreeting);
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
  equal(ended[0].fields,
        R"({"request":"book","location":"Mountain View","date":"2026-04-29",)"
        R"("time":"14:30","duration":"30","people":2})");
}

void test_interruption() {
  const auto worker = Worker::create_virtual();
  Bench bench(worker);
  bench.play();
  bench.take();
  bench.playout(What::kStarted, 1);
  worker->run_for(800ms);
  bench.downstream(events::SpeechStarted{});
  equal(bench.take(), "flush-start flush-stop");
  bench.playout(What::kCut, 1, "Hello, room");
  bench.downstream(events::SpeechStopped{});
  g_assert_cmpint(bench.words("book a room"), ==, GST_FLOW_OK);
  equal(bench.take(),
        "segment start:2 \"In which office?\" end:2 expect:choice");
  const auto interrupted = bench.messages<messages::Interrupted>();
  g_assert_cmpuint(interrupted.size(), ==, 1);
  equal(interrupted[0].heard_text, "Hello, room");
  g_assert_cmpuint(interrupted[0].heard_ms, ==, 1000);
  const auto heard = bench.messages<messages::Heard>();
  g_assert_cmpuint(heard.size(), ==, 2);
  equal(heard[1].state, "interrupted");
}

void test_timestamps() {
  // Running time goes on over a flush, and words are stamped with it.
  const auto worker = Worker::create_virtual();
  Bench bench(worker);
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
  Bench bench(worker);
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
  Bench bench(worker);
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
  Bench bench(worker);
  bench.play();
  bench.take();
  g_assert_true(gst_harness_push_event(bench.harness(), gst_event_new_eos()));
  equal(bench.take(), "eos");
  const auto ended = bench.messages<messages::ConversationEnded>();
  g_assert_cmpuint(ended.size(), ==, 1);
  equal(ended[0].reason, "caller_hung_up");
}

void test_ears_fail() {
  const auto worker = Worker::create_virtual();
  Bench bench(worker);
  bench.play();
  bench.take();
  bench.downstream(events::ProviderFailed{"openai-realtime", "invalid_api_key",
                                          "no", false});
  equal(bench.take(), "start:2! \"I am sorry, I cannot help right now.\" "
                      "\"Please call again later.\" end:2 expect:nothing eos");
  const auto trouble = bench.messages<messages::ProviderTrouble>();
  g_assert_cmpuint(trouble.size(), ==, 1);
  equal(trouble[0].provider, "openai-realtime");
  g_assert_true(trouble[0].fatal);
}

void test_voice_fails() {
  const auto worker = Worker::create_virtual();
  Bench bench(worker);
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

void test_lines_before_playing() {
  const auto worker = Worker::create_virtual();
  Bench bench(worker);
  GstHarness *harness =
      gst_harness_new_with_element(bench.element(), "sink", "src");
  gst_element_set_state(bench.element(), GST_STATE_PAUSED);
  gst_harness_set_src_caps_str(harness, "text/x-raw, format=utf8");
  const std::string lines = "cancel\nSunnyvale\n\ntoday\nnoon\nyes\n";
  g_assert_cmpint(
      gst_harness_push(harness, buffer_of(as_bytes(lines)).release()), ==,
      GST_FLOW_OK);
  gst_harness_push_event(harness, gst_event_new_eos());
  bench.run();
  equal(bench.take(), "");
  gst_element_set_state(bench.element(), GST_STATE_PLAYING);
  bench.run();
  g_assert_true(
      bench.take().ends_with("\"Goodbye.\" end:6 expect:nothing eos"));
  equal(bench.messages<messages::ConversationEnded>().at(0).reason, "goal");
  gst_harness_teardown(harness);
}

void test_odd_text() {
  const auto worker = Worker::create_virtual();
  Bench bench(worker);
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
  Bench bench(worker);
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

void test_refusals() {
  const struct {
    const char *property, *value;
  } rows[] = {{"definition", ""},
              {"definition", "/nowhere/agent.toml"},
              {"definition", "/dev/null"},
              {"mind", "hal"},
              {"today", "soon"}};
  for (const auto &row : rows) {
    Bench bench(Worker::create_virtual());
    g_object_set(bench.element(), row.property, row.value, nullptr);
    g_assert_cmpint(gst_element_set_state(bench.element(), GST_STATE_PLAYING),
                    ==, GST_STATE_CHANGE_FAILURE);
    g_assert_cmpuint(bench.errors(), ==, 1);
  }
}

void test_secrets() {
  Bench bench(Worker::create_virtual());
  GParamSpec *spec = g_object_class_find_property(
      G_OBJECT_GET_CLASS(bench.element()), "api-key");
  g_assert_true((spec->flags & G_PARAM_WRITABLE) != 0);
  g_assert_true((spec->flags & G_PARAM_READABLE) == 0);
}

void test_latency_query() {
  const auto worker = Worker::create_virtual();
  Bench bench(worker);
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
  Bench bench(worker);
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

// --- with a model
// -------------------------------------------------------------

constexpr char kEvents[] = "HTTP/1.1 200 OK\r\n"
                           "Content-Type: text/event-stream\r\n"
                           "Connection: close\r\n\r\n";

std::string event(const std::string &content) {
  JsonWriter json;
  json.begin_object().key("choices").begin_array().begin_object();
  json.member("index", 0).key("delta").begin_object();
  json.member("content", content).end_object().end_object();
  json.end_array().end_object();
  return "data: " + json.text() + "\n\n";
}
constexpr char kEnd[] =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]"
    "}\n\ndata: [DONE]\n\n";

// An agent whose model the test plays by hand, on a worker of its own.
class ModelBench {
public:
  ModelBench() : worker_(Worker::start("agent-test")), bench_(worker_) {
    g_object_set(bench_.element(), "mind", "openai", "base-url",
                 (server_.url("http") + "v1").c_str(), "api-key", "sk-test",
                 "model", "test-model", nullptr);
    bench_.play();
    bench_.await("expect:anything");
    bench_.take();
  }
  Bench *operator->() { return &bench_; }
  // Says something and takes the request.
  Descriptor ask(const std::string &words) {
    g_assert_cmpint(bench_.words(words), ==, GST_FLOW_OK);
    return accept();
  }
  Descriptor accept() {
    Descriptor connection = server_.accept();
    head_ = connection.read_until("\r\n\r\n");
    const auto at = to_lower(head_).find("content-length: ");
    g_assert_true(at != std::string::npos);
    const auto size =
        static_cast<std::size_t>(std::stoul(head_.substr(at + 16)));
    body_.clear();
    while (body_.size() < size) {
      pollfd poll{connection.get(), POLLIN, 0};
      g_assert_cmpint(::poll(&poll, 1, 20000), ==, 1);
      body_ += connection.read();
    }
    return connection;
  }
  const std::string &head() const { return head_; }
  const std::string &body() const { return body_; }

private:
  std::shared_ptr<Worker> worker_;
  RawServer server_;
  Bench bench_;
  std::string head_, body_;
};

void test_model_call() {
  ModelBench bench;
  Descriptor connection = bench.ask("a room in Sunnyvale");
  g_assert_true(bench.head().starts_with("POST /v1/chat/completions "));
  g_assert_true(to_lower(bench.head()).find("authorization: bearer sk-test") !=
                std::string::npos);
  const auto body = JsonDocument::parse(bench.body());
  g_assert_true(body.ok());
  equal(*body->root()["model"].string(), "test-model");
  equal(*body->root()["messages"].at(2)["content"].string(),
        "a room in Sunnyvale");
  connection.write(kEvents);
  connection.write(event("{\"message\":\"Sunnyvale, fine. For wh"));
  // Spoken before the rest is there.
  bench->await("\"Sunnyvale, fine.\"");
  connection.write(event("ich day?\",\"action\":\"ask\",\"extracted\":{"
                         "\"request\":\"book\",\"location\":\"Sunnyvale\"}}"));
  connection.write(kEnd);
  connection.reset();
  bench->await("expect:anything");
  equal(bench->take(), "start:2 \"Sunnyvale, fine.\" \"For which day?\" end:2 "
                       "expect:anything");
  const auto decisions = bench->messages<messages::Decision>();
  equal(decisions.at(1).fields, R"({"request":"book","location":"Sunnyvale"})");
}

void test_model_without_stream() {
  ModelBench bench;
  const Descriptor connection = bench.ask("bye");
  JsonWriter json;
  json.begin_object().key("choices").begin_array().begin_object();
  json.member("index", 0).member("finish_reason", "stop").key("message");
  json.begin_object().member("role", "assistant");
  json.member("content",
              R"({"message":"Bye now.","action":"end_call","extracted":{}})");
  json.end_object().end_object().end_array().end_object();
  connection.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                   "Content-Length: " +
                   std::to_string(json.text().size()) + "\r\n\r\n" +
                   json.text());
  bench->await("eos");
  equal(bench->take(), "start:2 \"Bye now.\" end:2 expect:nothing eos");
  equal(bench->messages<messages::ConversationEnded>().at(0).reason,
        "agent_ended");
}

void respond(const Descriptor &connection, const std::string &status,
             const std::string &body) {
  connection.write("HTTP/1.1 " + status +
                   "\r\nContent-Type: application/json\r\nConnection: close\r\n"
                   "Content-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + body);
}

void test_model_bad_key() {
  ModelBench bench;
  Descriptor connection = bench.ask("hello");
  respond(connection, "401 Unauthorized",
          R"({"error":{"message":"wrong key","type":"invalid_request_error",)"
          R"("param":null,"code":"invalid_api_key"}})");
  bench->await("eos");
  const auto trouble = bench->messages<messages::ProviderTrouble>();
  g_assert_cmpuint(trouble.size(), ==, 1);
  equal(trouble[0].code, "invalid_api_key");
  g_assert_true(trouble[0].fatal);
  equal(bench->messages<messages::ConversationEnded>().at(0).reason,
        "provider_failed");
  g_assert_cmpuint(bench->errors(), ==, 0);
}

void test_model_retry() {
  ModelBench bench;
  Descriptor connection = bench.ask("hello");
  respond(connection, "500 Internal Server Error",
          R"({"error":{"message":"oops","type":"server_error"}})");
  bench->await("\"One moment, please.\"");
  connection = bench.accept();
  connection.write(kEvents);
  connection.write(event(R"({"message":"Hi.","action":"ask","extracted":{}})"));
  connection.write(kEnd);
  bench->await("expect:anything");
  equal(bench->take(), "start:2 \"One moment, please.\" \"Hi.\" end:2 "
                       "expect:anything");
}

void test_model_broken_stream() {
  ModelBench bench;
  Descriptor connection = bench.ask("hello");
  connection.write(kEvents);
  connection.write(event("{\"message\":\"Hi there. And"));
  bench->await("\"Hi there.\"");
  connection.reset();
  bench->await("expect:anything");
  equal(bench->take(), "start:2 \"Hi there.\" \"Sorry, I did not get that.\" "
                       "end:2 expect:anything");
}

void test_model_interrupted() {
  // The connection is closed as soon as nobody wants the rest.
  ModelBench bench;
  Descriptor connection = bench.ask("hello");
  connection.write(kEvents);
  connection.write(event("{\"message\":\"Hi there. And"));
  bench->await("\"Hi there.\"");
  bench->playout(What::kStarted, 2);
  bench->downstream(events::SpeechStarted{});
  bench->await("flush-stop");
  pollfd poll{connection.get(), POLLIN, 0};
  g_assert_cmpint(::poll(&poll, 1, 20000), ==, 1);
  equal(connection.read(), "EOF");
  connection.reset();
  bench->downstream(events::SpeechStopped{});
  connection = bench.ask("wait");
  // Of the answer nothing was heard: the caller's words stand together.
  g_assert_true(bench.body().find("\"hello wait\"") != std::string::npos);
}

void test_model_gone() {
  // Going while a request is out.
  ModelBench bench;
  const Descriptor connection = bench.ask("hello");
  gst_element_set_state(bench->element(), GST_STATE_NULL);
  pollfd poll{connection.get(), POLLIN, 0};
  g_assert_cmpint(::poll(&poll, 1, 20000), ==, 1);
  equal(connection.read(), "EOF");
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
      {"interruption-is-a-flush-and-a-new-segment", test_interruption},
      {"running-time-goes-on-over-a-flush", test_timestamps},
      {"posts-every-stage-of-a-turn", test_latency_message},
      {"silence-is-counted-from-the-end-of-playout", test_silence},
      {"caller-who-hangs-up-is-the-end", test_caller_gone},
      {"recogniser-that-fails-ends-the-call-with-words", test_ears_fail},
      {"voice-that-fails-over-changes-nothing", test_voice_fails},
      {"lines-that-come-before-playing-wait", test_lines_before_playing},
      {"odd-text-is-harmless", test_odd_text},
      {"plays-again-after-null-and-goes-on-after-a-pause", test_again},
      {"refuses-bad-settings-with-one-error", test_refusals},
      {"key-cannot-be-read", test_secrets},
      {"is-live-without-latency", test_latency_query},
      {"error-downstream-is-told-once", test_downstream_error},
      {"model/speaks-while-the-model-writes", test_model_call},
      {"model/server-that-does-not-stream", test_model_without_stream},
      {"model/bad-key-ends-the-call-with-words", test_model_bad_key},
      {"model/request-that-fails-is-made-again", test_model_retry},
      {"model/stream-that-breaks-off", test_model_broken_stream},
      {"model/interruption-closes-the-request", test_model_interrupted},
      {"model/goes-with-a-request-out", test_model_gone},
  };
  for (const auto &test : tests)
    g_test_add_func(("/agent/" + std::string(test.name)).c_str(), test.test);
  return g_test_run();
}
