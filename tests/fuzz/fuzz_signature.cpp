// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/bytes.hpp"
#include "twilio/signature.hpp"

#include <cstdlib>

// One line of URL, then a form.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  using namespace patchcord;
  using namespace patchcord::twilio;
  const auto text = as_text({data, size});
  const auto url = text.substr(0, text.find('\n'));
  const auto body = text.substr(std::min(url.size() + 1, text.size()));
  const std::vector<std::string> tokens = {"secret"};
  const auto form = parse_form(body);
  if (!form)
    return 0;
  // Whatever the URL: what was signed over it is valid, anything else is not.
  const std::string signature = sign(tokens[0], url, *form);
  Form more = *form;
  more.emplace_back("one", std::string(body) + "more"); // not in it already
  if (!valid_form_signature(tokens, signature, url, *form) ||
      valid_form_signature({"other"}, signature, url, *form) ||
      valid_form_signature(tokens, sign(tokens[0], url, more), url, *form))
    std::abort();
  if (!valid_handshake_signature(tokens, sign(tokens[0], url), url))
    std::abort();
  valid_body_signature(tokens, signature, url, body);
  valid_handshake_signature(tokens, body, url);
  return 0;
}
