// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The client's opening handshake (RFC 6455 sections 3 and 4.1) as text: no I/O.
namespace patchcord::net {

struct WebSocketUrl {
  bool tls = false;
  std::string host; // without an IPv6 address's brackets
  std::uint16_t port = 0;
  std::string target; // path and query

  // As in a URL or a Host header; the port only when it is not the default.
  std::string authority() const;
};
// Code "bad_url".
Result<WebSocketUrl> parse_web_socket_url(const std::string &url);

// A random key: 16 bytes in base64.
std::string make_web_socket_key();

// Code "bad_header" when a header would break out of its line or repeats one of
// the handshake's own.
Result<std::string> upgrade_request(
    const WebSocketUrl &url, std::string_view key,
    const std::vector<std::pair<std::string, std::string>> &headers);

// Reads the server's answer as it arrives.
class UpgradeResponse {
public:
  enum class State { kMore, kAccepted, kRefused };

  explicit UpgradeResponse(std::string_view key);
  // Takes all of `bytes`. Once not kMore it stays what it is.
  State feed(ByteSpan bytes);

  // Bytes behind an accepting response: the first frames.
  ByteSpan rest() const;
  // The status of a response that is not 101; 0 when there is none to be had.
  int status() const { return status_; }
  // Why it was refused.
  const std::string &reason() const { return reason_; }

private:
  State refuse(std::string reason);
  State judge(std::string_view head);

  const std::string expected_;
  State state_ = State::kMore;
  std::string text_;
  std::size_t head_bytes_ = 0;
  int status_ = 0;
  std::string reason_;
};

} // namespace patchcord::net
