// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "recording/event.hpp"
#include "worker/worker.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace patchcord::scenario {

// What comes from outside in a call that is played again: everything in the
// order in which it came, and when it came. A service of the worker; who stands
// for the recogniser, the voice, the model and the peer registers here.
class ReplayScript {
public:
  explicit ReplayScript(Worker &worker) : worker_(worker) {}

  using Due = std::function<void(const recording::Event &)>;
  Due peer, ears, mouth, http, operating;

  void load(const std::vector<recording::Event> &events);
  void start(); // running time is 0 now
  void stop();  // and nobody is told any more
  TimePoint now() const { return worker_.now() - origin_; }

  // The texts that the voice was given to say in an utterance.
  const std::vector<std::string> &texts(std::int64_t utterance) const;
  // When the voice was through with all, EOS; negative: never.
  Duration mouth_over() const { return mouth_over_; }
  // The events of the next request of this kind, itself first; empty: there
  // was none any more. Each is given once. By path and query: the recording
  // does not tell a tool's host from that it was called at.
  std::vector<recording::Event> take_request(const std::string &method,
                                             std::string_view resource);

  // The recogniser was told that the audio is over: what it still made of it at
  // once, up to its own end, and not any more when its time comes. Empty where
  // its end came later, or never.
  std::vector<recording::Event> take_last_words();

private:
  void run();
  void tell(const recording::Event &event) const;

  Worker &worker_;
  std::vector<recording::Event> events_;
  std::map<std::int64_t, std::vector<std::string>> texts_;
  std::set<std::int64_t> taken_; // of the requests
  Duration mouth_over_{-1};
  TimePoint origin_{};
  std::size_t next_ = 0;
  Timer timer_;
};

// The elements replaystt and replayvoice, for register_elements().
void register_replay_elements();

} // namespace patchcord::scenario
