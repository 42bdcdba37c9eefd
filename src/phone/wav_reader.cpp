// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/wav_reader.hpp"

#include "base/handles.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

namespace patchcord::phone {
namespace {

// More than half an hour in any usual format, and what a pipe without end ends
// at.
constexpr std::size_t kMostBytes = std::size_t{1} << 30;

constexpr std::size_t kChunkHeader = 8; // a name and a length
constexpr std::size_t kShortestFormat = 16;
// Of WAVE_FORMAT_EXTENSIBLE: the true format begins there.
constexpr std::size_t kSubFormat = 24;
constexpr std::uint32_t kExtensible = 0xfffe;

// Who writes into a pipe does not know the length, and says 0 or something near
// 2 or 4 GB.
constexpr std::uint32_t kUnknownLength = 0x7fff0000;

// Of mmreg.h.
struct Name {
  std::uint32_t format;
  const char *name;
};
constexpr Name kNames[] = {
    {0x0002, "MS ADPCM"}, {0x0011, "IMA ADPCM"},   {0x0014, "G.723 ADPCM"},
    {0x0031, "GSM 6.10"}, {0x0040, "G.721 ADPCM"}, {0x0050, "MPEG"},
    {0x0055, "MP3"},      {0x00ff, "AAC"},         {0x0161, "WMA"},
};

Error bad(std::string message) {
  return make_error("bad_wav", std::move(message));
}

std::uint32_t number(ByteSpan bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;)
    value = value << 8 | bytes[at + i];
  return value;
}

std::string name_of(std::uint32_t format) {
  for (const Name &each : kNames)
    if (each.format == format)
      return each.name;
  const GCharPtr text(g_strdup_printf("format 0x%04x", format));
  return text.get();
}

Result<WavCoding> coding_of(ByteSpan format) {
  if (format.size() < kShortestFormat)
    return bad("has a format that is too short for a WAV file");
  if (number(format, 2, 2) == 0 || number(format, 4, 4) == 0)
    return bad("has a format with no channels, or no rate");
  std::uint32_t tag = number(format, 0, 2);
  const bool extensible = tag == kExtensible && format.size() >= kSubFormat + 2;
  if (extensible)
    tag = number(format, kSubFormat, 2);
  if (extensible && (tag == 6 || tag == 7)) // wavparse finds no rate in it
    return bad("has mu-law or A-law behind an extensible header: expected a "
               "plain one");
  switch (tag) {
  case 1: // PCM
  case 3: // IEEE float
    return WavCoding::kLinear;
  case 6:
    return WavCoding::kAlaw;
  case 7:
    return WavCoding::kMulaw;
  default:
    return bad("is in " + name_of(tag) +
               ": expected PCM, float, mu-law or A-law");
  }
}

bool is_unknown(std::uint32_t length) {
  return length == 0 || length >= kUnknownLength;
}

// `whole`: the length of all as the file's beginning tells it.
Result<Unit> check_sound(std::uint32_t whole, std::uint32_t told,
                         std::size_t there) {
  if (there == 0 || (told == 0 && !is_unknown(whole)))
    return bad("has no audio: there is nothing behind its header");
  if (told < kUnknownLength && told > there)
    return bad("is cut off: its header tells of " + std::to_string(told) +
               " bytes of sound, " + std::to_string(there) + " are there");
  return ok();
}

} // namespace

Result<WavCoding> inspect_wav(ByteSpan file) {
  constexpr std::size_t kHeader = 12;
  const std::string_view text = as_text(file);
  if (file.empty())
    return bad("is empty: expected a WAV file");
  if (file.size() < kHeader ||
      (!text.starts_with("RIFF") && !text.starts_with("RF64")) ||
      text.substr(8, 4) != "WAVE")
    return bad("is no WAV file: expected RIFF and WAVE at its beginning");
  ByteSpan format;
  for (std::size_t at = kHeader; at + kChunkHeader <= file.size();) {
    const std::string_view name = text.substr(at, 4);
    const std::uint32_t told = number(file, at + 4, 4);
    at += kChunkHeader;
    const std::size_t there = file.size() - at;
    if (name == "data") {
      if (format.empty())
        return bad("has no format (\"fmt \") before its sound");
      auto coding = coding_of(format);
      if (!coding)
        return coding;
      if (auto sound = check_sound(number(file, 4, 4), told, there); !sound)
        return sound.error();
      return coding;
    }
    if (told > there)
      break;
    if (name == "fmt ")
      format = file.subspan(at, told);
    at += std::size_t{told} + told % 2; // chunks begin at even places
  }
  return bad("ends within its header: expected a whole WAV file");
}

Result<Bytes> read_wav_file(const std::string &path) {
  const auto failed = [&](const char *what) {
    return bad(std::string("cannot ") + what + " \"" + path +
               "\": " + std::strerror(errno));
  };
  struct Close {
    void operator()(std::FILE *file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rbe"));
  if (!file)
    return failed("open");
  Bytes bytes;
  std::array<std::uint8_t, 65536> piece{};
  while (const std::size_t got =
             std::fread(piece.data(), 1, piece.size(), file.get())) {
    bytes.insert(bytes.end(), piece.begin(), piece.begin() + got);
    if (bytes.size() > kMostBytes)
      return bad("\"" + path + "\" is larger than 1 GB");
  }
  if (std::ferror(file.get()) != 0)
    return failed("read");
  return bytes;
}

} // namespace patchcord::phone
