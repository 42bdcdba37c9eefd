// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_REALTIME_STT (gst_realtime_stt_get_type())
G_DECLARE_FINAL_TYPE(GstRealtimeStt, gst_realtime_stt, GST, REALTIME_STT,
                     GstElement)

G_END_DECLS
