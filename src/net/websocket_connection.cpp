// SPDX-License-Identifier: LGPL-2.1-or-later
#include "net/websocket_connection.hpp"

#include "net/utf8.hpp"
#include "worker/beat.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

namespace patchcord::net {
namespace {

// Buffers keep up to this much between messages, for reuse.
constexpr std::size_t kKeptBuffer = std::size_t{2} << 10;
// Answers written while messages are read go out together, up to this much.
constexpr std::size_t kCoalesce = std::size_t{16} << 10;
// A flood on one connection must not starve the others: 16 reads of up to 4 kB
// (wslay's buffer), then it is their turn.
constexpr std::uint8_t kReadsPerTurn = 16;

void trim_buffer(std::string &buffer) {
  buffer.clear();
  if (buffer.capacity() > kKeptBuffer)
    buffer.shrink_to_fit();
}

// RFC 6455 section 7.4, with the codes registered since.
bool is_close_code(unsigned code) {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 &&
          code != 1006) ||
         (code >= 3000 && code <= 4999);
}

} // namespace

// Those of a worker of whose end nobody is to be told. A service, so that none
// outlives the worker.
struct WebSocketConnection::Leaving {
  explicit Leaving(Worker &) {}
  ~Leaving() {
    for (const auto &connection : connections)
      connection->watch_.reset(); // it holds the connection
  }
  Leaving(const Leaving &) = delete;
  Leaving &operator=(const Leaving &) = delete;
  std::set<std::shared_ptr<WebSocketConnection>> connections;
};

WebSocketConnection::WebSocketConnection(Worker &worker, Role role,
                                         WebSocket::Handlers handlers,
                                         const WebSocket::Limits &limits)
    : worker_(worker), contexts_(worker.service<FrameContexts>()), role_(role),
      limits_(limits), handlers_(std::move(handlers)) {
  timer_ = worker_.after(0s, [this] { on_timer(); });
  timer_.cancel();
}

WebSocketConnection::~WebSocketConnection() = default;

void WebSocketConnection::open(std::unique_ptr<Transport> transport,
                               ByteSpan already_read) {
  const auto keep = shared_from_this();
  const auto connector = std::move(connector_);
  transport_ = std::move(transport);
  prefix_.assign(already_read.rbegin(), already_read.rend());
  state_ = State::kOpen;
  // The watch holds the connection until release().
  watch_ =
      worker_.watch(transport_->fd(), EPOLLIN,
                    [this, keep](std::uint32_t events) { on_ready(events); });
  if (!watch_) {
    end_soon({1006, "the descriptor cannot be watched", 0});
    return;
  }
  if (limits_.ping_interval > 0s)
    arm(limits_.ping_interval);
  if (role_ == Role::kClient && handlers_.open)
    handlers_.open();
  if (state_ == State::kEnded)
    return;
  push();
  tell_drained();
  if (state_ == State::kEnded)
    return;
  if (!prefix_.empty() || transport_->buffers_input())
    receive_soon();
}

void WebSocketConnection::arm(Duration delay) {
  worker_.rearm(timer_, worker_.now() + delay);
}

void WebSocketConnection::release() {
  state_ = State::kEnded;
  timer_.cancel();
  beat_.cancel();
  watch_.reset();
  transport_.reset();
  connector_.reset();
  half_read_.reset();
  give_back(out_);
  sent_ = 0;
  if (std::exchange(leaving_, false))
    worker_.service<Leaving>().connections.erase(shared_from_this());
}

void WebSocketConnection::drop() {
  const auto keep = shared_from_this();
  dropped_ = true;
  release();
}

void WebSocketConnection::leave(std::uint16_t code, std::string_view reason) {
  if (state_ == State::kConnecting) {
    drop();
    return;
  }
  dropped_ = true;
  if (state_ == State::kEnded || std::exchange(leaving_, true))
    return;
  worker_.service<Leaving>().connections.insert(shared_from_this());
  set_reading(true); // up to the peer's close frame
  close(code, reason);
}

void WebSocketConnection::end(const WebSocket::Closed &closed) {
  if (state_ == State::kEnded)
    return;
  const auto keep = shared_from_this(); // and `closed`, which may be ours
  release();
  if (handlers_.closed && !dropped_)
    handlers_.closed(closed);
}

void WebSocketConnection::end_soon(WebSocket::Closed closed) {
  if (state_ == State::kEnded)
    return;
  release();
  worker_.post([weak = weak_from_this(), closed = std::move(closed)] {
    const auto self = weak.lock();
    if (self && !self->dropped_ && self->handlers_.closed)
      self->handlers_.closed(closed);
  });
}

void WebSocketConnection::on_ready(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    flush();
    tell_drained();
    if (state_ != State::kEnded)
      settle();
  }
  if (state_ != State::kEnded &&
      (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
    receive();
}

void WebSocketConnection::watch_again() {
  const bool when_it_comes = reading_ && read_period_ == 0s;
  watch_.set_events((when_it_comes ? EPOLLIN : 0U) |
                    (backlog_ ? EPOLLOUT : 0U));
}

void WebSocketConnection::set_reading(bool reading) {
  if (std::exchange(reading_, reading) == reading || !watch_)
    return;
  watch_again();
  if (reading && transport_->buffers_input())
    receive_soon();
}

void WebSocketConnection::set_read_period(Duration period) {
  const Duration before = std::exchange(read_period_, period);
  if (before == period || !watch_)
    return;
  if (before == 0s || period == 0s)
    watch_again();
  if (period > 0s)
    await_beat();
  else
    beat_.cancel();
}

void WebSocketConnection::await_beat() {
  const TimePoint next = beat_before(worker_.now() + read_period_);
  if (beat_.has_task()) {
    worker_.rearm(beat_, next);
    return;
  }
  beat_ = worker_.at(next, [this] {
    const auto keep = shared_from_this();
    if (reading_)
      receive();
    if (read_period_ > 0s && state_ != State::kEnded)
      await_beat();
  });
}

void WebSocketConnection::set_corked(bool corked) {
  if (std::exchange(corked_, corked) && !corked && transport_)
    push_bounded();
}

void WebSocketConnection::on_timer() {
  const auto keep = shared_from_this();
  if (state_ == State::kOpen && awaiting_pong_) {
    end({1006, "no pong", 0});
  } else if (state_ == State::kOpen) {
    awaiting_pong_ = true;
    append_frame(WSLAY_PING, {});
    arm(limits_.ping_interval);
    push();
  } else if (state_ != State::kEnded) {
    end(ending_ ? *ending_
                : WebSocket::Closed{1006, "no close frame in time", 0});
  }
}

// ---- receiving

ssize_t WebSocketConnection::read_bytes(std::uint8_t *buffer,
                                        std::size_t size) {
  if (!prefix_.empty()) {
    const std::size_t take = std::min(size, prefix_.size());
    std::copy_n(prefix_.rbegin(), take, buffer);
    prefix_.resize(prefix_.size() - take);
    if (prefix_.empty())
      give_back(prefix_);
    return static_cast<ssize_t>(take);
  }
  if (!may_read_ || reads_left_ == 0)
    return -1;
  --reads_left_;
  const Transport::Read got = transport_->read(buffer, size);
  may_read_ = got.more;
  if (got.bytes > 0)
    return got.bytes;
  may_read_ = false;
  input_ended_ =
      got.bytes != -EAGAIN && got.bytes != -EWOULDBLOCK && got.bytes != -EINTR;
  return -1;
}

bool WebSocketConnection::reading_frames() const {
  return state_ == State::kOpen || (state_ == State::kClosing && !ending_);
}

void WebSocketConnection::receive() {
  receiving_ = may_read_ = true;
  reads_left_ = kReadsPerTurn;
  auto frames = half_read_ ? std::move(half_read_) : contexts_.borrow(*this);
  while (reading_frames()) {
    wslay_frame_iocb frame{};
    const ssize_t got = frames->receive(frame);
    if (got >= 0)
      take_chunk(frame);
    else if (got == WSLAY_ERR_WANT_READ)
      break;
    else
      fail(1002, "malformed frame");
  }
  if (frames->idle())
    contexts_.give_back(std::move(frames));
  else if (reading_frames())
    half_read_ = std::move(frames);
  receiving_ = false;
  if (state_ == State::kEnded)
    return;
  if (!reading_frames())
    discard_input();
  if (input_ended_) {
    end(ending_ ? *ending_ : WebSocket::Closed{1006, "connection lost", 0});
    return;
  }
  push();
  tell_drained();
  if (state_ == State::kEnded)
    return;
  settle();
  if (state_ != State::kEnded && may_read_ && transport_->buffers_input())
    receive_soon();
}

void WebSocketConnection::receive_soon() {
  worker_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->state_ != State::kEnded)
      self->receive();
  });
}

void WebSocketConnection::discard_input() {
  std::uint8_t scrap[4096];
  while (read_bytes(scrap, sizeof scrap) > 0) {
  }
}

bool WebSocketConnection::begin_frame(const wslay_frame_iocb &frame) {
  const bool masked = frame.mask != 0;
  if (frame.rsv != 0) {
    fail(1002, "reserved bits are set");
  } else if (masked != (role_ == Role::kServer)) {
    fail(1002, masked ? "a server's frame is masked"
                      : "a client's frame is not masked");
  } else if (wslay_is_ctrl_frame(frame.opcode)) {
    if (frame.opcode > WSLAY_PONG)
      fail(1002, "unknown opcode");
    control_size_ = 0;
  } else if (frame.opcode > WSLAY_BINARY_FRAME) {
    fail(1002, "unknown opcode");
  } else if ((frame.opcode == WSLAY_CONTINUATION_FRAME) !=
             (message_opcode_ != 0)) {
    fail(1002, message_opcode_ != 0 ? "a message within a message"
                                    : "a continuation of nothing");
  } else {
    if (message_opcode_ == 0)
      message_opcode_ = frame.opcode;
    if (frame.payload_length > limits_.message_bytes - message_.size()) {
      skipping_ = handlers_.too_big != nullptr;
      if (!skipping_)
        fail(1009, "message too big");
    }
  }
  in_frame_ = reading_frames();
  frame_left_ = frame.payload_length;
  return in_frame_;
}

void WebSocketConnection::take_chunk(const wslay_frame_iocb &frame) {
  if (!in_frame_ && !begin_frame(frame))
    return;
  frame_left_ -= frame.data_length;
  in_frame_ = frame_left_ != 0;
  if (wslay_is_ctrl_frame(frame.opcode)) {
    std::copy_n(frame.data, frame.data_length, control_.data() + control_size_);
    control_size_ =
        static_cast<std::uint8_t>(control_size_ + frame.data_length);
    if (!in_frame_)
      take_control(frame.opcode);
    return;
  }
  const bool last = !in_frame_ && frame.fin != 0;
  if (skipping_)
    return skip(last);
  if (last && message_.empty()) { // the usual case: no copy
    deliver({frame.data, frame.data_length});
    return;
  }
  message_.append(reinterpret_cast<const char *>(frame.data),
                  frame.data_length);
  if (last)
    deliver(as_bytes(message_));
}

void WebSocketConnection::skip(bool last) {
  if (!message_.empty())
    trim_buffer(message_);
  if (!last)
    return;
  skipping_ = false;
  message_opcode_ = 0;
  if (!dropped_)
    handlers_.too_big();
}

void WebSocketConnection::deliver(ByteSpan message) {
  const bool text = std::exchange(message_opcode_, 0) == WSLAY_TEXT_FRAME;
  if (text && !is_utf8(as_text(message))) {
    fail(1007, "text that is not UTF-8");
    return;
  }
  if (dropped_) {
    // By one who has left.
  } else if (text) {
    if (handlers_.text)
      handlers_.text(as_text(message));
  } else if (handlers_.binary) {
    handlers_.binary(message);
  }
  if (!message_.empty())
    trim_buffer(message_);
}

void WebSocketConnection::take_control(std::uint8_t opcode) {
  if (opcode == WSLAY_CONNECTION_CLOSE) {
    take_close();
  } else if (opcode == WSLAY_PONG) {
    awaiting_pong_ = false;
  } else if (state_ == State::kOpen) { // no pong behind a close frame
    append_frame(WSLAY_PONG, {control_.data(), control_size_});
    push_bounded();
  }
}

void WebSocketConnection::take_close() {
  WebSocket::Closed closed{1005, {}, 0};
  if (control_size_ == 1) {
    fail(1002, "half a close code");
    return;
  }
  if (control_size_ >= 2) {
    closed.code = static_cast<std::uint16_t>(control_[0] << 8 | control_[1]);
    closed.reason.assign(control_.begin() + 2,
                         control_.begin() + control_size_);
    if (!is_close_code(closed.code)) {
      fail(1002, "illegal close code");
      return;
    }
    if (!is_utf8(closed.reason)) {
      fail(1007, "close reason that is not UTF-8");
      return;
    }
  }
  const std::uint16_t echo = control_size_ >= 2 ? closed.code : 0;
  ending_ = std::make_unique<WebSocket::Closed>(std::move(closed));
  if (state_ == State::kOpen) {
    state_ = State::kClosing;
    append_close(echo, {});
  }
  arm(limits_.close_timeout); // for what is queued, and the server's end
}

void WebSocketConnection::fail(std::uint16_t code, const std::string &why) {
  if (!reading_frames())
    return;
  if (state_ == State::kOpen)
    append_close(code, why);
  state_ = State::kFailing;
  ending_ =
      std::make_unique<WebSocket::Closed>(WebSocket::Closed{1006, why, 0});
  arm(limits_.close_timeout);
}

// ---- sending

void WebSocketConnection::write_bytes(const std::uint8_t *data,
                                      std::size_t size) {
  out_.append(reinterpret_cast<const char *>(data), size);
}

void WebSocketConnection::append_frame(std::uint8_t opcode, ByteSpan payload) {
  if (sent_ > out_.size() / 2) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
  wslay_frame_iocb frame{};
  frame.fin = 1;
  frame.opcode = opcode;
  frame.mask = role_ == Role::kClient ? 1 : 0;
  frame.data = payload.data();
  frame.data_length = frame.payload_length = payload.size();
  contexts_.send(*this, frame);
}

void WebSocketConnection::append_close(std::uint16_t code,
                                       std::string_view reason) {
  std::string payload;
  if (code != 0 && code != 1005) { // 1005 stands for "no code"
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code & 0xff);
    // 125 bytes at most, and no character cut in two.
    std::size_t length = std::min<std::size_t>(reason.size(), 123);
    while (length > 0 && !is_utf8(reason.substr(0, length)))
      --length;
    payload.append(reason.substr(0, length));
  }
  append_frame(WSLAY_CONNECTION_CLOSE, as_bytes(payload));
}

void WebSocketConnection::send(std::uint8_t opcode, ByteSpan payload) {
  if ((state_ != State::kOpen && state_ != State::kConnecting) || broken_)
    return;
  append_frame(opcode, payload);
  push_bounded();
  drain_owed_ = drain_owed_ || queued_bytes() > 0;
}

void WebSocketConnection::push_bounded() {
  push();
  if (queued_bytes() > limits_.send_queue_bytes)
    end_soon({1006, "slow peer", 0});
}

void WebSocketConnection::close(std::uint16_t code, std::string_view reason) {
  if (state_ == State::kConnecting) {
    end_soon({1006, "closed before it was open", 0});
    return;
  }
  if (state_ != State::kOpen)
    return;
  state_ = State::kClosing;
  corked_ = false;
  set_read_period(0s);
  append_close(code, reason);
  arm(limits_.close_timeout);
  push();
}

// Writes what is queued, unless the kernel is to say when, or more may follow
// within this turn.
void WebSocketConnection::push() {
  if (state_ == State::kConnecting || state_ == State::kEnded || backlog_ ||
      ((receiving_ || corked_) && queued_bytes() < kCoalesce))
    return;
  flush();
}

void WebSocketConnection::flush() {
  while (sent_ < out_.size() && !broken_) {
    const ssize_t taken =
        transport_->write(out_.data() + sent_, out_.size() - sent_);
    if (taken > 0) {
      sent_ += static_cast<std::size_t>(taken);
    } else if (taken == -EAGAIN || taken == -EWOULDBLOCK) {
      if (!std::exchange(backlog_, true))
        watch_again();
      return;
    } else if (taken != -EINTR) {
      // The rest of the truth comes by reading, maybe a close frame: epoll
      // reports the error there.
      broken_ = true;
    }
  }
  sent_ = 0;
  trim_buffer(out_);
  if (std::exchange(backlog_, false))
    watch_again();
}

// From the worker's loop.
void WebSocketConnection::tell_drained() {
  if (drain_owed_ && state_ != State::kEnded && !broken_ &&
      queued_bytes() == 0) {
    drain_owed_ = false;
    if (handlers_.drained && !dropped_)
      handlers_.drained();
  }
}

// What follows when all is written: a server hangs up after both close frames,
// a client waits for that (RFC 6455 section 7.1.1). When the peer is at fault
// the close frame goes out, and the input is read to its end: closing a socket
// with unread input would reset it, and the frame might never be seen.
void WebSocketConnection::settle() {
  if (!ending_ || sent_ < out_.size())
    return;
  if (state_ == State::kClosing && (role_ == Role::kServer || broken_))
    end(*ending_);
  else if (state_ == State::kFailing && !std::exchange(output_ended_, true))
    transport_->end_output();
}

} // namespace patchcord::net
