// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_VOICE_ACTIVITY (gst_voice_activity_get_type())
G_DECLARE_FINAL_TYPE(GstVoiceActivity, gst_voice_activity, GST, VOICE_ACTIVITY,
                     GstBaseTransform)

G_END_DECLS
