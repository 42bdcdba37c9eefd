// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gstvoiceactivity.hpp"

static gboolean plugin_init(GstPlugin *plugin) {
  return gst_element_register(plugin, "voiceactivity", GST_RANK_NONE,
                              GST_TYPE_VOICE_ACTIVITY);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, patchcordaudio,
                  "Voice activity in telephone audio", plugin_init,
                  PATCHCORD_VERSION, "LGPL", GST_PACKAGE_NAME,
                  GST_PACKAGE_ORIGIN)
