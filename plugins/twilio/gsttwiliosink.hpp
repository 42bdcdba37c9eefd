// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_TWILIO_SINK (gst_twilio_sink_get_type())
G_DECLARE_FINAL_TYPE(GstTwilioSink, gst_twilio_sink, GST, TWILIO_SINK,
                     GstElement)

G_END_DECLS
