// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/handles.hpp"

#include <gst/gst.h>

#include <utility>

// How graphs are walked through.
namespace patchcord::graph {

// The element that gets what comes out of a source pad, out of bins and into
// them; null: nobody does.
inline Ref<GstElement> element_behind(GstPad *pad) {
  auto peer = Ref<GstPad>::adopt(gst_pad_get_peer(pad));
  while (peer && GST_IS_PROXY_PAD(peer.get())) {
    if (GST_IS_GHOST_PAD(peer.get())) { // into a bin
      auto inner = Ref<GstPad>::adopt(
          gst_ghost_pad_get_target(GST_GHOST_PAD(peer.get())));
      if (!inner)
        break;
      peer = std::move(inner);
    } else { // out of one: this is the inner side of the bin's own pad
      const auto outer = Ref<GstProxyPad>::adopt(
          gst_proxy_pad_get_internal(GST_PROXY_PAD(peer.get())));
      peer = Ref<GstPad>::adopt(outer ? gst_pad_get_peer(GST_PAD(outer.get()))
                                      : nullptr);
    }
  }
  return Ref<GstElement>::adopt(peer ? gst_pad_get_parent_element(peer.get())
                                     : nullptr);
}

// Calls `use` with the elements of an iterator, which it frees, until it says
// true; whether it did. Begins anew when elements come or go meanwhile.
template <typename F> bool any_of(GstIterator *elements, F &&use) {
  if (elements == nullptr)
    return false;
  bool found = false;
  GValue item = G_VALUE_INIT;
  for (bool more = true; more && !found;) {
    switch (gst_iterator_next(elements, &item)) {
    case GST_ITERATOR_OK:
      found = use(GST_ELEMENT(g_value_get_object(&item)));
      g_value_reset(&item);
      break;
    case GST_ITERATOR_RESYNC:
      gst_iterator_resync(elements);
      break;
    default:
      more = false;
    }
  }
  if (G_IS_VALUE(&item))
    g_value_unset(&item);
  gst_iterator_free(elements);
  return found;
}

} // namespace patchcord::graph
