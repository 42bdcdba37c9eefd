// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/handles.hpp"
#include "twilio/media_stream.hpp"
#include "twilio/playout.hpp"
#include "worker/worker.hpp"

#include <memory>

namespace patchcord {

// What twiliosink does between READY and PAUSED and back: joins the Playout
// with the media stream, the worker's timers and the pad. All on the worker.
class OutboundSession final
    : public std::enable_shared_from_this<OutboundSession>,
      private twilio::MediaSinkListener,
      private twilio::Playout::Peer {
public:
  OutboundSession(GstElement *element, GstPad *pad, Worker &worker,
                  const twilio::Playout::Settings &settings);
  ~OutboundSession() override;
  OutboundSession(const OutboundSession &) = delete;
  OutboundSession &operator=(const OutboundSession &) = delete;

  // The pipeline's stream; another one after it is ignored.
  void attach(std::shared_ptr<twilio::MediaStream> stream);
  bool attached() const { return stream_ != nullptr; }
  // Nothing is sent before the first PLAYING. After it the peer plays on what
  // it has, whatever the state here.
  void play();
  void pause() { playing_ = false; }

  void audio(ByteSpan mulaw);
  // Whether it was one of ours.
  bool downstream_event(GstEvent *event);
  // Between these the pads upstream take no events: what is to be told of the
  // flush is told at its end.
  void flush_start();
  void flush_stop();
  void eos(guint32 seqnum);

private:
  void on_start(const twilio::StreamStart &start) override;
  void on_mark(std::string_view name) override;
  void on_end(twilio::StreamEnd end, std::string_view detail) override;
  void send_media(ByteSpan mulaw) override;
  void send_mark(std::string_view name) override;
  void send_clear() override;

  void open();
  void settle();
  void tell(const twilio::PlayoutEvent &event);
  void post_eos();
  void arm();

  GstElement *const element_;
  GstPad *const pad_;
  Worker &worker_;
  twilio::Playout playout_;
  std::shared_ptr<twilio::MediaStream> stream_;
  Timer timer_;
  bool playing_ = false, started_ = false, open_ = false;
  bool settling_ = false, flushing_ = false, timer_made_ = false;
  bool eos_due_ = false; // EOS came and was not posted yet
  guint32 eos_seqnum_ = 0;
  std::uint64_t dropped_ = 0; // of Playout, as far as it was told
};

} // namespace patchcord
