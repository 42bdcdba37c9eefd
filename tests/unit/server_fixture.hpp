// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/handles.hpp"
#include "server/http_server.hpp"
#include "worker/worker_pool.hpp"

#include "server_test.hpp"

#include <libsoup/soup.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace patchcord::test {

inline constexpr char kToken[] = "0123456789abcdef0123456789abcdef";
inline constexpr char kCall[] = "CA00000000000000000000000000000001";
inline constexpr char kForm[] = "application/x-www-form-urlencoded";

inline void check_holds(const std::string &text, const std::string &piece) {
  if (text.find(piece) == std::string::npos)
    g_error("expected \"%s\" in \"%s\"", piece.c_str(), text.c_str());
}

inline std::size_t open_files() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto &entry :
       std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

struct Answer {
  int status = 0;
  std::string body, type, allow;
};

// The server on two workers, and a client in the test's thread.
class Fixture {
public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit Fixture(const std::function<void(config::Config &)> &change = {},
                   std::function<Result<Unit>()> ready = {}) {
    server::HttpServer::Options options;
    options.config.server.listen = "127.0.0.1:0";
    options.config.twilio.auth_token = std::string("other,") + kToken;
    options.ready = std::move(ready);
    if (change)
      change(options.config);
    auto started =
        server::HttpServer::start(options, pool_.workers(), desk, store);
    if (!started)
      g_error("%s", started.error().message.c_str());
    server = std::move(*started);
    url = "http://127.0.0.1:" + std::to_string(server->port());
    session_ = Ref<SoupSession>::adopt(soup_session_new());
  }

  Answer request(const char *method, const std::string &target,
                 const Headers &headers = {}, const std::string &body = {},
                 const char *type = nullptr) {
    const auto message = Ref<SoupMessage>::adopt(
        soup_message_new(method, (url + target).c_str()));
    for (const auto &[name, value] : headers)
      soup_message_headers_append(
          soup_message_get_request_headers(message.get()), name.c_str(),
          value.c_str());
    if (type != nullptr) {
      const auto bytes =
          Ref<GBytes>::adopt(g_bytes_new(body.data(), body.size()));
      soup_message_set_request_body_from_bytes(message.get(), type,
                                               bytes.get());
    }
    GErrorHolder error;
    const auto bytes = Ref<GBytes>::adopt(soup_session_send_and_read(
        session_.get(), message.get(), nullptr, error.out()));
    Answer answer;
    if (!bytes)
      g_error("%s %s: %s", method, target.c_str(), error.message());
    answer.status = static_cast<int>(soup_message_get_status(message.get()));
    gsize size = 0;
    const auto *data =
        static_cast<const char *>(g_bytes_get_data(bytes.get(), &size));
    if (size > 0)
      answer.body.assign(data, size);
    SoupMessageHeaders *got = soup_message_get_response_headers(message.get());
    if (const char *text = soup_message_headers_get_one(got, "Content-Type"))
      answer.type = text;
    if (const char *text = soup_message_headers_get_one(got, "Allow"))
      answer.allow = text;
    return answer;
  }
  Answer get(const std::string &target, const Headers &headers = {}) {
    return request("GET", target, headers);
  }
  // As Twilio posts: signed over `signed_url`, or over the true one.
  Answer post(const std::string &target, const twilio::Form &fields,
              const std::string &signed_url = {}) {
    const std::string signature = twilio::sign(
        kToken, signed_url.empty() ? url + target : signed_url, fields);
    return request("POST", target, {{"X-Twilio-Signature", signature}},
                   twilio::encode_form(fields), kForm);
  }

  // A handshake as Twilio makes it, with `more` bytes in the same segment.
  std::string handshake(const std::string &token,
                        const std::string &signed_url = {}) const {
    const std::string path = "/ws/voice/" + token;
    std::string signature = twilio::sign(
        kToken, signed_url.empty() ? "ws" + url.substr(4) + path : signed_url);
    return "GET " + path +
           " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Sec-WebSocket-Extensions: permessage-deflate\r\n"
           "X-Twilio-Signature: " +
           signature + "\r\n\r\n";
  }
  std::string offered_token() {
    const auto answer = post("/twilio/webhooks/voice", call_fields());
    g_assert_cmpint(answer.status, ==, 200);
    const auto start = answer.body.find("/ws/voice/") + 10;
    return answer.body.substr(start, answer.body.find('"', start) - start);
  }
  static twilio::Form call_fields() {
    return {{"CallSid", kCall},       {"AccountSid", "AC01"},
            {"From", "+14155550100"}, {"To", "+14155550199"},
            {"CallerName", ""},       {"Direction", "inbound"}};
  }
  std::size_t workers() const { return pool_.size(); }

  FakeDesk desk;
  FakeStore store;
  std::string url;

private:
  WorkerPool pool_{2};
  Ref<SoupSession> session_;

public:
  std::unique_ptr<server::HttpServer> server;
};

// The tests that are not beside main().
void add_server_webhooks();
void add_server_streams();
void add_server_clients();

} // namespace patchcord::test
