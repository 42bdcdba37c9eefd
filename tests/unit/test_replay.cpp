// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audio/mulaw.hpp"
#include "base/log.hpp"
#include "call/call_tap.hpp"
#include "net/http_client.hpp"
#include "scenario/replay.hpp"
#include "scenario/run.hpp"
#include "scenario/stage.hpp"

#include "../support/check_text.hpp"
#include "../support/temp_dir.hpp"

#include <glib.h>
#include <gst/gst.h>

#include <filesystem>
#include <fstream>

// Calls are recorded and played again.
using namespace patchcord;
using namespace patchcord::scenario;

namespace {

namespace fs = std::filesystem;

// Of a scenario, in a folder of its own.
class Recorded {
public:
  explicit Recorded(const Scenario &scenario) {
    auto writer = recording::Writer::open(folder_.path());
    g_assert_true(writer.ok());
    auto played = run(scenario, {true, writer->get()});
    if (!played)
      g_error("%s", played.error().message.c_str());
    outcome = *std::move(played);
    (*writer)->flush();
    g_assert_cmpuint((*writer)->lost(), ==, 0);
    // Another media stream of the call has a longer name.
    for (const auto &entry : fs::directory_iterator(folder_.path()))
      if (const std::string path = entry.path().string();
          call.empty() || path.size() < call.size())
        call = path;
    auto read = recording::read_recording(call);
    if (!read)
      g_error("%s", read.error().message.c_str());
    recording = *std::move(read);
  }
  Recorded(const Recorded &) = delete;
  Recorded &operator=(const Recorded &) = delete;

  std::string agent() const { return call + "/agent.toml"; }

  Outcome outcome;
  std::string call;
  recording::Recording recording;

private:
  const test::TempDir folder_;
};

Replayed again(const recording::Recording &recording,
               const std::string &agent) {
  auto replayed = replay(recording, agent);
  if (!replayed)
    g_error("%s", replayed.error().message.c_str());
  return *std::move(replayed);
}

void is_the_same(const char *what, const Replayed &replayed) {
  for (const Difference &difference : replayed.differences)
    g_error("%s, at %d ms, %s: recorded \"%s\", now \"%s\"", what,
            static_cast<int>(difference.t_ms), difference.what.c_str(),
            difference.recorded.c_str(), difference.now.c_str());
}

std::string shipped() {
  return std::string(g_getenv("PATCHCORD_DATA_DIR")) + "/scenarios";
}

Scenario shipped(const char *name) {
  const auto scenario = read_scenario(shipped() + "/" + name);
  g_assert_true(scenario.ok());
  return *scenario;
}

// Interruptions, coughs, keys, silences, failures, models: all of them.
void test_every_scenario() {
  const auto files = find_scenarios({shipped()});
  g_assert_true(files.ok());
  g_assert_cmpuint(files->size(), >, 15);
  for (const std::string &file : *files) {
    const auto scenario = read_scenario(file);
    g_assert_true(scenario.ok());
    const Recorded recorded(*scenario);
    g_assert_true(recorded.recording.complete);
    const Replayed replayed = again(recorded.recording, recorded.agent());
    g_assert_cmpuint(replayed.recorded.size(), >, 2);
    is_the_same(file.c_str(), replayed);
  }
}

void test_times_are_the_same() {
  const Recorded recorded(shipped("two-interruptions.toml"));
  const Replayed replayed = again(recorded.recording, recorded.agent());
  g_assert_cmpuint(replayed.recorded.size(), ==, replayed.now.size());
  for (std::size_t i = 0; i < replayed.now.size(); ++i) {
    CHECK_TEXT(replayed.now[i].text, replayed.recorded[i].text);
    g_assert_cmpint(ABS(replayed.now[i].t_ms - replayed.recorded[i].t_ms), <=,
                    2);
  }
}

void test_sound_is_kept() {
  const Recorded recorded(shipped("interrupted-reply.toml"));
  const Outcome &outcome = recorded.outcome;
  const auto size = [&](const char *name) {
    return fs::file_size(recorded.call + "/" + name);
  };
  g_assert_cmpuint(size("caller.wav"), >=, outcome.caller_audio.size());
  const std::string stereo =
      test::contents(recorded.call + "/call.wav").substr(58);
  // Right is what the phone heard, to the sample: the network is none. It
  // played from the first frame on, the recording begins 20 ms earlier.
  const auto loud = [](std::int16_t sample) { return std::abs(sample) > 200; };
  std::size_t first_recorded = 0, loud_recorded = 0, loud_heard = 0;
  for (std::size_t at = 0; at + 3 < stereo.size(); at += 4) {
    const auto sample = static_cast<std::int16_t>(
        static_cast<std::uint8_t>(stereo[at + 2]) |
        static_cast<std::uint8_t>(stereo[at + 3]) << 8);
    if (loud(sample) && loud_recorded++ == 0)
      first_recorded = at / 4;
  }
  std::size_t first_heard = 0;
  for (std::size_t at = 0; at < outcome.heard_audio.size(); ++at)
    if (loud(audio::mulaw_to_linear(outcome.heard_audio[at])) &&
        loud_heard++ == 0)
      first_heard = at;
  g_assert_cmpuint(loud_heard, >, 8000);
  g_assert_cmpint(ABS(static_cast<std::int64_t>(loud_heard) -
                      static_cast<std::int64_t>(loud_recorded)),
                  <=, 160 * 3);
  g_assert_cmpint(ABS(static_cast<std::int64_t>(first_heard) -
                      static_cast<std::int64_t>(first_recorded)),
                  <=, 160 * 2);
}

// Which of them, the first says.
void test_a_changed_agent_differs() {
  const Recorded recorded(shipped("booking.toml"));
  std::string changed = test::contents(recorded.agent());
  const std::string question = "In which office?";
  changed.replace(changed.find(question), question.size(),
                  "Which office shall it be?");
  const std::string file = recorded.call + "/changed.toml";
  std::ofstream(file) << changed;
  const Replayed replayed = again(recorded.recording, file);
  g_assert_cmpuint(replayed.differences.size(), >, 0);
  const Difference &first = replayed.differences.front();
  CHECK_TEXT(first.what, "decision");
  g_assert_nonnull(strstr(first.recorded.c_str(), "In which office?"));
  g_assert_nonnull(strstr(first.now.c_str(), "Which office shall it be?"));
  // The call goes on with it, and has an end.
  CHECK_TEXT(replayed.now.back().what, "end");
}

// Where it says more the caller falls into it: a clear that the recording has
// not. What is said behind it is known to be heard when it was.
void test_a_changed_agent_is_heard() {
  const Recorded recorded(shipped("booking.toml"));
  std::string changed = test::contents(recorded.agent());
  const std::string question = "In which office?";
  changed.replace(changed.find(question), question.size(),
                  "In which of all the offices that we have in this country "
                  "shall the room be that I am to book for you?");
  const std::string file = recorded.call + "/changed.toml";
  std::ofstream(file) << changed;
  const Replayed replayed = again(recorded.recording, file);
  int cut = 0, complete = 0;
  std::int64_t decided = 0;
  for (const Told &told : replayed.now) {
    if (told.what == "decision")
      decided = told.t_ms;
    if (told.what != "heard")
      continue;
    ++(told.cut ? cut : complete);
    if (!told.cut) // The voice takes its time, and so does the way.
      g_assert_cmpint(told.t_ms, <=, decided + told.heard_ms + 300);
  }
  g_assert_cmpint(cut, >, 0);
  g_assert_cmpint(complete, >, 1);
}

void test_other_words_differ() {
  Recorded recorded(shipped("interrupted-greeting.toml"));
  for (auto &event : recorded.recording.events)
    if (event.kind == recording::Kind::kWords && event.text == "Sunnyvale")
      event.text = "San Francisco";
  const Replayed replayed = again(recorded.recording, recorded.agent());
  g_assert_cmpuint(replayed.differences.size(), >, 0);
  g_assert_nonnull(
      strstr(replayed.differences.front().now.c_str(), "San Francisco"));
}

void test_a_model_is_not_asked() {
  Recorded recorded(shipped("model-answers.toml"));
  is_the_same("as recorded", again(recorded.recording, recorded.agent()));
  // An answer is missing: it is not asked for elsewhere.
  auto &events = recorded.recording.events;
  std::erase_if(events, [](const recording::Event &event) {
    return event.number >= 2 && (event.kind == recording::Kind::kRequest ||
                                 event.kind == recording::Kind::kResponse ||
                                 event.kind == recording::Kind::kData ||
                                 event.kind == recording::Kind::kResponseOver);
  });
  const Replayed replayed = again(recorded.recording, recorded.agent());
  bool told = false;
  for (const Difference &difference : replayed.differences)
    told = told || difference.now == "openai: not_recorded";
  g_assert_true(told);
}

// Of a daemon's call tools have their own origin and secrets; neither is needed
// to play it again.
void test_tools_are_not_called() {
  Recorded recorded(shipped("tools.toml"));
  auto &agent = recorded.recording.header.elements["agent"];
  const std::string origin = agent.at("tool-origin");
  agent.erase("tool-origin");
  int calls = 0;
  for (auto &event : recorded.recording.events)
    if (event.kind == recording::Kind::kRequest &&
        event.detail.find("/v1/chat/") == std::string::npos) {
      g_assert_true(event.detail.starts_with(origin));
      event.detail =
          "https://rail.example.com" + event.detail.substr(origin.size());
      ++calls;
    }
  g_assert_cmpint(calls, ==, 4);
  is_the_same("tools", again(recorded.recording, recorded.agent()));
  // One that answers otherwise shows.
  for (auto &event : recorded.recording.events)
    if (event.kind == recording::Kind::kResponse &&
        event.text == "application/json")
      event.count = 404;
  const Replayed replayed = again(recorded.recording, recorded.agent());
  g_assert_cmpuint(replayed.differences.size(), >, 0);
  CHECK_TEXT(replayed.differences.front().recorded, "trains: ok");
  CHECK_TEXT(replayed.differences.front().now, "trains: http_404");
}

void test_urls_are_kept_without_secrets() {
  const test::TempDir folder;
  auto writer = recording::Writer::open(folder.path());
  const auto worker = Worker::create_virtual();
  {
    const auto tap = std::make_shared<call::CallTap>(
        *worker, (*writer)->start("CA1", "url = 'https://h/x?key=pw0'"));
    recording::Header header;
    header.call_sid = "CA1";
    const auto graph = Ref<GstElement>::adopt(
        GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
    tap->tap(graph.get(), header);
    net::HttpRequest request;
    request.url = "https://me:pw1@h.example/v1/x?day=monday&api_key=pw2";
    request.headers = {{"Authorization", "Bearer pw3"}};
    request.username = "me";
    request.password = "pw4";
    tap->requested(request);
    tap->close();
  }
  (*writer)->flush();
  const auto kept = recording::read_recording(folder / "CA1");
  g_assert_true(kept.ok());
  CHECK_TEXT(kept->events.at(0).detail,
             "https://h.example/v1/x?day=monday&api_key=***");
  const std::string text = test::contents(folder / "CA1/events.jsonl");
  g_assert_true(text.find("pw") == std::string::npos);
  CHECK_TEXT(test::contents(folder / "CA1/agent.toml"),
             "url = 'https://h/x?key=***'");
}

void test_a_beginning_is_compared() {
  Recorded recorded(shipped("booking.toml"));
  auto &events = recorded.recording.events;
  events.resize(events.size() / 2);
  recorded.recording.complete = false;
  is_the_same("the first half", again(recorded.recording, recorded.agent()));
}

void test_cuts_are_compared_by_word() {
  const auto heard = [](const char *state, const char *text) {
    return std::string(R"({"t_ms":5,"event":"heard","utterance":1,"state":")") +
           state + R"(","text":")" + text + "\"}";
  };
  const struct {
    std::string recorded, now;
    bool same;
  } rows[] = {
      {heard("interrupted", "Hello, room"), heard("interrupted", "Hello, room"),
       true},
      {heard("interrupted", "Hello, room"), heard("interrupted", "Hello,"),
       true},
      {heard("interrupted", "Hello,"), heard("interrupted", "Hello, room desk"),
       false},
      {heard("interrupted", "Hello, room"), heard("interrupted", "Hello, big"),
       false},
      {heard("complete", "Hello, room"), heard("complete", "Hello,"), false},
      {heard("complete", "Hello"), heard("interrupted", "Hello"), false},
      {heard("complete", "Hello"), R"({"event":"dtmf-received"})", false},
  };
  for (const auto &row : rows)
    g_assert_true(
        compare(told_of({row.recorded}), told_of({row.now}), true).empty() ==
        row.same);
  // A voice that times several words as one: two cuts of a moment.
  const auto cut = [](const char *text, int ms) {
    return told_of({R"({"t_ms":5,"event":"heard","utterance":1,"state":)"
                    R"("interrupted","text":")" +
                    std::string(text) + R"(","heard_ms":)" +
                    std::to_string(ms) + "}"});
  };
  g_assert_true(compare(cut("", 335), cut("In which", 338), true).empty());
  g_assert_false(compare(cut("", 335), cut("In which", 360), true).empty());
  g_assert_false(compare(cut("In", 335), cut("Which", 335), true).empty());
  const auto one = told_of({heard("complete", "Hello")});
  g_assert_cmpuint(compare({}, one, true).size(), ==, 1);
  g_assert_cmpuint(compare({}, one, false).size(), ==, 0);
  g_assert_cmpuint(compare(one, {}, false).size(), ==, 1);
}

} // namespace

// A caller who comes back from a transfer has a recording for each stream.
static void test_transfer() {
  const Recorded recorded(shipped("transfer-nobody.toml"));
  for (const char *more : {"", ".2", ".3"}) {
    auto stream = recording::read_recording(recorded.call + more);
    if (!stream)
      g_error("%s", stream.error().message.c_str());
    g_assert_true(stream->complete);
    const Replayed replayed = again(*stream, recorded.agent());
    CHECK_TEXT(replayed.now.back().text, replayed.recorded.back().text);
    // Where the agent was to go on.
    const auto resume = stream->header.elements.at("agent")["resume"];
    g_assert_true(resume.empty() == (*more == '\0'));
  }
}

static void test_screening() {
  const Recorded recorded(shipped("voicemail.toml"));
  const Replayed replayed = again(recorded.recording, recorded.agent());
  const auto told =
      std::find_if(replayed.now.begin(), replayed.now.end(),
                   [](const Told &each) { return each.what == "answer"; });
  g_assert_true(told != replayed.now.end());
  CHECK_TEXT(told->text, "machine_end_beep: message");
}

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  g_test_init(&argc, &argv, nullptr);
  register_elements();
  log::set_threshold(log::Level::kError);
  const std::pair<const char *, void (*)()> tests[] = {
      {"/replay/each-stream-of-a-transferred-call", test_transfer},
      {"/replay/who-answered-is-told-again", test_screening},
      {"/replay/every-scenario-is-decided-as-it-was", test_every_scenario},
      {"/replay/things-happen-when-they-happened", test_times_are_the_same},
      {"/replay/the-stereo-recording-is-what-was-heard", test_sound_is_kept},
      {"/replay/a-changed-agent-shows-where-it-differs",
       test_a_changed_agent_differs},
      {"/replay/a-changed-agent-s-words-are-heard",
       test_a_changed_agent_is_heard},
      {"/replay/other-words-show-where-it-differs", test_other_words_differ},
      {"/replay/a-model-is-not-asked-again", test_a_model_is_not_asked},
      {"/replay/tools-are-not-called-again", test_tools_are_not_called},
      {"/replay/urls-are-kept-without-secrets",
       test_urls_are_kept_without_secrets},
      {"/replay/the-beginning-of-a-call-is-compared",
       test_a_beginning_is_compared},
      {"/replay/cuts-may-be-a-word-apart", test_cuts_are_compared_by_word},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func(name, test);
  return g_test_run();
}
