// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_AGENT (gst_agent_get_type())
G_DECLARE_FINAL_TYPE(GstAgent, gst_agent, GST, AGENT, GstElement)

G_END_DECLS
