// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/tapped_stream.hpp"

#include "../support/check_text.hpp"

#include <glib.h>

#include <memory>
#include <string>
#include <utility>

// What a recorder around a call's stream passes on, and what it sees.
using namespace patchcord;
using twilio::StreamEnd;

namespace {

// Notes what it was told.
class Within final : public twilio::MediaStream {
public:
  void set_source(twilio::MediaSourceListener *listener) override {
    source = listener;
  }
  void set_sink(twilio::MediaSinkListener *listener) override {
    sink = listener;
  }
  const twilio::StreamStart *started() const override { return &start; }
  bool ended() const override { return is_over; }
  const std::map<std::string, std::uint64_t> &anomalies() const override {
    return odd;
  }
  void set_read_period(Duration period) override {
    told += "period " + std::to_string(period / 1ms) + '\n';
  }
  bool peer_hears() const override { return hears; }
  void expect_mark(std::optional<TimePoint> due) override {
    told += "due " + (due ? std::to_string(*due / 1ms) : "never") + '\n';
  }
  void conclude() override { told += "conclude\n"; }
  bool concluded() const override { return is_over; }
  void gather(bool on) override { told += on ? "gather\n" : "write\n"; }
  void send_media(ByteSpan mulaw) override {
    told += "media " + std::to_string(mulaw.size()) + '\n';
  }
  void send_mark(std::string_view name) override {
    told += "mark " + std::string(name) + '\n';
  }
  void send_clear() override { told += "clear\n"; }
  void close(std::uint16_t code, std::string_view reason) override {
    told += "close " + std::to_string(code) + ' ' + std::string(reason) + '\n';
  }

  twilio::MediaSourceListener *source = nullptr;
  twilio::MediaSinkListener *sink = nullptr;
  const twilio::StreamStart start{"MZ1", "AC1", "CA1", {}};
  std::map<std::string, std::uint64_t> odd;
  bool is_over = false, hears = false;
  std::string told;
};

struct Ears final : twilio::MediaSourceListener, twilio::MediaSinkListener {
  void on_start(const twilio::StreamStart &start) override {
    heard += "start " + start.call_sid + '\n';
  }
  void on_media(std::int64_t timestamp_ms, ByteSpan mulaw) override {
    heard += "media " + std::to_string(timestamp_ms) + ' ' +
             std::to_string(mulaw.size()) + '\n';
  }
  void on_dtmf(std::string_view digit) override {
    heard += "digit " + std::string(digit) + '\n';
  }
  void on_mark(std::string_view name) override {
    heard += "mark " + std::string(name) + '\n';
  }
  void on_end(StreamEnd end, std::string_view detail) override {
    heard += std::string(to_string(end)) + ' ' + std::string(detail) + '\n';
  }
  std::string heard;
};

struct Tapped {
  const std::shared_ptr<Within> within = std::make_shared<Within>();
  int seen = 0;
  call::TappedStream stream{within,
                            [this](recording::Event, ByteSpan) { ++seen; }};
  twilio::MediaStream &call = stream; // as who calls knows it
  std::string told() { return std::exchange(within->told, {}); }
};

// A hint that stops here makes a recorded call another one.
void test_hints() {
  Tapped t;
  t.call.set_read_period(160ms);
  t.call.expect_mark(1500ms);
  t.call.expect_mark(std::nullopt);
  t.call.gather(true);
  t.call.gather(false);
  t.call.conclude();
  CHECK_TEXT(t.told(), "period 160\ndue 1500\ndue never\ngather\nwrite\n"
                       "conclude\n");
  for (const bool yes : {true, false, true}) {
    t.within->hears = t.within->is_over = yes;
    g_assert_true(t.call.peer_hears() == yes);
    g_assert_true(t.call.ended() == yes);
    g_assert_true(t.call.concluded() == yes);
  }
  g_assert_true(t.call.started() == &t.within->start);
  t.within->odd["bad_json"] = 3;
  g_assert_true(t.call.anomalies() == t.within->odd);
  g_assert_cmpint(t.seen, ==, 0);
}

void test_to_the_peer() {
  Tapped t;
  t.call.send_media(Bytes(160, 0xff));
  t.call.send_mark("1.1");
  t.call.send_clear();
  g_assert_cmpint(t.seen, ==, 3);
  t.call.close(1000, "done");
  CHECK_TEXT(t.told(), "media 160\nmark 1.1\nclear\nclose 1000 done\n");
}

// Both listeners hear of the start and of the end, which are seen once.
void test_from_the_peer() {
  Tapped t;
  Ears ears;
  t.call.set_source(&ears);
  t.call.set_sink(&ears);
  t.within->sink->on_start(t.within->start);
  t.within->source->on_start(t.within->start);
  t.within->source->on_media(20, Bytes(160, 0xff));
  t.within->source->on_dtmf("5");
  t.within->sink->on_mark("1.1");
  t.within->sink->on_end(StreamEnd::kStop, "bye");
  t.within->source->on_end(StreamEnd::kStop, "bye");
  CHECK_TEXT(ears.heard, "start CA1\nstart CA1\nmedia 20 160\ndigit 5\n"
                         "mark 1.1\nstop bye\nstop bye\n");
  g_assert_cmpint(t.seen, ==, 5);
  t.call.set_source(nullptr);
  t.call.set_sink(nullptr);
  g_assert_null(t.within->source);
  g_assert_null(t.within->sink);
}

// Whoever listens may go later than the recorder does.
void test_it_goes_first() {
  Ears ears;
  const auto within = std::make_shared<Within>();
  {
    call::TappedStream stream(within, [](recording::Event, ByteSpan) {});
    stream.set_source(&ears);
    stream.set_sink(&ears);
    g_assert_nonnull(within->source);
  }
  g_assert_null(within->source);
  g_assert_null(within->sink);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/tapped-stream/hints-reach-the-stream-within", test_hints);
  g_test_add_func("/tapped-stream/what-is-sent-is-sent-and-seen",
                  test_to_the_peer);
  g_test_add_func("/tapped-stream/what-comes-is-told-and-seen",
                  test_from_the_peer);
  g_test_add_func("/tapped-stream/nobody-listens-by-one-that-is-gone",
                  test_it_goes_first);
  return g_test_run();
}
