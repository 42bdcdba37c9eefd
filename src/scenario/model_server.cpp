// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/model_server.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <chrono>
#include <glib.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace patchcord::scenario {
namespace {

// Real time after which bytes count as lost.
constexpr auto kPatience = std::chrono::seconds(2);
// Of the content, about a token or two.
constexpr std::size_t kPiece = 12;

std::string chunk(const std::string &text) {
  char size[16];
  const auto end = std::to_chars(size, size + sizeof size, text.size(), 16);
  return std::string(size, end.ptr) + "\r\n" + text + "\r\n";
}

std::string event(const std::string &json) {
  return chunk("data: " + json + "\n\n");
}

std::string delta(std::string_view content) {
  JsonWriter out;
  out.begin_object().key("choices").begin_array().begin_object();
  out.key("delta").begin_object().member("content", content).end_object();
  out.end_object().end_array().end_object();
  return event(out.take());
}

// The pieces of calls: their names, then what they are called with.
std::vector<std::string>
call_pieces(const std::vector<ModelAnswer::Call> &calls) {
  std::vector<std::string> pieces;
  int index = 0;
  for (const ModelAnswer::Call &call : calls)
    for (const bool name : {true, false}) {
      JsonWriter out;
      out.begin_object().key("choices").begin_array().begin_object();
      out.key("delta").begin_object().key("tool_calls").begin_array();
      out.begin_object().member("index", index);
      if (name)
        out.member("id", "call_" + std::to_string(index))
            .member("type", "function");
      out.key("function").begin_object();
      if (name)
        out.member("name", call.name);
      out.member("arguments", name ? std::string() : call.arguments);
      out.end_object().end_object().end_array().end_object();
      out.end_object().end_array().end_object();
      pieces.push_back(event(out.take()));
      index += name ? 0 : 1;
    }
  return pieces;
}

// What goes over the wire, piece by piece.
std::vector<std::string> pieces_of(const ModelAnswer &answer) {
  std::vector<std::string> pieces;
  const std::string_view content = answer.content;
  for (std::size_t at = 0; at < content.size();) {
    std::size_t end = std::min(at + kPiece, content.size());
    while (end < content.size() &&
           (static_cast<unsigned char>(content[end]) & 0xC0) == 0x80)
      ++end;
    pieces.push_back(delta(content.substr(at, end - at)));
    at = end;
  }
  for (std::string &piece : call_pieces(answer.calls))
    pieces.push_back(std::move(piece));
  if (pieces.empty()) // An answer without a word has a first piece, too.
    pieces.push_back(delta(""));
  const char *end = answer.calls.empty() ? "stop" : "tool_calls";
  if (answer.breaks_off) {
    pieces.resize((pieces.size() + 1) / 2);
  } else {
    pieces.back() += event(R"({"choices":[{"delta":{},"finish_reason":")" +
                           std::string(end) + "\"}]}") +
                     chunk("data: [DONE]\n\n") + "0\r\n\r\n";
  }
  pieces.front() = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n" +
                   pieces.front();
  return pieces;
}

std::string response(int status, const std::string &body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Scripted\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

constexpr char kRefusal[] =
    R"({"error":{"code":"scripted","message":"the scenario says so"}})";

std::size_t content_length(std::string_view head) {
  for (const std::string &line : split(head, '\n')) {
    const std::string lower = to_lower(line);
    constexpr std::string_view kName = "content-length:";
    if (!lower.starts_with(kName))
      continue;
    const auto value = trim(std::string_view(lower).substr(kName.size()));
    std::size_t length = 0;
    std::from_chars(value.data(), value.data() + value.size(), length);
    return length;
  }
  return 0;
}

bool same(const sockaddr_in &a, const sockaddr_in &b) {
  return a.sin_port == b.sin_port && a.sin_addr.s_addr == b.sin_addr.s_addr;
}

// The agent's end of a connection: it is in this process, and nobody tells
// which it is. -1: not found.
int other_end(int fd) {
  constexpr int kMost = 1024;
  sockaddr_in ours{}, theirs{};
  const auto ends_of = [](int each, sockaddr_in &here, sockaddr_in &there) {
    socklen_t size = sizeof here, peer_size = sizeof there;
    return getsockname(each, reinterpret_cast<sockaddr *>(&here), &size) == 0 &&
           getpeername(each, reinterpret_cast<sockaddr *>(&there),
                       &peer_size) == 0 &&
           here.sin_family == AF_INET && there.sin_family == AF_INET;
  };
  if (!ends_of(fd, ours, theirs))
    return -1;
  for (int each = 0; each < kMost; ++each)
    if (sockaddr_in here{}, there{};
        ends_of(each, here, there) && same(here, theirs) && same(there, ours))
      return each;
  return -1;
}

} // namespace

ModelServer::ModelServer(Worker &worker, const ModelScript &script,
                         const std::vector<ToolReply> &tools)
    : worker_(worker), script_(script), tools_(tools),
      listener_(
          socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto *raw = reinterpret_cast<sockaddr *>(&address);
  socklen_t size = sizeof address;
  if (listener_ < 0 || bind(listener_, raw, size) != 0 ||
      listen(listener_, 4) != 0 || getsockname(listener_, raw, &size) != 0)
    return;
  port_ = ntohs(address.sin_port);
  watch_ =
      worker_.watch(listener_, EPOLLIN, [this](std::uint32_t) { accept(); });
}

ModelServer::~ModelServer() {
  while (!connections_.empty())
    drop(connections_.begin()->first);
  watch_.reset();
  if (listener_ >= 0)
    close(listener_);
}

std::string ModelServer::origin() const {
  return port_ == 0 ? "" : "http://127.0.0.1:" + std::to_string(port_);
}

void ModelServer::accept() {
  const int fd =
      accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0)
    return;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto connection = std::make_unique<Connection>();
  connection->other_end = other_end(fd);
  connection->watch =
      worker_.watch(fd, EPOLLIN, [this, fd](std::uint32_t) { readable(fd); });
  connections_[fd] = std::move(connection);
}

void ModelServer::drop(int fd) {
  connections_.erase(fd);
  close(fd);
}

void ModelServer::readable(int fd) {
  Connection &connection = *connections_.at(fd);
  char buffer[16384];
  const auto got = read(fd, buffer, sizeof buffer);
  if (got <= 0)
    return drop(fd);
  connection.in.append(buffer, static_cast<std::size_t>(got));
  take_request(fd, connection);
}

// If a whole one has come.
void ModelServer::take_request(int fd, Connection &connection) {
  std::string &in = connection.in;
  const auto head = in.find("\r\n\r\n");
  if (head == std::string::npos)
    return;
  const std::string_view start = std::string_view(in).substr(0, head);
  if (to_lower(start).find("expect: 100-continue") != std::string::npos &&
      in.size() == head + 4) {
    constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";
    (void)!write(fd, kGoOn.data(), kGoOn.size());
    connection.unread = wrote_ = true;
  }
  const std::size_t length = content_length(start);
  if (in.size() < head + 4 + length)
    return;
  std::string request(start.substr(0, start.find(" HTTP/")));
  const std::string body = in.substr(head + 4, length);
  in.erase(0, head + 4 + length);
  if (request == "POST /v1/chat/completions") {
    requests_.push_back(body);
    return answer_as_model(fd, connection);
  }
  if (!body.empty())
    request += " " + body;
  tool_requests_.push_back(request);
  answer_as_tool(fd, connection, request);
}

void ModelServer::answer_as_model(int fd, Connection &connection) {
  // Beyond the script: the agent asked more often than the scenario says.
  static const ModelAnswer kNone{"", {}, 500, {}, false};
  const ModelAnswer &scripted = requests_.size() <= script_.answers.size()
                                    ? script_.answers[requests_.size() - 1]
                                    : kNone;
  connection.close_behind = scripted.breaks_off;
  begin(fd, connection,
        scripted.status == 200
            ? pieces_of(scripted)
            : std::vector{response(scripted.status, kRefusal)},
        scripted.first_token.value_or(script_.first_token));
}

void ModelServer::answer_as_tool(int fd, Connection &connection,
                                 const std::string &request) {
  const auto found =
      std::find_if(tools_.begin(), tools_.end(), [&](const ToolReply &reply) {
        return g_pattern_match_simple(reply.request.c_str(), request.c_str());
      });
  ToolReply reply;
  reply.status = 501; // The scenario does not know it.
  if (found != tools_.end()) {
    reply = *found;
    tools_.erase(found);
  }
  std::string bytes = response(reply.status, reply.content);
  connection.close_behind = reply.breaks_off;
  if (reply.breaks_off)
    bytes.resize(bytes.size() - (reply.content.size() + 1) / 2);
  begin(fd, connection, {std::move(bytes)}, reply.delay);
}

void ModelServer::begin(int fd, Connection &connection,
                        std::vector<std::string> pieces, Duration delay) {
  connection.next = 0;
  connection.answering = true;
  connection.pieces = std::move(pieces);
  connection.timer = worker_.after(delay, [this, fd] { write_piece(fd); });
}

void ModelServer::write_piece(int fd) {
  Connection &connection = *connections_.at(fd);
  const std::string &piece = connection.pieces[connection.next++];
  (void)!send(fd, piece.data(), piece.size(), MSG_NOSIGNAL);
  connection.unread = wrote_ = true;
  if (connection.next < connection.pieces.size())
    return worker_.rearm(connection.timer, worker_.now() + script_.token);
  connection.answering = false;
  if (connection.close_behind)
    drop(fd);
}

// Whether the kernel still has some of what was written. It is asked only after
// that, not at each step of a long call, and knows by the acknowledgements,
// which the other end would keep back for 40 ms.
bool ModelServer::Connection::is_under_way(int fd) {
  const int on = 1;
  int waiting = 0;
  if (!unread)
    return false;
  if (other_end >= 0)
    setsockopt(other_end, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
  unread = ioctl(fd, SIOCOUTQ, &waiting) == 0 && waiting > 0;
  return unread;
}

// Somebody has written, and the other side has not read it. Ours are seen; the
// agent's side has a socket on the worker for as long as it waits for anything,
// and has nothing to wait for but answers that are being given.
bool ModelServer::in_flight() {
  std::size_t answering = 0;
  for (const auto &[fd, connection] : connections_) {
    if (connection->is_under_way(fd))
      return true;
    answering += connection->answering ? 1 : 0;
  }
  return worker_.watched_fds() > connections_.size() + 1 + answering;
}

void ModelServer::settle() {
  if (!in_flight() && !std::exchange(wrote_, false))
    return;
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (in_flight() && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::yield();
    worker_.run_ready();
  }
  // What came with the last bytes.
  worker_.run_ready();
}

} // namespace patchcord::scenario
