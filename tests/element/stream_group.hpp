// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/handles.hpp"

#include <gst/gst.h>

namespace patchcord {

// A stream without a group is not one for a player or a muxer behind it.
inline void check_stream_has_group(GstElement *element) {
  const auto pad =
      Ref<GstPad>::adopt(gst_element_get_static_pad(element, "src"));
  const auto start = Ref<GstEvent>::adopt(
      gst_pad_get_sticky_event(pad.get(), GST_EVENT_STREAM_START, 0));
  guint group = GST_GROUP_ID_INVALID;
  g_assert_true(start && gst_event_parse_group_id(start.get(), &group));
  g_assert_cmpuint(group, !=, GST_GROUP_ID_INVALID);
}

} // namespace patchcord
