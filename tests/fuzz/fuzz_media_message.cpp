// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/messages.hpp"
#include "twilio/peer_messages.hpp"

#include <algorithm>
#include <cstdlib>

using namespace patchcord;
using namespace patchcord::twilio;

namespace {

void require(bool truth) {
  if (!truth)
    std::abort();
}

// What the scan takes, the JSON path takes for the same.
void scan_agrees_with_json(std::string_view text) {
  MessageParser scan, json;
  const auto by_scan = scan.parse(text);
  if (!scan.scanned())
    return;
  const auto by_json = json.parse_json(text);
  const auto *a = std::get_if<MediaMessage>(&by_scan);
  const auto *b = std::get_if<MediaMessage>(&by_json);
  require(a != nullptr && b != nullptr);
  require(a->stream_sid == b->stream_sid && a->sequence == b->sequence &&
          a->chunk == b->chunk && a->timestamp_ms == b->timestamp_ms &&
          std::equal(a->mulaw.begin(), a->mulaw.end(), b->mulaw.begin(),
                     b->mulaw.end()));
}

// Whatever the bytes are, as a SID, a name or audio: what we build from them is
// what the other end reads.
void built_is_read(ByteSpan bytes, std::string_view text) {
  peer::Parser phone("MZ1");
  std::string out;
  append_media(out, "MZ1", bytes);
  const auto message = phone.parse(out);
  const auto *media = std::get_if<peer::Media>(&message);
  require(media != nullptr &&
          std::equal(bytes.begin(), bytes.end(), media->mulaw.begin(),
                     media->mulaw.end()));
  if (text.find('\0') != std::string_view::npos)
    return; // No JSON parser here takes a NUL.
  out.clear();
  append_mark(out, "MZ1", text);
  const auto mark = phone.parse(out);
  require(std::holds_alternative<peer::Mark>(mark));
  if (bytes.size() > 8192)
    return;
  out.clear();
  peer::append_media(out, text, 1, 2, 3, bytes);
  MessageParser parser;
  require(std::holds_alternative<MediaMessage>(parser.parse(out)));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  const ByteSpan bytes(data, size);
  const std::string_view text = as_text(bytes);
  scan_agrees_with_json(text);
  MessageParser().parse(text);
  peer::Parser("MZ1").parse(text);
  built_is_read(bytes, text);
  return 0;
}
