// SPDX-License-Identifier: LGPL-2.1-or-later
#include "offline/espeak_library.hpp"

#include "base/guarded.hpp"
#include "base/task_thread.hpp"

#include <espeak-ng/espeak_ng.h>
#include <espeak-ng/speak_lib.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

namespace patchcord::offline {
namespace {

constexpr int kBufferMs = 100; // of the library's own buffer
constexpr auto kThreadStart = std::chrono::seconds(10);

espeak_ERROR synthesize(const std::string &text) {
  return espeak_Synth(text.c_str(), text.size() + 1, 0, POS_CHARACTER, 0,
                      espeakCHARS_UTF8 | espeakENDPAUSE, nullptr, nullptr);
}

// --- the library's thread ----------------------------------------------------

// libespeak-ng 1.51 starts a thread of its own, on which it speaks to callers
// who do not wait for it, whatever it is asked for. We take it for our tasks
// instead of having another: it is given a text, and does not come back from
// reporting the first sound. From then on the library speaks in its callers'
// threads, of which this is one.

// Never destroyed: the thread goes on to the process's end.
TaskQueue &tasks() {
  static auto &queue = *new TaskQueue;
  return queue;
}

// Of the initialisation.
std::thread::id g_caller;
std::atomic<std::promise<bool> *> g_taken{}; // whether there is such a thread

int take_thread(short *, int, espeak_EVENT *) {
  if (auto *taken = g_taken.exchange(nullptr)) {
    const bool own = std::this_thread::get_id() != g_caller;
    taken->set_value(own);
    if (own) {
      pthread_setname_np(pthread_self(), "espeak");
      tasks().run();
    }
  }
  return 1;
}

bool take_thread() {
  static auto &taken = *new std::promise<bool>;
  g_caller = std::this_thread::get_id();
  g_taken = &taken;
  espeak_SetSynthCallback(take_thread);
  auto own = taken.get_future();
  const bool in_time = synthesize("a") == EE_OK &&
                       own.wait_for(kThreadStart) == std::future_status::ready;
  // One that comes now finds nothing, unless it came just before this.
  return (in_time || g_taken.exchange(nullptr) == nullptr) && own.get();
}

// --- its voice ---------------------------------------------------------------

// Only while the library's lock is held.
EspeakRecording *g_recording = nullptr;
const std::atomic<bool> *g_cancelled = nullptr;

int record(short *wave, int count, espeak_EVENT *events) {
  if (g_recording == nullptr)
    return 1;
  for (; events->type != espeakEVENT_LIST_TERMINATED; ++events)
    if (events->type == espeakEVENT_WORD && events->text_position > 0)
      g_recording->words.push_back(
          {events->text_position, events->audio_position});
  if (wave != nullptr && count > 0)
    g_recording->samples.insert(g_recording->samples.end(), wave, wave + count);
  return g_cancelled->load() ? 1 : 0;
}

bool start_library() {
  const bool good =
      espeak_Initialize(AUDIO_OUTPUT_RETRIEVAL, kBufferMs, nullptr,
                        espeakINITIALIZE_DONT_EXIT) == EspeakVoice::kRate;
  if (!good || !take_thread())
    std::thread([] { tasks().run(); }).detach();
  if (!good || espeak_ng_InitializeOutput(ENOUTPUT_MODE_SYNCHRONOUS, kBufferMs,
                                          nullptr) != ENS_OK)
    return false;
  espeak_SetSynthCallback(record);
  synthesize("a"); // Ended at once, and with it the rest of the first one.
  return true;
}

// Whether it works. Once for the process: a second initialisation leaves its
// thread in a deadlock at termination.
bool started() {
  static const bool good = start_library();
  return good;
}

struct Library {
  std::string voice; // loaded

  Result<Unit> prepare(const EspeakVoice::Settings &settings) {
    if (!started())
      return make_error("voice_unavailable",
                        "espeak-ng did not start: its data is missing "
                        "(package espeak-ng-data)");
    // Loading a voice costs more than speaking a word.
    if (settings.voice != voice) {
      if (espeak_SetVoiceByName(settings.voice.c_str()) != EE_OK) {
        voice.clear();
        return make_error("voice_not_found",
                          "espeak-ng has no voice \"" + settings.voice +
                              "\"; `espeak-ng --voices` lists them");
      }
      voice = settings.voice;
    }
    espeak_SetParameter(espeakRATE,
                        std::clamp(settings.words_per_minute, 80, 450), 0);
    espeak_SetParameter(espeakPITCH, std::clamp(settings.pitch, 0, 100), 0);
    espeak_SetParameter(espeakVOLUME, std::clamp(settings.volume, 0, 200), 0);
    return ok();
  }
};

Guarded<Library> &library() {
  static auto &instance = *new Guarded<Library>; // as long as its thread
  return instance;
}

} // namespace

Result<EspeakRecording> espeak_speak(const std::string &text,
                                     const EspeakVoice::Settings &settings,
                                     const std::atomic<bool> &cancelled) {
  EspeakRecording recording;
  const Result<Unit> spoken = library().with([&](Library &espeak) {
    auto ready = espeak.prepare(settings);
    if (!ready)
      return ready;
    g_recording = &recording;
    g_cancelled = &cancelled;
    const espeak_ERROR result = synthesize(text);
    g_recording = nullptr;
    return result == EE_OK
               ? ok()
               : Result<Unit>(make_error("voice_unavailable",
                                         "espeak-ng could not speak"));
  });
  if (!spoken)
    return spoken.error();
  return recording;
}

Result<Unit> espeak_find(const EspeakVoice::Settings &settings) {
  return library().with(
      [&](Library &espeak) { return espeak.prepare(settings); });
}

void espeak_post(std::function<void()> task) {
  (void)started(); // and with it the thread
  tasks().post(std::move(task));
}

} // namespace patchcord::offline
