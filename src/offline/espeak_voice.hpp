// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "worker/worker.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace patchcord::offline {

// The offline voice: libespeak-ng. The library is one per process and not
// thread-safe, and a sentence takes it 1 to 5 ms: all voices share one thread,
// the library's own, so that no call waits for another's sentence. On a virtual
// worker the work is done at once and takes no time. The library's flutter goes
// on from one text to the next: the same texts in the same order give the same
// samples in each process, the same text twice in one process does not.
class EspeakVoice {
public:
  static constexpr int kRate = 22050; // Hz, mono

  struct Settings {
    std::string voice = "en-us"; // `espeak-ng --voices`; variants: "en-us+f3"
    int words_per_minute = 175;  // 80 to 450
    int pitch = 50;              // 0 to 100
    int volume = 100;            // per cent, 0 to 200; clips above about 120
  };
  struct Timing {
    std::uint32_t offset; // of a word's first byte in the text
    std::uint32_t ms;     // since the first sample
  };
  struct Speech {
    std::vector<std::int16_t> samples; // may be empty: nothing to pronounce
    std::vector<Timing> timings;       // ascending
  };
  using Done = std::function<void(Result<Speech>)>;

  explicit EspeakVoice(std::shared_ptr<Worker> worker);
  ~EspeakVoice() { cancel(); }
  EspeakVoice(const EspeakVoice &) = delete;
  EspeakVoice &operator=(const EspeakVoice &) = delete;

  // Speaks `text` (UTF-8). `done` runs on the worker, after this has returned,
  // in the order of the calls; it may destroy the voice. Error codes:
  // "voice_not_found", "voice_unavailable" (no espeak-ng data).
  void speak(std::string text, const Settings &settings, Done done);
  // No `done` of an earlier speak() runs after this.
  void cancel();

private:
  struct Job {
    EspeakVoice *owner; // valid while not cancelled
    Done done;          // on the worker only
    std::atomic<bool> cancelled{false};
  };
  static void finish(const std::shared_ptr<Job> &job, Result<Speech> speech);

  std::shared_ptr<Worker> worker_;
  std::list<std::shared_ptr<Job>> jobs_;
};

// The work itself, in the caller's thread; `cancelled` ends it early.
Result<EspeakVoice::Speech>
synthesize_espeak(const std::string &text,
                  const EspeakVoice::Settings &settings,
                  const std::atomic<bool> &cancelled);

// Whether there is such a voice; error codes as above. In the caller's thread.
Result<Unit> find_espeak_voice(const std::string &voice);

} // namespace patchcord::offline
