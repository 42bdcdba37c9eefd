// SPDX-License-Identifier: LGPL-2.1-or-later
#include "graph/voice_queue.hpp"

#include <algorithm>

namespace patchcord::graph {

void VoiceQueue::start(const events::UtteranceStart &utterance) {
  utterance_ = utterance.utterance;
  entries_.emplace_back(utterance);
}

VoiceQueue::Segment VoiceQueue::text(std::string text) {
  Text entry;
  entry.segment = ++last_segment_;
  entry.utterance = utterance_;
  entry.text = std::move(text);
  entries_.emplace_back(std::move(entry));
  return last_segment_;
}

void VoiceQueue::end(const events::UtteranceEnd &utterance) {
  utterance_ = 0;
  entries_.emplace_back(utterance);
}

void VoiceQueue::pass(Ref<GstEvent> event) {
  entries_.emplace_back(std::move(event));
}

void VoiceQueue::flush() {
  entries_.clear();
  utterance_ = 0;
}

VoiceQueue::Text *VoiceQueue::find(Segment segment) {
  for (Entry &entry : entries_)
    if (Text *text = std::get_if<Text>(&entry);
        text != nullptr && text->segment == segment)
      return text;
  return nullptr;
}

void VoiceQueue::spoken(Segment segment, std::string text,
                        std::vector<events::SpokenText::Timing> timings) {
  Text *entry = find(segment);
  if (entry == nullptr || entry->finished)
    return;
  entry->announced = true;
  entry->made.emplace_back(events::SpokenText{entry->utterance, std::move(text),
                                              std::move(timings)});
}

void VoiceQueue::audio(Segment segment, Bytes audio) {
  Text *entry = find(segment);
  if (entry == nullptr || entry->finished || audio.empty())
    return;
  if (!entry->announced)
    spoken(segment, entry->text, {});
  entry->made.emplace_back(std::move(audio));
}

void VoiceQueue::finished(Segment segment) {
  if (Text *entry = find(segment))
    entry->finished = true;
}

bool VoiceQueue::take_back(Segment segment) {
  Text *entry = find(segment);
  if (entry == nullptr || entry->begun || entry->finished)
    return false;
  entry->made.clear();
  entry->announced = false;
  return true;
}

void VoiceQueue::change_audio(const std::function<void(Bytes &)> &change) {
  for (Entry &entry : entries_)
    if (Text *text = std::get_if<Text>(&entry))
      for (auto &made : text->made)
        if (Bytes *audio = std::get_if<Bytes>(&made))
          change(*audio);
}

std::optional<VoiceQueue::Output> VoiceQueue::next() {
  while (!entries_.empty()) {
    if (Text *text = std::get_if<Text>(&entries_.front())) {
      if (!text->made.empty()) {
        text->begun = true;
        auto made = std::move(text->made.front());
        text->made.pop_front();
        return std::visit([](auto &value) { return Output(std::move(value)); },
                          made);
      }
      if (!text->finished)
        return std::nullopt;
      entries_.pop_front();
      continue;
    }
    Entry entry = std::move(entries_.front());
    entries_.pop_front();
    if (auto *started = std::get_if<events::UtteranceStart>(&entry))
      return Output(*started);
    if (auto *ended = std::get_if<events::UtteranceEnd>(&entry))
      return Output(*ended);
    return Output(std::move(std::get<Ref<GstEvent>>(entry)));
  }
  return std::nullopt;
}

bool VoiceQueue::speaking() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const Entry &entry) {
    const Text *text = std::get_if<Text>(&entry);
    return text != nullptr && !text->finished;
  });
}

} // namespace patchcord::graph
