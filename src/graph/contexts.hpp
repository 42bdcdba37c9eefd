// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/handles.hpp"
#include "net/http_observer.hpp"
#include "twilio/media_stream.hpp"
#include "worker/worker.hpp"

#include <gst/gst.h>

#include <functional>
#include <future>
#include <memory>
#include <utility>

// How elements find what they share: by GstContext, the mechanism that GL and
// hardware elements use for their displays. The daemon sets the contexts on the
// pipeline; in gst-launch the first element in need makes the thing and tells
// the pipeline.
namespace patchcord::graph {

inline constexpr char kWorkerContext[] = "patchcord.worker";
inline constexpr char kMediaStreamContext[] = "patchcord.media-stream";
inline constexpr char kHttpObserverContext[] = "patchcord.http-observer";

void set_worker(GstElement *pipeline_or_element,
                const std::shared_ptr<Worker> &worker);
// The same for a worker that runs other calls too, and must not wait for any
// thread: no other one may enter the pipeline's elements by their pads.
void set_calls_worker(GstElement *pipeline,
                      const std::shared_ptr<Worker> &worker);
// Whether this thread may not enter `element`, which is a call's. Posts an
// error that says so, once.
bool turns_away_thread(GstElement *element, const Worker &worker);
void set_media_stream(GstElement *pipeline_or_element,
                      const std::shared_ptr<twilio::MediaStream> &stream);

void set_http_observer(GstElement *pipeline,
                       const std::shared_ptr<net::HttpObserver> &observer);

// Who wants to see this element's requests; null: nobody.
std::shared_ptr<net::HttpObserver> find_http_observer(GstElement *element);

// The worker of this element, for NULL->READY: from its context, the pipeline,
// or a new one which is then shared with the rest of the pipeline. Elements in
// one pipeline thus run on one thread, in gst-launch as in the daemon.
std::shared_ptr<Worker> acquire_worker(GstElement *element);

// The media stream, or null when nobody in the pipeline has one (yet).
std::shared_ptr<twilio::MediaStream> find_media_stream(GstElement *element);
// Sets it on `element` and tells the pipeline (HAVE_CONTEXT).
void share_media_stream(GstElement *element,
                        const std::shared_ptr<twilio::MediaStream> &stream);

// The running time of `element` now, by its clock; NONE before PLAYING.
GstClockTime running_time(GstElement *element);

// Runs an element's work on its worker and waits: at once when this is the
// worker (in the daemon always), by a hop when a `queue` or the application
// sits between. With it every piece of an element's state has one thread.
template <typename F>
auto on_worker(Worker &worker, F &&work) -> decltype(work()) {
  using R = decltype(work());
  if (worker.on_thread())
    return work();
  if constexpr (std::is_void_v<R>) {
    worker.call([&] { work(); });
  } else {
    R result{};
    worker.call([&] { result = work(); });
    return result;
  }
}

// The end of an element's work, as often as it ends; on the thread that changes
// its state. A worker that is in a push into a sink that blocks in PAUSED is
// not waited for longer than a second: then the work is done when it comes
// back, and the element does not begin again before that.
class Stopping {
public:
  // Runs `work` on the worker, with the element held.
  void run(Worker &worker, GstElement *element,
           const std::function<void()> &work);
  // Before the element takes a worker or begins: whether all that was run is
  // done, by a second from now. Posts the element's error if not.
  bool settled(GstElement *element);
  // Whether some of it may be to come: the worker still is in the element.
  bool late() const { return late_.valid(); }

private:
  std::shared_future<void> late_; // invalid: nothing is late
};

// Runs an element's work on its worker: at once when this is the worker, soon
// otherwise, with the element held. For what must not be waited for from
// another thread: the worker may be in a push into a sink that is in PAUSED
// already and blocks until it plays or is stopped.
template <typename F>
void soon_on_worker(Worker &worker, GstElement *element, F work) {
  if (worker.on_thread())
    work();
  else
    worker.post([held = Ref<GstElement>::share(element),
                 work = std::move(work)] { work(); });
}

} // namespace patchcord::graph
