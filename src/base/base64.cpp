// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/base64.hpp"

#include <array>

namespace patchcord::base64 {
namespace {

constexpr char kAlphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint32_t kInvalid = 1U << 31;

// Two characters a look-up: 4096 entries of 12 bits each halve the work.
struct EncodeTable {
  std::array<std::array<char, 2>, 4096> pairs{};
  constexpr EncodeTable() {
    for (unsigned i = 0; i < 4096; ++i)
      pairs[i] = {kAlphabet[i >> 6], kAlphabet[i & 63]};
  }
};

struct DecodeTable {
  std::array<std::uint32_t, 256> values{};
  constexpr DecodeTable() {
    for (auto &value : values)
      value = kInvalid;
    for (unsigned i = 0; i < 64; ++i)
      values[static_cast<unsigned char>(kAlphabet[i])] = i;
  }
};

constexpr EncodeTable kEncode;
constexpr DecodeTable kDecode;

std::uint32_t value_of(char c) {
  return kDecode.values[static_cast<unsigned char>(c)];
}

} // namespace

void append(std::string &out, ByteSpan bytes) {
  const std::size_t start = out.size();
  out.resize(start + encoded_size(bytes.size()));
  char *to = out.data() + start;
  const std::uint8_t *from = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3; left -= 3, from += 3) {
    const unsigned word = static_cast<unsigned>(from[0]) << 16 |
                          static_cast<unsigned>(from[1]) << 8 | from[2];
    const auto &high = kEncode.pairs[word >> 12];
    const auto &low = kEncode.pairs[word & 0xfff];
    *to++ = high[0];
    *to++ = high[1];
    *to++ = low[0];
    *to++ = low[1];
  }
  if (left == 0)
    return;
  const unsigned word = static_cast<unsigned>(from[0]) << 16 |
                        (left == 2 ? static_cast<unsigned>(from[1]) << 8 : 0U);
  *to++ = kAlphabet[word >> 18];
  *to++ = kAlphabet[word >> 12 & 63];
  *to++ = left == 2 ? kAlphabet[word >> 6 & 63] : '=';
  *to++ = '=';
}

std::string encode(ByteSpan bytes) {
  std::string out;
  append(out, bytes);
  return out;
}

bool append_decoded(Bytes &out, std::string_view text) {
  if (text.size() % 4 != 0)
    return false;
  if (text.empty())
    return true;
  const std::size_t padding =
      text[text.size() - 1] != '=' ? 0 : (text[text.size() - 2] != '=' ? 1 : 2);
  const std::size_t start = out.size();
  const std::size_t whole = text.size() / 4 - (padding != 0 ? 1 : 0);
  out.resize(start + whole * 3 + (padding != 0 ? 3 - padding : 0));
  std::uint8_t *to = out.data() + start;
  const char *from = text.data();
  std::uint32_t bad = 0;
  for (std::size_t i = 0; i < whole; ++i, from += 4) {
    const std::uint32_t a = value_of(from[0]), b = value_of(from[1]),
                        c = value_of(from[2]), d = value_of(from[3]);
    bad |= a | b | c | d;
    const std::uint32_t word = a << 18 | b << 12 | c << 6 | d;
    *to++ = static_cast<std::uint8_t>(word >> 16);
    *to++ = static_cast<std::uint8_t>(word >> 8);
    *to++ = static_cast<std::uint8_t>(word);
  }
  if (padding != 0) {
    const std::uint32_t a = value_of(from[0]), b = value_of(from[1]);
    const std::uint32_t c = padding == 1 ? value_of(from[2]) : 0;
    bad |= a | b | c;
    const std::uint32_t word = a << 18 | b << 12 | c << 6;
    *to++ = static_cast<std::uint8_t>(word >> 16);
    if (padding == 1)
      *to++ = static_cast<std::uint8_t>(word >> 8);
  }
  if ((bad & kInvalid) != 0) {
    out.resize(start);
    return false;
  }
  return true;
}

} // namespace patchcord::base64
