// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/scripted_mind.hpp"

#include "agent/lists.hpp"
#include "agent/resumption.hpp"
#include "agent/scripted_words.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace patchcord::agent {
namespace {

// Of an answer in free words that asks for a person as well.
constexpr std::size_t kMostFreeWords = 8;

// Whether the answer to a question for one of them may be taken for the other.
bool are_alike(const Field &one, const Field &other) {
  const bool told_apart = one.type == FieldType::kChoice ||
                          (!one.phrases.empty() && !other.phrases.empty());
  return one.type == other.type && !told_apart;
}

// "No" is no answer to it.
bool is_told_by_value(const Field &field) {
  return field.type == FieldType::kDate || field.type == FieldType::kTime ||
         field.type == FieldType::kPhone || field.type == FieldType::kEmail ||
         field.type == FieldType::kDigits ||
         field.type == FieldType::kInteger || field.type == FieldType::kNumber;
}

} // namespace

ScriptedMind::ScriptedMind(std::shared_ptr<const Definition> definition,
                           Date today)
    : definition_(std::move(definition)), today_(today) {}

Reply ScriptedMind::open() {
  state_ = {};
  state_.field = next_missing();
  Reply reply;
  reply.message = opening(*definition_);
  if (state_.field == nullptr) {
    // Nothing to ask: an announcement.
    return end(reply.message, "goal");
  }
  state_.question = state_.field->question;
  reply.expect = expectation();
  before_ = state_;
  return reply;
}

void ScriptedMind::resume(const Values &known, const Rejected &rejected) {
  RuleState rules = std::move(state_.rules);
  state_ = {};
  state_.rules = std::move(rules);
  state_.stage = Stage::kResumed;
  state_.values = known;
  state_.rejected = rejected;
  before_ = state_;
}

Reply ScriptedMind::reopen(const Values &known, const Rejected &rejected,
                           const History &) {
  resume(known, rejected);
  Reply reply = go_on();
  before_ = state_;
  reply = ruled(std::move(reply));
  reply.message = definition_->phrases.transfer_failed + " " + reply.message;
  return as_asked(std::move(reply));
}

std::string ScriptedMind::summary() const {
  return spoken_summary(*definition_, state_.values, today_);
}

// The question that stands stays, for the caller may come back.
Reply ScriptedMind::hand_over(const TransferTarget &target) const {
  Reply reply;
  reply.message = words_of(*definition_, target);
  reply.action = "transfer";
  reply.transfer = target.name;
  return reply;
}

Reply ScriptedMind::ruled(Reply reply) {
  const EndRule *rule = due_rule(*definition_, state_.values, state_.rules);
  // He has what he asked for. "Yes, bye" may be more than a goodbye, but who
  // takes his leave is handed over to nobody.
  if (rule == nullptr || reply.action == "transfer" ||
      (reply.end_reason == "caller_goodbye" && !rule->transfer_to.empty()))
    return reply;
  apply_rule(*definition_, *rule, state_.values, state_.rules);
  state_.goal_reached = complete(*definition_, state_.values);
  const std::string &words = words_of(*definition_, *rule);
  if (!rule->transfer_to.empty()) {
    reply = hand_over(*definition_->transfer_target(rule->transfer_to));
    reply.message = words;
    return reply;
  }
  return end(words, "end_rule");
}

// With what is expected of the caller, and that it reads back.
Reply ScriptedMind::as_asked(Reply reply) const {
  if (reply.action == "transfer") {
    reply.expect.kind = Expectation::Kind::kNothing;
    return reply;
  }
  if (state_.stage == Stage::kConfirmField ||
      state_.stage == Stage::kConfirmAll)
    reply.action = "confirm";
  reply.expect = expectation();
  return reply;
}

Thought ScriptedMind::answer(const std::string &caller,
                             const History &history) {
  before_ = state_;
  note_heard(history);
  return as_asked(ruled(hear(caller)));
}

Reply ScriptedMind::hear(const std::string &caller) {
  const Words words = to_words(caller);
  if (state_.stage == Stage::kOver)
    return end(definition_->end.farewell, "caller_goodbye");
  // In free text only when there is little else.
  const bool free_text =
      (state_.stage == Stage::kField || state_.stage == Stage::kMore) &&
      is_free_text(*state_.field);
  if (const TransferTarget *target = asked_for(words, definition_->transfer);
      target != nullptr && (!free_text || words.size() <= kMostFreeWords))
    return hand_over(*target);
  if (state_.stage == Stage::kResumed && !says_goodbye(words)) {
    (void)take_mentions(caller, nullptr);
    return go_on();
  }
  if (words.empty())
    return not_understood();
  if (says_goodbye(words) && (!free_text || words.size() <= 2)) {
    // "Yes, thank you, bye": what he says before he leaves counts.
    const std::string rest = before_goodbye(caller);
    const Values known = state_.values;
    if (const Words left = to_words(rest);
        !left.empty() && left.size() < words.size())
      if (Reply reply = hear(rest); state_.goal_reached)
        return reply;
    // Nothing is asked anew: what would have been is kept.
    state_.values.insert(known.begin(), known.end());
    return end(definition_->end.farewell, "caller_goodbye");
  }
  if (asks_to_repeat(words) && (!free_text || words.size() <= 4))
    return question(state_.question);
  if (has_any(words, {"help"}) && words.size() <= 4)
    return question(again());
  // Behind a read-back "no Friday" is "no, Friday" without the comma.
  const std::string said = is_no_day(caller) ? "no, " + words[1] : caller;
  switch (state_.stage) {
  case Stage::kField:
    return hear_field(caller, words);
  case Stage::kMore:
    return hear_more(caller, words);
  case Stage::kConfirmField:
    return hear_field_confirmed(said, words);
  case Stage::kConfirmAll:
    return hear_all_confirmed(said, words);
  default:
    return hear_which(said, words);
  }
}

Reply ScriptedMind::hear_field(const std::string &caller, const Words &words) {
  const Field &field = *state_.field;
  const bool declined = !field.required && field.type != FieldType::kBoolean &&
                        (yes_or_no(words) == false || does_not_know(words)) &&
                        words.size() <= 4;
  if (declined || (!field.required && (has_any(words, {"skip", "none"}) ||
                                       refuses_to_tell(words)))) {
    state_.skipped.push_back(&field);
    return go_on();
  }
  const bool list = field.type == FieldType::kList;
  if (list && says_none(words) &&
      (is_free_text(field) || !parse_value(field, caller, today_)))
    return take_list(field, {});
  if (refuses_to_tell(words) && field.required)
    return not_understood();
  const Taken answer = take_answer(field, caller, words);
  // A free text holds whatever it holds; no field may be read out of it.
  const bool mentions = !is_free_text(field) && take_mentions(caller, &field);
  if (answer == Taken::kRefused)
    return refused(field);
  if (answer == Taken::kNo)
    return mentions ? ask(field) : not_understood();
  if (list)
    return ask_for_more(field, words);
  if (const Field *also = take_its_list(field, caller))
    return ask_for_more(*also, words);
  return taken(field);
}

// Understood, and not what the field may hold.
Reply ScriptedMind::refused(const Field &field) {
  state_.stage = Stage::kField;
  state_.field = &field;
  state_.question = field.question;
  return ask_again(refusal(field));
}

const std::string &ScriptedMind::refusal(const Field &field) const {
  return field.invalid.empty() ? definition_->phrases.invalid : field.invalid;
}

Reply ScriptedMind::hear_which(const std::string &caller, const Words &words) {
  if (take_mentions(caller, nullptr))
    return go_on();
  if (const Field *field = named(words))
    return ask_anew(*field);
  // Not a word about which: once more from the start.
  const bool start_over =
      state_.reprompts >= definition_->limits.max_reprompts ||
      has_any(words, {"all", "everything", "over"});
  if (!start_over)
    return not_understood();
  state_.values.clear();
  state_.skipped.clear();
  return go_on();
}

// The field whose label is among the words.
const Field *ScriptedMind::named(const Words &words) const {
  for (const Field &field : definition_->fields) {
    Words label = to_words(field.label);
    if (label.size() > 1 && is_one_of(label[0], {"the", "your", "a"}))
      label.erase(label.begin());
    if (applies(field, state_.values) && find_phrase(words, label))
      return &field;
  }
  return nullptr;
}

Reply ScriptedMind::ask_anew(const Field &field) {
  state_.values.erase(field.name);
  state_.reprompts = 0;
  return ask(field);
}

Reply ScriptedMind::go_on() {
  state_.reprompts = 0;
  if (const Field *list = short_list()) {
    state_.stage = Stage::kMore;
    state_.field = list;
    return question(definition_->phrases.more, refusal(*list));
  }
  if (const Field *field =
          field_to_confirm(*definition_, state_.values, state_.rules))
    return confirm(*field);
  if (const Field *field = next_missing())
    return ask(*field);
  if (definition_->end.confirm)
    return read_back();
  state_.goal_reached = true;
  return end(definition_->end.goodbye, "goal");
}

Reply ScriptedMind::ask(const Field &field) {
  state_.stage = Stage::kField;
  state_.field = &field;
  return question(field.question);
}

Reply ScriptedMind::not_understood() {
  return ask_again(definition_->end.not_understood);
}

Reply ScriptedMind::ask_again(const std::string &lead) {
  if (++state_.reprompts <= definition_->limits.max_reprompts)
    return question(again(), lead);
  if (state_.stage == Stage::kMore) // What there is of it will do.
    return take_list(*state_.field,
                     std::get<List>(state_.values[state_.field->name]));
  if (state_.stage == Stage::kField && !state_.field->required) {
    state_.skipped.push_back(state_.field);
    return go_on();
  }
  return end(definition_->end.apology, "no_answer");
}

// The question that stands, as it is asked the second time.
std::string ScriptedMind::again() const {
  const bool of_field = state_.stage == Stage::kField;
  return of_field && !state_.field->reprompt.empty() ? state_.field->reprompt
                                                     : state_.question;
}

Reply ScriptedMind::question(const std::string &text, const std::string &lead) {
  state_.question = text;
  Reply reply;
  reply.message = lead.empty() ? text : lead + " " + text;
  return reply;
}

Reply ScriptedMind::end(const std::string &text, const std::string &reason) {
  state_.stage = Stage::kOver;
  state_.question.clear();
  Reply reply;
  reply.message = text;
  reply.action = "end_call";
  reply.end_reason = reason;
  reply.expect.kind = Expectation::Kind::kNothing;
  return reply;
}

ScriptedMind::Taken ScriptedMind::take(const Field &field,
                                       const std::string &caller, Asked asked) {
  auto value = parse_value(field, caller, today_, asked);
  if (!value)
    return Taken::kNo;
  if (is_valid(so_far(field), *value)) {
    state_.values[field.name] = *std::move(value);
    state_.rejected.erase(field.name);
    return Taken::kYes;
  }
  if (asked == Asked::kNo)
    return Taken::kNo;
  state_.values.erase(field.name);
  state_.rejected.insert(field.name);
  return Taken::kRefused;
}

bool ScriptedMind::take_mentions(const std::string &caller,
                                 const Field *asked) {
  const Words words = to_words(caller);
  const bool corrects = asked == nullptr || announces_correction(words);
  // "No, Thursday" is no answer to a question for a time.
  const bool begins_with_no = !words.empty() && is_no(words[0]) &&
                              asked != nullptr && is_told_by_value(*asked);
  // Two fields that could both be meant are both left alone.
  const auto unsettled = [&](const Field &field) {
    return &field != asked && (corrects || is_missing(field) ||
                               (begins_with_no && is_told_by_value(field)));
  };
  const bool lists = corrects && change_lists(caller);
  bool any = lists;
  for (const Field &field : definition_->fields) {
    if (!unsettled(field) || (asked != nullptr && are_alike(*asked, field)))
      continue;
    const bool rival =
        std::any_of(definition_->fields.begin(), definition_->fields.end(),
                    [&](const Field &other) {
                      return &other != &field && &other != asked &&
                             unsettled(other) && other.type == field.type &&
                             parse_value(other, caller, today_, Asked::kNo);
                    });
    if (rival)
      continue;
    // "Yes, but at three": where nothing is asked for, it is a time.
    const bool told = asked == nullptr && field.type == FieldType::kTime &&
                      has_any(words, {"at"});
    const Asked how = told ? Asked::kYes : Asked::kNo;
    const auto value = parse_value(field, caller, today_, how);
    const auto known = state_.values.find(field.name);
    if (!value && !lists && known != state_.values.end() &&
        denies(field, caller, known->second, today_)) {
      // What he says instead is an answer to nothing else.
      state_.values.erase(known);
      (void)take(field, caller, Asked::kYes);
      any = true;
      continue;
    }
    if (!value)
      continue;
    if (known != state_.values.end() && known->second == *value)
      continue;
    any = take(field, caller, how) == Taken::kYes || any;
  }
  return any;
}

bool ScriptedMind::is_missing(const Field &field) const {
  return !state_.values.contains(field.name) &&
         std::find(state_.skipped.begin(), state_.skipped.end(), &field) ==
             state_.skipped.end();
}

const Field *ScriptedMind::next_missing() const {
  for (const Field &field : definition_->fields)
    if (is_missing(field) && applies(field, state_.values))
      return &field;
  return nullptr;
}

Expectation ScriptedMind::expectation() const {
  Expectation expect;
  switch (state_.stage) {
  case Stage::kResumed:
    break;
  case Stage::kField:
    if (state_.field != nullptr)
      expect = expectation_of(*state_.field);
    break;
  case Stage::kMore:
    expect = expectation_of_more(*state_.field);
    break;
  case Stage::kConfirmField:
  case Stage::kConfirmAll:
    expect.kind = Expectation::Kind::kYesNo;
    break;
  case Stage::kWhich:
    expect.kind = Expectation::Kind::kChoice;
    for (const Field &field : definition_->fields)
      if (applies(field, state_.values))
        expect.phrases.push_back(to_lower(field.label));
    expect.phrases.emplace_back("everything");
    break;
  case Stage::kOver:
    expect.kind = Expectation::Kind::kNothing;
    return expect;
  }
  expect.also = {"repeat", "help", "goodbye"};
  for (std::string &phrase : transfer_phrases(definition_->transfer))
    expect.also.push_back(std::move(phrase));
  const bool may_decline =
      state_.stage == Stage::kMore ||
      (state_.stage == Stage::kField && state_.field != nullptr &&
       (!state_.field->required || state_.field->type == FieldType::kList));
  if (may_decline)
    expect.also.emplace_back("no");
  return expect;
}

} // namespace patchcord::agent
