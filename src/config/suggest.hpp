// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/suggest.hpp"

namespace patchcord::config {

using patchcord::did_you_mean;
using patchcord::nearest;

} // namespace patchcord::config
