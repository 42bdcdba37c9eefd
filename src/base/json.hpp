// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace patchcord {

// A borrowed look at a JSON value: every getter checks the type and returns an
// optional. Valid while its JsonDocument lives.
class JsonView {
public:
  JsonView() = default;

  explicit operator bool() const { return there_; }
  bool is_object() const;
  bool is_array() const;
  bool is_null() const; // also true for an absent member

  // Member of an object; an empty view when this is not an object or has none.
  // Of members with the same name the first.
  JsonView operator[](std::string_view member) const;
  // Elements of an array; 0 when this is not an array.
  std::size_t size() const;
  JsonView at(std::size_t index) const;

  // Text ends before a NUL (\u0000): nothing that takes it further could hold
  // one.
  std::optional<std::string> string() const;
  std::optional<std::string_view> text() const; // borrowed
  std::optional<std::int64_t> integer() const;  // a JSON integer
  // A JSON integer or a string holding one: Twilio's counters are strings.
  std::optional<std::int64_t> lenient_integer() const;
  std::optional<double> number() const; // integer or double
  std::optional<bool> boolean() const;

  // Calls visit(name, value) in document order; elements have an empty name.
  template <typename F> void for_each_member(F &&visit) const {
    visit_members(
        [](void *to, std::string_view name, JsonView value) {
          (*static_cast<std::remove_reference_t<F> *>(to))(name, value);
        },
        &visit);
  }

  std::string dump() const; // compact JSON text; "null" when empty

private:
  friend class JsonDocument;
  friend struct JsonAccess;
  using Visit = void (*)(void *, std::string_view, JsonView);
  void visit_members(Visit visit, void *to) const;

  // A simdjson::dom::element, in its bytes: its header of a megabyte stays out
  // of everyone else's compilation.
  alignas(void *) std::array<std::byte, 2 * sizeof(void *)> element_{};
  bool there_ = false;
};

struct JsonLimits {
  std::size_t bytes = std::size_t{1} << 20;
  int depth = 32; // of arrays and objects that are not empty
};

class JsonDocument {
public:
  // Codes: too_large, too_deep, not_utf8, bad_json.
  static Result<JsonDocument> parse(std::string_view text,
                                    const JsonLimits &limits = {});
  JsonView root() const { return root_; }

  struct Parser; // with the memory of what it parsed

private:
  struct GiveBack {
    void operator()(Parser *parser) const;
  };
  using Owner = std::unique_ptr<Parser, GiveBack>;
  static Owner borrow(std::size_t bytes);
  explicit JsonDocument(Owner parser) : parser_(std::move(parser)) {}

  Owner parser_;
  JsonView root_;
};

// Writes JSON in the order of the calls; for schemas whose key order matters
// and for messages on hot paths. Commas and escapes are its business; balanced
// calls are the caller's.
class JsonWriter {
public:
  JsonWriter &begin_object();
  JsonWriter &end_object();
  JsonWriter &begin_array();
  JsonWriter &end_array();
  JsonWriter &key(std::string_view name);
  JsonWriter &value(std::string_view text);
  JsonWriter &value(const char *text) { return value(std::string_view(text)); }
  JsonWriter &value(std::int64_t number);
  JsonWriter &value(int number) { return value(std::int64_t{number}); }
  JsonWriter &value(std::uint64_t number);
  JsonWriter &value(double number); // null when not finite
  JsonWriter &value(bool truth);
  JsonWriter &null();
  JsonWriter &raw(std::string_view json); // already JSON, as it stands

  template <typename T> JsonWriter &member(std::string_view name, T &&v) {
    key(name);
    return value(std::forward<T>(v));
  }

  const std::string &text() const { return out_; }
  std::string take() { return std::move(out_); }

private:
  void separate();
  std::string out_;
  bool need_comma_ = false;
};

// Appends `text` with JSON's escapes and no quotes around it. Invalid UTF-8
// becomes U+FFFD.
void append_json_escaped(std::string &out, std::string_view text);

} // namespace patchcord
