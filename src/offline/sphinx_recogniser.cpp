// SPDX-License-Identifier: LGPL-2.1-or-later
#include "offline/sphinx_recogniser.hpp"

#include <algorithm>
#include <utility>

namespace patchcord::offline {

struct SphinxRecogniser::Job::Task {
  std::weak_ptr<Queue> queue;
  SphinxDecoder *decoder = nullptr;
  Utterance utterance;
  Done done;
  bool begun = false, over = false;
};

struct SphinxRecogniser::Queue
    : std::enable_shared_from_this<SphinxRecogniser::Queue> {
  using Task = Job::Task;

  Worker *worker = nullptr; // null when the service is gone
  std::map<SphinxDecoder::Model, std::unique_ptr<SphinxDecoder>> decoders;
  std::deque<std::shared_ptr<Task>> tasks;
  bool posted = false;

  SphinxDecoder *decoder(const SphinxDecoder::Model &model) {
    const auto found = decoders.find(model);
    return found != decoders.end() ? found->second.get() : nullptr;
  }

  void wake() {
    if (worker == nullptr || tasks.empty() || std::exchange(posted, true))
      return;
    worker->post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        self->posted = false;
        self->slice();
        self->wake();
      }
    });
  }

  // One step of the first utterance that is still wanted.
  void slice() {
    while (!tasks.empty() && tasks.front()->over)
      tasks.pop_front();
    if (tasks.empty())
      return;
    const std::shared_ptr<Task> task = tasks.front();
    if (!task->begun) {
      task->begun = true;
      // Prepared grammars do not fail; one that does understands nothing.
      if (task->decoder->begin(task->utterance.samples,
                               task->utterance.grammar))
        return;
    } else if (task->decoder->step()) {
      return;
    }
    tasks.pop_front();
    task->over = true;
    const Recognition result = task->decoder->finish();
    const Done done = std::move(task->done);
    done(result); // may destroy its job
  }
};

SphinxRecogniser::Job &SphinxRecogniser::Job::operator=(Job &&other) noexcept {
  if (this != &other) {
    cancel();
    task_ = std::move(other.task_);
  }
  return *this;
}

SphinxRecogniser::Job::operator bool() const { return task_ && !task_->over; }

void SphinxRecogniser::Job::cancel() {
  if (const auto task = std::move(task_)) {
    task->over = true;
    task->done = nullptr;
  }
}

SphinxRecogniser::SphinxRecogniser(Worker &worker)
    : queue_(std::make_shared<Queue>()) {
  queue_->worker = &worker;
}

SphinxRecogniser::~SphinxRecogniser() { queue_->worker = nullptr; }

Result<> SphinxRecogniser::load(const SphinxDecoder::Model &model) {
  if (queue_->decoder(model) != nullptr)
    return ok();
  auto decoder = SphinxDecoder::create(model);
  if (!decoder)
    return std::move(decoder).error();
  queue_->decoders[model] = std::move(*decoder);
  return ok();
}

Result<std::vector<std::string>>
SphinxRecogniser::prepare(const SphinxDecoder::Model &model,
                          const std::string &grammar) {
  SphinxDecoder *decoder = queue_->decoder(model);
  if (decoder == nullptr)
    return make_error("no_model", "the acoustic model is not loaded");
  return decoder->prepare(grammar);
}

SphinxRecogniser::Job SphinxRecogniser::recognise(Utterance utterance,
                                                  Done done) {
  auto task = std::make_shared<Job::Task>();
  task->queue = queue_;
  task->decoder = queue_->decoder(utterance.model);
  task->utterance = std::move(utterance);
  task->done = std::move(done);
  Job job;
  job.task_ = task;
  if (task->decoder == nullptr) {
    queue_->worker->post([task] {
      if (!std::exchange(task->over, true))
        std::exchange(task->done, nullptr)(Recognition{});
    });
    return job;
  }
  queue_->tasks.push_back(std::move(task));
  queue_->wake();
  return job;
}

} // namespace patchcord::offline
