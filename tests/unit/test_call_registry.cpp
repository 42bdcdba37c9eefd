// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.hpp"
#include "call/call_registry.hpp"
#include "scenario/phone.hpp"

#include "../support/check_text.hpp"
#include "../support/temp_dir.hpp"

#include <glib.h>
#include <gst/gst.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

// What becomes of callers who are put through, with whole calls in virtual
// time: the registry sees what Twilio would have it see, and no server.
using namespace patchcord;
using namespace patchcord::call;

namespace {

constexpr char kSid[] = "CA00000000000000000000000000000001";
constexpr char kAccount[] = "AC00000000000000000000000000000001";

constexpr char kAgent[] = R"(name = "Desk"
greeting = "Hello."
instructions = "Ask."
[[fields]]
name = "what"
type = "choice"
question = "Which one?"
choices = [{ value = "red" }, { value = "blue" }]
[end]
confirm = false
goodbye = "Done."
[voicemail]
message = "Call us back."
[[transfer]]
name = "desk"
number = "+14155550111"
when = "The caller wants a person."
timeout_s = 20
)";

constexpr char kOperator[] = "[[caller]]\nsay = \"operator\"\n";

// The newest state of each record; `at_turn` sees turns as they are written.
class Records final : public store::RecordStore {
public:
  void put_call(const store::CallRecord &record) override {
    calls[record.call_sid] = record;
  }
  void put_unanswered(const store::CallRecord &record) override {
    if (calls[record.call_sid].stream_sid.empty())
      calls[record.call_sid] = record;
  }
  void put_turn(const std::string &, const store::TurnRecord &turn) override {
    if (at_turn)
      at_turn(turn);
  }
  void
  get(const std::string &,
      std::function<void(Result<std::optional<store::CallRecord>>)>) override {}
  void
  list(int, int,
       std::function<void(Result<std::vector<store::CallRecord>>)>) override {}
  void check(std::function<void(Result<Unit>)>) override {}
  void flush() override {}
  std::uint64_t failed_writes() const override { return 0; }

  std::map<std::string, store::CallRecord> calls;
  std::function<void(const store::TurnRecord &)> at_turn;
};

constexpr char kGraph[] =
    "twiliosrc ! scenariostt ! agent mind=scripted ! scenariovoice ! "
    "twiliosink\n";

config::Config configured(const std::string &folder, const char *graph) {
  std::ofstream(folder + "/desk.toml") << kAgent;
  std::ofstream(folder + "/test.launch") << graph;
  config::Config config;
  config.call.agent = folder + "/desk.toml";
  config.call.pipeline = folder + "/test.launch";
  return config;
}

// A registry, and Twilio with one caller. Streams of his share a line.
class House {
public:
  explicit House(const std::string &lines = kOperator,
                 const char *graph = kGraph)
      : config_(configured(folder_.path(), graph)),
        registry_(std::in_place, config_, records, nullptr, &worker->clock()) {
    const auto scenario = scenario::parse_scenario(
        "name = \"x\"\nagent = \"" + config_.call.agent + "\"\n" + lines,
        "x.toml");
    g_assert_true(scenario.ok());
    auto prepared = scenario::prepare(*scenario);
    g_assert_true(prepared.ok());
    stage_.stt = scenario->stt;
    stage_.voice = scenario->voice;
    phone_.emplace(*worker, *std::move(prepared), stage_,
                   twilio::StreamStart{"MZ1", kAccount, kSid, {}},
                   scenario->phone, false,
                   scenario::Phone::Handlers{[](auto, const std::string &) {},
                                             [this] { stream_over = true; }});
  }

  CallRegistry &registry() { return *registry_; }
  const config::Config &config() const { return config_; }
  const store::CallRecord &record() { return records.calls[kSid]; }
  bool over() { return record().ended_ms != 0; }

  Offer offer() const {
    Offer offer;
    offer.call_sid = kSid;
    offer.account_sid = kAccount;
    offer.from = "+14155550100";
    offer.to = "+14155550199";
    offer.direction = "inbound";
    offer.origin = "https://h";
    return offer;
  }

  // His WebSocket, with the token that he was given.
  void connect(const std::string &token) {
    const auto offer = registry().claim(token);
    g_assert_true(offer.has_value());
    stream_over = false;
    registry().start(worker, *offer,
                     [this](net::WebSocket::Handlers handlers,
                            const net::WebSocket::Limits &) {
                       return phone_->socket()->accept(std::move(handlers));
                     });
    phone_->start();
  }
  void come_back(const std::string &token) {
    phone_->reconnect("MZ2");
    connect(token);
  }
  // A stream of the same call that nothing comes of.
  void connect_silently(const std::string &token) {
    const auto offer = registry().claim(token);
    g_assert_true(offer.has_value());
    other_ = std::make_shared<scenario::MemorySocket>(
        *worker, scenario::MemorySocket::Handlers{});
    registry().start(worker, *offer,
                     [this](net::WebSocket::Handlers handlers,
                            const net::WebSocket::Limits &) {
                       return other_->accept(std::move(handlers));
                     });
  }
  void ring() {
    const auto taken = registry().offer(offer());
    g_assert_true(taken.ok());
    connect(taken->token);
  }
  void run_until(const std::function<bool()> &done, Duration limit = 120s) {
    if (!worker->run_until(done, worker->now() + limit))
      g_error("it did not happen in time");
    worker->run_ready();
  }
  // As the daemon has it, every two seconds.
  void sweep_for(Duration duration) {
    for (Duration left = duration; left > 0s; left -= 2s) {
      worker->run_for(std::min<Duration>(left, 2s));
      registry().sweep();
      worker->run_ready();
    }
  }
  // Until the agent's last words before a transfer have been heard.
  void ask_for_the_operator() {
    ring();
    run_until([this] { return stream_over && registry().active() == 0; });
    g_assert_false(over());
    CHECK_TEXT(record().transfer_outcome, "asked");
  }
  // Twilio asks what follows, and dials: the transfer's ticket.
  std::string dial() {
    const auto twiml = registry().after_stream(kSid);
    g_assert_true(twiml.has_value());
    const std::string key = "ticket=";
    const std::size_t begin = twiml->find(key) + key.size();
    return twiml->substr(begin, twiml->find('"', begin) - begin);
  }
  DialAnswer told(const std::string &ticket, const char *outcome) {
    DialResult result;
    result.call_sid = kSid;
    result.ticket = ticket;
    result.outcome = outcome;
    auto answer = registry().dial_result(result);
    worker->run_ready();
    return answer;
  }
  void stop() { // as its destruction is the server's end
    registry_.reset();
    worker->run_ready();
  }

  Records records;
  const std::shared_ptr<Worker> worker = Worker::create_virtual();
  bool stream_over = false;

private:
  const test::TempDir folder_;
  const config::Config config_;
  scenario::Stage &stage_ = worker->service<scenario::Stage>();
  std::optional<CallRegistry> registry_;
  std::optional<scenario::Phone> phone_;
  std::shared_ptr<scenario::MemorySocket> other_;
};

// --- how long is waited ------------------------------------------------------

// The handshake was refused, say, by a proxy: it is not the caller who left.
void test_stream_that_cannot_be_opened() {
  House house;
  g_assert_true(house.registry().offer(house.offer()).ok());
  house.registry().stream_status(kSid, "stream-error", "HTTP status 403");
  house.sweep_for(64s);
  CHECK_TEXT(house.record().status, "failed");
  CHECK_TEXT(house.record().end_reason, "stream_error");
  CHECK_TEXT(house.record().end_detail,
             "no media stream came: HTTP status 403");
  House other;
  g_assert_true(other.registry().offer(other.offer()).ok());
  other.sweep_for(64s);
  CHECK_TEXT(other.record().status, "completed");
  CHECK_TEXT(other.record().end_reason, "caller_hung_up");
}

void test_never_asked() {
  House house;
  house.ask_for_the_operator();
  house.sweep_for(12s);
  g_assert_false(house.over());
  house.sweep_for(4s);
  g_assert_true(house.over());
  CHECK_TEXT(house.record().end_reason, "caller_hung_up");
  CHECK_TEXT(house.record().transfer_outcome, "canceled");
  g_assert_false(house.registry().after_stream(kSid).has_value());
}

void test_never_told() {
  House house;
  house.ask_for_the_operator();
  const std::string ticket = house.dial();
  house.worker->run_for(std::chrono::hours(5) - 2s);
  house.registry().sweep();
  house.worker->run_ready();
  g_assert_false(house.over());
  house.sweep_for(4s);
  g_assert_true(house.over());
  CHECK_TEXT(house.record().end_reason, "transferred");
  CHECK_TEXT(house.record().transfer_outcome, "unknown");
  g_assert_false(house.told(ticket, "busy").known);
}

void test_over_while_dialling() {
  House house;
  house.ask_for_the_operator();
  house.dial();
  CallStatus status;
  status.call_sid = kSid;
  status.status = "completed";
  house.registry().call_status(status);
  house.sweep_for(12s);
  g_assert_false(house.over()); // the result may be on its way
  house.sweep_for(4s);
  CHECK_TEXT(house.record().transfer_outcome, "unknown");
  g_assert_true(house.over());
}

// Of a call that is over nobody is dialled, whoever says so late.
void test_dialling_when_over() {
  House house;
  house.ask_for_the_operator();
  CallStatus status;
  status.call_sid = kSid;
  status.status = "completed";
  house.registry().call_status(status);
  house.dial();
  house.sweep_for(16s);
  g_assert_true(house.over());
  CHECK_TEXT(house.record().transfer_outcome, "unknown");
}

// A pipeline that was changed under a server that runs.
void test_thread_in_the_way() {
  House house(kOperator,
              "twiliosrc ! scenariostt ! agent ! scenariovoice ! multiqueue ! "
              "twiliosink\n");
  house.ring();
  house.run_until([&] { return house.over(); });
  CHECK_TEXT(house.record().end_reason, "error");
  g_assert_nonnull(std::strstr(house.record().end_detail.c_str(),
                               "multiqueue stands on the way to twiliosink"));
}

// --- how it ended ------------------------------------------------------------

void test_told_twice() {
  House house("[[caller]]\nsay = \"operator\"\n[[caller]]\nsay = \"red\"\n");
  house.ask_for_the_operator();
  const std::string ticket = house.dial();
  g_assert_false(house.told("another", "busy").known);
  const auto first = house.told(ticket, "busy");
  const auto second = house.told(ticket, "busy");
  g_assert_true(first.known && second.known);
  CHECK_TEXT(second.back->second.token, first.back->second.token);
  g_assert_cmpuint(house.registry().offered(), ==, 1);
  g_assert_false(house.told("another", "busy").known);
  house.come_back(first.back->second.token);
  house.run_until([&] { return house.over(); });
  CHECK_TEXT(house.record().end_reason, "goal");
  CHECK_TEXT(house.record().transfer_outcome, "busy");
  CHECK_TEXT(house.record().fields, "{\"what\":\"red\"}");
}

void test_joined_told_twice() {
  House house;
  house.ask_for_the_operator();
  const std::string ticket = house.dial();
  const auto first = house.told(ticket, "answered");
  g_assert_true(first.known && !first.back);
  CHECK_TEXT(house.record().end_reason, "transferred");
  const auto ended = house.record().ended_ms;
  const auto second = house.told(ticket, "busy");
  g_assert_true(!second.known && !second.back);
  CHECK_TEXT(house.record().transfer_outcome, "answered");
  g_assert_cmpint(house.record().ended_ms, ==, ended);
}

// Its caller has another stream by then: what he is put through from is not.
void test_replaced_meanwhile() {
  House house;
  int others = 0;
  house.records.at_turn = [&](const store::TurnRecord &turn) {
    // The last words have been heard; EOS is behind them.
    if (turn.action != "transfer" || turn.heard.empty() || others++ > 0)
      return;
    const auto taken = house.registry().offer(house.offer());
    g_assert_true(taken.ok());
    house.connect_silently(taken->token);
  };
  house.ring();
  house.run_until([&] { return house.stream_over; });
  g_assert_cmpint(others, >, 0);
  g_assert_false(house.registry().after_stream(kSid).has_value());
  g_assert_cmpuint(house.registry().active(), ==, 1);
  CHECK_TEXT(house.record().end_reason, ""); // the record is the other's
  house.registry().stop_all();
  house.run_until([&] { return house.registry().active() == 0; });
  CHECK_TEXT(house.record().end_reason, "server_stopped");
}

// His call comes to the webhook anew while he is being put through.
void test_replaced_while_parked() {
  House house;
  house.ask_for_the_operator();
  int told_of_the_end = 0;
  const auto unsubscribe = house.registry().subscribe(
      kSid, [&](const auto &event) { told_of_the_end += event ? 0 : 1; });
  g_assert_true(unsubscribe.has_value());
  const auto taken = house.registry().offer(house.offer());
  g_assert_true(taken.ok());
  house.connect_silently(taken->token);
  g_assert_cmpint(told_of_the_end, ==, 1);
  g_assert_false(house.registry().after_stream(kSid).has_value());
  house.registry().stop_all();
  house.run_until([&] { return house.registry().active() == 0; });
}

// --- the server stops --------------------------------------------------------

void test_stop_awaits_who_may_come_back() {
  House house("[[caller]]\nsay = \"operator\"\n[[caller]]\nsay = \"red\"\n");
  house.ask_for_the_operator();
  bool drained = false;
  house.registry().drain([&] { drained = true; });
  g_assert_false(drained); // Twilio may ask yet,
  const std::string ticket = house.dial();
  house.sweep_for(20s);
  g_assert_false(drained); // and ring,
  const auto answer = house.told(ticket, "no-answer");
  house.sweep_for(2s);
  g_assert_false(drained); // and he comes back,
  house.come_back(answer.back->second.token);
  house.sweep_for(2s);
  g_assert_false(drained); // and talks.
  house.run_until([&] { return drained; });
  CHECK_TEXT(house.record().end_reason, "goal");
}

void test_stop_awaits_nobody_who_talks() {
  House house;
  house.ask_for_the_operator();
  const std::string ticket = house.dial();
  bool drained = false;
  house.registry().drain([&] { drained = true; });
  house.sweep_for(28s); // 20 s of ringing, and ten
  g_assert_false(drained);
  g_assert_cmpuint(house.registry().awaited(), ==, 1);
  house.sweep_for(4s);
  g_assert_true(drained);
  g_assert_cmpuint(house.registry().awaited(), ==, 0);
  g_assert_false(house.over()); // while the server is there it can be told
  house.stop();
  CHECK_TEXT(house.record().status, "completed");
  CHECK_TEXT(house.record().end_reason, "transferred");
  CHECK_TEXT(house.record().transfer_outcome, "unknown");
  CHECK_TEXT(house.record().end_detail,
             "the server stopped before its end was told");
}

void test_joined_while_stopping() {
  House house;
  house.ask_for_the_operator();
  const std::string ticket = house.dial();
  bool drained = false;
  house.registry().drain([&] { drained = true; });
  g_assert_true(house.told(ticket, "answered").known);
  g_assert_true(drained); // at once
  CHECK_TEXT(house.record().transfer_outcome, "answered");
}

void test_stop_at_once() {
  House house;
  house.ask_for_the_operator();
  const std::string ticket = house.dial();
  bool drained = false;
  house.registry().drain([&] { drained = true; });
  house.registry().stop_all();
  g_assert_true(drained);
  g_assert_true(house.over());
  CHECK_TEXT(house.record().transfer_outcome, "unknown");
  g_assert_false(house.told(ticket, "busy").known);
}

void test_stop_with_one_on_his_way_back() {
  House house;
  house.ask_for_the_operator();
  const auto answer = house.told(house.dial(), "busy");
  bool drained = false;
  house.registry().drain([&] { drained = true; });
  g_assert_false(drained);
  house.registry().stop_all();
  g_assert_true(drained);
  CHECK_TEXT(house.record().end_reason, "server_stopped");
  CHECK_TEXT(house.record().transfer_outcome, "busy");
  g_assert_false(house.registry().claim(answer.back->second.token).has_value());
}

// --- agents' files -----------------------------------------------------------

void write(const std::string &path, const std::string &text) {
  std::ofstream(path) << text;
}

void test_first_target() {
  House house;
  const std::string file = house.config().call.agent;
  const std::string whole = test::contents(file);
  const auto admitted = [&house](const char *sid) {
    Offer offer = house.offer();
    offer.call_sid = sid;
    return house.registry().offer(offer)->transfers;
  };
  write(file, whole.substr(0, whole.find("[[transfer]]")));
  house.registry().load();
  g_assert_false(admitted("CA1"));
  write(file, whole);
  house.registry().load();
  g_assert_true(admitted("CA2"));
  g_assert_false(admitted("CA1")); // it was told so already
  // One with mistakes puts nobody through, until it is mended.
  write(file, whole + "mistake = 1\n");
  house.registry().load();
  g_assert_false(admitted("CA3"));
  write(file, whole);
  house.registry().load();
  g_assert_true(admitted("CA4"));
  // What is gone is left to the call, which says so.
  std::filesystem::remove(file);
  house.registry().load();
  g_assert_true(admitted("CA5"));
}

// Written twice within a tick of the file system's clock, and as long as
// before.
void test_changed_at_once() {
  House house;
  const std::string file = house.config().call.agent;
  const std::string whole = test::contents(file);
  std::string without = whole;
  without.replace(without.find("[[transfer]]"), std::string::npos,
                  std::string(whole.size() - whole.find("[[transfer]]"), '#'));
  write(file, without);
  // However long this test takes, it was a moment ago.
  const auto written = std::filesystem::last_write_time(file) + 60s;
  std::filesystem::last_write_time(file, written);
  house.registry().load();
  write(file, whole);
  std::filesystem::last_write_time(file, written);
  house.registry().load();
  g_assert_true(house.registry().offer(house.offer())->transfers);
}

void test_new_file() {
  const test::TempDir data;
  std::filesystem::create_directory(data / "agents");
  const std::string before = g_getenv("PATCHCORD_DATA_DIR");
  g_setenv("PATCHCORD_DATA_DIR", data.path().c_str(), TRUE);
  House house;
  house.registry().load();
  Offer offer = house.offer();
  offer.agent = "late";
  CHECK_TEXT(house.registry().offer(offer).error().code, "bad_agent");
  write(data / "agents/late.toml", test::contents(house.config().call.agent));
  house.registry().load();
  // It has been read: the call's worker has no need to.
  std::filesystem::remove(data / "agents/late.toml");
  const auto taken = house.registry().offer(offer);
  g_assert_true(taken.ok() && taken->transfers);
  g_setenv("PATCHCORD_DATA_DIR", before.c_str(), TRUE);
}

// --- calls that we place -----------------------------------------------------

void test_verdict_before_the_stream() {
  House house("[[caller]]\nsay = \"leave a message\"\nat_s = 1.5\n");
  Offer offer = house.offer();
  offer.direction = "outbound-api";
  offer.screened = true;
  const auto taken = house.registry().offer(offer);
  g_assert_true(taken.ok());
  house.registry().answered_by(kSid, "machine_start");
  house.registry().answered_by(kSid, "machine_end_beep");
  house.registry().answered_by(kSid, "human"); // one verdict is enough
  house.connect(taken->token);
  house.run_until([&] { return house.over(); });
  CHECK_TEXT(house.record().end_reason, "voicemail");
  CHECK_TEXT(house.record().answered_by, "machine_end_beep");
  CHECK_TEXT(house.record().turns.back().heard, "Call us back.");
}

// Twilio's words for it are the record's.
void test_unanswered() {
  for (const char *word : {"busy", "no-answer", "canceled", "failed"}) {
    House house;
    CallStatus status;
    status.call_sid = kSid;
    for (const char *now : {"initiated", "ringing"}) {
      status.status = now;
      house.registry().call_status(status);
      CHECK_TEXT(house.record().status, "ringing");
    }
    g_assert_false(house.over());
    status.status = word;
    house.registry().call_status(status);
    g_assert_true(house.over());
    CHECK_TEXT(house.record().status, word);
    CHECK_TEXT(house.record().end_reason, word);
  }
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  gst_init(&argc, &argv);
  log::set_threshold(log::Level::kError);
  scenario::register_elements();
  g_test_add_func("/registry/a-stream-that-cannot-be-opened-is-an-error",
                  test_stream_that_cannot_be_opened);
  g_test_add_func("/registry/who-is-never-asked-about-has-hung-up",
                  test_never_asked);
  g_test_add_func("/registry/who-is-put-through-is-known-for-five-hours",
                  test_never_told);
  g_test_add_func("/registry/a-call-that-is-over-awaits-its-result-for-a-while",
                  test_over_while_dialling);
  g_test_add_func("/registry/a-call-that-is-over-is-not-kept-by-late-dialling",
                  test_dialling_when_over);
  g_test_add_func("/registry/a-thread-in-the-way-ends-the-call-with-the-reason",
                  test_thread_in_the_way);
  g_test_add_func("/registry/a-result-that-is-told-twice-has-one-answer",
                  test_told_twice);
  g_test_add_func("/registry/a-result-told-again-changes-no-record",
                  test_joined_told_twice);
  g_test_add_func("/registry/a-stream-that-was-replaced-puts-nobody-through",
                  test_replaced_meanwhile);
  g_test_add_func("/registry/who-follows-a-transfer-that-was-replaced-is-told",
                  test_replaced_while_parked);
  g_test_add_func("/registry/a-stop-awaits-who-may-come-back",
                  test_stop_awaits_who_may_come_back);
  g_test_add_func("/registry/a-stop-awaits-nobody-who-talks-to-somebody-else",
                  test_stop_awaits_nobody_who_talks);
  g_test_add_func("/registry/a-transfer-that-ends-lets-the-server-stop",
                  test_joined_while_stopping);
  g_test_add_func("/registry/a-stop-at-once-leaves-transfers-unknown",
                  test_stop_at_once);
  g_test_add_func("/registry/a-stop-at-once-ends-who-is-on-his-way-back",
                  test_stop_with_one_on_his_way_back);
  g_test_add_func("/registry/a-first-target-counts-for-the-next-call",
                  test_first_target);
  g_test_add_func("/registry/a-change-at-once-counts-as-well",
                  test_changed_at_once);
  g_test_add_func("/registry/a-new-agent-is-read-before-its-calls-come",
                  test_new_file);
  g_test_add_func("/registry/a-verdict-may-come-before-the-stream",
                  test_verdict_before_the_stream);
  g_test_add_func("/registry/a-call-that-nobody-answers-ends-in-twilios-word",
                  test_unanswered);
  return g_test_run();
}
