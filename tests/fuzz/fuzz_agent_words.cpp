// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/clause_splitter.hpp"
#include "agent/lists.hpp"
#include "agent/transfer.hpp"
#include "agent/values.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cstdlib>

using namespace patchcord;
using namespace patchcord::agent;

namespace {

std::string without_space(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (std::string_view(" \n\t\r\f\v").find(c) == std::string_view::npos)
      out += c;
  return out;
}

// Clauses are the text, wherever it is cut.
void split(std::string_view text) {
  const std::string whole = join(split_clauses(text), "\n");
  ClauseSplitter splitter;
  std::vector<std::string> pieces;
  for (std::size_t i = 0; i < text.size(); i += 3)
    for (std::string &clause : splitter.feed(text.substr(i, 3)))
      pieces.push_back(std::move(clause));
  for (std::string &clause : splitter.finish())
    pieces.push_back(std::move(clause));
  if (join(pieces, "\n") != whole ||
      without_space(whole) != without_space(text))
    std::abort();
}

// What a recogniser may bring, read as every type.
void read(std::string_view text) {
  const Date today{std::chrono::year(2026) / 4 / 29};
  Field field;
  field.name = "field";
  field.choices = {{"a", {"a", "one two"}}, {"b", {"b"}}};
  for (const FieldType type :
       {FieldType::kString, FieldType::kNumber, FieldType::kInteger,
        FieldType::kBoolean, FieldType::kChoice, FieldType::kDate,
        FieldType::kTime, FieldType::kPhone, FieldType::kEmail,
        FieldType::kDigits, FieldType::kList})
    for (const Asked asked : {Asked::kYes, Asked::kNo}) {
      field.type = type;
      if (const auto value = parse_value(field, text, today, asked)) {
        (void)spoken_value(field, *value, today);
        (void)denies(field, text, *value, today);
      }
    }
  (void)edited_list(field, text, {"a", "b"});
  (void)joined_digits(std::string(text), std::string(text), {});
  field.choices.clear(); // a list of any texts
  if (const auto value = parse_value(field, text, today))
    (void)spoken_value(field, *value, today);
  (void)edited_list(field, text, {"a", "b c"});
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data),
                              std::min<std::size_t>(size, 4096));
  split(text);
  read(text);
  const std::vector<TransferTarget> targets = {
      {"desk", "+1", "w", {"reservations"}}, {"night_desk", "+1", "w", {}}};
  const Words words = to_words(text);
  const auto *target = asked_for(words, targets);
  // Who asks for somebody uses a word at least.
  if (target != nullptr && words.empty())
    std::abort();
  return 0;
}
