// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/bytes.hpp"
#include "twilio/ticket.hpp"

#include <cstdlib>

// A ticket as it comes in a URL; and what it holds, made of the same bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  using namespace patchcord;
  const auto text = as_text({data, size});
  if (twilio::open_ticket(text, {"the fuzzer does not know this"}).ok())
    std::abort();
  twilio::DialTicket ticket;
  ticket.agent = text.substr(0, 100);
  ticket.to = text.substr(std::min<std::size_t>(size, 100), 100);
  ticket.expires = static_cast<std::int64_t>(size);
  const auto opened = twilio::open_ticket(twilio::seal(ticket, "key"), {"key"});
  // Longer ones than anybody makes are refused.
  if (opened.ok() && (opened->agent != ticket.agent || opened->to != ticket.to))
    std::abort();
  if (!opened.ok() && size < 100)
    std::abort();
  return 0;
}
