// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <gst/gst.h>

#include <string>

// A call's elements share its worker's thread. One with a thread of its own
// before them - a queue, a mixer, a source - would wait for the worker in a
// push, and the worker, pushing, flushing or stopping, for that thread: for
// good, with all its calls. In a side branch that leads to none of them (a
// recorder) it is welcome.
namespace patchcord::call {

// Whether what `element` puts out comes to twiliosink.
bool leads_to_caller(GstElement *element);

// Whether a bus message says that such a thread begins: the reason, or empty.
std::string thread_in_the_way(GstMessage *message);

// Tries what threads the elements of a graph have, each by itself: the graph
// must be in NULL, and serves for nothing else afterwards. Errors:
// "bad_pipeline", naming `name`.
Result<> check_threads(const std::string &name, GstElement *graph);

// Whether an element that the worker pushes into would have it wait: for the
// clock, for example. What can be known without trying; starts nothing. Errors:
// "bad_pipeline", naming `name`, the element and its property.
Result<> check_waiting(const std::string &name, GstElement *graph);

} // namespace patchcord::call
