// SPDX-License-Identifier: LGPL-2.1-or-later
#include "frames.hpp"

#include "net/frame_contexts.hpp"

#include <glib.h>

#include <string>
#include <string_view>

using namespace patchcord;
using net::FrameContext;
using net::FrameContexts;

namespace {

struct End final : FrameContext::User {
  ssize_t read_bytes(std::uint8_t *buffer, std::size_t size) override {
    const std::size_t take = std::min(size, input.size());
    if (take == 0)
      return -1;
    input.copy(reinterpret_cast<char *>(buffer), take);
    input.erase(0, take);
    return static_cast<ssize_t>(take);
  }
  void write_bytes(const std::uint8_t *data, std::size_t size) override {
    output.append(reinterpret_cast<const char *>(data), size);
  }
  std::string input, output, heard;
  std::unique_ptr<FrameContext> half;
};

// As a connection does.
void receive(FrameContexts &contexts, End &end) {
  auto frames = end.half ? std::move(end.half) : contexts.borrow(end);
  wslay_frame_iocb frame{};
  while (frames->receive(frame) >= 0)
    end.heard.append(reinterpret_cast<const char *>(frame.data),
                     frame.data_length);
  if (frames->idle())
    contexts.give_back(std::move(frames));
  else
    end.half = std::move(frames);
}

void send(FrameContexts &contexts, End &end, std::string_view text, bool mask) {
  wslay_frame_iocb frame{};
  frame.fin = 1;
  frame.opcode = WSLAY_TEXT_FRAME;
  frame.mask = mask ? 1 : 0;
  frame.data = reinterpret_cast<const std::uint8_t *>(text.data());
  frame.data_length = frame.payload_length = text.size();
  contexts.send(end, frame);
}

void test_pieces_do_not_mix() {
  const auto worker = Worker::create_virtual();
  FrameContexts contexts(*worker);
  const std::string all[] = {std::string(3, 'a'), std::string(126, 'b'),
                             std::string(70'000, 'c'), std::string()};
  std::string words, bytes;
  for (const std::string &text : all) {
    words += text;
    bytes += frame(kText, text);
  }
  for (const std::size_t step : {1, 2, 7, 1000, 5000}) {
    End first, second;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      first.input += bytes.substr(at, step);
      receive(contexts, first);
      second.input += bytes.substr(at, step);
      receive(contexts, second);
    }
    g_assert_true(first.heard == words);
    g_assert_true(second.heard == words);
    // Nothing is left over, and neither holds on to 4 kB.
    g_assert_null(first.half.get());
    g_assert_null(second.half.get());
  }
}

void test_masks_do_not_mix() {
  const auto worker = Worker::create_virtual();
  FrameContexts contexts(*worker);
  End client, server;
  const std::string text(300, 'x');
  for (int i = 0; i < 3; ++i) {
    send(contexts, client, text, true);
    send(contexts, server, text, false);
  }
  End reader;
  reader.input = client.output;
  receive(contexts, reader);
  g_assert_true(reader.heard == text + text + text);
  const auto plain = std::string("\x81\x7e\x01\x2c", 4) + text;
  g_assert_true(server.output == plain + plain + plain);
}

void test_after_an_error_it_is_not_lent() {
  const auto worker = Worker::create_virtual();
  FrameContexts contexts(*worker);
  End abuser;
  abuser.input = std::string("\x09\x80\0\0\0\0", 6); // a fragmented ping
  auto frames = contexts.borrow(abuser);
  wslay_frame_iocb frame{};
  g_assert_cmpint(frames->receive(frame), ==, WSLAY_ERR_PROTO);
  g_assert_false(frames->idle());
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/frame-contexts/pieces-of-two-connections-do-not-mix",
                  test_pieces_do_not_mix);
  g_test_add_func("/frame-contexts/masks-of-two-sides-do-not-mix",
                  test_masks_do_not_mix);
  g_test_add_func("/frame-contexts/after-an-error-it-is-not-lent",
                  test_after_an_error_it_is_not_lent);
  return g_test_run();
}
