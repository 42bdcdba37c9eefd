// SPDX-License-Identifier: LGPL-2.1-or-later
#include "offline/rule_compiler.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace patchcord::offline {
namespace {

constexpr int kStart = 0, kEnd = 1;
constexpr int kMaxDepth = 32;     // of rules and brackets
constexpr int kMaxStates = 20000; // more is a mistake, not a grammar

// Emits arcs while it reads: each piece of an expression leads from one state
// to another.
class Compiler {
public:
  explicit Compiler(RuleLookup rule) : rule_(rule) {}

  bool compile(std::string_view expression) {
    return choice(expression, kStart, kEnd, 1.0, 0);
  }
  StateGraph graph;
  std::string problem;

private:
  bool fail(std::string what) {
    if (problem.empty())
      problem = std::move(what);
    return false;
  }

  int new_state() { return graph.states++; }

  void arc(int from, int to, double probability, int word = -1) {
    graph.arcs.push_back({from, to, probability, word});
  }

  int word_index(std::string_view word) {
    const auto [place, is_new] =
        words_.try_emplace(std::string(word), words_.size());
    if (is_new)
      graph.words.emplace_back(word);
    return static_cast<int>(place->second);
  }

  // Splits at the bars outside brackets.
  static std::vector<std::string_view> alternatives(std::string_view text) {
    std::vector<std::string_view> parts;
    int depth = 0;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '(' || text[i] == '[')
        ++depth;
      else if (text[i] == ')' || text[i] == ']')
        --depth;
      else if (text[i] == '|' && depth == 0) {
        parts.push_back(trim(text.substr(begin, i - begin)));
        begin = i + 1;
      }
    }
    parts.push_back(trim(text.substr(begin)));
    return parts;
  }

  // Takes "/3/" off the front; 1 without it.
  double take_weight(std::string_view &text) {
    if (!text.starts_with('/'))
      return 1.0;
    double weight = 0.0;
    const std::size_t end = text.find('/', 1);
    const auto read = std::from_chars(
        text.data() + 1, text.data() + std::min(end, text.size()), weight);
    if (end == std::string_view::npos || read.ec != std::errc() ||
        weight <= 0.0)
      fail("bad weight in \"" + std::string(text) + "\"");
    else
      text = trim(text.substr(end + 1));
    return weight;
  }

  bool choice(std::string_view text, int from, int to, double probability,
              int depth) {
    if (depth > kMaxDepth || graph.states > kMaxStates)
      return fail("too deep or too large: does a rule contain itself?");
    auto parts = alternatives(text);
    std::vector<double> weights;
    double sum = 0.0;
    for (std::string_view &part : parts) {
      weights.push_back(take_weight(part));
      sum += weights.back();
    }
    for (std::size_t i = 0; i < parts.size() && problem.empty(); ++i)
      sequence(parts[i], from, to, probability * weights[i] / sum, depth);
    return problem.empty();
  }

  // The extent of the item at the front: a word, a <rule> or a bracket.
  std::size_t item_size(std::string_view text) {
    if (is_word_character(text[0]))
      return static_cast<std::size_t>(
          std::find_if_not(text.begin(), text.end(), is_word_character) -
          text.begin());
    if (text[0] == '<') {
      const std::size_t end = text.find('>');
      return end == std::string_view::npos ? 0 : end + 1;
    }
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      depth += text[i] == '(' || text[i] == '[' ? 1 : 0;
      depth -= text[i] == ')' || text[i] == ']' ? 1 : 0;
      if (depth <= 0)
        return depth == 0 && i > 0 ? i + 1 : 0;
    }
    return 0;
  }

  void sequence(std::string_view text, int from, int to, double probability,
                int depth) {
    if (text.empty()) {
      fail("an empty alternative");
      return;
    }
    while (!text.empty() && problem.empty()) {
      const std::size_t size = item_size(text);
      if (size == 0) {
        fail("cannot read \"" + std::string(text) + "\"");
        return;
      }
      const std::string_view piece = text.substr(0, size);
      text = trim(text.substr(size));
      const bool repeated = text.starts_with('+');
      if (repeated)
        text = trim(text.substr(1));
      const int next = text.empty() ? to : new_state();
      if (repeated)
        repeat(piece, from, next, probability, depth);
      else
        item(piece, from, next, probability, depth);
      from = next;
      probability = 1.0;
    }
  }

  // Each further round is as likely as the end.
  void repeat(std::string_view piece, int from, int to, double probability,
              int depth) {
    const int begin = new_state(), end = new_state();
    arc(from, begin, probability);
    item(piece, begin, end, 1.0, depth);
    arc(end, begin, 0.5);
    arc(end, to, 0.5);
  }

  void item(std::string_view piece, int from, int to, double probability,
            int depth) {
    if (is_word_character(piece[0])) {
      arc(from, to, probability, word_index(piece));
      return;
    }
    std::string_view inner = trim(piece.substr(1, piece.size() - 2));
    if (piece[0] == '<') {
      const char *body = rule_(inner);
      if (body == nullptr)
        fail("no rule <" + std::string(inner) + ">");
      else
        choice(body, from, to, probability, depth + 1);
      return;
    }
    if (piece[0] == '(') {
      choice(inner, from, to, probability, depth + 1);
      return;
    }
    double odds = 0.5;
    if (inner.starts_with('/') && alternatives(inner).size() == 1)
      odds = std::min(take_weight(inner), 1.0);
    choice(inner, from, to, probability * odds, depth + 1);
    arc(from, to, probability * (1.0 - odds));
  }

  RuleLookup rule_;
  std::map<std::string, std::size_t, std::less<>> words_;
};

} // namespace

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || c == '\'' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

Result<StateGraph> compile_rules(std::string_view expression, RuleLookup rule) {
  Compiler compiler(rule);
  if (!compiler.compile(trim(expression)))
    return make_error("bad_grammar", compiler.problem);
  return std::move(compiler.graph);
}

bool StateGraph::accepts(std::string_view sentence) const {
  std::set<int> here = {kStart};
  const auto close = [&](std::set<int> &reached) {
    for (bool grown = true; grown;) {
      const std::size_t before = reached.size();
      for (const Arc &arc : arcs)
        if (arc.word < 0 && reached.contains(arc.from))
          reached.insert(arc.to);
      grown = reached.size() > before;
    }
  };
  close(here);
  for (const std::string &word : split(sentence, ' ')) {
    if (word.empty())
      continue;
    std::set<int> next;
    for (const Arc &arc : arcs)
      if (arc.word >= 0 && here.contains(arc.from) &&
          words[static_cast<std::size_t>(arc.word)] == word)
        next.insert(arc.to);
    close(next);
    here = std::move(next);
  }
  return here.contains(kEnd);
}

} // namespace patchcord::offline
