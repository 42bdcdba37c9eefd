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

bool holds(GstElement *element, const Wanted &wanted) {
  return wanted(element) ||
         (GST_IS_BIN(element) &&
          graph::any_of(gst_bin_iterate_recurse(GST_BIN(element)), wanted));
}

bool leads_to(GstElement *element, const Wanted &wanted);

// Whether what comes out of a source pad comes to an element that is wanted,
// out of bins and into them.
bool pad_leads_to(GstPad *pad, const Wanted &wanted) {
  auto peer = Ref<GstPad>::adopt(gst_pad_get_peer(pad));
  if (!peer)
    return false;
  // The inner side of a bin's own pad.
  if (GST_IS_PROXY_PAD(peer.get()) && !GST_IS_GHOST_PAD(peer.get())) {
    const auto outer = Ref<GstProxyPad>::adopt(
        gst_proxy_pad_get_internal(GST_PROXY_PAD(peer.get())));
    return outer && pad_leads_to(GST_PAD(outer.get()), wanted);
  }
  const auto next =
      Ref<GstElement>::adopt(gst_pad_get_parent_element(peer.get()));
  return next && (holds(next.get(), wanted) || leads_to(next.get(), wanted));
}

bool leads_to(GstElement *element, const Wanted &wanted) {
  std::pair<const Wanted &, bool> search(wanted, false);
  gst_element_foreach_src_pad(
      element,
      [](GstElement *, GstPad *pad, gpointer data) -> gboolean {
        auto &[what, found] =
            *static_cast<std::pair<const Wanted &, bool> *>(data);
        found = pad_leads_to(pad, what);
        return !found;
      },
      &search);
  return search.second;
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

} // namespace patchcord::call
