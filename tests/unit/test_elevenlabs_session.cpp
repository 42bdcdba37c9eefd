// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.hpp"
#include "elevenlabs/session.hpp"

#include <glib.h>

#include <functional>

using namespace patchcord;
using namespace patchcord::elevenlabs;

static void assert_equal(const std::string &is, const std::string &expected) {
  g_assert_cmpstr(is.c_str(), ==, expected.c_str());
}

namespace {

// The session with a listener that writes all down: "send:..." in the wire's
// words made short, "2:words@0,5=120" and "2:audio=800" and "2:done".
class Bench final : public Session::Listener {
public:
  explicit Bench(SpeechFormat format = {}) : session({}, format, *this) {
    session.connected();
  }
  void send(const std::string &message) override {
    const auto document = JsonDocument::parse(message);
    const JsonView root = document->root();
    const std::string context = root["context_id"].string().value_or("?");
    note(context + (root["close_context"].boolean().value_or(false) ? "#"
                    : root["flush"].boolean().value_or(false)
                        ? "\"" + *root["text"].string() + "\""
                    : *root["text"].string() == "" ? "~"
                                                   : "+"));
  }
  void spoken(Session::Segment segment, const std::string &words,
              const std::vector<WordTiming> &timings) override {
    std::string text = std::to_string(segment) + ":" + words;
    for (const WordTiming &timing : timings)
      text +=
          "@" + std::to_string(timing.offset) + "=" + std::to_string(timing.ms);
    note(text);
  }
  void audio(Session::Segment segment, Bytes audio) override {
    note(std::to_string(segment) + ":" + std::to_string(audio.size()));
    if (on_audio)
      std::exchange(on_audio, nullptr)();
  }
  void finished(Session::Segment segment) override {
    note(std::to_string(segment) + ":done");
  }

  // What happened since the last call.
  void expect(const char *expected) {
    assert_equal(std::exchange(log_, {}), expected);
  }
  void note(const std::string &text) {
    log_ += (log_.empty() ? "" : " ") + text;
  }

  // `chars` characters of `each` ms from `start` on, with all their audio.
  void say(const char *context, const std::string &chars, int start,
           int each = 100, bool final = false) {
    ServerMessage message;
    message.context = context;
    for (const char c : chars) {
      message.alignment.push_back({std::string(1, c), start, each});
      start += each;
    }
    message.audio.resize(chars.size() * static_cast<std::size_t>(each) * 8);
    message.final = final;
    session.receive(message);
  }
  void raw(const char *context, std::size_t bytes) {
    ServerMessage message;
    message.context = context;
    message.audio.resize(bytes);
    session.receive(message);
  }
  void final(const char *context) {
    ServerMessage message;
    message.context = context;
    message.final = true;
    session.receive(message);
  }

  Session session;
  std::function<void()> on_audio;

private:
  std::string log_;
};

} // namespace

static void test_utterance() {
  Bench bench;
  bench.expect("");
  bench.session.speak(1, "Hi **you**.\n");
  bench.expect("c1+ c1\"Hi you. \"");
  g_assert_true(bench.session.waiting());
  bench.say("c1", "Hi you. ", 0);
  bench.expect("1:Hi you.@0=0@3=300 1:6400");
  g_assert_false(bench.session.waiting());
  bench.session.speak(2, "Bye.");
  bench.expect("c1\"Bye. \"");
  bench.session.end_utterance();
  bench.expect("c1#");
  bench.say("c1", "Bye. ", 800);
  bench.expect("1:done 2:Bye.@0=0 2:4000");
  g_assert_true(bench.session.waiting());
  bench.final("c1");
  bench.expect("2:done");
  g_assert_true(bench.session.idle());
  g_assert_cmpuint(bench.session.contexts(), ==, 0);
  // The next one is another context; the marker may come with the audio.
  bench.session.speak(3, "Ok");
  bench.session.end_utterance();
  bench.expect("c2+ c2\"Ok \" c2#");
  bench.say("c2", "Ok ", 0, 100, true);
  bench.expect("3:Ok@0=0 3:2400 3:done");
}

// Times from the start of each message, and of the context: both come out the
// same, for texts that share a message and words that do not fit in one.
static void test_time_bases() {
  for (const bool relative : {false, true}) {
    Bench bench;
    bench.session.speak(1, "One two.");
    bench.session.speak(2, "Three");
    bench.expect("c1+ c1\"One two. \" c1\"Three \"");
    bench.say("c1", "One t", 0);
    bench.expect("1:One two.@0=0@4=400 1:4000");
    bench.say("c1", "wo. Th", relative ? 0 : 500);
    bench.expect("1:3200 1:done 2:Three@0=0 2:1600");
    bench.say("c1", "ree ", relative ? 0 : 1100);
    bench.expect("2:3200");
    g_assert_false(bench.session.waiting());
  }
}

static void test_alignment_oddities() {
  // A space in front, a character of its own, some of ours left out.
  Bench bench;
  bench.session.speak(1, "One, two - three.");
  bench.expect("c1+ c1\"One, two - three. \"");
  bench.say("c1", " One two ", 0);
  bench.expect("1:One, two@0=100@5=500 1:7200");
  bench.say("c1", "three%", 900);
  bench.expect("1:- three.@0=0 1:4800");
  g_assert_false(bench.session.waiting());
  bench.session.end_utterance();
  bench.final("c1");
  bench.expect("c1# 1:done");
  // The last words without their times: told before the end.
  bench.session.speak(2, "Four five six.");
  bench.session.end_utterance();
  bench.say("c2", "Four ", 0);
  bench.raw("c2", 8000);
  bench.final("c2");
  bench.expect("c2+ c2\"Four five six. \" c2# 2:Four@0=0 2:4000 2:8000 "
               "2:five six. 2:done");
}

static void test_no_alignment() {
  Bench bench;
  bench.session.speak(1, "Ten chars."); // 600 ms by length
  bench.session.speak(2, "And another.");
  bench.session.end_utterance();
  bench.expect("c1+ c1\"Ten chars. \" c1\"And another. \" c1#");
  bench.raw("c1", 400 * 8);
  bench.expect("1:Ten chars. 1:3200");
  bench.raw("c1", 300 * 8);
  bench.expect("1:2400");
  bench.raw("c1", 300 * 8);
  bench.expect("1:done 2:And another. 2:2400");
  bench.final("c1");
  bench.expect("2:done");
  // A hasty voice: what was not told before is told at the end.
  bench.session.speak(3, "Ten chars.");
  bench.session.speak(4, "And another.");
  bench.session.end_utterance();
  bench.raw("c2", 900 * 8);
  bench.final("c2");
  bench.expect("c2+ c2\"Ten chars. \" c2\"And another. \" c2# 3:Ten chars. "
               "3:7200 3:done 4:And another. 4:done");
  // Romanised: not our characters.
  bench.session.speak(5, "日本語");
  bench.expect("c3+ c3\"日本語 \"");
  bench.say("c3", "nihongo", 0);
  bench.expect("5:日本語 5:5600");
}

static void test_nothing_to_pronounce() {
  Bench bench;
  bench.session.speak(1, "👍");
  bench.expect("1:done");
  bench.session.end_utterance();
  bench.expect("");
  g_assert_true(bench.session.idle());
  g_assert_cmpuint(bench.session.contexts(), ==, 0);
}

static void test_barge_in() {
  Bench bench;
  // Nothing was said: nothing is closed, for that would open it.
  bench.session.cancel();
  bench.expect("");
  bench.session.speak(1, "One two.");
  bench.say("c1", "One ", 0);
  bench.expect("c1+ c1\"One two. \" 1:One@0=0 1:3200");
  bench.session.cancel();
  bench.expect("c1#");
  g_assert_false(bench.session.waiting());
  bench.say("c1", "two. ", 400);
  bench.expect("");
  bench.session.speak(2, "Yes?");
  bench.expect("c2+ c2\"Yes? \"");
  bench.say("c2", "Yes? ", 0);
  bench.final("c1");
  bench.expect("2:Yes?@0=0 2:4000");
  // From within a push of audio; closed before: not closed again.
  bench.session.speak(3, "More of it.");
  bench.session.end_utterance();
  bench.expect("c2\"More of it. \" c2#");
  bench.on_audio = [&] {
    bench.session.cancel();
    bench.session.speak(4, "New.");
  };
  bench.say("c2", "More of it. ", 500, 100, true);
  bench.expect("2:done 3:More of it.@0=0@5=500@8=800 3:9600 c3+ c3\"New. \"");
}

static void test_five_contexts() {
  Bench bench;
  for (Session::Segment i = 1; i <= 7; ++i) {
    bench.session.speak(i, "Word");
    bench.session.cancel();
  }
  g_assert_cmpuint(bench.session.contexts(), ==, 5);
  bench.session.speak(8, "Kept");
  bench.session.end_utterance();
  bench.expect("c1+ c1\"Word \" c1# c2+ c2\"Word \" c2# c3+ c3\"Word \" c3# "
               "c4+ c4\"Word \" c4# c5+ c5\"Word \" c5#");
  g_assert_true(bench.session.waiting());
  bench.final("c2");
  bench.expect("c6+ c6\"Kept \" c6#");
  g_assert_cmpuint(bench.session.contexts(), ==, 5);
  // Several utterances at work at once are counted, too.
  for (const char *context : {"c1", "c3", "c4", "c5"})
    bench.final(context);
  for (Session::Segment i = 9; i <= 13; ++i) {
    bench.session.speak(i, "Word");
    bench.session.end_utterance();
  }
  g_assert_cmpuint(bench.session.contexts(), ==, 5);
}

static void test_lost_connection() {
  Bench bench;
  bench.session.speak(1, "One two three.");
  bench.session.speak(2, "Four.");
  bench.session.end_utterance();
  bench.session.speak(3, "Five.");
  bench.say("c1", "One tw", 0);
  bench.expect("c1+ c1\"One two three. \" c1\"Four. \" c1# c2+ c2\"Five. \" "
               "1:One two@0=0@4=400 1:4800");
  bench.session.disconnected();
  bench.expect("");
  g_assert_true(bench.session.waiting());
  // A cut word is said again.
  bench.session.connected();
  bench.expect("c3+ c3\"two three. \" c3\"Four. \" c3# c4+ c4\"Five. \"");
  bench.say("c1", "o three. ", 600);
  bench.expect("");
  bench.say("c3", "two three. Four. ", 0, 100, true);
  bench.expect("1:two three.@0=0@4=400 1:8800 1:done 2:Four.@0=0 2:4800 "
               "2:done");
  // All said, only the marker was missing.
  bench.session.end_utterance();
  bench.say("c4", "Five. ", 0);
  bench.expect("c4# 3:Five.@0=0 3:4800");
  bench.session.disconnected();
  bench.expect("3:done");
  g_assert_true(bench.session.idle());
}

static void test_text_before_connection() {
  Bench bench;
  bench.session.disconnected();
  bench.session.speak(1, "One.");
  bench.session.end_utterance();
  bench.session.speak(2, "Two.");
  bench.session.cancel();
  bench.session.speak(3, "Three.");
  bench.expect("");
  bench.session.connected();
  bench.expect("c1+ c1\"Three. \"");
}

static void test_context_ended_by_server() {
  Bench bench;
  bench.session.speak(1, "One.");
  bench.say("c1", "One. ", 0);
  bench.final("c1"); // an idle timeout
  bench.expect("c1+ c1\"One. \" 1:One.@0=0 1:4000 1:done");
  bench.session.speak(2, "Two.");
  bench.expect("c2+ c2\"Two. \"");
  // Without a sound: once more, then it is known that it will not work.
  bench.final("c2");
  bench.expect("c3+ c3\"Two. \"");
  g_assert_false(bench.session.mute());
  bench.final("c3");
  bench.expect("");
  g_assert_true(bench.session.mute());
  const auto unsaid = bench.session.take_unsaid();
  g_assert_cmpuint(unsaid.size(), ==, 1);
  g_assert_cmpuint(unsaid[0].segment, ==, 2);
  assert_equal(unsaid[0].words, "Two.");
}

static void test_unsaid() {
  Bench bench;
  bench.session.speak(1, "One two three.");
  bench.session.speak(2, "Four.");
  bench.session.end_utterance();
  bench.session.speak(3, "Five.");
  bench.say("c1", "One two", 0);
  bench.expect("c1+ c1\"One two three. \" c1\"Four. \" c1# c2+ c2\"Five. \" "
               "1:One two@0=0@4=400 1:5600");
  const auto unsaid = bench.session.take_unsaid();
  bench.expect("c2#");
  g_assert_cmpuint(unsaid.size(), ==, 3);
  assert_equal(unsaid[0].words, "three.");
  assert_equal(unsaid[1].words, "Four.");
  assert_equal(unsaid[2].words, "Five.");
  g_assert_cmpuint(unsaid[2].segment, ==, 3);
  g_assert_true(bench.session.idle());
  bench.say("c1", "three. ", 700);
  bench.expect("");
  // Without times: about as many words as there was sound.
  bench.session.speak(4, "Alpha beta gamma delta epsilon zeta.");
  bench.raw("c3", 700 * 8);
  const auto rest = bench.session.take_unsaid();
  g_assert_cmpuint(rest.size(), ==, 1);
  assert_equal(rest[0].words, "gamma delta epsilon zeta.");
}

static void test_odd_bytes() {
  Bench bench({16000, 2});
  bench.session.speak(1, "One.");
  bench.raw("c1", 3201);
  bench.raw("c1", 3202);
  bench.raw("c1", 1);
  bench.expect("c1+ c1\"One. \" 1:One. 1:3200 1:3202 1:2");
}

static void test_keep_alive() {
  Bench bench;
  bench.session.keep_alive();
  bench.expect("");
  bench.session.speak(1, "One.");
  bench.session.end_utterance();
  bench.session.speak(2, "Two.");
  bench.expect("c1+ c1\"One. \" c1# c2+ c2\"Two. \"");
  bench.session.keep_alive();
  bench.expect("c2~");
  bench.session.disconnected();
  bench.session.keep_alive();
  bench.expect("");
}

static void test_unknown_contexts() {
  Bench bench;
  bench.raw("c9", 100);
  bench.final("c9");
  bench.raw("", 100);
  bench.expect("");
  bench.session.speak(1, "One.");
  bench.raw("c9", 100);
  bench.final("c9");
  bench.expect("c1+ c1\"One. \"");
  // Not named: it can be no other.
  bench.say("", "One. ", 0);
  bench.expect("1:One.@0=0 1:4000");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/elevenlabs-session/one-context-an-utterance",
                  test_utterance);
  g_test_add_func("/elevenlabs-session/times-from-message-or-context",
                  test_time_bases);
  g_test_add_func("/elevenlabs-session/characters-lost-and-added",
                  test_alignment_oddities);
  g_test_add_func("/elevenlabs-session/without-times-by-length",
                  test_no_alignment);
  g_test_add_func("/elevenlabs-session/nothing-to-pronounce-opens-nothing",
                  test_nothing_to_pronounce);
  g_test_add_func("/elevenlabs-session/barge-in-closes-and-ignores",
                  test_barge_in);
  g_test_add_func("/elevenlabs-session/never-a-sixth-context",
                  test_five_contexts);
  g_test_add_func("/elevenlabs-session/a-new-socket-says-the-rest",
                  test_lost_connection);
  g_test_add_func("/elevenlabs-session/texts-wait-for-the-socket",
                  test_text_before_connection);
  g_test_add_func("/elevenlabs-session/context-ended-by-the-server",
                  test_context_ended_by_server);
  g_test_add_func("/elevenlabs-session/gives-back-what-was-not-said",
                  test_unsaid);
  g_test_add_func("/elevenlabs-session/cut-samples-are-joined", test_odd_bytes);
  g_test_add_func("/elevenlabs-session/keeps-open-contexts-alive",
                  test_keep_alive);
  g_test_add_func("/elevenlabs-session/unknown-contexts-are-ignored",
                  test_unknown_contexts);
  return g_test_run();
}
