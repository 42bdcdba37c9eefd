// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/tool_reader.hpp"

#include "base/text.hpp"
#include "base/url.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace patchcord::agent {
namespace {

using Type = ToolArgument::Type;

struct TypeWord {
  const char *word;
  Type type;
};
constexpr std::array<TypeWord, 4> kTypes{{{"string", Type::kString},
                                          {"integer", Type::kInteger},
                                          {"number", Type::kNumber},
                                          {"boolean", Type::kBoolean}}};
constexpr std::array<const char *, 5> kMethods{"GET", "POST", "PUT", "PATCH",
                                               "DELETE"};

// Of a function, or of one of its arguments.
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

// RFC 9110, 5.1: a token.
bool is_header_name(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-' || c == '_';
         });
}

bool is_one_line(std::string_view text) {
  return text.find_first_of("\r\n") == std::string_view::npos;
}

// By its name, or by the scheme of its credentials (RFC 9110, 11.4).
bool is_secret_header(const ToolHeader &header) {
  const std::string text = to_lower(header.text);
  return is_secret_name(header.name) || text.starts_with("bearer ") ||
         text.starts_with("basic ");
}
// Headers that are the client's business.
bool is_reserved_header(const std::string &name) {
  const std::string lower = to_lower(name);
  return lower == "host" || lower == "content-length" ||
         lower == "transfer-encoding" || lower == "connection" ||
         lower == "content-type";
}

ToolArgument read_argument(TomlReader::File &file, const toml::table &table,
                           const std::string &path, const Tool &tool) {
  TomlReader reader(file, table, path);
  ToolArgument argument;
  std::string type = "string";
  reader.read("name", argument.name, true);
  reader.read("type", type);
  reader.read("description", argument.description);
  reader.read("required", argument.required);
  reader.read("choices", argument.choices);
  reader.finish();
  if (reader.failed())
    return argument;
  const auto *word =
      std::find_if(kTypes.begin(), kTypes.end(),
                   [&](const TypeWord &entry) { return type == entry.word; });
  if (word == kTypes.end())
    reader.fail("type", "one of string, integer, number, boolean");
  else if (!is_name(argument.name))
    reader.fail("name", "lower-case letters, digits and _");
  else if (tool.argument(argument.name) != nullptr)
    reader.fail("name", "a name that no other argument has");
  else if (word->type != Type::kString && !argument.choices.empty())
    reader.fail("choices", "no choices in an argument of type " + type);
  else
    argument.type = word->type;
  return argument;
}

// NAME = "text", NAME = { env = "VARIABLE" } or { file = "/path" }, these with
// a `prefix` if need be.
void read_headers(TomlReader::File &file, const toml::table &table,
                  const std::string &path, Tool &tool) {
  TomlReader reader(file, table, path);
  for (const auto &[key, node] : table) {
    ToolHeader header;
    header.name = std::string(key.str());
    const char *name = header.name.c_str();
    header.line = reader.line_of(name);
    if (node.is_table()) {
      TomlReader secret(file, *node.as_table(), reader.path_of(name));
      secret.read("prefix", header.text);
      secret.read("env", header.env);
      secret.read("file", header.file);
      secret.finish();
      if (header.env.empty() == header.file.empty())
        secret.fail("env", "the name of an environment variable, or else file");
      if (!header.text.empty())
        header.text += ' '; // texts are trimmed: "Bearer "
    } else {
      reader.read(name, header.text, true);
      if (is_secret_header(header))
        reader.fail(name, "a secret by reference: { env = \"VARIABLE\" } or "
                          "{ file = \"/path\" }");
    }
    if (!is_header_name(header.name) || is_reserved_header(header.name))
      reader.fail(name, "the name of a header that a tool may set");
    if (!is_one_line(header.text))
      reader.fail(name, "a text of one line");
    tool.headers.push_back(std::move(header));
  }
}

void check_tool(TomlReader &reader, const Tool &tool,
                const std::vector<Tool> &others) {
  if (!is_name(tool.name))
    return reader.fail("name", "lower-case letters, digits and _");
  for (const Tool &other : others)
    if (other.name == tool.name)
      return reader.fail("name", "a name that no other tool has");
  if (std::find(kMethods.begin(), kMethods.end(), tool.method) ==
      kMethods.end())
    return reader.fail("method", "one of GET, POST, PUT, PATCH, DELETE");
  if (const std::string problem = url_problem(tool); !problem.empty())
    reader.fail("url", problem);
}

} // namespace

Tool read_tool(TomlReader::File &file, const toml::table &table,
               const std::string &path, const std::vector<Tool> &others) {
  TomlReader reader(file, table, path);
  Tool tool;
  std::optional<double> timeout_s;
  int max_bytes = static_cast<int>(tool.max_bytes);
  reader.read("name", tool.name, true);
  reader.read("description", tool.description, true);
  reader.read("method", tool.method);
  reader.read("url", tool.url, true);
  tool.url_line = reader.line_of("url");
  reader.read("timeout_s", timeout_s);
  reader.read("max_bytes", max_bytes, 1, 256 << 10);
  const toml::table *headers = reader.table("headers");
  const auto arguments = reader.tables("arguments");
  for (std::size_t i = 0; i < arguments.size(); ++i)
    tool.arguments.push_back(
        read_argument(file, *arguments[i],
                      path + ".arguments[" + std::to_string(i) + "]", tool));
  reader.finish();
  if (headers != nullptr)
    read_headers(file, *headers, path + ".headers", tool);
  if (timeout_s && (*timeout_s < 0.1 || *timeout_s > 60))
    reader.fail("timeout_s", "a number of seconds from 0.1 to 60");
  if (!reader.failed())
    check_tool(reader, tool, others);
  if (timeout_s)
    tool.timeout =
        std::chrono::milliseconds(static_cast<std::int64_t>(*timeout_s * 1000));
  tool.max_bytes = static_cast<std::size_t>(max_bytes);
  return tool;
}

} // namespace patchcord::agent
