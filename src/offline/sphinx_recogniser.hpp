// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "offline/sphinx_decoder.hpp"
#include "worker/worker.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace patchcord::offline {

// The recogniser of a worker, for all its calls: `worker.service<
// SphinxRecogniser>()`. A decoder costs megabytes and 40 ms, and is needed for
// some hundredths of a second at the end of each utterance; so a worker has one
// for each model, and calls have none. Utterances are decoded one after the
// other, in slices of some milliseconds between which the worker does its other
// work; nobody can wait for one of them within a call. On the worker only.
class SphinxRecogniser {
public:
  explicit SphinxRecogniser(Worker &worker);
  ~SphinxRecogniser();
  SphinxRecogniser(const SphinxRecogniser &) = delete;
  SphinxRecogniser &operator=(const SphinxRecogniser &) = delete;

  // Reads the model unless this worker has it. Errors as SphinxDecoder.
  Result<> load(const SphinxDecoder::Model &model);
  // As SphinxDecoder::prepare(), between utterances or at once.
  Result<std::vector<std::string>> prepare(const SphinxDecoder::Model &model,
                                           const std::string &grammar);

  struct Utterance {
    SphinxDecoder::Model model; // loaded
    std::string grammar;
    std::vector<std::int16_t> samples;
  };
  using Done = std::function<void(const Recognition &)>;

  // An utterance in work. Destroying it ends it: `done` will not be called.
  class Job {
  public:
    Job() = default;
    ~Job() { cancel(); }
    Job(Job &&) = default;
    Job &operator=(Job &&other) noexcept;
    explicit operator bool() const;
    void cancel();

  private:
    friend class SphinxRecogniser;
    struct Task;
    std::shared_ptr<Task> task_;
  };
  // `done` is called later, on the worker, once.
  [[nodiscard]] Job recognise(Utterance utterance, Done done);

private:
  struct Queue;
  std::shared_ptr<Queue> queue_;
};

} // namespace patchcord::offline
