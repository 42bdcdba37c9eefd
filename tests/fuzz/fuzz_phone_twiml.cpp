// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/twiml_parser.hpp"

#include <cstdlib>

using namespace patchcord::phone;

// What a voice webhook answers the phone.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view body(reinterpret_cast<const char *>(data), size);
  const auto document = parse_twiml(body);
  if (!document)
    return 0;
  for (const TwimlVerb &verb : document->verbs) {
    const std::string url =
        resolve_url("http://host/a/b", verb.stream.url, /*web_socket=*/true);
    // A resolved URL is absolute: resolving it again changes nothing.
    if (resolve_url("http://other/", url, true) != url)
      std::abort();
  }
  return 0;
}
