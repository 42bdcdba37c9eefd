// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/playout.hpp"

#include "twilio/mark_name.hpp"
#include "worker/beat.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace patchcord::twilio {
namespace {

// Audio that trickles in waits this long for company: very small messages make
// the first word stutter.
constexpr Duration kCoalesce = 40ms;
// Below this lead what there is gets sent, however short.
constexpr Duration kLowLead = 100ms;
// The same, at a peer that never returns marks.
constexpr Duration kNoEchoGrace = 200ms;
// The last buffer of an utterance follows its end event at once; a graph that
// swallowed it must not leave the utterance open.
constexpr Duration kLastAudio = 1s;
std::size_t to_samples(Duration duration) {
  return static_cast<std::size_t>(duration / kSampleTime);
}
Duration to_duration(std::size_t samples) {
  return static_cast<std::int64_t>(samples) * kSampleTime;
}

std::uint64_t sequence_of(std::string_view name) {
  const auto dot = name.find('.');
  if (dot == std::string_view::npos)
    return 0;
  std::uint64_t sequence = 0;
  std::from_chars(name.data() + dot + 1, name.data() + name.size(), sequence);
  return sequence;
}

} // namespace

Playout::Playout(const Settings &settings, Peer &peer)
    : settings_(settings),
      // At least two messages in the window: with one, the peer would run dry
      // whenever the next one is sent.
      message_size_(std::max(
          kFrame,
          to_samples(std::min(settings.message, settings.send_ahead / 2)) /
              kFrame * kFrame)),
      mark_size_(to_samples(settings.mark_interval)), peer_(peer) {}

void Playout::open(TimePoint now) {
  opened_ = !closed_;
  tick(now);
}

void Playout::close(TimePoint now) {
  if (closed_)
    return;
  while (!clears_.empty())
    answer(std::nullopt, now);
  closed_ = true;
  opened_ = false;
  cut_all(now);
}

void Playout::utterance_start(std::uint32_t id, TimePoint now) {
  explicit_ = true;
  between_ = false;
  if (Utterance *open = open_utterance()) {
    if (open->id == id)
      return;
    complete(*open);
  }
  begin_utterance(id);
  if (closed_)
    cut_all(now);
  tick(now);
}

void Playout::spoken_text(std::uint32_t id, std::string text,
                          std::vector<WordTiming> timings, TimePoint now) {
  if (utterances_.empty() && !explicit_ && !closed_)
    begin_utterance(id);
  if (Utterance *open = open_utterance())
    open->script.add(std::move(text), std::move(timings), open->total);
  tick(now);
}

void Playout::audio(ByteSpan mulaw, TimePoint now) {
  if (closed_ || between_ || waiting() >= kMaxWaiting) {
    dropped_ += mulaw.size();
    return;
  }
  // A tail behind what was said to be the last: an encoder may split a buffer.
  const bool tail = open_utterance() == nullptr && explicit_;
  if (utterances_.empty()) {
    begin_utterance(0);
  } else if (Utterance &back = utterances_.back(); back.complete) {
    back.complete = false;
    back.end_mark = 0;
    back.total = queue_.end() - back.begin;
  }
  Utterance &utterance = utterances_.back();
  const auto taken =
      mulaw.first(std::min(mulaw.size(), kMaxWaiting - waiting()));
  dropped_ += mulaw.size() - taken.size();
  if (waiting() < kFrame)
    waiting_since_ = now;
  queue_.append(taken);
  utterance.total += taken.size();
  utterance.end = queue_.end();
  if (!utterance.first_audio)
    utterance.first_audio = now;
  if (tail || utterance.ending)
    complete(utterance);
  tick(now);
}

void Playout::utterance_end(std::uint32_t id, TimePoint now) {
  if (Utterance *open = open_utterance();
      open != nullptr && (open->id == id || !explicit_))
    open->ending = now;
  tick(now);
}

void Playout::eos(TimePoint now) {
  eos_ = true;
  if (Utterance *open = open_utterance())
    complete(*open);
  tick(now);
}

void Playout::flush(TimePoint now) {
  if ((opened_ && may_be_queued(now) && clear(now)) || awaits_answer())
    cut_when_answered(now);
  else
    cut_all(now);
  between_ = explicit_;
  eos_ = held_ = false;
}

void Playout::mark_echo(std::string_view name, TimePoint now) {
  const std::uint64_t sequence = sequence_of(name);
  if (sequence >= next_mark_)
    return; // Not ours.
  if (sequence < first_valid_)
    return cleared_mark(sequence, name, now);
  echoes_ = true;
  const auto mark =
      std::find_if(marks_.begin(), marks_.end(),
                   [&](const Mark &m) { return m.sequence == sequence; });
  if (mark == marks_.end() ||
      name != mark_name(mark->utterance, mark->sequence))
    return; // Later than it was waited for.
  if (clock_.is_hasty(mark->due, now))
    distrust_marks();
  if (hasty_ || !clock_.may_have_played(mark->due, now)) {
    for (auto it = marks_.begin(); it != std::next(mark); ++it)
      it->early = true;
    return tick(now);
  }
  const Duration moved = clock_.echoed(mark->due, now);
  // Marks come back in order: what was played before a mark was played.
  do {
    const Mark front = marks_.front();
    marks_.pop_front();
    played(front, now, false);
    if (front.sequence == sequence)
      break;
  } while (!marks_.empty());
  for (Mark &later : marks_)
    later.due += moved;
  tick(now);
}

void Playout::distrust_marks() {
  if (!std::exchange(hasty_, true))
    clock_.distrust();
}

void Playout::tick(TimePoint now) {
  if (Utterance *open = open_utterance();
      open != nullptr && open->ending && now >= *open->ending + kLastAudio)
    complete(*open);
  while (!clears_.empty() && now >= answer_due(clears_.front()))
    answer(std::nullopt, now);
  expire(now);
  pump(now);
}

std::optional<TimePoint> Playout::mark_due() const {
  if (!clears_.empty())
    return clears_.front().peer.sent + clock_.round_trip();
  return marks_.empty()
             ? std::nullopt
             : std::optional(marks_.front().due + clock_.round_trip());
}

std::optional<TimePoint> Playout::next_deadline() const {
  std::optional<TimePoint> next;
  const auto until = [&](TimePoint time) {
    next = next ? std::min(*next, time) : time;
  };
  if (!clears_.empty())
    until(answer_due(clears_.front()));
  if (!marks_.empty())
    until(expiry(marks_.front()));
  if (!utterances_.empty() && !utterances_.back().complete &&
      utterances_.back().ending)
    until(*utterances_.back().ending + kLastAudio);
  if (const auto time = send_time())
    until(send_deadline(*time));
  return next;
}

// While the peer has more than enough a message may wait for the next one, so
// that both are one write, and for other calls.
TimePoint Playout::send_deadline(TimePoint time) const {
  const Utterance *utterance = sending();
  const Duration message = to_duration(message_size_);
  const bool both_wait = utterance != nullptr &&
                         utterance->end - clock_.sent() >= 2 * message_size_;
  return both_wait && clock_.end() - time >= 3 * message
             ? beat_after(time + message)
             : time;
}

std::optional<PlayoutEvent> Playout::next_event() {
  if (events_.empty() || events_.front().clear != 0)
    return std::nullopt;
  PlayoutEvent event = std::move(events_.front().event);
  events_.pop_front();
  return event;
}

// The one that is being received.
Playout::Utterance *Playout::open_utterance() {
  return utterances_.empty() || utterances_.back().complete
             ? nullptr
             : &utterances_.back();
}

Playout::Utterance &Playout::begin_utterance(std::uint32_t id) {
  Utterance &utterance = utterances_.emplace_back();
  utterance.id = id;
  utterance.begin = utterance.end = utterance.frames_from = queue_.end();
  return utterance;
}

// Whether there may be audio at the peer: also when all was sent long ago.
bool Playout::may_be_queued(TimePoint now) const {
  return !marks_.empty() || ((clock_.sent() > confirmed_ || guessed_) &&
                             now < clock_.end() + kEchoGrace);
}

// The one that is being sent.
const Playout::Utterance *Playout::sending() const {
  const auto it =
      std::find_if(utterances_.begin(), utterances_.end(),
                   [](const Utterance &u) { return u.end_mark == 0; });
  return it == utterances_.end() ? nullptr : &*it;
}
Playout::Utterance *Playout::sending() {
  return const_cast<Utterance *>(std::as_const(*this).sending());
}

// Samples of the next message as things stand: whole frames of one utterance.
std::size_t Playout::next_message(const Utterance &utterance) const {
  const std::uint64_t left = utterance.end - clock_.sent();
  return static_cast<std::size_t>(std::min<std::uint64_t>(left, message_size_) /
                                  kFrame * kFrame);
}

// When the next message or end mark may go out; a time in the past is now.
std::optional<TimePoint> Playout::send_time() const {
  const Utterance *utterance = sending();
  if (!opened_ || held_ || awaits_answer() || utterance == nullptr)
    return std::nullopt;
  if (utterance->complete && utterance->end == clock_.sent())
    return TimePoint::min();
  const std::size_t size = next_message(*utterance);
  if (size == 0)
    return std::nullopt;
  const TimePoint window =
      clock_.end() -
      std::max(settings_.send_ahead - to_duration(size), Duration::zero());
  if (size == message_size_ || utterance->complete)
    return window;
  return std::max(
      {window, waiting_since_ + kCoalesce, clock_.end() - kLowLead});
}

void Playout::pump(TimePoint now) {
  for (;;) {
    const auto time = send_time();
    if (!time || *time > now)
      return;
    send(*sending(), now);
  }
}

void Playout::send(Utterance &utterance, TimePoint now) {
  if (const std::size_t size = next_message(utterance); size != 0) {
    const std::uint64_t from = clock_.sent();
    Bytes scratch;
    peer_.send_media(queue_.view(from, from + size, scratch));
    clock_.sent(size, now);
    waiting_since_ = now;
    if (!utterance.first_sent)
      utterance.first_sent = now;
    if (&utterance == &utterances_.front())
      tell_started(utterance);
  }
  if (utterance.complete && utterance.end == clock_.sent()) {
    utterance.end_mark = next_mark_;
    send_mark(utterance);
    marked_ = clock_.sent();
  } else if (clock_.sent() - marked_ + message_size_ > mark_size_) {
    send_mark(utterance);
    marked_ = clock_.sent();
  } else if (clock_.uneven() || clock_.sent() <= message_size_) {
    // On an uneven line it is not to be guessed; on one of which nothing is
    // known yet, the way is to be known soon.
    send_mark(utterance);
  }
}

void Playout::send_mark(const Utterance &utterance) {
  const std::uint64_t sequence = next_mark_++;
  peer_.send_mark(mark_name(utterance.id, sequence));
  marks_.push_back({sequence, utterance.id, clock_.sent(), clock_.end()});
}

void Playout::complete(Utterance &utterance) {
  utterance.complete = true;
  pad(utterance);
}

// When a mark counts as played although it did not come back.
TimePoint Playout::expiry(const Mark &mark) const {
  if (mark.early)
    return mark.due;
  return mark.due + (echoes_ ? kEchoGrace : kNoEchoGrace);
}

void Playout::expire(TimePoint now) {
  while (!marks_.empty() && expiry(marks_.front()) <= now) {
    const Mark mark = marks_.front();
    marks_.pop_front();
    echoes_ = echoes_ && mark.early;
    played(mark, mark.due, true);
  }
}

void Playout::played(const Mark &mark, TimePoint time, bool estimated) {
  confirmed_ = std::max(confirmed_, mark.position);
  guessed_ = estimated;
  queue_.drop_before(confirmed_);
  if (utterances_.empty())
    return;
  // The front one: those before it were closed by their own end marks.
  Utterance &utterance = utterances_.front();
  if (utterance.end_mark != mark.sequence) {
    // After a hold what may not have been heard was sent again.
    const bool farther = told_ > mark.position;
    tell(PlayoutEvent::What::kProgress, utterance, time,
         std::max(mark.position, told_), farther ? told_estimated_ : estimated);
    return;
  }
  tell(PlayoutEvent::What::kEnded, utterance, time, mark.position, estimated);
  utterances_.pop_front();
  if (!utterances_.empty() && utterances_.front().first_sent)
    tell_started(utterances_.front());
}

} // namespace patchcord::twilio
