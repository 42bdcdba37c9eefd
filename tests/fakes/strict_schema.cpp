// SPDX-License-Identifier: LGPL-2.1-or-later
#include "strict_schema.hpp"

#include <array>
#include <set>

namespace patchcord::fakes {
namespace {

constexpr int kMaxDepth = 10;

std::string check(JsonView schema, const std::string &where, int depth);

std::string check_object(JsonView schema, const std::string &where, int depth) {
  if (schema["additionalProperties"].boolean() != false)
    return where + ": additionalProperties must be false";
  std::set<std::string> required;
  for (std::size_t i = 0; i < schema["required"].size(); ++i)
    required.insert(schema["required"].at(i).string().value_or(""));
  std::string problem;
  std::size_t properties = 0;
  schema["properties"].for_each_member(
      [&](std::string_view name, JsonView value) {
        ++properties;
        const std::string path = where + "." + std::string(name);
        if (!required.contains(std::string(name)))
          problem = path + ": every property must be in required";
        if (problem.empty())
          problem = check(value, path, depth + 1);
      });
  if (problem.empty() && required.size() != properties)
    problem = where + ": required names what is no property";
  return problem;
}

bool has_type(JsonView schema, std::string_view type) {
  if (schema["type"].text() == type)
    return true;
  for (std::size_t i = 0; i < schema["type"].size(); ++i)
    if (schema["type"].at(i).text() == type)
      return true;
  return false;
}

std::string check(JsonView schema, const std::string &where, int depth) {
  static constexpr std::array<const char *, 12> kRefused = {
      "allOf",     "oneOf",     "not",     "dependentRequired",
      "if",        "then",      "else",    "dependentSchemas",
      "minLength", "maxLength", "default", "patternProperties"};
  if (depth > kMaxDepth)
    return where + ": nested too deeply";
  if (!schema.is_object())
    return where + ": not an object";
  for (const char *keyword : kRefused)
    if (!schema[keyword].is_null())
      return where + ": '" + keyword + "' is not permitted";
  if (schema["type"].is_null() && schema["anyOf"].is_null() &&
      schema["$ref"].is_null() && schema["enum"].is_null() &&
      schema["const"].is_null())
    return where + ": a schema must have a 'type' key";
  if (has_type(schema, "object"))
    if (std::string problem = check_object(schema, where, depth);
        !problem.empty())
      return problem;
  if (has_type(schema, "array"))
    if (std::string problem = check(schema["items"], where + "[]", depth + 1);
        !problem.empty())
      return problem;
  for (std::size_t i = 0; i < schema["anyOf"].size(); ++i)
    if (std::string problem =
            check(schema["anyOf"].at(i), where + "|", depth + 1);
        !problem.empty())
      return problem;
  return "";
}

} // namespace

std::string strict_schema_problem(JsonView schema) {
  if (schema["type"].text() != "object")
    return "schema must be a JSON Schema of 'type: \"object\"'";
  return check(schema, "root", 0);
}

} // namespace patchcord::fakes
