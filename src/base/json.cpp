// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace patchcord {
namespace {

bool holds(JsonNode *node, GType type) {
  return node != nullptr && JSON_NODE_HOLDS_VALUE(node) &&
         json_node_get_value_type(node) == type;
}

// Depth of nesting outside of strings; stops at the limit.
bool deeper_than(std::string_view text, int limit) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > limit)
        return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

} // namespace

bool JsonView::is_object() const {
  return node_ != nullptr && JSON_NODE_HOLDS_OBJECT(node_);
}
bool JsonView::is_array() const {
  return node_ != nullptr && JSON_NODE_HOLDS_ARRAY(node_);
}
bool JsonView::is_null() const {
  return node_ == nullptr || JSON_NODE_HOLDS_NULL(node_);
}

JsonView JsonView::operator[](const char *member) const {
  if (!is_object())
    return {};
  return JsonView(json_object_get_member(json_node_get_object(node_), member));
}

std::size_t JsonView::size() const {
  return is_array() ? json_array_get_length(json_node_get_array(node_)) : 0;
}

JsonView JsonView::at(std::size_t index) const {
  if (index >= size())
    return {};
  return JsonView(json_array_get_element(json_node_get_array(node_),
                                         static_cast<guint>(index)));
}

std::optional<std::string_view> JsonView::text() const {
  if (!holds(node_, G_TYPE_STRING))
    return std::nullopt;
  return std::string_view(json_node_get_string(node_));
}

std::optional<std::string> JsonView::string() const {
  const auto view = text();
  if (!view)
    return std::nullopt;
  return std::string(*view);
}

std::optional<std::int64_t> JsonView::integer() const {
  if (!holds(node_, G_TYPE_INT64))
    return std::nullopt;
  return json_node_get_int(node_);
}

std::optional<std::int64_t> JsonView::lenient_integer() const {
  if (const auto number = integer())
    return number;
  const auto digits = text();
  if (!digits || digits->empty())
    return std::nullopt;
  std::int64_t number = 0;
  const char *end = digits->data() + digits->size();
  const auto parsed = std::from_chars(digits->data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end)
    return std::nullopt;
  return number;
}

std::optional<double> JsonView::number() const {
  if (holds(node_, G_TYPE_DOUBLE))
    return json_node_get_double(node_);
  if (const auto number = integer())
    return static_cast<double>(*number);
  return std::nullopt;
}

std::optional<bool> JsonView::boolean() const {
  if (!holds(node_, G_TYPE_BOOLEAN))
    return std::nullopt;
  return json_node_get_boolean(node_) != FALSE;
}

std::string JsonView::dump() const {
  if (node_ == nullptr)
    return "null";
  char *text = json_to_string(node_, FALSE);
  std::string out(text);
  g_free(text);
  return out;
}

Result<JsonDocument> JsonDocument::parse(std::string_view text,
                                         const JsonLimits &limits) {
  if (text.size() > limits.bytes)
    return make_error("too_large",
                      "JSON text of " + std::to_string(text.size()) +
                          " bytes; at most " + std::to_string(limits.bytes));
  if (deeper_than(text, limits.depth))
    return make_error("too_deep", "JSON nested deeper than " +
                                      std::to_string(limits.depth));
  // g_utf8_validate_len also refuses NUL bytes, at which json-glib would stop.
  if (!g_utf8_validate_len(text.data(), text.size(), nullptr))
    return make_error("not_utf8", "JSON text is not valid UTF-8");
  if (text.empty())
    return make_error("bad_json", "empty JSON text");
  JsonParser *parser = json_parser_new_immutable();
  GError *problem = nullptr;
  const bool parsed = json_parser_load_from_data(
      parser, text.data(), static_cast<gssize>(text.size()), &problem);
  JsonNode *root = parsed ? json_parser_steal_root(parser) : nullptr;
  g_object_unref(parser);
  if (root == nullptr) {
    Error error = make_error("bad_json", problem != nullptr
                                             ? problem->message
                                             : "no JSON value in the text");
    g_clear_error(&problem);
    return error;
  }
  return JsonDocument(root);
}

void append_json_escaped(std::string &out, std::string_view text) {
  while (!text.empty()) {
    const char *bad = nullptr;
    const bool valid = g_utf8_validate_len(text.data(), text.size(), &bad);
    const auto good =
        valid ? text.size() : static_cast<std::size_t>(bad - text.data());
    for (const char c : text.substr(0, good)) {
      switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char escape[8];
          std::snprintf(escape, sizeof escape, "\\u%04x", c);
          out += escape;
        } else {
          out += c;
        }
      }
    }
    if (valid)
      return;
    // A NUL is valid UTF-8 but not for g_utf8_validate_len.
    if (*bad == '\0')
      out += "\\u0000";
    else
      out += "\xEF\xBF\xBD";
    text.remove_prefix(good + 1);
  }
}

void JsonWriter::separate() {
  if (need_comma_)
    out_ += ',';
  need_comma_ = true;
}

JsonWriter &JsonWriter::begin_object() {
  separate();
  out_ += '{';
  need_comma_ = false;
  return *this;
}
JsonWriter &JsonWriter::end_object() {
  out_ += '}';
  need_comma_ = true;
  return *this;
}
JsonWriter &JsonWriter::begin_array() {
  separate();
  out_ += '[';
  need_comma_ = false;
  return *this;
}
JsonWriter &JsonWriter::end_array() {
  out_ += ']';
  need_comma_ = true;
  return *this;
}
JsonWriter &JsonWriter::key(std::string_view name) {
  value(name);
  out_ += ':';
  need_comma_ = false;
  return *this;
}
JsonWriter &JsonWriter::value(std::string_view text) {
  separate();
  out_ += '"';
  append_json_escaped(out_, text);
  out_ += '"';
  return *this;
}
JsonWriter &JsonWriter::value(std::int64_t number) {
  separate();
  out_ += std::to_string(number);
  return *this;
}
JsonWriter &JsonWriter::value(std::uint64_t number) {
  separate();
  out_ += std::to_string(number);
  return *this;
}
JsonWriter &JsonWriter::value(double number) {
  if (!std::isfinite(number))
    return null();
  separate();
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number);
  out_.append(digits, end.ptr);
  return *this;
}
JsonWriter &JsonWriter::value(bool truth) {
  separate();
  out_ += truth ? "true" : "false";
  return *this;
}
JsonWriter &JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}
JsonWriter &JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

} // namespace patchcord
