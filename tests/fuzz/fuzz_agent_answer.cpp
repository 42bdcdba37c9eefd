// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/llm_mind.hpp"
#include "agent/values.hpp"
#include "base/json.hpp"
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
choices = [{ value = "tea" }, { value = "milk", spoken = ["a glass of milk"] }]
[[fields]]
name = "cups"
type = "integer"
question = "q"
max = 9
[[fields]]
name = "extras"
type = "list"
question = "q"
max_length = 20
pattern = "[a-z ]+"
[[fields]]
name = "day"
type = "date"
question = "q"
[[fields]]
name = "code"
type = "digits"
question = "q"
max_digits = 6
[[fields]]
name = "sure"
type = "boolean"
question = "q"
[[transfer]]
name = "desk"
number = "+14155550100"
when = "w"
)";

} // namespace

// Whatever a model answers, the caller gets words behind those he has heard,
// the model a request that is JSON, and the record values that are what the
// definition allows.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  using namespace patchcord;
  using namespace patchcord::agent;
  static const auto definition =
      std::make_shared<const Definition>(*parse_definition(kAgent, "n.toml"));
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  LlmMind mind(definition, Date{std::chrono::year(2026) / 4 / 29}, {});
  Thought thought = mind.answer("tea", {{Said::Who::kCaller, "tea"}});
  std::string spoken;
  for (int requests = 0; std::holds_alternative<ModelRequest>(thought);
       ++requests) {
    if (requests > 2 ||
        !JsonDocument::parse(std::get<ModelRequest>(thought).body,
                             {std::size_t{16} << 20, 64}))
      std::abort();
    mind.model_begin();
    spoken = std::get<ModelRequest>(thought).said + mind.model_text(text);
    thought = mind.model_done(size % 2 == 0 ? "stop" : "", "", spoken);
  }
  const Reply &reply = std::get<Reply>(thought);
  if (reply.action == "transfer" &&
      definition->transfer_target(reply.transfer) == nullptr)
    std::abort();
  Findings findings(definition);
  findings.update(mind.values(), mind.rejected(), 1);
  const Found found = findings.all();
  if (trim(reply.message).empty() ||
      !trim(reply.message).starts_with(trim(spoken)) ||
      !JsonDocument::parse(found.fields))
    std::abort();
  for (const auto &[name, value] : mind.values())
    if (!is_valid(*definition->field(name), value))
      std::abort();
  return 0;
}
