// SPDX-License-Identifier: LGPL-2.1-or-later
#include "net/upgrade.hpp"

#include "base/base64.hpp"
#include "base/handles.hpp"
#include "base/text.hpp"
#include "net/websocket.hpp"

#include <gio/gio.h>

#include <algorithm>
#include <cstdlib>
#include <sys/random.h>

namespace patchcord::net {
namespace {

// A response head larger than this is not a WebSocket server's.
constexpr std::size_t kHeadLimit = 16384;

bool is_token(std::string_view text) { // RFC 7230 section 3.2.6
  constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return g_ascii_isalnum(c) || kPunctuation.find(c) != std::string_view::npos;
  });
}

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return c == '\r' || c == '\n' || c == 0; });
}

bool has_item(std::string_view list, std::string_view item) {
  const auto items = split(list, ',');
  return std::any_of(items.begin(), items.end(), [&](const std::string &one) {
    return to_lower(trim(one)) == item;
  });
}

// What the handshake writes itself, and what it does not offer.
bool is_reserved(std::string_view lower_case_name) {
  for (const char *name :
       {"host", "upgrade", "connection", "sec-websocket-key",
        "sec-websocket-version", "sec-websocket-extensions",
        "sec-websocket-protocol", "content-length", "transfer-encoding"})
    if (lower_case_name == name)
      return true;
  return false;
}

struct UnrefUri {
  void operator()(GUri *uri) const { g_uri_unref(uri); }
};

} // namespace

std::string accept_key(std::string_view key) {
  constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const std::string text = std::string(key).append(kGuid);
  GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA1);
  g_checksum_update(checksum, reinterpret_cast<const guchar *>(text.data()),
                    static_cast<gssize>(text.size()));
  std::uint8_t digest[20];
  gsize length = sizeof digest;
  g_checksum_get_digest(checksum, digest, &length);
  g_checksum_free(checksum);
  return base64::encode(ByteSpan(digest, length));
}

std::string make_web_socket_key() {
  std::uint8_t random[16];
  if (getrandom(random, sizeof random, 0) != sizeof random)
    std::abort(); // As in random_hex(): nothing can be done without it.
  return base64::encode(random);
}

std::string WebSocketUrl::authority() const {
  std::string out =
      host.find(':') != std::string::npos ? "[" + host + "]" : host;
  if (port != (tls ? 443 : 80))
    out += ":" + std::to_string(port);
  return out;
}

Result<WebSocketUrl> parse_web_socket_url(const std::string &url) {
  GErrorHolder error;
  const std::unique_ptr<GUri, UnrefUri> uri(
      g_uri_parse(url.c_str(), G_URI_FLAGS_ENCODED, error.out()));
  // An embedded NUL would have ended the text early.
  if (!uri || url.find('\0') != std::string::npos)
    return make_error("bad_url", "not a URL: " + std::string(error.message()));
  WebSocketUrl out;
  const std::string_view scheme = g_uri_get_scheme(uri.get());
  if (scheme == "wss")
    out.tls = true;
  else if (scheme != "ws")
    return make_error("bad_url", "a WebSocket's URL starts with ws:// or "
                                 "wss://");
  const char *host = g_uri_get_host(uri.get());
  if (host == nullptr || *host == '\0')
    return make_error("bad_url", "the URL has no host");
  if (g_uri_get_userinfo(uri.get()) != nullptr)
    return make_error("bad_url", "the URL holds a user name");
  if (g_uri_get_fragment(uri.get()) != nullptr)
    return make_error("bad_url", "the URL has a fragment"); // RFC 6455, 3
  const int port = g_uri_get_port(uri.get());
  if (port == 0)
    return make_error("bad_url", "the URL's port is 0");
  out.host = host;
  out.port = static_cast<std::uint16_t>(port > 0 ? port : out.tls ? 443 : 80);
  out.target = g_uri_get_path(uri.get());
  if (out.target.empty())
    out.target = "/";
  if (const char *query = g_uri_get_query(uri.get()))
    out.target += std::string("?") + query;
  const auto printable = [](const std::string &text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c > ' ' && c < 0x7f; });
  };
  if (!printable(out.target) || !printable(out.host))
    return make_error("bad_url", "the URL holds what must be escaped");
  return out;
}

Result<std::string> upgrade_request(
    const WebSocketUrl &url, std::string_view key,
    const std::vector<std::pair<std::string, std::string>> &headers) {
  std::string out = "GET " + url.target +
                    " HTTP/1.1\r\nHost: " + url.authority() +
                    "\r\nUpgrade: websocket\r\nConnection: Upgrade"
                    "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ";
  out.append(key).append("\r\n");
  for (const auto &[name, value] : headers) {
    if (!is_token(name) || !is_one_line(value) || is_reserved(to_lower(name)))
      return make_error("bad_header", "header cannot be sent: " + name);
    out.append(name).append(": ").append(value).append("\r\n");
  }
  return out.append("\r\n");
}

UpgradeResponse::UpgradeResponse(std::string_view key)
    : expected_(accept_key(key)) {}

UpgradeResponse::State UpgradeResponse::refuse(std::string reason) {
  reason_ = std::move(reason);
  return state_ = State::kRefused;
}

UpgradeResponse::State UpgradeResponse::feed(ByteSpan bytes) {
  if (state_ != State::kMore)
    return state_;
  // The end may lie across the border.
  const std::size_t from = std::max<std::size_t>(text_.size(), 3) - 3;
  text_.append(as_text(bytes));
  const auto end = text_.find("\r\n\r\n", from);
  if (end == std::string::npos)
    return text_.size() > kHeadLimit
               ? refuse("the server's response headers are too long")
               : State::kMore;
  if (end > kHeadLimit)
    return refuse("the server's response headers are too long");
  head_bytes_ = end + 4;
  return judge(std::string_view(text_).substr(0, end));
}

UpgradeResponse::State UpgradeResponse::judge(std::string_view head) {
  const auto line_end = std::min(head.find("\r\n"), head.size());
  const std::string_view line = head.substr(0, line_end);
  // "HTTP/1.1 101 Switching Protocols"
  if (line.size() < 12 || line.substr(0, 7) != "HTTP/1." ||
      !g_ascii_isdigit(line[7]) || line[8] != ' ' ||
      (line.size() > 12 && line[12] != ' ') ||
      !std::all_of(line.begin() + 9, line.begin() + 12,
                   [](char c) { return g_ascii_isdigit(c); }))
    return refuse("the server does not speak HTTP/1.1");
  const int status =
      (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (status != 101) {
    status_ = status;
    return refuse("the server answered " + std::to_string(status));
  }
  bool upgrade = false, connection = false;
  int accepts = 0;
  bool accepted = false;
  for (std::size_t at = line_end; at < head.size();) {
    at += 2;
    const auto end = std::min(head.find("\r\n", at), head.size());
    const std::string_view field = head.substr(at, end - at);
    at = end;
    const auto colon = field.find(':');
    if (colon == std::string_view::npos || !is_token(field.substr(0, colon)))
      return refuse("the server's response headers are malformed");
    const std::string name = to_lower(field.substr(0, colon));
    const std::string_view value = trim(field.substr(colon + 1));
    if (name == "upgrade") {
      upgrade = upgrade || to_lower(value) == "websocket";
    } else if (name == "connection") {
      connection = connection || has_item(value, "upgrade");
    } else if (name == "sec-websocket-accept") {
      ++accepts;
      accepted = value == expected_;
    } else if (name == "sec-websocket-extensions" ||
               name == "sec-websocket-protocol") {
      return refuse("the server chose what was not offered: " + name);
    }
  }
  if (!upgrade || !connection)
    return refuse("the server's 101 is not an upgrade to websocket");
  if (accepts != 1 || !accepted)
    return refuse("the server's Sec-WebSocket-Accept is wrong");
  return state_ = State::kAccepted;
}

ByteSpan UpgradeResponse::rest() const {
  return as_bytes(std::string_view(text_).substr(head_bytes_));
}

} // namespace patchcord::net
