// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/call_options.hpp"

#include <glib.h>

#include <cstring>
#include <vector>

using namespace patchcord;
using namespace patchcord::cli;

namespace {

Result<CallCommand> parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "call");
  std::vector<char *> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string &argument : arguments)
    argv.push_back(argument.data());
  argv.push_back(nullptr);
  return parse_call_options(static_cast<int>(arguments.size()), argv.data());
}

void assert_text(const std::string &got, const std::string &expected) {
  g_assert_cmpstr(got.c_str(), ==, expected.c_str());
}

} // namespace

static void test_defaults() {
  g_setenv("TWILIO_AUTH_TOKEN", "of the environment", TRUE);
  const auto command = parse({});
  g_assert_true(command.ok());
  assert_text(command->setup.url,
              "http://127.0.0.1:8080/twilio/webhooks/voice");
  assert_text(command->setup.api, "http://127.0.0.1:8080");
  assert_text(command->setup.auth_token, "of the environment");
  g_assert_cmpint(command->calls, ==, 1);
  g_assert_false(command->setup.fetch_record);
  g_assert_false(command->live.has_value());
}

static void test_all_kinds() {
  const auto command = parse({"--say",
                              "one",
                              "--barge-in=800",
                              "--wav",
                              "x.wav",
                              "--dtmf",
                              "1",
                              "https://h:1/voice?a=b",
                              "--gap",
                              "400@3",
                              "--jitter",
                              "15",
                              "--drop-without-stop",
                              "1.5",
                              "--no-stop",
                              "--expect-field",
                              "a=b=c",
                              "--expect-end",
                              "goal",
                              "--calls",
                              "20",
                              "--ramp",
                              "2",
                              "--api",
                              "http://api:2/",
                              "--auth-token",
                              "t",
                              "--json",
                              "--no-live",
                              "--max-duration",
                              "9",
                              "--record",
                              "r.wav",
                              "--hang-up"});
  g_assert_true(command.ok());
  const auto &lines = command->script.lines();
  g_assert_cmpuint(lines.size(), ==, 4);
  g_assert_true(lines[1].cue.kind == phone::Cue::Kind::kBargeIn);
  g_assert_true(lines[1].what == phone::Line::What::kWav);
  g_assert_true(lines[3].what == phone::Line::What::kHangUp);
  const phone::Faults &faults = command->setup.faults;
  g_assert_true(faults.gap == 400ms && faults.gap_at == 3s);
  g_assert_true(faults.jitter == 15ms);
  g_assert_true(faults.drop_at == 1500ms);
  g_assert_true(faults.no_stop);
  g_assert_false(faults.mute_marks);
  assert_text(command->expected.fields.at(0).second, "b=c");
  g_assert_true(command->setup.fetch_record);
  assert_text(command->setup.api, "http://api:2");
  g_assert_true(command->ramp == 2s);
  g_assert_true(command->setup.max_duration == 9s);
  g_assert_true(command->setup.record_audio);
  g_assert_false(command->setup.keep_events);
  g_assert_false(command->live.value());
}

static void test_refuses() {
  const struct {
    std::vector<std::string> arguments;
    const char *named;
  } cases[] = {
      {{"--recrod", "x"}, "did you mean --record?"},
      {{"--recording", "x"}, "did you mean --record?"},
      {{"--say"}, "needs TEXT"},
      {{"--json=yes"}, "no value"},
      {{"--calls", "0"}, "1 to 100000"},
      {{"--calls", "many"}, "many"},
      {{"--gap", "400"}, "MS@SECONDS"},
      {{"--expect-field", "x"}, "NAME=VALUE"},
      {{"--barge-in", "500"}, "no line"},
      {{"--script", "/nowhere"}, "/nowhere"},
      {{"ftp://h/v"}, "ftp://h/v"},
      {{"http://a/", "http://b/"}, "http://b/"},
  };
  for (const auto &[arguments, named] : cases) {
    const auto command = parse(arguments);
    g_assert_false(command.ok());
    g_test_message("%s", command.error().message.c_str());
    g_assert_nonnull(std::strstr(command.error().message.c_str(), named));
  }
  g_assert_true(parse({"--help"})->help);
  g_assert_nonnull(std::strstr(call_help().c_str(), "--barge-in MS"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/call-options/defaults-and-environment", test_defaults);
  g_test_add_func("/call-options/reads-all-kinds-in-any-order", test_all_kinds);
  g_test_add_func("/call-options/names-what-is-wrong", test_refuses);
  return g_test_run();
}
