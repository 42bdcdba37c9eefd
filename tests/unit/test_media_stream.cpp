// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/web_socket_media_stream.hpp"
#include "twilio/peer_messages.hpp"

#include "../support/captured_log.hpp"
#include "../support/check_text.hpp"

#include <glib.h>

using namespace patchcord;
using namespace patchcord::twilio;

namespace {

const StreamStart kStart{"MZ1", "AC1", "CA1", {{"token", "t"}}};

// What the stream sees as its WebSocket; the test is the peer. Outlives the
// stream's hold on it by `state`.
struct Wire {
  net::WebSocket::Handlers handlers;
  net::WebSocket::Limits limits;
  std::vector<std::string> sent;
  std::uint16_t close_code = 0;
  std::string close_reason;
  bool alive = false;
  Duration period{0};
};

class FakeSocket final : public net::WebSocket {
public:
  explicit FakeSocket(Wire &wire) : wire_(wire) { wire_.alive = true; }
  ~FakeSocket() override { wire_.alive = false; }
  void send_text(std::string_view text) override {
    g_assert_cmpuint(wire_.close_code, ==, 0);
    wire_.sent.emplace_back(text);
  }
  void send_binary(ByteSpan) override { g_assert_not_reached(); }
  void close(std::uint16_t code, std::string_view reason) override {
    if (wire_.close_code != 0)
      return;
    wire_.close_code = code;
    wire_.close_reason = reason;
  }
  // Who has a call's stream stays for its end.
  void leave(std::uint16_t, std::string_view) override {
    g_assert_not_reached();
  }
  std::size_t queued_bytes() const override { return 0; }
  void set_read_period(Duration period) override { wire_.period = period; }

private:
  Wire &wire_;
};

// Notes what the listeners are told, in order, in one log for both.
struct Listeners final : MediaSourceListener {
  struct Sink final : MediaSinkListener {
    explicit Sink(Listeners &owner) : all(owner) {}
    void on_start(const StreamStart &start) override {
      all.note("sink start " + start.stream_sid);
    }
    void on_mark(std::string_view name) override {
      all.note("mark " + std::string(name));
    }
    void on_end(StreamEnd end, std::string_view detail) override {
      all.note(std::string("sink end ") + to_string(end) + ' ' +
               std::string(detail));
    }
    Listeners &all;
  };
  void on_start(const StreamStart &start) override {
    note("start " + start.stream_sid);
  }
  void on_media(std::int64_t timestamp_ms, ByteSpan mulaw) override {
    note("media " + std::to_string(timestamp_ms) + ' ' +
         std::to_string(mulaw.size()));
  }
  void on_dtmf(std::string_view digit) override {
    note("dtmf " + std::string(digit));
  }
  void on_end(StreamEnd end, std::string_view detail) override {
    note(std::string("end ") + to_string(end) + ' ' + std::string(detail));
    if (at_end)
      at_end();
  }
  void note(std::string text) { log.push_back(std::move(text)); }
  std::string take() {
    std::string all;
    for (const auto &line : std::exchange(log, {}))
      all += line + '\n';
    return all;
  }
  std::vector<std::string> log;
  std::function<void()> at_end;
  Sink sink{*this};
};

struct Fixture {
  explicit Fixture(call::WebSocketMediaStream::CheckStart check = nullptr)
      : worker(Worker::create_virtual()) {
    stream = call::WebSocketMediaStream::create(
        *worker,
        [this](net::WebSocket::Handlers handlers,
               const net::WebSocket::Limits &limits) {
          wire.handlers = std::move(handlers);
          wire.limits = limits;
          return std::make_unique<FakeSocket>(wire);
        },
        "CA7", std::move(check));
    stream->set_source(&listeners);
    stream->set_sink(&listeners.sink);
  }
  // Handlers are copied: they may destroy the socket that they belong to.
  void receive(const std::string &text) {
    const auto handler = wire.handlers.text;
    handler(text);
  }
  void receive_start(std::int64_t sequence = 1) {
    std::string text;
    peer::append_start(text, kStart, sequence);
    receive(text);
  }
  void receive_media(std::int64_t sequence, std::int64_t chunk,
                     const char *sid = "MZ1") {
    std::string text;
    peer::append_media(text, sid, sequence, chunk, 100 + chunk * 20,
                       Bytes(160, 0xff));
    receive(text);
  }
  void receive_stop(std::int64_t sequence) {
    std::string text;
    peer::append_stop(text, kStart, sequence);
    receive(text);
  }
  void connection_closed(std::uint16_t code, const char *reason = "") {
    const auto handler = wire.handlers.closed;
    handler({code, reason, 0});
  }
  std::uint64_t count(const char *kind) const {
    const auto it = stream->anomalies().find(kind);
    return it == stream->anomalies().end() ? 0 : it->second;
  }

  std::shared_ptr<Worker> worker;
  Wire wire;
  Listeners listeners;
  std::shared_ptr<call::WebSocketMediaStream> stream;
};

#define assert_log(fixture, expected)                                          \
  do {                                                                         \
    const std::string log_text = (fixture).listeners.take();                   \
    g_assert_cmpstr(log_text.c_str(), ==, expected);                           \
  } while (false)

} // namespace

static void test_whole_stream() {
  Fixture f;
  g_assert_cmpuint(f.wire.limits.message_bytes, ==, 65536);
  g_assert_null(f.stream->started());
  std::string text;
  peer::append_connected(text);
  f.receive(text);
  f.receive_start();
  g_assert_cmpstr(f.stream->started()->call_sid.c_str(), ==, "CA1");
  f.receive_media(2, 1);
  text.clear();
  peer::append_dtmf(text, "MZ1", 3, "5");
  f.receive(text);
  text.clear();
  peer::append_mark(text, "MZ1", 4, "a.1");
  f.receive(text);
  assert_log(f, "sink start MZ1\nstart MZ1\nmedia 120 160\ndtmf 5\nmark a.1\n");
  f.receive_stop(5);
  assert_log(f, "sink end stop \nend stop \n");
  g_assert_true(f.stream->ended());
  f.connection_closed(1000);
  assert_log(f, "");
  g_assert_true(f.stream->anomalies().empty());
}

static void test_sends() {
  Fixture f;
  // No stream SID yet: nothing may be sent.
  f.stream->send_media(Bytes(160, 0));
  f.stream->send_mark("m");
  f.stream->send_clear();
  g_assert_true(f.wire.sent.empty());
  f.receive_start();
  f.stream->send_media(Bytes(2, 0xff));
  f.stream->send_mark("m");
  f.stream->send_clear();
  g_assert_cmpuint(f.wire.sent.size(), ==, 3);
  peer::Parser parser("MZ1");
  g_assert_true(
      std::holds_alternative<peer::Media>(parser.parse(f.wire.sent[0])));
  g_assert_true(
      std::holds_alternative<peer::Mark>(parser.parse(f.wire.sent[1])));
  g_assert_true(
      std::holds_alternative<peer::Clear>(parser.parse(f.wire.sent[2])));
  f.receive_stop(2);
  f.stream->send_clear();
  g_assert_cmpuint(f.wire.sent.size(), ==, 3);
}

// Until there is more to hear.
static void test_concluded() {
  Fixture f;
  f.receive_start();
  g_assert_false(f.stream->concluded());
  f.stream->send_media(Bytes(160, 0));
  f.stream->conclude();
  g_assert_true(f.stream->concluded());
  f.stream->send_media(Bytes(160, 0));
  g_assert_false(f.stream->concluded());
}

static void test_late_listeners() {
  Fixture f;
  f.stream->set_source(nullptr);
  f.stream->set_sink(nullptr);
  f.receive_start();
  f.receive_media(2, 1); // nobody listens: dropped
  f.receive_stop(3);
  f.stream->set_sink(&f.listeners.sink);
  assert_log(f, "sink start MZ1\nsink end stop \n");
  f.stream->set_source(&f.listeners);
  assert_log(f, "start MZ1\nend stop \n");
  bool ended = false;
  f.stream->on_ended([&] { ended = true; });
  g_assert_true(ended);
}

// What ends a stream, and how it is told.
static void test_ends() {
  const struct {
    const char *name;
    std::function<void(Fixture &)> act;
    const char *log;
    std::uint16_t close_code;
  } cases[] = {
      {"the peer closes", [](Fixture &f) { f.connection_closed(1001, "bye"); },
       "sink end closed 1001: bye\nend closed 1001: bye\n", 0},
      {"the connection breaks",
       [](Fixture &f) { f.connection_closed(1006, "reset"); },
       "sink end lost connection lost: reset\n"
       "end lost connection lost: reset\n",
       0},
      {"silence of the wire", [](Fixture &f) { f.worker->run_for(11s); },
       "sink end lost nothing received for 10 s\n"
       "end lost nothing received for 10 s\n",
       1001},
      {"we close",
       [](Fixture &f) {
         f.stream->close(1000, "done");
         f.receive_media(2, 1); // ignored from here on
         assert_log(f, "");
         f.connection_closed(1000, "");
       },
       "sink end local done\nend local done\n", 1000},
      {"stop, and the peer forgets to close",
       [](Fixture &f) {
         f.receive_stop(2);
         g_assert_cmpuint(f.wire.close_code, ==, 0);
         f.worker->run_for(3s);
       },
       "sink end stop \nend stop \n", 1000},
  };
  for (const auto &c : cases) {
    g_test_message("%s", c.name);
    Fixture f;
    int ended = 0;
    f.stream->on_ended([&] { ++ended; });
    f.receive_start();
    f.listeners.take();
    c.act(f);
    assert_log(f, c.log);
    g_assert_cmpint(ended, ==, 1);
    g_assert_cmpuint(f.wire.close_code, ==, c.close_code);
    f.stream->close(1000, "again");
    f.worker->run_for(60s);
    assert_log(f, "");
    if (c.close_code != 0)
      f.connection_closed(1006);
    f.stream.reset();
    g_assert_false(f.wire.alive);
    g_assert_cmpuint(f.worker->armed_timers(), ==, 0);
  }
}

static void test_steady_media_keeps_it_alive() {
  Fixture f;
  f.receive_start();
  for (int i = 0; i < 100; ++i) {
    f.worker->run_for(9s);
    f.receive_media(i + 2, i + 1);
  }
  g_assert_false(f.stream->ended());
}

static void test_no_start() {
  Fixture f;
  f.worker->run_for(6s);
  assert_log(f, "sink end protocol no start within 5 s\n"
                "end protocol no start within 5 s\n");
  g_assert_cmpuint(f.wire.close_code, ==, 1008);
}

// Whoever reads the log or the record learns what was wrong with it, and of
// which call.
static void test_start_of_no_use() {
  Fixture f;
  const test::CapturedLog log;
  f.receive(R"({"event":"start","streamSid":"MZ1","start":{"callSid":"CA1",)"
            R"("mediaFormat":{"encoding":"audio/x-alaw","sampleRate":8000,)"
            R"("channels":1}}})");
  const std::string why =
      "audio/x-mulaw, 8000 Hz and 1 channel are expected, got "
      R"({"encoding":"audio/x-alaw","sampleRate":8000,"channels":1})";
  g_assert_cmpuint(log.count("warning call=CA7 media stream: bad_media_format "
                             "(first of its kind): " +
                             why),
                   ==, 1);
  f.worker->run_for(6s);
  const std::string end = "end protocol no start of use within 5 s: "
                          "bad_media_format: " +
                          why + "\n";
  CHECK_TEXT(f.listeners.take(), "sink " + end + end);
}

static void test_refused_start() {
  std::string seen;
  Fixture f([&](const StreamStart &start) {
    seen = start.parameters.at("token");
    return make_error("wrong_call", "wrong call");
  });
  f.receive_start();
  g_assert_cmpstr(seen.c_str(), ==, "t");
  assert_log(f, "sink end protocol start refused: wrong call\n"
                "end protocol start refused: wrong call\n");
  g_assert_cmpuint(f.wire.close_code, ==, 1008);
  f.receive_media(2, 1);
  assert_log(f, "");
}

static void test_anomalies_are_counted() {
  Fixture f;
  f.receive_media(1, 1);
  f.receive_start();
  f.receive_start(2);
  f.receive("nonsense");
  f.receive(R"({"event":"news"})");
  const auto binary = f.wire.handlers.binary;
  binary(Bytes(3));
  const auto too_big = f.wire.handlers.too_big;
  too_big();
  f.listeners.take();
  f.receive_media(2, 1, "MZ2");
  assert_log(f, "");
  f.receive_media(2, 1);
  f.receive_media(4, 3); // sequence 3, chunk 2 never came
  f.receive_media(5, 4);
  for (const char *payload : {"", "/w==", "/////w=="})
    f.receive(
        R"({"event":"media","streamSid":"MZ1","media":{"timestamp":"200",)"
        R"("payload":")" +
        std::string(payload) + "\"}}");
  f.receive_stop(6);
  f.receive_media(7, 5);
  for (const auto &[kind, expected] :
       std::map<const char *, std::uint64_t>{{"before_start", 1},
                                             {"second_start", 1},
                                             {"bad_json", 1},
                                             {"unknown_event", 1},
                                             {"binary_frame", 1},
                                             {"too_large", 1},
                                             {"wrong_stream_sid", 1},
                                             {"sequence_gap", 1},
                                             {"chunk_gap", 1},
                                             {"odd_size", 3},
                                             {"after_stop", 1}}) {
    g_test_message("%s", kind);
    g_assert_cmpuint(f.count(kind), ==, expected);
  }
  assert_log(f, "media 120 160\nmedia 160 160\nmedia 180 160\n"
                "media 200 0\nmedia 200 1\nmedia 200 4\n"
                "sink end stop \nend stop \n");
}

// The listener lets go of the last reference while it is being told.
static void test_dies_in_its_own_callback() {
  Fixture f;
  f.receive_start();
  f.listeners.at_end = [&] {
    f.stream->set_source(nullptr);
    f.stream->set_sink(nullptr);
    f.stream.reset();
  };
  f.connection_closed(1006);
  g_assert_false(f.wire.alive);
  g_assert_cmpuint(f.worker->armed_timers(), ==, 0);
}

// The close frame gets its answer although nobody holds the stream any more.
static void test_peer_hears() {
  Fixture f;
  g_assert_false(f.stream->peer_hears());
  f.receive_start();
  // A second of audio, however it was cut, and no mark ever.
  for (int i = 0; i < 10; ++i)
    f.stream->send_media(Bytes(800, 0));
  f.worker->run_for(950ms);
  g_assert_true(f.stream->peer_hears());
  f.worker->run_for(400ms);
  g_assert_false(f.stream->peer_hears());
  // A clear ends it.
  f.stream->send_media(Bytes(8000, 0));
  f.worker->run_for(100ms);
  f.stream->send_clear();
  f.worker->run_for(300ms);
  g_assert_false(f.stream->peer_hears());
}

static void test_marks_are_not_kept_waiting() {
  Fixture f;
  f.receive_start();
  f.receive_media(2, 1);
  f.stream->set_read_period(80ms);
  g_assert_true(f.wire.period == 80ms);
  // Shortly before one may come is a read, and then each message is read by
  // itself.
  f.stream->expect_mark(f.worker->now() + 70ms);
  f.stream->set_read_period(80ms);
  g_assert_true(f.wire.period == 70ms);
  f.worker->run_for(60ms);
  f.stream->set_read_period(80ms);
  g_assert_true(f.wire.period == 0s);
  f.stream->expect_mark(f.worker->now() + 500ms);
  f.stream->set_read_period(80ms);
  g_assert_true(f.wire.period == 80ms);
  f.stream->expect_mark(std::nullopt);
  f.stream->set_read_period(0s);
  g_assert_true(f.wire.period == 0s);
}

static void test_close_outlives_its_users() {
  Fixture f;
  f.receive_start();
  f.stream->set_source(nullptr);
  f.stream->set_sink(nullptr);
  f.stream->close(1000, "done");
  f.stream.reset();
  g_assert_true(f.wire.alive);
  f.connection_closed(1000);
  g_assert_false(f.wire.alive);
  // Or the worker ends, and takes it along.
  Fixture g;
  g.stream->close(1000, "done");
  g.stream.reset();
  g_assert_true(g.wire.alive);
  g.worker.reset();
  g_assert_false(g.wire.alive);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/media-stream/a-whole-stream", test_whole_stream);
  g_test_add_func("/media-stream/sends-only-between-start-and-end", test_sends);
  g_test_add_func("/media-stream/is-concluded-until-more-is-sent",
                  test_concluded);
  g_test_add_func("/media-stream/a-late-listener-is-told-what-happened",
                  test_late_listeners);
  g_test_add_func("/media-stream/ends-are-told-once-to-each", test_ends);
  g_test_add_func("/media-stream/steady-media-keeps-it-alive",
                  test_steady_media_keeps_it_alive);
  g_test_add_func("/media-stream/no-start-within-five-seconds-ends-it",
                  test_no_start);
  g_test_add_func("/media-stream/a-start-of-no-use-is-told",
                  test_start_of_no_use);
  g_test_add_func("/media-stream/a-refused-start-closes-with-1008",
                  test_refused_start);
  g_test_add_func("/media-stream/anomalies-are-counted-and-survived",
                  test_anomalies_are_counted);
  g_test_add_func("/media-stream/may-be-destroyed-in-its-own-callback",
                  test_dies_in_its_own_callback);
  g_test_add_func("/media-stream/the-clock-tells-whether-the-peer-hears",
                  test_peer_hears);
  g_test_add_func("/media-stream/marks-are-not-kept-waiting",
                  test_marks_are_not_kept_waiting);
  g_test_add_func("/media-stream/a-close-outlives-its-users",
                  test_close_outlives_its_users);
  return g_test_run();
}
