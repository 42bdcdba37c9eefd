// SPDX-License-Identifier: LGPL-2.1-or-later
#include "recording/event.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

#include <fstream>
#include <optional>
#include <sstream>
#include <variant>

namespace patchcord::recording {
namespace {

// A request's body is its longest text.
constexpr JsonLimits kLimits{std::size_t{4} << 20, 32};
// Longer than any call.
constexpr Duration kLongest = std::chrono::hours(48);
// Samples of a message, a buffer: ten minutes, what a voice may give at once.
constexpr std::int64_t kMostSamples = std::int64_t{600} * 8000;
constexpr std::int64_t kVersion = 1;

using Text = std::string Event::*;
using Number = std::int64_t Event::*;
using Time = Duration Event::*;
using Truth = bool Event::*;
using Numbers = std::vector<std::int64_t> Event::*;

struct Samples { // a number of them
  Number member;
};
struct Json { // an object, kept as its text
  Text member;
};

struct Key {
  const char *name;
  std::variant<Text, Number, Time, Truth, Numbers, Samples, Json> member;
};

struct Shape {
  Kind kind;
  const char *name;
  std::vector<Key> keys;
};

const std::vector<Shape> &shapes() {
  const auto failure = [](Kind kind, const char *name) {
    return Shape{kind,
                 name,
                 {{"provider", &Event::detail},
                  {"code", &Event::code},
                  {"message", &Event::text},
                  {"retryable", &Event::flag}}};
  };
  static const std::vector<Shape> all = {
      {Kind::kStreamStart, "stream-start", {{"stream_sid", &Event::text}}},
      {Kind::kMedia,
       "media",
       {{"timestamp_ms", &Event::number}, {"samples", Samples{&Event::count}}}},
      {Kind::kDigit, "digit", {{"digit", &Event::text}}},
      {Kind::kMarkBack, "mark-back", {{"name", &Event::text}}},
      {Kind::kStreamEnd,
       "stream-end",
       {{"end", &Event::text}, {"detail", &Event::detail}}},
      {Kind::kSent, "sent", {{"samples", Samples{&Event::count}}}},
      {Kind::kMark, "mark", {{"name", &Event::text}}},
      {Kind::kClear, "clear", {}},
      {Kind::kSpeechStarted, "speech-started", {{"at", &Event::from}}},
      {Kind::kSpeechStopped, "speech-stopped", {{"at", &Event::to}}},
      {Kind::kPartial, "partial", {{"text", &Event::text}}},
      {Kind::kWords,
       "words",
       {{"text", &Event::text},
        {"from", &Event::from},
        {"to", &Event::to},
        {"mumbled", &Event::flag}}},
      failure(Kind::kEarsFailed, "ears-failed"),
      {Kind::kEarsOver, "ears-over", {}},
      {Kind::kSay,
       "say",
       {{"utterance", &Event::number}, {"text", &Event::text}}},
      {Kind::kUtterance,
       "utterance",
       {{"utterance", &Event::number}, {"interruptible", &Event::flag}}},
      {Kind::kSpoken,
       "spoken",
       {{"utterance", &Event::number},
        {"text", &Event::text},
        {"timings", &Event::numbers}}},
      {Kind::kVoice, "voice", {{"samples", Samples{&Event::count}}}},
      {Kind::kUtteranceEnd, "utterance-end", {{"utterance", &Event::number}}},
      failure(Kind::kMouthFailed, "mouth-failed"),
      {Kind::kMouthOver, "mouth-over", {}},
      {Kind::kRequest,
       "request",
       {{"request", &Event::number},
        {"method", &Event::code},
        {"url", &Event::detail},
        {"body", &Event::text}}},
      {Kind::kResponse,
       "response",
       {{"request", &Event::number},
        {"status", &Event::count},
        {"content_type", &Event::text}}},
      {Kind::kData,
       "data",
       {{"request", &Event::number}, {"text", &Event::text}}},
      {Kind::kResponseOver,
       "response-over",
       {{"request", &Event::number},
        {"code", &Event::code},
        {"message", &Event::text}}},
      {Kind::kEnd, "end", {{"reason", &Event::code}, {"detail", &Event::text}}},
      {Kind::kAnsweredBy, "answered-by", {{"answered_by", &Event::text}}},
      {Kind::kTransferEnded,
       "transfer-ended",
       {{"outcome", &Event::code}, {"over", &Event::flag}}},
      {Kind::kTold, "told", {{"event", Json{&Event::text}}}},
  };
  return all;
}

std::int64_t to_us(Duration time) { return time / 1us; }

// --- writing -----------------------------------------------------------------

void write(JsonWriter &out, const Event &event, const Key &key) {
  out.key(key.name);
  if (const auto *text = std::get_if<Text>(&key.member))
    out.value(event.**text);
  else if (const auto *number = std::get_if<Number>(&key.member))
    out.value(event.**number);
  else if (const auto *time = std::get_if<Time>(&key.member))
    out.value(to_us(event.**time));
  else if (const auto *truth = std::get_if<Truth>(&key.member))
    out.value(event.**truth);
  else if (const auto *samples = std::get_if<Samples>(&key.member))
    out.value(event.*samples->member);
  else if (const auto *json = std::get_if<Json>(&key.member))
    out.raw(event.*json->member);
  else {
    out.begin_array();
    for (const std::int64_t each : event.*std::get<Numbers>(key.member))
      out.value(each);
    out.end_array();
  }
}

// --- reading -----------------------------------------------------------------

// One line's values; the first that is wrong is told.
class Line {
public:
  Line(JsonView root, std::string where)
      : root_(root), where_(std::move(where)) {}

  template <typename T>
  T take(const char *key, std::optional<T> value, const char *expected) {
    if (!value)
      fail(key, expected);
    return value.value_or(T{});
  }
  std::string text(const char *key) {
    return take(key, root_[key].string(), "a text");
  }
  std::int64_t number(const char *key, std::int64_t max) {
    const auto value = take(key, root_[key].integer(), "a whole number");
    if (value < 0 || value > max)
      fail(key, ("0 to " + std::to_string(max)).c_str());
    return value;
  }
  Duration time(const char *key) {
    return std::chrono::microseconds(number(key, kLongest / 1us));
  }
  JsonView view(const char *key) const { return root_[key]; }

  void fail(const char *key, const char *expected) {
    const JsonView got = root_[key];
    if (!error_)
      error_ = make_error("bad_recording", where_ + ": " + key + ": expected " +
                                               expected + ", got " +
                                               (got ? got.dump() : "nothing"));
  }
  const std::optional<Error> &error() const { return error_; }

private:
  const JsonView root_;
  const std::string where_;
  std::optional<Error> error_;
};

void read(Line &line, Event &event, const Key &key) {
  constexpr std::int64_t kMost = std::int64_t{1} << 53; // what JSON can say
  if (const auto *text = std::get_if<Text>(&key.member)) {
    event.**text = line.text(key.name);
  } else if (const auto *number = std::get_if<Number>(&key.member)) {
    event.**number = line.number(key.name, kMost);
  } else if (const auto *time = std::get_if<Time>(&key.member)) {
    event.**time = line.time(key.name);
  } else if (const auto *truth = std::get_if<Truth>(&key.member)) {
    event.**truth =
        line.take(key.name, line.view(key.name).boolean(), "true or false");
  } else if (const auto *samples = std::get_if<Samples>(&key.member)) {
    event.*samples->member = line.number(key.name, kMostSamples);
  } else if (const auto *json = std::get_if<Json>(&key.member)) {
    const JsonView object = line.view(key.name);
    if (!object.is_object())
      line.fail(key.name, "an object");
    event.*json->member = object.dump();
  } else {
    const JsonView array = line.view(key.name);
    if (!array.is_array())
      line.fail(key.name, "an array of numbers");
    for (std::size_t i = 0; i < array.size(); ++i)
      (event.*std::get<Numbers>(key.member))
          .push_back(array.at(i).integer().value_or(0));
  }
}

Result<Event> read_event(JsonView root, const std::string &where) {
  Line line(root, where);
  Event event;
  const std::string what = line.text("what");
  event.t = line.time("t");
  const Shape *shape = nullptr;
  for (const Shape &each : shapes())
    if (what == each.name)
      shape = &each;
  if (shape == nullptr) {
    line.fail("what", "a kind of event of docs/recordings.md");
  } else {
    event.kind = shape->kind;
    for (const Key &key : shape->keys)
      read(line, event, key);
  }
  if (line.error())
    return *line.error();
  return event;
}

Result<Header> read_header(JsonView root, const std::string &where) {
  Line line(root, where);
  Header header;
  if (line.number("recording", kVersion) != kVersion)
    line.fail("recording", "1, the version of the format");
  header.call_sid = line.text("call_sid");
  header.account_sid = line.text("account_sid");
  header.agent = line.text("agent");
  header.pipeline = line.text("pipeline");
  header.today = line.text("today");
  header.answered_ms = line.number("answered_ms", std::int64_t{1} << 53);
  header.max_duration_s = line.number("max_duration_s", 86'400);
  if (!line.view("elements").is_object())
    line.fail("elements", "an object");
  line.view("elements")
      .for_each_member([&](std::string_view element, JsonView properties) {
        properties.for_each_member([&](std::string_view name, JsonView value) {
          header.elements[std::string(element)][std::string(name)] =
              value.string().value_or("");
        });
      });
  if (line.error())
    return *line.error();
  return header;
}

} // namespace

std::string to_line(const Header &header) {
  JsonWriter out;
  out.begin_object()
      .member("recording", kVersion)
      .member("call_sid", header.call_sid)
      .member("account_sid", header.account_sid)
      .member("agent", header.agent)
      .member("pipeline", header.pipeline)
      .member("today", header.today)
      .member("answered_ms", header.answered_ms)
      .member("max_duration_s", header.max_duration_s);
  out.key("elements").begin_object();
  for (const auto &[element, properties] : header.elements) {
    out.key(element).begin_object();
    for (const auto &[name, value] : properties)
      out.member(name, value);
    out.end_object();
  }
  out.end_object().end_object();
  return out.take();
}

std::string to_line(const Event &event) {
  JsonWriter out;
  for (const Shape &shape : shapes()) {
    if (shape.kind != event.kind)
      continue;
    out.begin_object().member("t", to_us(event.t)).member("what", shape.name);
    for (const Key &key : shape.keys)
      write(out, event, key);
    out.end_object();
  }
  return out.take();
}

Result<std::optional<Event>> Parser::take(std::string_view line) {
  const std::string where = file_ + ":" + std::to_string(++lines_);
  const auto document = JsonDocument::parse(line, kLimits);
  if (!document)
    return make_error("bad_recording", where + ": " + document.error().message);
  if (lines_ == 1) {
    auto header = read_header(document->root(), where);
    if (!header)
      return header.error();
    header_ = *std::move(header);
    return std::optional<Event>();
  }
  auto event = read_event(document->root(), where);
  if (!event)
    return event.error();
  if (event->t < last_)
    return make_error("bad_recording",
                      where + ": t: expected no less than in the line before");
  last_ = event->t;
  return std::optional<Event>(*std::move(event));
}

Result<Recording> parse_recording(std::string_view text,
                                  const std::string &file) {
  Recording recording;
  Parser parser(file);
  for (bool first = true; !text.empty(); first = false) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos && !first)
      break;
    auto event = parser.take(text.substr(0, end));
    if (!event)
      return event.error();
    if (*event)
      recording.events.push_back(**std::move(event));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  recording.header = parser.header();
  if (recording.header.call_sid.empty())
    return make_error("bad_recording", file + ": is empty");
  const auto &events = recording.events;
  // Of a stream whose caller came back from a transfer in another one, the end
  // of that is the last thing told.
  const auto ends_with = [&](const char *told) {
    return !events.empty() && events.back().kind == Kind::kTold &&
           events.back().text.find(told) != std::string::npos;
  };
  recording.complete =
      ends_with("\"call-ended\"") || ends_with("\"transfer-ended\"");
  return recording;
}

Result<Recording> read_recording(const std::string &folder) {
  const std::string file = folder + "/" + kEventsFile;
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in)
    return make_error("bad_recording", file + ": cannot be read");
  return parse_recording(text.str(), file);
}

Result<> for_each_event(const std::string &folder,
                        const std::function<Result<>(const Event &)> &take) {
  const std::string file = folder + "/" + kEventsFile;
  std::ifstream in(file, std::ios::binary);
  if (!in)
    return make_error("bad_recording", file + ": cannot be read");
  Parser parser(file);
  // A last line without its newline was cut off.
  for (std::string line; std::getline(in, line) && !in.eof();) {
    const auto event = parser.take(line);
    if (!event)
      return event.error();
    if (!*event)
      continue;
    if (auto taken = take(**event); !taken)
      return taken;
  }
  return ok();
}

} // namespace patchcord::recording
