// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/script.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace patchcord::phone {
namespace {

constexpr std::string_view kDirectives[] = {
    "say",      "wav",   "dtmf", "hang-up", "hang-up-after",
    "barge-in", "after", "wait", "voice",   "reply-after"};

Error bad(std::string message) {
  return make_error("bad_script", std::move(message));
}

} // namespace

Result<Duration> parse_duration(std::string_view text, Duration unit) {
  text = trim(text);
  const auto wrong = [&] {
    return make_error("bad_duration",
                      "expected a time such as 700ms or 1.5s, got \"" +
                          std::string(text) + "\"");
  };
  double number = 0;
  const auto [rest, failure] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc())
    return wrong();
  const std::string_view suffix(
      rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  if (suffix == "ms")
    unit = 1ms;
  else if (suffix == "s")
    unit = 1s;
  else if (suffix == "m")
    unit = 60s;
  else if (!suffix.empty())
    return wrong();
  const double nanoseconds = number * static_cast<double>(unit.count());
  constexpr double kDay = 86400e9;
  if (!(nanoseconds >= 0 && nanoseconds <= kDay))
    return wrong();
  return Duration(static_cast<Duration::rep>(nanoseconds));
}

bool Script::is_directive(std::string_view word) {
  return std::ranges::find(kDirectives, word) != std::end(kDirectives);
}

Result<Unit> Script::set_cue(std::string_view directive,
                             std::string_view argument) {
  if (!pending_.empty())
    return bad("\"" + std::string(directive) + "\" follows \"" + pending_ +
               "\": one cue a line");
  const auto amount =
      parse_duration(argument, directive == "after" ? Duration(1s) : 1ms);
  if (!amount)
    return bad(std::string(directive) + ": " + amount.error().message);
  next_.kind = directive == "barge-in" ? Cue::Kind::kBargeIn
               : directive == "after"  ? Cue::Kind::kSilence
                                       : Cue::Kind::kWait;
  next_.amount = *amount;
  pending_ = directive;
  return ok();
}

Line &Script::add_line(Line::What what, std::string_view text) {
  Line line;
  line.what = what;
  line.text = text;
  line.cue = std::exchange(next_, Cue{Cue::Kind::kReply, reply_after_});
  if (pending_.empty())
    line.cue = Cue{Cue::Kind::kReply, reply_after_};
  if (what == Line::What::kSay)
    line.voice = voice_;
  pending_.clear();
  return lines_.emplace_back(std::move(line));
}

Result<Unit> Script::add(std::string_view directive, std::string_view argument,
                         std::string where) {
  argument = trim(argument);
  if (!is_directive(directive))
    return bad("unknown directive \"" + std::string(directive) + "\"");
  if (directive != "hang-up" && argument.empty())
    return bad("\"" + std::string(directive) + "\" needs an argument");
  if (directive == "say") {
    add_line(Line::What::kSay, argument).where = std::move(where);
  } else if (directive == "wav") {
    add_line(Line::What::kWav, argument).where = std::move(where);
  } else if (directive == "dtmf") {
    if (argument.find_first_not_of("0123456789*#") != std::string_view::npos)
      return bad("dtmf: keys are 0-9 * #, got \"" + std::string(argument) +
                 "\"");
    add_line(Line::What::kDtmf, argument);
  } else if (directive == "hang-up") {
    if (!argument.empty())
      return bad("hang-up takes no argument; hang-up-after does");
    add_line(Line::What::kHangUp, "");
  } else if (directive == "hang-up-after") {
    if (auto set = set_cue(directive, argument); !set)
      return set;
    add_line(Line::What::kHangUp, "");
  } else if (directive == "voice") {
    voice_ = argument;
  } else if (directive == "reply-after") {
    const auto amount = parse_duration(argument, 1ms);
    if (!amount)
      return bad("reply-after: " + amount.error().message);
    reply_after_ = *amount;
  } else {
    return set_cue(directive, argument);
  }
  return ok();
}

Result<Unit> Script::add_text(std::string_view text, const std::string &name) {
  if (!valid_utf8(text))
    return bad(name + ": not UTF-8 text");
  int number = 0;
  for (const std::string &raw : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(raw);
    if (line.empty() || line.front() == '#')
      continue;
    const std::size_t space = std::min(line.find_first_of(" \t"), line.size());
    const std::string at = name + ":" + std::to_string(number) + ": ";
    const std::string directive(line.substr(0, space));
    if (auto added = add(directive, line.substr(space), at + directive + ": ");
        !added)
      return bad(at + added.error().message);
  }
  return ok();
}

Result<Unit> Script::finish() const {
  if (!pending_.empty())
    return bad("\"" + pending_ + "\" has no line behind it");
  return ok();
}

} // namespace patchcord::phone
