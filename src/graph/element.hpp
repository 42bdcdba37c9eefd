// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/contexts.hpp"

#include <string>
#include <type_traits>

// What elements that have a session on a worker do alike. `Private` has the
// members `worker` and `session`, shared pointers, and `stopping`.
namespace patchcord::graph {

// Marks the class of an element whose work is done on a worker.
inline constexpr char kOnWorker[] = "patchcord-on-worker";
inline void mark_on_worker(GstElementClass *klass) {
  gst_element_class_add_static_metadata(klass, kOnWorker, "yes");
}
inline bool is_on_worker(GstElement *element) {
  return gst_element_get_metadata(element, kOnWorker) != nullptr;
}

// The head of an element's change_state: false when it has to fail. There is a
// worker from here on, and nothing of the element's last run.
template <typename Private>
bool enter_state(GstElement *element, Private &priv,
                 GstStateChange transition) {
  const bool takes_worker = transition == GST_STATE_CHANGE_NULL_TO_READY;
  if ((takes_worker || transition == GST_STATE_CHANGE_READY_TO_PAUSED) &&
      !priv.stopping.settled(element))
    return false;
  if (takes_worker)
    priv.worker = acquire_worker(element);
  return true;
}

// And behind that of its parent class: `stop` ends the session, on the worker.
template <typename Private, typename F>
void leave_state(GstElement *element, Private &priv, GstStateChange transition,
                 GstStateChangeReturn result, F &&stop) {
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
       result == GST_STATE_CHANGE_FAILURE))
    priv.stopping.run(*priv.worker, element, std::forward<F>(stop));
  // What comes late looks for it.
  if (transition == GST_STATE_CHANGE_READY_TO_NULL && !priv.stopping.late())
    priv.worker.reset();
}

// Runs `use` on the worker with the session; `otherwise` when there is none.
// For pad functions: a thread that may not enter the element gets a flow error.
template <typename Private, typename R, typename F>
R with_session(GstElement *element, Private &priv, R otherwise, F &&use) {
  const auto worker = priv.worker;
  if (!worker)
    return otherwise;
  if (turns_away_thread(element, *worker)) {
    if constexpr (std::is_same_v<R, GstFlowReturn>)
      return GST_FLOW_ERROR;
    return otherwise;
  }
  return on_worker(*worker, [&]() -> R {
    const auto session = priv.session; // `use` may end it
    return session ? use(*session) : otherwise;
  });
}

// The same for an event: whether there was a session.
template <typename Private, typename F>
gboolean on_session(GstElement *element, Private &priv, F &&use) {
  return with_session(element, priv, FALSE, [&](auto &session) -> gboolean {
    use(session);
    return TRUE;
  });
}

// The segment event for what a recogniser puts out, and the segment: times
// there are those of the audio; other formats have none.
inline Ref<GstEvent> time_segment(Ref<GstEvent> event, GstSegment &segment) {
  gst_event_copy_segment(event.get(), &segment);
  if (segment.format == GST_FORMAT_TIME)
    return event;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  return Ref<GstEvent>::adopt(gst_event_new_segment(&segment));
}

// The text of a property's value; empty for none.
inline std::string string_of(const GValue *value) {
  const char *text = g_value_get_string(value);
  return text != nullptr ? text : "";
}

} // namespace patchcord::graph
