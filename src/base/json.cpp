// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.hpp"

#include <glib.h>
#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

namespace patchcord {
namespace {

using Element = simdjson::dom::element;

} // namespace

struct JsonAccess {
  static Element of(const JsonView &view) {
    static_assert(sizeof(Element) == sizeof view.element_ &&
                  std::is_trivially_copyable_v<Element>);
    return std::bit_cast<Element>(view.element_);
  }
  static JsonView view(const Element &element) {
    JsonView view;
    view.element_ = std::bit_cast<decltype(view.element_)>(element);
    view.there_ = true;
    return view;
  }
};

namespace {

template <typename T> std::optional<T> get(const JsonView &view) {
  T value;
  if (!view || JsonAccess::of(view).get(value) != simdjson::SUCCESS)
    return std::nullopt;
  return value;
}

} // namespace

bool JsonView::is_object() const {
  return there_ && JsonAccess::of(*this).is_object();
}
bool JsonView::is_array() const {
  return there_ && JsonAccess::of(*this).is_array();
}
bool JsonView::is_null() const {
  return !there_ || JsonAccess::of(*this).is_null();
}

JsonView JsonView::operator[](std::string_view member) const {
  const auto object = get<simdjson::dom::object>(*this);
  Element value;
  if (!object || object->at_key(member).get(value) != simdjson::SUCCESS)
    return {};
  return JsonAccess::view(value);
}

void JsonView::visit_members(Visit visit, void *to) const {
  if (const auto object = get<simdjson::dom::object>(*this))
    for (const auto &[name, value] : *object)
      visit(to, name, JsonAccess::view(value));
  else if (const auto array = get<simdjson::dom::array>(*this))
    for (const Element value : *array)
      visit(to, {}, JsonAccess::view(value));
}

std::size_t JsonView::size() const {
  const auto array = get<simdjson::dom::array>(*this);
  return array ? array->size() : 0;
}

JsonView JsonView::at(std::size_t index) const {
  const auto array = get<simdjson::dom::array>(*this);
  Element value;
  if (!array || array->at(index).get(value) != simdjson::SUCCESS)
    return {};
  return JsonAccess::view(value);
}

std::optional<std::string_view> JsonView::text() const {
  const auto text = get<std::string_view>(*this);
  return text ? std::optional(text->substr(0, text->find('\0'))) : text;
}

std::optional<std::string> JsonView::string() const {
  const auto view = text();
  if (!view)
    return std::nullopt;
  return std::string(*view);
}

std::optional<std::int64_t> JsonView::integer() const {
  // As it was written: 1.0 is no integer.
  if (!there_ || !JsonAccess::of(*this).is_int64())
    return std::nullopt;
  return get<std::int64_t>(*this);
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

std::optional<double> JsonView::number() const { return get<double>(*this); }

std::optional<bool> JsonView::boolean() const { return get<bool>(*this); }

std::string JsonView::dump() const {
  return there_ ? simdjson::to_string(JsonAccess::of(*this)) : "null";
}

// simdjson wants memory of some twenty bytes for each of a text's, which is not
// to be had and given back 50 times a second: a thread keeps what it used.
struct JsonDocument::Parser {
  simdjson::dom::parser parser;
  std::vector<char> text; // with the padding that it reads beyond a text
};

namespace {

// More are parsed by nobody at once, but an answer within an answer.
constexpr std::size_t kKeep = 4;
// Larger texts are rare.
constexpr std::size_t kKeepBytes = std::size_t{128} << 10;

std::vector<std::unique_ptr<JsonDocument::Parser>> &spare_parsers() {
  thread_local std::vector<std::unique_ptr<JsonDocument::Parser>> spare;
  return spare;
}

Error error_of(simdjson::error_code code, int depth) {
  if (code == simdjson::DEPTH_ERROR)
    return make_error("too_deep",
                      "JSON nested deeper than " + std::to_string(depth));
  if (code == simdjson::UTF8_ERROR)
    return make_error("not_utf8", "JSON text is not valid UTF-8");
  if (code == simdjson::EMPTY)
    return make_error("bad_json", "no JSON value in the text");
  return make_error("bad_json", simdjson::error_message(code));
}

} // namespace

void JsonDocument::GiveBack::operator()(Parser *parser) const {
  std::unique_ptr<Parser> owned(parser);
  auto &spare = spare_parsers();
  if (spare.size() < kKeep && parser->parser.capacity() <= kKeepBytes)
    spare.push_back(std::move(owned));
}

JsonDocument::Owner JsonDocument::borrow(std::size_t bytes) {
  auto &spare = spare_parsers();
  if (spare.empty() || bytes > kKeepBytes)
    return Owner(new Parser);
  Owner parser(spare.back().release());
  spare.pop_back();
  return parser;
}

Result<JsonDocument> JsonDocument::parse(std::string_view text,
                                         const JsonLimits &limits) {
  if (text.size() > limits.bytes)
    return make_error("too_large",
                      "JSON text of " + std::to_string(text.size()) +
                          " bytes; at most " + std::to_string(limits.bytes));
  JsonDocument document(borrow(text.size()));
  simdjson::dom::parser &parser = document.parser_->parser;
  // In steps, so that a slightly longer text than the last needs no new memory.
  const std::size_t capacity =
      std::max(parser.capacity(), std::bit_ceil(text.size() + 1));
  const auto depth = static_cast<std::size_t>(limits.depth) + 1;
  Element root;
  auto code = parser.allocate(capacity, depth);
  // By itself it makes the document as large as the text, and a copy each time.
  if (code == simdjson::SUCCESS && parser.doc.capacity() < capacity)
    code = parser.doc.allocate(capacity);
  std::vector<char> &padded = document.parser_->text;
  padded.reserve(capacity + simdjson::SIMDJSON_PADDING);
  padded.assign(text.begin(), text.end());
  padded.resize(text.size() + simdjson::SIMDJSON_PADDING);
  if (code == simdjson::SUCCESS)
    code = parser.parse(padded.data(), text.size(), false).get(root);
  if (code != simdjson::SUCCESS)
    return error_of(code, limits.depth);
  document.root_ = JsonAccess::view(root);
  return document;
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
