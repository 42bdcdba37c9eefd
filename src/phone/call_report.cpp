// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/call_report.hpp"

#include "base/handles.hpp"
#include "base/json.hpp"

#include <algorithm>
#include <cstdarg>

namespace patchcord::phone {
namespace {

[[gnu::format(printf, 1, 2)]] std::string format(const char *pattern, ...) {
  va_list values;
  va_start(values, pattern);
  const GCharPtr text(g_strdup_vprintf(pattern, values));
  va_end(values);
  return text.get();
}

void write_ms(JsonWriter &json, std::string_view name, double ms) {
  // A tenth of a millisecond is less than a sample.
  json.key(name).value(static_cast<double>(static_cast<std::int64_t>(
                           ms * 10 + (ms < 0 ? -0.5 : 0.5))) /
                       10);
}

void write_samples(JsonWriter &json, std::string_view name,
                   std::optional<Samples> samples) {
  if (samples)
    write_ms(json, name, to_ms(*samples));
}

const char *kind_name(const Line &line) {
  switch (line.what) {
  case Line::What::kSay:
    return "say";
  case Line::What::kWav:
    return "wav";
  case Line::What::kDtmf:
    return "dtmf";
  case Line::What::kHangUp:
    return "hang-up";
  }
  return "";
}

void write_turns(JsonWriter &json, const CallReport &report,
                 const std::vector<Line> &lines) {
  json.key("turns").begin_array();
  for (const CallerTurn &turn : report.turns) {
    json.begin_object().member("line", static_cast<std::int64_t>(turn.line));
    if (turn.line < lines.size())
      json.member("kind", kind_name(lines[turn.line]))
          .member("text", lines[turn.line].text);
    json.member("start_sample", turn.started);
    if (turn.voiced_end)
      json.member("end_sample", *turn.voiced_end);
    write_samples(json, "arrival_latency_ms", turn.arrival_latency());
    write_samples(json, "heard_latency_ms", turn.heard_latency());
    if (turn.talked_over)
      json.member("talked_over", true);
    if (turn.barge_in) {
      json.key("barge_in").begin_object();
      if (turn.cleared)
        write_ms(json, "clear_after_ms", to_ms(*turn.cleared - turn.started));
      write_samples(json, "leftover_ms", turn.leftover());
      write_ms(json, "dropped_ms", to_ms(turn.dropped));
      json.end_object();
    }
    json.end_object();
  }
  json.end_array();
}

void write_quantiles(JsonWriter &json, std::string_view name,
                     const std::vector<double> &values) {
  json.key(name).begin_object().member(
      "count", static_cast<std::uint64_t>(values.size()));
  if (!values.empty()) {
    write_ms(json, "median_ms", *quantile(values, 0.5));
    write_ms(json, "p99_ms", *quantile(values, 0.99));
    write_ms(json, "max_ms", *quantile(values, 1));
  }
  json.end_object();
}

void write_lateness(JsonWriter &json, const Lateness &lateness) {
  json.key("tick_lateness_ms").begin_object();
  json.member("ticks", lateness.count());
  write_ms(json, "p99", lateness.quantile_ms(0.99));
  write_ms(json, "max", lateness.max_ms());
  json.end_object();
}

void write_warnings(JsonWriter &json,
                    const std::map<std::string, Warning> &warnings) {
  json.key("warnings").begin_object();
  for (const auto &[code, warning] : warnings)
    json.key(code)
        .begin_object()
        .member("count", warning.count)
        .member("first", warning.first)
        .end_object();
  json.end_object();
}

void write_call(JsonWriter &json, const CallReport &report,
                const std::vector<Line> &lines) {
  json.member("call_sid", report.call_sid);
  json.member("stream_sid", report.stream_sid);
  json.member("end", report.end).member("in_order", report.in_order);
  if (!report.trouble.empty())
    json.member("trouble", report.trouble);
  write_ms(json, "duration_ms", to_ms(report.duration));
  write_ms(json, "webhook_ms", to_ms(report.webhook_latency));
  if (report.stream_started)
    write_ms(json, "audio_start_ms", to_ms(*report.stream_started));
  write_samples(json, "greeting_arrived_ms", report.first_media);
  write_samples(json, "greeting_heard_ms", report.first_heard);
  json.member("lines", static_cast<std::uint64_t>(report.lines));
  json.member("lines_begun", static_cast<std::uint64_t>(report.lines_begun));
  write_ms(json, "agent_speech_ms", to_ms(report.agent_speech));
  write_ms(json, "unheard_ms", to_ms(report.unheard));
  json.member("underruns", report.underruns).member("marks", report.marks);
  json.member("clears", report.clears);
  json.member("media_messages", report.media_messages);
  write_ms(json, "media_ms", to_ms(report.media_samples));
  json.key("said").begin_array();
  for (const std::string &text : report.said)
    json.value(text);
  json.end_array();
  json.key("dialled").begin_array();
  for (const DialledCall &call : report.dialled) {
    json.begin_object().member("number", call.number);
    json.member("caller_id", call.caller_id).member("outcome", call.outcome);
    json.key("whispered").begin_array();
    for (const std::string &text : call.whispered)
      json.value(text);
    json.end_array().end_object();
  }
  json.end_array();
  write_turns(json, report, lines);
  write_warnings(json, report.warnings);
}

void write_event(JsonWriter &json, const PhoneEvent &event) {
  json.begin_object();
  write_ms(json, "t_ms", to_ms(event.at));
  json.member("event", event.kind);
  for (const auto &[name, value] : event.fields) {
    json.key(name);
    std::visit([&](const auto &v) { json.value(v); }, value);
  }
  json.end_object();
}

std::string latency_text(const std::vector<double> &values) {
  return format("median %.0f ms, p99 %.0f ms (%zu)", *quantile(values, 0.5),
                *quantile(values, 0.99), values.size());
}

struct Totals {
  Latencies latencies;
  Lateness lateness;
  std::map<std::string, Warning> warnings;
  std::map<std::string, int> ends;
  std::size_t in_order = 0;
  std::uint64_t underruns = 0;
};

Totals add_up(const std::vector<CallReport> &reports) {
  Totals totals;
  for (const CallReport &report : reports) {
    totals.latencies.add(report);
    totals.lateness.merge(report.lateness);
    for (const auto &[code, warning] : report.warnings) {
      Warning &total = totals.warnings[code];
      total.count += warning.count;
      if (total.first.empty())
        total.first = warning.first;
    }
    ++totals.ends[report.end];
    totals.in_order += report.in_order ? 1 : 0;
    totals.underruns += report.underruns;
  }
  return totals;
}

std::string turns_text(const CallReport &report,
                       const std::vector<Line> &lines) {
  std::string out;
  for (const CallerTurn &turn : report.turns) {
    out += format("  %zu. ", turn.line + 1);
    if (turn.line < lines.size())
      out += lines[turn.line].text;
    out += ": ";
    if (turn.barge_in) {
      out += "barged in";
      if (const auto leftover = turn.leftover())
        out += format(", agent heard for %.0f ms more", to_ms(*leftover));
      if (turn.cleared)
        out += format(", clear after %.0f ms",
                      to_ms(*turn.cleared - turn.started));
      out += "; ";
    }
    if (turn.talked_over)
      out += "the agent spoke before the caller had finished";
    else if (const auto heard = turn.heard_latency())
      out += format("reply heard after %.0f ms", to_ms(*heard)) +
             (turn.arrival_latency() ? format(" (arrived after %.0f ms)",
                                              to_ms(*turn.arrival_latency()))
                                     : "");
    else
      out += "no reply heard";
    out += '\n';
  }
  return out;
}

} // namespace

void Lateness::add(Duration late) {
  if (buckets_.empty())
    buckets_.resize(kBuckets);
  late = std::max(late, Duration::zero());
  const auto bucket = static_cast<std::size_t>(late / 100us);
  ++buckets_[std::min(bucket, kBuckets - 1)];
  ++count_;
  max_ = std::max(max_, late);
}

void Lateness::merge(const Lateness &other) {
  if (other.count_ == 0)
    return;
  if (buckets_.empty())
    buckets_.resize(kBuckets);
  for (std::size_t i = 0; i < kBuckets; ++i)
    buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

double Lateness::quantile_ms(double fraction) const {
  const auto wanted =
      static_cast<std::uint64_t>(fraction * static_cast<double>(count_));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i + 1 < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen > wanted)
      return static_cast<double>(i + 1) / 10;
  }
  return max_ms();
}

void Latencies::add(const CallReport &report) {
  const auto keep = [](std::vector<double> &to, std::optional<Samples> from) {
    if (from)
      to.push_back(to_ms(*from));
  };
  keep(greeting_ms, report.first_heard);
  for (const CallerTurn &turn : report.turns) {
    keep(arrival_ms, turn.arrival_latency());
    keep(heard_ms, turn.heard_latency());
    keep(leftover_ms, turn.leftover());
  }
}

std::string pretty_json(std::string_view json) {
  if (!JsonDocument::parse(json))
    return {};
  // Valid JSON: what is not in a string is structure, and numbers stay as they
  // were written.
  std::string out;
  int depth = 0;
  bool in_string = false, escaped = false;
  const auto new_line = [&] {
    out += '\n';
    out.append(static_cast<std::size_t>(depth) * 2, ' ');
  };
  for (const char c : json) {
    if (in_string) {
      out += c;
      in_string = escaped || c != '"';
      escaped = !escaped && c == '\\';
    } else if (c == '"') {
      out += c;
      in_string = true;
    } else if (c == '{' || c == '[') {
      out += c;
      ++depth;
      new_line();
    } else if (c == '}' || c == ']') {
      --depth;
      // An empty one stays on its line.
      while (out.back() == ' ' || out.back() == '\n')
        out.pop_back();
      if (out.back() != '{' && out.back() != '[')
        new_line();
      out += c;
    } else if (c == ',') {
      out += c;
      new_line();
    } else if (c == ':') {
      out += ": ";
    } else if (g_ascii_isspace(c) == FALSE) {
      out += c;
    }
  }
  return out + "\n";
}

std::string timeline_json(const CallReport &report,
                          const std::vector<Line> &lines) {
  JsonWriter json;
  json.begin_object();
  write_call(json, report, lines);
  write_lateness(json, report.lateness);
  json.key("events").begin_array();
  // What is heard is known a little after it happened.
  std::vector<PhoneEvent> events = report.events;
  std::ranges::stable_sort(events, {}, &PhoneEvent::at);
  for (const PhoneEvent &event : events)
    write_event(json, event);
  json.end_array().end_object();
  return json.take();
}

std::string summary_json(const std::vector<CallReport> &reports,
                         const std::vector<Line> &lines) {
  const Totals totals = add_up(reports);
  JsonWriter json;
  json.begin_object();
  if (reports.size() == 1) {
    write_call(json, reports.front(), lines);
    if (!reports.front().record.empty())
      json.key("record").raw(reports.front().record);
  } else {
    json.key("ends").begin_object();
    for (const auto &[end, count] : totals.ends)
      json.member(end, count);
    json.end_object();
    json.member("underruns", totals.underruns);
    write_warnings(json, totals.warnings);
  }
  json.member("calls", static_cast<std::uint64_t>(reports.size()));
  json.member("calls_in_order", static_cast<std::uint64_t>(totals.in_order));
  json.key("latency").begin_object();
  write_quantiles(json, "arrival", totals.latencies.arrival_ms);
  write_quantiles(json, "heard", totals.latencies.heard_ms);
  write_quantiles(json, "greeting", totals.latencies.greeting_ms);
  write_quantiles(json, "barge_in_leftover", totals.latencies.leftover_ms);
  json.end_object();
  json.key("response_ms").begin_array();
  for (const double ms : totals.latencies.arrival_ms)
    json.value(ms);
  json.end_array();
  write_lateness(json, totals.lateness);
  json.end_object();
  return json.take();
}

std::string summary_text(const std::vector<CallReport> &reports,
                         const std::vector<Line> &lines) {
  const Totals totals = add_up(reports);
  std::string out;
  if (reports.size() == 1) {
    const CallReport &report = reports.front();
    out +=
        "call " + report.call_sid + ": " + report.end +
        format(" after %.1f s, %zu of %zu lines said",
               to_seconds(report.duration), report.lines_begun, report.lines) +
        (report.in_order ? ", in order\n" : "\n");
    if (!report.trouble.empty())
      out += "  trouble: " + report.trouble + "\n";
    for (const std::string &said : report.said)
      out += "  <Say> " + said + "\n";
    for (const DialledCall &call : report.dialled) {
      out += "  <Dial> " + call.number + ": " + call.outcome + "\n";
      for (const std::string &text : call.whispered)
        out += "    told: " + text + "\n";
    }
    out += turns_text(report, lines);
  } else {
    out += format("%zu calls, %zu in order:", reports.size(), totals.in_order);
    for (const auto &[end, count] : totals.ends)
      out += format(" %d %s", count, end.c_str());
    out += '\n';
    std::map<std::string, int> troubles;
    for (const CallReport &report : reports)
      if (!report.trouble.empty())
        ++troubles[report.trouble];
    for (const auto &[trouble, count] : troubles)
      out += format("  %d x ", count) + trouble + "\n";
  }
  const auto latency = [&](const char *what,
                           const std::vector<double> &values) {
    if (!values.empty())
      out += format("%-20s ", what) + latency_text(values) + "\n";
  };
  latency("greeting heard", totals.latencies.greeting_ms);
  latency("reply arrived", totals.latencies.arrival_ms);
  latency("reply heard", totals.latencies.heard_ms);
  latency("barge-in leftover", totals.latencies.leftover_ms);
  if (totals.underruns != 0)
    out += format("underruns            %llu: holes in the agent's speech\n",
                  static_cast<unsigned long long>(totals.underruns));
  for (const auto &[code, warning] : totals.warnings)
    out += format("warning %s (%llu x): ", code.c_str(),
                  static_cast<unsigned long long>(warning.count)) +
           warning.first + "\n";
  if (totals.lateness.count() != 0)
    out += format("phone's own ticks    p99 %.1f ms late, at most %.1f ms\n",
                  totals.lateness.quantile_ms(0.99), totals.lateness.max_ms());
  return out;
}

} // namespace patchcord::phone
