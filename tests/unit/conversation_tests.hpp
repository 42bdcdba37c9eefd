// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

// The tests of test_agent_conversation.cpp are in several files: conversations
// as tables of what happens, when, and what is done about it.
inline constexpr char kGreeting[] =
    "start 1; Hello.; Which city?; end 1"; // of conversation_script's trip

void add_conversation_holds();
void add_conversation_times();
