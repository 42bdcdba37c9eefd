// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/suggest.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace patchcord;

struct Command {
  const char *name;
  int (*run)(int argc, char **argv);
  const char *summary;
};
constexpr Command kCommands[] = {
    {"serve", cli::run_serve, "answer calls: the daemon"},
    {"check", cli::run_check, "say what is missing or wrong in the set-up"},
    {"call", cli::run_call,
     "ring a voice URL as Twilio would, without a phone"},
    {"dial", cli::run_dial,
     "have Twilio call somebody, for an agent of the server"},
    {"test", cli::run_test, "play conversations from files, in virtual time"},
    {"replay", cli::run_replay,
     "play a recorded call again and say whether the same is decided"},
};

const Command *find(std::string_view name) {
  for (const Command &command : kCommands)
    if (name == command.name)
      return &command;
  return nullptr;
}

void print_help() {
  std::puts("Patchcord answers phone calls with GStreamer.\n\n"
            "usage: patchcord COMMAND [OPTIONS]\n");
  for (const Command &command : kCommands)
    std::printf("  %-8s %s\n", command.name, command.summary);
  std::puts("  help     how a command is called\n"
            "\n"
            "examples:\n"
            "  patchcord serve --local\n"
            "  patchcord call http://127.0.0.1:8080/twilio/webhooks/voice\n"
            "  patchcord dial +14155550100 --agent appointment-reminder\n"
            "  patchcord check --config /etc/patchcord/patchcord.toml\n"
            "  patchcord test data/scenarios\n"
            "  patchcord help serve\n"
            "\n"
            "patchcord --version prints the version. Exit codes: 0 done, "
            "1 failed,\n2 wrongly called.");
}

int unknown(std::string_view what) {
  std::vector<std::string> names = {"help"};
  for (const Command &command : kCommands)
    names.emplace_back(command.name);
  const std::string word(what);
  std::fprintf(stderr, "patchcord: unknown %s %s%s\nTry: patchcord --help\n",
               word.starts_with('-') ? "option" : "command", word.c_str(),
               did_you_mean(word, names).c_str());
  return cli::kUsage;
}

int help(int argc, char **argv) {
  if (argc < 2) {
    print_help();
    return cli::kDone;
  }
  const std::string_view word = argv[1];
  if (word == "--version" || word == "-V")
    return cli::print_version();
  const Command *command = find(word);
  if (command == nullptr)
    return unknown(word);
  std::string option = "--help";
  std::array<char *, 3> arguments = {argv[1], option.data(), nullptr};
  return command->run(2, arguments.data());
}

} // namespace

int main(int argc, char **argv) {
  if (argc < 2) {
    print_help();
    return cli::kUsage;
  }
  const std::string_view word = argv[1];
  if (word == "--help" || word == "-h") {
    print_help();
    return cli::kDone;
  }
  if (word == "--version" || word == "-V")
    return cli::print_version();
  if (word == "help")
    return help(argc - 1, argv + 1);
  const Command *command = find(word);
  if (command == nullptr)
    return unknown(word);
  return command->run(argc - 1, argv + 1);
}
