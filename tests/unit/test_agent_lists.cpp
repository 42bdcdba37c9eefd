// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/answer.hpp"
#include "agent/llm_mind.hpp"
#include "agent/scripted_mind.hpp"
#include "base/text.hpp"

#include <glib.h>

#include <cstring>

// Lists: how they grow, and how what is in them is corrected.
using namespace patchcord;
using namespace patchcord::agent;

namespace {

void test_list_of_choices() {
  const auto definition = with_fields(kEquipment);
  const char *more = "Anything else?", *end = "Done. Bye.";
  equal(play_lines(definition, {{"a projector and a white board", more},
                                {"no that's all", end}}),
        R"({"equipment":["beamer","board"]})");
  equal(play_lines(definition, {{"a beamer", more},
                                {"yes", "What do you need?"},
                                {"the phone, please, and the beamer", more},
                                {"that's it", end}}),
        R"({"equipment":["beamer","phone"]})");
  for (const char *none :
       {"nothing", "I do not want any", "no thanks", "we don't need anything"})
    equal(play_lines(definition, {{none, end}}), R"({"equipment":[]})");
  equal(
      play_lines(definition, {{"a sofa", "Pardon? A beamer, a board, a phone?"},
                              {"not a beamer but a phone", more},
                              {"a sofa", "Pardon? Anything else?"},
                              {"nothing else", end}}),
      R"({"equipment":["phone"]})");
  // What there is of it is kept when nobody is understood any more.
  equal(play_lines(definition, {{"a phone", more},
                                {"a sofa", "Pardon? Anything else?"},
                                {"a sofa", "Pardon? Anything else?"},
                                {"a sofa", end}}),
        R"({"equipment":["phone"]})");
}

void test_list_of_texts() {
  const auto definition = with_fields(kGuests);
  const char *more = "Anything else?";
  const char *refused = "From two to four, please. Who comes?";
  equal(play_lines(definition, {{"It's Anna, Bo and Cleo", more},
                                {"yes, Bo", more},
                                {"and Dan", "Done. Bye."}}),
        R"({"guests":["Anna","Bo","Cleo","Dan"]})");
  // What he has named is kept until there is enough of it.
  equal(play_lines(definition,
                   {{"nobody", refused},
                    {"Anna", more},
                    {"no", "From two to four, please. Anything else?"},
                    {"and Bo", more},
                    {"no", "Done. Bye."}}),
        R"({"guests":["Anna","Bo"]})");
  equal(play_lines(definition, {{"A, B, C, D, E", refused},
                                {"Anna Bartholomea of Cologne", refused},
                                {"no", "Sorry, bye."}}),
        "{}");
}

void test_list_is_read_back() {
  const auto definition =
      with_fields(std::string(kEquipment) + "confirm = true\n"
                                            "say = \"with {value}\"\n");
  (void)play_lines(
      definition,
      {{"a beamer, a phone and a board", "Anything else?"},
       {"no", "With a beamer, a phone and a white board. Is that right?"},
       {"no", "What do you need?"},
       {"a phone", "Anything else?"},
       {"no", "With a phone. Is that right?"},
       {"yes", "Done. Bye."}});
}

// --- corrections -------------------------------------------------------------

std::string fields_of_list(std::initializer_list<const char *> items) {
  std::string json;
  for (const char *item : items)
    json += std::string(json.empty() ? "" : ",") + "\"" + item + "\"";
  return "[" + json + "]";
}

// What was said behind "a beamer and a board".
void test_corrected_while_it_grows() {
  const auto definition = with_fields(kEquipment);
  const char *more = "Anything else?";
  const struct {
    const char *said;
    std::initializer_list<const char *> items;
  } rows[] = {
      {"not the beamer", {"board"}},
      {"no, not the beamer", {"board"}},
      {"sorry, not the projector", {"board"}},
      {"no beamer", {"board"}},
      {"no beamer but a phone", {"board", "phone"}},
      {"no beamer, but a phone", {"board", "phone"}},
      {"not a beamer but a phone", {"board", "phone"}},
      {"a phone instead of the beamer", {"board", "phone"}},
      {"a phone rather than the beamer", {"board", "phone"}},
      {"instead of the beamer a phone", {"board", "phone"}},
      {"instead of the beamer, a phone", {"board", "phone"}},
      {"without the beamer", {"board"}},
      {"remove the beamer", {"board"}},
      {"please remove the beamer and add a phone", {"board", "phone"}},
      {"remove the beamer. A phone, too.", {"board", "phone"}},
      {"remove the beamer. And a phone, too.", {"board", "phone"}},
      {"remove the beamer. The board, too.", {}},
      {"take the beamer out", {"board"}},
      {"take out the beamer please", {"board"}},
      {"leave out the beamer", {"board"}},
      {"drop the board", {"beamer"}},
      {"I don't need the beamer", {"board"}},
      {"I do not want a beamer any more", {"board"}},
      {"the beamer is not needed", {"board"}},
      {"not the beamer and not the board", {}},
      {"remove the beamer and the board, add a phone", {"phone"}},
      {"a phone, not the beamer", {"board", "phone"}},
      {"no, a phone", {"beamer", "board", "phone"}},
      {"yes, a phone", {"beamer", "board", "phone"}},
      {"not only a phone", {"beamer", "board", "phone"}},
      {"the beamer, no, not the beamer", {"board"}},
      {"I don't need the beamer, I need a phone", {"board", "phone"}},
      {"we don't want the board we want the phone", {"beamer", "phone"}},
      {"I don't need the beamer and the board", {}},
      {"remove the beamer, the board", {}},
      {"I don't need the beamer. A phone.", {"board", "phone"}},
      {"remove the beamer. And the board.", {}},
      {"why not drop the beamer", {"board"}},
      {"yes, but don't forget the beamer", {"beamer", "board"}},
      {"and don't forget the phone", {"beamer", "board", "phone"}},
      {"I can't do without the phone", {"beamer", "board", "phone"}},
      {"forget the beamer", {"board"}},
      {"scratch that beamer", {"board"}},
      {"forget it, the phone", {"beamer", "board", "phone"}},
      {"not the beamer, scratch that, a phone", {"beamer", "board", "phone"}},
      // "It" is what he does not want.
      {"I don't need the beamer, remove it, and add a phone",
       {"board", "phone"}},
      {"I don't need the beamer, drop it, and a phone please",
       {"board", "phone"}},
      {"I don't need the beamer, scratch it, and add a phone",
       {"board", "phone"}},
      {"I don't need the beamer, forget it", {"board"}},
      {"remove it and the board", {"beamer"}},
      {"remove that old beamer", {"board"}},
      {"remove that, the beamer", {"board"}},
      {"can you remove it, the beamer I mean", {"board"}},
      {"drop that extra board", {"beamer"}},
      // What he has is not what he wants.
      {"remove the beamer I have and the board", {}},
      {"cancel what we have, the beamer and the board", {}},
      {"without the beamer, as we have no use for the board", {}},
      {"I don't need the beamer, I'll have the phone", {"board", "phone"}},
      // Taken back behind all parts.
      {"a phone, scratch that", {"beamer", "board"}},
      {"a phone. Actually, forget it.", {"beamer", "board"}},
      {"the beamer, scratch that", {"beamer", "board"}},
      {"remove the beamer, cancel that", {"beamer", "board"}},
      {"a phone, don't forget it", {"beamer", "board", "phone"}},
      // A pause of the recogniser's ends no refusal that goes on.
      {"remove the beamer. The board, too.", {}},
      {"remove the beamer. The board as well.", {}},
      {"remove the beamer. The phone.", {"board", "phone"}},
  };
  for (const auto &row : rows)
    equal(std::string(row.said) + ": " +
              play_lines(definition, {{"a beamer and a board", more},
                                      {row.said, more},
                                      {"no that's all", "Done. Bye."}}),
          std::string(row.said) +
              ": {\"equipment\":" + fields_of_list(row.items) + "}");
  // The same of a first answer, of which nothing is known before.
  const struct {
    const char *said;
    std::initializer_list<const char *> items;
  } firsts[] = {
      {"I don't need the beamer, I need the board", {"board"}},
      {"the beamer, scratch that, the board", {"board"}},
      {"a beamer scratch that the board", {"board"}},
      {"cancel that, a beamer", {"beamer"}},
      {"we can't be without the phone", {"phone"}},
  };
  for (const auto &row : firsts)
    equal(std::string(row.said) + ": " +
              play_lines(definition, {{row.said, more}, {"no", "Done. Bye."}}),
          std::string(row.said) +
              ": {\"equipment\":" + fields_of_list(row.items) + "}");
  // With "that's all" it ends at once, whatever else was said.
  equal(play_lines(definition, {{"a beamer", more},
                                {"and a phone, that's all", "Done. Bye."}}),
        R"({"equipment":["beamer","phone"]})");
  equal(play_lines(definition, {{"a beamer and a phone", more},
                                {"not the beamer, that's it", "Done. Bye."}}),
        R"({"equipment":["phone"]})");
  // What is not there cannot be removed.
  equal(
      play_lines(definition, {{"a beamer", more}, {"no phone", "Done. Bye."}}),
      R"({"equipment":["beamer"]})");
  equal(play_lines(definition,
                   {{"a phone without a beamer", more}, {"no", "Done. Bye."}}),
        R"({"equipment":["phone"]})");
}

void test_texts_are_corrected() {
  const auto definition = with_fields(kGuests);
  const char *more = "Anything else?";
  const struct {
    const char *said;
    std::initializer_list<const char *> guests;
  } rows[] = {
      {"not Bo", {"Anna", "Cleo"}},
      {"no, not Bo", {"Anna", "Cleo"}},
      {"without bo", {"Anna", "Cleo"}},
      {"please remove Bo.", {"Anna", "Cleo"}},
      {"Dan instead of Bo", {"Anna", "Cleo", "Dan"}},
      {"not Bo but Dan", {"Anna", "Cleo", "Dan"}},
      {"no Bo, but Dan", {"Anna", "Cleo", "Dan"}},
      {"Bo is not coming", {"Anna", "Cleo"}},
      {"Bo can't come", {"Anna", "Cleo"}},
      {"take Bo off", {"Anna", "Cleo"}},
      {"remove Bo and add Dan", {"Anna", "Cleo", "Dan"}},
      {"not Bo and Cleo", {"Anna"}},
      // What is not there cannot be removed: it is a part as any other.
      {"Ed sans Jo", {"Anna", "Bo", "Cleo", "Ed sans Jo"}},
      {"without Ed", {"Anna", "Bo", "Cleo", "without Ed"}},
      {"Ed, scratch that, Dan", {"Anna", "Bo", "Cleo", "Dan"}},
      {"Dan, actually, forget it", {"Anna", "Bo", "Cleo"}},
      {"Dan scratch that the Eds", {"Anna", "Bo", "Cleo", "the Eds"}},
      {"Dan. Scratch that. Add Ed.", {"Anna", "Bo", "Cleo", "Ed"}},
      {"not Bo, forget it", {"Anna", "Cleo"}},
  };
  for (const auto &row : rows) {
    ScriptedMind mind(definition, kWednesday);
    (void)mind.open();
    (void)mind.answer("Anna, Bo and Cleo", {});
    (void)mind.answer(row.said, {});
    equal(std::string(row.said) + ": " + to_json(*definition, mind.values()),
          std::string(row.said) +
              ": {\"guests\":" + fields_of_list(row.guests) + "}");
  }
  // Fewer than it needs are no end of it, and one who takes a place needs none.
  equal(play_lines(definition, {{"Anna and Bo", more},
                                {"not Bo", more},
                                {"Cleo, Dan and Ed", "Done. Bye."}}),
        R"({"guests":["Anna","Cleo","Dan","Ed"]})");
  equal(play_lines(definition, {{"Anna, Bo and Cleo", more},
                                {"Dan, that's all", "Done. Bye."}}),
        R"({"guests":["Anna","Bo","Cleo","Dan"]})");
  for (const char *end : {"that is it", "I think that's all", "no that’s it",
                          "okay great that's all for now"})
    equal(play_lines(definition, {{"Anna and Bo", more}, {end, "Done. Bye."}}),
          R"({"guests":["Anna","Bo"]})");
  // A recogniser may write no comma.
  for (const char *said :
       {"Anna and Bo that's all", "Anna and Bo that’s all thanks"})
    equal(play_lines(definition, {{said, "Done. Bye."}}),
          R"({"guests":["Anna","Bo"]})");
  const auto any = with_fields(
      "[[fields]]\nname = \"needs\"\ntype = \"list\"\nquestion = \"Needs?\"\n");
  equal(play_lines(any, {{"no more than two chairs", more},
                         {"no that's all", "Done. Bye."}}),
        R"({"needs":["no more than two chairs"]})");
  // What leads to the end is no part; but with other words it is.
  const struct {
    const char *said;
    std::initializer_list<const char *> needs;
  } closed[] = {
      {"a good lamp that's all", {"a good lamp"}},
      {"milk and great coffee that's all", {"milk", "great coffee"}},
      {"a chair with back support right there that's all",
       {"a chair with back support right there"}},
      {"a table outside so that it is quiet, that's it",
       {"a table outside so that it is quiet"}},
      {"two chairs and a lamp no more", {"two chairs", "a lamp"}},
      {"milk and well I guess that's it", {"milk"}},
  };
  for (const auto &row : closed)
    equal(std::string(row.said) + ": " +
              play_lines(any, {{row.said, "Done. Bye."}}),
          std::string(row.said) + ": {\"needs\":" + fields_of_list(row.needs) +
              "}");
  // A sentence is a part as well, but "Dr." and "J." end none.
  const struct {
    const char *said;
    std::initializer_list<const char *> needs;
  } sentences[] = {
      {"A phone. Scratch that. Add a chair", {"a chair"}},
      {"tea, cancel that please, a chair", {"a chair"}},
      {"tea, no, please scratch that please, a chair", {"a chair"}},
      {"tea, I mean scratch that, a chair", {"a chair"}},
      {"tea forget that a chair", {"a chair"}},
      {"tea and a phone. No. A chair!", {"tea", "a phone", "A chair"}},
      {"Dr. Ed, J. Smith Jr. and Bo", {"Dr. Ed", "J. Smith Jr", "Bo"}},
      {"a room until 5 p.m. or later, tea",
       {"a room until 5 p.m. or later", "tea"}},
      {"tea and don't forget it", {"tea", "don't forget it"}},
      {"tea, cancel that old order", {"tea", "cancel that old order"}},
  };
  for (const auto &row : sentences)
    equal(std::string(row.said) + ": " +
              play_lines(any, {{row.said, more}, {"no", "Done. Bye."}}),
          std::string(row.said) + ": {\"needs\":" + fields_of_list(row.needs) +
              "}");
  equal(play_lines(any, {{"tea, milk and a chair", more},
                         {"Not the tea. milk.", more},
                         {"no", "Done. Bye."}}),
        R"({"needs":["milk","a chair"]})");
  equal(play_lines(any, {{"a table outside so that it is quiet", more},
                         {"no", "Done. Bye."}}),
        R"({"needs":["a table outside so that it is quiet"]})");
}

// Where the list alone is read back, and where all is.
void test_corrected_at_the_read_back() {
  const std::string field =
      std::string(kEquipment) + "say = \"with {value}\"\n";
  const struct {
    const char *said, *list;
  } rows[] = {
      {"not the beamer", "with a white board"},
      {"yes, but not the beamer", "with a white board"},
      {"no, without the beamer", "with a white board"},
      {"yes, but no beamer", "with a white board"},
      {"yes, and a phone", "with a beamer, a white board and a phone"},
      {"no, only the board", "with a white board"},
      {"a phone instead of the beamer", "with a white board and a phone"},
      {"yes, but remove the beamer and the board", "with none"},
  };
  for (const auto &row : rows) {
    const std::string list = row.list;
    const std::string own = "W" + list.substr(1) + ". Is that right?";
    (void)play_lines(with_fields(field + "confirm = true\n"),
                     {{"a beamer and a board", "Anything else?"},
                      {"no", "With a beamer and a white board. Is that right?"},
                      {row.said, own.c_str()},
                      {"yes", "Done. Bye."}});
    const std::string all = "Let me check: " + list + ". Is that right?";
    (void)play_lines(
        with_fields(field, true),
        {{"a beamer and a board", "Anything else?"},
         {"no",
          "Let me check: with a beamer and a white board. Is that right?"},
         {row.said, all.c_str()},
         {"yes", "Done. Bye."}});
    (void)play_lines(
        with_fields(field, true),
        {{"a beamer and a board", "Anything else?"},
         {"no",
          "Let me check: with a beamer and a white board. Is that right?"},
         {"no", "What should I change?"},
         {row.said, all.c_str()}});
  }
  (void)play_lines(with_fields(field, true),
                   {{"a beamer", "Anything else?"},
                    {"no", "Let me check: with a beamer. Is that right?"},
                    {"yes, the beamer", "Done. Bye."}});
}

// Its limits hold for what is left of it.
void test_corrected_within_limits() {
  const char *refused = "From two to four, please. Anything else?";
  const auto own =
      with_fields(std::string(kGuests) + "confirm = true\nsay = \"{value}\"\n");
  equal(play_lines(own, {{"Anna and Bo", "Anything else?"},
                         {"no", "Anna and Bo. Is that right?"},
                         {"not Bo", refused},
                         {"Cleo", "Anything else?"},
                         {"no", "Anna and Cleo. Is that right?"},
                         {"yes", "Done. Bye."}}),
        R"({"guests":["Anna","Cleo"]})");
  const auto all =
      with_fields(std::string(kGuests) + "say = \"{value}\"\n", true);
  equal(play_lines(all,
                   {{"Anna and Bo", "Anything else?"},
                    {"no", "Let me check: Anna and Bo. Is that right?"},
                    {"yes, but not Bo", refused},
                    {"Cleo and Dan", "Anything else?"},
                    {"no", "Let me check: Anna, Cleo and Dan. Is that right?"},
                    {"that's wrong", "What should I change?"},
                    {"Ed instead of Dan",
                     "Let me check: Anna, Cleo and Ed. Is that right?"},
                    {"yes", "Done. Bye."}}),
        R"({"guests":["Anna","Cleo","Ed"]})");
  const auto few = with_fields(std::string(kEquipment) +
                               "max = 2\nconfirm = true\nsay = \"{value}\"\n"
                               "invalid = \"Two at most.\"\n");
  equal(play_lines(few, {{"a beamer and a board",
                          "A beamer and a white board. Is that right?"},
                         {"and a phone", "Two at most. A beamer and a white "
                                         "board. Is that right?"},
                         {"a phone instead of the board",
                          "A beamer and a phone. Is that right?"},
                         {"yes", "Done. Bye."}}),
        R"({"equipment":["beamer","phone"]})");
}

// While something else is asked for, "sorry" or the like has to come with it.
void test_corrected_later() {
  const auto definition = with_fields(std::string(kEquipment) +
                                      "[[fields]]\nname = \"day\"\ntype = "
                                      "\"date\"\nquestion = \"Which day?\"\n");
  equal(play_lines(definition, {{"a beamer and a board", "Anything else?"},
                                {"no", "Which day?"},
                                {"sorry, not the beamer", "Which day?"},
                                {"tomorrow", "Done. Bye."}}),
        R"({"equipment":["board"],"day":"2026-04-30"})");
}

void test_list_expectation() {
  ScriptedMind mind(with_fields(kEquipment), kWednesday);
  const Reply first = mind.open();
  g_assert_true(first.expect.kind == Expectation::Kind::kChoice);
  const Reply more = std::get<Reply>(mind.answer("a phone", {}));
  const std::string phrases = join(more.expect.phrases, "|");
  g_assert_nonnull(strstr(phrases.c_str(), "projector"));
  g_assert_nonnull(strstr(phrases.c_str(), "that's all"));
}

void test_list_and_model() {
  const auto definition = with_fields(kEquipment);
  const std::string schema = answer_schema(*definition);
  g_assert_nonnull(
      strstr(schema.c_str(),
             R"("equipment":{"type":["array","null"],"items":{"type":"string",)"
             R"("enum":["beamer","board","phone"]}})"));
  const struct {
    const char *given, *taken, *fault;
  } rows[] = {
      {R"(["beamer","a phone"])", R"({"equipment":["beamer","phone"]})", ""},
      {"[]", R"({"equipment":[]})", ""},
      {R"("a board and a phone")", R"({"equipment":["board","phone"]})", ""},
      {R"(["beamer",5])", "{}",
       "extracted.equipment: expected a list, whole, of some of beamer, board, "
       "phone, or null, got [\"beamer\",5]"},
  };
  for (const auto &row : rows) {
    openai::MessageExtractor text;
    text.feed(R"({"message":"m","action":"ask","extracted":{"equipment":)" +
              std::string(row.given) + "}}");
    const Answer answer =
        read_answer(*definition, kWednesday, text, {"stop", ""}, false);
    equal(to_json(*definition, answer.extracted), row.taken);
    equal(answer.field_fault, row.fault);
  }
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  const struct {
    const char *name;
    void (*test)();
  } tests[] = {
      {"/list/of-choices-grows-until-that-is-all", test_list_of_choices},
      {"/list/of-texts-has-as-many-as-it-may", test_list_of_texts},
      {"/list/is-read-back-and-asked-anew", test_list_is_read_back},
      {"/list/is-corrected-while-it-grows", test_corrected_while_it_grows},
      {"/list/of-texts-is-corrected", test_texts_are_corrected},
      {"/list/is-corrected-at-the-read-back", test_corrected_at_the_read_back},
      {"/list/is-corrected-within-its-limits", test_corrected_within_limits},
      {"/list/is-corrected-while-something-else-is-asked-for",
       test_corrected_later},
      {"/list/tells-what-it-expects", test_list_expectation},
      {"/list/of-a-model-is-an-array", test_list_and_model},
  };
  for (const auto &test : tests)
    g_test_add_func(test.name, test.test);
  return g_test_run();
}
