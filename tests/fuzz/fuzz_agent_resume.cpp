// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/resumption.hpp"
#include "agent/scripted_mind.hpp"
#include "agent/values.hpp"
#include "base/text.hpp"

#include <cstdlib>

namespace {

constexpr char kAgent[] = R"(name = "n"
greeting = "g"
instructions = "i"
[[fields]]
name = "wish"
type = "choice"
question = "q"
choices = [{ value = "tea" }, { value = "milk" }]
[[fields]]
name = "cups"
type = "integer"
question = "q"
max = 9
[[fields]]
name = "extras"
type = "list"
question = "q"
[[transfer]]
name = "desk"
number = "+14155550111"
when = "w"
[[end.rules]]
field = "extras"
value = "nuts"
transfer_to = "desk"
[[end.rules]]
field = "cups"
min = 5
message = "m"
)";

} // namespace

// The state of a conversation comes in a recording's header as well. What is
// read of it is what the definition allows, the same when it is read again, and
// a mind goes on with it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  using namespace patchcord;
  using namespace patchcord::agent;
  static const auto definition =
      std::make_shared<const Definition>(*parse_definition(kAgent, "n.toml"));
  const auto state = parse_resumption(
      *definition, {reinterpret_cast<const char *>(data), size});
  if (!state)
    return 0;
  for (const auto &[name, value] : state->values)
    if (!is_valid(*definition->field(name), value))
      std::abort();
  const std::string json = to_json(*definition, *state);
  const auto again = parse_resumption(*definition, json);
  if (!again || to_json(*definition, *again) != json)
    std::abort();
  ScriptedMind mind(definition, Date{std::chrono::year(2026) / 4 / 29});
  mind.recall_rules(state->rules);
  const Reply reply =
      mind.reopen(state->values, state->rejected, state->history);
  if (trim(reply.message).empty())
    std::abort();
  return 0;
}
