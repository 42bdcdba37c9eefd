// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/events.hpp"
#include "graph/handles.hpp"
#include "graph/messages.hpp"
#include "worker/worker.hpp"

#include <gst/gst.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

// A recogniser between an audio pad and a text pad of the test's own. What came
// out is kept in order. On a virtual worker or on a real one.
class SttBench {
public:
  struct Item {
    // "text", "started", "stopped", "partial", "failed", "segment", "caps",
    // "eos", "flush-start", "flush-stop", or another event's name
    std::string name;
    std::string text;          // of text, partial; the code of failed
    GstClockTime time = 0;     // running time; of text its PTS
    GstClockTime duration = 0; // of text
    bool retryable = false;    // of failed
  };
  using Items = std::vector<Item>;

  SttBench(const char *factory,
           const std::shared_ptr<patchcord::Worker> &worker);
  ~SttBench();
  SttBench(const SttBench &) = delete;
  SttBench &operator=(const SttBench &) = delete;

  GstElement *element() const { return element_; }
  GstPad *text_pad() const { return text_; }
  GstPad *audio_pad() const { return audio_; }
  GstStateChangeReturn set_state(GstState state);
  // To PLAYING, with the events that begin a stream of these caps.
  void play(const char *caps);
  void begin_stream(const char *caps);

  // Audio from where the last ended, at the rate of the caps: 20 ms at a time,
  // and as much time for a virtual worker, if it is to have `turns`. Speech is
  // a hum with syllables, about -12 dBFS.
  GstFlowReturn samples(std::span<const std::int16_t> samples,
                        bool turns = true);
  GstFlowReturn speech(int milliseconds, bool turns = true);
  GstFlowReturn silence(int milliseconds, bool turns = true);
  void skip(int milliseconds) { position_ += milliseconds * GST_MSECOND; }
  GstClockTime position() const { return position_; }
  void push(GstEvent *event) { gst_pad_push_event(audio_, event); }
  void eos() { push(gst_event_new_eos()); }
  void flush();

  // Waits until `done` holds of what came out; fails the test after 20 s.
  void await(const std::function<bool(const Items &)> &done);
  void await(const std::string &name, std::size_t count = 1);
  Items items();
  // The names, several partials in a row counted once; text with its words:
  // "caps segment started stopped partial text:Hello. eos".
  std::string order();
  // The same without partials, and from the caps on.
  std::string shape();
  void clear();
  // Messages of a type on the bus, in words: of a transcript its text ("..."
  // behind it when it is not final), of a warning its text.
  std::vector<std::string> transcripts();
  std::vector<patchcord::messages::Transcript> finals();
  std::vector<std::string> warnings();
  unsigned errors();

  void on_text(std::function<void()> hook); // within the next push of text
  void set_flow(GstFlowReturn flow);

private:
  static GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buffer);
  static gboolean event(GstPad *pad, GstObject *parent, GstEvent *event);
  static gboolean query(GstPad *pad, GstObject *parent, GstQuery *query);
  void add(Item item);
  GstFlowReturn audio(int milliseconds, bool voiced, bool turns);
  void gather_messages();

  std::shared_ptr<patchcord::Worker> worker_;
  GstElement *element_;
  GstBus *bus_;
  GstPad *audio_, *text_;
  GstClockTime position_ = 0;
  bool mulaw_ = true;
  int rate_ = 8000;
  GstSegment segment_; // as it came out

  std::mutex mutex_;
  std::condition_variable changed_;
  Items items_;
  std::vector<patchcord::Ref<GstMessage>> messages_;
  std::function<void()> hook_;
  GstFlowReturn flow_ = GST_FLOW_OK;
};
