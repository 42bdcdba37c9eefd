// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media_bench.hpp"

namespace patchcord {

void MediaBench::make_pad() {
  const bool is_source =
      GST_OBJECT_FLAG_IS_SET(element, GST_ELEMENT_FLAG_SOURCE) != 0;
  pad = gst_pad_new("test", is_source ? GST_PAD_SINK : GST_PAD_SRC);
  gst_object_ref_sink(pad);
  gst_pad_set_element_private(pad, this);
  gst_pad_set_event_function(
      pad, [](GstPad *self, GstObject *, GstEvent *event) -> gboolean {
        static_cast<MediaBench *>(gst_pad_get_element_private(self))
            ->note_event(event);
        gst_event_unref(event);
        return TRUE;
      });
  if (is_source)
    gst_pad_set_chain_function(
        pad, [](GstPad *self, GstObject *, GstBuffer *buffer) {
          auto *bench =
              static_cast<MediaBench *>(gst_pad_get_element_private(self));
          bench->log.push_back("buffer " +
                               std::to_string(gst_buffer_get_size(buffer)));
          bench->buffers.push_back(Ref<GstBuffer>::adopt(buffer));
          if (bench->on_buffer)
            bench->on_buffer();
          return bench->answer;
        });
  gst_pad_set_active(pad, TRUE);
  GstPad *theirs =
      gst_element_get_static_pad(element, is_source ? "src" : "sink");
  g_assert_cmpint(is_source ? gst_pad_link(theirs, pad)
                            : gst_pad_link(pad, theirs),
                  ==, GST_PAD_LINK_OK);
  gst_object_unref(theirs);
}

void MediaBench::note_event(GstEvent *event) {
  if (const auto dtmf = events::parse<events::Dtmf>(event)) {
    log.push_back("dtmf " + dtmf->digit);
  } else if (const auto playout = events::parse<events::Playout>(event)) {
    const char *const words[] = {"started", "progress", "ended", "cut", "held"};
    log.push_back(std::string(words[static_cast<int>(playout->what)]) + ' ' +
                  std::to_string(playout->utterance) + ' ' +
                  std::to_string(playout->heard_samples));
    playouts.push_back(*playout);
    if (on_playout)
      on_playout(*playout);
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_LATENCY) {
    gst_event_parse_latency(event, &latency); // with each PLAYING
  } else if (GST_EVENT_TYPE(event) != GST_EVENT_RECONFIGURE) {
    log.emplace_back(GST_EVENT_TYPE_NAME(event));
  }
}

void MediaBench::begin_stream() {
  send(gst_event_new_stream_start("test"));
  const auto caps = Ref<GstCaps>::adopt(
      gst_caps_from_string("audio/x-mulaw, rate=8000, channels=1"));
  send(gst_event_new_caps(caps.get()));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  send(gst_event_new_segment(&segment));
}

std::string MediaBench::messages() {
  std::string all;
  GstBus *bus = gst_element_get_bus(pipeline);
  while (GstMessage *raw = gst_bus_pop(bus)) {
    const auto message = Ref<GstMessage>::adopt(raw);
    if (const auto start =
            patchcord::messages::parse<patchcord::messages::CallStarted>(raw))
      all += "call-started " + start->call_sid + ' ' + start->stream_sid + ' ' +
             start->account_sid + ' ' + start->parameters.at("lang");
    else if (const auto key =
                 patchcord::messages::parse<patchcord::messages::DtmfReceived>(
                     raw))
      all += "dtmf " + key->digit;
    else if (const auto end =
                 patchcord::messages::parse<patchcord::messages::StreamEnded>(
                     raw))
      all += "stream-ended " + end->reason;
    else if (const auto odd = patchcord::messages::parse<
                 patchcord::messages::StreamAnomalies>(raw)) {
      all += "anomalies";
      for (const auto &[kind, count] : odd->counts)
        all += ' ' + kind + '=' + std::to_string(count);
    } else if (GST_MESSAGE_TYPE(raw) == GST_MESSAGE_ERROR ||
               GST_MESSAGE_TYPE(raw) == GST_MESSAGE_EOS) {
      all += GST_MESSAGE_TYPE_NAME(raw);
    } else {
      continue;
    }
    all += '\n';
  }
  gst_object_unref(bus);
  return all;
}

} // namespace patchcord
