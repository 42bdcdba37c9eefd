// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/threads.hpp"

#include "base/guarded.hpp"
#include "graph/element.hpp"
#include "graph/iterate.hpp"

#include <functional>
#include <string_view>
#include <utility>

namespace patchcord::call {
namespace {

using Wanted = std::function<bool(GstElement *)>;

std::string_view factory_of(GstElement *element) {
  GstElementFactory *factory = gst_element_get_factory(element);
  return factory != nullptr ? GST_OBJECT_NAME(factory) : "";
}

bool leads_to(GstElement *element, const Wanted &wanted,
              const Wanted &barrier = nullptr);

// Whether what comes out of a source pad comes to an element that is wanted,
// and through no barrier.
bool pad_leads_to(GstPad *pad, const Wanted &wanted,
                  const Wanted &barrier = nullptr) {
  const auto next = graph::element_behind(pad);
  return next &&
         (wanted(next.get()) || (!(barrier && barrier(next.get())) &&
                                 leads_to(next.get(), wanted, barrier)));
}

bool leads_to(GstElement *element, const Wanted &wanted,
              const Wanted &barrier) {
  struct Search {
    const Wanted &wanted, &barrier;
    bool found = false;
  } search{wanted, barrier};
  gst_element_foreach_src_pad(
      element,
      [](GstElement *, GstPad *pad, gpointer data) -> gboolean {
        auto &one = *static_cast<Search *>(data);
        one.found = pad_leads_to(pad, one.wanted, one.barrier);
        return !one.found;
      },
      &search);
  return search.found;
}

// What is wrong with an element that has a thread; empty when it does not lead
// to one of ours.
std::string told(GstElement *owner, GstPad *pad = nullptr);

// Tries `element` by itself, without what comes before and behind it.
std::string try_thread(GstElement *element) {
  Guarded<std::string> reason; // the first, from whatever thread posts
  const auto bus =
      Ref<GstBus>::adopt(GST_BUS(g_object_new(GST_TYPE_BUS, nullptr)));
  gst_bus_set_sync_handler(
      bus.get(),
      [](GstBus *, GstMessage *message, gpointer found) {
        const auto owned = Ref<GstMessage>::adopt(message);
        // Others come from the thread itself.
        if (auto text = thread_in_the_way(message); !text.empty())
          static_cast<Guarded<std::string> *>(found)->with([&](auto &first) {
            if (first.empty())
              first = std::move(text);
          });
        return GST_BUS_DROP;
      },
      &reason, nullptr);
  gst_element_set_bus(element, bus.get());
  const bool failed = gst_element_set_state(element, GST_STATE_PAUSED) ==
                      GST_STATE_CHANGE_FAILURE;
  gst_element_set_state(element, GST_STATE_NULL);
  gst_bus_set_sync_handler(bus.get(), nullptr, nullptr, nullptr);
  gst_element_set_bus(element, nullptr);
  auto found = reason.with([](const auto &text) { return text; });
  if (found.empty() && failed)
    found = std::string(factory_of(element)) + " does not start";
  return found;
}

std::string find_thread(GstElement *element) {
  if (graph::is_on_worker(element))
    return {};
  std::string reason;
  if (GST_IS_BIN(element))
    graph::any_of(gst_bin_iterate_elements(GST_BIN(element)),
                  [&](GstElement *child) {
                    reason = find_thread(child);
                    return !reason.empty();
                  });
  else if (leads_to(element, graph::is_on_worker))
    // A source has one always, and a device or a port of its own.
    reason = GST_OBJECT_FLAG_IS_SET(element, GST_ELEMENT_FLAG_SOURCE) != 0
                 ? told(element)
                 : try_thread(element);
  return reason;
}

} // namespace

bool leads_to_caller(GstElement *element) {
  const Wanted is_sink = [](GstElement *one) {
    return factory_of(one) == "twiliosink";
  };
  return is_sink(element) || leads_to(element, is_sink);
}

std::string thread_in_the_way(GstMessage *message) {
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_STREAM_STATUS)
    return {};
  GstStreamStatusType what = GST_STREAM_STATUS_TYPE_CREATE;
  GstElement *owner = nullptr;
  gst_message_parse_stream_status(message, &what, &owner);
  if (what != GST_STREAM_STATUS_TYPE_CREATE || owner == nullptr)
    return {};
  GstObject *source = GST_MESSAGE_SRC(message);
  const bool by_pad = GST_IS_PAD(source) && GST_PAD_IS_SRC(GST_PAD(source));
  return told(owner, by_pad ? GST_PAD(source) : nullptr);
}

namespace {

std::string told(GstElement *owner, GstPad *pad) {
  std::string first;
  const Wanted of_ours = [&first](GstElement *one) {
    if (!graph::is_on_worker(one))
      return false;
    first = factory_of(one);
    return true;
  };
  const bool leads =
      pad != nullptr ? pad_leads_to(pad, of_ours) : leads_to(owner, of_ours);
  if (!leads)
    return {};
  if (leads_to_caller(owner))
    first = "twiliosink";
  return std::string(factory_of(owner)) + " stands on the way to " + first +
         ", and has a thread of its own; expected none there: all elements of "
         "a call share its worker's thread (a side branch behind a tee may "
         "have one)";
}

} // namespace

Result<> check_threads(const std::string &name, GstElement *graph) {
  const std::string reason = find_thread(graph);
  return reason.empty() ? ok()
                        : make_error("bad_pipeline", name + ": " + reason);
}

// --- who waits ---------------------------------------------------------------

namespace {

// What makes elements wait in whoever pushes: for the clock, for another
// stream, for a peer, or just so. By the properties' names, which those that
// do it share.
std::string waits_by(GstElement *element) {
  for (const char *property :
       {"sync", "sync-streams", "wait-for-connection", "sleep-time"}) {
    const GParamSpec *spec =
        g_object_class_find_property(G_OBJECT_GET_CLASS(element), property);
    if (spec == nullptr || (spec->flags & G_PARAM_READABLE) == 0)
      continue;
    GValue value = G_VALUE_INIT;
    g_object_get_property(G_OBJECT(element), property, &value);
    const bool waits =
        G_VALUE_HOLDS_BOOLEAN(&value) ? g_value_get_boolean(&value) != FALSE
        : G_VALUE_HOLDS_UINT(&value)  ? g_value_get_uint(&value) != 0
                                      : false;
    g_value_unset(&value);
    if (waits)
      return property;
  }
  return {};
}

// Of the elements with a thread of their own those that stand before others.
bool has_thread(GstElement *element) {
  const std::string_view factory = factory_of(element);
  if (factory == "queue" || factory == "queue2" || factory == "multiqueue")
    return true;
  const GType aggregator = g_type_from_name("GstAggregator"); // mixers, muxers
  return aggregator != 0 && g_type_is_a(G_OBJECT_TYPE(element), aggregator);
}

} // namespace

Result<> check_waiting(const std::string &name, GstElement *graph) {
  std::string reason;
  const Wanted waits = [&reason](GstElement *element) {
    const std::string property =
        graph::is_on_worker(element) ? "" : waits_by(element);
    if (property.empty())
      return false;
    reason = std::string(factory_of(element)) + " (" +
             GST_ELEMENT_NAME(element) + ") would make the worker wait, and " +
             "all its calls: its property " + property + " is set; expected " +
             property + (property == "sleep-time" ? "=0" : "=false") +
             ", or a queue before it in a side branch behind a tee";
    return true;
  };
  graph::any_of(gst_bin_iterate_recurse(GST_BIN(graph)),
                [&](GstElement *element) {
                  return graph::is_on_worker(element) &&
                         leads_to(element, waits, has_thread);
                });
  return reason.empty() ? ok()
                        : make_error("bad_pipeline", name + ": " + reason);
}

} // namespace patchcord::call
