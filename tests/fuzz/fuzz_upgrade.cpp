// SPDX-License-Identifier: LGPL-2.1-or-later
// A server answers a WebSocket client's upgrade request with anything. Cut
// anywhere, the answer means the same.
#include "net/upgrade.hpp"

#include <cstdlib>

using namespace patchcord;
using State = net::UpgradeResponse::State;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
  if (size > 40000)
    return 0;
  const ByteSpan bytes(data, size);
  net::UpgradeResponse whole(kKey);
  const State at_once = whole.feed(bytes);
  net::UpgradeResponse pieces(kKey);
  State state = State::kMore;
  const std::size_t step = size > 0 ? 1 + data[size / 2] % 64 : 1;
  for (std::size_t at = 0; at < size && state == State::kMore; at += step)
    state = pieces.feed(bytes.subspan(at, std::min(step, size - at)));
  if (state != at_once || pieces.status() != whole.status() ||
      pieces.reason() != whole.reason() ||
      (state == State::kAccepted && whole.rest().size() > size))
    std::abort();
  if (state == State::kRefused && whole.reason().empty())
    std::abort();
  // Addresses come from configuration and from TwiML.
  if (const auto url = net::parse_web_socket_url(
          std::string(as_text(bytes).substr(0, 2000)));
      url.ok()) {
    const auto request = net::upgrade_request(*url, kKey, {});
    if (!request.ok())
      std::abort();
    // One line a header, whatever the URL holds.
    std::size_t lines = 0;
    for (const char c : *request)
      lines += c == '\n' ? 1 : 0;
    if (lines != 7)
      std::abort();
  }
  return 0;
}
