// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.hpp"
#include "base/text.hpp"
#include "scenario/run.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace patchcord::scenario {
namespace {

// By so many milliseconds the agent may be wrong about how long it was heard: a
// frame of the phone's, and the worker's timers.
constexpr std::int64_t kHeardFor = 25;

// Marks come every 500 ms: what was heard before the line stood still is known
// to the last of them. And what was late is read within this.
constexpr Samples kMarksApart = phone::kRate / 2;
constexpr Samples kCatchesUp = phone::kRate / 10;

std::string ms_text(double ms) {
  return std::to_string(static_cast<std::int64_t>(ms)) + " ms";
}

std::string ms_text(Duration duration) { return ms_text(to_ms(duration)); }

std::string seconds_text(Duration duration) {
  const auto ms = static_cast<std::int64_t>(to_ms(duration));
  const std::string part = std::to_string(ms % 1000);
  return std::to_string(ms / 1000) + "." + std::string(3 - part.size(), '0') +
         part + " s";
}

std::string listed(const std::vector<std::string> &texts) {
  return texts.empty() ? "none" : join(texts, ", ");
}

std::string quoted(const std::string &text) { return '"' + text + '"'; }

bool matches(const std::string &pattern, const std::string &text) {
  return g_pattern_match_simple(pattern.c_str(), text.c_str()) != FALSE;
}

// Up to so many bytes of a text, whole characters.
std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most)
    return text;
  text.resize(most);
  while (!text.empty() && !valid_utf8(text))
    text.pop_back();
  return text + "...";
}

// Of a request to the model what one looks for: its last messages, as JSON,
// which is what the patterns are looked for in. All of it is pages.
std::string last_messages(const std::string &request) {
  constexpr std::size_t kMessages = 3, kBytes = 400;
  const auto document = JsonDocument::parse(request);
  const JsonView messages =
      document ? document->root()["messages"] : JsonView();
  const std::size_t count = messages.size();
  if (count == 0)
    return request.empty() ? "no request" : shortened(request, kBytes);
  const std::size_t first = count - std::min(count, kMessages);
  std::string text = std::to_string(count) + " messages, the last of them:";
  for (std::size_t i = first; i < count; ++i)
    text += "\n        " + shortened(messages.at(i).dump(), kBytes);
  return text;
}

std::vector<std::string> words_of(const std::string &text) {
  std::vector<std::string> words;
  for (const std::string &word : split(text, ' '))
    if (!word.empty())
      words.push_back(word);
  return words;
}

// Whether the word in which a stretch ended was so near its end that it may
// count: where no word follows in the text that the voice was given, no timing
// tells the end, and the agent takes it from the word's length.
bool was_nearly_heard(const HeardReply::Stretch &stretch,
                      const std::vector<Stage::AgentWord> &words) {
  if (!stretch.in_word)
    return false;
  const Stage::AgentWord &word = words[stretch.in_word->word];
  const Samples heard = stretch.to - stretch.in_word->from;
  return word.last && word.length - heard <= word.length / 10 + kHeardFor * 8;
}

class Checker {
public:
  Checker(const Scenario &scenario, Outcome &outcome)
      : expect_(scenario.expect), scenario_(scenario), outcome_(outcome) {}

  void all(bool live_model) {
    ends();
    actions();
    fields();
    replies();
    history();
    if (!live_model)
      model();
    counts();
    times();
    truth();
  }

private:
  void fail(std::string what, std::string expected, std::string got) {
    outcome_.failures.push_back(
        {std::move(what), std::move(expected), std::move(got)});
  }
  void equal(const char *what, const std::optional<std::string> &expected,
             const std::string &got) {
    if (expected && *expected != got)
      fail(what, quoted(*expected), quoted(got));
  }
  void equal(const char *what, std::optional<int> expected, int got) {
    if (expected && *expected != got)
      fail(what, std::to_string(*expected), std::to_string(got));
  }

  void ends();
  void actions();
  void fields();
  void replies();
  void heard_in_order();
  void history();
  void model();
  void tools();
  void counts();
  void times();
  void reply_times();
  std::pair<std::optional<Samples>, Samples> answer_to(const SaidLine &said,
                                                       Samples until) const;
  void overlaps();
  void truth();
  std::optional<Samples> known_until(const HeardReply &reply) const;
  std::string heard_words(const HeardReply &reply, Samples until,
                          bool said_again) const;
  void heard_for(const Belief &belief, const HeardReply &reply,
                 std::optional<Samples> known);
  // Each pattern fits one of `texts`, in this order.
  void in_order(const char *what, const std::vector<std::string> &patterns,
                const std::vector<std::string> &texts);

  const Expectations &expect_;
  const Scenario &scenario_;
  Outcome &outcome_;
};

void Checker::ends() {
  const auto &record = outcome_.record;
  equal("end", expect_.end, record.end_reason);
  equal("caller_end", expect_.caller_end, outcome_.caller_end);
  if (expect_.goal_reached && *expect_.goal_reached != record.goal_reached)
    fail("goal_reached", *expect_.goal_reached ? "true" : "false",
         record.goal_reached ? "true" : "false");
  equal("answered_by", expect_.answered_by, record.answered_by);
  in_order("transfers", expect_.transfers, outcome_.transfers);
  in_order("summaries", expect_.summaries, outcome_.summaries);
}

// What the record has of each turn; the turn of a caller who hung up before he
// was answered has none.
void Checker::actions() {
  std::vector<std::string> actions;
  for (const store::TurnRecord &turn : outcome_.record.turns)
    if (!turn.action.empty())
      actions.push_back(turn.action);
  equal("action", expect_.action, actions.empty() ? "" : actions.back());
  if (expect_.actions && *expect_.actions != actions)
    fail("actions", listed(*expect_.actions), listed(actions));
}

void Checker::fields() {
  const auto &record = outcome_.record;
  if (expect_.missing && *expect_.missing != record.missing)
    fail("missing", *expect_.missing, record.missing);
  const auto document = JsonDocument::parse(record.fields);
  for (const auto &[name, json] : expect_.fields) {
    const JsonView got = document ? document->root()[name.c_str()] : JsonView();
    const std::string text = got ? got.dump() : "nothing";
    if (text != json)
      fail("fields." + name, json, text);
  }
}

void Checker::in_order(const char *what,
                       const std::vector<std::string> &patterns,
                       const std::vector<std::string> &texts) {
  std::size_t at = 0;
  for (const std::string &pattern : patterns) {
    const std::size_t from = at;
    while (at < texts.size() && !matches(pattern, texts[at]))
      ++at;
    if (at == texts.size()) {
      std::vector<std::string> rest(
          texts.begin() + static_cast<std::ptrdiff_t>(from), texts.end());
      fail(what, quoted(pattern),
           rest.empty() ? "nothing more" : quoted(join(rest, "\" | \"")));
      return;
    }
    ++at;
  }
}

void Checker::replies() {
  for (const ExpectedReply &expected : expect_.replies) {
    const std::string what = "replies." + std::to_string(expected.number);
    const auto index = static_cast<std::size_t>(expected.number - 1);
    if (index >= outcome_.heard.size())
      fail(what, quoted(expected.pattern),
           "only " + std::to_string(outcome_.heard.size()) + " replies");
    else if (const std::string got =
                 heard_text(outcome_.heard[index], outcome_.words);
             !matches(expected.pattern, got))
      fail(what, quoted(expected.pattern), quoted(got));
  }
  heard_in_order();
}

// All that was heard is one text here: a reply may be one utterance or two.
void Checker::heard_in_order() {
  std::string all;
  for (const HeardReply &reply : outcome_.heard)
    all += heard_text(reply, outcome_.words) + " ";
  std::size_t at = 0;
  for (const std::string &text : expect_.heard) {
    const std::size_t found = all.find(text, at);
    if (found == std::string::npos)
      return fail("heard", quoted(text), quoted(all.substr(at)));
    at = found + text.size();
  }
}

void Checker::history() {
  std::vector<std::string> entries;
  for (const store::TurnRecord &turn : outcome_.record.turns) {
    if (!turn.caller.empty())
      entries.push_back("caller: " + turn.caller);
    if (!turn.heard.empty())
      entries.push_back("agent: " + turn.heard);
  }
  in_order("history", expect_.history, entries);
}

void Checker::model() {
  const auto &requests = outcome_.requests;
  equal("model_requests", expect_.model_requests,
        static_cast<int>(requests.size()));
  const std::size_t answers = scenario_.model.answers.size();
  if (requests.size() > answers)
    fail("model.answers", "one for each request",
         std::to_string(requests.size()) + " requests and " +
             std::to_string(answers) + " answers");
  const std::string last = requests.empty() ? "" : requests.back();
  std::vector<std::string> lacking;
  for (const std::string &text : expect_.requests_contain)
    if (last.find(text) == std::string::npos)
      lacking.push_back(quoted(text));
  if (!lacking.empty())
    fail("last_request_contains", join(lacking, " and "), last_messages(last));
  tools();
}

void Checker::tools() {
  const auto &requests = outcome_.tool_requests;
  if (!expect_.tools)
    return;
  const auto &patterns = *expect_.tools;
  const bool fits = std::equal(
      patterns.begin(), patterns.end(), requests.begin(), requests.end(),
      [](const std::string &pattern, const std::string &request) {
        return matches(pattern, request);
      });
  if (!fits)
    fail("tools", listed(patterns), listed(requests));
}

void Checker::counts() {
  equal("interruptions", expect_.interruptions, outcome_.interruptions);
  int false_ones = 0;
  for (const store::TurnRecord &turn : outcome_.record.turns)
    false_ones += turn.false_interruptions;
  equal("false_interruptions", expect_.false_interruptions, false_ones);
  const auto unsaid =
      static_cast<int>(scenario_.lines.size() - outcome_.lines_begun);
  const int unsaid_lines = expect_.unsaid_lines.value_or(0);
  if (unsaid > unsaid_lines) {
    const Cue &cue = scenario_.lines[outcome_.lines_begun].cue;
    fail("unsaid_lines", std::to_string(unsaid_lines),
         std::to_string(unsaid) + ": line " + std::to_string(cue.line) + ": " +
             missed(cue));
  } else {
    equal("unsaid_lines", unsaid_lines, unsaid);
  }
  if (expect_.troubles != outcome_.troubles)
    fail("troubles", listed(expect_.troubles), listed(outcome_.troubles));
  if (outcome_.refused != 0)
    fail("messages that Twilio takes", "all",
         std::to_string(outcome_.refused) + " refused");
}

void Checker::times() {
  const Duration length = phone::to_duration(outcome_.duration);
  if (expect_.ended_by && length > *expect_.ended_by)
    fail("ended_by_s", seconds_text(*expect_.ended_by) + " at most",
         seconds_text(length));
  if (expect_.not_before && length < *expect_.not_before)
    fail("not_before_s", seconds_text(*expect_.not_before) + " at least",
         seconds_text(length));
  if (expect_.reply_within)
    reply_times();
  if (expect_.overlap)
    overlaps();
}

// From the last sound of what the caller said to the first word of the answer.
// He who is not answered before he speaks again, or at all, has waited as long
// as the agent was silent.
void Checker::reply_times() {
  for (std::size_t i = 0; i < outcome_.said.size(); ++i) {
    const SaidLine &said = outcome_.said[i];
    const Line &line = scenario_.lines[said.line];
    if (line.what != Line::What::kSay && line.what != Line::What::kWav)
      continue;
    const Samples until = i + 1 == outcome_.said.size()
                              ? outcome_.duration
                              : outcome_.said[i + 1].from;
    const auto [answer, since] = answer_to(said, until);
    const Duration waited = phone::to_duration(answer.value_or(until) - since);
    if (waited > *expect_.reply_within)
      fail("reply_within_ms, after " + quoted(line.text),
           ms_text(*expect_.reply_within) + " at most",
           (answer ? "" : "no answer in ") + ms_text(waited));
  }
}

// When the agent began to say something new, or went on, before `until`; and
// since when the caller waits: where he is not answered, not while the agent
// still speaks.
std::pair<std::optional<Samples>, Samples>
Checker::answer_to(const SaidLine &said, Samples until) const {
  Samples spoke_to = said.to;
  for (const HeardReply &reply : outcome_.heard)
    for (const auto &stretch : reply.stretches) {
      if (stretch.from > said.to && stretch.from < until)
        return {stretch.from, said.to};
      if (stretch.from <= said.to)
        spoke_to = std::max(spoke_to, stretch.to);
    }
  return {std::nullopt, std::min(spoke_to, until)};
}

void Checker::overlaps() {
  for (const SaidLine &said : outcome_.said)
    for (const HeardReply &reply : outcome_.heard)
      for (const auto &stretch : reply.stretches) {
        const Samples from = std::max(said.from, stretch.from);
        const Duration both =
            phone::to_duration(std::min(said.to, stretch.to) - from);
        if (both > *expect_.overlap)
          fail("overlap_ms, at " + seconds_text(phone::to_duration(from)),
               ms_text(*expect_.overlap) + " at most", ms_text(both));
      }
}

// Of a reply that was silenced while the line stood still, or right behind
// that: up to when the agent can know what was heard, for marks do not come
// back then.
std::optional<Samples> Checker::known_until(const HeardReply &reply) const {
  std::optional<Samples> known;
  for (const SaidLine &said : outcome_.said) {
    const Line::Stall &stall = scenario_.lines[said.line].stall;
    if (stall.length <= 0s || stall.lost)
      continue;
    const Samples from = said.from + phone::to_samples(stall.at);
    const Samples to = from + phone::to_samples(stall.length) + kCatchesUp;
    for (const auto &stretch : reply.stretches)
      if (const Samples end = std::max(stretch.to, stretch.cut_at);
          end > from && end <= to)
        known = std::min(known.value_or(from), from - kMarksApart);
  }
  return known;
}

// The words of a reply that were heard to their ends, up to `until`. Where the
// line stood still the agent may go back a little and say words once more.
std::string Checker::heard_words(const HeardReply &reply, Samples until,
                                 bool said_again) const {
  std::vector<std::uint32_t> numbers;
  for (const auto &stretch : reply.stretches)
    for (std::size_t i = 0; i < stretch.words.size(); ++i)
      if (stretch.word_ends[i] <= until &&
          !(said_again && !numbers.empty() &&
            stretch.words[i] <= numbers.back()))
        numbers.push_back(stretch.words[i]);
  return words_text(numbers, outcome_.words);
}

// What the agent believes that the caller heard is what he heard: the very
// words of what was heard in whole; of what was cut, all but the last word at
// most, which may have been cut behind its end. One that he had all but heard
// may count, and without timings the next word may as well, or two be lacking.
void Checker::truth() {
  for (const Belief &belief : outcome_.beliefs) {
    const auto reply = std::find_if(
        outcome_.heard.begin(), outcome_.heard.end(),
        [&](const HeardReply &each) { return each.reply == belief.utterance; });
    const bool begun = reply != outcome_.heard.end();
    const auto known = begun ? known_until(*reply) : std::nullopt;
    const std::string heard =
        begun ? heard_words(*reply, outcome_.duration, known.has_value()) : "";
    const auto believed = words_of(belief.text);
    auto true_words = words_of(heard);
    const auto all = words_of(reply_text(belief.utterance, outcome_.words));
    const bool all_but_heard =
        begun && was_nearly_heard(reply->stretches.back(), outcome_.words);
    if (!belief.whole && (all_but_heard || !scenario_.voice.timings) &&
        believed.size() == true_words.size() + 1 &&
        believed.size() <= all.size())
      true_words.push_back(all[true_words.size()]);
    const bool prefix =
        believed.size() <= true_words.size() &&
        std::equal(believed.begin(), believed.end(), true_words.begin());
    std::size_t least = true_words.size();
    if (!belief.whole && known)
      least = words_of(heard_words(*reply, *known, true)).size();
    else if (!belief.whole)
      least -= std::min<std::size_t>(least, scenario_.voice.timings ? 1 : 2);
    if (!prefix || believed.size() < least)
      fail("what the agent believes the caller heard of reply " +
               std::to_string(belief.utterance),
           quoted(heard), quoted(belief.text));
    if (begun)
      heard_for(belief, *reply, known);
  }
}

// For how long he heard it, of a reply that was cut in its first stretch: the
// phone knows the sample. A voice that a model keeps waiting leaves gaps, which
// are no part of the reply.
void Checker::heard_for(const Belief &belief, const HeardReply &reply,
                        std::optional<Samples> known) {
  if (!belief.heard_ms || belief.whole || reply.stretches.size() != 1 ||
      reply.stretches[0].cut_at < 0)
    return;
  const Samples from = reply.stretches[0].from;
  const Samples cut_at = reply.stretches[0].cut_at;
  const std::int64_t heard = (cut_at - from) / 8;
  const std::int64_t least = (known.value_or(cut_at) - from) / 8;
  if (*belief.heard_ms > heard + kHeardFor ||
      (scenario_.mind == "scripted" && *belief.heard_ms < least - kHeardFor))
    fail("how long the agent believes the caller heard reply " +
             std::to_string(belief.utterance),
         ms_text(static_cast<double>(heard)),
         ms_text(static_cast<double>(*belief.heard_ms)));
}

} // namespace

void check(const Scenario &scenario, Outcome &outcome, bool live_model) {
  Checker(scenario, outcome).all(live_model);
}

} // namespace patchcord::scenario
