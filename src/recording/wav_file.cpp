// SPDX-License-Identifier: LGPL-2.1-or-later
#include "recording/wav_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace patchcord::recording {
namespace {

constexpr std::uint32_t kRate = 8000;

void append_little_endian(Bytes &out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void append_text(Bytes &out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

} // namespace

File::~File() {
  if (fd_ >= 0)
    close(fd_);
}

File::File(File &&other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

File &File::operator=(File &&other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

Result<> File::failed() const {
  return make_error("recordings", path_ + ": " + std::strerror(errno));
}

Result<> File::create(const std::string &path) {
  path_ = path;
  fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  return fd_ < 0 ? failed() : ok();
}

Result<> File::write(ByteSpan bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return failed();
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return ok();
}

Result<> File::write_at(std::uint64_t position, ByteSpan bytes) {
  const auto written =
      pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(position));
  return written == static_cast<ssize_t>(bytes.size()) ? ok() : failed();
}

Result<> File::rename(const std::string &path) {
  if (std::rename(path_.c_str(), path.c_str()) != 0)
    return failed();
  path_ = path;
  return ok();
}

Bytes WavFile::header(std::uint32_t size) const {
  const std::uint32_t sample = format_.code == WavFormat::kPcm ? 2 : 1;
  const auto channels = static_cast<std::uint32_t>(format_.channels);
  Bytes out;
  append_text(out, "RIFF");
  append_little_endian(out, std::max<std::uint32_t>(size + 50U, size),
                       4); // no overflow
  append_text(out, "WAVEfmt ");
  append_little_endian(out, 18, 4); // of this chunk
  append_little_endian(out, static_cast<std::uint32_t>(format_.code), 2);
  append_little_endian(out, channels, 2);
  append_little_endian(out, kRate, 4);
  append_little_endian(out, kRate * channels * sample, 4);
  append_little_endian(out, channels * sample, 2);
  append_little_endian(out, sample * 8, 2);
  append_little_endian(out, 0, 2); // no extension
  append_text(out, "fact");
  append_little_endian(out, 4, 4);
  append_little_endian(out, size / (channels * sample), 4);
  append_text(out, "data");
  append_little_endian(out, size, 4);
  return out;
}

Result<> WavFile::create(const std::string &path, const WavFormat &format) {
  format_ = format;
  if (auto created = file_.create(path); !created)
    return created;
  return file_.write(header(std::numeric_limits<std::uint32_t>::max()));
}

Result<> WavFile::write(ByteSpan samples) {
  size_ += samples.size();
  return file_.write(samples);
}

Result<> WavFile::finish() {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return file_.write_at(
      0, header(static_cast<std::uint32_t>(std::min(size_, kMost))));
}

} // namespace patchcord::recording
