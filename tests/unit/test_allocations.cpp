// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.hpp"
#include "playout_line.hpp"

#include <cstdlib>
#include <new>

// How often memory is asked for where it is asked for all the time.

namespace {

std::size_t threshold = 0; // 0: not counted
int counted = 0;

} // namespace

// All of them: a sanitizer brings its own, and holds that what one makes the
// other may not take back.
void *operator new(std::size_t size, const std::nothrow_t &) noexcept {
  if (threshold != 0 && size >= threshold)
    ++counted;
  return std::malloc(size);
}
void *operator new(std::size_t size) {
  if (void *memory = operator new(size, std::nothrow))
    return memory;
  throw std::bad_alloc();
}
void *operator new[](std::size_t size) { return operator new(size); }
void *operator new[](std::size_t size, const std::nothrow_t &) noexcept {
  return operator new(size, std::nothrow);
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void *memory) noexcept { std::free(memory); }
void operator delete[](void *memory, std::size_t) noexcept {
  std::free(memory);
}

using namespace patchcord;
using namespace patchcord::twilio;

namespace {

// Of `size` bytes and more, while `work` runs.
template <typename F> int allocations(std::size_t size, F &&work) {
  counted = 0;
  threshold = size;
  work();
  threshold = 0;
  return counted;
}

void test_json() {
  std::string text = "[\"" + std::string(1100, 'x') + "\"]";
  g_assert_cmpint(
      allocations(1000, [&] { g_assert_true(JsonDocument::parse(text).ok()); }),
      >, 0);
  for (int i = 0; i < 500; ++i) {
    text.insert(2, 1, 'y');
    const int made = allocations(
        1000, [&] { g_assert_true(JsonDocument::parse(text).ok()); });
    g_assert_cmpint(made, ==, 0);
  }
}

// A voice that is somewhat faster than speech, for a minute.
void test_playout() {
  Line line;
  line.peer.back = [] { return 80; };
  line.playout.open(line.now());
  line.playout.utterance_start(1, line.now());
  line.audio(8000 * 10);
  const Bytes piece(8 * 125, 1);
  line.peer.media_sizes.reserve(10'000);
  line.peer.mark_names.reserve(10'000);
  line.peer.marks_at.reserve(10'000);
  int made = 0;
  for (int i = 0; i < 600; ++i) {
    made += allocations(BlockQueue::kBlock + 1,
                        [&] { line.playout.audio(piece, line.now()); });
    for (int ms = 0; ms < 100; ++ms, ++line.ms) {
      const auto marks = line.peer.returned();
      made += allocations(BlockQueue::kBlock + 1, [&] {
        for (const auto &name : marks)
          line.playout.mark_echo(name, line.now());
        line.playout.tick(line.now());
      });
      line.peer.play();
      line.collect();
    }
  }
  g_test_message("%d allocations", made);
  g_assert_cmpint(made, ==, 0);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/json/a-text-a-bit-longer-needs-no-new-memory", test_json);
  g_test_add_func(
      "/playout/a-long-utterance-asks-for-no-piece-larger-than-a-block",
      test_playout);
  return g_test_run();
}
