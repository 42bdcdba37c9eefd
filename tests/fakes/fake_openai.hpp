// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "http.hpp"

namespace patchcord::fakes {

void add_chat(FakeHost &host);     // POST /v1/chat/completions
void add_realtime(FakeHost &host); // GET /v1/realtime

// {"error":{...}} as OpenAI words it; param and code may be "".
std::string openai_error(std::string_view message, std::string_view type,
                         std::string_view param, std::string_view code);
void reply_openai_error(SoupServerMessage *message, int status,
                        std::string_view text, std::string_view type,
                        std::string_view param, std::string_view code);

} // namespace patchcord::fakes
