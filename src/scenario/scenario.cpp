// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/scenario.hpp"

#include "agent/dates.hpp"
#include "agent/definition.hpp"
#include "agent/toml_reader.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "config/config.hpp"
#include "scenario/expected_values.hpp"
#include "scenario/yaml_table.hpp"

#include <algorithm>
#include <filesystem>

namespace patchcord::scenario {
namespace {

namespace fs = std::filesystem;
using agent::TomlReader;

constexpr int kLongestMs = 3'600'000; // an hour
constexpr int kMostWords = 1000;

void read_ms(TomlReader &reader, const char *key, Duration &out) {
  int ms = static_cast<int>(out / 1ms);
  reader.read(key, ms, 0, kLongestMs);
  out = std::chrono::milliseconds(ms);
}

// Seconds with a fraction.
bool read_seconds(TomlReader &reader, const char *key, Duration &out) {
  std::optional<double> seconds;
  reader.read(key, seconds);
  if (!seconds)
    return false;
  // nan is neither.
  if (*seconds >= 0 && *seconds <= kLongestMs / 1000.0)
    out = std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000));
  else
    reader.fail(key, "a number of seconds from 0 to 3600");
  return true;
}

void read_optional(TomlReader &reader, const toml::table &table,
                   const char *key, std::optional<int> &out, int max) {
  int number = 0;
  reader.read(key, number, 0, max);
  if (table.contains(key))
    out = number;
}

std::string beside(const std::string &file, const std::string &name) {
  const fs::path path(name);
  return path.is_absolute() ? name
                            : (fs::path(file).parent_path() / path).string();
}

// --- the caller --------------------------------------------------------------

void read_cue(TomlReader &reader, const toml::table &table, Cue &cue) {
  const char *set = nullptr;
  const auto one_of_them = [&](const char *key) {
    if (set != nullptr)
      reader.fail(key, std::string("no cue besides ") + set);
    set = key;
  };
  Duration time{};
  if (read_seconds(reader, "at_s", time)) {
    one_of_them("at_s");
    cue = {Cue::Kind::kAt, time, 0};
  }
  if (read_seconds(reader, "after_s", time)) {
    one_of_them("after_s");
    cue = {Cue::Kind::kAfter, time, 0};
  }
  if (read_seconds(reader, "silence_s", time)) {
    one_of_them("silence_s");
    cue = {Cue::Kind::kSilence, time, 0};
  }
  int word = 0;
  reader.read("at_word", word, 1, kMostWords);
  if (table.contains("at_word")) {
    one_of_them("at_word");
    cue = {Cue::Kind::kWord, {}, word};
  }
  Duration into_word{};
  read_ms(reader, "into_word_ms", into_word);
  if (table.contains("into_word_ms") && cue.kind != Cue::Kind::kWord)
    reader.fail("into_word_ms", "at_word besides it");
  if (cue.kind == Cue::Kind::kWord)
    cue.time = into_word;
  if (table.contains("reply_ms"))
    one_of_them("reply_ms");
  if (cue.kind == Cue::Kind::kReply)
    read_ms(reader, "reply_ms", cue.time);
  else {
    Duration unused{};
    read_ms(reader, "reply_ms", unused);
  }
  const toml::node *node = set != nullptr ? table.get(set) : nullptr;
  cue.line = reader.line_of(node != nullptr ? *node : table);
}

// What the caller does; exactly one thing.
void read_what(TomlReader &reader, const toml::table &table, Line &line) {
  const char *set = nullptr;
  const auto becomes = [&](const char *key, Line::What what) {
    if (set != nullptr)
      reader.fail(key, std::string("nothing besides ") + set +
                           " (a line does one thing)");
    set = key;
    line.what = what;
  };
  const auto text = [&](const char *key, Line::What what) {
    std::string value;
    reader.read(key, value, table.contains(key));
    if (!table.contains(key))
      return;
    becomes(key, what);
    line.text = value;
  };
  text("say", Line::What::kSay);
  text("wav", Line::What::kWav);
  text("dtmf", Line::What::kDtmf);
  int noise = 0;
  reader.read("noise_ms", noise, 20, 60'000);
  if (table.contains("noise_ms")) {
    becomes("noise_ms", Line::What::kNoise);
    line.length = std::chrono::milliseconds(noise);
  }
  bool hang_up = false;
  reader.read("hang_up", hang_up);
  if (hang_up)
    becomes("hang_up", Line::What::kHangUp);
  if (set == nullptr)
    reader.fail("say", "one of say, wav, dtmf, noise_ms, hang_up = true");
}

// Begins the errors that only show when the line is made into sound.
std::string where(const TomlReader &reader, const toml::table &table,
                  const std::string &file, const char *key) {
  const toml::node *node = table.get(key);
  const auto line = reader.line_of(node != nullptr ? *node : table);
  return file + ":" + std::to_string(line) + ": " + reader.path_of(key) + ": ";
}

Line read_line(TomlReader &reader, const toml::table &table,
               const std::string &file) {
  Line line;
  read_what(reader, table, line);
  const bool does_one_thing = !reader.failed();
  line.where = where(reader, table, file,
                     line.what == Line::What::kWav ? "wav" : "voice");
  std::string heard;
  reader.read("heard", heard);
  if (table.contains("heard"))
    line.heard = heard;
  reader.read("voice", line.voice);
  if (line.voice == "espeak")
    line.voice = "en-us+f2";
  read_cue(reader, table, line.cue);
  read_ms(reader, "stall_at_ms", line.stall.at);
  read_ms(reader, "stall_ms", line.stall.length);
  reader.read("stall_lost", line.stall.lost);
  if (line.what == Line::What::kDtmf &&
      line.text.find_first_not_of("0123456789*#") != std::string::npos)
    reader.fail("dtmf", "keys (0-9 * #)");
  if (line.what == Line::What::kWav) {
    line.text = beside(file, line.text);
    if (!line.heard && does_one_thing)
      reader.fail("heard", "what the recogniser makes of the file");
  }
  reader.finish();
  return line;
}

// --- the providers -----------------------------------------------------------

void read_calls(TomlReader &reader, TomlReader::File &file,
                ModelAnswer &answer) {
  for (const auto *each : reader.tables("calls")) {
    TomlReader call(file, *each, "model.answers.calls");
    ModelAnswer::Call made;
    call.read("name", made.name, true);
    call.read("arguments", made.arguments);
    call.finish();
    answer.calls.push_back(std::move(made));
  }
}

void read_tools(TomlReader &reader, TomlReader::File &file,
                Scenario &scenario) {
  for (const auto *each : reader.tables("tools")) {
    TomlReader tool(file, *each, "tools");
    ToolReply reply;
    tool.read("request", reply.request, each->contains("request"));
    tool.read("content", reply.content);
    tool.read("status", reply.status, 200, 599);
    read_ms(tool, "delay_ms", reply.delay);
    tool.read("breaks_off", reply.breaks_off);
    tool.finish();
    scenario.tools.push_back(std::move(reply));
  }
}

void read_network(TomlReader::File &file, const toml::table &table,
                  NetworkScript &script) {
  TomlReader network(file, table, "network");
  network.read("answered_by", script.answered_by);
  read_ms(network, "answered_by_at_ms", script.answered_by_at);
  network.read("transfers", script.transfers);
  network.finish();
  if (script.transfers.empty())
    network.fail("transfers", "one outcome at least");
  for (const std::string &outcome : script.transfers)
    if (outcome != "answered" && outcome != "busy" && outcome != "no-answer" &&
        outcome != "failed" && outcome != "canceled")
      network.fail("transfers",
                   "answered, busy, no-answer, failed or canceled");
}

void read_providers(TomlReader &reader, TomlReader::File &file,
                    Scenario &scenario) {
  if (const auto *table = reader.table("stt")) {
    TomlReader stt(file, *table, "stt");
    read_ms(stt, "delay_ms", scenario.stt.delay);
    read_ms(stt, "silence_ms", scenario.stt.silence);
    stt.read("fail_at", scenario.stt.fail_at, 1, 10'000);
    stt.finish();
  }
  if (const auto *table = reader.table("voice")) {
    TomlReader voice(file, *table, "voice");
    read_ms(voice, "first_byte_ms", scenario.voice.first_byte);
    voice.read("fail_at", scenario.voice.fail_at, 1, 10'000);
    voice.read("timings", scenario.voice.timings);
    voice.finish();
  }
  if (const auto *table = reader.table("phone")) {
    TomlReader phone(file, *table, "phone");
    phone.read("marks", scenario.phone.marks);
    phone.finish();
  }
  if (const auto *table = reader.table("network"))
    read_network(file, *table, scenario.network);
  const auto *table = reader.table("model");
  if (table == nullptr)
    return;
  TomlReader model(file, *table, "model");
  read_ms(model, "first_token_ms", scenario.model.first_token);
  read_ms(model, "token_ms", scenario.model.token);
  for (const auto *each : model.tables("answers")) {
    TomlReader answer(file, *each, "model.answers");
    ModelAnswer made;
    answer.read("content", made.content);
    answer.read("status", made.status, 200, 599);
    answer.read("breaks_off", made.breaks_off);
    read_calls(answer, file, made);
    Duration first_token{};
    read_ms(answer, "first_token_ms", first_token);
    if (each->contains("first_token_ms"))
      made.first_token = first_token;
    if (!each->contains("content") && made.calls.empty() && made.status == 200)
      answer.fail("content", "what the model answers, calls, or a status");
    answer.finish();
    scenario.model.answers.push_back(std::move(made));
  }
  model.finish();
}

// --- what is expected --------------------------------------------------------

// A value of the record, as JSON.
std::string json_of(const toml::node &node) {
  JsonWriter out;
  if (const auto text = node.value_exact<std::string>())
    out.value(*text);
  else if (const auto whole = node.value_exact<std::int64_t>())
    out.value(*whole);
  else if (const auto real = node.value_exact<double>())
    out.value(*real);
  else if (const auto truth = node.value_exact<bool>())
    out.value(*truth);
  else if (const toml::array *list = node.as_array()) {
    out.begin_array();
    for (const toml::node &item : *list)
      out.value(item.value_or(std::string()));
    out.end_array();
  }
  return out.take();
}

void read_fields(TomlReader &reader, TomlReader::File &file,
                 Expectations &expect) {
  const auto *table = reader.table("fields");
  if (table == nullptr)
    return;
  TomlReader fields(file, *table, "expect.fields");
  for (const auto &[key, node] : *table) {
    const std::string name(key.str());
    std::string json = json_of(node);
    if (json.empty())
      fields.fail(name.c_str(),
                  "a text, a number, true or false, or an array of texts");
    expect.fields[name] = std::move(json);
  }
}

void read_replies(TomlReader &reader, TomlReader::File &file,
                  Expectations &expect) {
  for (const auto *each : reader.tables("replies")) {
    TomlReader reply(file, *each, "expect.replies");
    ExpectedReply expected;
    std::string contains;
    reply.read("number", expected.number, 1, 10'000);
    reply.read("equals", expected.pattern);
    reply.read("contains", contains);
    if (expected.number == 0)
      reply.fail("number", "which reply, from 1 (the greeting)");
    if (expected.pattern.empty() == contains.empty())
      reply.fail("equals", "either equals or contains");
    if (!contains.empty())
      expected.pattern = "*" + contains + "*";
    reply.finish();
    expect.replies.push_back(std::move(expected));
  }
}

void read_history(TomlReader &reader, Expectations &expect) {
  reader.read("history", expect.history);
  for (const std::string &entry : expect.history)
    if (!entry.starts_with("agent: ") && !entry.starts_with("caller: "))
      reader.fail("history",
                  "texts that begin with \"agent: \" or \"caller: \"");
}

void read_expectations(TomlReader &reader, TomlReader::File &file,
                       Expectations &expect) {
  const auto *table = reader.table("expect");
  if (table == nullptr)
    return;
  TomlReader in(file, *table, "expect");
  const auto text = [&](const char *key, std::optional<std::string> &out) {
    std::string value;
    in.read(key, value);
    if (table->contains(key))
      out = value;
  };
  const auto texts = [&](const char *key,
                         std::optional<std::vector<std::string>> &out) {
    std::vector<std::string> list;
    in.read(key, list);
    if (table->contains(key))
      out = std::move(list);
  };
  text("end", expect.end);
  text("caller_end", expect.caller_end);
  text("action", expect.action);
  texts("actions", expect.actions);
  bool goal = false;
  in.read("goal_reached", goal);
  if (table->contains("goal_reached"))
    expect.goal_reached = goal;
  read_fields(in, file, expect);
  std::vector<std::string> missing;
  in.read("missing", missing);
  if (const toml::node *names = table->get("missing"))
    expect.missing = json_of(*names);
  read_replies(in, file, expect);
  in.read("heard", expect.heard);
  read_history(in, expect);
  in.read("last_request_contains", expect.requests_contain);
  in.read("troubles", expect.troubles);
  text("answered_by", expect.answered_by);
  in.read("transfers", expect.transfers);
  in.read("summaries", expect.summaries);
  texts("tools", expect.tools);
  read_optional(in, *table, "model_requests", expect.model_requests, 10'000);
  read_optional(in, *table, "interruptions", expect.interruptions, 10'000);
  read_optional(in, *table, "false_interruptions", expect.false_interruptions,
                10'000);
  read_optional(in, *table, "unsaid_lines", expect.unsaid_lines, 10'000);
  const auto duration = [&](const char *key, Duration unit,
                            std::optional<Duration> &out) {
    std::optional<int> number;
    read_optional(in, *table, key, number, kLongestMs);
    if (number)
      out = unit * *number;
  };
  duration("reply_within_ms", 1ms, expect.reply_within);
  duration("overlap_ms", 1ms, expect.overlap);
  duration("ended_by_s", 1s, expect.ended_by);
  duration("not_before_s", 1s, expect.not_before);
  judge_values(in, expect);
  in.finish();
}

// --- the whole ---------------------------------------------------------------

void check_whole(TomlReader &reader, const Scenario &scenario) {
  if (scenario.mind != "scripted" && scenario.mind != "openai")
    reader.fail("mind", "\"scripted\" or \"openai\"");
  if (!agent::parse_iso_date(scenario.today))
    reader.fail("today", "a date such as 2026-05-04");
}

void read_agent(TomlReader &reader, const std::string &file,
                Scenario &scenario) {
  reader.read("agent", scenario.agent, true);
  if (reader.failed())
    return;
  // A path is one from the scenario's folder.
  if (scenario.agent.find('/') != std::string::npos ||
      scenario.agent.ends_with(".toml"))
    scenario.agent = beside(file, scenario.agent);
  const auto found = config::find_agent(scenario.agent);
  if (!found)
    return reader.fail("agent", "an agent (" + found.error().message + ")");
  scenario.agent = *found;
}

} // namespace

static Result<Scenario> read_root(const toml::table &root,
                                  TomlReader::File shared) {
  const std::string &file = shared.name;
  Scenario scenario;
  scenario.file = file;
  TomlReader reader(shared, root);
  reader.read("name", scenario.name, true);
  read_agent(reader, file, scenario);
  reader.read("mind", scenario.mind);
  reader.read("today", scenario.today);
  int max_duration = 0;
  reader.read("max_duration_s", max_duration, 1, 86'400);
  scenario.max_duration = std::chrono::seconds(max_duration);
  read_providers(reader, shared, scenario);
  read_tools(reader, shared, scenario);
  for (const auto *each : reader.tables("caller")) {
    TomlReader line(shared, *each, "caller");
    scenario.lines.push_back(read_line(line, *each, file));
  }
  read_expectations(reader, shared, scenario.expect);
  check_whole(reader, scenario);
  reader.finish();
  if (shared.error)
    return *std::move(shared.error);
  return scenario;
}

Result<Scenario> parse_scenario(std::string_view text,
                                const std::string &file) {
  try {
    TomlReader::File shared{file, {}};
    if (!is_yaml(file))
      return read_root(toml::parse(text, file), std::move(shared));
    toml::table root;
    if (auto read = read_yaml(text, file, root, shared.lines); !read)
      return std::move(read).error();
    return read_root(root, std::move(shared));
  } catch (const toml::parse_error &error) {
    return make_error("bad_definition",
                      file + ":" + std::to_string(error.source().begin.line) +
                          ": " + std::string(error.description()));
  } catch (const std::exception &error) {
    return make_error("bad_definition", file + ": " + error.what());
  }
}

} // namespace patchcord::scenario
