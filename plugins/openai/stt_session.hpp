// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "stt_timeline.hpp"

#include "audio/voice_activity.hpp"
#include "graph/handles.hpp"
#include "net/websocket.hpp"
#include "openai/realtime.hpp"

#include <gst/gst.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace patchcord {

// What realtimestt does between READY and READY: joins the transcription
// session to a socket, a timer and the pads. On the worker only.
class SttSession : public std::enable_shared_from_this<SttSession> {
public:
  struct Settings {
    openai::RealtimeTranscription::Settings realtime;
    std::string api_key;
  };
  SttSession(GstElement *element, GstPad *src,
             const std::shared_ptr<Worker> &worker, Settings settings);

  void start(); // connects
  void close(); // drops the connection; nothing happens any more

  // False when the caps are of no use.
  bool caps(const GstCaps *caps);
  void segment(const GstSegment &segment);
  GstFlowReturn audio(GstBuffer *buffer);
  void gap(GstClockTime pts, GstClockTime duration);
  // Passed on behind the last result. Takes the event.
  void eos(Ref<GstEvent> event);
  void flush_start();
  void flush_stop();

private:
  using Action = openai::RealtimeTranscription::Action;

  void feed(ByteSpan bytes);
  void feed_silence(Duration duration);
  void set_time(GstClockTime pts);
  void heard(); // acts on what the local detector found
  bool speech_left() const;
  void pump();
  void perform(const Action &action);
  void connect(const std::string &url);
  void received(std::string_view event);
  void disconnect();
  void failed(const Action &action);
  void tell_failure();
  void push_result(const Action &action);
  void push_event(GstEvent *event);
  GstClockTime running_time(Duration position) const;

  GstElement *const element_; // owns this
  GstPad *const src_;
  const std::shared_ptr<Worker> worker_;
  const Settings settings_;
  openai::RealtimeTranscription realtime_;
  std::unique_ptr<net::WebSocket> socket_;
  Timer timer_;

  std::optional<openai::RealtimeTranscription::Format> format_;
  GstSegment segment_;
  bool has_segment_ = false;
  SttTimeline timeline_;
  GstClockTime next_pts_ = GST_CLOCK_TIME_NONE;
  GstFlowReturn flow_ = GST_FLOW_OK;
  Ref<GstEvent> eos_;

  // For models without a detector of their own.
  audio::VoiceActivity activity_;
  Duration activity_start_{}; // the position of its first sample
  std::vector<audio::VoiceActivity::Event> activity_events_; // scratch

  std::optional<Action> failure_; // not told downstream yet
  bool pumping_ = false, closed_ = false;
};

} // namespace patchcord
