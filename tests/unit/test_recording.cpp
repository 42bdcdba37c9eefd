// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audio/mulaw.hpp"
#include "base/log.hpp"
#include "recording/agent_file.hpp"
#include "recording/stereo.hpp"
#include "recording/wav_file.hpp"
#include "recording/writer.hpp"

#include "../support/check_text.hpp"
#include "../support/temp_dir.hpp"

#include <glib.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <sys/stat.h>

using namespace patchcord;
using namespace patchcord::recording;

namespace {

namespace fs = std::filesystem;
using test::contents;
using test::TempDir;

Header header() {
  Header header;
  header.call_sid = "CA1";
  header.account_sid = "AC1";
  header.agent = "room-booking";
  header.pipeline = "offline";
  header.today = "2026-05-04";
  header.answered_ms = 1'700'000'000'000;
  header.max_duration_s = 300;
  header.elements["agent"]["mind"] = "open\"ai";
  return header;
}

Event event(Kind kind, Duration t) {
  Event made;
  made.kind = kind;
  made.t = t;
  return made;
}

// Every member has a value: what its kind has of them comes back.
Event full(Kind kind) {
  Event made = event(kind, 1234567us);
  made.text =
      kind == Kind::kTold ? R"({"event":"x","a":[1,"b"]})" : "t\"\n\xc3\xa9";
  made.detail = "d";
  made.code = "c";
  made.number = 7;
  made.count = 160;
  made.from = 1000us;
  made.to = 2000us;
  made.flag = true;
  made.numbers = {0, 0, 4, 250};
  return made;
}

// --- the format --------------------------------------------------------------

void test_every_kind_comes_back() {
  std::string text = to_line(header()) + "\n";
  int kinds = 0;
  for (int kind = 0; kind <= static_cast<int>(Kind::kTold); ++kind, ++kinds) {
    const std::string line = to_line(full(static_cast<Kind>(kind)));
    g_assert_cmpuint(line.size(), >, 0);
    text += line + "\n";
  }
  const auto recording = parse_recording(text, "e.jsonl");
  if (!recording)
    g_error("%s", recording.error().message.c_str());
  g_assert_cmpint(static_cast<int>(recording->events.size()), ==, kinds);
  // Written again it is the same.
  std::string again = to_line(recording->header) + "\n";
  for (const Event &each : recording->events)
    again += to_line(each) + "\n";
  CHECK_TEXT(again, text);
  CHECK_TEXT(recording->header.elements.at("agent").at("mind"), "open\"ai");
  g_assert_true(recording->events.front().t == 1234567us);
  g_assert_false(recording->complete);
}

void test_mistakes_are_told_with_their_line() {
  const std::string head = to_line(header()) + "\n";
  const struct {
    std::string text;
    std::vector<const char *> words;
  } rows[] = {
      {"", {"e.jsonl", "empty"}},
      {"{}\n", {"e.jsonl:1", "recording"}},
      {R"({"recording":2})", {"e.jsonl:1", "recording", "0 to 1", "2"}},
      {head + "no\n", {"e.jsonl:2"}},
      {head + R"({"t":1,"what":"clear"})" + "\n" + R"({"t":0,"what":"clear"})" +
           "\n",
       {"e.jsonl:3", "t: expected no less"}},
      {head + R"({"t":-1,"what":"clear"})" + "\n", {"e.jsonl:2", "t:"}},
      {head + R"({"t":1,"what":"clean"})" + "\n",
       {"e.jsonl:2", "what", "clean"}},
      {head + R"({"t":1,"what":"mark"})" + "\n",
       {"e.jsonl:2", "name", "nothing"}},
      {head + R"({"t":1,"what":"media","timestamp_ms":1,"samples":"x"})" + "\n",
       {"e.jsonl:2", "samples", "whole number"}},
      {head + R"({"t":1,"what":"sent","samples":99999999})" + "\n",
       {"e.jsonl:2", "samples", "4800000"}},
      {head + R"({"t":1,"what":"told","event":"x"})" + "\n",
       {"e.jsonl:2", "event", "an object"}},
  };
  for (const auto &row : rows) {
    const auto recording = parse_recording(row.text, "e.jsonl");
    if (recording.ok())
      g_error("was taken: %s", row.text.c_str());
    for (const char *word : row.words)
      if (recording.error().message.find(word) == std::string::npos)
        g_error("\"%s\" is not in: %s", word,
                recording.error().message.c_str());
  }
}

void test_what_a_killed_process_left() {
  const std::string text = to_line(header()) + "\n" +
                           to_line(event(Kind::kClear, 5us)) + "\n" +
                           R"({"t":6,"what":"cl)";
  const auto recording = parse_recording(text, "e.jsonl");
  g_assert_true(recording.ok());
  g_assert_cmpuint(recording->events.size(), ==, 1);
  g_assert_false(recording->complete);
  Event told = event(Kind::kTold, 9us);
  told.text = R"({"t_ms":1,"event":"call-ended","reason":"goal"})";
  const auto whole = parse_recording(
      to_line(header()) + "\n" + to_line(told) + "\n", "e.jsonl");
  g_assert_true(whole->complete);
}

// --- both sides on one line of time ------------------------------------------

struct Mixed {
  std::string left, right; // a character for 20 ms: the sound's, or "."
};

// Each event with its sound, a value for each sample of it.
Mixed mix(const std::vector<std::pair<Event, std::uint8_t>> &sounds) {
  WayMeter way;
  for (const auto &[each, sound] : sounds)
    way.take(each);
  StereoMixer mixer(way.samples());
  Bytes pcm;
  for (const auto &[each, sound] : sounds) {
    mixer.take(each, Bytes(static_cast<std::size_t>(each.count), sound));
    while (mixer.mix(pcm, false))
      ;
  }
  while (mixer.mix(pcm, true))
    ;
  Mixed mixed;
  for (std::size_t at = 80 * 4; at < pcm.size(); at += 160 * 4)
    for (int side = 0; side < 2; ++side) {
      const auto low = pcm[at + static_cast<std::size_t>(side) * 2];
      const auto high = pcm[at + static_cast<std::size_t>(side) * 2 + 1];
      const auto code = audio::linear_to_mulaw(static_cast<std::int16_t>(
          static_cast<std::uint16_t>(low | high << 8)));
      (side == 0 ? mixed.left : mixed.right) +=
          code == audio::kMulawSilence ? '.' : static_cast<char>(code);
    }
  return mixed;
}

Event media(Duration t, std::int64_t timestamp_ms) {
  Event made = event(Kind::kMedia, t);
  made.number = timestamp_ms;
  made.count = 160;
  return made;
}
Event sent(Duration t, std::int64_t samples) {
  Event made = event(Kind::kSent, t);
  made.count = samples;
  return made;
}
Event mark(Kind kind, Duration t, const char *name) {
  Event made = event(kind, t);
  made.text = name;
  return made;
}

void test_sides_are_aligned() {
  // The first frame was spoken in the 20 ms before it came; a lost one is
  // silence. What is sent is heard one after another.
  Mixed mixed = mix({{media(20ms, 100), 'a'},
                     {media(40ms, 120), 'b'},
                     {sent(40ms, 320), 'x'},
                     {media(80ms, 160), 'd'},
                     {sent(80ms, 160), 'y'},
                     {media(100ms, 180), 'e'}});
  CHECK_TEXT(mixed.left, "ab.de");
  CHECK_TEXT(mixed.right, "..xxy");
  // A clear drops what was not played.
  mixed = mix({{media(20ms, 100), 'a'},
               {sent(20ms, 800), 'x'},
               {media(40ms, 120), 'b'},
               {media(60ms, 140), 'c'},
               {event(Kind::kClear, 60ms), 0},
               {media(80ms, 160), 'd'},
               {sent(80ms, 160), 'y'},
               {media(100ms, 180), 'e'}});
  CHECK_TEXT(mixed.left, "abcde");
  CHECK_TEXT(mixed.right, ".xx.y");
  // Marks tell the way there and back, 40 ms here: the clear takes as long.
  mixed = mix({{media(20ms, 100), 'a'},
               {sent(20ms, 160), 'x'},
               {mark(Kind::kMark, 20ms, "1.1"), 0},
               {sent(20ms, 800), 'z'},
               {media(40ms, 120), 'b'},
               {media(60ms, 140), 'c'},
               {media(80ms, 160), 'd'},
               {mark(Kind::kMarkBack, 80ms, "1.1"), 0},
               {event(Kind::kClear, 80ms), 0},
               {media(100ms, 180), 'e'},
               {media(120ms, 200), 'f'},
               {media(140ms, 220), 'g'}});
  CHECK_TEXT(mixed.left, "abcdefg");
  CHECK_TEXT(mixed.right, "...xzz.");
}

// What is kept while it cannot be told yet is bounded, whatever the peer does.
void test_mixing_takes_no_memory() {
  // An agent that speaks to a line which sends nothing.
  StereoMixer mixer(0);
  Bytes pcm;
  std::size_t samples = 0;
  for (int i = 0; i < 60 * 50; ++i) {
    mixer.take(sent(i * 20ms, 160), Bytes(160, 'x'));
    while (mixer.mix(pcm, false))
      g_assert_cmpuint(pcm.size(), <=, StereoMixer::kMostAtOnce * 4);
    samples += std::exchange(pcm, {}).size() / 4;
  }
  g_assert_cmpuint(samples, ==, 8000 * 60 - 160 - StereoMixer::kMostLate);
  // A long silence comes in pieces.
  mixer.take(sent(3600s, 160), Bytes(160, 'x'));
  int pieces = 0;
  for (bool more = true; more; ++pieces) {
    more = mixer.mix(pcm, true);
    g_assert_cmpuint(pcm.size(), <=, StereoMixer::kMostAtOnce * 4);
    samples += std::exchange(pcm, {}).size() / 4;
  }
  g_assert_cmpuint(samples, ==, 8000 * 3600 + 160);
  g_assert_cmpint(pieces, >, 1000);
}

void test_nobody_speaks() {
  const Mixed nothing = mix({{event(Kind::kClear, 60ms), 0}});
  CHECK_TEXT(nothing.right, "");
  const Mixed agent_only = mix({{sent(0ms, 160), 'x'}});
  CHECK_TEXT(agent_only.left, ".");
  CHECK_TEXT(agent_only.right, "x");
}

// --- writing -----------------------------------------------------------------

void play(Writer &writer, const char *sid) {
  const auto tape = writer.start(sid, "name = \"x\"\n");
  tape->begin(header());
  for (int i = 0; i < 500; ++i) {
    const Duration t = (i + 1) * 20ms;
    tape->caller_audio(Bytes(160, 'c'));
    tape->note(media(t, 100 + i * 20));
    if (i % 5 == 0) {
      tape->agent_audio(Bytes(800, 'a'));
      tape->note(sent(t, 800));
    }
  }
}

void test_files_are_written() {
  const TempDir dir;
  const std::string folder = dir / "recordings";
  {
    auto writer = Writer::open(folder);
    g_assert_true(writer.ok());
    play(**writer, "CA1");
    play(**writer, "CA1"); // the same call again
  }
  for (const char *name : {"CA1", "CA1.2"}) {
    const std::string call = folder + "/" + name;
    const auto recording = read_recording(call);
    if (!recording)
      g_error("%s", recording.error().message.c_str());
    g_assert_cmpuint(recording->events.size(), ==, 600);
    g_assert_cmpuint(fs::file_size(call + "/caller.wav"), ==,
                     kWavHeader + 500 * 160);
    g_assert_cmpuint(fs::file_size(call + "/agent.wav"), ==,
                     kWavHeader + 100 * 800);
    // 500 frames, and what was sent with the 496th: 16 bits on each side.
    g_assert_cmpuint(fs::file_size(call + "/call.wav"), ==,
                     kWavHeader + (496 * 160 + 800) * 4);
    CHECK_TEXT(contents(call + "/agent.toml"), "name = \"x\"\n");
    // For their owner alone.
    for (const auto &entry : fs::directory_iterator(call)) {
      struct stat info {};
      g_assert_cmpint(stat(entry.path().c_str(), &info), ==, 0);
      g_assert_cmpint(info.st_mode & 0777, ==, 0600);
    }
    struct stat info {};
    g_assert_cmpint(stat(call.c_str(), &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0700);
  }
  const std::string wav = contents(folder + "/CA1/caller.wav");
  g_assert_true(wav.starts_with("RIFF") && wav.substr(8, 8) == "WAVEfmt ");
  g_assert_true(wav.substr(kWavHeader - 8, 4) == "data");
  g_assert_cmpuint(static_cast<unsigned char>(wav[kWavHeader - 4]), ==,
                   (500 * 160) & 0xff);
  g_assert_true(wav.ends_with("cccc"));
}

// A call that is over does not keep those that go on from the disk.
void test_mixing_delays_no_live_call() {
  const TempDir dir;
  const std::string folder = dir / "recordings";
  std::promise<void> begun, release;
  const auto released = release.get_future().share();
  std::atomic<int> mixes{0};
  {
    auto writer = Writer::open(folder, [&](const std::string &call) {
      if (mixes++ == 0)
        begun.set_value();
      released.wait();
      return write_stereo(call);
    });
    play(**writer, "CA1");
    begun.get_future().wait();
    const auto live = (*writer)->start("CA2", "");
    live->begin(header());
    live->caller_audio(Bytes(100'000, 'c'));
    live->note(media(20ms, 100));
    (*writer)->flush();
    g_assert_cmpuint(fs::file_size(folder + "/CA2/caller.wav"), ==,
                     kWavHeader + 100'000);
    g_assert_false(fs::exists(folder + "/CA1/call.wav"));
    release.set_value();
  }
  g_assert_cmpint(mixes, ==, 2);
  // Its end waits for all of them.
  g_assert_true(fs::exists(folder + "/CA1/call.wav"));
  g_assert_true(fs::exists(folder + "/CA2/call.wav"));
}

// A mix that fails leaves no half of one, and the recording as it was.
void test_a_mix_that_fails() {
  const TempDir dir;
  const std::string folder = dir / "recordings";
  {
    auto writer = Writer::open(folder, [](const std::string &call) {
      std::ofstream(call + "/" + kEventsFile, std::ios::app) << "broken\n";
      return write_stereo(call);
    });
    play(**writer, "CA1");
    (*writer)->flush();
    g_assert_cmpuint((*writer)->lost(), ==, 0);
  }
  g_assert_true(fs::exists(folder + "/CA1/caller.wav"));
  g_assert_false(fs::exists(folder + "/CA1/call.wav"));
  g_assert_false(fs::exists(folder + "/CA1/call.wav.part"));
}

void test_what_cannot_be_written() {
  const TempDir dir;
  const auto nowhere = Writer::open(dir / "a/b");
  g_assert_false(nowhere.ok());
  g_assert_nonnull(strstr(nowhere.error().message.c_str(), "/a/b: "));
  // A call goes on; its recording is told once and is over.
  auto writer = Writer::open(dir / "recordings");
  g_assert_true(writer.ok());
  for (const char *sid : {"../CA1", "", "CA 1", "a/b"})
    play(**writer, sid);
  (*writer)->flush();
  g_assert_cmpuint((*writer)->lost(), ==, 4);
  fs::remove_all(dir / "recordings");
  play(**writer, "CA2");
  (*writer)->flush();
  g_assert_cmpuint((*writer)->lost(), ==, 5);
  g_assert_false(fs::exists(dir / "recordings"));
}

void test_a_slow_disk_costs_no_memory() {
  const TempDir dir;
  auto writer = Writer::open(dir / "recordings");
  const auto tape = (*writer)->start("CA1", "");
  tape->begin(header());
  // More at once than may wait: that recording is given up.
  tape->caller_audio(Bytes(Writer::kMostWaiting + 1, 0));
  tape->note(event(Kind::kClear, 1ms));
  for (int i = 0; i < 10; ++i)
    tape->note(event(Kind::kClear, 2ms));
  (*writer)->flush();
  g_assert_cmpuint((*writer)->lost(), ==, 1);
  // Others are kept.
  play(**writer, "CA2");
  (*writer)->flush();
  g_assert_cmpuint((*writer)->lost(), ==, 1);
  g_assert_true(read_recording(dir / "recordings/CA2").ok());
}

void test_agent_file_is_kept_without_secrets() {
  const char *file = R"(name = "x" # é
[[tools]]
name = "look"
url = "https://h/{day}?pw=a&q={q}"
[tools.headers]
"X-Odd" = "hunter2" # kept
Accept = "application/json"
X-Long = """
a
b"""
Authorization = { prefix = "Bearer", env = "A" }
X-Two = { env = "B", prefix = "s3cret" }
[[tools]]
name = "é"
headers = { User-Agent = "us", "X-É" = 'é"é', X-Three = "c" }
[voice]
headers = "none"
)";
  CHECK_TEXT(redacted_agent_file(file), R"(name = "x" # é
[[tools]]
name = "look"
url = "https://h/{day}?pw=***&q={q}"
[tools.headers]
"X-Odd" = "***" # kept
Accept = "application/json"
X-Long = "***"
Authorization = { prefix = "Bearer", env = "A" }
X-Two = { env = "B", prefix = "***" }
[[tools]]
name = "é"
headers = { User-Agent = "us", "X-É" = "***", X-Three = "***" }
[voice]
headers = "none"
)");
  for (const char *odd : {"", "headers", "[[tools]]\nheaders = 1\n",
                          "tools = 1\nheaders = 2\n", "tools = [1]#headers"})
    CHECK_TEXT(redacted_agent_file(odd), odd);
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  // Errors are expected here.
  log::set_threshold(log::Level::kError);
  const std::pair<const char *, void (*)()> tests[] = {
      {"/recording/format/every-kind-comes-back", test_every_kind_comes_back},
      {"/recording/format/mistakes-are-told-with-their-line",
       test_mistakes_are_told_with_their_line},
      {"/recording/format/a-killed-process-leaves-a-beginning",
       test_what_a_killed_process_left},
      {"/recording/stereo/sides-are-aligned-by-what-was-heard",
       test_sides_are_aligned},
      {"/recording/stereo/silence-is-harmless", test_nobody_speaks},
      {"/recording/writer/files-are-for-their-owner-alone",
       test_files_are_written},
      {"/recording/stereo/takes-no-memory", test_mixing_takes_no_memory},
      {"/recording/writer/mixing-delays-no-live-call",
       test_mixing_delays_no_live_call},
      {"/recording/writer/a-mix-that-fails-leaves-nothing",
       test_a_mix_that_fails},
      {"/recording/writer/what-cannot-be-written-is-told-once",
       test_what_cannot_be_written},
      {"/recording/writer/a-slow-disk-costs-no-memory",
       test_a_slow_disk_costs_no_memory},
  };
  for (const auto &[name, test] : tests)
    g_test_add_func(name, test);
  g_test_add_func("/recording/the-agent-s-file-is-kept-without-secrets",
                  test_agent_file_is_kept_without_secrets);
  return g_test_run();
}
