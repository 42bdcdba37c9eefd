// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "net/frame_contexts.hpp"
#include "net/transport.hpp"
#include "net/websocket.hpp"

#include <array>
#include <memory>
#include <string>

namespace patchcord::net {

// Both sides of a WebSocket once there is a connection, and what is queued
// before. wslay does the frames; messages, control frames and the two endings
// are here. (wslay's own message layer allocates for each message, holds twice
// the buffers and does not bound fragmented messages.)
//
// Shared, so that it outlives a handler that destroys the WebSocket.
class WebSocketConnection final
    : public std::enable_shared_from_this<WebSocketConnection>,
      private FrameContext::User {
public:
  enum class Role { kServer, kClient };

  WebSocketConnection(Worker &worker, Role role, WebSocket::Handlers handlers,
                      const WebSocket::Limits &limits);
  ~WebSocketConnection();
  WebSocketConnection(const WebSocketConnection &) = delete;
  WebSocketConnection &operator=(const WebSocketConnection &) = delete;

  Worker &worker() const { return worker_; }

  // What is making the connection; let go of when it is open or has ended.
  void set_connector(std::shared_ptr<void> connector) {
    connector_ = std::move(connector);
  }
  // Only a client tells its handler; call it from the worker's loop then.
  // `already_read` are bytes that came behind the handshake.
  void open(std::unique_ptr<Transport> transport, ByteSpan already_read);
  // The end without or past all ceremony. From the worker's loop.
  void end(const WebSocket::Closed &closed);
  // The same, told from the worker's loop.
  void end_soon(WebSocket::Closed closed);
  // Ends and tells nobody.
  void drop();
  // close() that tells nobody: the worker holds the connection until its end.
  void leave(std::uint16_t code, std::string_view reason);

  void send(std::uint8_t opcode, ByteSpan payload);
  void close(std::uint16_t code, std::string_view reason);
  std::size_t queued_bytes() const { return out_.size() - sent_; }
  void set_reading(bool reading);
  void set_read_period(Duration period);
  void set_corked(bool corked);

private:
  enum class State {
    kConnecting,
    kOpen,
    kClosing, // a close frame is queued or sent, by whomever begun
    kFailing, // the peer broke the rules: what it sends is not looked at
    kEnded,
  };
  struct Leaving;

  ssize_t read_bytes(std::uint8_t *buffer, std::size_t size) override;
  void write_bytes(const std::uint8_t *data, std::size_t size) override;

  void on_ready(std::uint32_t events);
  void watch_again();
  void on_timer();
  void arm(Duration delay);
  void release();

  void receive();
  void receive_soon();
  void await_beat();
  bool reading_frames() const;
  void discard_input();
  bool begin_frame(const wslay_frame_iocb &frame);
  void take_chunk(const wslay_frame_iocb &frame);
  void take_control(std::uint8_t opcode);
  void take_close();
  void skip(bool last);
  void deliver(ByteSpan message);
  void fail(std::uint16_t code, const std::string &why);

  void append_frame(std::uint8_t opcode, ByteSpan payload);
  void append_close(std::uint16_t code, std::string_view reason);
  void push();
  void push_bounded();
  void flush();
  void settle();
  void tell_drained();

  Worker &worker_;
  FrameContexts &contexts_; // of the worker
  const Role role_;
  State state_ = State::kConnecting;
  std::unique_ptr<Transport> transport_;
  std::shared_ptr<void> connector_;
  FdWatch watch_;
  Timer timer_; // the next ping, or the end of patience when closing
  Timer beat_;  // of the next read, where they have a period
  const WebSocket::Limits limits_;
  WebSocket::Handlers handlers_;
  // What `closed` will be told: set when the peer's close frame has come, or
  // when it is at fault.
  std::unique_ptr<WebSocket::Closed> ending_;

  // Sending: frames, of which the first `sent_` bytes are gone.
  std::string out_;
  std::size_t sent_ = 0;
  bool backlog_ = false; // the kernel takes no more at present
  bool broken_ = false;  // nothing can be sent any more
  bool output_ended_ = false;
  bool dropped_ = false;    // nobody is to be told
  bool leaving_ = false;    // held by the worker's Leaving
  bool drain_owed_ = false; // send() left something in the queue
  bool awaiting_pong_ = false;

  // Receiving.
  Duration read_period_{0};                 // set_read_period()
  Bytes prefix_;                            // read by others, in reverse
  std::unique_ptr<FrameContext> half_read_; // while a frame is
  std::string message_;
  std::uint64_t frame_left_ = 0;
  bool in_frame_ = false;
  bool skipping_ = false; // the message is too big
  bool receiving_ = false;
  bool corked_ = false; // set_corked()
  bool reading_ = true; // set_reading()
  bool may_read_ = false;
  bool input_ended_ = false;
  std::uint8_t message_opcode_ = 0; // 0: between messages
  std::uint8_t reads_left_ = 0;
  std::uint8_t control_size_ = 0;
  std::array<std::uint8_t, 125> control_;
};

} // namespace patchcord::net
