// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/contexts.hpp"
#include "graph/events.hpp"
#include "graph/voice_format.hpp"
#include "graph/voice_queue.hpp"
#include "worker/worker.hpp"

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace patchcord::graph {

// What makes the sound of a voice element. All on the element's worker. It
// reports to VoicePads::spoken(), audio() and finished(). A report may end the
// element's work and with it the engine: one that does not come from within a
// call into the engine has to keep it alive while it lasts.
class VoiceEngine {
public:
  virtual ~VoiceEngine() = default;
  // A text to speak behind those before it.
  virtual void speak(VoiceQueue::Segment segment, const std::string &text) = 0;
  // No more texts belong to this utterance.
  virtual void end_utterance() = 0;
  // VoicePads::format() is another: what is reported from now on is in that.
  // Maybe from within a report.
  virtual void format_changed() {}
  // Forget all texts: barge-in.
  virtual void cancel() = 0;
  // The last call: the worker and the pads are not the engine's any more, even
  // where it lives on for the rest of a report.
  virtual void stop() { cancel(); }
};

// What all voice elements have in common: the pads, the contract of a voice
// (docs/events.md), timestamps, flow. With its request pad `sink` an element
// speaks the text that comes in; without, it is a plain source that speaks its
// property and ends.
//
// The format is downstream's choice at the start, and again when downstream
// asks for it (RECONFIGURE): at once where it does not take the one so far any
// more, else between two utterances.
//
// Stamps are running time at the first audio of an utterance and contiguous
// from there on; a plain source's begin at 0. Made in the element's instance
// init; it adds the pads.
class VoicePads {
public:
  explicit VoicePads(GstElement *element);
  VoicePads(const VoicePads &) = delete;
  VoicePads &operator=(const VoicePads &) = delete;

  // --- for the element's virtual functions
  GstPad *request_text_pad(GstPadTemplate *pad_template);
  void release_text_pad(GstPad *pad);
  bool has_text_pad() const;
  // The application's EOS: a plain source ends here and now. False when this is
  // none, and the default is right.
  bool end_plain_source();
  // Whether there is something to say: `text`, or what comes in. Posts the
  // element's error if not.
  bool can_speak(const std::string &text) const;
  // An element's change_state, around that of its parent class. `start` has to
  // call start(); false: it could not, and the element has posted its error.
  GstStateChangeReturn change_state(GstElementClass *parent_class,
                                    GstStateChange transition,
                                    const std::function<bool()> &start);
  // The format that downstream likes best, or `wanted`; nullopt when it takes
  // none. From READY -> PAUSED once the pads are active.
  using Wanted = std::optional<VoiceFormat>;
  std::optional<VoiceFormat>
  negotiate(const Wanted &wanted = std::nullopt) const;
  // READY -> PAUSED once the pads are active: `make_engine` runs on the worker,
  // soon.
  // `text` is what a plain source speaks; `wanted` is asked for first whenever
  // downstream chooses again.
  using MakeEngine = std::function<std::shared_ptr<VoiceEngine>()>;
  void start(const VoiceFormat &format, const Wanted &wanted,
             const std::string &text, const MakeEngine &make_engine);

  // --- for the engine, on the worker
  const std::shared_ptr<Worker> &worker() const { return worker_; }
  // Held over a report: with the element go the pads.
  Ref<GstElement> hold() const { return Ref<GstElement>::share(element_); }
  GstElement *element() const { return element_; }
  const VoiceFormat &format() const { return format_; }
  void spoken(VoiceQueue::Segment segment, std::string text,
              std::vector<events::SpokenText::Timing> timings);
  void audio(VoiceQueue::Segment segment, Bytes audio);
  void finished(VoiceQueue::Segment segment);
  bool take_back(VoiceQueue::Segment segment) {
    return queue_.take_back(segment);
  }
  // The provider failed for good and another voice (or silence) stands in: a
  // warning on the bus, VoiceFailed to the agent.
  void report_failure(const events::VoiceFailed &failure);
  // The element has posted its error: nothing flows any more.
  void abort();

private:
  static VoicePads &of(GstPad *pad);
  static GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buffer);
  static gboolean sink_event(GstPad *pad, GstObject *parent, GstEvent *event);
  static gboolean src_event(GstPad *pad, GstObject *parent, GstEvent *event);
  static gboolean src_query(GstPad *pad, GstObject *parent, GstQuery *query);

  void stop();
  void speak_property(const std::string &text);
  GstFlowReturn take_text(GstBuffer *buffer);
  bool take_event(GstEvent *event);
  void end_utterance();
  void flush();
  void tell_agent();

  void pump();
  void put(const events::UtteranceStart &event);
  void put(events::SpokenText &event);
  void put(Bytes &audio);
  void put(const events::UtteranceEnd &event);
  void put(Ref<GstEvent> &event);
  bool takes(const VoiceFormat &format) const;
  void renegotiate();
  void prepare_stream();
  void push_event(GstEvent *event);
  void push_audio(Bytes audio);
  void push_buffer(Ref<GstBuffer> buffer);
  void anchor();
  void check_flow(GstFlowReturn flow);

  GstElement *const element_;
  GstPad *src_ = nullptr; // the element's
  std::shared_ptr<Worker> worker_;
  Stopping stopping_;

  // All below: on the worker.
  std::shared_ptr<VoiceEngine> engine_; // null when stopped
  VoiceFormat format_;
  Wanted wanted_;
  bool choice_due_ = false; // downstream asked for another, or may have
  VoiceQueue queue_;
  std::shared_ptr<int> running_; // what was posted looks whether it is there
  std::optional<events::VoiceFailed> failure_; // to be told to the agent
  GstFlowReturn flow_ = GST_FLOW_OK;
  std::uint64_t generation_ = 0; // of what may be pushed: a flush ends one
  bool pumping_ = false;
  bool in_utterance_ = false; // the text pad's
  bool stream_started_ = false, need_segment_ = true;
  bool fresh_ = true; // the next audio is an utterance's first
  bool discont_ = true;
  GstClockTime anchor_ = 0; // stamp of the sample 0 of:
  std::uint64_t samples_ = 0;
};

} // namespace patchcord::graph
