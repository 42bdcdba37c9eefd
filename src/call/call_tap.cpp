// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/call_tap.hpp"

#include "base/text.hpp"
#include "base/url.hpp"
#include "call/graph_builder.hpp"
#include "call/tapped_stream.hpp"
#include "graph/contexts.hpp"
#include "graph/events.hpp"
#include "net/http_client.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

namespace patchcord::call {
namespace {

using recording::Event;
using recording::Kind;

// What other parts of the recording hold; and secrets.
const std::set<std::string_view> kNotKept = {"name", "parent", "definition",
                                             "today", "api-key"};

Duration time_of(GstClockTime time) {
  return GST_CLOCK_TIME_IS_VALID(time)
             ? Duration(static_cast<Duration::rep>(time))
             : Duration{};
}

template <typename T> Event failure(Kind kind, const T &failed) {
  Event event;
  event.kind = kind;
  event.detail = failed.provider;
  event.code = failed.code;
  event.text = failed.message;
  event.flag = failed.retryable;
  return event;
}

Event of_utterance(Kind kind, std::int64_t utterance, std::string text = {}) {
  Event event;
  event.kind = kind;
  event.number = utterance;
  event.text = std::move(text);
  return event;
}

std::string local_date() {
  GDateTime *now = g_date_time_new_now_local();
  const GCharPtr text(g_date_time_format(now, "%Y-%m-%d"));
  g_date_time_unref(now);
  return text.get();
}

// Of the elements whose settings decide.
std::string today_of(GstElement *agent) {
  char *raw = nullptr;
  g_object_get(agent, "today", &raw, nullptr);
  const GCharPtr today(raw);
  return today && *today.get() != '\0' ? today.get() : local_date();
}

} // namespace

std::map<std::string, std::string> set_properties(GstElement *element) {
  std::map<std::string, std::string> set;
  guint count = 0;
  GParamSpec **specs =
      g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count);
  for (guint i = 0; i < count; ++i) {
    GParamSpec *spec = specs[i];
    if ((spec->flags & G_PARAM_READABLE) == 0 ||
        (spec->flags & G_PARAM_WRITABLE) == 0 || kNotKept.contains(spec->name))
      continue;
    GValue value = G_VALUE_INIT;
    g_value_init(&value, spec->value_type);
    g_object_get_property(G_OBJECT(element), spec->name, &value);
    const bool is_default = g_param_value_defaults(spec, &value) != FALSE;
    if (G_VALUE_HOLDS_STRING(&value)) {
      const char *text = g_value_get_string(&value);
      if (!is_default && text != nullptr)
        set[spec->name] = std::strstr(text, "://") != nullptr
                              ? redacted_url(text)
                              : std::string(text);
    } else if (!is_default) {
      if (const GCharPtr text(gst_value_serialize(&value)); text)
        set[spec->name] = text.get();
    }
    g_value_unset(&value);
  }
  g_free(specs);
  return set;
}

// --- where it listens --------------------------------------------------------

std::shared_ptr<twilio::MediaStream>
CallTap::tap(std::shared_ptr<twilio::MediaStream> stream) {
  return std::make_shared<TappedStream>(
      std::move(stream),
      [weak = weak_from_this()](Event event, ByteSpan audio) {
        const auto self = weak.lock();
        if (!self || !self->tape_)
          return;
        if (event.kind == Kind::kMedia)
          self->tape_->caller_audio(audio);
        else if (event.kind == Kind::kSent)
          self->tape_->agent_audio(audio);
        self->note(std::move(event));
      });
}

void CallTap::tap(GstElement *graph, recording::Header header) {
  graph_ = Ref<GstElement>::share(graph);
  gst_segment_init(&ears_segment_, GST_FORMAT_TIME);
  const auto agent = find_element(graph, "agent");
  const auto sink = find_element(graph, "twiliosink");
  if (agent) {
    header.today = today_of(agent.get());
    header.elements["agent"] = set_properties(agent.get());
    watch(agent.get(), "sink",
          static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                       GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
          &CallTap::from_ears);
    watch(agent.get(), "src",
          static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                       GST_PAD_PROBE_TYPE_EVENT_BOTH),
          &CallTap::to_mouth);
  }
  if (sink) {
    header.elements["twiliosink"] = set_properties(sink.get());
    watch(sink.get(), "sink",
          static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                       GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
          &CallTap::from_mouth);
  }
  graph::set_http_observer(graph, shared_from_this());
  tape_->begin(header);
}

void CallTap::watch(GstElement *element, const char *pad_name,
                    GstPadProbeType what, See see) {
  struct Watch {
    std::weak_ptr<CallTap> tap;
    Worker &worker;
    See see;
  };
  const auto pad =
      Ref<GstPad>::adopt(gst_element_get_static_pad(element, pad_name));
  if (!pad)
    return;
  gst_pad_add_probe(
      pad.get(), what,
      [](GstPad *, GstPadProbeInfo *info, gpointer data) {
        const auto &watch = *static_cast<Watch *>(data);
        if (watch.worker.on_thread())
          if (const auto tap = watch.tap.lock(); tap && tap->tape_)
            (tap.get()->*watch.see)(info);
        return GST_PAD_PROBE_OK;
      },
      new Watch{weak_from_this(), worker_, see},
      [](gpointer data) { delete static_cast<Watch *>(data); });
}

void CallTap::close() {
  tape_.reset();
  graph_.reset();
}

void CallTap::note(Event event) {
  if (!tape_)
    return;
  if (origin_ < TimePoint{} && graph_)
    if (const auto running = graph::running_time(graph_.get());
        GST_CLOCK_TIME_IS_VALID(running))
      origin_ = worker_.now() - time_of(running);
  if (origin_ >= TimePoint{})
    event.t = worker_.now() - origin_;
  tape_->note(event);
}

// --- the recogniser ----------------------------------------------------------

void CallTap::from_ears(GstPadProbeInfo *info) {
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0)
    words(GST_PAD_PROBE_INFO_BUFFER(info));
  else
    ears_event(GST_PAD_PROBE_INFO_EVENT(info));
}

void CallTap::words(GstBuffer *buffer) {
  Event event;
  event.kind = Kind::kWords;
  const MappedBuffer mapped(buffer);
  event.text = as_text(mapped.bytes());
  event.flag = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP);
  if (GST_BUFFER_PTS_IS_VALID(buffer) &&
      ears_segment_.format == GST_FORMAT_TIME) {
    const GstClockTime pts = GST_BUFFER_PTS(buffer);
    const auto running = [this](GstClockTime time) {
      return time_of(
          gst_segment_to_running_time(&ears_segment_, GST_FORMAT_TIME, time));
    };
    event.from = event.to = running(pts);
    if (GST_BUFFER_DURATION_IS_VALID(buffer))
      event.to = running(pts + GST_BUFFER_DURATION(buffer));
  }
  note(std::move(event));
}

void CallTap::ears_event(GstEvent *event) {
  Event noted;
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
    gst_event_copy_segment(event, &ears_segment_);
    return;
  }
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    noted.kind = Kind::kEarsOver;
  } else if (const auto started = events::parse<events::SpeechStarted>(event)) {
    noted.kind = Kind::kSpeechStarted;
    noted.from = time_of(started->time);
  } else if (const auto stopped = events::parse<events::SpeechStopped>(event)) {
    noted.kind = Kind::kSpeechStopped;
    noted.to = time_of(stopped->time);
  } else if (auto partial = events::parse<events::PartialTranscript>(event)) {
    noted.kind = Kind::kPartial;
    noted.text = std::move(partial->text);
  } else if (const auto failed = events::parse<events::ProviderFailed>(event)) {
    noted = failure(Kind::kEarsFailed, *failed);
  } else {
    return;
  }
  note(std::move(noted));
}

// --- the voice ---------------------------------------------------------------

void CallTap::to_mouth(GstPadProbeInfo *info) {
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
    const MappedBuffer mapped(GST_PAD_PROBE_INFO_BUFFER(info));
    note(of_utterance(Kind::kSay, utterance_,
                      std::string(as_text(mapped.bytes()))));
    return;
  }
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
  if (const auto start = events::parse<events::UtteranceStart>(event))
    utterance_ = start->utterance;
  else if (const auto failed = events::parse<events::VoiceFailed>(event))
    note(failure(Kind::kMouthFailed, *failed));
}

void CallTap::from_mouth(GstPadProbeInfo *info) {
  if ((GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER) == 0)
    return mouth_event(GST_PAD_PROBE_INFO_EVENT(info));
  Event event;
  event.kind = Kind::kVoice;
  event.count = static_cast<std::int64_t>(
      gst_buffer_get_size(GST_PAD_PROBE_INFO_BUFFER(info)));
  note(std::move(event));
}

void CallTap::mouth_event(GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    note(of_utterance(Kind::kMouthOver, 0));
  } else if (const auto start = events::parse<events::UtteranceStart>(event)) {
    Event noted = of_utterance(Kind::kUtterance, start->utterance);
    noted.flag = start->interruptible;
    note(std::move(noted));
  } else if (auto spoken = events::parse<events::SpokenText>(event)) {
    Event noted =
        of_utterance(Kind::kSpoken, spoken->utterance, std::move(spoken->text));
    for (const auto &timing : spoken->timings) {
      noted.numbers.push_back(timing.offset);
      noted.numbers.push_back(timing.ms);
    }
    note(std::move(noted));
  } else if (const auto end = events::parse<events::UtteranceEnd>(event)) {
    note(of_utterance(Kind::kUtteranceEnd, end->utterance));
  }
}

// --- HTTP --------------------------------------------------------------------

std::int64_t CallTap::requested(const net::HttpRequest &request) {
  Event event;
  event.kind = Kind::kRequest;
  event.number = ++requests_;
  event.code = request.method;
  event.detail = redacted_url(request.url);
  event.text = request.body;
  note(std::move(event));
  return requests_;
}

void CallTap::response(std::int64_t request, int status,
                       const net::Headers &headers) {
  Event event;
  event.kind = Kind::kResponse;
  event.number = request;
  event.count = status;
  for (const auto &[name, value] : headers)
    if (name == "content-type")
      event.text = value;
  note(std::move(event));
}

// JSON holds whole characters: one that is cut waits for its rest.
void CallTap::data(std::int64_t request, ByteSpan bytes) {
  std::string text = std::move(cut_[request]);
  text += as_text(bytes);
  std::size_t end = text.size();
  for (int i = 0; i < 3 && end > 0 && !valid_utf8(text.substr(0, end)); ++i)
    --end;
  if (!valid_utf8(text.substr(0, end)))
    end = text.size(); // It is no text at all.
  cut_[request] = text.substr(end);
  text.resize(end);
  send_data(request, std::move(text));
}

void CallTap::send_data(std::int64_t request, std::string text) {
  if (text.empty())
    return;
  Event event;
  event.kind = Kind::kData;
  event.number = request;
  event.text = std::move(text);
  note(std::move(event));
}

void CallTap::done(std::int64_t request, const Result<Unit> &result) {
  send_data(request, std::exchange(cut_[request], {}));
  cut_.erase(request);
  Event event;
  event.kind = Kind::kResponseOver;
  event.number = request;
  if (!result) {
    event.code = result.error().code;
    event.text = result.error().message;
  }
  note(std::move(event));
}

// --- the call itself ---------------------------------------------------------

void CallTap::ended_from_outside(const std::string &reason,
                                 const std::string &detail) {
  Event event;
  event.kind = Kind::kEnd;
  event.code = reason;
  event.text = detail;
  note(std::move(event));
}

void CallTap::answered_by(const std::string &who) {
  Event event;
  event.kind = Kind::kAnsweredBy;
  event.text = who;
  note(std::move(event));
}

void CallTap::transfer_ended(const std::string &outcome, bool over) {
  Event event;
  event.kind = Kind::kTransferEnded;
  event.code = outcome;
  event.flag = over;
  note(std::move(event));
}

void CallTap::told(const std::string &json) {
  Event event;
  event.kind = Kind::kTold;
  event.text = json;
  note(std::move(event));
}

} // namespace patchcord::call
