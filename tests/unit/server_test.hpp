// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/text.hpp"
#include "server/call_desk.hpp"
#include "twilio/signature.hpp"

#include <glib.h>

#include <arpa/inet.h>
#include <condition_variable>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

// A client that says exactly what it is told to: bytes over TCP.
class RawClient {
public:
  explicit RawClient(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    g_assert_cmpint(
        connect(fd_, reinterpret_cast<sockaddr *>(&address), sizeof address),
        ==, 0);
  }
  ~RawClient() { close(fd_); }
  RawClient(const RawClient &) = delete;
  RawClient &operator=(const RawClient &) = delete;

  // False once the server has closed the connection.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent =
          ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Says that nothing more will come.
  void finish() const { shutdown(fd_, SHUT_WR); }
  // Reads until the connection is closed, or until what came ends with `end`.
  std::string read_until(std::string_view end = {}) {
    std::string got;
    char buffer[4096];
    while (end.empty() || !got.ends_with(end)) {
      pollfd ready = {fd_, POLLIN, 0};
      if (poll(&ready, 1, 20000) <= 0)
        g_error("nothing within 20 s after \"%s\"", got.c_str());
      const ssize_t size = read(fd_, buffer, sizeof buffer);
      if (size <= 0)
        break;
      got.append(buffer, static_cast<std::size_t>(size));
    }
    return got;
  }
  // Whether the server has closed, as far as is known now.
  bool closed() const {
    char byte = 0;
    const ssize_t got = recv(fd_, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return got == 0 || (got < 0 && errno != EAGAIN);
  }

private:
  int fd_;
};

// A masked text frame of less than 64 KiB (RFC 6455 section 5.2).
inline std::string client_frame(std::string_view text) {
  std::string frame = {'\x81'};
  if (text.size() < 126) {
    frame += static_cast<char>(0x80 | text.size());
  } else {
    frame += '\xfe';
    frame += static_cast<char>(text.size() >> 8);
    frame += static_cast<char>(text.size() & 255);
  }
  frame += "\x01\x02\x03\x04";
  for (std::size_t i = 0; i < text.size(); ++i)
    frame += static_cast<char>(text[i] ^ (1 + static_cast<int>(i % 4)));
  return frame;
}
// An unmasked one of less than 126 bytes.
inline std::string server_frame(std::string_view text) {
  return std::string{'\x81', static_cast<char>(text.size())} +
         std::string(text);
}

// Says what it is asked; its media streams echo. Thread-safe.
class FakeDesk final : public patchcord::server::CallDesk {
public:
  using Offer = patchcord::call::Offer;

  void release(const std::string &token) override {
    const std::lock_guard lock(mutex_);
    released.push_back(token);
    changed_.notify_all();
  }
  patchcord::Result<patchcord::call::Admission>
  offer(const Offer &offer) override {
    const std::lock_guard lock(mutex_);
    if (refuse_with)
      return *refuse_with;
    offers.push_back(offer);
    std::string token = "token" + std::to_string(offers.size());
    pending_[token] = offer;
    return patchcord::call::Admission{token, transfers};
  }
  std::optional<std::string> after_stream(const std::string &sid) override {
    const std::lock_guard lock(mutex_);
    told.push_back("after-stream " + sid);
    return dial;
  }
  std::optional<std::pair<std::string, std::string>>
  whisper(const std::string &ticket, const std::string &parent) override {
    const std::lock_guard lock(mutex_);
    told.push_back("whisper " + ticket + " " + parent);
    if (ticket != "t1")
      return std::nullopt;
    return std::pair<std::string, std::string>("Rome <1>.", "en-US");
  }
  patchcord::call::DialAnswer
  dial_result(const patchcord::call::DialResult &result) override {
    const std::lock_guard lock(mutex_);
    told.push_back("dial-result " + result.call_sid + " " + result.ticket +
                   " " + result.outcome + (result.caller_gone ? " gone" : ""));
    patchcord::call::DialAnswer answer;
    answer.known = result.ticket == "t1";
    if (answer.known && result.outcome != "answered")
      answer.back.emplace(Offer(), patchcord::call::Admission{"token9", true});
    return answer;
  }
  void answered_by(const std::string &sid, const std::string &who) override {
    const std::lock_guard lock(mutex_);
    told.push_back("answered-by " + sid + " " + who);
  }
  void call_status(const patchcord::call::CallStatus &status) override {
    const std::lock_guard lock(mutex_);
    told.push_back("call-status " + status.call_sid + " " + status.status +
                   " " + status.agent);
  }
  bool use_ticket(const std::string &nonce, const std::string &sid) override {
    const std::lock_guard lock(mutex_);
    return tickets_.try_emplace(nonce, sid).first->second == sid;
  }
  std::optional<Offer> claim(const std::string &token) override {
    const std::lock_guard lock(mutex_);
    const auto it = pending_.find(token);
    if (it == pending_.end())
      return std::nullopt;
    Offer offer = it->second;
    pending_.erase(it);
    return offer;
  }
  void
  start(const std::shared_ptr<patchcord::Worker> &worker, const Offer &,
        const patchcord::call::WebSocketMediaStream::Attach &attach) override {
    g_assert_true(worker->on_thread());
    struct Echo {
      std::unique_ptr<patchcord::net::WebSocket> socket;
    };
    const auto echo = std::make_shared<Echo>();
    patchcord::net::WebSocket::Handlers handlers;
    handlers.text = [raw = echo.get()](std::string_view text) {
      raw->socket->send_text("echo " + std::string(text));
    };
    handlers.closed = [this, raw = echo.get()](const auto &) {
      raw->socket.reset();
      const std::lock_guard lock(mutex_);
      ++closed_;
      changed_.notify_all();
    };
    echo->socket = attach(handlers, {});
    g_assert_nonnull(echo->socket.get());
    g_assert_null(attach({}, {}).get()); // good for one use
    const std::lock_guard lock(mutex_);
    kept_.push_back(echo);
    workers.push_back(worker.get());
    changed_.notify_all();
  }
  void stream_status(const std::string &sid, const std::string &event,
                     const std::string &error) override {
    const std::lock_guard lock(mutex_);
    statuses.push_back(sid + " " + event + " " + error);
  }
  std::size_t active() const override { return 3; }
  patchcord::Result<patchcord::Unit> takes_calls() const override {
    if (draining_)
      return patchcord::make_error("draining", "the server is about to stop");
    if (full_)
      return patchcord::make_error("full", "3 calls are all it takes");
    return patchcord::ok();
  }
  std::optional<std::function<void()>>
  subscribe(const std::string &sid,
            patchcord::call::CallRegistry::EventHandler event) override {
    if (sid != "CA01")
      return std::nullopt;
    event(R"({"event":"first"})");
    const std::lock_guard lock(mutex_);
    subscriber_ = std::move(event);
    changed_.notify_all();
    return [this] {
      const std::lock_guard unlock(mutex_);
      ++unsubscribed;
      changed_.notify_all();
    };
  }

  // Tells the subscriber of CA01.
  void tell(std::optional<std::string> event) {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return subscriber_ != nullptr; });
    subscriber_(std::move(event));
  }
  // A client knows of its 101 before.
  void await_started(std::size_t count) {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return workers.size() >= count; });
  }
  void await_closed(int count) {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return closed_ >= count; });
  }
  void await_released(std::size_t count) {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return released.size() >= count; });
  }
  void await_unsubscribed() {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return unsubscribed > 0; });
  }

  std::optional<patchcord::Error> refuse_with;
  std::vector<Offer> offers;
  std::vector<std::string> released;
  std::vector<std::string> statuses, told;
  bool transfers = false;
  std::optional<std::string> dial;
  std::vector<patchcord::Worker *> workers;
  std::atomic<bool> draining_{false}, full_{false};
  int unsubscribed = 0;

private:
  template <typename F> void wait(std::unique_lock<std::mutex> &lock, F done) {
    if (!changed_.wait_for(lock, std::chrono::seconds(20), done))
      g_error("not within 20 s");
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Offer> pending_;
  std::map<std::string, std::string> tickets_;
  std::vector<std::shared_ptr<void>> kept_;
  patchcord::call::CallRegistry::EventHandler subscriber_;
  int closed_ = 0;
};

// Answers from a thread of its own, as the real ones do.
class FakeStore final : public patchcord::store::RecordStore {
public:
  using Record = patchcord::store::CallRecord;

  ~FakeStore() override { thread_->stop(); }
  void put_call(const Record &record) override {
    thread_->post([this, record] { records_[record.call_sid] = record; });
  }
  void put_unanswered(const Record &record) override { put_call(record); }
  void put_turn(const std::string &,
                const patchcord::store::TurnRecord &) override {}
  void get(const std::string &sid,
           std::function<void(patchcord::Result<std::optional<Record>>)> done)
      override {
    thread_->post([this, sid, done] {
      const auto it = records_.find(sid);
      if (it == records_.end())
        done(std::optional<Record>());
      else
        done(std::optional<Record>(it->second));
    });
  }
  void list(int limit, int offset,
            std::function<void(patchcord::Result<std::vector<Record>>)> done)
      override {
    thread_->post([this, limit, offset, done] {
      std::vector<Record> all;
      int skipped = 0;
      for (const auto &[sid, record] : records_)
        if (skipped++ >= offset && static_cast<int>(all.size()) < limit)
          all.push_back(record);
      done(all);
    });
  }
  void
  check(std::function<void(patchcord::Result<patchcord::Unit>)> done) override {
    thread_->post([this, done] {
      if (broken)
        done(patchcord::make_error("disk", "disk full"));
      else
        done(patchcord::ok());
    });
  }
  void flush() override {
    thread_->call([] {});
  }
  std::uint64_t failed_writes() const override { return 0; }

  std::atomic<bool> broken{false};

private:
  std::map<std::string, Record> records_;
  std::shared_ptr<patchcord::Worker> thread_ =
      patchcord::Worker::start("fake-store");
};
