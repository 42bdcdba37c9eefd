// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/bytes.hpp"
#include "config/config.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size) {
  using namespace patchcord;
  const std::string text(as_text({data, size}));
  const auto config = config::load_text("/nonexistent/c.toml", text, {});
  if (!config) {
    if (config.error().message.empty())
      std::abort();
    return 0;
  }
  if (!config::parse_listen(config->server.listen).ok() ||
      config->call.max_duration_s < 1)
    std::abort();
  config::auth_tokens(*config);
  if (!config::stream_url_base(*config).starts_with("ws"))
    std::abort();
  return 0;
}
