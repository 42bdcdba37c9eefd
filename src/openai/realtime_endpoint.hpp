// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace patchcord::openai {

// What a transcription model can do over Realtime (guide "Realtime
// transcription", model pages; the list is by prefix, dated snapshots
// included). An unknown model is taken for one of the older kind.
struct RealtimeModel {
  // Finds the turns itself; else the client must commit each.
  bool server_vad = true;
  // Hints of languages go into `languages` (a list); else into `language`.
  bool takes_languages = false;
  // Words come while the caller speaks, so that a result is soon complete.
  bool live = false;
};
RealtimeModel realtime_model(std::string_view name);

// The WebSocket URL of transcription at `base_url` ("https://HOST/v1"), with
// the query parameters that it has. `custom`, when not empty, is used as it
// is. `model` goes into the query unless it is empty: at api.openai.com it
// would make a conversation session that refuses transcription, while gateways
// route by it.
std::string realtime_url(std::string_view base_url, std::string_view custom,
                         std::string_view model);

// api.openai.com or a regional host of it.
bool is_openai_url(std::string_view url);
// Its key goes into the header `api-key`, not `Authorization`.
bool is_azure_url(std::string_view url);

} // namespace patchcord::openai
