// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "net/websocket.hpp"
#include "twilio/peer_messages.hpp"

#include <condition_variable>
#include <mutex>
#include <string>

namespace patchcord {

// Twilio's end of a real media stream, on a worker of its own: says what it is
// told, plays nothing but returns marks at once, and keeps what it hears.
class PhoneClient {
public:
  PhoneClient() : worker_(Worker::start("phone")) {}
  ~PhoneClient() {
    worker_->call([this] { socket_.reset(); });
    worker_->stop();
  }
  PhoneClient(const PhoneClient &) = delete;
  PhoneClient &operator=(const PhoneClient &) = delete;

  void call(int port) {
    worker_->call([&] {
      net::WebSocket::Handlers handlers;
      handlers.open = [this] { open(); };
      handlers.text = [this](std::string_view text) { hear(text); };
      handlers.closed = [this](const net::WebSocket::Closed &closed) {
        change([&] { close_code_ = closed.code; });
      };
      net::WebSocket::ConnectOptions options;
      options.url = "ws://127.0.0.1:" + std::to_string(port) + "/voice/stream";
      socket_ =
          net::WebSocket::connect(*worker_, options, std::move(handlers), {});
    });
  }
  // `frames` of 20 ms, all at once.
  void speak(int frames, std::uint8_t value) {
    worker_->call([&] {
      for (int i = 0; i < frames; ++i) {
        ++chunk_;
        std::string text;
        twilio::peer::append_media(text, kStart.stream_sid, ++sequence_, chunk_,
                                   100 + chunk_ * 20, Bytes(160, value));
        socket_->send_text(text);
      }
    });
  }
  void hang_up() {
    worker_->call([&] {
      std::string text;
      twilio::peer::append_stop(text, kStart, ++sequence_);
      socket_->send_text(text);
      socket_->close(1000, "");
    });
  }

  // Each waits, at most 10 s, and says whether it came about.
  bool wait_until_open() {
    return wait([this] { return open_; });
  }
  bool wait_until_heard(std::size_t samples) {
    return wait([&] { return heard_.size() >= samples; });
  }
  bool wait_until_closed() {
    return wait([this] { return close_code_ != 0; });
  }
  int close_code() { // 0: open
    const std::lock_guard lock(mutex_);
    return close_code_;
  }
  Bytes heard() {
    const std::lock_guard lock(mutex_);
    return heard_;
  }

private:
  inline static const twilio::StreamStart kStart{
      "MZ1", "AC1", "CA1", {{"lang", "en"}}};
  void open() {
    std::string text;
    twilio::peer::append_connected(text);
    socket_->send_text(text);
    text.clear();
    twilio::peer::append_start(text, kStart, ++sequence_);
    socket_->send_text(text);
    change([this] { open_ = true; });
  }
  void hear(std::string_view text) {
    auto message = parser_.parse(text);
    if (const auto *media = std::get_if<twilio::peer::Media>(&message)) {
      change([&] {
        heard_.insert(heard_.end(), media->mulaw.begin(), media->mulaw.end());
      });
    } else if (const auto *mark = std::get_if<twilio::peer::Mark>(&message)) {
      std::string echo;
      twilio::peer::append_mark(echo, kStart.stream_sid, ++sequence_,
                                mark->name);
      socket_->send_text(echo);
    }
  }
  template <typename F> void change(F &&work) {
    const std::lock_guard lock(mutex_);
    work();
    changed_.notify_all();
  }
  template <typename F> bool wait(F &&done) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, done);
  }

  const std::shared_ptr<Worker> worker_;
  std::unique_ptr<net::WebSocket> socket_;
  twilio::peer::Parser parser_{kStart.stream_sid};
  std::int64_t sequence_ = 0, chunk_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int close_code_ = 0;
  Bytes heard_;
};

} // namespace patchcord
