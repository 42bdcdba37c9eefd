// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/exchange.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace patchcord::server {
namespace {

constexpr char kKey[] = "patchcord-exchange";
// Of a connection's remote address, which libsoup keeps for us: its socket,
// which libsoup does not know of one that it has not accepted itself.
constexpr char kSocket[] = "patchcord-socket";

using Holder = std::shared_ptr<Exchange>;

// Runs `run` on a signal of the message while the exchange lives.
template <typename F>
void on_signal(SoupServerMessage *message, const char *signal,
               const std::shared_ptr<Exchange> &exchange, F run) {
  struct Closure {
    std::weak_ptr<Exchange> exchange;
    F run;
  };
  auto closure = std::make_unique<Closure>(Closure{exchange, std::move(run)});
  g_signal_connect_data(
      message, signal, G_CALLBACK(+[](SoupServerMessage *, gpointer data) {
        auto *self = static_cast<Closure *>(data);
        if (const auto live = self->exchange.lock())
          self->run(*live);
      }),
      closure.release(),
      +[](gpointer data, GClosure *) { delete static_cast<Closure *>(data); },
      static_cast<GConnectFlags>(0));
}

std::string text_or_empty(const char *text) {
  return text != nullptr ? std::string(text) : std::string();
}

GInetAddress *inet_address(const Ref<GSocketAddress> &address) {
  return address && G_IS_INET_SOCKET_ADDRESS(address.get())
             ? g_inet_socket_address_get_address(
                   G_INET_SOCKET_ADDRESS(address.get()))
             : nullptr;
}

// "localhost:8080" -> "localhost", "[::1]:8080" -> "::1"
std::string host_of(const std::string &header) {
  if (header.starts_with('['))
    return header.substr(1, std::min(header.find(']'), header.size()) - 1);
  return header.substr(0, header.find(':'));
}

} // namespace

void Exchange::hand_over(SoupServer *server, GSocket *socket) {
  const auto local =
      Ref<GSocketAddress>::adopt(g_socket_get_local_address(socket, nullptr));
  const auto remote =
      Ref<GSocketAddress>::adopt(g_socket_get_remote_address(socket, nullptr));
  if (!local || !remote)
    return; // It has gone already.
  g_socket_set_timeout(socket, kIdleTimeout);
  // An answer in two writes is not to wait for the first one's receipt.
  g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, TRUE, nullptr);
  g_object_set_data_full(G_OBJECT(remote.get()), kSocket, g_object_ref(socket),
                         g_object_unref);
  const auto stream = Ref<GSocketConnection>::adopt(
      g_socket_connection_factory_create_connection(socket));
  soup_server_accept_iostream(server, G_IO_STREAM(stream.get()), local.get(),
                              remote.get(), nullptr);
}

GSocket *Exchange::socket() const {
  return static_cast<GSocket *>(
      g_object_get_data(G_OBJECT(peer_.get()), kSocket));
}

void Exchange::attach(Worker &worker, SoupServerMessage *message) {
  auto exchange = std::make_shared<Exchange>(worker, message);
  exchange->deadline_ =
      worker.after(kRequestTimeout, [raw = exchange.get()] { raw->drop(); });
  on_signal(message, "got-headers", exchange,
            [](Exchange &self) { self.on_headers(); });
  on_signal(message, "got-body", exchange,
            [](Exchange &self) { self.deadline_.cancel(); });
  on_signal(message, "finished", exchange, [](Exchange &self) { self.over(); });
  on_signal(message, "disconnected", exchange,
            [](Exchange &self) { self.over(); });
  g_signal_connect(
      message, "got-chunk",
      G_CALLBACK(+[](SoupServerMessage *self, GBytes *chunk, gpointer) {
        of(self)->on_chunk(g_bytes_get_size(chunk));
      }),
      nullptr);
  g_object_set_data_full(
      G_OBJECT(message), kKey, std::make_unique<Holder>(exchange).release(),
      +[](gpointer data) { delete static_cast<Holder *>(data); });
}

std::shared_ptr<Exchange> Exchange::of(SoupServerMessage *message) {
  return *static_cast<Holder *>(g_object_get_data(G_OBJECT(message), kKey));
}

Exchange::Exchange(Worker &worker, SoupServerMessage *message)
    : worker_(worker), message_(message),
      peer_(Ref<GSocketAddress>::share(
          soup_server_message_get_remote_address(message))) {}

Exchange::~Exchange() = default;

void Exchange::on_headers() {
  SoupMessageHeaders *headers =
      soup_server_message_get_request_headers(message_);
  if (soup_message_headers_get_encoding(headers) !=
          SOUP_ENCODING_CONTENT_LENGTH ||
      soup_message_headers_get_content_length(headers) <=
          static_cast<goffset>(kMaxBody))
    return;
  refuse_body();
  // libsoup reads the body before it writes the answer, unless the client waits
  // to be told; it is not kept.
  respond_error(413, "too_large", "the body may have 262144 bytes");
}

void Exchange::refuse_body() {
  too_large_ = true;
  SoupMessageBody *body = soup_server_message_get_request_body(message_);
  soup_message_body_set_accumulate(body, FALSE);
  soup_message_body_truncate(body);
}

void Exchange::on_chunk(std::size_t bytes) {
  body_bytes_ += bytes;
  if (body_bytes_ > kMaxBody && !too_large_)
    refuse_body();
  if (body_bytes_ > kMaxWasted && !paused_) {
    // libsoup reads on for as long as there is something: the worker would
    // never come to drop it.
    later();
    drop();
  }
}

bool Exchange::begin() {
  if (!too_large_)
    return true;
  respond_error(413, "too_large", "the body may have 262144 bytes");
  return false;
}

void Exchange::over() {
  over_ = true;
  deadline_.cancel();
  companion_.reset();
}

void Exchange::drop() {
  if (over_)
    return;
  // Within a read of libsoup the connection cannot go from under it.
  worker_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->over_)
      return;
    const StolenConnection dropped(
        soup_server_message_steal_connection(self->message_));
  });
}

std::string_view Exchange::method() const {
  const char *method = soup_server_message_get_method(message_);
  return method != nullptr ? method : std::string_view();
}

std::string Exchange::path() const {
  const char *path = g_uri_get_path(soup_server_message_get_uri(message_));
  return path != nullptr && *path != '\0' ? path : "/";
}

std::string Exchange::query() const {
  return text_or_empty(g_uri_get_query(soup_server_message_get_uri(message_)));
}

std::string Exchange::target() const {
  const char *query = g_uri_get_query(soup_server_message_get_uri(message_));
  return query != nullptr ? path() + "?" + query : path();
}

std::string Exchange::header(const char *name) const {
  return text_or_empty(soup_message_headers_get_one(
      soup_server_message_get_request_headers(message_), name));
}

bool Exchange::has_header(const char *name) const {
  return soup_message_headers_get_list(
             soup_server_message_get_request_headers(message_), name) !=
         nullptr;
}

std::string_view Exchange::body() {
  SoupMessageBody *body = soup_server_message_get_request_body(message_);
  const auto bytes = Ref<GBytes>::adopt(soup_message_body_flatten(body));
  // The message's body keeps what it has flattened.
  return {body->data, static_cast<std::size_t>(body->length)};
}

std::string Exchange::peer() const {
  GInetAddress *address = inet_address(peer_);
  if (address == nullptr)
    return "unknown";
  const GCharPtr text(g_inet_address_to_string(address));
  return text.get();
}

bool Exchange::from_this_machine() const {
  GInetAddress *address = inet_address(peer_);
  if (address == nullptr || !g_inet_address_get_is_loopback(address))
    return false;
  for (const char *name :
       {"X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "Via"})
    if (has_header(name))
      return false;
  // A proxy that adds nothing passes on a name; so does a browser whose page
  // had its name point here (DNS rebinding).
  const std::string host = to_lower(host_of(header("Host")));
  if (host.empty() || host == "localhost")
    return true;
  const auto named =
      Ref<GInetAddress>::adopt(g_inet_address_new_from_string(host.c_str()));
  return named && g_inet_address_get_is_loopback(named.get());
}

void Exchange::respond(int status, const char *content_type,
                       std::string_view body) {
  if (over_)
    return;
  soup_server_message_set_status(message_, static_cast<guint>(status), nullptr);
  if (content_type != nullptr)
    soup_server_message_set_response(message_, content_type, SOUP_MEMORY_COPY,
                                     body.data(), body.size());
  close_after();
  resume();
}

void Exchange::respond_error(int status, std::string_view code,
                             std::string_view message) {
  JsonWriter json;
  json.begin_object().key("error").begin_object();
  json.member("code", code).member("message", message);
  respond_json(status, json.end_object().end_object().text());
}

void Exchange::set_header(const char *name, const std::string &value) {
  soup_message_headers_replace(
      soup_server_message_get_response_headers(message_), name, value.c_str());
}

void Exchange::close_after() {
  // libsoup will, of a connection that it has not accepted itself; whoever asks
  // is to know. Nobody asks often enough for it to matter.
  soup_message_headers_append(
      soup_server_message_get_response_headers(message_), "Connection",
      "close");
}

std::weak_ptr<Exchange> Exchange::later() {
  if (!over_ && !paused_) {
    paused_ = true;
    soup_server_message_pause(message_);
  }
  return weak_from_this();
}

void Exchange::resume() {
  if (!paused_ || over_)
    return;
  paused_ = false;
  soup_server_message_unpause(message_);
}

void Exchange::begin_stream(const char *content_type) {
  if (over_)
    return;
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers(message_);
  soup_message_headers_set_encoding(
      headers, soup_server_message_get_http_version(message_) == SOUP_HTTP_1_0
                   ? SOUP_ENCODING_EOF
                   : SOUP_ENCODING_CHUNKED);
  soup_message_headers_set_content_type(headers, content_type, nullptr);
  set_header("Cache-Control", "no-store");
  close_after();
  // What was written is not kept.
  soup_message_body_set_accumulate(
      soup_server_message_get_response_body(message_), FALSE);
  g_signal_connect(
      message_, "wrote-body-data",
      G_CALLBACK(+[](SoupServerMessage *self, guint bytes, gpointer) {
        auto &unsent = of(self)->unsent_;
        unsent -= std::min<std::size_t>(unsent, bytes);
      }),
      nullptr);
  soup_server_message_set_status(message_, 200, nullptr);
  resume();
}

void Exchange::write(std::string_view chunk) {
  if (over_ || chunk.empty()) // an empty chunk would be the last
    return;
  unsent_ += chunk.size();
  if (unsent_ > kMaxUnsent) {
    drop();
    return;
  }
  soup_message_body_append(soup_server_message_get_response_body(message_),
                           SOUP_MEMORY_COPY, chunk.data(), chunk.size());
  soup_server_message_unpause(message_);
}

void Exchange::end_stream() {
  if (over_)
    return;
  soup_message_body_complete(soup_server_message_get_response_body(message_));
  soup_server_message_unpause(message_);
}

} // namespace patchcord::server
