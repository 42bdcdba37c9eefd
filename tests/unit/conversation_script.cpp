// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conversation_script.hpp"

#include "agent/definition_file.hpp"
#include "agent/llm_mind.hpp"
#include "agent/scripted_mind.hpp"
#include "base/text.hpp"

#include <glib.h>

using namespace patchcord;
using namespace patchcord::agent;

namespace {

constexpr char kTrip[] = R"(name = "Trip"
greeting = "Hello."
instructions = "Find out about the trip."
[[fields]]
name = "city"
type = "choice"
question = "Which city?"
reprompt = "Rome or Oslo?"
choices = [{ value = "Rome" }, { value = "Oslo" }]
[[fields]]
name = "day"
type = "date"
question = "Which day?"
[end]
confirm = false
goodbye = "Done. Bye."
apology = "Sorry, bye."
not_understood = "Pardon?"
[limits]
max_turns = 4
max_reprompts = 2
silence_prompt_s = 8
max_silence_prompts = 1
max_duration_s = 120
[phrases]
silence = "Still there?"
hold = "One moment."
time_up = "Time is up."
fallback = "Step by step."
)";

std::string after_colon(const std::string &text) {
  const auto colon = text.find(':');
  return colon == std::string::npos ? "" : text.substr(colon + 1);
}

// "look({}); book({})"
std::vector<openai::ToolCall> calls_of(const std::string &text) {
  std::vector<openai::ToolCall> calls;
  for (std::string rest = text; !rest.empty();) {
    const auto end = rest.find("; ");
    const std::string call = rest.substr(0, end);
    rest = end == std::string::npos ? "" : rest.substr(end + 2);
    const auto brace = call.find('(');
    calls.push_back({"id" + std::to_string(calls.size() + 1),
                     call.substr(0, brace),
                     call.substr(brace + 1, call.size() - brace - 2)});
  }
  return calls;
}

std::string ms_of(const std::optional<TimePoint> &time) {
  return time ? std::to_string(*time / 1ms) : "-";
}

} // namespace

std::shared_ptr<const Definition> shipped_agent(const std::string &name) {
  auto definition =
      load_definition(std::string(g_getenv("PATCHCORD_DATA_DIR")) + "/agents/" +
                      name + ".toml");
  if (!definition)
    g_error("%s", definition.error().message.c_str());
  return *std::move(definition);
}

void equal(const std::string &is, const std::string &expected) {
  if (is != expected)
    g_error("expected\n  %s\ngot\n  %s", expected.c_str(), is.c_str());
}

std::shared_ptr<const Definition> trip_definition(const char *more) {
  auto definition = parse_definition(std::string(kTrip) + more, "trip.toml");
  if (!definition)
    g_error("%s", definition.error().message.c_str());
  return std::make_shared<const Definition>(*std::move(definition));
}

ConversationScript::ConversationScript(
    std::unique_ptr<Mind> mind, std::string shown,
    std::shared_ptr<const Definition> definition)
    : conversation_(std::make_unique<Conversation>(
          definition ? std::move(definition) : trip_definition(),
          std::move(mind))),
      shown_(std::move(shown)) {}

std::unique_ptr<ConversationScript>
ConversationScript::scripted(std::string shown, const char *more) {
  const auto definition = trip_definition(more);
  return std::make_unique<ConversationScript>(
      std::make_unique<ScriptedMind>(definition, kWednesday), std::move(shown),
      definition);
}

std::unique_ptr<ConversationScript>
ConversationScript::model(std::string shown, const char *more) {
  openai::ChatRequest request;
  request.model = "m";
  const auto definition = trip_definition(more);
  return std::make_unique<ConversationScript>(
      std::make_unique<LlmMind>(definition, kWednesday, request),
      std::move(shown), definition);
}

std::unique_ptr<ConversationScript>
ConversationScript::asked(std::string shown, const char *more) {
  auto script = model({}, more);
  script->run({{0, "start", "start 1; Hello.; Which city?; end 1"},
               {100, "started:1", ""},
               {1000, "ended:1", ""},
               {2000, "speech", ""},
               {2500, "quiet", ""},
               {3000, "words:Rome", "request 1"}});
  script->show(std::move(shown));
  return script;
}

void ConversationScript::run(std::initializer_list<Step> steps) {
  for (const Step &step : steps) {
    advance(step.ms, step.input);
    const std::string is = actions();
    if (is != step.actions)
      g_error("at %d ms, %s: expected\n  %s\ngot\n  %s", step.ms,
              step.input.c_str(), step.actions.c_str(), is.c_str());
  }
}

void ConversationScript::advance(int ms, const std::string &input) {
  done_.clear();
  const TimePoint at = std::chrono::milliseconds(ms);
  g_assert_true(at >= now_);
  const bool first = input.starts_with("first:");
  while (!first && timer_ && *timer_ <= at) {
    now_ = *std::exchange(timer_, std::nullopt);
    take(conversation_->timer(now_));
  }
  now_ = at;
  take(perform(first ? after_colon(input) : input));
}

std::string ConversationScript::step(int ms, const std::string &input) {
  advance(ms, input);
  return actions();
}

std::string ConversationScript::request_body(int ms, const std::string &input) {
  body_.clear();
  advance(ms, input);
  if (body_.empty())
    g_error("no request at %d ms, %s: %s", ms, input.c_str(),
            actions().c_str());
  return body_;
}

std::string ConversationScript::actions() const { return join(done_, "; "); }

Actions ConversationScript::perform(const std::string &input) {
  const std::string what = input.substr(0, input.find(':'));
  const std::string rest = after_colon(input);
  Conversation &to = *conversation_;
  if (what == "start")
    return to.started(now_);
  if (what == "speech")
    return to.speech_started(now_, now_);
  if (what.starts_with("speech@"))
    return to.speech_started(
        now_, std::chrono::milliseconds(std::stoi(what.substr(7))));
  if (what == "quiet")
    return to.speech_stopped(now_, now_);
  if (what.starts_with("quiet@"))
    return to.speech_stopped(
        now_, std::chrono::milliseconds(std::stoi(what.substr(6))));
  if (what == "partial")
    return to.partial(now_, rest);
  if (what == "words")
    return to.final(now_, rest, std::nullopt);
  if (what.starts_with("words@"))
    return to.final(now_, rest,
                    std::chrono::milliseconds(std::stoi(what.substr(6))));
  if (what == "mumble")
    return to.not_understood(now_, std::nullopt);
  if (what == "key")
    return to.dtmf(now_, rest);
  if (what == "model")
    return to.model_text(now_, request_, rest);
  if (what == "model-done")
    return to.model_done(now_, request_, rest.empty() ? "stop" : rest, "");
  if (what == "calls")
    return to.model_done(now_, request_, "tool_calls", "", calls_of(rest));
  if (what == "tool" || what == "tool-failed")
    return tool(what, rest);
  if (what == "model-refuses")
    return to.model_done(now_, request_, "stop", rest);
  if (what == "old-model")
    return to.model_text(now_, request_ - 1, rest);
  if (what == "model-failed" || what == "model-broken")
    return to.model_failed(now_, request_,
                           {"openai", rest, "", what == "model-broken"});
  if (what == "deaf")
    return to.recogniser_failed(now_, {"ears", rest, "", false});
  if (what == "mute")
    return to.voice_failed(now_, {"mouth", rest, "", false});
  if (what == "gone")
    return to.caller_gone(now_);
  if (what == "answered")
    return to.answered_by(now_, rest);
  if (what == "wait")
    return {};
  return to.playout(now_, report(what, rest));
}

Actions ConversationScript::tool(const std::string &what,
                                 const std::string &rest) {
  const auto run = static_cast<std::uint32_t>(std::stoi(rest));
  const std::string told = after_colon(rest);
  if (what == "tool-failed")
    return conversation_->tool_done(now_, run, make_error(told, "it failed"));
  return conversation_->tool_done(
      now_, run, ToolAnswer{std::stoi(told), after_colon(told)});
}

PlayoutReport ConversationScript::report(const std::string &what,
                                         const std::string &rest) const {
  using What = PlayoutReport::What;
  PlayoutReport report;
  report.what = what == "started"    ? What::kStarted
                : what == "progress" ? What::kProgress
                : what == "ended"    ? What::kEnded
                : what == "held"     ? What::kHeld
                                     : What::kCut;
  g_assert_true(what == "cut" || report.what != What::kCut);
  report.utterance = static_cast<std::uint32_t>(std::stoi(rest));
  report.heard_text = after_colon(rest);
  report.heard_ms = report.heard_text.size() * 100;
  report.time = now_;
  if (report.what == What::kStarted) {
    report.first_audio = now_ - 40ms;
    report.first_sent = now_ - 20ms;
  }
  return report;
}

std::string ConversationScript::found_text(const Found &found) const {
  return shows("found")
             ? " " + found.turns + " " + found.missing + " " + found.invalid
             : "";
}

bool ConversationScript::shows(const char *what) const {
  return shown_.find(what) != std::string::npos;
}

void ConversationScript::take(const Actions &actions) {
  for (const Action &action : actions) {
    if (const auto *timer = std::get_if<action::SetTimer>(&action))
      timer_ = timer->deadline;
    if (const auto *request = std::get_if<action::StartRequest>(&action))
      request_ = request->request, body_ = request->body;
    if (std::string text = text_of(action); !text.empty())
      done_.push_back(std::move(text));
  }
  for (const Action &action : actions)
    if (const auto *start = std::get_if<action::StartUtterance>(&action);
        hears_closing_ && start != nullptr && !start->interruptible)
      take(perform("started:" + std::to_string(start->utterance)));
}

std::string ConversationScript::text_of(const Action &todo) const {
  const auto number = [](auto n) { return std::to_string(n); };
  if (const auto *a = std::get_if<action::StartUtterance>(&todo))
    return "start " + number(a->utterance) + (a->interruptible ? "" : "!");
  if (const auto *a = std::get_if<action::Say>(&todo))
    return a->text;
  if (const auto *a = std::get_if<action::EndUtterance>(&todo))
    return "end " + number(a->utterance);
  if (std::holds_alternative<action::Flush>(todo))
    return "flush";
  if (std::holds_alternative<action::Hold>(todo))
    return "hold";
  if (std::holds_alternative<action::Resume>(todo))
    return "resume";
  if (const auto *a = std::get_if<action::StartRequest>(&todo))
    return "request " + number(a->request) +
           (shows("request") ? " " + a->body : "");
  if (std::holds_alternative<action::CancelRequest>(todo))
    return "cancel";
  if (std::holds_alternative<action::EndCall>(todo))
    return "EOS";
  if (const auto *a = std::get_if<action::RunTool>(&todo))
    return "run " + number(a->run) + " " + a->request.method + " " +
           a->request.url + (a->request.body.empty() ? "" : " ") +
           a->request.body;
  if (std::holds_alternative<action::CancelTools>(todo))
    return "cancel tools";
  if (const auto *a = std::get_if<action::ToolEnded>(&todo))
    return "tool " + number(a->turn) + " " + a->name + " " + a->status + " " +
           number(a->took / 1ms);
  if (const auto *a = std::get_if<action::Transfer>(&todo))
    return "transfer " + a->target.name +
           (a->summary.empty() ? "" : " (" + a->summary + ")") +
           (shows("state") ? " " + a->state : "");
  if (const auto *a = std::get_if<action::AnsweredBy>(&todo))
    return a->who + ": " + a->outcome;
  if (const auto *a = std::get_if<action::Trouble>(&todo))
    return "trouble " + a->failure.code + (a->fatal ? "!" : "");
  if (const auto *a = std::get_if<action::Ended>(&todo))
    return "ended " + a->reason + " " + a->found.fields + found_text(a->found) +
           (a->goal_reached ? " goal" : "");
  if (const auto *a = std::get_if<action::Interrupted>(&todo))
    return "interrupted " + number(a->turn) + "/" + number(a->utterance) +
           " \"" + a->heard_text + "\" " + number(a->heard_ms);
  if (const auto *a = std::get_if<action::Expect>(&todo))
    return shows("expect")
               ? "expect " + std::string(to_string(a->expectation.kind))
               : "";
  if (const auto *a = std::get_if<action::Decided>(&todo))
    return shows("decided")
               ? "decided " + number(a->turn) + "/" + number(a->utterance) +
                     " " + a->action + " \"" + a->caller + "\" -> \"" +
                     a->message + "\" " + a->extracted + " " + a->found.fields +
                     found_text(a->found)
               : "";
  if (const auto *a = std::get_if<action::Heard>(&todo))
    return shows("heard") || a->state == "false-interruption"
               ? "heard " + number(a->turn) + "/" + number(a->utterance) + " " +
                     a->state + " \"" + a->text + "\""
               : "";
  if (const auto *a = std::get_if<action::Latency>(&todo))
    return shows("latency")
               ? "latency " + number(a->turn) + ": " + ms_of(a->speech_end) +
                     " " + ms_of(a->transcript) + " " + ms_of(a->decision) +
                     " " + ms_of(a->first_audio) + " " + ms_of(a->first_sent) +
                     (a->filler ? " filler" : "") +
                     (a->preemptive ? " preemptive" : "") +
                     (a->discarded != 0 ? " discarded " + number(a->discarded)
                                        : "")
               : "";
  return {};
}

std::string ConversationScript::history() const {
  std::vector<std::string> lines;
  for (const Said &said : conversation_->history())
    lines.push_back((said.who == Said::Who::kAgent ? "agent: " : "caller: ") +
                    said.text);
  return join(lines, " | ");
}

std::shared_ptr<const Definition> with_fields(const std::string &fields,
                                              bool confirm) {
  auto definition = parse_definition("name = \"n\"\n"
                                     "greeting = \"Hello.\"\n"
                                     "instructions = \"i\"\n" +
                                         fields +
                                         "[end]\n"
                                         "confirm = " +
                                         (confirm ? "true" : "false") +
                                         "\n"
                                         "goodbye = \"Done. Bye.\"\n"
                                         "apology = \"Sorry, bye.\"\n"
                                         "not_understood = \"Pardon?\"\n",
                                     "n.toml");
  if (!definition)
    g_error("%s", definition.error().message.c_str());
  return std::make_shared<const Definition>(*std::move(definition));
}

const char *const kEquipment = R"([[fields]]
name = "equipment"
type = "list"
question = "What do you need?"
reprompt = "A beamer, a board, a phone?"
choices = [
  { value = "beamer", spoken = ["a beamer", "beamer", "projector"] },
  { value = "board", spoken = ["a white board", "board"] },
  { value = "phone", spoken = ["a phone", "phone"] },
]
)";
const char *const kGuests = R"([[fields]]
name = "guests"
type = "list"
question = "Who comes?"
invalid = "From two to four, please."
min = 2
max = 4
max_length = 12
)";

const char *const kCode = R"([[fields]]
name = "code"
type = "digits"
question = "Your code?"
invalid = "It has four to six digits."
min_digits = 4
max_digits = 6
timeout_s = 3
)";

std::string play_lines(const std::shared_ptr<const Definition> &definition,
                       std::initializer_list<Line> lines) {
  ScriptedMind mind(definition, kWednesday);
  std::string heard = mind.open().message; // all of it, always
  for (const Line &line : lines) {
    const Reply reply = std::get<Reply>(
        mind.answer(line.caller, {{Said::Who::kAgent, heard},
                                  {Said::Who::kCaller, line.caller}}));
    heard = reply.message;
    if (reply.message != line.agent)
      g_error("\"%s\": expected\n  %s\ngot\n  %s", line.caller, line.agent,
              reply.message.c_str());
  }
  return to_json(*definition, mind.values());
}
