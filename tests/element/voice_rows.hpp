// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "fake_server.hpp"
#include "voice_bench.hpp"

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

// All voices there are, for the cases that hold for each (docs/events.md, "The
// contract of a voice"). A new one is a row of kVoices; what only one of them
// can do is tested in a file of its own.

// How a voice is set up, and what its provider's fake has to play for the
// faults. Null: there is no such thing with this voice.
struct Voice {
  const char *factory;
  const char *provider;  // as failures name it
  const char *favourite; // caps of its first choice
  void (*configure)(GstElement *element, const std::string &url,
                    const char *key); // null: no provider
  void (*spoil)(GstElement *element); // fails for good, by its settings
  const char *spoilt;                 // as which code
  const char *breaks;  // the connection, within the first utterance
  const char *mute;    // for ever, in the middle of it
  const char *garbage; // among what is right
  const char *down;    // from the beginning
};

// A voice with its provider's fake, both on one virtual worker unless told
// otherwise.
struct VoiceCall {
  explicit VoiceCall(const Voice &voice, const char *script = nullptr,
                     const char *caps = nullptr, bool text_pad = true,
                     std::shared_ptr<patchcord::Worker> on =
                         patchcord::Worker::create_virtual());
  ~VoiceCall() { bench.set_state(GST_STATE_NULL); }
  VoiceCall(const VoiceCall &) = delete;
  VoiceCall &operator=(const VoiceCall &) = delete;

  // All that is said, in order and to the end (VoiceBench::shape()).
  void expect(const std::string &shape);
  void did_not_fail();

  std::shared_ptr<patchcord::Worker> worker;
  std::optional<patchcord::fakes::FakeServer> server;
  VoiceBench bench;
};

// Each case for each voice, as "/voice/CASE/FACTORY".
using VoiceCase = std::pair<const char *, void (*)(const Voice &)>;
void add_voice_cases(const char *area, std::initializer_list<VoiceCase> cases);
