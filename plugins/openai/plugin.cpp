// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gstrealtimestt.hpp"

static gboolean plugin_init(GstPlugin *plugin) {
  return gst_element_register(plugin, "realtimestt", GST_RANK_NONE,
                              GST_TYPE_REALTIME_STT);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, patchcordopenai,
                  "Speech to text by OpenAI", plugin_init, PATCHCORD_VERSION,
                  "LGPL", GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
