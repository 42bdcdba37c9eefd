// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

// The elements that stand for a call's recogniser and its voice. They are
// registered by the program that plays scenarios and are in no plugin: nothing
// else has a use for them.
G_BEGIN_DECLS

#define SCENARIO_TYPE_STT (scenario_stt_get_type())
G_DECLARE_FINAL_TYPE(ScenarioStt, scenario_stt, SCENARIO, STT, GstElement)

#define SCENARIO_TYPE_VOICE (scenario_voice_get_type())
G_DECLARE_FINAL_TYPE(ScenarioVoice, scenario_voice, SCENARIO, VOICE, GstElement)

// Of a call that is played again.
#define REPLAY_TYPE_STT (replay_stt_get_type())
G_DECLARE_FINAL_TYPE(ReplayStt, replay_stt, REPLAY, STT, GstElement)

#define REPLAY_TYPE_VOICE (replay_voice_get_type())
G_DECLARE_FINAL_TYPE(ReplayVoice, replay_voice, REPLAY, VOICE, GstElement)

G_END_DECLS
