// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/report.hpp"

#include "base/json.hpp"

#include <algorithm>

namespace patchcord::scenario {
namespace {

double seconds(Samples samples) {
  return static_cast<double>(samples) / phone::kRate;
}

std::string fixed(double value, int digits, int width = 0) {
  const GCharPtr text(g_strdup_printf("%*.*f", width, digits, value));
  return text.get();
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

// Of the control characters XML 1.0 has only white space.
std::string xml(std::string text) {
  for (char &c : text)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t')
      c = '?';
  const GCharPtr escaped(
      g_markup_escape_text(text.c_str(), static_cast<gssize>(text.size())));
  return escaped.get();
}

void write_talk(JsonWriter &out, const std::vector<Talk> &talk) {
  out.key("conversation").begin_array();
  for (const Talk &line : talk)
    out.begin_object()
        .member("who", line.agent ? "agent" : "caller")
        .member("from_ms", static_cast<std::int64_t>(line.from / 8))
        .member("to_ms", static_cast<std::int64_t>(line.to / 8))
        .member("text", line.text)
        .member("heard", line.heard)
        .end_object();
  out.end_array();
}

void write_turns(JsonWriter &out, const std::vector<store::TurnRecord> &turns) {
  out.key("turns").begin_array();
  for (const store::TurnRecord &turn : turns)
    out.raw(store::to_json(turn));
  out.end_array();
}

void write_failures(JsonWriter &out, const std::vector<Failure> &failures) {
  out.key("failures").begin_array();
  for (const Failure &failure : failures)
    out.begin_object()
        .member("what", failure.what)
        .member("expected", failure.expected)
        .member("got", failure.got)
        .end_object();
  out.end_array();
}

void write(JsonWriter &out, const Played &played) {
  const Outcome &outcome = played.outcome;
  out.begin_object()
      .member("name", played.scenario.name)
      .member("file", played.scenario.file)
      .member("passed", played.passed());
  if (!played.error.empty()) {
    out.member("error", played.error).end_object();
    return;
  }
  out.member("duration_ms", static_cast<std::int64_t>(outcome.duration / 8))
      .member("caller_end", outcome.caller_end)
      .member("end_reason", outcome.record.end_reason)
      .member("goal_reached", outcome.record.goal_reached);
  out.key("fields").raw(outcome.record.fields);
  write_talk(out, outcome.talk);
  write_turns(out, outcome.record.turns);
  out.key("events").begin_array();
  for (const std::string &event : outcome.events)
    out.raw(event);
  out.end_array();
  write_failures(out, outcome.failures);
  out.end_object();
}

} // namespace

std::string line_of(const Played &played) {
  if (!played.error.empty())
    return "ERROR " + played.scenario.name + ": " + played.error + "\n";
  const Outcome &outcome = played.outcome;
  return (outcome.passed() ? "ok     " : "FAILED ") +
         padded(played.scenario.name, 58) +
         fixed(seconds(outcome.duration), 1, 8) + " s in " +
         fixed(outcome.wall_ms, 1, 6) + " ms\n";
}

std::string talk_text(const Played &played) {
  std::string text;
  for (const Talk &line : played.outcome.talk) {
    text += "    " + fixed(seconds(line.from), 2, 7) + " - " +
            fixed(seconds(line.to), 2, 7) +
            (line.agent ? "  agent   " : "  caller  ") + line.text + "\n";
    if (line.heard == line.text)
      continue;
    text += "                                heard: ";
    text += (line.heard.empty() ? "(nothing)" : line.heard) + "\n";
  }
  return text;
}

std::string failures_text(const Played &played) {
  std::string text;
  for (const Failure &failure : played.outcome.failures)
    text += "    " + failure.what + "\n      expected: " + failure.expected +
            "\n      got:      " + failure.got + "\n";
  return text;
}

std::string timelines_json(const std::vector<Played> &all) {
  JsonWriter out;
  out.begin_object().key("scenarios").begin_array();
  for (const Played &played : all)
    write(out, played);
  out.end_array().end_object();
  return out.take() + "\n";
}

static std::string junit_case(const Played &played) {
  std::string text = "    <testcase classname=\"" + xml(played.scenario.file) +
                     "\" name=\"" + xml(played.scenario.name) + "\" file=\"" +
                     xml(played.scenario.file) + "\" time=\"" +
                     fixed(played.outcome.wall_ms / 1000, 3) + "\"";
  if (!played.error.empty())
    return text + "><error type=\"setup\" message=\"" + xml(played.error) +
           "\"/></testcase>\n";
  if (played.passed())
    return text + "/>\n";
  return text + "><failure type=\"expectation\" message=\"" +
         xml(played.outcome.failures.front().what) + "\">" +
         xml(failures_text(played) + talk_text(played)) +
         "</failure></testcase>\n";
}

// As Jenkins, GitLab and GitHub's reporters read it.
std::string junit_xml(const std::vector<Played> &all) {
  int failures = 0, errors = 0;
  double wall = 0;
  std::string cases;
  for (const Played &played : all) {
    wall += played.outcome.wall_ms / 1000;
    errors += played.error.empty() ? 0 : 1;
    failures += played.error.empty() && !played.passed() ? 1 : 0;
    cases += junit_case(played);
  }
  const std::string counts =
      " name=\"patchcord test\" tests=\"" + std::to_string(all.size()) +
      "\" failures=\"" + std::to_string(failures) + "\" errors=\"" +
      std::to_string(errors) + "\" time=\"" + fixed(wall, 3) + "\"";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + counts +
         ">\n  <testsuite skipped=\"0\"" + counts + ">\n" + cases +
         "  </testsuite>\n</testsuites>\n";
}

} // namespace patchcord::scenario
