// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

namespace patchcord::graph {

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
