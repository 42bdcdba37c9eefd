// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/toml_reader.hpp"

#include "base/suggest.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <iterator>
#include <sstream>

namespace patchcord::agent {
namespace {

// The value as it stands in the file, bounded.
std::string shown(const toml::node &node) {
  if (node.is_table())
    return "a table";
  if (node.is_array())
    return "an array";
  std::string text;
  if (const auto string = node.value_exact<std::string>()) {
    text = *string;
  } else {
    std::ostringstream out;
    node.visit([&](const auto &value) {
      if constexpr (toml::is_value<decltype(value)>)
        out << value;
    });
    text = out.str();
  }
  if (text.size() > 60) {
    text.resize(57);
    while (!text.empty() && !valid_utf8(text))
      text.pop_back();
    text += "...";
  }
  return node.is_string() ? '"' + text + '"' : text;
}

} // namespace

std::string TomlReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

int TomlReader::line_of(const char *key) const {
  const toml::node *node = table_.get(key);
  return node != nullptr ? static_cast<int>(line_of(*node)) : 0;
}

std::uint32_t TomlReader::line_of(const toml::node &node) const {
  const auto told = file_.lines.find(&node);
  return told != file_.lines.end() ? told->second : node.source().begin.line;
}

void TomlReader::fail_at(std::uint32_t line, std::string_view key,
                         const std::string &text) {
  constexpr std::size_t kMostTold = 20;
  const std::string name = path_of(key) + ": ";
  auto &all = file_.mistakes;
  const auto behind =
      std::upper_bound(all.begin(), all.end(), line,
                       [](std::uint32_t wanted, const File::Mistake &mistake) {
                         return wanted < mistake.line;
                       });
  // What is of the wrong kind is often not what it should be, either.
  for (auto known = behind;
       known != all.begin() && std::prev(known)->line == line; --known)
    if (std::prev(known)->text.starts_with(name))
      return;
  all.insert(behind, {line, name + text});

  // A single one that is left would take no less room untold.
  const std::size_t told = all.size() > kMostTold + 1 ? kMostTold : all.size();
  std::vector<std::string> lines;
  lines.reserve(told + 1);
  for (std::size_t i = 0; i < told; ++i)
    lines.push_back(file_.name + ":" + std::to_string(all[i].line) + ": " +
                    all[i].text);
  if (told < all.size())
    lines.push_back(file_.name + ": and " + std::to_string(all.size() - told) +
                    " more mistakes");
  file_.error = make_error("bad_definition", join(lines, "\n"));
}

void TomlReader::fail(const char *key, const std::string &expected) {
  const toml::node *node = table_.get(key);
  if (node == nullptr)
    return fail_at(line_of(table_), key,
                   "expected " + expected + ", got nothing");
  fail_at(line_of(*node), key,
          "expected " + expected + ", got " + shown(*node));
}

void TomlReader::fail_missing(const char *key) {
  fail_at(line_of(table_), key, "expected a value, got nothing");
}

const toml::node *TomlReader::find(const char *key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void TomlReader::read(const char *key, std::string &out, bool required) {
  const toml::node *node = find(key);
  const auto text =
      node != nullptr ? node->value_exact<std::string>() : std::nullopt;
  if (node == nullptr) {
    if (required)
      fail(key, "a text");
    return;
  }
  if (!text)
    return fail(key, "a text");
  if (!valid_utf8(*text))
    return fail(key, "a text without NUL characters");
  const std::string_view trimmed = trim(*text);
  if (required && trimmed.empty())
    return fail(key, "a text that is not empty");
  out = std::string(trimmed);
}

void TomlReader::read(const char *key, bool &out) {
  if (const toml::node *node = find(key)) {
    if (const auto truth = node->value_exact<bool>())
      out = *truth;
    else
      fail(key, "true or false");
  }
}

void TomlReader::read(const char *key, int &out, int min, int max) {
  const toml::node *node = find(key);
  if (node == nullptr)
    return;
  const auto number = node->value_exact<std::int64_t>();
  if (number && *number >= min && *number <= max)
    out = static_cast<int>(*number);
  else
    fail(key, "a whole number from " + std::to_string(min) + " to " +
                  std::to_string(max));
}

void TomlReader::read(const char *key, std::optional<double> &out) {
  const toml::node *node = find(key);
  if (node == nullptr)
    return;
  if (node->is_number())
    out = node->value<double>();
  else
    fail(key, "a number");
}

void TomlReader::read(const char *key, std::vector<std::string> &out) {
  const toml::node *node = find(key);
  if (node == nullptr)
    return;
  const toml::array *array = node->as_array();
  if (array == nullptr)
    return fail(key, "an array of texts");
  out.clear();
  for (const toml::node &element : *array) {
    const auto text = element.value_exact<std::string>();
    if (!text || trim(*text).empty() || !valid_utf8(*text))
      return fail_at(line_of(element), key,
                     "expected a text, got " + shown(element));
    out.emplace_back(trim(*text));
  }
}

void TomlReader::read(const char *key,
                      std::map<std::string, std::string> &out) {
  const toml::table *inner = table(key);
  if (inner == nullptr)
    return;
  TomlReader reader(file_, *inner, path_of(key));
  for (const auto &[name, node] : *inner) {
    const std::string text_key(name.str());
    reader.read(text_key.c_str(), out[text_key], true);
  }
}

const toml::table *TomlReader::table(const char *key) {
  const toml::node *node = find(key);
  if (node == nullptr)
    return nullptr;
  if (!node->is_table())
    fail(key, "a table");
  return node->as_table();
}

std::vector<const toml::table *> TomlReader::tables(const char *key) {
  std::vector<const toml::table *> out;
  const toml::node *node = find(key);
  if (node == nullptr)
    return out;
  const toml::array *array = node->as_array();
  if (array == nullptr) {
    fail(key, "an array of tables");
    return out;
  }
  for (const toml::node &element : *array) {
    if (!element.is_table()) {
      fail_at(line_of(element), key, "expected a table, got " + shown(element));
      continue;
    }
    out.push_back(element.as_table());
  }
  return out;
}

void TomlReader::finish() {
  for (const auto &[key, node] : table_) {
    const std::string_view name = key.str();
    if (std::find(known_.begin(), known_.end(), name) != known_.end())
      continue;
    const std::uint32_t line = key.source().begin.line;
    // Asked for by those who know other systems.
    if (name == "send_dtmf")
      fail_at(line, name,
              "expected no such key: a media stream cannot send DTMF");
    else
      fail_at(line, name,
              "expected one of " + join(known_, ", ") + ", got an unknown key" +
                  did_you_mean(name, known_));
  }
}

} // namespace patchcord::agent
