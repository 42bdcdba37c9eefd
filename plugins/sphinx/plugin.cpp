// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gstsphinxstt.hpp"

static gboolean plugin_init(GstPlugin *plugin) {
  return gst_element_register(plugin, "sphinxstt", GST_RANK_NONE,
                              GST_TYPE_SPHINX_STT);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, patchcordsphinx,
                  "Offline recogniser", plugin_init, PATCHCORD_VERSION, "LGPL",
                  GST_PACKAGE_NAME, GST_PACKAGE_ORIGIN)
