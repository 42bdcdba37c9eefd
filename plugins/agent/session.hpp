// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "model_stream.hpp"
#include "tool_runner.hpp"

#include "agent/conversation.hpp"
#include "base/fifo.hpp"
#include "graph/handles.hpp"
#include "worker/worker.hpp"

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>

namespace patchcord {

// A conversation between two pads: what comes in at the pads becomes its
// inputs, its actions become buffers, events, messages, timers and requests.
// From READY->PAUSED to PAUSED->READY; all of it on the worker.
class AgentSession : public std::enable_shared_from_this<AgentSession> {
public:
  struct Pads {
    GstElement *element; // all three outlive the session
    GstPad *sink;
    GstPad *src;
  };
  AgentSession(const Pads &pads, std::shared_ptr<Worker> worker,
               std::unique_ptr<agent::Conversation> conversation,
               ModelEndpoint endpoint, ToolEndpoint tools);
  ~AgentSession();

  // PAUSED->PLAYING and PLAYING->PAUSED.
  void play();
  void pause();
  // Nothing comes of this session any more, even if it is kept a while.
  void close();

  GstFlowReturn text(GstBuffer *buffer);
  // Whether the event was for the conversation.
  bool downstream_event(GstEvent *event);
  bool upstream_event(GstEvent *event);
  void end_of_stream();
  // The first thing came from upstream: there is a caller.
  void upstream_began();
  // The application's EOS: no more is said, what was said is heard.
  void end();
  // What the network says about who answered.
  void answered_by(const std::string &who);
  void upstream_segment(const GstSegment &segment) { segment_ = segment; }
  void flushed(); // by somebody upstream

private:
  using Input = std::function<agent::Actions(TimePoint now)>;

  TimePoint now() const;
  std::optional<TimePoint> running(GstClockTime time) const;
  TimePoint running_or_now(GstClockTime time) const;
  // Gives the conversation an input and does what it says. An input that comes
  // while that is being done waits its turn.
  void feed(const Input &input);
  void perform(const agent::Action &todo);
  void act(const agent::action::StartUtterance &todo);
  void act(const agent::action::Say &todo);
  void act(const agent::action::EndUtterance &todo);
  void act(const agent::action::Hold &todo);
  void act(const agent::action::Resume &todo);
  void act(const agent::action::Flush &todo);
  void act(const agent::action::StartRequest &todo);
  void act(const agent::action::CancelRequest &todo);
  void act(const agent::action::RunTool &todo);
  void act(const agent::action::CancelTools &todo);
  void act(const agent::action::Expect &todo);
  void act(const agent::action::SetTimer &todo);
  void act(const agent::action::EndCall &todo);
  void act(const agent::action::Decided &todo);
  void act(const agent::action::Heard &todo);
  void act(const agent::action::Interrupted &todo);
  void act(const agent::action::Latency &todo);
  void act(const agent::action::ToolEnded &todo);
  void act(const agent::action::Trouble &todo);
  void act(const agent::action::Ended &todo);
  void act(const agent::action::Transfer &todo);
  void act(const agent::action::AnsweredBy &todo);

  void begin();
  void begin_stream();
  void push_event(GstEvent *event);
  void push_text(const std::string &text);
  void arm_timer();
  void start_request(std::uint32_t id, const std::string &body);

  const Pads pads_;
  const std::shared_ptr<Worker> worker_;
  const std::unique_ptr<agent::Conversation> conversation_;
  const ModelEndpoint endpoint_;
  const ToolEndpoint tool_endpoint_;

  std::uint32_t plays_ = 0; // the last change to PLAYING, or from it
  bool in_playing_ = false, upstream_began_ = false;
  bool playing_ = false; // both: the conversation goes on
  bool closed_ = false, eos_ = false;
  bool busy_ = false;
  Fifo<Input> inputs_;   // before PLAYING, or while busy
  TimePoint origin_{};   // the worker's time at running time 0
  GstSegment segment_{}; // of the sink pad
  bool stream_begun_ = false, need_segment_ = true;
  bool failed_ = false;
  GstFlowReturn flow_ = GST_FLOW_OK;
  std::optional<TimePoint> deadline_;
  Timer timer_;
  bool has_timer_ = false;
  std::unique_ptr<ModelStream> model_;
  std::uint32_t model_id_ = 0;        // the request that it is
  std::unique_ptr<ToolRunner> tools_; // once one is called
};

} // namespace patchcord
