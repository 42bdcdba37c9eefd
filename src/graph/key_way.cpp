// SPDX-License-Identifier: LGPL-2.1-or-later
#include "graph/key_way.hpp"

#include "base/url.hpp"

namespace patchcord::graph {

bool key_may_go(GstElement *element, const char *property,
                const std::string &url, const std::string &key,
                bool plain_http) {
  if (key.empty() || plain_http || !is_in_the_clear(url))
    return true;
  GST_ELEMENT_ERROR(
      element, RESOURCE, SETTINGS,
      ("%s: expected a URL with TLS, or one of this machine, for api-key "
       "would be read by everybody on the way, got \"%s\"; "
       "plain-http=true sends it all the same",
       property, redacted_url(url).c_str()),
      (nullptr));
  return false;
}

} // namespace patchcord::graph
