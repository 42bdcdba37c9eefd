// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gstelevenlabssrc.hpp"

static gboolean plugin_init(GstPlugin *plugin) {
  return gst_element_register(plugin, "elevenlabssrc", GST_RANK_NONE,
                              GST_TYPE_ELEVENLABS_SRC);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, patchcordelevenlabs,
                  "ElevenLabs speech", plugin_init, PATCHCORD_VERSION, "LGPL",
                  GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
