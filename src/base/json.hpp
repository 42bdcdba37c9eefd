// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <json-glib/json-glib.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace patchcord {

// A borrowed look at a JSON value that never prints a critical: every getter
// checks the type and returns an optional. Valid while its JsonDocument lives.
class JsonView {
public:
  JsonView() = default;
  explicit JsonView(JsonNode *node) : node_(node) {}

  explicit operator bool() const { return node_ != nullptr; }
  bool is_object() const;
  bool is_array() const;
  bool is_null() const; // also true for an absent member

  // Member of an object; an empty view when this is not an object or has none.
  JsonView operator[](const char *member) const;
  // Elements of an array; 0 when this is not an array.
  std::size_t size() const;
  JsonView at(std::size_t index) const;

  std::optional<std::string> string() const;
  std::optional<std::string_view> text() const; // borrowed
  std::optional<std::int64_t> integer() const;  // a JSON integer
  // A JSON integer or a string holding one: Twilio's counters are strings.
  std::optional<std::int64_t> lenient_integer() const;
  std::optional<double> number() const; // integer or double
  std::optional<bool> boolean() const;

  // Calls visit(std::string_view name, JsonView value) in document order.
  template <typename F> void for_each_member(F &&visit) const {
    if (!is_object())
      return;
    JsonObject *object = json_node_get_object(node_);
    GList *names = json_object_get_members(object);
    for (GList *name = names; name != nullptr; name = name->next) {
      const auto *key = static_cast<const char *>(name->data);
      visit(std::string_view(key),
            JsonView(json_object_get_member(object, key)));
    }
    g_list_free(names);
  }

  JsonNode *node() const { return node_; }
  std::string dump() const; // compact JSON text; "null" when empty

private:
  JsonNode *node_ = nullptr;
};

struct JsonLimits {
  std::size_t bytes = std::size_t{1} << 20;
  int depth = 32;
};

class JsonDocument {
public:
  // Size, depth and UTF-8 are checked before json-glib sees the text: its
  // parser (1.6) recurses without a limit. Codes: too_large, too_deep,
  // not_utf8, bad_json.
  static Result<JsonDocument> parse(std::string_view text,
                                    const JsonLimits &limits = {});
  JsonView root() const { return JsonView(node_.get()); }

private:
  struct Unref {
    void operator()(JsonNode *node) const { json_node_unref(node); }
  };
  explicit JsonDocument(JsonNode *node) : node_(node) {}
  std::unique_ptr<JsonNode, Unref> node_;
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
