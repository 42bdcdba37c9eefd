// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/live_view.hpp"

#include "base/handles.hpp"

#include <glib.h>

#include <cmath>
#include <utility>

namespace patchcord::phone {
namespace {

constexpr char kCaller[] = "\033[36m", kAgent[] = "\033[32m",
               kDetail[] = "\033[2m", kTrouble[] = "\033[31m";

// What others say must not reach the terminal as control sequences.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return out;
}

std::string quoted(std::string_view text) {
  return '"' + printable(text) + '"';
}

std::string seconds(double ms) {
  char text[32];
  g_snprintf(text, sizeof text, "%.1f s", ms / 1000);
  return text;
}

std::string text_of(JsonView view) {
  return view.string().value_or(view.dump());
}

// "date=tomorrow, people=4"
std::string fields_text(JsonView fields) {
  std::string out;
  fields.for_each_member([&](std::string_view name, JsonView value) {
    if (value.is_null())
      return;
    out += (out.empty() ? "" : ", ") + std::string(name) + "=" + text_of(value);
  });
  return out;
}

} // namespace

LiveView::LiveView(const Style &style,
                   std::function<void(std::string_view)> write)
    : style_(style), write_(std::move(write)) {}

void LiveView::line(Duration at, const char *color, std::string_view who,
                    std::string_view text) {
  char head[64];
  g_snprintf(head, sizeof head, "%7.2f  %-9.*s ", to_seconds(at),
             static_cast<int>(who.size()), who.data());
  std::string out;
  if (std::exchange(partial_shown_, false))
    out += "\r\033[K"; // the partial transcript gives way
  out += head;
  const bool colored = style_.color && *color != '\0';
  if (colored)
    out += color;
  out += printable(text);
  if (colored)
    out += "\033[0m";
  out += '\n';
  write_(out);
}

void LiveView::phone(const PhoneEvent &event) {
  const auto is = [&](std::string_view kind) { return event.kind == kind; };
  if (is("webhook"))
    line(event.at, kDetail, "phone", "calls " + event.text("url"));
  else if (is("say"))
    line(event.at, kAgent, "<Say>", event.text("text"));
  else if (is("stream-started"))
    line(event.at, kDetail, "phone", "connected, " + event.text("call_sid"));
  else if (is("line-started"))
    line(event.at, kCaller, "caller", quoted(event.text("text")));
  else if (is("dtmf"))
    line(event.at, kCaller, "caller", "presses " + event.text("digit"));
  else if (is("agent-speech-started"))
    agent_heard(event);
  else if (is("agent-speech-ended") && !agent_known_)
    line(event.at, kDetail, "agent", "is quiet");
  else if (is("clear"))
    line(event.at, kDetail, "",
         "the agent falls silent; " + seconds(event.number("dropped_ms")) +
             " of its words are dropped");
  else if (is("hang-up"))
    line(event.at, kCaller, "caller",
         "hangs up" + (event.text("reason").empty()
                           ? std::string()
                           : " (" + event.text("reason") + ")"));
  else if (is("warning"))
    line(event.at, kTrouble, "warning",
         event.text("code") + ": " + event.text("text"));
  else if (is("call-ended"))
    line(event.at, event.text("trouble").empty() ? kDetail : kTrouble, "phone",
         "call over: " + event.text("end") +
             (event.text("trouble").empty() ? ""
                                            : ", " + event.text("trouble")));
}

void LiveView::agent_heard(const PhoneEvent &event) {
  const double waited = event.number("latency_ms");
  if (!agent_known_)
    line(event.at, kAgent, "agent", "speaks");
  if (waited > 0)
    line(event.at, kDetail, "",
         "the caller waited " +
             std::to_string(static_cast<long>(std::lround(waited))) + " ms");
}

void LiveView::agent(Duration at, std::string_view json) {
  const auto document = JsonDocument::parse(json);
  if (!document)
    return;
  const JsonView event = document->root();
  const std::string kind = event["event"].string().value_or("");
  agent_known_ = agent_known_ || !kind.empty();
  const std::string text = event["text"].string().value_or("");
  if (kind == "transcript" && event["final"].boolean().value_or(false)) {
    line(at, kDetail, "", "recognised: " + quoted(text));
  } else if (kind == "transcript" && style_.partials) {
    write_("\r\033[K                   ... " + printable(text));
    partial_shown_ = true;
  } else if (kind == "decision") {
    agent_decided(at, event);
  } else if (kind == "interrupted") {
    line(at, kDetail, "",
         "interrupted; the caller heard " +
             quoted(event["heard_text"].string().value_or("")));
  } else if (kind == "turn-latency") {
    turn_latency(at, event);
  } else if (kind == "provider-trouble") {
    line(at, kTrouble, "trouble",
         event["provider"].string().value_or("") + ": " +
             event["message"].string().value_or(""));
  } else if (kind == "conversation-ended") {
    line(at, kDetail, "agent",
         "conversation over: " + event["reason"].string().value_or("") +
             (event["goal_reached"].boolean().value_or(false)
                  ? ", goal reached"
                  : ", goal not reached"));
  }
}

void LiveView::agent_decided(Duration at, JsonView event) {
  const std::string extracted = fields_text(event["extracted"]);
  line(at, kDetail, "",
       "decided: " + event["action"].string().value_or("") +
           (extracted.empty() ? "" : "; " + extracted));
  line(at, kAgent, "agent", quoted(event["message"].string().value_or("")));
}

void LiveView::turn_latency(Duration at, JsonView event) {
  constexpr std::pair<const char *, const char *> kStages[] = {
      {"transcript_ms", "recognised"},
      {"decision_ms", "decided"},
      {"first_audio_ms", "voice"},
      {"sent_ms", "sent"}};
  std::string text;
  for (const auto &[member, stage] : kStages)
    if (const auto ms = event[member].number())
      text += (text.empty() ? "" : ", ") + std::string(stage) + " " +
              std::to_string(static_cast<long>(std::lround(*ms)));
  if (!text.empty())
    line(at, kDetail, "", "ms after the caller's last word: " + text);
}

} // namespace patchcord::phone
