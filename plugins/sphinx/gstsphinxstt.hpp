// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_SPHINX_STT (gst_sphinx_stt_get_type())
G_DECLARE_FINAL_TYPE(GstSphinxStt, gst_sphinx_stt, GST, SPHINX_STT, GstElement)

G_END_DECLS
