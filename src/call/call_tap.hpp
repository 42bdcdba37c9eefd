// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/handles.hpp"
#include "net/http_observer.hpp"
#include "recording/writer.hpp"
#include "twilio/media_stream.hpp"
#include "worker/worker.hpp"

#include <gst/gst.h>

#include <memory>
#include <string>

namespace patchcord::call {

// Sees all that comes to a call's core from outside, and what it decides, and
// notes it on the call's tape. On the call's worker.
class CallTap final : public net::HttpObserver,
                      public std::enable_shared_from_this<CallTap> {
public:
  CallTap(Worker &worker, std::unique_ptr<recording::Tape> tape)
      : worker_(worker), tape_(std::move(tape)) {}

  // The stream, as the graph is to see it.
  std::shared_ptr<twilio::MediaStream>
  tap(std::shared_ptr<twilio::MediaStream> stream);
  // Before the graph plays: `header` without what is read from the graph.
  void tap(GstElement *graph, recording::Header header);
  void ended_from_outside(const std::string &reason, const std::string &detail);
  void answered_by(const std::string &who);
  void transfer_ended(const std::string &outcome, bool over);
  void told(const std::string &json);
  // The graph is gone; what happens to the call is noted on.
  void graph_gone() { graph_.reset(); }
  // Nothing is noted any more.
  void close();

  std::int64_t requested(const net::HttpRequest &request) override;
  void response(std::int64_t request, int status,
                const net::Headers &headers) override;
  void data(std::int64_t request, ByteSpan bytes) override;
  void done(std::int64_t request, const Result<Unit> &result) override;

private:
  using See = void (CallTap::*)(GstPadProbeInfo *);
  void watch(GstElement *element, const char *pad, GstPadProbeType what,
             See see);
  void from_ears(GstPadProbeInfo *info);
  void to_mouth(GstPadProbeInfo *info);
  void from_mouth(GstPadProbeInfo *info);
  void ears_event(GstEvent *event);
  void words(GstBuffer *buffer);
  void mouth_event(GstEvent *event);
  void note(recording::Event event);
  void send_data(std::int64_t request, std::string text);

  Worker &worker_;
  std::unique_ptr<recording::Tape> tape_;
  Ref<GstElement> graph_; // for its running time
  TimePoint origin_{-1};  // the worker's time at running time 0
  GstSegment ears_segment_{};
  std::int64_t utterance_ = 0, requests_ = 0;
  std::map<std::int64_t, std::string> cut_; // within a character, by request
};

// The properties of an element that are not at their defaults, as text.
std::map<std::string, std::string> set_properties(GstElement *element);

} // namespace patchcord::call
