// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gstagent.hpp"

static gboolean plugin_init(GstPlugin *plugin) {
  return gst_element_register(plugin, "agent", GST_RANK_NONE, GST_TYPE_AGENT);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, patchcordagent,
                  "The conversation of a phone call", plugin_init,
                  PATCHCORD_VERSION, "LGPL", GST_PACKAGE_NAME,
                  GST_PACKAGE_ORIGIN)
