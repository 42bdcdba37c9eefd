// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/stall_watch.hpp"

#include "base/log.hpp"
#include "graph/iterate.hpp"

#include <gst/gst.h>

#include <algorithm>

namespace patchcord::call {
namespace {

// Whose stream lock somebody has is in its chain function.
bool takes_push(GstElement *element) {
  bool taken = false;
  gst_element_foreach_sink_pad(
      element,
      [](GstElement *, GstPad *pad, gpointer data) -> gboolean {
        const bool free = GST_PAD_STREAM_TRYLOCK(pad) != FALSE;
        if (free)
          GST_PAD_STREAM_UNLOCK(pad);
        *static_cast<bool *>(data) = !free;
        return free ? TRUE : FALSE;
      },
      &taken);
  return taken;
}

// Whether the push goes on to another element.
bool passes_on(GstElement *element) {
  bool passes = false;
  gst_element_foreach_src_pad(
      element,
      [](GstElement *, GstPad *pad, gpointer data) -> gboolean {
        const auto next = graph::element_behind(pad);
        auto &found = *static_cast<bool *>(data);
        found = next && takes_push(next.get());
        return found ? FALSE : TRUE;
      },
      &passes);
  return passes;
}

} // namespace

std::string elements_in_push(GstElement *graph) {
  std::string names;
  graph::any_of(
      gst_bin_iterate_recurse(GST_BIN(graph)), [&](GstElement *element) {
        if (GST_IS_BIN(element) || !takes_push(element) || passes_on(element))
          return false;
        GstElementFactory *factory = gst_element_get_factory(element);
        names += (names.empty() ? "" : ", ") +
                 std::string(factory != nullptr ? GST_OBJECT_NAME(factory)
                                                : "an element") +
                 " (" + GST_ELEMENT_NAME(element) + ")";
        return false;
      });
  return names;
}

StallWatch::StallWatch(CallRegistry &registry,
                       std::vector<std::shared_ptr<Worker>> workers)
    : registry_(registry) {
  for (auto &worker : workers)
    watched_.push_back(
        {std::move(worker), std::make_shared<std::atomic<bool>>(true)});
}

void StallWatch::look() {
  const TimePoint now = RealClock().now();
  for (Watched &one : watched_) {
    if (*one.turned) {
      if (std::exchange(one.told, false))
        log::warning("a worker turns again");
      one.asked = now;
      *one.turned = false;
      one.worker->post([turned = one.turned] { *turned = true; });
    } else if (!std::exchange(one.told, true)) {
      tell(one, now - one.asked);
    }
  }
}

void StallWatch::tell(const Watched &stalled, Duration since) {
  std::string where;
  for (const auto &[sid, elements] : registry_.pushes_on(*stalled.worker))
    where +=
        (where.empty() ? ": call " : "; call ") + sid + " is in " + elements;
  log::error("a worker and its calls have stood still for " +
             std::to_string(since / std::chrono::milliseconds(1)) + " ms" +
             where);
}

} // namespace patchcord::call
