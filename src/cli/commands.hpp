// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

// The subcommands of `patchcord`, one file each. argv[0] is the command's name.
// Each returns the exit code: 0 done, 1 failed, 2 wrongly called; and with
// --help says how it is called.
namespace patchcord::cli {

int run_serve(int argc, char **argv);
int run_check(int argc, char **argv);
int run_call(int argc, char **argv);
int run_dial(int argc, char **argv);
int run_test(int argc, char **argv);
int run_replay(int argc, char **argv);

} // namespace patchcord::cli
