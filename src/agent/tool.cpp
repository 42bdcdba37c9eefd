// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/tool.hpp"

#include "base/json.hpp"
#include "base/text.hpp"
#include "base/url.hpp"

#include <algorithm>
#include <optional>

namespace patchcord::agent {
namespace {

using Type = ToolArgument::Type;

constexpr JsonLimits kArguments{std::size_t{64} << 10, 8};
constexpr std::size_t kLongestValue = 2000;
constexpr std::size_t kLongestUrl = 8000;
// An answer that says why it failed is given to the model up to here.
constexpr std::size_t kLongestReason = 1000;

const char *type_word(Type type) {
  switch (type) {
  case Type::kInteger:
    return "integer";
  case Type::kNumber:
    return "number";
  case Type::kBoolean:
    return "boolean";
  default:
    return "string";
  }
}

bool has_body(const Tool &tool) {
  return tool.method != "GET" && tool.method != "DELETE";
}

// RFC 3986, 2.3: everything else is encoded.
std::string percent_encoded(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                       c == '_' || c == '~';
    if (plain)
      out += c;
    else
      (out += '%') += {kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

// The value as it stands in a URL; nullopt: not of the argument's type.
std::optional<std::string> value_text(const ToolArgument &argument,
                                      JsonView given) {
  switch (argument.type) {
  case Type::kInteger: {
    const auto number = given.integer();
    return number ? std::optional(std::to_string(*number)) : std::nullopt;
  }
  case Type::kNumber:
    return given.number() ? std::optional(given.dump()) : std::nullopt;
  case Type::kBoolean: {
    const auto truth = given.boolean();
    return truth ? std::optional<std::string>(*truth ? "true" : "false")
                 : std::nullopt;
  }
  default:
    break;
  }
  auto text = given.string();
  const auto &choices = argument.choices;
  if (!text || text->size() > kLongestValue || !valid_utf8(*text) ||
      (!choices.empty() &&
       std::find(choices.begin(), choices.end(), *text) == choices.end()))
    return std::nullopt;
  return text;
}

std::string expected(const ToolArgument &argument) {
  if (!argument.choices.empty())
    return "one of " + join(argument.choices, ", ");
  return std::string("a value of type ") + type_word(argument.type);
}

struct Given {
  const ToolArgument *argument;
  JsonView value;
  std::string text;
};

Result<std::vector<Given>> read_arguments(const Tool &tool, JsonView root) {
  if (!root.is_object())
    return make_error("refused", "the arguments are not a JSON object");
  std::string problem;
  root.for_each_member([&](std::string_view name, JsonView) {
    if (tool.argument(name) == nullptr)
      problem = "there is no argument \"" + std::string(name) + "\"";
  });
  std::vector<Given> all;
  for (const ToolArgument &argument : tool.arguments) {
    const JsonView value = root[argument.name.c_str()];
    if (value.is_null()) {
      if (argument.required)
        problem = argument.name + " is missing";
      continue;
    }
    if (auto text = value_text(argument, value))
      all.push_back({&argument, value, *std::move(text)});
    else
      problem = argument.name + " must be " + expected(argument);
  }
  if (!problem.empty())
    return make_error("refused", problem);
  return all;
}

// Calls `text` with what stands between the placeholders and `name` with each
// of these. False: a brace without its other.
template <typename Text, typename Name>
bool walk_template(std::string_view url, Text &&text, Name &&name) {
  while (!url.empty()) {
    const auto brace = url.find_first_of("{}");
    text(url.substr(0, brace));
    if (brace == std::string_view::npos)
      return true;
    const auto end = url.find_first_of("{}", brace + 1);
    if (url[brace] == '}' || end == std::string_view::npos || url[end] == '{')
      return false;
    name(url.substr(brace + 1, end - brace - 1));
    url.remove_prefix(end + 1);
  }
  return true;
}

// Where the path begins: behind the authority.
std::size_t path_start(std::string_view url) {
  return url.find_first_of("/?", url.find("://") + 3);
}

// ".." would name another resource than the template does, and servers read it
// behind an encoding, too. So would nothing at all.
bool path_is_plain(std::string_view url) {
  const auto start = path_start(url);
  if (start == std::string_view::npos)
    return true;
  std::string_view path = url.substr(start, url.find('?') - start);
  if (path.empty())
    return true;
  path.remove_prefix(1);
  for (const std::string &segment : split(path, '/'))
    if (segment == "." || segment == "..")
      return false;
  return path.find("//") == std::string_view::npos && !path.starts_with('/');
}

// Slashes that are encoded are decoded again by many a server.
bool fits_a_path(std::string_view text) {
  return !text.empty() && text != "." && text != ".." &&
         text.find_first_of("/\\") == std::string_view::npos;
}

std::string body_of(const std::vector<Given> &values) {
  JsonWriter json;
  json.begin_object();
  for (const Given &each : values)
    json.key(each.argument->name).raw(each.value.dump());
  return json.end_object().take();
}

} // namespace

const ToolArgument *Tool::argument(std::string_view argument_name) const {
  for (const ToolArgument &each : arguments)
    if (each.name == argument_name)
      return &each;
  return nullptr;
}

std::string url_problem(const Tool &tool) {
  const std::string_view url = tool.url;
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return "a URL that begins with https:// or http://";
  const bool has_secret =
      std::any_of(tool.headers.begin(), tool.headers.end(),
                  [](const ToolHeader &header) { return header.has_secret(); });
  // Everybody on the way would read it.
  if (has_secret && is_in_the_clear(url))
    return "a URL that begins with https://, for a header has a secret "
           "(http:// "
           "only to this machine)";
  const std::string_view authority = url.substr(0, path_start(url));
  if (authority.ends_with("//") ||
      authority.find_first_of("{}@\\") != std::string_view::npos)
    return "a URL whose host is written out, without a name or password";
  if (std::any_of(url.begin(), url.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= ' ' || byte >= 0x7F || c == '#' || c == '\\';
      }))
    return "a URL without spaces, fragments and unencoded characters";
  std::string problem;
  const bool paired = walk_template(
      url, [](std::string_view) {},
      [&](std::string_view name) {
        const ToolArgument *argument = tool.argument(name);
        if (argument == nullptr)
          problem = "a URL in which each {name} is an argument";
        else if (!argument->required)
          problem = "a URL that names only required arguments";
      });
  if (!paired)
    return "a URL in which each { has its }";
  if (problem.empty() && !path_is_plain(url))
    return "a URL without empty and dotted parts of its path";
  return problem;
}

openai::ChatTool chat_tool(const Tool &tool) {
  JsonWriter json;
  json.begin_object().member("type", "object").key("properties").begin_object();
  for (const ToolArgument &argument : tool.arguments) {
    json.key(argument.name).begin_object().key("type");
    if (argument.required)
      json.value(type_word(argument.type));
    else
      json.begin_array()
          .value(type_word(argument.type))
          .value("null")
          .end_array();
    if (!argument.description.empty())
      json.member("description", argument.description);
    if (!argument.choices.empty()) {
      json.key("enum").begin_array();
      for (const std::string &choice : argument.choices)
        json.value(choice);
      if (!argument.required)
        json.null();
      json.end_array();
    }
    json.end_object();
  }
  json.end_object().key("required").begin_array();
  for (const ToolArgument &argument : tool.arguments)
    json.value(argument.name);
  json.end_array().member("additionalProperties", false).end_object();
  return {tool.name, tool.description, json.take()};
}

Result<ToolRequest> tool_request(const Tool &tool, std::string_view arguments) {
  // No arguments at all: some models write nothing then.
  const auto document = JsonDocument::parse(
      trim(arguments).empty() ? "{}" : arguments, kArguments);
  if (!document)
    return make_error("refused", "the arguments are not JSON");
  auto read = read_arguments(tool, document->root());
  if (!read)
    return read.error();
  std::vector<Given> rest = *std::move(read);
  ToolRequest request;
  request.method = tool.method;
  request.headers = tool.headers;
  request.timeout = tool.timeout;
  request.max_bytes = tool.max_bytes;
  std::vector<std::string_view> used;
  std::string unfit;
  (void)walk_template(
      tool.url, [&](std::string_view text) { request.url += text; },
      [&](std::string_view name) {
        for (const Given &each : rest)
          if (each.argument->name == name) {
            used.push_back(name);
            const bool in_path = request.url.find('?') == std::string::npos;
            if (in_path && !fits_a_path(each.text))
              unfit = each.argument->name;
            request.url += percent_encoded(each.text);
          }
      });
  if (!unfit.empty() || !path_is_plain(request.url))
    return make_error("refused",
                      (unfit.empty() ? std::string("an argument") : unfit) +
                          " must not be empty, and have no slashes or dots "
                          "that lead elsewhere");
  std::erase_if(rest, [&](const Given &each) {
    return std::find(used.begin(), used.end(), each.argument->name) !=
           used.end();
  });
  if (has_body(tool)) {
    request.body = body_of(rest);
  } else {
    for (const Given &each : rest) {
      request.url += request.url.find('?') == std::string::npos ? '?' : '&';
      request.url += each.argument->name + "=" + percent_encoded(each.text);
    }
  }
  if (request.url.size() > kLongestUrl)
    return make_error("refused", "the arguments are too long");
  return request;
}

ToolOutcome tool_refused(const std::string &reason) {
  JsonWriter json;
  json.begin_object().member("error", reason).end_object();
  return {"refused", json.take()};
}

ToolOutcome tool_cancelled() {
  ToolOutcome outcome = tool_refused(
      "given up, for the caller spoke; it may have been done all the same");
  outcome.status = "cancelled";
  return outcome;
}

ToolOutcome tool_outcome(const Result<ToolAnswer> &answer) {
  if (!answer) {
    const std::string &code = answer.error().code;
    const bool told = code == "timeout" || code == "too_large";
    ToolOutcome outcome = tool_refused(answer.error().message);
    outcome.status = told ? code : "unreachable";
    return outcome;
  }
  const auto document = JsonDocument::parse(answer->body);
  const bool is_json = document.ok();
  if (answer->status / 100 == 2) {
    if (trim(answer->body).empty())
      return {"ok", R"({"ok":true})"};
    if (is_json)
      return {"ok", document->root().dump()};
    ToolOutcome outcome = tool_refused("the answer is not JSON");
    outcome.status = "not_json";
    return outcome;
  }
  JsonWriter json;
  const std::string status = std::to_string(answer->status);
  json.begin_object().member("error", "HTTP status " + status);
  if (is_json && answer->body.size() <= kLongestReason)
    json.key("answer").raw(document->root().dump());
  json.end_object();
  return {"http_" + status, json.take()};
}

} // namespace patchcord::agent
