// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/events.hpp"
#include "graph/handles.hpp"
#include "worker/worker.hpp"

#include <gst/gst.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

// A voice element between a text pad and an audio pad of the test's own, with
// all that came out of it in order. On a virtual worker or a real one.
class VoiceBench {
public:
  struct Item {
    std::string name; // "audio", "segment", "spoken:TEXT", "start:1", "end:1",
                      // "eos", "flush-start", "flush-stop", or an event's name
    patchcord::Bytes bytes; // of audio
    bool mulaw = false;     // by the caps before it
    int rate = 0;
    GstClockTime pts = 0, duration = 0;
    bool discont = false;
    std::vector<patchcord::events::SpokenText::Timing> timings;
  };
  using Items = std::vector<Item>;

  // `caps`: what downstream takes, or null for anything.
  VoiceBench(const char *factory,
             const std::shared_ptr<patchcord::Worker> &worker,
             const char *caps = nullptr, bool text_pad = true);
  ~VoiceBench();
  VoiceBench(const VoiceBench &) = delete;
  VoiceBench &operator=(const VoiceBench &) = delete;

  GstElement *element() const { return element_; }
  const std::shared_ptr<patchcord::Worker> &worker() const { return worker_; }
  void play();
  GstStateChangeReturn set_state(GstState state);

  // Into the text pad.
  void start(std::uint32_t utterance);
  GstFlowReturn say(const std::string &text);
  void end(std::uint32_t utterance);
  void eos();
  void flush_start();
  void flush_stop();
  void push(GstEvent *event);
  void utterance(std::uint32_t number, const std::vector<std::string> &texts);
  // Out of the audio pad, upstream.
  void push_upstream(GstEvent *event);
  GstPad *audio_pad() const { return audio_; }
  // What downstream takes from now on; it says that it has changed its mind.
  void take(const char *caps);

  // Waits until `done` holds of what came out; fails the test after 20 s.
  void await(const std::function<bool(const Items &)> &done);
  void await(const std::string &name, std::size_t count = 1);
  Items items();
  void clear();
  std::string caps(); // of the last CAPS event
  // Names of what came out, audio in one run counted once; only from the
  // contract: "start:1 spoken:Hello. audio end:1 audio eos".
  std::string order();
  // The same, of each utterance's speech the words alone, and its last buffer:
  // "start:1 [Hello. Bye.] end:1 closing eos".
  std::string shape();
  // How long the audio is, and how loud: of the samples, in dB of full scale.
  GstClockTime length();
  double level();
  // All audio in one piece.
  patchcord::Bytes audio();
  // Upstream events at the text pad, by name.
  std::vector<std::string> upstream();
  std::vector<patchcord::events::VoiceFailed> failures();
  // Messages of a type on the bus so far.
  unsigned messages(GstMessageType type, std::string *text = nullptr);

  // Runs within the next push of a buffer.
  void on_audio(std::function<void()> hook);
  void set_flow(GstFlowReturn flow);

private:
  static GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buffer);
  static gboolean event(GstPad *pad, GstObject *parent, GstEvent *event);
  static gboolean query(GstPad *pad, GstObject *parent, GstQuery *query);
  static gboolean text_event(GstPad *pad, GstObject *parent, GstEvent *event);
  void add(Item item);
  void push_segment();

  std::shared_ptr<patchcord::Worker> worker_;
  GstElement *element_;
  GstBus *bus_;
  GstPad *text_ = nullptr, *audio_ = nullptr;
  patchcord::Ref<GstCaps> downstream_;

  std::mutex mutex_;
  std::condition_variable changed_;
  Items items_;
  std::string caps_;
  bool mulaw_ = false;
  int rate_ = 0;
  std::vector<std::string> upstream_;
  std::vector<patchcord::events::VoiceFailed> failures_;
  std::vector<patchcord::Ref<GstMessage>> messages_;
  std::function<void()> hook_;
  GstFlowReturn flow_ = GST_FLOW_OK;
  bool flushing_ = false;
};

// A failing g_assert_cmpstr() would print a temporary that is gone.
void assert_equal(const std::string &is, const std::string &expected);
