// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <list>

namespace patchcord {

// A queue that is empty most of the time, or short. std::deque has 576 bytes
// (libstdc++) from the beginning, and a call has a dozen queues.
template <typename T> using Fifo = std::list<T>;

} // namespace patchcord
