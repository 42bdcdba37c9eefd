// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gsttwiliosink.hpp"
#include "gsttwiliosrc.hpp"

static gboolean plugin_init(GstPlugin *plugin) {
  return gst_element_register(plugin, "twiliosrc", GST_RANK_NONE,
                              GST_TYPE_TWILIO_SRC) &&
         gst_element_register(plugin, "twiliosink", GST_RANK_NONE,
                              GST_TYPE_TWILIO_SINK);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, patchcordtwilio,
                  "Twilio media streams", plugin_init, PATCHCORD_VERSION,
                  "LGPL", GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
