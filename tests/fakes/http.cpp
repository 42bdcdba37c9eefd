// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http.hpp"

#include <sys/socket.h>

#include <utility>

// libsoup 3.2 leaves the GSocket of each connection that it accepts behind, and
// a listener's address. For a fake that is good enough; server::Endpoint says
// how a daemon does.
extern "C" const char *__lsan_default_suppressions();
extern "C" const char *
__lsan_default_suppressions() { // NOLINT(bugprone-reserved-identifier)
  return "leak:g_socket_accept\nleak:soup_server_listen_local\n";
}

namespace patchcord::fakes {

std::string request_header(SoupServerMessage *message, const char *name) {
  const char *value = soup_message_headers_get_one(
      soup_server_message_get_request_headers(message), name);
  return value != nullptr ? value : "";
}

std::string request_body(SoupServerMessage *message) {
  SoupMessageBody *body = soup_server_message_get_request_body(message);
  GBytes *bytes = soup_message_body_flatten(body);
  gsize size = 0;
  const auto *data = static_cast<const char *>(g_bytes_get_data(bytes, &size));
  std::string text(data != nullptr ? data : "", size);
  g_bytes_unref(bytes);
  return text;
}

std::string bearer_key(SoupServerMessage *message) {
  constexpr std::string_view kPrefix = "Bearer ";
  const std::string value = request_header(message, "Authorization");
  return value.starts_with(kPrefix) ? value.substr(kPrefix.size()) : "";
}

std::string fault_of_key(std::string_view key) {
  constexpr std::string_view kPrefix = "fault-";
  return std::string(key.starts_with(kPrefix) ? key.substr(kPrefix.size())
                                              : std::string_view());
}

void reply(SoupServerMessage *message, int status, const char *content_type,
           std::string_view body) {
  soup_server_message_set_status(message, static_cast<guint>(status), nullptr);
  soup_server_message_set_response(message, content_type, SOUP_MEMORY_COPY,
                                   body.data(), body.size());
}

void reply_json(SoupServerMessage *message, int status, std::string_view json) {
  reply(message, status, "application/json", json);
}

StreamedResponse::StreamedResponse(SoupServerMessage *message,
                                   const char *content_type,
                                   std::function<void()> aborted)
    : message_(Ref<SoupServerMessage>::share(message)),
      aborted_(std::move(aborted)) {
  soup_server_message_set_status(message, 200, nullptr);
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers(message);
  soup_message_headers_set_encoding(headers, SOUP_ENCODING_CHUNKED);
  soup_message_headers_append(headers, "Content-Type", content_type);
  soup_message_body_set_accumulate(
      soup_server_message_get_response_body(message), FALSE);
  disconnected_ = g_signal_connect_swapped(
      message, "disconnected",
      G_CALLBACK(+[](StreamedResponse *self) { self->gone(); }), this);
  watch_socket();
}

StreamedResponse::~StreamedResponse() {
  unwatch();
  if (disconnected_ != 0)
    g_signal_handler_disconnect(message_.get(), disconnected_);
}

// libsoup does not read while a response is being written, and so does not see
// that the client has gone until a write fails.
void StreamedResponse::watch_socket() {
  GSocket *socket = soup_server_message_get_socket(message_.get());
  watch_ = g_socket_create_source(socket, G_IO_IN, nullptr);
  g_source_set_callback(
      watch_,
      G_SOURCE_FUNC(+[](GSocket *s, GIOCondition, gpointer data) -> gboolean {
        char byte = 0;
        const auto got =
            recv(g_socket_get_fd(s), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        auto *self = static_cast<StreamedResponse *>(data);
        if (got > 0) {
          self->unwatch(); // the next request, early
          return G_SOURCE_REMOVE;
        }
        self->gone();
        return G_SOURCE_REMOVE;
      }),
      this, nullptr);
  g_source_attach(watch_, g_main_context_get_thread_default());
}

void StreamedResponse::unwatch() {
  if (GSource *watch = std::exchange(watch_, nullptr)) {
    g_source_destroy(watch);
    g_source_unref(watch);
  }
}

void StreamedResponse::gone() {
  unwatch();
  if (finished_)
    return;
  finished_ = true;
  if (const auto aborted = std::exchange(aborted_, nullptr))
    aborted(); // may destroy this
}

void StreamedResponse::write(std::string_view bytes) {
  if (finished_ || bytes.empty())
    return;
  soup_message_body_append(
      soup_server_message_get_response_body(message_.get()), SOUP_MEMORY_COPY,
      bytes.data(), bytes.size());
  soup_server_message_unpause(message_.get());
}

void StreamedResponse::finish() {
  if (std::exchange(finished_, true))
    return;
  unwatch();
  soup_message_body_complete(
      soup_server_message_get_response_body(message_.get()));
  soup_server_message_unpause(message_.get());
}

void StreamedResponse::cut() {
  if (std::exchange(finished_, true))
    return;
  unwatch();
  g_socket_shutdown(soup_server_message_get_socket(message_.get()), TRUE, TRUE,
                    nullptr);
  soup_server_message_unpause(message_.get());
}

} // namespace patchcord::fakes
