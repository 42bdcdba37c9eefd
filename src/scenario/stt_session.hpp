// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "audio/voice_activity.hpp"
#include "graph/handles.hpp"
#include "scenario/stage.hpp"

#include <list>
#include <string>
#include <vector>

namespace patchcord::scenario {

// A recogniser that finds the caller's turns in the audio, as any other does,
// and is told the words by the scenario: those that were said within a turn.
class SttSession {
public:
  SttSession(GstElement *element, GstPad *src, Worker &worker);

  void segment(const GstSegment &segment) { segment_ = segment; }
  GstFlowReturn audio(GstBuffer *buffer);
  void eos(Ref<GstEvent> event);

private:
  struct Turn {
    GstClockTime begin = 0, end = 0; // stamps
  };
  void follow(GstClockTime pts);
  void handle(const audio::VoiceActivity::Event &event);
  void partial();
  void result(const Turn &turn, const std::string &text);
  void fail();
  GstClockTime pts_of(Duration audio_time) const;
  GstClockTime running(GstClockTime pts) const;
  TimePoint on_worker(GstClockTime pts) const;
  std::vector<Stage::CallerWord *> words_in(const Turn &turn);
  bool mumbled(const Turn &turn) const;

  GstElement *const element_; // owns this
  GstPad *const src_;
  Worker &worker_;
  Stage &stage_;
  GstSegment segment_;
  audio::VoiceActivity activity_;
  std::vector<audio::VoiceActivity::Event> events_; // scratch
  GstClockTime anchor_ = GST_CLOCK_TIME_NONE;       // stamp of the sample at:
  Duration anchored_at_{};                          // a time of the activity
  GstClockTime speech_begin_ = 0;
  std::string partial_;
  std::list<Timer> results_;
  int turns_ = 0;
  bool failed_ = false;
  GstFlowReturn flow_ = GST_FLOW_OK;
};

} // namespace patchcord::scenario
