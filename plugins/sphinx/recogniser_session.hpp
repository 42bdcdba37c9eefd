// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/expectation.hpp"
#include "audio/voice_activity.hpp"
#include "graph/handles.hpp"
#include "offline/sphinx_recogniser.hpp"

#include <gst/gst.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace patchcord {

// What sphinxstt does between READY and READY: finds speech, has it recognised,
// and pushes what was said. On the worker only.
class RecogniserSession
    : public std::enable_shared_from_this<RecogniserSession> {
public:
  struct Settings {
    offline::SphinxDecoder::Model model;
    Duration silence;
    double min_score;
  };
  // The model is loaded on this worker.
  RecogniserSession(GstElement *element, GstPad *src, Worker &worker,
                    const Settings &settings);

  GstFlowReturn audio(GstBuffer *buffer);
  void gap(GstClockTime pts, GstClockTime duration);
  void segment(const GstSegment &segment) { segment_ = segment; }
  void expect(const agent::Expectation &expectation);
  // Passed on behind the text of what was being said.
  void eos(Ref<GstEvent> event);
  // Passes on a serialized event, behind the texts that are in work; but that
  // somebody begins to speak nobody waits to hear.
  void pass_on(Ref<GstEvent> event);
  void flush();

private:
  struct Speech {
    GstClockTime start = GST_CLOCK_TIME_NONE, end = GST_CLOCK_TIME_NONE;
    // In running time: the segment may be another when it is recognised.
    GstClockTime began = GST_CLOCK_TIME_NONE, ended = GST_CLOCK_TIME_NONE;
  };
  // What is to come out: an event, or the text of speech in work.
  struct Output {
    Ref<GstEvent> event;
    offline::SphinxRecogniser::Job job;
  };

  void set_time(GstClockTime pts, bool discontinuous);
  void feed(std::span<const std::int16_t> samples);
  void handle(const audio::VoiceActivity::Event &event);
  void end_speech(); // what is under way ends here
  void put(Ref<GstEvent> event);
  void put_waiting(); // up to the next text
  void forget_old();
  std::vector<std::int16_t> cut(Duration start, Duration end) const;
  GstClockTime pts_of(Duration audio_time) const;
  GstClockTime running_time(GstClockTime pts) const;
  void recognised(const offline::Recognition &result, const Speech &speech);

  GstElement *const element_; // owns this
  GstPad *const src_;
  offline::SphinxRecogniser &recogniser_;
  const Settings settings_;
  GstSegment segment_;

  audio::VoiceActivity activity_;
  std::vector<audio::VoiceActivity::Event> events_; // scratch
  // The last samples, and of how many before them there is no memory.
  std::vector<std::int16_t> samples_;
  std::int64_t forgotten_ = 0;
  Duration speech_start_{}; // audio time
  // What audio time a PTS was at.
  GstClockTime anchor_pts_ = GST_CLOCK_TIME_NONE;
  Duration anchor_{};

  std::string grammar_;
  std::set<std::string> reported_words_;
  // In order. Nobody waits for the first one within a push: the recogniser has
  // other calls' speech before it.
  std::deque<Output> outputs_;
  GstFlowReturn flow_ = GST_FLOW_OK;
};

} // namespace patchcord
