// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "fake_server.hpp"

#include <string>
#include <string_view>
#include <vector>

// What the fakes share in answering plain HTTP requests.
namespace patchcord::fakes {

std::string request_header(SoupServerMessage *message, const char *name);
std::string request_body(SoupServerMessage *message);
// The key of "Authorization: Bearer KEY"; "" when there is none.
std::string bearer_key(SoupServerMessage *message);
// Of a key "fault-NAME": NAME; else "".
std::string fault_of_key(std::string_view key);

void reply(SoupServerMessage *message, int status, const char *content_type,
           std::string_view body);
void reply_json(SoupServerMessage *message, int status, std::string_view json);

// A response that is written bit by bit: server-sent events, audio. Holds the
// message; tells when the client went away before the end.
class StreamedResponse {
public:
  // `aborted` runs at most once, and never from within a call into this
  // object.
  StreamedResponse(SoupServerMessage *message, const char *content_type,
                   std::function<void()> aborted);
  ~StreamedResponse();
  StreamedResponse(const StreamedResponse &) = delete;
  StreamedResponse &operator=(const StreamedResponse &) = delete;

  void write(std::string_view bytes);
  void finish(); // the response is complete
  void cut();    // the connection ends in the middle of it

private:
  void watch_socket();
  void unwatch();
  void gone();

  Ref<SoupServerMessage> message_;
  std::function<void()> aborted_;
  gulong disconnected_ = 0;
  GSource *watch_ = nullptr;
  bool finished_ = false;
};

} // namespace patchcord::fakes
