// SPDX-License-Identifier: LGPL-2.1-or-later
#include "script.hpp"

#include <fstream>
#include <functional>
#include <iterator>
#include <map>

namespace patchcord::fakes {
namespace {

// One reader a member: false when the value is of the wrong type.
using Reader = std::function<bool(JsonView)>;

bool read(JsonView value, std::string &into) {
  const auto text = value.string();
  into = text.value_or(into);
  return text.has_value();
}
bool read(JsonView value, int &into) {
  const auto number = value.integer();
  into = static_cast<int>(number.value_or(into));
  return number.has_value();
}
bool read(JsonView value, bool &into) {
  const auto truth = value.boolean();
  into = truth.value_or(into);
  return truth.has_value();
}
bool read(JsonView value, std::vector<std::string> &into) {
  into.clear();
  for (std::size_t i = 0; i < value.size(); ++i)
    if (!read(value.at(i), into.emplace_back()))
      return false;
  return value.is_array();
}

template <typename T> Reader into(T &member) {
  return [&member](JsonView value) { return read(value, member); };
}

Result<Unit> read_object(JsonView object, const std::string &where,
                         const std::map<std::string, Reader> &readers) {
  if (!object.is_object())
    return make_error("bad_script", where + " is not an object");
  std::string problem;
  object.for_each_member([&](std::string_view name, JsonView value) {
    const auto reader = readers.find(std::string(name));
    if (reader == readers.end())
      problem = where + ": unknown member \"" + std::string(name) + "\"";
    else if (!reader->second(value))
      problem = where + "." + std::string(name) + ": wrong type";
  });
  if (!problem.empty())
    return make_error("bad_script", problem);
  return ok();
}

Result<Script::Transcript> read_transcript(JsonView value) {
  Script::Transcript transcript;
  if (read(value, transcript.text))
    return transcript;
  const auto done = read_object(
      value, "transcripts",
      {{"text", into(transcript.text)}, {"fault", into(transcript.fault)}});
  if (!done.ok())
    return done.error();
  return transcript;
}

Result<Script::Answer> read_answer(JsonView value) {
  Script::Answer answer;
  if (read(value, answer.text))
    return answer;
  if (value["answer"].is_null() && value["fault"].is_null() &&
      value["calls"].is_null()) {
    answer.text = value.dump();
    return answer;
  }
  const auto text = [&](JsonView v) {
    if (!read(v, answer.text))
      answer.text = v.dump();
    return true;
  };
  const auto calls = [&](JsonView array) {
    for (std::size_t i = 0; i < array.size(); ++i) {
      const JsonView call = array.at(i), arguments = call["arguments"];
      answer.calls.push_back({call["name"].string().value_or(""),
                              arguments.is_object()
                                  ? arguments.dump()
                                  : arguments.string().value_or("")});
    }
    return array.is_array();
  };
  const auto done = read_object(value, "answers",
                                {{"answer", text},
                                 {"calls", calls},
                                 {"fault", into(answer.fault)},
                                 {"fault_times", into(answer.fault_times)}});
  if (!done.ok())
    return done.error();
  return answer;
}

// An array of what `read_one` reads; the first problem goes to `problem`.
template <typename T, typename F>
Reader list_of(std::vector<T> &into, F read_one, std::string &problem) {
  return [&into, read_one, &problem](JsonView value) {
    into.clear();
    for (std::size_t i = 0; i < value.size(); ++i) {
      auto one = read_one(value.at(i));
      if (one.ok())
        into.push_back(std::move(*one));
      else
        problem = one.error().message;
    }
    return value.is_array();
  };
}

} // namespace

Result<Script> parse_script(std::string_view json) {
  const auto document = JsonDocument::parse(json);
  if (!document.ok())
    return document.error();
  Script script;
  std::string problem;
  const auto done = read_object(
      document->root(), "script",
      {{"transcripts", list_of(script.transcripts, read_transcript, problem)},
       {"shared_transcripts", into(script.shared_transcripts)},
       {"stt_delay_ms", into(script.stt_delay_ms)},
       {"stt_deltas", into(script.stt_deltas)},
       {"realtime_fault", into(script.realtime_fault)},
       {"realtime_fault_after_ms", into(script.realtime_fault_after_ms)},
       {"realtime_fault_times", into(script.realtime_fault_times)},
       {"gateway", into(script.gateway)},
       {"answers", list_of(script.answers, read_answer, problem)},
       {"llm_first_token_ms", into(script.llm_first_token_ms)},
       {"llm_token_ms", into(script.llm_token_ms)},
       {"chat_fault", into(script.chat_fault)},
       {"require_schema", into(script.require_schema)},
       {"models", into(script.models)},
       {"elevenlabs", [&](JsonView value) {
          script.elevenlabs = value.dump();
          return value.is_object();
        }}});
  if (!done.ok())
    return done.error();
  if (!problem.empty())
    return make_error("bad_script", problem);
  return script;
}

Result<Script> load_script(const std::string &file) {
  std::ifstream in(file, std::ios::binary);
  if (!in)
    return make_error("no_file", "cannot read " + file);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  auto script = parse_script(text);
  if (!script.ok())
    return make_error(script.error().code,
                      file + ": " + script.error().message);
  return script;
}

} // namespace patchcord::fakes
