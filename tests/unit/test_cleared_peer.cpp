// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/cleared_peer.hpp"

#include <glib.h>

// What is made of a mark that comes back between a clear and its answer.
using namespace patchcord;
using namespace patchcord::twilio;

namespace {

// The way is 60 ms. Late marks moved the clock by 30 ms, so that the mark of
// 1500 ms is due at 1530 ms; it comes 10 ms behind the clear, and well before
// the answer.
void test_marks_in_time_again() {
  const struct {
    Duration back;
    bool played, hasty;
  } rows[] = {
      {1560ms, true, false}, {1510ms, true, false},  {1500ms, true, false},
      {1495ms, true, false}, {1494ms, false, false}, {1480ms, false, false},
      {1479ms, false, true},
  };
  for (const auto &row : rows) {
    g_test_message("back at %d ms", static_cast<int>(row.back / 1ms));
    ClearedPeer peer;
    peer.clock.sent(24'000, 0ms);
    g_assert_true(peer.clock.echoed(100ms, 160ms) == 0ms);
    g_assert_true(peer.clock.echoed(500ms, 590ms) == 0ms);
    g_assert_true(peer.clock.echoed(1000ms, 1090ms) == 30ms);
    peer.sent = row.back - 10ms;
    peer.confirmed = 8000;
    peer.marks = {{12'000, 1530ms, row.back}};
    const auto heard = peer.heard(row.back + 90ms, 800);
    g_assert_true(heard.hasty == row.hasty);
    g_assert_true((heard.surely >= 12'000) == row.played);
  }
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/cleared-peer/marks-that-are-in-time-again-were-played",
                  test_marks_in_time_again);
  return g_test_run();
}
