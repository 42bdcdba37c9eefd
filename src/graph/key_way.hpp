// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

#include <string>

namespace patchcord::graph {

// Whether an element may start that sends `key` to the URL in its `property`:
// not in the clear to another machine, unless `plain_http`. False: the element
// has posted an error.
bool key_may_go(GstElement *element, const char *property,
                const std::string &url, const std::string &key,
                bool plain_http);

} // namespace patchcord::graph
