// SPDX-License-Identifier: LGPL-2.1-or-later
#include "recording/writer.hpp"

#include "base/log.hpp"
#include "recording/agent_file.hpp"
#include "recording/wav_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace patchcord::recording {
namespace {

// Of a call's events and audio, some two seconds: what a killed process loses.
constexpr std::size_t kPiece = std::size_t{32} << 10;
// Another media stream of the same call has a folder of its own.
constexpr int kMostFolders = 100;

Result<> make_folder(const std::string &path) {
  if (mkdir(path.c_str(), 0700) == 0)
    return ok();
  const int error = errno;
  return make_error(error == EEXIST ? "exists" : "recordings",
                    path + ": " + std::strerror(error));
}

} // namespace

bool is_safe_name(std::string_view call_sid) {
  constexpr std::size_t kLongest = 64;
  return !call_sid.empty() && call_sid.size() <= kLongest &&
         std::all_of(call_sid.begin(), call_sid.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                  (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
         });
}

// --- the tape ----------------------------------------------------------------

struct Tape::Files {
  std::string folder;
  File events;
  WavFile caller, agent;
};

Tape::Tape(Writer &writer, std::string call_sid, std::string definition)
    : writer_(writer), job_(std::make_shared<Job>()) {
  job_->call_sid = std::move(call_sid);
  job_->definition = std::move(definition);
}

Tape::~Tape() { hand_over(true); }

void Tape::begin(const Header &header) {
  piece_.events = to_line(header) + "\n";
  hand_over(false);
}

void Tape::note(const Event &event) {
  if (job_->lost)
    return;
  piece_.events += to_line(event);
  piece_.events += '\n';
  full_enough();
}

void Tape::caller_audio(ByteSpan mulaw) {
  if (!job_->lost)
    piece_.caller.insert(piece_.caller.end(), mulaw.begin(), mulaw.end());
}

void Tape::agent_audio(ByteSpan mulaw) {
  if (!job_->lost)
    piece_.agent.insert(piece_.agent.end(), mulaw.begin(), mulaw.end());
}

void Tape::full_enough() {
  if (piece_.size() >= kPiece)
    hand_over(false);
}

void Tape::hand_over(bool last) {
  writer_.enqueue(job_, std::exchange(piece_, {}), last);
}

// --- the thread --------------------------------------------------------------

Result<std::unique_ptr<Writer>> Writer::open(const std::string &folder,
                                             Mix mix) {
  if (const auto made = make_folder(folder);
      !made && made.error().code != "exists")
    return make_error("recordings", made.error().message);
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    return make_error("recordings", folder + ": " + std::strerror(errno));
  return std::unique_ptr<Writer>(new Writer(folder, std::move(mix)));
}

Writer::Writer(std::string folder, Mix mix)
    : folder_(std::move(folder)), mix_(std::move(mix)) {}

std::unique_ptr<Tape> Writer::start(const std::string &call_sid,
                                    std::string_view definition) {
  // A secret may be written into a tool's URL, or into its headers.
  return std::make_unique<Tape>(*this, call_sid,
                                redacted_agent_file(definition));
}

void Writer::enqueue(const std::shared_ptr<Tape::Job> &job, Tape::Piece piece,
                     bool last) {
  if (waiting_ + piece.size() > kMostWaiting) {
    piece = {};
    lose(*job, "the disk is too slow for it");
  }
  waiting_ += piece.size();
  writing_.post([this, job, piece = std::move(piece), last] {
    waiting_ -= piece.size();
    write(*job, piece, last);
  });
}

void Writer::write(Tape::Job &job, const Tape::Piece &piece, bool last) {
  if (!job.lost && !job.files)
    if (const auto made = make_files(job); !made)
      lose(job, made.error().message);
  if (job.lost) {
    job.files.reset();
    return;
  }
  Tape::Files &files = *job.files;
  Result<> result = files.caller.write(piece.caller);
  if (result)
    result = files.agent.write(piece.agent);
  // Behind the audio that they tell of.
  if (result)
    result = files.events.write(as_bytes(piece.events));
  if (result && last) {
    result = files.caller.finish();
    if (result)
      result = files.agent.finish();
    if (result)
      mix_later(job);
    job.files.reset();
  }
  if (!result)
    lose(job, result.error().message);
}

void Writer::mix_later(const Tape::Job &job) {
  const auto failed = [call_sid = job.call_sid](const std::string &why) {
    log::error("there is no " + std::string(kStereoFile) +
                   " of the call: " + why,
               {call_sid, ""});
  };
  if (mixes_ >= kMostMixes) {
    failed("too many wait for theirs");
    return;
  }
  ++mixes_;
  mixing_.post([this, failed, folder = job.files->folder] {
    if (const auto mixed = mix_(folder); !mixed)
      failed(mixed.error().message);
    --mixes_;
  });
}

void Writer::lose(Tape::Job &job, const std::string &why) {
  if (job.lost.exchange(true))
    return;
  ++lost_;
  log::error("the recording of the call breaks off: " + why,
             {job.call_sid, ""});
}

Result<> Writer::make_files(Tape::Job &job) {
  if (!is_safe_name(job.call_sid))
    return make_error("recordings", "its SID is no name for a folder");
  auto files = std::make_shared<Tape::Files>();
  Result<> made = ok();
  for (int i = 1; i <= kMostFolders; ++i) {
    files->folder =
        folder_ + "/" + job.call_sid + (i == 1 ? "" : "." + std::to_string(i));
    made = make_folder(files->folder);
    if (made || made.error().code != "exists")
      break;
  }
  const auto path = [&](const char *name) {
    return files->folder + "/" + name;
  };
  File definition;
  if (made)
    made = definition.create(path(kDefinitionFile));
  if (made)
    made = definition.write(as_bytes(job.definition));
  if (made)
    made = files->events.create(path(kEventsFile));
  if (made)
    made = files->caller.create(path(kCallerFile), {WavFormat::kMulaw, 1});
  if (made)
    made = files->agent.create(path(kAgentFile), {WavFormat::kMulaw, 1});
  if (!made)
    return made;
  job.files = std::move(files);
  return ok();
}

} // namespace patchcord::recording
