// SPDX-License-Identifier: LGPL-2.1-or-later
// The phone against a small voice application of the test's own, on libsoup's
// WebSocket, which is not ours. Both on one virtual worker: minutes of a call
// take no time.
#include "audio/mulaw.hpp"
#include "base/json.hpp"
#include "phone/live_view.hpp"
#include "phone/phone_call.hpp"
#include "twilio/messages.hpp"
#include "twilio/signature.hpp"
#include "twilio/twiml.hpp"

#include <libsoup/soup.h>

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace patchcord;
using namespace patchcord::phone;

// libsoup 3.2 leaves the GSocket of each connection that it accepts behind, and
// a listener's address. For a test's server that is good enough;
// server::Endpoint says how a daemon does.
extern "C" const char *__lsan_default_suppressions();
extern "C" const char *
__lsan_default_suppressions() { // NOLINT(bugprone-reserved-identifier)
  return "leak:g_socket_accept\nleak:soup_server_listen_local\n";
}

namespace {

constexpr char kToken[] = "0123456789abcdef0123456789abcdef";

void assert_text(const std::string &got, const std::string &expected) {
  g_assert_cmpstr(got.c_str(), ==, expected.c_str());
}

Bytes tone(Samples count) {
  Bytes out;
  for (Samples i = 0; i < count; ++i)
    out.push_back(audio::linear_to_mulaw(static_cast<std::int16_t>(
        8000 * std::sin(static_cast<double>(i) * 0.4))));
  return out;
}
constexpr Samples ms(Samples milliseconds) {
  return milliseconds * kRate / 1000;
}

// What the other side of the phone sees, and what it does about it.
class Application {
public:
  explicit Application(Worker &worker) : worker_(worker) {
    g_main_context_push_thread_default(worker.context());
    server_ = Ref<SoupServer>::adopt(
        soup_server_new("server-header", "test", nullptr));
    soup_server_add_handler(server_.get(), "/voice", on_voice, this, nullptr);
    soup_server_add_handler(server_.get(), "/status", on_status, this, nullptr);
    soup_server_add_early_handler(server_.get(), "/ws", on_upgrade, this,
                                  nullptr);
    soup_server_add_websocket_handler(server_.get(), "/ws", nullptr, nullptr,
                                      on_socket, this, nullptr);
    GErrorHolder error;
    g_assert_true(soup_server_listen_local(
        server_.get(), 0, SOUP_SERVER_LISTEN_IPV4_ONLY, error.out()));
    g_main_context_pop_thread_default(worker.context());
    GSList *uris = soup_server_get_uris(server_.get());
    port = g_uri_get_port(static_cast<GUri *>(uris->data));
    g_slist_free_full(uris, reinterpret_cast<GDestroyNotify>(g_uri_unref));
    origin = "http://127.0.0.1:" + std::to_string(port);
    twilio::Twiml::Stream stream;
    stream.url = "ws://127.0.0.1:" + std::to_string(port) + "/ws";
    stream.status_callback = origin + "/status";
    stream.parameters = {{"lang", "en-US"}};
    twiml = twilio::Twiml().connect_stream(stream).hangup().text();
  }
  ~Application() {
    soup_server_disconnect(server_.get());
    drop();
  }
  void drop() {
    if (!socket_)
      return;
    g_signal_handlers_disconnect_by_data(socket_.get(), this);
    socket_.reset();
  }

  void send(const std::string &text) {
    soup_websocket_connection_send_text(socket_.get(), text.c_str());
  }
  void send_audio(const Bytes &mulaw) {
    std::string message;
    twilio::append_media(message, stream_sid, mulaw);
    send(message);
  }
  void send_mark(const char *name) {
    std::string message;
    twilio::append_mark(message, stream_sid, name);
    send(message);
  }
  void send_clear() {
    std::string message;
    twilio::append_clear(message, stream_sid);
    send(message);
  }
  void send_binary(const Bytes &bytes) {
    soup_websocket_connection_send_binary(socket_.get(), bytes.data(),
                                          bytes.size());
  }
  void close(gushort code) {
    soup_websocket_connection_close(socket_.get(), code, nullptr);
  }
  double elapsed_ms() const { return to_ms(worker_.now() - started_at); }

  int port = 0;
  std::string origin, twiml;
  bool one_stream_only = false;

  // What to do.
  std::function<void()> on_start;
  std::function<void(const std::string &)> on_mark;

  // What was seen.
  std::string stream_sid;
  TimePoint started_at{};
  std::map<std::string, std::string> parameters, last_form;
  std::vector<std::string> statuses;
  std::vector<std::int64_t> timestamps;
  Bytes caller; // its audio, one message after the other
  std::int64_t last_sequence = 0;
  int sequence_errors = 0, anomalies = 0, sockets = 0;
  std::string digits, marks;
  bool stopped = false, closed = false;

private:
  static void on_voice(SoupServer *, SoupServerMessage *message, const char *,
                       GHashTable *, gpointer self) {
    auto &app = *static_cast<Application *>(self);
    const auto form = app.checked_form(message, "/voice");
    if (!form)
      return;
    for (const auto &[name, value] : *form)
      app.last_form[name] = value;
    soup_server_message_set_status(message, 200, nullptr);
    soup_server_message_set_response(message, twilio::kTwimlContentType,
                                     SOUP_MEMORY_COPY, app.twiml.c_str(),
                                     app.twiml.size());
  }
  static void on_status(SoupServer *, SoupServerMessage *message, const char *,
                        GHashTable *, gpointer self) {
    auto &app = *static_cast<Application *>(self);
    const auto form = app.checked_form(message, "/status");
    if (!form)
      return;
    app.statuses.emplace_back(twilio::form_value(*form, "StreamEvent"));
    soup_server_message_set_status(message, 204, nullptr);
  }
  std::optional<twilio::Form> checked_form(SoupServerMessage *message,
                                           const char *path) {
    SoupMessageBody *body = soup_server_message_get_request_body(message);
    const auto bytes = Ref<GBytes>::adopt(soup_message_body_flatten(body));
    gsize size = 0;
    const auto *data =
        static_cast<const char *>(g_bytes_get_data(bytes.get(), &size));
    auto form = twilio::parse_form({data, size});
    const char *signature = soup_message_headers_get_one(
        soup_server_message_get_request_headers(message), "X-Twilio-Signature");
    if (form && signature != nullptr &&
        twilio::sign(kToken, origin + path, *form) == signature)
      return std::move(*form);
    soup_server_message_set_status(message, 403, nullptr);
    return std::nullopt;
  }
  static void on_upgrade(SoupServer *, SoupServerMessage *message, const char *,
                         GHashTable *, gpointer self) {
    auto &app = *static_cast<Application *>(self);
    const char *signature = soup_message_headers_get_one(
        soup_server_message_get_request_headers(message), "X-Twilio-Signature");
    const std::string url = "ws" + app.origin.substr(4) + "/ws";
    if ((app.one_stream_only && app.sockets > 0) || signature == nullptr ||
        twilio::sign(kToken, url) != signature)
      soup_server_message_set_status(message, 403, nullptr);
  }
  static void on_socket(SoupServer *, SoupServerMessage *, const char *,
                        SoupWebsocketConnection *connection, gpointer self) {
    auto &app = *static_cast<Application *>(self);
    if (++app.sockets > 1)
      return; // a second one is taken and not looked at
    app.socket_ = Ref<SoupWebsocketConnection>::share(connection);
    g_signal_connect(connection, "message", G_CALLBACK(on_message), self);
    g_signal_connect(connection, "closed", G_CALLBACK(on_closed), self);
  }
  static void on_closed(SoupWebsocketConnection *, gpointer self) {
    static_cast<Application *>(self)->closed = true;
  }
  static void on_message(SoupWebsocketConnection *, gint, GBytes *bytes,
                         gpointer self) {
    gsize size = 0;
    const auto *data =
        static_cast<const char *>(g_bytes_get_data(bytes, &size));
    static_cast<Application *>(self)->message({data, size});
  }
  void count(std::int64_t sequence) {
    sequence_errors += sequence == last_sequence + 1 ? 0 : 1;
    last_sequence = sequence;
  }
  void message(std::string_view text) {
    const auto parsed = parser_.parse(text);
    if (const auto *start = std::get_if<twilio::StartMessage>(&parsed)) {
      count(start->sequence);
      stream_sid = start->start.stream_sid;
      parameters = start->start.parameters;
      started_at = worker_.now();
      if (on_start)
        on_start();
    } else if (const auto *media = std::get_if<twilio::MediaMessage>(&parsed)) {
      count(media->sequence);
      timestamps.push_back(media->timestamp_ms);
      caller.insert(caller.end(), media->mulaw.begin(), media->mulaw.end());
    } else if (const auto *mark = std::get_if<twilio::MarkMessage>(&parsed)) {
      count(mark->sequence);
      marks += mark->name + " ";
      if (on_mark)
        on_mark(mark->name);
    } else if (const auto *dtmf = std::get_if<twilio::DtmfMessage>(&parsed)) {
      count(dtmf->sequence);
      digits += dtmf->digit;
    } else if (const auto *stop = std::get_if<twilio::StopMessage>(&parsed)) {
      count(stop->sequence);
      stopped = true;
    } else if (std::holds_alternative<twilio::Anomaly>(parsed)) {
      ++anomalies;
    }
  }

  Worker &worker_;
  Ref<SoupServer> server_;
  Ref<SoupWebsocketConnection> socket_;
  twilio::MessageParser parser_;
};

struct Scene {
  Scene() : worker(Worker::create_virtual()), application(*worker) {
    setup.url = application.origin + "/voice";
    setup.auth_token = kToken;
    setup.record_audio = setup.keep_events = true;
  }
  std::shared_ptr<Worker> worker;
  Application application;
  CallSetup setup;
  Plan plan;
  std::optional<CallReport> report;
  std::shared_ptr<PhoneCall> call;

  void line(Line::What what, Cue cue, Samples length = 0,
            const char *text = "") {
    PlannedLine planned;
    planned.line = {what, text, "", cue};
    if (length > 0) {
      auto speech = std::make_shared<Speech>();
      speech->mulaw = tone(length);
      speech->voiced_end = length;
      planned.speech = speech;
    }
    plan.push_back(planned);
  }
  void start() {
    setup.plan = std::make_shared<const Plan>(plan);
    call = PhoneCall::start(worker, std::make_shared<const CallSetup>(setup),
                            nullptr, [this](CallReport done) {
                              report = std::move(done);
                              call.reset();
                            });
  }
  const CallReport &run(Duration limit = 60s) {
    start();
    g_assert_true(worker->run_until([&] { return report.has_value(); },
                                    worker->now() + limit));
    return *report;
  }
  // Sample position of an event of the call, on the stream's line.
  Samples event_at(std::string_view kind, int which = 0) const {
    for (const PhoneEvent &event : report->events)
      if (event.kind == kind && which-- == 0)
        return to_samples(event.at - *report->stream_started);
    g_error("no event %s", std::string(kind).c_str());
  }
};

constexpr Cue kReply{Cue::Kind::kReply, 700ms};

void assert_near(Samples got, Samples expected, Samples within) {
  g_test_message("%ld, expected %ld +- %ld", static_cast<long>(got),
                 static_cast<long>(expected), static_cast<long>(within));
  g_assert_true(std::abs(got - expected) <= within);
}

} // namespace

static void test_plays_and_echoes() {
  Scene scene;
  Application &app = scene.application;
  std::vector<double> echoed;
  app.on_start = [&] {
    app.send_audio(tone(ms(1000)));
    app.send_mark("a");
    app.send_audio(tone(ms(500)));
    app.send_mark("b");
  };
  app.on_mark = [&](const std::string &name) {
    echoed.push_back(app.elapsed_ms());
    if (name == "b")
      app.close(1000);
  };
  const CallReport &report = scene.run();
  assert_text(report.end, "agent_closed");
  assert_text(report.trouble, "");
  g_assert_true(report.in_order);
  assert_text(app.marks, "a b ");
  // Within the 20 ms in which the phone looks.
  g_assert_true(echoed[0] >= 1000 && echoed[0] <= 1021);
  g_assert_true(echoed[1] >= 1500 && echoed[1] <= 1521);
  // What was heard is what was sent, sample by sample and without a hole.
  Bytes sent = tone(ms(1000));
  const Bytes more = tone(ms(500));
  sent.insert(sent.end(), more.begin(), more.end());
  const auto at =
      std::search(report.heard_audio.begin(), report.heard_audio.end(),
                  sent.begin(), sent.end());
  g_assert_true(at != report.heard_audio.end());
  g_assert_cmpint(at - report.heard_audio.begin(), <=, ms(2));
  g_assert_cmpuint(report.heard_audio.size(), ==, report.caller_audio.size());
  g_assert_cmpuint(report.underruns, ==, 0);
  g_assert_cmpuint(report.warnings.size(), ==, 0);
  // What the application saw.
  assert_text(app.parameters["lang"], "en-US");
  assert_text(app.last_form["CallStatus"], "ringing");
  assert_text(app.last_form["CallSid"], report.call_sid);
  g_assert_true(app.last_form.contains("FromCity"));
  g_assert_cmpuint(app.statuses.size(), ==, 2);
  assert_text(app.statuses[0], "stream-started");
  assert_text(app.statuses[1], "stream-stopped");
  g_assert_cmpint(app.sequence_errors, ==, 0);
  g_assert_cmpint(app.anomalies, ==, 0);
  g_assert_cmpint(app.timestamps.front(), >=, 100);
  g_assert_cmpint(app.timestamps.front(), <=, 171);
  for (std::size_t i = 1; i < app.timestamps.size(); ++i)
    g_assert_cmpint(app.timestamps[i] - app.timestamps[i - 1], ==, 20);
}

static void test_clear() {
  Scene scene;
  Application &app = scene.application;
  Timer interrupt;
  double cleared_at = 0;
  app.on_start = [&] {
    app.send_audio(tone(ms(5000)));
    app.send_mark("one");
    app.send_mark("two");
    interrupt = scene.worker->after(1005ms, [&] {
      cleared_at = app.elapsed_ms();
      app.send_clear();
      app.send_audio(tone(ms(200)));
      app.send_mark("after");
    });
  };
  app.on_mark = [&](const std::string &name) {
    if (name == "one")
      g_assert_cmpfloat(app.elapsed_ms() - cleared_at, <, 1.5);
    if (name == "after")
      app.close(1000);
  };
  const CallReport &report = scene.run();
  assert_text(app.marks, "one two after ");
  g_assert_true(report.in_order);
  g_assert_cmpuint(report.clears, ==, 1);
  g_assert_cmpint(static_cast<int>(report.unheard), ==, 0);
  Samples voiced = 0;
  for (const std::uint8_t code : report.heard_audio)
    voiced += audible({&code, 1}) ? 1 : 0;
  // A second of the first, all of the second; a sine is inaudible at its zero
  // crossings.
  assert_near(voiced, ms(1205), ms(30));
}

static void test_words_cut_by_the_close() {
  Scene scene;
  Application &app = scene.application;
  Timer bye;
  app.on_start = [&] {
    app.send_audio(tone(ms(2000)));
    bye = scene.worker->after(500ms, [&] { app.close(1000); });
  };
  const CallReport &report = scene.run();
  assert_text(report.end, "agent_closed");
  g_assert_false(report.in_order);
  assert_near(report.unheard, ms(1500), ms(3));
  g_assert_nonnull(strstr(report.trouble.c_str(), "never heard"));
}

static void test_converses() {
  Scene scene;
  Application &app = scene.application;
  scene.line(Line::What::kSay, kReply, ms(610));
  scene.line(Line::What::kDtmf, {Cue::Kind::kWait, 300ms}, 0, "12#");
  scene.line(Line::What::kHangUp, {Cue::Kind::kWait, 500ms});
  app.on_start = [&] { app.send_audio(tone(ms(1000))); };
  const CallReport &report = scene.run();
  assert_text(report.end, "caller_hung_up");
  g_assert_true(report.in_order);
  g_assert_true(app.stopped);
  g_assert_true(app.closed);
  assert_text(app.digits, "12#");
  g_assert_cmpint(app.sequence_errors, ==, 0);
  // The line began 700 ms after the agent's last sample, on a frame.
  const Samples began = report.turns.at(0).started;
  assert_near(began, ms(1700), ms(25));
  const Bytes line = tone(ms(610));
  const auto at = std::search(app.caller.begin(), app.caller.end(),
                              line.begin(), line.end());
  g_assert_true(at != app.caller.end());
  g_assert_cmpint(at - app.caller.begin(), ==, began);
  g_assert_true(std::equal(app.caller.begin(), app.caller.end(),
                           report.caller_audio.begin()));
  // Between lines the line is idle, and not one constant.
  const ByteSpan idle = ByteSpan(app.caller).first(ms(1000));
  g_assert_false(audible(idle));
  g_assert_true(std::ranges::find(idle, 0x7F) != idle.end());
  g_assert_cmpuint(report.lines_begun, ==, 3);
}

static void test_barges_in() {
  Scene scene;
  Application &app = scene.application;
  scene.line(Line::What::kSay, {Cue::Kind::kBargeIn, 800ms}, ms(600));
  scene.line(Line::What::kHangUp, kReply);
  Timer clear, reply;
  app.on_start = [&] {
    app.send_audio(tone(ms(8000)));
    // As an agent that needs 300 ms to notice, and then thinks until a second
    // after the caller's last word.
    clear = scene.worker->after(1100ms, [&] { app.send_clear(); });
    reply = scene.worker->after(2400ms, [&] { app.send_audio(tone(ms(400))); });
  };
  const CallReport &report = scene.run();
  g_assert_true(report.in_order);
  const CallerTurn &turn = report.turns.at(0);
  g_assert_true(turn.barge_in);
  assert_near(*turn.leftover(), ms(300), ms(40));
  assert_near(*turn.cleared - turn.started, ms(300), ms(25));
  assert_near(turn.dropped, ms(6900), ms(25));
  assert_near(*turn.arrival_latency(), ms(1000), ms(25));
  assert_near(*turn.heard_latency(), ms(1000), ms(25));
}

static void test_refusals() {
  {
    Scene scene;
    scene.setup.faults.bad_signature = true;
    const CallReport &report = scene.run();
    assert_text(report.end, "webhook_failed");
    g_assert_nonnull(strstr(report.trouble.c_str(), "403"));
    g_assert_false(report.in_order);
    g_assert_cmpint(scene.application.sockets, ==, 0);
  }
  {
    Scene scene;
    scene.setup.faults.bad_stream_signature = true;
    const CallReport &report = scene.run();
    assert_text(report.end, "stream_failed");
    g_assert_true(report.warnings.contains("31920"));
    g_assert_cmpuint(scene.application.statuses.size(), ==, 1);
    assert_text(scene.application.statuses[0], "stream-error");
  }
  {
    Scene scene;
    scene.application.twiml = twilio::Twiml().reject("busy").text();
    const CallReport &report = scene.run();
    assert_text(report.end, "rejected");
    g_assert_false(report.in_order);
  }
  {
    Scene scene;
    scene.setup.url = "http://127.0.0.1:1/voice";
    assert_text(scene.run().end, "webhook_failed");
  }
}

static void test_twiml_without_end() {
  Scene scene;
  scene.application.twiml = "<Response><Say>Hi</Say><Pause length=\"1\"/>"
                            "<Redirect>/voice</Redirect></Response>";
  const CallReport &report = scene.run();
  assert_text(report.trouble, "more than ten redirects");
  g_assert_cmpuint(report.said.size(), ==, 10);
  g_assert_true(report.duration >= 10s);
}

static void test_strictness() {
  Scene scene;
  Application &app = scene.application;
  app.on_start = [&] {
    app.send("{\"event\":\"media\",\"streamSid\":\"" + app.stream_sid +
             "\",\"media\":{\"payload\":\"////\",\"track\":\"outbound\"}}");
    app.send("{\"event\":\"clear\",\"stream_sid\":\"" + app.stream_sid + "\"}");
    app.send("nonsense");
    app.send_binary({1, 2, 3});
    app.send_mark("end");
  };
  app.on_mark = [&](const std::string &) { app.close(1000); };
  const CallReport &report = scene.run();
  g_assert_cmpuint(report.warnings.at("31951").count, ==, 3);
  g_assert_cmpuint(report.warnings.at("31950").count, ==, 1);
  g_assert_cmpuint(report.media_messages, ==, 0);
  g_assert_true(report.in_order); // Twilio only warns
}

static void test_faults() {
  {
    Scene scene;
    scene.setup.faults.mute_marks = true;
    scene.setup.faults.no_stop = true;
    scene.application.on_start = [&] { scene.application.send_mark("ping"); };
    scene.line(Line::What::kHangUp, {Cue::Kind::kWait, 1s});
    assert_text(scene.run().end, "caller_hung_up");
    assert_text(scene.application.marks, "");
    g_assert_false(scene.application.stopped);
    g_assert_true(scene.application.closed);
  }
  {
    Scene scene;
    scene.setup.faults.drop_at = 1s;
    scene.setup.faults.bad_json_at = 500ms;
    assert_text(scene.run().end, "dropped");
    scene.worker->run_for(100ms);
    g_assert_cmpint(scene.application.anomalies, ==, 1);
    g_assert_false(scene.application.stopped);
  }
  {
    Scene scene;
    scene.setup.faults.gap = 400ms;
    scene.setup.faults.gap_at = 1s;
    scene.line(Line::What::kHangUp, {Cue::Kind::kWait, 2s});
    scene.run();
    std::int64_t widest = 0;
    for (std::size_t i = 1; i < scene.application.timestamps.size(); ++i)
      widest = std::max(widest, scene.application.timestamps[i] -
                                    scene.application.timestamps[i - 1]);
    g_assert_cmpint(widest, ==, 420);
    g_assert_cmpint(scene.application.sequence_errors, ==, 0);
  }
  {
    Scene scene;
    scene.setup.faults.slow_reader = true;
    scene.application.on_start = [&] { scene.application.send_mark("ping"); };
    scene.line(Line::What::kHangUp, {Cue::Kind::kWait, 1s});
    g_assert_cmpuint(scene.run().marks, ==, 0);
    assert_text(scene.application.marks, "");
    g_assert_true(scene.application.closed);
  }
  for (const bool strict : {true, false}) {
    Scene scene;
    scene.setup.faults.reuse_token = true;
    scene.application.one_stream_only = strict;
    scene.line(Line::What::kHangUp, {Cue::Kind::kWait, 1s});
    g_assert_true(scene.run().in_order == strict);
  }
}

// Of what was asked for and never came it is told at the end.
static void test_missed_faults() {
  {
    Scene scene;
    scene.setup.faults.gap = 700ms;
    scene.setup.faults.gap_at = 1500s;
    scene.setup.faults.drop_at = 2500ms;
    scene.setup.faults.bad_json_at = 500ms;
    scene.setup.faults.no_stop = true;
    scene.line(Line::What::kHangUp, {Cue::Kind::kWait, 2s});
    const CallReport &report = scene.run();
    const Warning &warning = report.warnings.at("fault-missed");
    g_assert_cmpuint(warning.count, ==, 1);
    assert_text(warning.first, "the call was over before: gap at 1500 s, "
                               "drop-without-stop at 2.5 s");
    const std::string text = summary_text({report}, {});
    g_assert_true(text.find("warning fault-missed (1 x): the call was over "
                            "before: gap at 1500 s") != std::string::npos);
  }
  {
    Scene scene;
    scene.setup.faults.gap = 400ms;
    scene.setup.faults.gap_at = 1s;
    scene.setup.faults.no_stop = true;
    scene.line(Line::What::kHangUp, {Cue::Kind::kWait, 2s});
    g_assert_false(scene.run().warnings.contains("fault-missed"));
  }
  {
    Scene scene;
    scene.setup.faults.no_stop = true;
    Application &app = scene.application;
    app.on_start = [&] { app.close(1000); };
    assert_text(scene.run().warnings.at("fault-missed").first,
                "the call was over before: no-stop");
  }
}

static void test_hung_up_from_outside() {
  Scene scene;
  scene.start();
  scene.worker->run_for(500ms);
  scene.call->hang_up("interrupted");
  scene.worker->run_until([&] { return scene.report.has_value(); },
                          scene.worker->now() + 10s);
  assert_text(scene.report->end, "interrupted");
  g_assert_false(scene.report->in_order);
  g_assert_true(scene.application.stopped);
}

static void test_longest_call() {
  Scene scene;
  scene.setup.max_duration = 3s;
  const CallReport &report = scene.run();
  assert_text(report.end, "max_duration");
  g_assert_false(report.in_order);
  g_assert_true(report.duration >= 3s && report.duration < 4s);
}

static void test_nothing_stays_behind() {
  const auto worker = Worker::create_virtual();
  Application app(*worker);
  app.on_start = [&] { app.send_mark("end"); };
  app.on_mark = [&](const std::string &) { app.close(1000); };
  const auto call_once = [&] {
    auto setup = std::make_shared<CallSetup>();
    setup->url = app.origin + "/voice";
    setup->auth_token = kToken;
    setup->plan = std::make_shared<const Plan>();
    bool done = false;
    auto call = PhoneCall::start(worker, std::move(setup), nullptr,
                                 [&](const CallReport &) { done = true; });
    g_assert_true(worker->run_until([&] { return done; }, worker->now() + 9s));
    g_assert_cmpint(call.use_count(), ==, 1);
    call.reset();
    app.drop();
    app.sockets = 0;
    worker->run_for(10s);
  };
  call_once();
  const auto timers = worker->armed_timers();
  const auto fds = worker->watched_fds();
  for (int i = 0; i < 3; ++i)
    call_once();
  g_assert_cmpuint(worker->armed_timers(), <=, timers);
  g_assert_cmpuint(worker->watched_fds(), <=, fds);
}

static void test_reports_are_json() {
  Scene scene;
  scene.line(Line::What::kHangUp, {Cue::Kind::kWait, 1s});
  const CallReport &report = scene.run();
  const std::vector<Line> lines = {scene.plan[0].line};
  const auto timeline = JsonDocument::parse(timeline_json(report, lines));
  g_assert_true(timeline.ok());
  g_assert_cmpuint(timeline->root()["events"].size(), >=, 5);
  assert_text(*timeline->root()["events"].at(0)["event"].string(), "webhook");
  assert_text(*timeline->root()["end"].string(), "caller_hung_up");
  for (const std::size_t count : {1U, 3U}) {
    const std::vector<CallReport> reports(count, report);
    const auto summary = JsonDocument::parse(summary_json(reports, lines));
    g_assert_true(summary.ok());
    g_assert_cmpint(*summary->root()["calls_in_order"].integer(), ==, count);
    g_assert_true(summary_text(reports, lines).ends_with("\n"));
  }
}

static void test_live_view() {
  std::string out;
  LiveView view({}, [&](std::string_view text) { out += text; });
  view.phone({1200ms, "line-started", {{"text", std::string("hello\033[2J")}}});
  view.agent(2s, R"({"event":"transcript","text":"hel","final":false})");
  view.agent(2s, R"({"event":"transcript","text":"hello","final":true})");
  view.agent(2s, R"({"event":"decision","action":"ask","message":"Who?",)"
                 R"("extracted":{"people":4,"day":"monday","x":null}})");
  view.agent(3s, R"({"event":"turn-latency","transcript_ms":310.4,)"
                 R"("decision_ms":312})");
  view.agent(3s, "not json");
  view.phone({3300ms, "agent-speech-started", {{"latency_ms", 701.6}}});
  view.agent(3s, R"({"event":7})");
  assert_text(out, "   1.20  caller    \"hello [2J\"\n"
                   "   2.00            recognised: \"hello\"\n"
                   "   2.00            decided: ask; people=4, day=monday\n"
                   "   2.00  agent     \"Who?\"\n"
                   "   3.00            ms after the caller's last word: "
                   "recognised 310, decided 312\n"
                   "   3.30            the caller waited 702 ms\n");
}

static void test_dial() {
  Scene scene;
  Application &app = scene.application;
  scene.setup.dial_outcomes = {"busy", "answered"};
  // What follows a <Dial> without an action is the next verb.
  twilio::Twiml::Stream stream;
  stream.url = "ws://127.0.0.1:" + std::to_string(app.port) + "/ws";
  app.twiml = "<Response><Dial>+14155550111</Dial>"
              "<Dial callerId=\"+1999\">+14155550112</Dial>"
              "<Connect><Stream url=\"" +
              stream.url + "\"/></Connect></Response>";
  app.on_start = [&] { app.close(1000); };
  const CallReport &report = scene.run();
  g_assert_true(report.in_order);
  g_assert_cmpuint(report.dialled.size(), ==, 2);
  assert_text(report.dialled[0].number, "+14155550111");
  assert_text(report.dialled[0].outcome, "busy");
  assert_text(report.dialled[0].caller_id, scene.setup.from);
  assert_text(report.dialled[1].outcome, "completed");
  assert_text(report.dialled[1].caller_id, "+1999");
  g_assert_cmpuint(report.warnings.size(), ==, 0);
}

static void test_dial_asks_what_follows() {
  Scene scene;
  Application &app = scene.application;
  scene.setup.dial_outcomes = {"no-answer"};
  const std::string stream = app.twiml;
  app.twiml = "<Response><Dial action=\"/voice\" timeout=\"20\"><Number>"
              "+14155550111</Number></Dial><Hangup/></Response>";
  Timer change = scene.worker->after(200ms, [&] { app.twiml = stream; });
  app.on_start = [&] { app.close(1000); };
  const CallReport &report = scene.run();
  g_assert_true(report.in_order);
  assert_text(app.last_form["DialCallStatus"], "no-answer");
  assert_text(app.last_form["DialBridged"], "false");
  g_assert_cmpint(app.sockets, ==, 1);
}

static void test_rest_changes_a_call() {
  Scene scene;
  Application &app = scene.application;
  Timer change;
  app.on_start = [&] {
    change = scene.worker->after(300ms, [&] {
      scene.call->update("<Response><Dial>+14155550111</Dial></Response>");
    });
  };
  const CallReport &report = scene.run();
  // The stream stops as Twilio stops it, and the document is run instead of
  // what stood behind the stream.
  g_assert_true(app.stopped);
  assert_text(report.end, "hung_up");
  g_assert_true(report.in_order);
  g_assert_cmpuint(report.dialled.size(), ==, 1);

  Scene other;
  other.application.on_start = [&] {
    change = other.worker->after(300ms, [&] { other.call->complete(); });
  };
  const CallReport &ended = other.run();
  g_assert_true(other.application.stopped);
  assert_text(ended.end, "completed_by_rest");
  g_assert_true(ended.in_order);
}

static void test_nobody_answers() {
  Scene scene;
  scene.setup.placed = true;
  scene.setup.unanswered = "busy";
  scene.setup.call_sid = "CA77";
  const CallReport &report = scene.run();
  assert_text(report.call_sid, "CA77");
  assert_text(report.end, "busy");
  g_assert_true(report.in_order);
  g_assert_true(scene.application.last_form.empty()); // never asked
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  // GLib's test log would show each WebSocket frame.
  g_log_set_handler(
      "libsoup", G_LOG_LEVEL_DEBUG,
      [](const char *, GLogLevelFlags, const char *, gpointer) {}, nullptr);
  g_test_add_func("/phone/call/hears-what-was-sent-and-echoes-marks-as-played",
                  test_plays_and_echoes);
  g_test_add_func("/phone/call/clear-silences-and-returns-marks", test_clear);
  g_test_add_func("/phone/call/notices-words-cut-by-the-close",
                  test_words_cut_by_the_close);
  g_test_add_func("/phone/call/speaks-presses-and-hangs-up", test_converses);
  g_test_add_func("/phone/call/barges-in-and-measures-what-is-left",
                  test_barges_in);
  g_test_add_func("/phone/call/says-why-it-was-refused", test_refusals);
  g_test_add_func("/phone/call/twiml-that-goes-in-circles-ends",
                  test_twiml_without_end);
  g_test_add_func("/phone/call/is-as-strict-as-twilio", test_strictness);
  g_test_add_func("/phone/call/makes-the-faults-it-is-asked-for", test_faults);
  g_test_add_func("/phone/call/tells-of-faults-that-never-came",
                  test_missed_faults);
  g_test_add_func("/phone/call/can-be-hung-up-from-outside",
                  test_hung_up_from_outside);
  g_test_add_func("/phone/call/does-not-last-for-ever", test_longest_call);
  g_test_add_func("/phone/call/leaves-nothing-behind",
                  test_nothing_stays_behind);
  g_test_add_func("/phone/report/is-json", test_reports_are_json);
  g_test_add_func("/phone/live/shows-both-sides-in-plain-text", test_live_view);
  g_test_add_func("/phone-call/dials-and-goes-on", test_dial);
  g_test_add_func("/phone-call/asks-what-follows-a-dial",
                  test_dial_asks_what_follows);
  g_test_add_func("/phone-call/goes-on-as-rest-says", test_rest_changes_a_call);
  g_test_add_func("/phone-call/may-find-nobody", test_nobody_answers);
  return g_test_run();
}
