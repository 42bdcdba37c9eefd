// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scenario/phone.hpp"
#include "scenario/report.hpp"
#include "scenario/sound.hpp"

#include "../support/check_text.hpp"

#include "audio/voice_activity.hpp"
#include "base/log.hpp"
#include "twilio/spoken_script.hpp"

#include <glib.h>
#include <gst/gst.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace patchcord;
using namespace patchcord::scenario;

static const std::string kHead = "name = \"x\"\nagent = \"room-booking\"\n";

// --- the file ----------------------------------------------------------------

static void test_reads_a_file() {
  const auto scenario = parse_scenario(kHead + R"(
[stt]
delay_ms = 120
[[caller]]
say = "book a room"
heard = "look a broom"
at_word = 3
[[caller]]
noise_ms = 250
silence_s = 1.5
[[caller]]
dtmf = "1#"
[[caller]]
hang_up = true
after_s = 2
[expect]
reply_within_ms = 900
goal_reached = false
fields = { people = 4, location = "Sunnyvale" }
)",
                                       "s.toml");
  g_assert_true(scenario.ok());
  const auto &lines = scenario->lines;
  g_assert_cmpuint(lines.size(), ==, 4);
  g_assert_true(lines[0].cue.kind == Cue::Kind::kWord);
  g_assert_cmpint(lines[0].cue.word, ==, 3);
  CHECK_TEXT(*lines[0].heard, "look a broom");
  g_assert_true(lines[1].what == Line::What::kNoise);
  g_assert_true(lines[1].cue.kind == Cue::Kind::kSilence);
  g_assert_true(lines[1].cue.time == 1500ms);
  g_assert_true(lines[2].cue.kind == Cue::Kind::kReply);
  g_assert_true(lines[3].cue.kind == Cue::Kind::kAfter);
  g_assert_true(scenario->stt.delay == 120ms);
  g_assert_true(*scenario->expect.reply_within == 900ms);
  g_assert_false(*scenario->expect.goal_reached);
  CHECK_TEXT(scenario->expect.fields.at("people"), "4");
  CHECK_TEXT(scenario->expect.fields.at("location"), "\"Sunnyvale\"");
}

static void test_refuses_mistakes() {
  // What stands behind the head, and what the message has to say.
  const struct {
    const char *text;
    std::vector<const char *> words;
  } rows[] = {
      {"agnet = \"x\"\n", {"s.toml:3", "agnet", "unknown key"}},
      {"mind = \"clever\"\n", {"s.toml:3", "mind", "openai", "clever"}},
      {"today = \"Monday\"\n", {"s.toml:3", "today", "2026-05-04"}},
      {"max_duration_s = 0\n", {"s.toml:3", "max_duration_s"}},
      {"[stt]\ndelay_ms = \"soon\"\n", {"s.toml:4", "stt.delay_ms"}},
      {"[phone]\nmarks = 1\n", {"s.toml:4", "phone.marks"}},
      {"[[caller]]\nsay = \"a\"\ninto_word_ms = 9\n",
       {"into_word_ms", "at_word"}},
      {"[stt]\nspeed = 1\n", {"s.toml:4", "stt.speed", "unknown key"}},
      {"[voice]\nfail_at = 0\n", {"s.toml:4", "voice.fail_at"}},
      {"[[caller]]\nsya = \"hello\"\n", {"caller"}},
      {"[[caller]]\nsay = \"a\"\ndtmf = \"1\"\n",
       {"s.toml:5: caller.dtmf: expected nothing besides say", "got \"1\""}},
      {"[[caller]]\nhang_up = true\nwav = \"a.wav\"\nheard = \"a\"\n",
       {"s.toml:4: caller.hang_up: expected nothing besides wav"}},
      {"[[caller]]\nreply_ms = 9\n", {"s.toml:3", "caller.say", "one of say"}},
      {"[[caller]]\nsay = \"\"\n", {"s.toml:4", "caller.say"}},
      {"[[caller]]\ndtmf = \"12a\"\n", {"s.toml:4", "caller.dtmf", "12a"}},
      {"[[caller]]\nwav = \"a.wav\"\n", {"caller.heard"}},
      {"[[caller]]\nsay = \"a\"\nat_word = 0\n", {"s.toml:5", "at_word"}},
      {"[[caller]]\nsay = \"a\"\nat_word = 2\nat_s = 1\n",
       {"no cue besides", "at_"}},
      {"[[caller]]\nsay = \"a\"\nat_s = -1\n", {"s.toml:5", "caller.at_s"}},
      {"[[caller]]\nsay = \"a\"\nat_s = nan\n", {"s.toml:5", "caller.at_s"}},
      {"[expect]\nedn = \"goal\"\n",
       {"s.toml:4", "expect.edn", " action,", " actions,", " tools,"}},
      {"[expect]\nhistory = [\"hello\"]\n", {"s.toml:4", "expect.history"}},
      {"[expect]\nend = \"gaol\"\n",
       {"s.toml:4: expect.end: expected one of goal,", " fax, got \"gaol\""}},
      {"[expect]\ncaller_end = \"hung_up\"\n",
       {"s.toml:4: expect.caller_end: expected one of agent_closed,"}},
      {"[expect]\naction = \"asks\"\n",
       {"s.toml:4: expect.action: expected one of ask,", "got \"asks\""}},
      {"[expect]\nactions = [\"ask\", \"hangup\"]\n",
       {"s.toml:4: expect.actions: expected each one of ask,", "hangup"}},
      {"[[expect.replies]]\nnumber = 1\n", {"expect.replies.equals"}},
      {"[[expect.replies]]\nequals = \"a\"\n", {"expect.replies.number"}},
      {"[[model.answers]]\nstatus = 200\n", {"model.answers.content"}},
      {"[expect\n", {"s.toml:3"}},
  };
  for (const auto &row : rows) {
    const auto scenario = parse_scenario(kHead + row.text, "s.toml");
    if (scenario.ok())
      g_error("was taken: %s", row.text);
    for (const char *word : row.words)
      if (scenario.error().message.find(word) == std::string::npos)
        g_error("%s: \"%s\" is not in: %s", row.text, word,
                scenario.error().message.c_str());
  }
  // One thing is wrong: what a WAV would need is not.
  const auto both = parse_scenario(
      kHead + "[[caller]]\nsay = \"a\"\nwav = \"a.wav\"\n", "s.toml");
  CHECK_TEXT(both ? "taken" : both.error().message,
             "s.toml:5: caller.wav: expected nothing besides say (a line does "
             "one thing), got \"a.wav\"");
  const auto nameless = parse_scenario("agent = \"intake\"\n", "s.toml");
  g_assert_false(nameless.ok());
  const auto stranger =
      parse_scenario("name = \"x\"\nagent = \"room-bookin\"\n", "s.toml");
  g_assert_false(stranger.ok());
  g_assert_nonnull(strstr(stranger.error().message.c_str(), "room-booking"));
}

// What docs/api.md says that a record may have may be expected.
static void test_all_ends_may_be_expected() {
  std::ifstream in(std::string(g_getenv("PATCHCORD_DATA_DIR")) +
                   "/../docs/api.md");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto from = text.find("\"end_reason\",") + 13;
  text = text.substr(from, text.find("\"end_detail\"", from) - from);
  int ends = 0;
  for (std::size_t at = text.find('"'); at != std::string::npos;
       at = text.find('"', at + 1)) {
    const std::size_t end = text.find('"', at + 1);
    const std::string reason = text.substr(at + 1, end - at - 1);
    at = end;
    if (reason == "status") // a reference to it
      continue;
    ++ends;
    if (!parse_scenario(kHead + "[expect]\nend = \"" + reason + "\"\n",
                        "s.toml"))
      g_error("expected_values.cpp does not have \"%s\"", reason.c_str());
  }
  g_assert_cmpint(ends, >, 15);
}

// Also what only shows when the lines are made into sound.
static void test_sound_that_is_not_there() {
  const auto scenario = parse_scenario(
      kHead + "[[caller]]\nsay = \"a\"\n[[caller]]\nheard = \"a\"\n"
              "wav = \"/nowhere/none.wav\"\n",
      "s.toml");
  g_assert_true(scenario.ok());
  const auto lines = prepare(*scenario);
  CHECK_TEXT(lines ? "taken" : lines.error().message,
             "s.toml:7: caller.wav: cannot open \"/nowhere/none.wav\": No such "
             "file or directory");
}

// --- sound -------------------------------------------------------------------

static void test_words_are_heard() {
  const Sound sound =
      speak("Hello, room desk. Book a room?", Timbre::kAgent, 70000);
  g_assert_cmpuint(sound.words.size(), ==, 6);
  // In pieces that fall anywhere.
  Ear ear;
  std::vector<Ear::Event> events;
  for (std::size_t at = 0; at < sound.mulaw.size(); at += 37)
    ear.push(
        ByteSpan(sound.mulaw)
            .subspan(at, std::min<std::size_t>(37, sound.mulaw.size() - at)),
        events);
  g_assert_cmpuint(events.size(), ==, 12);
  for (std::size_t i = 0; i < 12; ++i) {
    const WordAt &word = sound.words[i / 2];
    g_assert_cmpuint(events[i].word, ==, 70000 + i / 2);
    g_assert_true(events[i].end == (i % 2 == 1));
    g_assert_cmpint(events[i].at, ==, i % 2 == 1 ? word.end : word.begin);
  }
}

// Wherever a word is cut, in its marks as well: silence or another word
// follows.
static void test_a_cut_word_is_not_heard() {
  const Sound sound = speak("one two three", Timbre::kStandIn, 5);
  const Sound next = speak("four", Timbre::kAgent, 0xFFFF);
  const WordAt &two = sound.words[1];
  for (Samples cut = two.begin; cut < two.end; ++cut)
    for (const Bytes &behind : {next.mulaw, Bytes(400, 0xFF)}) {
      Ear ear;
      std::vector<Ear::Event> events;
      ear.push(ByteSpan(sound.mulaw).first(static_cast<std::size_t>(cut)),
               events);
      ear.push(behind, events);
      for (const Ear::Event &event : events)
        g_assert_true(event.word == 5 || event.word == 0xFFFF ||
                      (event.word == 6 && !event.end));
    }
}

// Cut anywhere, its marks as well, and gone on with later, or soon: it was
// heard.
static void test_a_word_in_two_pieces_is_heard() {
  const Sound sound = speak("one two three", Timbre::kStandIn, 5);
  const WordAt &two = sound.words[1];
  for (Samples cut = two.begin; cut <= two.end; ++cut)
    for (const std::size_t silence : {80U, 8000U}) {
      Ear ear;
      std::vector<Ear::Event> events;
      const auto at = static_cast<std::size_t>(cut);
      ear.push(ByteSpan(sound.mulaw).first(at), events);
      ear.push(Bytes(silence, 0xFF), events);
      ear.push(ByteSpan(sound.mulaw).subspan(at), events);
      g_assert_cmpuint(events.size(), ==, 6);
      g_assert_cmpuint(events[3].word, ==, 6);
      g_assert_true(events[3].end);
      const auto late = cut < two.end ? static_cast<Samples>(silence) : 0;
      g_assert_cmpint(events[3].at, ==, two.end + late);
    }
}

static void test_sound_is_taken_for_speech() {
  for (const Bytes &sound :
       {speak("half past two", Timbre::kCaller, 0).mulaw, noise(2800)}) {
    audio::VoiceActivity activity;
    std::vector<audio::VoiceActivity::Event> events;
    activity.push_mulaw(Bytes(8000, 0xFF), events);
    activity.push_mulaw(sound, events);
    activity.push_mulaw(Bytes(8000, 0xFF), events);
    g_assert_cmpuint(events.size(), ==, 2);
    const Duration length =
        phone::to_duration(static_cast<Samples>(sound.size()));
    g_assert_true(events[0].time >= 1s && events[0].time < 1s + 100ms);
    g_assert_true(events[1].time > 1s + length - 200ms);
    g_assert_true(events[1].time < 1s + length + 20ms);
  }
  // About 14 characters a second.
  const auto size = speak("I need a room", Timbre::kCaller, 0).mulaw.size();
  g_assert_cmpuint(size, >, 8000 * 13 / 15);
  g_assert_cmpuint(size, <, 8000 * 15 / 14);
}

// Where nothing tells when which word is said it is known to the word all the
// same, in texts with digits and accents too.
static void test_is_as_slow_as_it_is_reckoned() {
  for (const std::string text :
       {"It costs $1,250.50 today, Dr. Smith said. We are open from 8:30 a.m. "
        "to 5 p.m. on weekdays. My number is 415-555-0100, and what is yours?",
        "Please write this number down: 4 1 5 5 5 5 0 1 0 0, or 1 2 3 4 5 6 7 "
        "8 "
        "9, and thank you very much for calling us again.",
        "Möchten Sie über Köln fahren, für 1999 Euro, oder später zurück?"}) {
    const Sound sound = speak(text, Timbre::kAgent, 0);
    twilio::SpokenScript script;
    script.add(text, {}, 0);
    int heard = 0;
    for (const WordAt &word : sound.words) {
      ++heard;
      for (const Samples at : {word.end, (word.begin + word.end) / 2}) {
        const std::string known = script.heard(static_cast<std::uint64_t>(at),
                                               sound.mulaw.size(), true);
        const auto words =
            known.empty() ? 0 : std::count(known.begin(), known.end(), ' ') + 1;
        g_test_message("%s: %s", word.text.c_str(), known.c_str());
        // As is allowed in a call.
        const int whole = at == word.end ? heard : heard - 1;
        g_assert_cmpint(words, <=, whole + 1);
        g_assert_cmpint(words, >=, whole - 2);
      }
    }
  }
}

// --- whole calls -------------------------------------------------------------

static const std::string kCall = kHead + R"(
[[caller]]
say = "cancel a booking"
at_word = 5
[[caller]]
say = "Sunnyvale"
[[caller]]
hang_up = true
at_word = 2
)";

static Outcome play(const std::string &text, bool record_audio = false) {
  const auto scenario = parse_scenario(text, "s.toml");
  if (!scenario.ok())
    g_error("%s", scenario.error().message.c_str());
  auto outcome = run(*scenario, {record_audio});
  if (!outcome.ok())
    g_error("%s", outcome.error().message.c_str());
  return *std::move(outcome);
}

static void test_same_bytes_every_time() {
  const auto scenario = parse_scenario(kCall, "s.toml");
  std::vector<std::string> timelines;
  std::vector<Bytes> heard, said;
  for (int i = 0; i < 2; ++i) {
    Outcome outcome = play(kCall, true);
    heard.push_back(outcome.heard_audio);
    said.push_back(outcome.caller_audio);
    timelines.push_back(timelines_json({{*scenario, std::move(outcome), ""}}));
  }
  CHECK_TEXT(timelines[0], timelines[1]);
  g_assert_cmpuint(heard[0].size(), >, 30000);
  g_assert_true(heard[0] == heard[1]);
  g_assert_true(said[0] == said[1]);
}

static void test_cut_at_the_word() {
  const Outcome outcome = play(kCall);
  g_assert_true(outcome.passed());
  g_assert_cmpint(outcome.interruptions, ==, 1);
  CHECK_TEXT(heard_text(outcome.heard.at(0), outcome.words),
             "Hello, room desk. Book");
  CHECK_TEXT(outcome.record.turns.at(0).heard, "Hello, room desk. Book");
  CHECK_TEXT(reply_text(1, outcome.words),
             "Hello, room desk. Book a room, or cancel one?");
  CHECK_TEXT(outcome.caller_end, "caller_hung_up");
  // Hung up in the second word of the last reply.
  CHECK_TEXT(heard_text(outcome.heard.back(), outcome.words), "For");
}

// From the first sample of a reply to its last, and with marks or without: what
// is checked of every call holds - the words of what was heard, to the word,
// for how long, to 25 ms - and the record has both. A voice without timings may
// be a word off.
static void test_cut_at_any_moment() {
  int interrupted = 0, whole = 0, first = 0, last = 0;
  // The greeting, as it is heard; the voice is silent for a little behind it.
  const auto all =
      play(kHead + "[[caller]]\nhang_up = true\n").heard.at(0).stretches.at(0);
  for (const char *marks : {"true", "false", "true\n[voice]\ntimings = false"})
    for (int word = 1; word <= 9; ++word)
      for (int into = 0; into < (word == 9 ? 800 : 300);
           into += word == 1 || word == 9 ? 20 : 50) {
        const Outcome outcome = play(
            kHead + "[phone]\nmarks = " + marks +
            "\n[[caller]]\nsay = \"cancel a booking\"\nat_word = " +
            std::to_string(word) + "\ninto_word_ms = " + std::to_string(into) +
            "\n[[caller]]\nhang_up = true\n");
        for (const Failure &failure : outcome.failures)
          g_error("marks %s, word %d and %d ms: %s: expected %s, got %s", marks,
                  word, into, failure.what.c_str(), failure.expected.c_str(),
                  failure.got.c_str());
        const store::TurnRecord &turn = outcome.record.turns.at(0);
        const Belief &belief = outcome.beliefs.at(0);
        CHECK_TEXT(turn.heard, belief.text);
        g_assert_cmpint(turn.heard_ms, ==, *belief.heard_ms);
        g_assert_true(turn.interrupted == (outcome.interruptions == 1));
        (turn.interrupted ? interrupted : whole) += 1;
        const auto &heard = outcome.heard.at(0).stretches.at(0);
        if (!turn.interrupted)
          continue;
        first += heard.cut_at - heard.from <= phone::kRate / 10 ? 1 : 0;
        last +=
            heard.cut_at >= all.to - phone::kRate / 10 && heard.cut_at < all.to
                ? 1
                : 0;
      }
  g_assert_cmpint(interrupted, >, 90);
  g_assert_cmpint(whole, >, 0); // was over before the caller was noticed
  g_test_message("%d interrupted, %d of them in the first 100 ms, %d in the "
                 "last",
                 interrupted, first, last);
  g_assert_cmpint(first, >=, 3);
  g_assert_cmpint(last, >=, 9);
}

// The shipped scenarios of the first and the last 100 ms of a reply are of
// these: the clear comes to Twilio in them.
static void test_first_and_last_100_ms() {
  constexpr Samples k100Ms = phone::kRate / 10;
  const auto shipped = [](const char *name) {
    const std::string folder = g_getenv("PATCHCORD_DATA_DIR");
    const auto scenario = read_scenario(folder + "/scenarios/" + name);
    g_assert_true(scenario.ok());
    auto outcome = run(*scenario);
    g_assert_true(outcome.ok() && outcome->passed());
    return *std::move(outcome);
  };
  const Outcome early = shipped("early-interruption.toml");
  const auto &begun = early.heard.at(1).stretches.at(0);
  g_assert_cmpint(begun.cut_at, >, begun.from);
  g_assert_cmpint(begun.cut_at, <=, begun.from + k100Ms);
  CHECK_TEXT(early.record.turns.at(1).heard, "");
  g_assert_cmpint(early.record.turns.at(1).heard_ms, <=, 100);
  // The greeting, which there is heard to its end.
  const auto &whole = early.heard.at(0).stretches.at(0);
  const Outcome late = shipped("late-interruption.toml");
  const auto &ended = late.heard.at(0).stretches.at(0);
  g_assert_cmpint(ended.from, ==, whole.from);
  g_assert_cmpint(ended.cut_at, <, whole.to);
  g_assert_cmpint(ended.cut_at, >=, whole.to - k100Ms);
  const store::TurnRecord &turn = late.record.turns.at(0);
  g_assert_true(turn.interrupted);
  CHECK_TEXT(turn.heard, "Hello, room desk. Book a room, or cancel");
  g_assert_cmpint(std::abs(turn.heard_ms - (ended.cut_at - ended.from) / 8), <=,
                  25);
  const Outcome two = shipped("two-interruptions.toml");
  g_assert_cmpint(two.interruptions, ==, 2);
  g_assert_true(two.record.turns.at(0).interrupted &&
                two.record.turns.at(1).interrupted);
}

// Every kind of expectation can be broken, and says what came instead.
static void test_broken_expectations() {
  const struct {
    const char *expectation, *what, *got;
  } rows[] = {
      {"end = \"goal\"", "end", "caller_hung_up"},
      {"action = \"end_call\"", "action", "\"ask\""},
      {"actions = [\"ask\", \"ask\", \"end_call\"]", "actions",
       "ask, ask, ask"},
      {"actions = [\"ask\", \"ask\"]", "actions", "ask, ask, ask"},
      {"caller_end = \"agent_closed\"", "caller_end", "caller_hung_up"},
      {"goal_reached = true", "goal_reached", "false"},
      {"fields = { location = \"San Francisco\" }", "fields.location",
       "Sunnyvale"},
      {"fields = { people = 4 }", "fields.people", "nothing"},
      {"heard = [\"For which\", \"In which\"]", "heard", "For"},
      {"history = [\"agent: Hello*one?\"]", "history", "room desk. Book"},
      {"interruptions = 0", "interruptions", "1"},
      {"false_interruptions = 1", "false_interruptions", "0"},
      {"reply_within_ms = 500", "reply_within_ms", "ms"},
      {"overlap_ms = 10", "overlap_ms", "ms"},
      {"ended_by_s = 2", "ended_by_s", "s"},
      {"not_before_s = 60", "not_before_s", "s"},
      {"unsaid_lines = 1", "unsaid_lines", "0"},
      {"model_requests = 2", "model_requests", "0"},
      {"troubles = [\"openai\"]", "troubles", "none"},
      {"[[expect.replies]]\nnumber = 2\nequals = \"In which office\"",
       "replies.2", "In which office?"},
      {"[[expect.replies]]\nnumber = 9\ncontains = \"a\"", "replies.9", "only"},
  };
  for (const auto &row : rows) {
    const Outcome outcome = play(kCall + "[expect]\n" + row.expectation + "\n");
    if (outcome.failures.empty())
      g_error("passed: %s", row.expectation);
    const Failure &failure = outcome.failures.front();
    g_assert_true(failure.what.starts_with(row.what));
    g_assert_nonnull(strstr(failure.got.c_str(), row.got));
  }
}

// What the last request lacks is said once, with its last messages in short.
static void test_a_request_is_shown_in_short() {
  const auto scenario = parse_scenario(
      kHead + "mind = \"openai\"\n[[model.answers]]\ncontent = \"x\"\n"
              "[expect]\nlast_request_contains = [\"one\", \"two\", "
              "\"fourth\"]\n",
      "s.toml");
  g_assert_true(scenario.ok());
  const std::string long_text(5000, 'x');
  Outcome outcome;
  outcome.requests = {R"({"messages":[{"role":"system","content":")" +
                      long_text +
                      R"("},{"role":"user","content":"second"},)"
                      R"({"role":"user","content":"third \u00e9 )" +
                      long_text + R"("},{"role":"tool","content":"fourth"}]})"};
  check(*scenario, outcome);
  int told = 0;
  for (const Failure &failure : outcome.failures) {
    if (failure.what != "last_request_contains")
      continue;
    ++told;
    CHECK_TEXT(failure.expected, "\"one\" and \"two\"");
    g_assert_true(failure.got.starts_with("4 messages, the last of them:\n"));
    g_assert_null(strstr(failure.got.c_str(), "system"));
    for (const char *part : {"second", "third", "fourth", "x..."})
      g_assert_nonnull(strstr(failure.got.c_str(), part));
    g_assert_cmpuint(failure.got.size(), <, 1000);
  }
  g_assert_cmpint(told, ==, 1);
}

// Who is not answered has not been answered in time.
static void test_no_answer_is_a_late_answer() {
  const std::string unanswered = kHead + "[stt]\ndelay_ms = 3000\n"
                                         "[[caller]]\nsay = \"book a room\"\n";
  for (const char *next : {"[[caller]]\nsay = \"hello\"\nafter_s = 2\n"
                           "[[caller]]\nhang_up = true\n",
                           "[[caller]]\nhang_up = true\nafter_s = 2\n"}) {
    const Outcome outcome =
        play(unanswered + next + "[expect]\nreply_within_ms = 1500\n");
    g_assert_false(outcome.passed());
    const Failure &failure = outcome.failures.front();
    CHECK_TEXT(failure.what, "reply_within_ms, after \"book a room\"");
    g_assert_true(failure.got.starts_with("no answer in "));
  }
  // For less than that nobody has waited too long.
  g_assert_true(play(unanswered + "[[caller]]\nhang_up = true\nafter_s = 1\n"
                                  "[expect]\nreply_within_ms = 1500\n")
                    .passed());
}

static void test_a_model_needs_answers() {
  const auto scenario = parse_scenario(kHead + "mind = \"openai\"\n", "s.toml");
  g_assert_true(scenario.ok());
  const auto outcome = run(*scenario);
  g_assert_false(outcome.ok());
  for (const char *words : {"s.toml", "model", "answers", "--live-model"})
    g_assert_nonnull(strstr(outcome.error().message.c_str(), words));
}

// Models do that: the agent asks once more.
static void test_a_model_may_have_nothing_to_say() {
  const Outcome outcome =
      play(kHead + "mind = \"openai\"\n"
                   "[[caller]]\nsay = \"cancel\"\n"
                   "[[caller]]\nhang_up = true\n"
                   "[[model.answers]]\ncontent = \"\"\n"
                   "[[model.answers]]\ncontent = '{\"message\": \"Where?\", "
                   "\"action\": \"ask\", \"extracted\": {}}'\n"
                   "[expect]\ntroubles = [\"openai\"]\nmodel_requests = 2\n"
                   "heard = [\"Where?\"]\n");
  for (const Failure &failure : outcome.failures)
    g_error("%s: expected %s, got %s", failure.what.c_str(),
            failure.expected.c_str(), failure.got.c_str());
}

// Who waits for the agent to have spoken does not take a pause in it for the
// end; unless what was to follow was cut.
static void test_a_pause_is_no_end() {
  const std::string text =
      kHead + "mind = \"openai\"\n[[model.answers]]\ncontent = '{\"message\": "
              "\"Well... let me see... where?\", \"action\": \"ask\", "
              "\"extracted\": {}}'\n[[caller]]\nsay = \"cancel\"\n";
  const Outcome outcome = play(text + "[[caller]]\nhang_up = true\n");
  g_assert_true(outcome.passed());
  CHECK_TEXT(heard_text(outcome.heard.at(1), outcome.words),
             "Well... let me see... where?");
  const Outcome cut =
      play(text + "[[caller]]\nnoise_ms = 300\nat_word = 1\nheard = \"\"\n"
                  "[[caller]]\nsay = \"goodbye\"\nat_word = 2\n"
                  "[[caller]]\nhang_up = true\nreply_ms = 100\n"
                  "[[model.answers]]\ncontent = '{\"message\": "
                  "\"Goodbye.\", \"action\": \"end_call\", "
                  "\"extracted\": {}}'\n");
  g_assert_cmpint(cut.interruptions, ==, 1);
  CHECK_TEXT(cut.caller_end, "caller_hung_up");
}

static void test_a_line_that_is_never_said_fails() {
  const Outcome outcome = play(kHead + "[[caller]]\nhang_up = true\n"
                                       "[[caller]]\nsay = \"book\"\n");
  g_assert_cmpuint(outcome.failures.size(), ==, 1);
  CHECK_TEXT(outcome.failures[0].what, "unsaid_lines");
}

// The first of the lines that were not said keeps the others waiting.
static void test_a_cue_that_never_came_is_told() {
  const std::string bye = "[[caller]]\nhang_up = true\n";
  const struct {
    const char *cue, *got;
  } rows[] = {
      {"at_word = 60\n",
       "2: line 5: at_word = 60: the agent said no so many words behind the "
       "line before"},
      {"reply_ms = 30000\n",
       "2: line 5: reply_ms = 30000: the agent did not answer and then say "
       "nothing for so long"},
      {"silence_s = 50.5\n",
       "2: line 5: silence_s = 50.5: nobody was silent for so long"},
      {"at_s = 500\n", "2: line 5: at_s = 500: the call was over before"},
      {"after_s = 400\n", "2: line 5: after_s = 400: the call was over before"},
  };
  for (const auto &row : rows) {
    const Outcome outcome =
        play(kHead + "[[caller]]\nsay = \"book\"\n" + row.cue + bye);
    g_assert_cmpuint(outcome.failures.size(), ==, 1);
    CHECK_TEXT(outcome.failures[0].got, row.got);
  }
  // The default is told by its line.
  const Outcome outcome = play(kHead +
                               "[[caller]]\nsay = \"book\"\n"
                               "[[caller]]\nhang_up = true\n"
                               "after_s = 1\n" +
                               bye);
  CHECK_TEXT(outcome.failures.at(0).got,
             "1: line 8: reply_ms = 700: the agent did not answer and then say "
             "nothing for so long");
}

// The agent's belief is held against the caller's ear.
static void test_a_wrong_belief_fails() {
  const auto stretch = play(kCall).heard.at(0).stretches.at(0);
  const std::int64_t before = (stretch.cut_at - stretch.from) / 8;
  const struct {
    const char *belief;
    bool whole, passes;
    std::optional<std::int64_t> heard_ms = {};
  } rows[] = {
      {"Hello, room desk. Book", true, true},
      {"Hello, room desk. Book", false, true},
      {"Hello, room desk.", false, true}, // within the pause behind a word
      {"Hello, room desk.", true, false},
      {"Hello, room", false, false},
      {"Hello, room desk. Book a", false, false},
      {"Hallo, room desk. Book", false, false},
      {"Hello, room desk. Book", false, true, before},
      {"Hello, room desk. Book", false, true, before - 20},
      {"Hello, room desk. Book", false, false, before + 30},
      {"Hello, room desk. Book", false, false, before - 30},
  };
  const auto scenario = parse_scenario(kCall, "s.toml");
  for (const auto &row : rows) {
    Outcome outcome = play(kCall);
    g_assert_true(outcome.passed());
    outcome.beliefs = {{1, row.whole, row.belief, row.heard_ms}};
    check(*scenario, outcome);
    if (outcome.passed() != row.passes)
      g_error("%s", row.belief);
  }
}

static void test_junit_counts() {
  const auto scenario = parse_scenario(kCall, "s.toml");
  Outcome outcome = play(kCall);
  Outcome broken = outcome;
  broken.failures.push_back({"end", "\"a < b\"",
                             "c\x01"
                             "d"});
  const std::string xml = junit_xml({{*scenario, std::move(outcome), ""},
                                     {*scenario, std::move(broken), ""},
                                     {*scenario, {}, "no such file"}});
  for (const char *part :
       {"<testsuites ", "tests=\"3\"", "failures=\"1\"", "errors=\"1\"",
        "skipped=\"0\"", "type=\"expectation\"", "a &lt; b", "no such file"})
    g_assert_nonnull(strstr(xml.c_str(), part));
  // What XML cannot hold is left out.
  g_assert_null(strchr(xml.c_str(), '\x01'));
  g_assert_null(strstr(xml.c_str(), "&#x1;"));
  g_assert_nonnull(strstr(xml.c_str(), "c?d"));
}

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  g_test_init(&argc, &argv, nullptr);
  register_elements();
  log::set_threshold(log::Level::kError);
  g_test_add_func("/scenario/file/is-read", test_reads_a_file);
  g_test_add_func("/scenario/file/mistakes-are-refused-with-line-and-key",
                  test_refuses_mistakes);
  g_test_add_func("/scenario/file/all-ends-may-be-expected",
                  test_all_ends_may_be_expected);
  g_test_add_func(
      "/scenario/file/sound-that-is-not-there-is-told-with-its-line",
      test_sound_that_is_not_there);
  g_test_add_func("/scenario/sound/words-are-heard-to-the-sample",
                  test_words_are_heard);
  g_test_add_func("/scenario/sound/a-cut-word-is-not-heard",
                  test_a_cut_word_is_not_heard);
  g_test_add_func("/scenario/sound/a-word-in-two-pieces-is-heard",
                  test_a_word_in_two_pieces_is_heard);
  g_test_add_func("/scenario/expect/no-answer-is-a-late-answer",
                  test_no_answer_is_a_late_answer);
  g_test_add_func("/scenario/sound/is-taken-for-speech",
                  test_sound_is_taken_for_speech);
  g_test_add_func("/scenario/sound/is-as-slow-as-it-is-reckoned",
                  test_is_as_slow_as_it_is_reckoned);
  g_test_add_func("/scenario/call/same-bytes-every-time",
                  test_same_bytes_every_time);
  g_test_add_func("/scenario/call/is-cut-at-the-word", test_cut_at_the_word);
  g_test_add_func("/scenario/call/is-cut-at-any-moment-of-a-reply",
                  test_cut_at_any_moment);
  g_test_add_func("/scenario/call/is-cut-in-the-first-and-the-last-100-ms",
                  test_first_and_last_100_ms);
  g_test_add_func("/scenario/expect/each-can-be-broken",
                  test_broken_expectations);
  g_test_add_func("/scenario/expect/a-request-is-shown-in-short",
                  test_a_request_is_shown_in_short);
  g_test_add_func("/scenario/call/a-model-needs-answers",
                  test_a_model_needs_answers);
  g_test_add_func("/scenario/call/a-model-may-have-nothing-to-say",
                  test_a_model_may_have_nothing_to_say);
  g_test_add_func("/scenario/call/a-pause-is-no-end", test_a_pause_is_no_end);
  g_test_add_func("/scenario/expect/a-line-that-is-never-said-fails",
                  test_a_line_that_is_never_said_fails);
  g_test_add_func("/scenario/expect/a-cue-that-never-came-is-told",
                  test_a_cue_that_never_came_is_told);
  g_test_add_func("/scenario/expect/a-wrong-belief-fails",
                  test_a_wrong_belief_fails);
  g_test_add_func("/scenario/report/junit-counts", test_junit_counts);
  return g_test_run();
}
