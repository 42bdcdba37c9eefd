// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>

namespace patchcord::recording {

// A file that only its owner may read. Blocking. Errors name it.
class File {
public:
  File() = default;
  ~File();
  File(File &&other) noexcept;
  File &operator=(File &&other) noexcept;

  Result<> create(const std::string &path); // which must not exist
  Result<> write(ByteSpan bytes);
  Result<> write_at(std::uint64_t position, ByteSpan bytes);
  Result<> rename(const std::string &path);

private:
  Result<> failed() const;
  int fd_ = -1;
  std::string path_;
};

struct WavFormat {
  static constexpr int kPcm = 1, kMulaw = 7; // 16 and 8 bits
  int code = kMulaw;
  int channels = 1;
};

// A WAV of 8 kHz that grows. Until finish() its header says that it is as long
// as can be, so that players take what a killed process left.
class WavFile {
public:
  Result<> create(const std::string &path, const WavFormat &format);
  Result<> write(ByteSpan samples);
  Result<> finish();
  Result<> rename(const std::string &path) { return file_.rename(path); }

private:
  Bytes header(std::uint32_t size) const;
  File file_;
  WavFormat format_;
  std::uint64_t size_ = 0; // of the samples
};

// Where the samples begin in a WavFile.
inline constexpr std::size_t kWavHeader = 58;

} // namespace patchcord::recording
