// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/task_thread.hpp"
#include "recording/event.hpp"
#include "recording/stereo.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace patchcord::recording {

class Writer;

// The recording of one call while it is made. On the call's worker; nothing
// here waits for a disk. What cannot be written is told once, in the log, and
// ends the recording; the call goes on.
class Tape {
public:
  Tape(Writer &writer, std::string call_sid, std::string definition);
  ~Tape();
  Tape(const Tape &) = delete;
  Tape &operator=(const Tape &) = delete;

  void begin(const Header &header);
  void note(const Event &event);
  void caller_audio(ByteSpan mulaw);
  void agent_audio(ByteSpan mulaw);

private:
  friend class Writer;
  struct Files; // the writer thread's
  struct Piece {
    std::string events;
    Bytes caller, agent;
    std::size_t size() const {
      return events.size() + caller.size() + agent.size();
    }
  };
  // What the thread needs of a tape, which may be gone by then.
  struct Job {
    std::string call_sid, definition;
    std::shared_ptr<Files> files;
    std::atomic<bool> lost{false};
  };
  void hand_over(bool last);
  void full_enough();

  Writer &writer_;
  const std::shared_ptr<Job> job_;
  Piece piece_;
};

// Writes the recordings of all calls, each into a folder of its own, on one
// thread. What is made of a call when it is over takes longer than pieces of
// live ones may wait: that has a thread of its own, which gives way. Folders
// are for their owner alone (0700, files 0600): they hold what people said.
class Writer {
public:
  // Pieces that wait for the disk, of all calls, are this long at most: then
  // the disk is too slow, and what comes is lost.
  static constexpr std::size_t kMostWaiting = std::size_t{32} << 20;

  // Calls that wait for their call.wav are this many at most; of more there is
  // none.
  static constexpr int kMostMixes = 1000;
  // Makes call.wav in a call's folder.
  using Mix = std::function<Result<>(const std::string &folder)>;

  // The error names the folder.
  static Result<std::unique_ptr<Writer>> open(const std::string &folder,
                                              Mix mix = write_stereo);
  ~Writer() = default; // after all is written
  Writer(const Writer &) = delete;
  Writer &operator=(const Writer &) = delete;

  // The definition is the text of the agent's file: kept with its URLs
  // redacted.
  std::unique_ptr<Tape> start(const std::string &call_sid,
                              std::string_view definition);
  // Blocks until all that was handed over is written; not for a call.wav.
  void flush() { writing_.flush(); }
  std::uint64_t lost() const { return lost_; } // recordings that broke off

private:
  friend class Tape;
  Writer(std::string folder, Mix mix);
  void enqueue(const std::shared_ptr<Tape::Job> &job, Tape::Piece piece,
               bool last);
  void write(Tape::Job &job, const Tape::Piece &piece, bool last);
  void mix_later(const Tape::Job &job);
  void lose(Tape::Job &job, const std::string &why);
  Result<> make_files(Tape::Job &job);

  const std::string folder_;
  const Mix mix_;
  std::atomic<std::size_t> waiting_{0}; // bytes in pieces
  std::atomic<int> mixes_{0};           // that wait
  std::atomic<std::uint64_t> lost_{0};
  // Last, for they use all of the above; the second posts to the first.
  TaskThread mixing_{"mixing", TaskThread::Priority::kBackground};
  TaskThread writing_{"recordings"};
};

// A call SID as Twilio makes them, which is safe as a name of a folder.
bool is_safe_name(std::string_view call_sid);

} // namespace patchcord::recording
