// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "fake_server.hpp"
#include "stt_bench.hpp"

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// All recognisers there are, for the cases that hold for each (docs/events.md,
// "The contract of a recogniser"). A new one is a row of kRecognisers; what
// only one of them can do is tested in a file of its own.

// What is said in the cases: nothing else need be understood.
inline constexpr char kYes[] = "yes please";
inline constexpr char kPlace[] = "mountain view";
inline constexpr char kPeople[] = "two people";

// How a recogniser is set up, how it is spoken to, and what its provider's fake
// has to play for the faults. Null: there is no such thing with this one.
struct Recogniser {
  using Script = patchcord::fakes::Script;
  const char *name; // of the row
  const char *factory;
  const char *caps;
  std::vector<const char *> refused; // caps
  void (*configure)(GstElement *element, const std::string &url,
                    const char *key); // null: no provider
  // Speech that says `text`, with nothing around it. The agent expects it.
  std::vector<std::int16_t> (*voice)(SttBench &bench, const char *text);
  void (*breaks)(Script &script);  // the connection, within the first turn
  void (*mute)(Script &script);    // no result for the first turn
  void (*garbage)(Script &script); // among what is right
  void (*down)(Script &script);    // from the beginning
};

// A recogniser with its provider's fake, both on one virtual worker unless told
// otherwise. `texts` will be said, in this order.
struct SttCall {
  SttCall(const Recogniser &recogniser, std::vector<const char *> texts,
          void (*fault)(patchcord::fakes::Script &) = nullptr,
          std::shared_ptr<patchcord::Worker> on =
              patchcord::Worker::create_virtual());
  ~SttCall() { bench.set_state(GST_STATE_NULL); }
  SttCall(const SttCall &) = delete;
  SttCall &operator=(const SttCall &) = delete;

  void play() { bench.play(row.caps); }
  // Half a second of silence before, and `behind` behind it; where the speech
  // was.
  struct Said {
    GstClockTime from, to;
  };
  Said say(const char *text, int behind_ms = 1000, bool turns = true);
  // Lets time pass, for the network as well.
  void run_for(patchcord::Duration time);

  const Recogniser &row;
  std::shared_ptr<patchcord::Worker> worker;
  std::optional<patchcord::fakes::FakeServer> server;
  SttBench bench;
};

// Each case for each recogniser, as "/recogniser/CASE/NAME".
using SttCase = std::pair<const char *, void (*)(const Recogniser &)>;
void add_stt_cases(const char *area, std::initializer_list<SttCase> cases);
