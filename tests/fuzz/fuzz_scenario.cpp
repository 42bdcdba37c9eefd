// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/script.hpp"
#include "scenario/scenario.hpp"

#include <cstdlib>

using namespace patchcord;

// What users write of a caller: a scenario, or the phone's script. Either is
// taken, or refused with the file and the line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  const auto scenario = scenario::parse_scenario(text, "fuzz.toml");
  if (!scenario && !scenario.error().message.starts_with("fuzz.toml:"))
    std::abort();
  phone::Script script;
  const auto added = script.add_text(text, "caller.txt");
  if (!added && !added.error().message.starts_with("caller.txt:"))
    std::abort();
  return 0;
}
