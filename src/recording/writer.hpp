// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "recording/event.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

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
// thread. Folders are for their owner alone (0700, files 0600): they hold what
// people said.
class Writer {
public:
  // Pieces that wait for the disk, of all calls, are this long at most: then
  // the disk is too slow, and what comes is lost.
  static constexpr std::size_t kMostWaiting = std::size_t{32} << 20;

  // The error names the folder.
  static Result<std::unique_ptr<Writer>> open(const std::string &folder);
  ~Writer(); // after all pieces are written
  Writer(const Writer &) = delete;
  Writer &operator=(const Writer &) = delete;

  // The definition is the text of the agent's file.
  std::unique_ptr<Tape> start(const std::string &call_sid,
                              std::string definition);
  void flush(); // blocks until all that was handed over is written
  std::uint64_t lost() const { return lost_; } // recordings that broke off

private:
  friend class Tape;
  struct Task {
    std::shared_ptr<Tape::Job> job; // null: of flush()
    Tape::Piece piece;
    bool last = false;
    std::function<void()> done;
  };
  explicit Writer(std::string folder);
  void enqueue(std::shared_ptr<Tape::Job> job, Tape::Piece piece, bool last);
  void run();
  void write(Task &task);
  void lose(Tape::Job &job, const std::string &why);
  Result<> make_files(Tape::Job &job);

  const std::string folder_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  std::size_t waiting_ = 0; // bytes in them
  bool stopping_ = false;
  std::atomic<std::uint64_t> lost_{0};
  std::thread thread_; // last: it uses all of the above
};

// A call SID as Twilio makes them, which is safe as a name of a folder.
bool is_safe_name(std::string_view call_sid);

} // namespace patchcord::recording
