// SPDX-License-Identifier: LGPL-2.1-or-later
#include "recording/agent_file.hpp"

#include "base/text.hpp"
#include "base/url.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace patchcord::recording {
namespace {

// In bytes.
struct Piece {
  std::size_t begin, end;
};

bool is_harmless(std::string_view header) {
  const std::string name = to_lower(header);
  return name == "accept" || name == "accept-language" ||
         name == "content-type" || name == "user-agent";
}

// "Bearer", before a secret that stands elsewhere.
bool is_word(const std::string &text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ' ';
  });
}

// Lines and columns are counted from 1, columns in characters.
std::size_t offset_of(std::string_view text, toml::source_position position) {
  std::size_t at = 0;
  for (auto line = position.line; line > 1; --line)
    at = std::min(text.find('\n', at), text.size() - 1) + 1;
  for (auto column = position.column; column > 1 && at < text.size(); --column)
    do
      ++at;
    while (at < text.size() &&
           (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

class Headers {
public:
  explicit Headers(std::string_view text) : text_(text) {}

  // In no order.
  std::vector<Piece> find() {
    const toml::table root = toml::parse(text_);
    const toml::array *tools = root["tools"].as_array();
    for (std::size_t i = 0; tools != nullptr && i < tools->size(); ++i)
      if (const toml::table *tool = tools->get(i)->as_table())
        if (const toml::table *headers = (*tool)["headers"].as_table())
          look(*headers);
    return std::move(found_);
  }

private:
  void look(const toml::table &headers) {
    for (const auto &[name, node] : headers) {
      const toml::table *secret = node.as_table();
      const toml::node *value = secret ? secret->get("prefix") : &node;
      if (value == nullptr || (secret ? is_word(value->value_or(std::string()))
                                      : is_harmless(name.str())))
        continue;
      found_.push_back({offset_of(text_, value->source().begin),
                        offset_of(text_, value->source().end)});
    }
  }

  const std::string_view text_;
  std::vector<Piece> found_;
};

} // namespace

std::string redacted_agent_file(std::string_view text) {
  std::string out(text);
  if (text.find("headers") != std::string_view::npos) {
    std::vector<Piece> pieces;
    try {
      pieces = Headers(text).find();
    } catch (const toml::parse_error &) {
      // Nobody took it for an agent.
    }
    std::sort(pieces.begin(), pieces.end(),
              [](const Piece &a, const Piece &b) { return a.begin > b.begin; });
    for (const Piece &piece : pieces)
      out.replace(piece.begin, piece.end - piece.begin, "\"***\"");
  }
  return with_redacted_urls(out);
}

} // namespace patchcord::recording
