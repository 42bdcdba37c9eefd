// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/log.hpp"
#include "call/call_registry.hpp"
#include "call/call_tap.hpp"
#include "call/event_log.hpp"
#include "call/handover.hpp"
#include "call/recorder.hpp"
#include "graph/handles.hpp"
#include "net/http_client.hpp"
#include "twilio/rest.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace patchcord::call {

// One call: its graph, its media stream, its record. Lives on its worker from
// the WebSocket's handshake to its end; owned by the registry.
class Call : public std::enable_shared_from_this<Call> {
public:
  struct Setup {
    std::shared_ptr<Worker> worker;
    Offer offer;
    store::CallRecord record; // as the webhook began it
    std::string graph_name, graph_text, agent_file;
    std::shared_ptr<EventLog> events;
    const config::Config *config;
    store::RecordStore *store;
    recording::Writer *recordings = nullptr; // null: none is kept
    std::string resume;      // of the call's stream before this one
    bool screen = false;     // who answered is told later:
    std::string answered_by; // or is known by now
    // When the stream before this one began; none: this is the first.
    std::optional<TimePoint> started;
    // The caller is to be put through: takes the record over and gives the
    // TwiML for it; empty: another stream of his has replaced this one. Null:
    // nobody can be put through.
    std::function<std::string(Handover)> hand_over;
    // Behind hand_over: REST sent the caller there, or says that he is gone.
    std::function<void(bool dialling)> handed_over;
    std::function<void()> over; // last: nothing of the call runs any more
  };
  explicit Call(Setup setup);
  ~Call();

  // Makes the media stream and the graph and sets it going. A graph that cannot
  // be made ends the call at once, with a record that says so.
  void start(const WebSocketMediaStream::Attach &attach);
  // Ends the call from outside.
  void end(const std::string &reason, const std::string &detail);

  // What the network found out about who answered.
  void answered_by(const std::string &who);
  // What became of putting the caller through, once this stream's record was
  // handed over; with `over` that of the call as well.
  void transfer_ended(const std::string &outcome, bool over);

  // Another stream of the same call has come: this one ends, and the record is
  // the other's.
  void supersede();

  // From any thread: these, and where its graph is in a push
  // (call/stall_watch.hpp).
  const std::shared_ptr<Worker> &worker() const { return setup_.worker; }
  const std::string &call_sid() const { return setup_.offer.call_sid; }
  std::string elements_in_push();

  // For the peer to close after a hang-up; then the connection is dropped.
  static constexpr Duration kHangUpTimeout = 5s;

private:
  void play();
  void on_message(GstMessage *message);
  void on_stream_status(GstMessage *message);
  void on_forwarded(GstMessage *message);
  void on_element_message(GstMessage *message);
  void on_error(GstMessage *message);
  void on_decision(GstMessage *message);
  void on_stream_over();
  void hang_up();
  void hand_over();
  void ask_by_rest(const twilio::RestRequest &asked, const std::string &what);
  twilio::RestAccount rest_account() const;
  void tear_down_soon();
  void tear_down();
  void finish();

  std::int64_t since_start_ms() const;
  void put(const store::TurnRecord *turn);
  void put_record();
  void record(GstElement *graph);
  void tell(std::string event); // a live event
  log::Context log_context() const;

  Setup setup_;
  Recorder recorder_;
  std::shared_ptr<WebSocketMediaStream> stream_;
  std::shared_ptr<CallTap> tap_; // null: no recording is kept
  Ref<GstElement> graph_, agent_;
  Guarded<Ref<GstElement>> visible_graph_;     // for other threads
  std::optional<messages::Transfer> transfer_; // to be, behind the last words
  Ref<GstBus> bus_;
  std::unique_ptr<net::HttpClient::Transfer> rest_;
  Timer deadline_;   // of the whole call: nothing may outlive it
  Timer hanging_up_; // the peer's time to close after we asked it to
  TimePoint started_{};
  std::string last_words_; // of the caller, not answered yet
  std::string trouble_;    // of a provider, the first that the call survived
  bool ending_ = false, torn_down_ = false, superseded_ = false;
  bool handed_over_ = false; // the record is others' now
};

} // namespace patchcord::call
