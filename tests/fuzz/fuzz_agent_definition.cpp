// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/definition.hpp"
#include "agent/llm_mind.hpp"
#include "agent/scripted_mind.hpp"
#include "base/json.hpp"

#include <cstdlib>

// Any file is refused with a line or is an agent that holds a conversation.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  using namespace patchcord;
  using namespace patchcord::agent;
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  auto parsed = parse_definition(text, "fuzz.toml");
  if (!parsed) {
    if (!parsed.error().message.starts_with("fuzz.toml:"))
      std::abort();
    return 0;
  }
  const auto definition = std::make_shared<const Definition>(*parsed);
  const Date today{std::chrono::year(2026) / 4 / 29};
  ScriptedMind mind(definition, today);
  (void)mind.open();
  for (const char *words : {"two", "yes", "no", "tomorrow at noon", "what"})
    (void)mind.answer(words, {});
  (void)system_prompt(*definition, mind.values(), mind.rejected(), today,
                      mind.rules());
  for (const std::string &json :
       {answer_schema(*definition), to_json(*definition, mind.values())})
    if (!JsonDocument::parse(json, {std::size_t{16} << 20, 64}))
      std::abort();
  return 0;
}
