// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/bytes.hpp"
#include "base/text.hpp"
#include "twilio/form.hpp"
#include "twilio/twiml.hpp"

#include <glib.h>

#include <cstdlib>

namespace {

// What the escaped text says to an XML parser must be text.
void check_escaped(const std::string &escaped) {
  const std::string document = "<a b=\"" + escaped + "\">" + escaped + "</a>";
  const GMarkupParser parser = {};
  GMarkupParseContext *context = g_markup_parse_context_new(
      &parser, static_cast<GMarkupParseFlags>(0), nullptr, nullptr);
  if (!g_markup_parse_context_parse(context, document.data(),
                                    static_cast<gssize>(document.size()),
                                    nullptr) ||
      !g_markup_parse_context_end_parse(context, nullptr))
    std::abort();
  g_markup_parse_context_free(context);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  using namespace patchcord;
  const auto text = as_text({data, size});
  const auto form = twilio::parse_form(text);
  if (form.ok()) {
    twilio::FormLimits limits;
    limits.bytes = size * 6 + 16;
    const auto again = twilio::parse_form(twilio::encode_form(*form), limits);
    if (!again.ok() || *again != *form)
      std::abort();
  }
  check_escaped(twilio::xml_escape(text));
  return 0;
}
