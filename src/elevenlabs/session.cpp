// SPDX-License-Identifier: LGPL-2.1-or-later
#include "elevenlabs/session.hpp"

#include "elevenlabs/speech_text.hpp"

#include <algorithm>

namespace patchcord::elevenlabs {

void Session::speak(Segment segment, const std::string &text) {
  std::string words = speech_text(text);
  if (words.empty()) {
    listener_.finished(segment);
    return;
  }
  if (utterances_.empty() || utterances_.back().ended)
    utterances_.emplace_back(format_);
  Utterance &utterance = utterances_.back();
  utterance.texts.add(std::move(words));
  utterance.segments.push_back(segment);
  advance();
}

void Session::end_utterance() {
  if (utterances_.empty())
    return;
  utterances_.back().ended = true;
  sweep();
  advance();
}

void Session::cancel() {
  ++generation_;
  for (const Utterance &utterance : utterances_)
    drop(utterance);
  utterances_.clear();
}

// Only a context that is open is closed: naming another one would open it.
void Session::drop(const Utterance &utterance) {
  if (utterance.context.empty())
    return;
  if (!utterance.close_sent)
    listener_.send(close_context(utterance.context));
  closing_.insert(utterance.context);
}

void Session::connected() {
  connected_ = true;
  advance();
}

void Session::disconnected() {
  connected_ = false;
  closing_.clear();
  const std::uint64_t generation = generation_;
  std::vector<Segment> done;
  for (Utterance &utterance : utterances_) {
    if (utterance.context.empty())
      continue;
    if (!finish_before(utterance.context, utterance.texts.current(),
                       generation))
      return;
    start_over(utterance, done);
  }
  sweep();
  report(done);
}

std::size_t Session::contexts() const {
  return closing_.size() + static_cast<std::size_t>(std::count_if(
                               utterances_.begin(), utterances_.end(),
                               [](const Utterance &utterance) {
                                 return !utterance.context.empty();
                               }));
}

void Session::advance() {
  if (!connected_)
    return;
  for (Utterance &utterance : utterances_) {
    if (utterance.context.empty()) {
      if (utterance.sent == utterance.texts.size())
        continue;
      if (contexts() >= kMaxContexts)
        return; // A final marker makes room.
      utterance.context = "c" + std::to_string(++last_context_);
      utterance.close_sent = false;
      listener_.send(open_context(utterance.context, settings_));
    }
    for (; utterance.sent < utterance.texts.size(); ++utterance.sent)
      listener_.send(speak_text(utterance.context,
                                utterance.texts.text(utterance.sent) + " "));
    if (utterance.ended && !std::exchange(utterance.close_sent, true))
      listener_.send(close_context(utterance.context));
  }
}

Session::Utterance *Session::find(const std::string &context) {
  for (Utterance &utterance : utterances_)
    if (!utterance.context.empty() && utterance.context == context)
      return &utterance;
  return nullptr;
}

void Session::receive(ServerMessage message) {
  if (message.context.empty() && closing_.empty() && !utterances_.empty())
    message.context = utterances_.front().context; // It can be no other.
  if (closing_.contains(message.context)) {
    if (message.final) {
      closing_.erase(message.context);
      advance();
    }
    return;
  }
  if (find(message.context) == nullptr)
    return;
  const std::uint64_t generation = generation_;
  if (!message.audio.empty() && !take_audio(generation, message))
    return;
  if (message.final)
    finish(message.context);
}

// False when a listener ended what was going on.
bool Session::take_audio(std::uint64_t generation,
                         const ServerMessage &message) {
  Utterance *utterance = find(message.context);
  Bytes audio = std::move(utterance->carry);
  audio.insert(audio.end(), message.audio.begin(), message.audio.end());
  const std::size_t whole =
      audio.size() -
      audio.size() % static_cast<std::size_t>(format_.sample_bytes);
  utterance->carry.assign(audio.begin() + static_cast<std::ptrdiff_t>(whole),
                          audio.end());
  audio.resize(whole);
  const auto parts =
      utterance->texts.take(message.alignment, whole, relative_times_);
  std::size_t begin = 0;
  for (const ContextText::Part &part : parts) {
    if (!finish_before(message.context, part.text, generation))
      return false;
    const Segment segment = find(message.context)->segments[part.text];
    if (!part.words.empty())
      listener_.spoken(segment, part.words, part.timings);
    if (generation != generation_)
      return false;
    if (part.audio_end > begin)
      listener_.audio(
          segment,
          Bytes(audio.begin() + static_cast<std::ptrdiff_t>(begin),
                audio.begin() + static_cast<std::ptrdiff_t>(part.audio_end)));
    if (generation != generation_)
      return false;
    begin = std::max(begin, part.audio_end);
  }
  return true;
}

bool Session::finish_before(const std::string &context, std::size_t end,
                            std::uint64_t generation) {
  for (;;) {
    Utterance *utterance = find(context);
    if (utterance == nullptr || utterance->finished >= end)
      return utterance != nullptr;
    const std::size_t index = utterance->finished++;
    const Segment segment = utterance->segments[index];
    // Its last words may have come without their times.
    const std::string untold = utterance->texts.untold(index);
    if (!untold.empty())
      listener_.spoken(segment, untold, {});
    if (generation != generation_)
      return false;
    listener_.finished(segment);
    if (generation != generation_)
      return false;
  }
}

// The final marker of a context.
void Session::finish(const std::string &context) {
  const ContextText &texts = find(context)->texts;
  const bool heard = texts.heard();
  const bool all = heard && (find(context)->close_sent || texts.complete());
  if (!finish_before(context, all ? texts.size() : texts.current(),
                     generation_))
    return;
  Utterance &utterance = *find(context);
  std::vector<Segment> done;
  start_over(utterance, done);
  if (!heard && utterance.texts.size() > 0)
    mute_ = std::exchange(utterance.tried_again, true);
  sweep();
  if (!mute_)
    advance();
  report(done);
}

// What was not said is to be sent again, in a context of its own.
void Session::start_over(Utterance &utterance, std::vector<Segment> &done) {
  ContextText texts(format_);
  std::vector<Segment> segments;
  for (std::size_t i = utterance.finished; i < utterance.texts.size(); ++i) {
    std::string rest = utterance.texts.rest(i);
    if (rest.empty()) {
      done.push_back(utterance.segments[i]);
      continue;
    }
    texts.add(std::move(rest));
    segments.push_back(utterance.segments[i]);
  }
  utterance.texts = std::move(texts);
  utterance.segments = std::move(segments);
  utterance.finished = utterance.sent = 0;
  utterance.context.clear();
  utterance.carry.clear();
}

// Last, for the listener may do anything.
void Session::report(const std::vector<Segment> &done) {
  for (const Segment segment : done)
    listener_.finished(segment);
}

// Utterances of which all is said.
void Session::sweep() {
  std::erase_if(utterances_, [](const Utterance &utterance) {
    return utterance.ended && utterance.context.empty() &&
           utterance.texts.size() == 0;
  });
}

void Session::keep_alive() {
  for (const Utterance &utterance : utterances_)
    if (connected_ && !utterance.context.empty() && !utterance.close_sent)
      listener_.send(elevenlabs::keep_alive(utterance.context));
}

bool Session::waiting() const {
  return std::any_of(utterances_.begin(), utterances_.end(),
                     [](const Utterance &utterance) {
                       return utterance.ended || !utterance.texts.complete();
                     });
}

std::vector<Session::Unsaid> Session::take_unsaid() {
  std::vector<Unsaid> unsaid;
  std::vector<Segment> done;
  for (const Utterance &utterance : utterances_) {
    drop(utterance);
    for (std::size_t i = utterance.finished; i < utterance.texts.size(); ++i) {
      std::string rest = utterance.texts.rest(i);
      if (rest.empty())
        done.push_back(utterance.segments[i]);
      else
        unsaid.push_back(
            {utterance.segments[i], std::move(rest), utterance.texts.text(i)});
    }
  }
  ++generation_;
  utterances_.clear();
  report(done);
  return unsaid;
}

} // namespace patchcord::elevenlabs
