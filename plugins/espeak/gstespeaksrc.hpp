// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_ESPEAK_SRC (gst_espeak_src_get_type())
G_DECLARE_FINAL_TYPE(GstEspeakSrc, gst_espeak_src, GST, ESPEAK_SRC, GstElement)

G_END_DECLS
