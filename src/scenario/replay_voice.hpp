// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/handles.hpp"
#include "scenario/replay_script.hpp"

#include <gst/gst.h>

#include <string>
#include <vector>

namespace patchcord::scenario {

// Speaks a recorded call's utterances: their sound comes when it came and is as
// long as it was. What was not said then is spoken as a scenario's voice would.
class ReplayVoiceSession {
public:
  ReplayVoiceSession(GstElement *element, GstPad *sink, GstPad *src,
                     Worker &worker);
  ~ReplayVoiceSession() { script_.mouth = nullptr; }
  ReplayVoiceSession(const ReplayVoiceSession &) = delete;
  ReplayVoiceSession &operator=(const ReplayVoiceSession &) = delete;

  void text(const std::string &text);
  bool event(GstEvent *event); // whether it was for us
  void flush();
  void eos();

private:
  void due(const recording::Event &event);
  void speak_otherwise(const std::string &text);
  void begin_stream();
  void push_audio(std::size_t samples);
  void push_eos();

  GstElement *const element_;
  GstPad *const sink_;
  GstPad *const src_;
  ReplayScript &script_;
  bool stream_begun_ = false, need_segment_ = true;
  std::int64_t utterance_ = 0; // that is being given; 0: none
  std::int64_t speaking_ = 0;  // of the recording, is being spoken; 0: none
  bool interruptible_ = true;
  bool otherwise_ = false; // not as recorded
  bool begun_ = false;     // of what is spoken otherwise
  std::size_t texts_ = 0;  // given of this utterance
  std::vector<recording::Event> early_;
  bool eos_ = false;  // awaited, until the voice was through then
  bool over_ = false; // it was through then
};

} // namespace patchcord::scenario
