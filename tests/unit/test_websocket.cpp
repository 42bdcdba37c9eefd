// SPDX-License-Identifier: LGPL-2.1-or-later
// The server's side, on a virtual worker, with the client played by hand.
#include "../support/check_text.hpp"
#include "frames.hpp"
#include "net_test.hpp"
#include "raw_server.hpp"

#include "net/utf8.hpp"
#include "worker/worker.hpp"

using namespace patchcord;
using net::WebSocket;

namespace {

struct Bench {
  explicit Bench(const WebSocket::Limits &limits = {},
                 std::string_view already_read = {})
      : Bench(limits, already_read, [](Bench &) {}) {}
  // `adjust` may change the handlers first.
  Bench(const WebSocket::Limits &limits, std::string_view already_read,
        const std::function<void(Bench &)> &adjust) {
    int fds[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
                    ==, 0);
    peer = Descriptor(fds[1]);
    auto owner = std::make_shared<Descriptor>(fds[0]);
    adjust(*this);
    socket = WebSocket::accept(*worker, fds[0], owner, as_bytes(already_read),
                               handlers, limits);
    expect(""); // not within accept()
  }
  ~Bench() {
    socket.reset();
    g_assert_cmpuint(worker->watched_fds(), ==, 0);
    g_assert_cmpuint(worker->armed_timers(), ==, 0);
  }
  Bench(const Bench &) = delete;
  Bench &operator=(const Bench &) = delete;

  void say(const std::string &bytes) {
    peer.write(bytes);
    worker->run_ready();
  }
  std::string hear() {
    worker->run_ready();
    return describe_frames(peer.read(), false);
  }
  void expect(const std::string &events) { CHECK_TEXT(log.joined(), events); }

  EventLog log;
  std::shared_ptr<Worker> worker = Worker::create_virtual();
  WebSocket::Handlers handlers = logging_handlers(log);
  Descriptor peer;
  std::unique_ptr<WebSocket> socket;
};

constexpr FrameOptions kFragment = {.fin = false};

// All that a client may say, and what comes of it.
std::string long_script() {
  return frame(kText, "hello") + frame(kText, "") + frame(kBinary, "\x01\xff") +
         frame(kText, "fr", kFragment) + frame(kMore, "", kFragment) +
         frame(kPing, "in between") + frame(kMore, "ag", kFragment) +
         frame(kPong, "unasked") + frame(kMore, "ment") +
         frame(kText, "", kFragment) + frame(kMore, "") +
         // A character of four bytes in three fragments.
         frame(kText, "\xf0\x9f", kFragment) + frame(kMore, "\x93", kFragment) +
         frame(kMore, "\x9e") + frame(kText, std::string("n\0l", 3)) +
         frame(kText, std::string(125, 'a')) +
         frame(kText, std::string(126, 'b')) +
         frame(kBinary, std::string(5000, 'c')) + frame(kPing, "");
}
std::string long_log() {
  return "text hello|text |binary \x01\xff|text fragment|text |text "
         "\xf0\x9f\x93\x9e|text n" +
         std::string("\0", 1) + "l|text " + std::string(125, 'a') + "|text " +
         std::string(126, 'b') + "|binary 5000 bytes";
}

} // namespace

static void test_messages() {
  Bench bench;
  bench.say(long_script());
  g_assert_true(bench.log.joined() == long_log());
  CHECK_TEXT(bench.hear(), "pong in between|pong");
}

static void test_byte_by_byte() {
  Bench bench;
  for (const char byte : long_script())
    bench.say(std::string(1, byte));
  g_assert_true(bench.log.joined() == long_log());
  CHECK_TEXT(bench.hear(), "pong in between|pong");
}

static void test_already_read() {
  // Cut at any place between what the HTTP server has read and the rest.
  const std::string script = frame(kText, "first") + frame(kText, "second");
  for (std::size_t cut = 0; cut <= script.size(); ++cut) {
    Bench bench({}, std::string_view(script).substr(0, cut));
    bench.say(script.substr(cut) + frame(kText, "third"));
    bench.expect("text first|text second|text third");
  }
}

static void test_abuse() {
  WebSocket::Limits limits;
  limits.message_bytes = 1000;
  const auto unmasked = [](unsigned opcode, std::string_view text) {
    return frame(opcode, text, {.mask = false});
  };
  const std::string big(1001, 'x');
  struct Case {
    const char *what;
    std::string bytes;
    const char *close; // what the peer is sent
  };
  const Case cases[] = {
      {"unmasked", unmasked(kText, "hello"), "1002 a client's frame is not"},
      {"unmasked and empty", unmasked(kText, ""), "1002 a client's frame is"},
      {"unmasked ping", unmasked(kPing, ""), "1002 a client's frame is"},
      {"RSV1", frame(kText, "hello", {.rsv = 4}), "1002 reserved"},
      {"RSV2", frame(kText, "", {.rsv = 2}), "1002 reserved"},
      {"RSV3", frame(kPing, "hello", {.rsv = 1}), "1002 reserved"},
      {"opcode 3", frame(3, "hello"), "1002 unknown opcode"},
      {"opcode 7", frame(7, ""), "1002 unknown opcode"},
      {"opcode 11", frame(11, ""), "1002 unknown opcode"},
      {"opcode 15", frame(15, "hello"), "1002 unknown opcode"},
      {"fragmented ping", frame(kPing, "hello", kFragment), "1002 malformed"},
      {"fragmented close", frame(kClose, "", kFragment), "1002 malformed"},
      {"ping of 126 bytes", frame(kPing, std::string(126, 'p')),
       "1002 malformed"},
      {"continuation of nothing", frame(kMore, "hello"), "1002 a continuation"},
      {"continuation after the end", frame(kText, "a") + frame(kMore, "b"),
       "1002 a continuation"},
      {"message within a message",
       frame(kText, "a", kFragment) + frame(kText, "b"), "1002 a message"},
      {"binary within text", frame(kText, "", kFragment) + frame(kBinary, "b"),
       "1002 a message"},
      {"length not minimal", frame(kText, "hello", {.length_bytes = 2}),
       "1002 malformed"},
      {"length in 8 bytes not minimal", frame(kText, big, {.length_bytes = 8}),
       "1002 malformed"},
      {"length above 2^63", "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff",
       "1002 malformed"},
      {"too big", frame(kText, big), "1009 message too big"},
      {"too big by its header",
       std::string("\x82\xff\0\0\0\x10\0\0\0\0kkkk.", 15), "1009 message too"},
      {"too big in fragments",
       frame(kText, big.substr(0, 500), kFragment) +
           frame(kMore, big.substr(0, 500), kFragment) + frame(kMore, "x"),
       "1009 message too big"},
      {"bad UTF-8", frame(kText, "a\xff"), "1007 text that is not UTF-8"},
      {"overlong", frame(kText, "\xc0\xaf"), "1007 text"},
      {"surrogate", frame(kText, "\xed\xa0\x80"), "1007 text"},
      {"unfinished UTF-8", frame(kText, "\xf0\x9f\x93"), "1007 text"},
      {"bad UTF-8 over fragments",
       frame(kText, "\xf0\x9f", kFragment) + frame(kMore, "x"), "1007 text"},
      {"half a close code", frame(kClose, "\x03"), "1002 half a close code"},
      {"close 0", frame(kClose, close_payload(0)), "1002 illegal"},
      {"close 999", frame(kClose, close_payload(999)), "1002 illegal"},
      {"close 1004", frame(kClose, close_payload(1004)), "1002 illegal"},
      {"close 1005", frame(kClose, close_payload(1005)), "1002 illegal"},
      {"close 1006", frame(kClose, close_payload(1006)), "1002 illegal"},
      {"close 1015", frame(kClose, close_payload(1015)), "1002 illegal"},
      {"close 2999", frame(kClose, close_payload(2999)), "1002 illegal"},
      {"close 5000", frame(kClose, close_payload(5000)), "1002 illegal"},
      {"close reason", frame(kClose, close_payload(1000, "\xff")),
       "1007 close reason"},
  };
  for (const auto &[what, bytes, close] : cases) {
    g_test_message("%s", what);
    Bench bench(limits);
    // What comes after is not looked at, but read: or the kernel would reset
    // the connection, and our close frame with it.
    bench.say(bytes + frame(kBinary, "after") + frame(kPing, "after"));
    const std::string heard = bench.hear();
    const std::string start = std::string("close ") + close;
    g_assert_true(heard.starts_with(start));
    g_assert_true(heard.ends_with("|EOF")); // and nothing else between
    g_assert_null(g_strstr_len(heard.c_str(), -1, "after"));
    g_assert_cmpuint(bench.log.count("binary after"), ==, 0);
    g_assert_cmpuint(bench.worker->watched_fds(), ==, 1); // until it hangs up
    bench.peer.reset();
    bench.worker->run_ready();
    g_assert_true(bench.log.all().back().starts_with(
        "closed 1006 " + std::string(close).substr(5)));
    g_assert_cmpuint(bench.worker->watched_fds(), ==, 0);
  }
}

static void test_abuser_does_not_hang_up() {
  WebSocket::Limits limits;
  limits.close_timeout = 3s;
  Bench bench(limits);
  const TimePoint start = bench.worker->now();
  bench.say(frame(7, ""));
  bench.expect("");
  g_assert_true(bench.worker->run_until(
      [&] { return !bench.log.all().empty(); }, start + 3600s));
  bench.expect("closed 1006 unknown opcode 0");
  g_assert_cmpint((bench.worker->now() - start) / 1ms, ==, 3000);
}

static void test_limits_exactly() {
  WebSocket::Limits limits;
  limits.message_bytes = 1000;
  Bench bench(limits);
  for (int i = 0; i < 3; ++i)
    bench.say(frame(kBinary, std::string(1000, 'x')) +
              frame(kText, std::string(400, 'x'), kFragment) +
              frame(kMore, std::string(600, 'x')));
  g_assert_cmpuint(bench.log.count("binary 1000 bytes"), ==, 3);
  g_assert_cmpuint(bench.log.count("text 1000 bytes"), ==, 3);
}

// Whoever asks to be told goes on behind it.
static void test_too_big_is_skipped() {
  WebSocket::Limits limits;
  limits.message_bytes = 1000;
  const std::string all =
      frame(kText, std::string(1001, 'x')) + frame(kText, "one") +
      frame(kText, std::string(600, 'x'), kFragment) +
      frame(kMore, std::string(401, 'x'), kFragment) + frame(kPing, "p") +
      frame(kMore, "", kFragment) + frame(kMore, "\xff") +
      frame(kBinary, std::string(70'000, 'x')) + frame(kText, "two");
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, all.size()}) {
    Bench bench(limits, {}, [](Bench &b) {
      b.handlers.too_big = [&b] { b.log.add("too big"); };
    });
    for (std::size_t at = 0; at < all.size(); at += step)
      bench.say(all.substr(at, step));
    bench.expect("too big|text one|too big|too big|text two");
    CHECK_TEXT(bench.hear(), "pong p");
  }
}

static void test_peer_closes() {
  struct Case {
    std::string payload;
    const char *echo, *closed;
  };
  const Case cases[] = {
      {close_payload(1000, "good bye"), "close 1000", "1000 good bye"},
      {"", "close", "1005 "},
      {close_payload(1001), "close 1001", "1001 "},
      {close_payload(1011), "close 1011", "1011 "},
      {close_payload(1014), "close 1014", "1014 "},
      {close_payload(3000), "close 3000", "3000 "},
      {close_payload(4999, std::string(123, 'r')), "close 4999",
       "4999 rrrrrrrr"},
  };
  for (const auto &[payload, echo, closed] : cases) {
    Bench bench;
    bench.say(frame(kText, "last") + frame(kClose, payload) +
              frame(kText, "too late"));
    CHECK_TEXT(bench.hear(), std::string(echo) + "|EOF");
    const std::string all = bench.log.joined();
    g_assert_true(all.starts_with("text last|closed " + std::string(closed)));
    g_assert_cmpuint(bench.log.all().size(), ==, 2);
    bench.socket->send_text("ignored");
    bench.socket->close(1000, "ignored");
    bench.worker->run_for(60s);
    g_assert_cmpuint(bench.log.all().size(), ==, 2);
  }
}

static void test_we_close() {
  Bench bench;
  bench.socket->send_text("last");
  bench.socket->close(1001, "going");
  bench.socket->close(1000, "again");
  bench.socket->send_text("ignored");
  bench.expect("");
  CHECK_TEXT(bench.hear(), "text last|close 1001 going");
  // What was under way still arrives; a ping is not answered any more.
  bench.say(frame(kText, "under way") + frame(kPing, "") +
            frame(kClose, close_payload(1001, "so be it")));
  bench.expect("text under way|closed 1001 so be it 0");
  CHECK_TEXT(bench.hear(), "EOF");
}

static void test_close_reason_is_cut() {
  Bench bench;
  std::string reason;
  for (int i = 0; i < 50; ++i)
    reason += "\xc3\xa4"; // "ä"
  bench.socket->close(1000, reason + reason);
  const std::string heard = bench.hear();
  g_assert_cmpuint(heard.size(), ==, std::string("close 1000 ").size() + 122);
  g_assert_true(net::is_utf8(heard));
}

static void test_close_timeout() {
  Bench bench;
  const TimePoint start = bench.worker->now();
  bench.socket->close(1000, "");
  g_assert_true(bench.worker->run_until(
      [&] { return !bench.log.all().empty(); }, start + 3600s));
  bench.expect("closed 1006 no close frame in time 0");
  g_assert_cmpint((bench.worker->now() - start) / 1ms, ==, 2000);
  CHECK_TEXT(bench.hear(), "close 1000|EOF");
}

static void test_lost() {
  Bench bench;
  bench.peer.write(frame(kText, "last") + frame(kText, "cut").substr(0, 7));
  bench.peer.reset();
  bench.worker->run_ready();
  bench.expect("text last|closed 1006 connection lost 0");
}

// A peer that is gone is noticed by reading: its last words still count.
static void test_lost_while_sending() {
  Bench bench;
  bench.peer.write(frame(kText, "last words"));
  bench.peer.reset();
  bench.socket->send_text("into the void");
  bench.socket->send_text("into the void");
  bench.expect("");
  bench.worker->run_ready();
  bench.expect("text last words|closed 1006 connection lost 0");
}

static void test_pings() {
  Bench bench;
  for (int i = 0; i < 5; ++i) {
    bench.worker->run_for(19999ms);
    CHECK_TEXT(bench.hear(), "");
    bench.worker->run_for(1ms);
    CHECK_TEXT(bench.hear(), "ping");
    bench.say(frame(kPong, ""));
  }
  bench.worker->run_for(20s);
  CHECK_TEXT(bench.hear(), "ping");
  bench.say(frame(kText, "no pong"));
  bench.worker->run_for(19999ms);
  bench.expect("text no pong");
  bench.worker->run_for(1ms);
  bench.expect("text no pong|closed 1006 no pong 0");
  CHECK_TEXT(bench.hear(), "EOF");
}

static void test_no_pings() {
  WebSocket::Limits limits;
  limits.ping_interval = 0s;
  Bench bench(limits);
  bench.worker->run_for(3600s);
  CHECK_TEXT(bench.hear(), "");
  bench.expect("");
}

static void test_backlog() {
  WebSocket::Limits limits;
  limits.send_queue_bytes = 4 << 20;
  Bench bench(limits);
  // The kernel takes some; the rest waits, and a close frame behind it.
  std::string expected;
  while (bench.socket->queued_bytes() < (1 << 20)) {
    bench.socket->send_binary(as_bytes(std::string(10000, 'x')));
    expected += "binary 10000 bytes|";
  }
  bench.socket->close(1000, "");
  bench.expect("");
  std::string bytes;
  while (bench.socket->queued_bytes() > 0) {
    bytes += bench.peer.read();
    bench.worker->run_ready();
  }
  bytes += bench.peer.read();
  CHECK_TEXT(describe_frames(bytes, false), expected + "close 1000");
  bench.expect("drained");
}

static void test_slow_peer() {
  WebSocket::Limits limits;
  limits.send_queue_bytes = 100000;
  Bench bench(limits);
  const std::string chunk(10000, 'x');
  int sent = 0;
  while (bench.socket->queued_bytes() + chunk.size() < 100000) {
    bench.socket->send_binary(as_bytes(chunk));
    g_assert_cmpint(++sent, <, 10000);
  }
  bench.worker->run_ready();
  bench.expect("");
  bench.socket->send_binary(as_bytes(chunk));
  bench.socket->send_binary(as_bytes(chunk));
  bench.expect(""); // not from within
  bench.socket->send_binary(as_bytes(chunk));
  bench.worker->run_ready();
  bench.expect("closed 1006 slow peer 0");
}

// Who sends pings and reads no pongs must not fill our memory.
static void test_ping_flood() {
  WebSocket::Limits limits;
  limits.send_queue_bytes = 100000;
  Bench bench(limits);
  const std::string pings = frame(kPing, std::string(125, 'p'));
  int sent = 0;
  while (bench.log.all().empty()) {
    bench.say(pings);
    g_assert_cmpint(++sent, <, 100000);
  }
  bench.expect("closed 1006 slow peer 0");
}

static void test_destroy_in_handlers() {
  const std::string captured(100, 'c');
  for (const std::string where : {"text", "binary", "closed", "drained"}) {
    g_test_message("%s", where.c_str());
    Bench bench({}, {}, [&](Bench &self) {
      const auto act = [&self, where, captured](const char *here) {
        if (where == here)
          self.socket.reset();
        g_assert_cmpuint(captured.size(), ==, 100); // the handler still is
        self.log.add(here);
      };
      self.handlers.text = [act](std::string_view text) {
        act("text");
        g_assert_true(text == "t");
      };
      self.handlers.binary = [act](ByteSpan) { act("binary"); };
      self.handlers.closed = [act](const WebSocket::Closed &closed) {
        act("closed");
        g_assert_true(closed.reason == "bye");
      };
      self.handlers.drained = [act] { act("drained"); };
    });
    while (bench.socket->queued_bytes() == 0)
      bench.socket->send_binary(as_bytes(std::string(10000, 'x')));
    while (bench.socket && bench.socket->queued_bytes() > 0) {
      bench.peer.read();
      bench.worker->run_ready();
    }
    if (where != "drained")
      bench.say(frame(kText, "t") + frame(kBinary, "b") +
                frame(kClose, close_payload(1000, "bye")));
    bench.worker->run_for(60s);
    g_assert_true(bench.log.all().back() == where);
    g_assert_null(bench.socket.get());
    g_assert_true(bench.peer.read().ends_with("EOF"));
  }
}

// Answers given while messages are read go out together, behind each other.
static void test_answers() {
  Bench bench({}, {}, [](Bench &self) {
    self.handlers.text = [&self](std::string_view text) {
      self.socket->send_text("re: " + std::string(text));
      if (text == "end")
        self.socket->close(1000, "asked to");
    };
  });
  bench.say(frame(kText, "a") + frame(kPing, "p") + frame(kText, "b") +
            frame(kText, "end") + frame(kText, "c"));
  CHECK_TEXT(bench.hear(),
             "text re: a|pong p|text re: b|text re: end|close 1000 asked to");
}

// Whoever finds something in the queue may wait for `drained`.
static void test_drained_follows() {
  std::size_t left = 0;
  Bench bench({}, {}, [&](Bench &self) {
    self.handlers.text = [&](std::string_view) {
      self.socket->send_text("answer");
      left = self.socket->queued_bytes();
    };
  });
  bench.socket->send_text("at once");
  g_assert_cmpuint(bench.socket->queued_bytes(), ==, 0);
  bench.worker->run_ready();
  bench.expect("");
  bench.say(frame(kText, "question") + frame(kText, "question"));
  g_assert_cmpuint(left, >, 0);
  bench.expect("drained");
  bench.say(frame(kPing, ""));
  bench.expect("drained"); // pongs are nobody's
}

static void test_corked() {
  Bench bench;
  bench.socket->set_corked(true);
  bench.socket->send_text("one");
  bench.socket->send_text("two");
  CHECK_TEXT(bench.hear(), "");
  bench.socket->set_corked(false);
  CHECK_TEXT(bench.hear(), "text one|text two");
  bench.socket->set_corked(false);
  bench.socket->send_text("three");
  CHECK_TEXT(bench.hear(), "text three");
  // Much does not wait: the kernel has it before anybody lets it go.
  bench.socket->set_corked(true);
  bench.socket->send_binary(Bytes(20'000, 'x'));
  g_assert_true(bench.hear() != "");
}

static void test_utf8() {
  // Every sequence of up to three bytes, behind seven of ASCII, against GLib.
  std::string text = "ascii 7";
  const std::size_t at = text.size();
  for (unsigned code = 0; code < 1U << 24; code += code < 1U << 16 ? 1 : 7) {
    text.resize(at);
    for (int shift = code < 1 << 8    ? 0
                     : code < 1 << 16 ? 8
                                      : 16;
         shift >= 0; shift -= 8)
      if (const unsigned byte = code >> shift & 0xff; byte != 0)
        text += static_cast<char>(byte);
    const bool expected =
        g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr);
    if (net::is_utf8(text) != expected)
      g_error("%06x", code);
  }
  const std::pair<std::string, bool> cases[] = {
      {"", true},
      {std::string(20, '\0'), true},
      {"\xf4\x8f\xbf\xbf", true},
      {"\xf4\x90\x80\x80", false},
      {"\xf0\x8f\xbf\xbf", false},
      {"\xf0\x90\x80\x80", true},
      {"\xf8\x88\x80\x80\x80", false},
      {"12345678\x80", false},
      {"12345678\xc3", false},
      {"1234567\xc3\xa4", true},
  };
  for (const auto &[bytes, expected] : cases)
    g_assert_true(net::is_utf8(bytes) == expected);
}

static void test_read_period() {
  Bench bench;
  bench.worker->run_for(3ms);
  bench.socket->set_read_period(100ms);
  bench.say(frame(kText, "one"));
  bench.worker->run_for(50ms);
  bench.say(frame(kText, "two"));
  bench.expect("");
  // The beat is the worker's: 100 ms after 3 ms is at 100.
  bench.worker->run_for(46ms);
  bench.expect("");
  bench.worker->run_for(1ms);
  bench.expect("text one|text two");
  bench.say(frame(kText, "three"));
  bench.worker->run_for(99ms);
  bench.expect("text one|text two");
  bench.worker->run_for(1ms);
  bench.expect("text one|text two|text three");
  // At once again: what waits, and what comes.
  bench.say(frame(kText, "four"));
  bench.socket->set_read_period(0s);
  bench.worker->run_ready();
  bench.expect("text one|text two|text three|text four");
  bench.say(frame(kText, "five"));
  bench.expect("text one|text two|text three|text four|text five");
}

static void test_read_period_and_the_end() {
  Bench bench;
  bench.socket->set_read_period(100ms);
  // Nothing is sent for long: reading goes on, and the close frame is seen.
  bench.worker->run_for(1s);
  bench.say(frame(kText, "last") + frame(kClose, "\x03\xe8"));
  bench.worker->run_for(100ms);
  bench.expect("text last|closed 1000  0");
  CHECK_TEXT(bench.hear(), "close 1000|EOF");
}

static void test_read_period_ended_by_a_handler() {
  WebSocket *socket = nullptr;
  Bench bench({}, {}, [&](Bench &b) {
    b.handlers.text = [&](std::string_view text) {
      b.log.add("text " + std::string(text));
      socket->set_read_period(0s);
    };
  });
  socket = bench.socket.get();
  socket->set_read_period(50ms);
  bench.say(frame(kText, "one"));
  bench.worker->run_for(50ms);
  bench.say(frame(kText, "two"));
  bench.expect("text one|text two");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const std::pair<const char *, void (*)()> tests[] = {
      {"messages-arrive-whole", test_messages},
      {"however-they-are-cut", test_byte_by_byte},
      {"bytes-already-read-come-first", test_already_read},
      {"abuse-is-answered-with-its-close-code", test_abuse},
      {"an-abuser-is-not-waited-for", test_abuser_does_not_hang_up},
      {"a-message-may-be-as-large-as-the-limit", test_limits_exactly},
      {"what-is-too-big-is-skipped-by-those-who-ask", test_too_big_is_skipped},
      {"with-a-period-it-reads-on-the-workers-beat", test_read_period},
      {"with-a-period-the-end-is-seen", test_read_period_and_the_end},
      {"a-handler-may-end-the-period", test_read_period_ended_by_a_handler},
      {"the-peer-closes", test_peer_closes},
      {"we-close-behind-what-is-queued", test_we_close},
      {"a-long-close-reason-is-cut-between-characters",
       test_close_reason_is_cut},
      {"a-close-frame-is-not-awaited-for-ever", test_close_timeout},
      {"a-lost-connection-is-1006", test_lost},
      {"last-words-count", test_lost_while_sending},
      {"a-peer-that-does-not-pong-is-dropped", test_pings},
      {"no-pings-when-not-wanted", test_no_pings},
      {"a-backlog-is-sent-in-order", test_backlog},
      {"a-slow-peer-is-dropped", test_slow_peer},
      {"a-ping-flood-is-bounded", test_ping_flood},
      {"a-handler-may-destroy-it", test_destroy_in_handlers},
      {"a-handler-may-answer", test_answers},
      {"what-had-to-wait-is-told-when-written", test_drained_follows},
      {"what-is-sent-together-is-one-write", test_corked},
      {"utf-8-is-what-glib-says", test_utf8},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func((std::string("/websocket/") + name).c_str(), test);
  return g_test_run();
}
