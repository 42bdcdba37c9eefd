// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audio/mulaw.hpp"
#include "base/handles.hpp"
#include "phone/call_report.hpp"
#include "phone/caller.hpp"
#include "phone/playout_buffer.hpp"
#include "phone/script.hpp"
#include "phone/speech_detector.hpp"
#include "phone/turn_meter.hpp"
#include "phone/twiml_parser.hpp"
#include "phone/wav.hpp"

#include <glib.h>

#include <cmath>
#include <cstring>

using namespace patchcord;
using namespace patchcord::phone;

namespace {

// assert_text() on a temporary would look at freed memory.
void assert_text(const std::string &got, const std::string &expected) {
  g_assert_cmpstr(got.c_str(), ==, expected.c_str());
}

// Into the test's log, on one line.
void say_input(const std::string &text) {
  const GCharPtr escaped(g_strescape(text.c_str(), nullptr));
  g_test_message("%s", escaped.get());
}

Bytes tone(Samples count) {
  Bytes out;
  for (Samples i = 0; i < count; ++i)
    out.push_back(audio::linear_to_mulaw(static_cast<std::int16_t>(
        8000 * std::sin(static_cast<double>(i) * 0.4))));
  return out;
}
Bytes silence(Samples count) {
  return Bytes(static_cast<std::size_t>(count), audio::kMulawSilence);
}
constexpr Samples ms(Samples milliseconds) {
  return milliseconds * kRate / 1000;
}

// --- playout -----------------------------------------------------------------

struct Playout {
  PlayoutBuffer buffer;
  Bytes heard;
  std::vector<PlayoutBuffer::Echo> echoes;
  void until(Samples at) { buffer.play_until(at, heard, echoes); }
  std::string names() const {
    std::string all;
    for (const auto &echo : echoes)
      all += echo.name + (echo.cleared ? "! " : " ");
    return all;
  }
};

} // namespace

static void test_playout_plays_in_place() {
  Playout phone;
  phone.until(100);
  g_assert_true(phone.buffer.push(Bytes(160, 0x11)));
  phone.until(150);
  g_assert_true(phone.buffer.push(Bytes(40, 0x22)));
  phone.until(400);
  g_assert_cmpuint(phone.heard.size(), ==, 400);
  for (std::size_t i = 0; i < 400; ++i) {
    const int expected = i < 100   ? audio::kMulawSilence
                         : i < 260 ? 0x11
                         : i < 300 ? 0x22
                                   : audio::kMulawSilence;
    g_assert_cmpint(phone.heard[i], ==, expected);
  }
  g_assert_cmpint(phone.buffer.queued(), ==, 0);
  // Time that stands still or runs back plays nothing.
  phone.until(400);
  phone.until(10);
  g_assert_cmpuint(phone.heard.size(), ==, 400);
}

static void test_playout_marks_when_played() {
  Playout phone;
  phone.buffer.mark("ping", phone.echoes);
  assert_text(phone.names(), "ping ");
  phone.echoes.clear();
  phone.buffer.push(tone(160));
  phone.buffer.mark("a", phone.echoes);
  phone.buffer.mark("b", phone.echoes);
  phone.buffer.push(tone(80));
  phone.buffer.mark("a", phone.echoes); // a name may come again
  phone.until(159);
  assert_text(phone.names(), "");
  phone.until(1000);
  assert_text(phone.names(), "a b a ");
  g_assert_cmpint(phone.echoes[0].at, ==, 160);
  g_assert_cmpint(phone.echoes[2].at, ==, 240);
  g_assert_cmpuint(phone.buffer.pending_marks(), ==, 0);
}

static void test_playout_clear() {
  Playout phone;
  phone.buffer.push(tone(800));
  phone.buffer.mark("heard", phone.echoes);
  phone.buffer.push(tone(800));
  phone.buffer.mark("second", phone.echoes);
  phone.buffer.mark("third", phone.echoes);
  phone.until(1000);
  g_assert_cmpint(phone.buffer.clear(phone.echoes), ==, 600);
  assert_text(phone.names(), "heard second! third! ");
  g_assert_cmpint(phone.echoes[1].at, ==, 1000);
  // Silent at once, and new media plays normally, with its own marks.
  phone.until(1100);
  g_assert_cmpint(phone.heard[1050], ==, audio::kMulawSilence);
  phone.buffer.push(Bytes(10, 0x33));
  phone.buffer.mark("fresh", phone.echoes);
  phone.until(1200);
  g_assert_cmpint(phone.heard[1100], ==, 0x33);
  g_assert_cmpint(phone.heard[1110], ==, audio::kMulawSilence);
  assert_text(phone.echoes.back().name, "fresh");
  g_assert_cmpint(phone.echoes.back().at, ==, 1110);
  g_assert_cmpint(phone.buffer.clear(phone.echoes), ==, 0);
}

static void test_playout_ten_minutes() {
  Playout phone;
  g_assert_true(phone.buffer.push(silence(PlayoutBuffer::kCapacity - 100)));
  g_assert_true(phone.buffer.push(tone(100)));
  g_assert_false(phone.buffer.push(tone(1)));
  phone.until(160);
  g_assert_true(phone.buffer.push(tone(160)));
  g_assert_cmpint(phone.buffer.queued(), ==, PlayoutBuffer::kCapacity);
}

static void test_playout_underruns() {
  Playout phone;
  phone.buffer.push(tone(160));
  phone.until(200); // dry for 40 samples
  phone.buffer.push(tone(160));
  g_assert_cmpuint(phone.buffer.underruns(), ==, 1);
  phone.until(360 + 1600); // a pause
  phone.buffer.push(tone(160));
  g_assert_cmpuint(phone.buffer.underruns(), ==, 1);
  phone.buffer.clear(phone.echoes);
  phone.until(1970);
  phone.buffer.push(tone(160)); // new speech after a clear
  g_assert_cmpuint(phone.buffer.underruns(), ==, 1);
}

// --- who speaks when ---------------------------------------------------------

static void test_speech_detector_edges() {
  SpeechDetector detector(300ms);
  std::vector<SpeechDetector::Event> events;
  Bytes audio = silence(ms(500));
  const auto add = [&](const Bytes &more) {
    audio.insert(audio.end(), more.begin(), more.end());
  };
  add(tone(ms(400)));
  add(silence(ms(200))); // a pause within what is said
  add(tone(ms(100)));
  add(silence(ms(295)));
  // In odd pieces: frames do not care.
  for (std::size_t at = 0; at < audio.size(); at += 37)
    detector.push(ByteSpan(audio).subspan(
                      at, std::min<std::size_t>(37, audio.size() - at)),
                  events);
  g_assert_cmpuint(events.size(), ==, 1);
  g_assert_true(events[0].started);
  // The tone begins at a zero crossing: its second sample is the first loud
  // one.
  g_assert_cmpint(events[0].at, ==, ms(500) + 1);
  g_assert_cmpint(events[0].decided, ==, ms(520));
  g_assert_true(detector.speaking());
  detector.push(silence(ms(10)), events);
  g_assert_cmpuint(events.size(), ==, 2);
  g_assert_false(events[1].started);
  g_assert_cmpint(events[1].at, ==, ms(1200));
  g_assert_cmpint(events[1].decided, ==, ms(1500));
}

static void test_speech_detector_clicks_and_noise() {
  SpeechDetector detector(300ms);
  std::vector<SpeechDetector::Event> events;
  detector.push(silence(ms(100)), events);
  detector.push(tone(ms(10)), events); // a click
  detector.push(silence(ms(100)), events);
  Bytes dither;
  for (int i = 0; i < 8000; ++i)
    dither.push_back((i * 7) % 3 == 0 ? 0x7E : 0xFF);
  detector.push(dither, events);
  detector.finish(events);
  g_assert_cmpuint(events.size(), ==, 0);
  g_assert_false(audible(dither));
  g_assert_true(audible(tone(10)));
  // Cut in mid-word, and speaking again at once.
  detector.push(tone(ms(100)), events);
  detector.finish(events);
  detector.push(tone(ms(100)), events);
  g_assert_cmpuint(events.size(), ==, 3);
  g_assert_cmpint(events[1].at + 1, ==, events[2].at);
}

// --- script ------------------------------------------------------------------

static void test_script_directives() {
  Script script;
  const auto added = script.add_text("# a caller\n"
                                     "say  Good morning \r\n"
                                     "\n"
                                     "reply-after 1s\n"
                                     "voice de\n"
                                     "say Zwei\n"
                                     "barge-in 800\n"
                                     "wav caller.wav\n"
                                     "after 2\n"
                                     "dtmf 12#\n"
                                     "wait 1.5s\n"
                                     "say Now\n"
                                     "hang-up-after 250ms\n",
                                     "x.script");
  g_assert_true(added.ok());
  g_assert_true(script.finish().ok());
  const auto &lines = script.lines();
  g_assert_cmpuint(lines.size(), ==, 6);
  const struct {
    Line::What what;
    const char *text, *voice;
    Cue::Kind kind;
    Duration amount;
    const char *where;
  } expected[] = {{Line::What::kSay, "Good morning", "en-us+f2",
                   Cue::Kind::kReply, 700ms, "x.script:2: say: "},
                  {Line::What::kSay, "Zwei", "de", Cue::Kind::kReply, 1s,
                   "x.script:6: say: "},
                  {Line::What::kWav, "caller.wav", "", Cue::Kind::kBargeIn,
                   800ms, "x.script:8: wav: "},
                  {Line::What::kDtmf, "12#", "", Cue::Kind::kSilence, 2s, ""},
                  {Line::What::kSay, "Now", "de", Cue::Kind::kWait, 1500ms,
                   "x.script:12: say: "},
                  {Line::What::kHangUp, "", "", Cue::Kind::kWait, 250ms, ""}};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    g_assert_true(lines[i].what == expected[i].what);
    assert_text(lines[i].text, expected[i].text);
    assert_text(lines[i].voice, expected[i].voice);
    assert_text(lines[i].where, expected[i].where);
    g_assert_true(lines[i].cue.kind == expected[i].kind);
    g_assert_true(lines[i].cue.amount == expected[i].amount);
  }
}

static void test_script_refuses() {
  const char *bad[] = {"sing la la",        "say",         "dtmf 12A",
                       "after soon",        "barge-in -5", "wait 90000s",
                       "after 1\nwait 2",   "hang-up now", "after 1 s",
                       "reply-after 700mm", "say \xff"};
  for (const char *text : bad) {
    Script script;
    say_input(text);
    const auto added = script.add_text(text, "x.script");
    g_assert_false(added.ok());
    assert_text(added.error().code, "bad_script");
    g_assert_nonnull(std::strstr(added.error().message.c_str(), "x.script"));
  }
  Script dangling;
  g_assert_true(dangling.add("barge-in", "500").ok());
  g_assert_false(dangling.finish().ok());
}

// --- the caller --------------------------------------------------------------

namespace {

PlannedLine spoken(Cue cue, Samples length) {
  auto speech = std::make_shared<Speech>();
  speech->mulaw = tone(length);
  speech->voiced_end = length - 40;
  Line line;
  line.cue = cue;
  return {line, speech};
}
PlannedLine action(Line::What what, const char *text, Cue cue) {
  Line line;
  line.what = what;
  line.text = text;
  line.cue = cue;
  return {line, nullptr};
}

// Runs frames until `until`; what happened as text: "1280:start0 ...".
struct Stage {
  explicit Stage(Plan plan)
      : caller(std::make_shared<const Plan>(std::move(plan))) {}
  Caller caller;
  Samples now = 0;
  std::string log;
  Samples said = 0;

  void note(Samples at, const std::string &what) {
    log += std::to_string(at * 1000 / kRate) + ":" + what + " ";
  }
  void until(Samples end) {
    for (; now < end; now += kFrame) {
      const Caller::Step step = caller.next(now);
      said += static_cast<Samples>(step.audio.size());
      if (step.started)
        note(now, "start" + std::to_string(*step.started));
      if (step.key != 0)
        note(now, std::string("key") + step.key);
      if (step.ended)
        note(step.line_end, "end" + std::to_string(*step.ended));
      if (step.hang_up)
        note(now, "hangup");
    }
  }
};

constexpr Cue kReply{Cue::Kind::kReply, 700ms};

} // namespace

static void test_caller_answers() {
  Stage stage({spoken(kReply, ms(1010)), spoken(kReply, ms(500)),
               action(Line::What::kHangUp, "", kReply)});
  stage.until(ms(2000)); // nobody has spoken: no line
  stage.caller.agent_started(ms(2000));
  stage.until(ms(3300));
  stage.caller.agent_stopped(ms(3000), false);
  stage.until(ms(3500));
  stage.caller.agent_started(ms(3500)); // only a pause
  stage.until(ms(4300));
  stage.caller.agent_stopped(ms(4000), false);
  stage.until(ms(8000));
  assert_text(stage.log, "4700:start0 5710:end0 ");
  g_assert_cmpint(stage.said, ==, ms(1010));
  // Speech that began while the caller spoke and ended after it is an answer.
  stage.caller.agent_started(ms(8000));
  stage.caller.agent_stopped(ms(9000), false);
  stage.until(ms(11000));
  assert_text(stage.log, "4700:start0 5710:end0 9700:start1 10200:end1 ");
  stage.caller.agent_started(ms(11000));
  stage.until(ms(11500));
  stage.caller.agent_stopped(ms(11300), false);
  stage.log.clear();
  stage.until(ms(13000));
  assert_text(stage.log, "12000:hangup ");
  g_assert_true(stage.caller.done());
}

static void test_caller_barges_in() {
  const Cue barge{Cue::Kind::kBargeIn, 800ms};
  Stage stage({spoken(barge, ms(600)), spoken(kReply, ms(100))});
  stage.caller.agent_started(ms(1000));
  stage.until(ms(2000));
  assert_text(stage.log, "1800:start0 ");
  // Cut: silence after that is no answer.
  stage.caller.agent_stopped(ms(1990), true);
  stage.until(ms(6000));
  assert_text(stage.log, "1800:start0 2400:end0 ");
  stage.caller.agent_started(ms(6000));
  stage.until(ms(7300));
  stage.caller.agent_stopped(ms(7000), false);
  stage.until(ms(9000));
  assert_text(stage.log, "1800:start0 2400:end0 7700:start1 7800:end1 ");
  // An agent that is done before the moment comes gets an ordinary answer.
  Stage brief({spoken(barge, ms(100))});
  brief.caller.agent_started(ms(1000));
  brief.until(ms(1600));
  brief.caller.agent_stopped(ms(1300), false);
  brief.until(ms(3000));
  assert_text(brief.log, "2000:start0 2100:end0 ");
}

static void test_caller_other_cues() {
  Stage stage({spoken({Cue::Kind::kSilence, 2s}, ms(200)),
               action(Line::What::kDtmf, "4#", {Cue::Kind::kWait, 100ms}),
               action(Line::What::kHangUp, "", {Cue::Kind::kWait, 500ms})});
  stage.caller.agent_started(ms(500));
  stage.until(ms(1300));
  stage.caller.agent_stopped(ms(1000), false);
  stage.until(ms(6000));
  assert_text(stage.log,
              "3000:start0 3200:end0 3300:start1 3300:key4 3560:key# "
              "3560:end1 4060:hangup ");
}

// --- measuring ---------------------------------------------------------------

static void test_meter_reply() {
  TurnMeter meter;
  meter.agent_started(0);
  meter.agent_stopped(1000);
  meter.line_started(0, 2000);
  meter.line_ended(5000); // told late: its trailing silence lasted until 6000
  meter.media_arrived(5500, /*audible=*/false);
  meter.media_arrived(5600, true);
  meter.media_arrived(5800, true);
  meter.agent_started(5700);
  meter.agent_stopped(8000);
  meter.agent_started(9000); // not the first words of the reply
  const CallerTurn &turn = meter.turns().at(0);
  g_assert_cmpint(*meter.waited_for(5700), ==, 700);
  g_assert_false(meter.waited_for(9000).has_value());
  g_assert_cmpint(*turn.arrival_latency(), ==, 600);
  g_assert_cmpint(*turn.heard_latency(), ==, 700);
  g_assert_false(turn.barge_in);
  g_assert_false(turn.leftover().has_value());
}

static void test_meter_reply_before_the_line_is_over() {
  // The reply came during the trailing silence of the line's audio.
  TurnMeter meter;
  meter.line_started(0, 0);
  meter.media_arrived(5500, true);
  meter.agent_started(5600);
  meter.line_ended(5000);
  g_assert_cmpint(*meter.turns()[0].arrival_latency(), ==, 500);
  g_assert_cmpint(*meter.turns()[0].heard_latency(), ==, 600);
  // The agent spoke into the caller's words.
  meter.line_started(1, 10000);
  meter.media_arrived(11000, true);
  meter.agent_started(11100);
  meter.line_ended(12000);
  g_assert_true(meter.turns()[1].talked_over);
  g_assert_false(meter.turns()[1].heard_latency().has_value());
}

static void test_meter_barge_in() {
  TurnMeter meter;
  meter.agent_started(0);
  meter.line_started(0, 4000);
  meter.media_arrived(4200, true); // of what is being interrupted
  meter.cleared(6000, 9000);
  meter.agent_stopped(5980);
  meter.line_ended(8000);
  meter.media_arrived(9000, true);
  meter.agent_started(9100);
  const CallerTurn &turn = meter.turns().at(0);
  g_assert_true(turn.barge_in);
  g_assert_cmpint(*turn.leftover(), ==, 1980);
  g_assert_cmpint(*turn.cleared - turn.started, ==, 2000);
  g_assert_cmpint(turn.dropped, ==, 9000);
  g_assert_cmpint(*turn.arrival_latency(), ==, 1000);
  g_assert_cmpint(*turn.heard_latency(), ==, 1100);
}

static void test_quantiles() {
  g_assert_false(quantile({}, 0.5).has_value());
  g_assert_cmpfloat(*quantile({7}, 0.99), ==, 7);
  g_assert_cmpfloat(*quantile({3, 1, 2}, 0.5), ==, 2);
  std::vector<double> hundred;
  for (int i = 100; i >= 1; --i)
    hundred.push_back(i);
  g_assert_cmpfloat(*quantile(hundred, 0.5), ==, 50);
  g_assert_cmpfloat(*quantile(hundred, 0.99), ==, 99);
  g_assert_cmpfloat(*quantile(hundred, 1), ==, 100);
  Lateness lateness;
  for (int i = 0; i < 99; ++i)
    lateness.add(300us);
  lateness.add(250ms);
  g_assert_cmpfloat_with_epsilon(lateness.quantile_ms(0.5), 0.4, 1e-9);
  g_assert_cmpfloat(lateness.quantile_ms(0.99), ==, 250);
  g_assert_cmpfloat(lateness.max_ms(), ==, 250);
}

// --- TwiML -------------------------------------------------------------------

static void test_twiml_document() {
  const auto document = parse_twiml(R"(<?xml version="1.0" encoding="UTF-8"?>
<Response>
  <Say voice="alice">One <break/>&amp; two</Say>
  <Pause length="2"/>
  <Connect action="/after" method="GET">
    <Stream url="wss://h/media/7f" name="main" statusCallback="https://h/s">
      <Parameter name="lang" value="en-US &lt;3"/>
      <Parameter name="empty" value=""/>
    </Stream>
  </Connect>
  <Redirect>/again?a=1&amp;b=2</Redirect>
  <Reject reason="busy"/>
  <Record/>
  <Hangup/>
</Response>)");
  g_assert_true(document.ok());
  const auto &verbs = document->verbs;
  using Kind = TwimlVerb::Kind;
  const Kind kinds[] = {Kind::kSay,      Kind::kPause,  Kind::kConnect,
                        Kind::kRedirect, Kind::kReject, Kind::kOther,
                        Kind::kHangup};
  g_assert_cmpuint(verbs.size(), ==, std::size(kinds));
  for (std::size_t i = 0; i < verbs.size(); ++i)
    g_assert_true(verbs[i].kind == kinds[i]);
  assert_text(verbs[0].text, "One & two");
  g_assert_true(verbs[1].length == 2s);
  assert_text(verbs[2].action, "/after");
  assert_text(verbs[2].method, "GET");
  const TwimlStream &stream = verbs[2].stream;
  assert_text(stream.url, "wss://h/media/7f");
  assert_text(stream.status_callback, "https://h/s");
  assert_text(stream.status_method, "POST");
  g_assert_cmpuint(stream.parameters.size(), ==, 2);
  assert_text(stream.parameters[0].second, "en-US <3");
  assert_text(verbs[3].text, "/again?a=1&b=2");
  assert_text(verbs[4].text, "busy");
  g_assert_cmpuint(document->warnings.size(), ==, 1); // <Record>
}

static void test_twiml_dial() {
  const auto document = parse_twiml(
      R"(<Response><Dial action="/done" timeout="20" callerId="+1999"><Number)"
      R"( url="/whisper" method="GET"> +14155550111 </Number></Dial><Dial>)"
      R"(+1415</Dial><Dial timeout="1"/></Response>)");
  g_assert_true(document.ok());
  g_assert_cmpuint(document->verbs.size(), ==, 3);
  const TwimlVerb &first = document->verbs[0];
  g_assert_true(first.kind == TwimlVerb::Kind::kDial);
  g_assert_cmpstr(first.action.c_str(), ==, "/done");
  g_assert_cmpstr(first.dial.number.c_str(), ==, "+14155550111");
  g_assert_cmpstr(first.dial.whisper.c_str(), ==, "/whisper");
  g_assert_cmpstr(first.dial.whisper_method.c_str(), ==, "GET");
  g_assert_cmpstr(first.dial.caller_id.c_str(), ==, "+1999");
  g_assert_true(first.dial.timeout == 20s);
  g_assert_cmpstr(document->verbs[1].dial.number.c_str(), ==, "+1415");
  g_assert_true(document->verbs[1].dial.timeout == 30s);
  g_assert_cmpuint(document->warnings.size(), ==, 2); // no number; 1 s
}

static void test_twiml_refuses() {
  const struct {
    std::string body;
    const char *code;
  } cases[] = {{"", "11770"},
               {"  \n", "11770"},
               {std::string(65537, ' '), "11750"},
               {"hello", "12100"},
               {"<Response>", "12100"},
               {"<Response><Say></Response>", "12100"},
               {"<Response>\xff</Response>", "12100"},
               {"<Response><![CDATA[\xff]]><a></b></Response>", "12100"},
               {"<response/>", "12102"},
               {"<html><body/></html>", "12102"}};
  for (const auto &[body, code] : cases) {
    const auto document = parse_twiml(body);
    say_input(body.substr(0, 40));
    g_assert_false(document.ok());
    assert_text(document.error().code, code);
  }
  std::string deep = "<Response>";
  for (int i = 0; i < 1000; ++i)
    deep += "<Say>";
  g_assert_false(parse_twiml(deep).ok());
  g_assert_true(parse_twiml("<Response/>").ok());
  g_assert_cmpuint(
      parse_twiml("<Response><Connect/></Response>")->warnings.size(), ==, 1);
}

static void test_twiml_urls() {
  const struct {
    const char *base, *url;
    bool web_socket;
    const char *expected;
  } cases[] = {
      {"http://h:1/a/b?c", "https://o/x", false, "https://o/x"},
      {"http://h:1/a/b?c", "/x?y", false, "http://h:1/x?y"},
      {"http://h:1/a/b?c=/d", "x", false, "http://h:1/a/x"},
      {"http://h:1", "x", false, "http://h:1/x"},
      {"http://h:1?q", "/x", false, "http://h:1/x"},
      {"https://h/a", "//o/x", false, "https://o/x"},
      {"https://h/a", "/ws", true, "wss://h/ws"},
      {"http://h/a", "/ws", true, "ws://h/ws"},
      {"http://h/a", "wss://o/ws", true, "wss://o/ws"},
      {"http://h/a?b", "", false, "http://h/a?b"},
  };
  for (const auto &c : cases)
    assert_text(resolve_url(c.base, c.url, c.web_socket), c.expected);
}

// --- what comes of a call ----------------------------------------------------

static void test_wav_is_stereo_and_aligned() {
  const Bytes left = tone(100), right = silence(160);
  const Bytes wav = stereo_wav(left, right);
  g_assert_cmpuint(wav.size(), ==, 44 + 160 * 4);
  assert_text(std::string(wav.begin(), wav.begin() + 4), "RIFF");
  const auto sample = [&](std::size_t i) {
    return static_cast<std::int16_t>(wav[44 + 2 * i] | wav[45 + 2 * i] << 8);
  };
  for (std::size_t i = 0; i < 160; ++i) {
    g_assert_cmpint(sample(2 * i), ==,
                    i < 100 ? audio::mulaw_to_linear(left[i]) : 0);
    g_assert_cmpint(sample(2 * i + 1), ==, 0);
  }
}

static void test_pretty_json() {
  assert_text(
      pretty_json(R"({"a":[1.50,{}, []],"b":"x\\\"{,:","c":{"d":null}})"),
      "{\n"
      "  \"a\": [\n"
      "    1.50,\n"
      "    {},\n"
      "    []\n"
      "  ],\n"
      "  \"b\": \"x\\\\\\\"{,:\",\n"
      "  \"c\": {\n"
      "    \"d\": null\n"
      "  }\n"
      "}\n");
  assert_text(pretty_json("{"), "");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/phone/playout/plays-each-sample-in-its-place",
                  test_playout_plays_in_place);
  g_test_add_func("/phone/playout/echoes-marks-when-played-in-order",
                  test_playout_marks_when_played);
  g_test_add_func("/phone/playout/clear-silences-and-returns-marks",
                  test_playout_clear);
  g_test_add_func("/phone/playout/holds-ten-minutes", test_playout_ten_minutes);
  g_test_add_func("/phone/playout/counts-holes-in-speech",
                  test_playout_underruns);
  g_test_add_func("/phone/speech/edges-are-exact", test_speech_detector_edges);
  g_test_add_func("/phone/speech/clicks-and-dither-are-not-speech",
                  test_speech_detector_clicks_and_noise);
  g_test_add_func("/phone/script/reads-directives", test_script_directives);
  g_test_add_func("/phone/script/refuses-what-it-does-not-know",
                  test_script_refuses);
  g_test_add_func("/phone/caller/answers-after-the-agent", test_caller_answers);
  g_test_add_func("/phone/caller/barges-in", test_caller_barges_in);
  g_test_add_func("/phone/caller/waits-presses-and-hangs-up",
                  test_caller_other_cues);
  g_test_add_func("/phone/meter/measures-replies", test_meter_reply);
  g_test_add_func("/phone/meter/replies-in-the-tail-of-a-line-count",
                  test_meter_reply_before_the_line_is_over);
  g_test_add_func("/phone/meter/measures-what-is-left-after-a-barge-in",
                  test_meter_barge_in);
  g_test_add_func("/phone/meter/quantiles-are-measured-values", test_quantiles);
  g_test_add_func("/phone/twiml/reads-a-document", test_twiml_document);
  g_test_add_func("/phone/twiml/reads-a-dial", test_twiml_dial);
  g_test_add_func("/phone/twiml/refuses-with-twilio-codes", test_twiml_refuses);
  g_test_add_func("/phone/twiml/resolves-urls", test_twiml_urls);
  g_test_add_func("/phone/wav/is-stereo-and-aligned",
                  test_wav_is_stereo_and_aligned);
  g_test_add_func("/phone/record/is-shown-as-it-was-written", test_pretty_json);
  return g_test_run();
}
