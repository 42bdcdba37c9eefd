// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../support/add_tests.hpp"
#include "../support/check_text.hpp"
#include "twiliosrc_bench.hpp"

#include "audio/voice_activity.hpp"

#include <algorithm>
#include <utility>
#include <vector>

// Frames that cease, and what comes after them.
using namespace patchcord;
using namespace patchcord::test;

namespace {

// A caller who speaks, and somebody who listens for the end of it.
struct Talk : Bench {
  explicit Talk(bool steady = false) {
    g_object_set(element, "steady", steady ? TRUE : FALSE, nullptr);
    stream->begin();
    play();
  }
  // Messages of 20 ms, each when it is due; those of `late` come later.
  void speak(int frames, bool loud,
             std::vector<std::pair<std::int64_t, Bytes>> *late = nullptr) {
    for (int i = 0; i < frames; ++i, ms += 20) {
      Bytes frame(160, 0xff);
      for (auto &sample : frame)
        if (loud) // Numerical Recipes' generator
          sample = static_cast<std::uint8_t>(
              (noise = noise * 1664525U + 1013904223U) >> 24 | 0x20U);
      worker->run_for(20ms);
      if (late != nullptr)
        late->emplace_back(ms, frame);
      else
        stream->media(ms, frame);
      listen();
    }
  }
  void listen() {
    for (; listened < buffers.size(); ++listened) {
      GstBuffer *buffer = buffers[listened].get();
      const MappedBuffer mapped(buffer);
      activity.push_mulaw(mapped.bytes(), heard);
      // Nothing is of a time that has not come.
      g_assert_cmpuint(GST_BUFFER_PTS(buffer) + GST_BUFFER_DURATION(buffer), <=,
                       now());
      if (listened != 0 && GST_BUFFER_PTS(buffer) != next)
        jumps.emplace_back(listened,
                           GST_CLOCK_DIFF(next, GST_BUFFER_PTS(buffer)));
      next = GST_BUFFER_PTS(buffer) + GST_BUFFER_DURATION(buffer);
      samples += mapped.bytes().size();
    }
  }
  void wait(Duration time) {
    worker->run_for(time);
    listen();
  }
  GstClockTime now() const {
    return gst_element_get_current_running_time(element);
  }

  std::int64_t ms = 155;
  std::uint32_t noise = 1;
  audio::VoiceActivity activity;
  std::vector<audio::VoiceActivity::Event> heard;
  std::size_t listened = 0, samples = 0;
  GstClockTime next = 0; // of the line
  std::vector<std::pair<std::size_t, GstClockTimeDiff>> jumps;
};

// Within a word nothing comes any more. Who listens for the end of speech finds
// it where the frames ceased, soon, and hears silence for as long as the stream
// may live.
void test_frames_cease_in_speech() {
  for (const bool steady : {false, true}) {
    Talk t(steady);
    t.speak(50, false);
    t.speak(20, true);
    g_assert_cmpuint(t.heard.size(), ==, 1);
    t.wait(700ms);
    g_assert_cmpuint(t.samples, ==, 70 * 160);
    t.wait(80ms);
    g_assert_cmpuint(t.heard.size(), ==, 2);
    g_assert_true(t.heard[1].kind ==
                  audio::VoiceActivity::Event::Kind::kStopped);
    g_assert_true(t.heard[1].time >= 1400ms && t.heard[1].time <= 1430ms);
    t.wait(20s);
    g_assert_cmpuint(t.samples, ==, 70 * 160 + 80'000);
    g_assert_cmpuint(t.jumps.size(), ==, 0);
    t.messages();
    t.stream->finish(twilio::StreamEnd::kLost);
    CHECK_TEXT(t.messages(), "anomalies frames_ceased=1\nstream-ended lost\n");
    g_assert_cmpuint(t.worker->armed_timers(), ==, 0);
  }
}

// Of those who are silent nothing is awaited.
void test_frames_cease_in_silence() {
  Talk t;
  t.speak(50, false);
  g_assert_cmpuint(t.worker->armed_timers(), ==, 0);
  t.wait(5s);
  t.ms += 5000;
  t.speak(1, false);
  g_assert_cmpuint(t.samples, ==, 51 * 160 + 40'000);
  t.messages();
  t.stream->finish();
  CHECK_TEXT(t.messages(), "anomalies timestamp_gap=1\nstream-ended stop\n");
  // Nor of those who ceased to speak long ago; a turn's end is.
  Talk u;
  u.speak(20, true);
  u.speak(20, false);
  u.wait(1s);
  g_assert_cmpuint(u.samples, >, 80 * 160);
  Talk v;
  v.speak(20, true);
  v.speak(200, false);
  v.wait(5s);
  g_assert_cmpuint(v.samples, ==, 220 * 160);
}

// What was lost is gone: the line is where the clock is, without a jump.
void test_lost_frames() {
  for (const int frames : {30, 38, 45, 100, 499}) {
    g_test_message("%d frames", frames);
    Talk t;
    t.speak(20, true);
    t.wait(frames * 20ms);
    t.ms += frames * std::int64_t{20};
    t.speak(20, true);
    g_assert_cmpuint(t.jumps.size(), ==, 0);
    g_assert_cmpuint(t.samples, ==,
                     (40U + static_cast<unsigned>(frames)) * 160);
  }
}

// A line that stood still: what comes then comes at once. Not a sample of it is
// lost nor out of order, and each has the stamp of the time at which it was
// said.
void test_late_frames() {
  for (const int frames : {30, 38, 45, 100, 499}) {
    g_test_message("%d frames", frames);
    Talk t;
    Bytes said;
    std::vector<std::pair<std::int64_t, Bytes>> late;
    t.speak(20, true);
    const std::size_t before = t.samples;
    t.speak(frames, true, &late);
    const std::size_t made_up = t.samples - before;
    g_assert_cmpuint(made_up == 0, ==, frames == 30);
    for (const auto &[ms, frame] : late) {
      t.stream->media(ms, frame);
      said.insert(said.end(), frame.begin(), frame.end());
    }
    t.listen();
    g_assert_cmpuint(t.samples, ==, before + made_up + said.size());
    Bytes line;
    for (const auto &buffer : t.buffers) {
      const MappedBuffer mapped(buffer.get());
      line.insert(line.end(), mapped.bytes().begin(), mapped.bytes().end());
    }
    g_assert_true(
        std::equal(said.begin(), said.end(),
                   line.end() - static_cast<std::ptrdiff_t>(said.size())));
    g_assert_cmpuint(t.jumps.size(), ==, made_up == 0 ? 0 : 1);
    for (const auto &[at, jump] : t.jumps) {
      g_assert_cmpint(jump, ==,
                      -static_cast<GstClockTimeDiff>(made_up) * 125 *
                          GST_USECOND);
      g_assert_true(GST_BUFFER_IS_DISCONT(t.buffers[at].get()));
    }
    t.speak(20, true);
    g_assert_cmpuint(t.next, ==, t.now());
    t.messages();
    t.stream->finish();
    CHECK_TEXT(t.messages(), made_up == 0
                                 ? "stream-ended stop\n"
                                 : "anomalies frames_ceased=1 frames_late=1\n"
                                   "stream-ended stop\n");
  }
}

// Messages are read now and then only while somebody speaks: those that came in
// time are not late.
void test_what_has_come_is_read_first() {
  Talk t;
  t.speak(20, true);
  t.speak(30, true, &t.stream->unread); // has come 600 ms later, all at once
  t.wait(500ms);
  g_assert_cmpuint(t.stream->unread.size(), ==, 0);
  g_assert_cmpuint(t.samples, ==, 50 * 160);
  g_assert_cmpuint(t.jumps.size(), ==, 0);
  t.wait(1s); // from then on nothing
  g_assert_cmpuint(t.samples, >, 100 * 160);
  t.messages();
  t.stream->finish();
  CHECK_TEXT(t.messages(), "anomalies frames_ceased=1\nstream-ended stop\n");
}

// By whoever gets the silence, and in PAUSED there is none.
void test_nobody_listens_any_more() {
  Talk t;
  t.speak(4, true);
  t.wait(780ms);
  const std::size_t samples = t.samples;
  g_assert_cmpuint(samples, >, 4 * 160);
  t.set_state(GST_STATE_PAUSED);
  t.wait(3s);
  g_assert_cmpuint(t.samples, ==, samples);
  t.play();
  // Nor when it is paused by whoever gets it, and played again at once.
  for (const bool again : {false, true}) {
    t.speak(4, true);
    int taken = 0;
    t.on_buffer = [&] {
      ++taken;
      t.set_state(GST_STATE_PAUSED);
      if (again)
        t.play();
    };
    t.wait(3s);
    g_assert_cmpint(taken, ==, 1);
    t.on_buffer = nullptr;
    t.play();
    t.ms += 3000;
  }
  t.speak(20, true);
  t.on_buffer = [&t] { t.set_state(GST_STATE_NULL); };
  t.worker->run_for(3s);
  g_assert_null(t.stream->source);
  g_assert_cmpuint(t.worker->armed_timers(), ==, 0);
}

} // namespace

void test::add_twiliosrc_ceasing() {
  add_tests({
      {"/twiliosrc/speech-in-which-the-frames-cease-has-an-end",
       test_frames_cease_in_speech},
      {"/twiliosrc/silence-in-which-the-frames-cease-is-left-alone",
       test_frames_cease_in_silence},
      {"/twiliosrc/lost-frames-leave-the-line-in-its-time", test_lost_frames},
      {"/twiliosrc/late-frames-follow-with-the-stamps-of-their-time",
       test_late_frames},
      {"/twiliosrc/what-has-come-is-read-before-silence-is-made-up",
       test_what_has_come_is_read_first},
      {"/twiliosrc/nothing-is-made-up-for-nobody",
       test_nobody_listens_any_more},
  });
}
