// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/yaml_table.hpp"

#include "base/text.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <sstream>
#include <variant>

namespace patchcord::scenario {
namespace {

// A scenario has some kilobytes and six levels. yaml-cpp recurses once a level,
// and takes half a second for a megabyte of the worst.
constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr std::size_t kMostLevels = 32;

// Thrown through yaml-cpp, which knows no other way out.
struct Mistake {
  std::uint32_t line;
  std::string text; // "KEY: expected ..."
};

// --- scalars -----------------------------------------------------------------

using Scalar = std::variant<std::string, bool, std::int64_t, double>;

bool made_of(std::string_view characters, std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of(characters) == std::string_view::npos;
}

std::size_t skip_digits(std::string_view &text) {
  const auto count =
      std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(count);
  return count;
}

void skip_sign(std::string_view &text) {
  if (text.starts_with('-') || text.starts_with('+'))
    text.remove_prefix(1);
}

// Digits with a point, an exponent or both; std::from_chars takes more.
bool is_decimal(std::string_view text) {
  skip_sign(text);
  std::size_t digits = skip_digits(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits += skip_digits(text);
  }
  if (digits == 0)
    return false;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    skip_sign(text);
    if (skip_digits(text) == 0)
      return false;
  }
  return text.empty();
}

// Absent: too large, or too small.
template <typename Number, typename... Base>
std::optional<Scalar> number(std::string_view text, Base... base) {
  if (text.starts_with('+'))
    text.remove_prefix(1);
  Number value{};
  const auto read =
      std::from_chars(text.data(), text.data() + text.size(), value, base...);
  if (read.ec != std::errc())
    return std::nullopt;
  return value;
}

// A plain scalar as in YAML 1.2's core schema, but that True and TRUE are
// texts. Absent: a number that does not fit.
std::optional<Scalar> resolve(const std::string &text) {
  if (text == "true" || text == "false")
    return text == "true";
  std::string_view unsigned_text = text;
  skip_sign(unsigned_text);
  if (made_of("0123456789", unsigned_text))
    return number<std::int64_t>(text, 10);
  const std::string_view behind_prefix =
      std::string_view(text).substr(std::min<std::size_t>(text.size(), 2));
  if (text.starts_with("0x") &&
      made_of("0123456789abcdefABCDEF", behind_prefix))
    return number<std::int64_t>(behind_prefix, 16);
  if (text.starts_with("0o") && made_of("01234567", behind_prefix))
    return number<std::int64_t>(behind_prefix, 8);
  if (is_decimal(text))
    return number<double>(text);
  if (unsigned_text == ".inf" || unsigned_text == ".Inf" ||
      unsigned_text == ".INF")
    return std::numeric_limits<double>::infinity() *
           (text.starts_with('-') ? -1 : 1);
  if (text == ".nan" || text == ".NaN" || text == ".NAN")
    return std::numeric_limits<double>::quiet_NaN();
  return text;
}

bool is_core(std::string_view tag, std::string_view name) {
  constexpr std::string_view kCore = "tag:yaml.org,2002:";
  return tag.starts_with(kCore) && tag.substr(kCore.size()) == name;
}

// --- the table ---------------------------------------------------------------

// Of yaml-cpp's events, not of its nodes: so what is too deep is refused before
// more of it is read, and keys that come again are seen, and anchors.
class TableBuilder final : public YAML::EventHandler {
public:
  TableBuilder(const std::vector<std::string> &text, toml::table &root,
               agent::TomlReader::Lines &lines)
      : text_(text), root_(root), lines_(lines) {}

  // What comes behind the last line belongs to it.
  std::uint32_t line_of(const YAML::Mark &mark) const {
    const int last = static_cast<int>(text_.size());
    return static_cast<std::uint32_t>(std::clamp(mark.line + 1, 1, last));
  }

  // Of what came last.
  std::uint32_t last_line() const { return last_line_; }

  void OnDocumentStart(const YAML::Mark &mark) override {
    if (++documents_ > 1)
      throw Mistake{line_of(mark),
                    "expected nothing behind the first document"};
  }
  void OnDocumentEnd() override {}

  void OnAnchor(const YAML::Mark &mark, const std::string &) override {
    refuse(line_of(mark), "no anchor (&) and no alias (*); a text that begins "
                          "so needs quotes");
  }
  void OnAlias(const YAML::Mark &mark, YAML::anchor_t) override {
    OnAnchor(mark, {});
  }

  void OnNull(const YAML::Mark &mark, YAML::anchor_t) override {
    if (key_is_next())
      refuse(line_of(mark), "a text as a key, got nothing");
    refuse(line_of_null(mark), open_.empty() ? "keys with values, got nothing"
                                             : "a value, got nothing");
  }

  void OnScalar(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t,
                const std::string &text) override {
    last_line_ = line_of(mark);
    Scalar value = typed(mark, tag, text);
    if (key_is_next())
      return take_key(mark, value);
    std::visit([&](auto &each) { put(mark, std::move(each)); }, value);
    value_is_over();
  }

  void OnSequenceStart(const YAML::Mark &mark, const std::string &tag,
                       YAML::anchor_t,
                       YAML::EmitterStyle::value style) override {
    if (tag != "?" && tag != "!" && !is_core(tag, "seq"))
      refuse_tag(mark);
    open(mark, put(mark, toml::array()), style);
  }
  void OnSequenceEnd() override {
    open_.pop_back();
    value_is_over();
  }

  void OnMapStart(const YAML::Mark &mark, const std::string &tag,
                  YAML::anchor_t, YAML::EmitterStyle::value style) override {
    if (tag != "?" && tag != "!" && !is_core(tag, "map"))
      refuse_tag(mark);
    if (!open_.empty())
      return open(mark, put(mark, toml::table()), style);
    lines_[&root_] = line_of(mark);
    open(mark, root_, style);
  }
  void OnMapEnd() override { OnSequenceEnd(); }

private:
  // A table or an array of which the end has not come.
  struct Level {
    toml::node *node;
    bool flow;                  // in brackets
    bool key_is_next;           // in a table, in turn with its value
    std::uint32_t key_line = 0; // of the last one
    std::string key = {};
  };

  bool key_is_next() const {
    return !open_.empty() && open_.back().key_is_next;
  }

  void value_is_over() {
    if (!open_.empty())
      open_.back().key_is_next = open_.back().node->is_table();
  }

  [[noreturn]] void refuse(std::uint32_t line,
                           const std::string &expected) const {
    std::vector<std::string> path;
    for (const Level &level : open_)
      if (level.node->is_table() && !level.key_is_next)
        path.push_back(level.key);
    throw Mistake{line, (path.empty() ? "" : join(path, ".") + ": ") +
                            "expected " + expected};
  }
  [[noreturn]] void refuse_tag(const YAML::Mark &mark) const {
    refuse(line_of(mark), "no tag but that of what the value is (!!str, !!int, "
                          "!!float, !!bool, !!map, !!seq)");
  }

  // "?" is yaml-cpp's tag for plain scalars, "!" for all others.
  Scalar typed(const YAML::Mark &mark, const std::string &tag,
               const std::string &text) const {
    if (tag == "!" || is_core(tag, "str"))
      return text;
    std::optional<Scalar> value = resolve(text);
    if (!value)
      refuse(line_of(mark), "a number of 64 bits, or a text in quotes");
    if (is_core(tag, "float") && std::holds_alternative<std::int64_t>(*value))
      return static_cast<double>(std::get<std::int64_t>(*value));
    if (tag != "?" &&
        !(is_core(tag, "bool") && std::holds_alternative<bool>(*value)) &&
        !(is_core(tag, "int") &&
          std::holds_alternative<std::int64_t>(*value)) &&
        !(is_core(tag, "float") && std::holds_alternative<double>(*value)))
      refuse_tag(mark);
    return *std::move(value);
  }

  void take_key(const YAML::Mark &mark, Scalar &value) {
    const auto *name = std::get_if<std::string>(&value);
    if (name == nullptr)
      refuse(line_of(mark), "a text as a key, got another value (in quotes it "
                            "is a text)");
    Level &level = open_.back();
    level.key = *name;
    level.key_line = line_of(mark);
    level.key_is_next = false;
    if (level.node->as_table()->contains(*name))
      refuse(level.key_line, "this key once, got it again");
  }

  template <typename Value>
  toml::node &put(const YAML::Mark &mark, Value value) {
    if (open_.empty())
      refuse(line_of(mark), "keys with values, got another value");
    if (key_is_next())
      refuse(line_of(mark), "a text as a key, got a table or an array");
    const Level &level = open_.back();
    if (toml::array *list = level.node->as_array()) {
      list->push_back(std::move(value));
      lines_[&list->back()] = line_of(mark);
      return list->back();
    }
    // Keys, unlike nodes, can be told where they stand.
    const toml::source_position place{level.key_line, 1};
    const toml::key key(level.key, toml::source_region{place, place, nullptr});
    toml::node &node =
        level.node->as_table()->insert(key, std::move(value)).first->second;
    lines_[&node] = level.key_line;
    return node;
  }

  void open(const YAML::Mark &mark, toml::node &node,
            YAML::EmitterStyle::value style) {
    if (open_.size() >= kMostLevels)
      refuse(line_of(mark),
             "at most " + std::to_string(kMostLevels) + " levels");
    last_line_ = line_of(mark);
    open_.push_back(
        {&node, style == YAML::EmitterStyle::Flow, node.is_table()});
  }

  // For an empty element of a block sequence yaml-cpp has the place of what
  // comes next: it is the last line before that with more than a comment.
  std::uint32_t line_of_null(const YAML::Mark &mark) const {
    if (!open_.empty() && open_.back().node->is_table())
      return open_.back().key_line;
    std::uint32_t line = line_of(mark);
    if (open_.empty() || open_.back().flow)
      return line;
    std::string_view before = text_[line - 1];
    if (mark.line + 1 == static_cast<int>(line))
      before = before.substr(0, static_cast<std::size_t>(mark.column));
    while (line > 1 && (trim(before).empty() || trim(before).starts_with('#')))
      before = text_[--line - 1];
    return line;
  }

  const std::vector<std::string> &text_;
  toml::table &root_;
  agent::TomlReader::Lines &lines_;
  std::vector<Level> open_;
  int documents_ = 0;
  std::uint32_t last_line_ = 1;
};

// --- the text ----------------------------------------------------------------

// yaml-cpp takes invalid UTF-8 for other characters, and EOT for the end.
void check_characters(const std::vector<std::string> &text) {
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\r') ||
           c == '\x7f';
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto line = static_cast<std::uint32_t>(i) + 1;
    if (std::any_of(text[i].begin(), text[i].end(), is_control))
      throw Mistake{line, "expected no control characters"};
    if (!valid_utf8(text[i]))
      throw Mistake{line, "expected UTF-8"};
  }
}

// What yaml-cpp found, as what it expected. `last_line`: of what it found no
// fault with.
std::string expected_by(const YAML::Exception &error, std::uint32_t last_line) {
  namespace Message = YAML::ErrorMsg;
  const std::string unclosed =
      "the quote at the end of a text that begins in line " +
      std::to_string(last_line) + " or behind it";
  const struct {
    const char *found, *expected;
  } rows[] = {
      {Message::MAP_VALUE,
       "one key and its value (a text with \": \" in it needs quotes)"},
      {Message::END_OF_MAP,
       "a key, as far in as those above (behind a quote or a bracket the "
       "line ends)"},
      {Message::END_OF_SEQ, "\"- \", as far in as those above"},
      {Message::END_OF_MAP_FLOW, "\",\" or \"}\""},
      {Message::END_OF_SEQ_FLOW, "\",\" or \"]\""},
      {Message::DOC_IN_SCALAR, unclosed.c_str()},
      {Message::EOF_IN_SCALAR, unclosed.c_str()},
      {Message::TAB_IN_INDENTATION, "spaces at the beginning of a line"},
      {Message::BLOCK_ENTRY,
       "\"- \" only at the beginning of a line, behind spaces"},
      {Message::UNKNOWN_ANCHOR, "no alias (*); a text that begins so needs "
                                "quotes"},
      {Message::UNKNOWN_TOKEN, "a value (a text that begins with @, ` or % "
                               "needs quotes)"},
  };
  for (const auto &row : rows)
    if (error.msg == row.found)
      return std::string("expected ") + row.expected;
  return "expected YAML: " + error.msg;
}

void build(std::string_view text, TableBuilder &builder) {
  // A text in quotes that ends with the file would be taken for complete; at
  // the end of a document it is not.
  std::string whole(text);
  whole += whole.ends_with('\n') ? "...\n" : "\n...\n";
  std::istringstream in(whole);
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception &error) {
    throw Mistake{builder.line_of(error.mark),
                  expected_by(error, builder.last_line())};
  }
}

} // namespace

bool is_yaml(const std::string &file) {
  return file.ends_with(".yaml") || file.ends_with(".yml");
}

Result<Unit> read_yaml(std::string_view text, const std::string &file,
                       toml::table &root, agent::TomlReader::Lines &lines) {
  const auto bad = [&](const std::string &what) {
    return make_error("bad_definition", file + what);
  };
  try {
    if (text.size() > kMostBytes)
      return bad(":1: expected at most 1 MiB, got " +
                 std::to_string(text.size()) + " bytes");
    std::vector<std::string> by_line = split(text, '\n');
    if (by_line.size() > 1 && by_line.back().empty())
      by_line.pop_back(); // behind the last line
    check_characters(by_line);
    TableBuilder builder(by_line, root, lines);
    build(text, builder);
    return ok();
  } catch (const Mistake &mistake) {
    return bad(":" + std::to_string(mistake.line) + ": " + mistake.text);
  } catch (const std::exception &error) {
    return bad(std::string(": ") + error.what());
  }
}

} // namespace patchcord::scenario
