// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace patchcord::cli {

// `patchcord call`: argv[0] is "call". Returns the exit code.
int run_call(int argc, char **argv);

} // namespace patchcord::cli
