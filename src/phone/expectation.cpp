// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/expectation.hpp"

#include "base/json.hpp"

namespace patchcord::phone {

std::vector<std::string> unmet(const Expected &expected,
                               std::string_view record) {
  if (!expected.any())
    return {};
  const auto document = JsonDocument::parse(record);
  if (!document || !document->root().is_object())
    return {"the call's record could not be fetched"};
  std::vector<std::string> wrong;
  const auto check = [&](const std::string &what, const std::string &wanted,
                         JsonView value) {
    const std::string got = value.string().value_or(value.dump());
    if (got != wanted)
      wrong.push_back(what + ": expected \"" + wanted + "\", got \"" + got +
                      '"');
  };
  const JsonView root = document->root();
  if (!expected.end_reason.empty())
    check("end_reason", expected.end_reason, root["end_reason"]);
  for (const auto &[name, value] : expected.fields)
    check("field " + name, value, root["fields"][name.c_str()]);
  return wrong;
}

} // namespace patchcord::phone
