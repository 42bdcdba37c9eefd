// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <glib.h>

#include <cstdint>
#include <string>
#include <string_view>

// WebSocket frames by hand (RFC 6455 section 5.2), right and wrong, with no
// help from what is tested.

enum Opcode : unsigned {
  kMore = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

struct FrameOptions {
  bool fin = true;
  bool mask = true; // as a client's
  unsigned rsv = 0;
  int length_bytes = -1; // 0, 2 or 8; -1: as few as it takes
};

inline std::string frame(unsigned opcode, std::string_view payload,
                         FrameOptions options = {}) {
  std::string out;
  const auto byte = [&](std::uint64_t value) {
    out += static_cast<char>(value & 0xff);
  };
  int extra = options.length_bytes;
  if (extra < 0)
    extra = payload.size() < 126 ? 0 : payload.size() < 65536 ? 2 : 8;
  byte((options.fin ? 0x80U : 0U) | options.rsv << 4 | opcode);
  const std::uint64_t length = extra == 0   ? payload.size()
                               : extra == 2 ? 126
                                            : 127;
  byte((options.mask ? 0x80U : 0U) | length);
  for (int i = extra - 1; i >= 0; --i)
    byte(payload.size() >> (8 * i));
  if (!options.mask)
    return out.append(payload);
  constexpr std::string_view kKey = "\x37\xfa\x21\x3d";
  out.append(kKey);
  for (std::size_t i = 0; i < payload.size(); ++i)
    out += static_cast<char>(payload[i] ^ kKey[i % 4]);
  return out;
}

inline std::string close_payload(unsigned code, std::string_view reason = {}) {
  return std::string{static_cast<char>(code >> 8),
                     static_cast<char>(code & 0xff)}
      .append(reason);
}

// "text hello|ping|close 1000 bye|EOF": whole frames, masked or not as asked.
inline std::string describe_frames(std::string_view bytes, bool masked) {
  std::string out;
  const auto add = [&](const std::string &what) {
    out += (out.empty() ? "" : "|") + what;
  };
  while (!bytes.empty() && bytes != "EOF") {
    const auto at = [&](std::size_t i) {
      return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
    };
    const unsigned opcode = at(0) & 0x0f;
    g_assert_cmpuint(at(0) & 0xf0, ==, 0x80); // whole, nothing reserved
    g_assert_cmpint((at(1) & 0x80) != 0, ==, masked);
    std::uint64_t length = at(1) & 0x7f;
    std::size_t head = 2;
    if (length >= 126) {
      const std::size_t extra = length == 126 ? 2 : 8;
      length = 0;
      for (; head < 2 + extra; ++head)
        length = length << 8 | at(head);
    }
    std::string_view key;
    if (masked) {
      key = bytes.substr(head, 4);
      head += 4;
    }
    g_assert_cmpuint(bytes.size(), >=, head + length);
    std::string payload(bytes.substr(head, length));
    if (masked)
      for (std::size_t i = 0; i < payload.size(); ++i)
        payload[i] = static_cast<char>(payload[i] ^ key[i % 4]);
    bytes.remove_prefix(head + length);
    if (opcode == kClose) {
      std::string text = "close";
      if (payload.size() >= 2)
        text += " " +
                std::to_string((payload[0] & 0xff) << 8 | (payload[1] & 0xff));
      if (payload.size() > 2)
        text += " " + payload.substr(2);
      add(text);
      continue;
    }
    const char *names[] = {"more", "text", "binary", "?",    "?",   "?",
                           "?",    "?",    "close",  "ping", "pong"};
    g_assert_cmpuint(opcode, <=, 10);
    if (payload.size() > 200)
      payload = std::to_string(payload.size()) + " bytes";
    add(names[opcode] + (payload.empty() ? "" : " " + payload));
  }
  if (!bytes.empty())
    add("EOF");
  return out;
}
