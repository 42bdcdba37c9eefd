// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/call_options.hpp"

#include "base/handles.hpp"
#include "base/suggest.hpp"
#include "base/text.hpp"
#include "phone/twiml_parser.hpp"

#include <glib.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <initializer_list>

namespace patchcord::cli {
namespace {

constexpr char kDefaultUrl[] = "http://127.0.0.1:8080/twilio/webhooks/voice";

Error usage(std::string message) {
  return make_error("usage", std::move(message));
}

std::string environment(const char *name) {
  const char *value = std::getenv(name);
  return value != nullptr ? value : "";
}

using Apply =
    std::function<Result<Unit>(CallCommand &, const std::string &value)>;

struct Option {
  const char *name;
  const char *argument; // nullptr: none
  const char *help;
  Apply apply;
};

Apply text(std::string phone::CallSetup::*member) {
  return [member](CallCommand &command, const std::string &value) {
    command.setup.*member = value;
    return ok();
  };
}
Apply text(std::string CallCommand::*member) {
  return [member](CallCommand &command, const std::string &value) {
    command.*member = value;
    return ok();
  };
}
Apply fault(bool phone::Faults::*member) {
  return [member](CallCommand &command, const std::string &) {
    command.setup.faults.*member = true;
    return ok();
  };
}
// A time into anything that a Duration can be assigned to.
template <typename F> Apply time(F &&assign, Duration unit = 1ms) {
  return [assign, unit](CallCommand &command,
                        const std::string &value) -> Result<Unit> {
    const auto duration = phone::parse_duration(value, unit);
    if (!duration)
      return duration.error();
    assign(command, *duration);
    return ok();
  };
}

Result<Unit> set_calls(CallCommand &command, const std::string &value) {
  constexpr gint64 kMost = 100'000;
  gint64 calls = 0;
  if (g_ascii_string_to_signed(value.c_str(), 10, 1, kMost, &calls, nullptr) ==
      FALSE)
    return usage("expected a number from 1 to 100000, got \"" + value + '"');
  command.calls = static_cast<int>(calls);
  return ok();
}

Result<Unit> set_gap(CallCommand &command, const std::string &value) {
  const std::size_t at = value.find('@');
  const auto gap = phone::parse_duration(value.substr(0, at), 1ms);
  if (at == std::string::npos || !gap)
    return usage("expected MS@SECONDS such as 400@3s, got \"" + value + '"');
  const auto start = phone::parse_duration(value.substr(at + 1), 1s);
  if (!start)
    return start.error();
  command.setup.faults.gap = *gap;
  command.setup.faults.gap_at = *start;
  return ok();
}

bool is_one_of(std::string_view word,
               std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Result<Unit> add_dial_outcome(CallCommand &command, const std::string &value) {
  if (!is_one_of(value,
                 {"answered", "busy", "no-answer", "failed", "canceled"}))
    return usage("expected answered, busy, no-answer, failed or canceled, "
                 "got \"" +
                 value + '"');
  command.setup.dial_outcomes.push_back(value);
  return ok();
}

Result<Unit> set_unanswered(CallCommand &command, const std::string &value) {
  if (!is_one_of(value, {"busy", "no-answer", "failed", "canceled"}))
    return usage("expected busy, no-answer, failed or canceled, got \"" +
                 value + '"');
  command.setup.unanswered = value;
  return ok();
}

Result<Unit> set_answered_by(CallCommand &command, const std::string &value) {
  const std::size_t at = value.find('@');
  command.setup.answered_by = value.substr(0, at);
  if (at == std::string::npos)
    return ok();
  const auto time = phone::parse_duration(value.substr(at + 1), 1s);
  if (!time)
    return time.error();
  command.setup.answered_by_after = *time;
  return ok();
}

Result<Unit> add_field(CallCommand &command, const std::string &value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos || equals == 0)
    return usage("expected NAME=VALUE, got \"" + value + '"');
  command.expected.fields.emplace_back(value.substr(0, equals),
                                       value.substr(equals + 1));
  return ok();
}

Result<Unit> read_script(CallCommand &command, const std::string &file) {
  GErrorHolder error;
  char *contents = nullptr;
  gsize size = 0;
  if (!g_file_get_contents(file.c_str(), &contents, &size, error.out()))
    return usage(error.message());
  const GCharPtr owned(contents);
  return command.script.add_text({contents, size}, file);
}

Apply directive(const char *name) {
  return [name](CallCommand &command, const std::string &value) {
    return command.script.add(name, value);
  };
}

using phone::CallSetup;
using phone::Faults;

const std::vector<Option> &options() {
  static const std::vector<Option> kOptions = {
      {nullptr, nullptr, "What the caller does, in this order:", nullptr},
      {"say", "TEXT", "speak, in the voice of --voice", directive("say")},
      {"wav", "FILE", "speak a WAV file", directive("wav")},
      {"dtmf", "KEYS", "press keys (0-9 * #)", directive("dtmf")},
      {"hang-up", nullptr, "hang up", directive("hang-up")},
      {"hang-up-after", "MS", "hang up that long after the line before",
       directive("hang-up-after")},
      {"script", "FILE", "such directives from a file, one a line",
       read_script},
      {nullptr, nullptr, "When (before the line that it is for):", nullptr},
      {"reply-after", "MS",
       "from here on: once the agent has spoken and been quiet so long (700)",
       directive("reply-after")},
      {"barge-in", "MS", "so far into the agent's next speech",
       directive("barge-in")},
      {"after", "SECONDS", "when nobody has spoken for so long",
       directive("after")},
      {"wait", "MS", "so long after the line before, whatever goes on",
       directive("wait")},
      {"voice", "NAME", "from here on: an espeak-ng voice (en-us+f2)",
       directive("voice")},
      {nullptr, nullptr, "The call:", nullptr},
      {"from", "NUMBER", "caller (+14155550100)", text(&CallSetup::from)},
      {"to", "NUMBER", "called number (+14155550199)", text(&CallSetup::to)},
      {"auth-token", "TOKEN", "signs the requests (TWILIO_AUTH_TOKEN)",
       text(&CallSetup::auth_token)},
      {"account-sid", "SID", "account (TWILIO_ACCOUNT_SID, or a random one)",
       text(&CallSetup::account_sid)},
      {"dial", "OUTCOME",
       "what comes of a <Dial>, each in turn: answered (all of them), busy, "
       "no-answer, failed, canceled",
       add_dial_outcome},
      {"dial-talk", "SECONDS", "how long he who answered a <Dial> talks (0.5)",
       time([](CallCommand &c, Duration d) { c.setup.dial_talk = d; }, 1s)},
      {"max-duration", "SECONDS", "hang up at the latest (300)",
       time([](CallCommand &c, Duration d) { c.setup.max_duration = d; }, 1s)},
      {"ready-within", "SECONDS", "first wait until the API's /readyz is 200",
       time([](CallCommand &c, Duration d) { c.ready_within = d; }, 1s)},
      {"calls", "N", "so many calls at once (1)", set_calls},
      {"ramp", "SECONDS", "spread their starts over (10 ms a call)",
       time([](CallCommand &c, Duration d) { c.ramp = d; }, 1s)},
      {nullptr, nullptr, "As placed by REST, which tells these:", nullptr},
      {"placed", nullptr, "Direction is outbound-api",
       [](CallCommand &c, const std::string &) {
         c.setup.placed = true;
         return ok();
       }},
      {"call-sid", "SID", "the SID that REST gave (a random one)",
       text(&CallSetup::call_sid)},
      {"status-callback", "URL", "told of ringing, answer and end",
       text(&CallSetup::status_callback)},
      {"unanswered", "HOW", "nobody answers: busy, no-answer, failed, canceled",
       set_unanswered},
      {"amd-callback", "URL", "told who answered",
       text(&CallSetup::amd_callback)},
      {"answered-by", "WHO@SECONDS",
       "such as machine_end_beep@4s, since the answer", set_answered_by},
      {"updates", nullptr,
       "from the standard input, a line each: twiml DOCUMENT or completed, "
       "as REST changes a live call",
       [](CallCommand &c, const std::string &) {
         c.updates = true;
         return ok();
       }},
      {nullptr, nullptr, "What comes out:", nullptr},
      {"record", "FILE",
       "stereo WAV: left what the caller says, right what it hears",
       text(&CallCommand::record_file)},
      {"timeline", "FILE", "every event and turn as JSON",
       text(&CallCommand::timeline_file)},
      {"json", nullptr, "the summary as JSON on the output",
       [](CallCommand &c, const std::string &) {
         c.json = true;
         return ok();
       }},
      {"show-record", nullptr, "the agent's record of the call, at the end",
       [](CallCommand &c, const std::string &) {
         c.show_record = true;
         return ok();
       }},
      {"live", nullptr, "show the call while it happens (on a terminal)",
       [](CallCommand &c, const std::string &) {
         c.live = true;
         return ok();
       }},
      {"no-live", nullptr, "don't",
       [](CallCommand &c, const std::string &) {
         c.live = false;
         return ok();
       }},
      {"api", "URL", "origin of the agent's API (the voice URL's)",
       text(&CallSetup::api)},
      {"api-token", "TOKEN", "lets us in there (PATCHCORD_SERVER_API_TOKEN)",
       text(&CallSetup::api_token)},
      {"expect-end", "REASON", "the record's end_reason must be this",
       [](CallCommand &c, const std::string &value) {
         c.expected.end_reason = value;
         return ok();
       }},
      {"expect-field", "NAME=VALUE", "this field must have been filled so",
       add_field},
      {nullptr, nullptr,
       "Faults, for tests of servers (SECONDS: since the "
       "stream began):",
       nullptr},
      {"mute-marks", nullptr, "never echo a mark", fault(&Faults::mute_marks)},
      {"gap", "MS@SECONDS", "send no media for a while", set_gap},
      {"jitter", "MS", "each frame is late by 0 to MS",
       time([](CallCommand &c, Duration d) { c.setup.faults.jitter = d; })},
      {"drop-without-stop", "SECONDS", "reset the connection",
       time([](CallCommand &c, Duration d) { c.setup.faults.drop_at = d; },
            1s)},
      {"bad-json", "SECONDS", "send half a message",
       time([](CallCommand &c, Duration d) { c.setup.faults.bad_json_at = d; },
            1s)},
      {"slow-reader", nullptr, "stop reading what the server sends",
       fault(&Faults::slow_reader)},
      {"no-stop", nullptr, "hang up without stop", fault(&Faults::no_stop)},
      {"bad-signature", nullptr, "sign the webhook wrongly",
       fault(&Faults::bad_signature)},
      {"bad-stream-signature", nullptr, "sign the WebSocket wrongly",
       fault(&Faults::bad_stream_signature)},
      {"reuse-token", nullptr, "connect a second time to the stream's URL",
       fault(&Faults::reuse_token)},
  };
  return kOptions;
}

const Option *find_option(std::string_view name) {
  for (const Option &option : options())
    if (option.name != nullptr && name == option.name)
      return &option;
  return nullptr;
}

std::vector<std::string> option_names() {
  std::vector<std::string> names;
  for (const Option &option : options())
    if (option.name != nullptr)
      names.push_back(std::string("--") + option.name);
  return names;
}

// "https://host:1" of "https://host:1/twilio/..".
std::string origin_of(const std::string &url) {
  std::string origin = phone::resolve_url(url, "/");
  origin.pop_back();
  return origin;
}

// One option, "--name", "--name=value" or "--name" "value"; moves `index` past
// what it took.
Result<Unit> apply_option(CallCommand &command, int argc, char **argv,
                          int &index) {
  std::string name = std::string(argv[index]).substr(2);
  std::optional<std::string> value;
  if (const std::size_t equals = name.find('='); equals != std::string::npos) {
    value = name.substr(equals + 1);
    name.resize(equals);
  }
  const Option *option = find_option(name);
  if (option == nullptr)
    return usage("unknown option --" + name +
                 did_you_mean("--" + name, option_names()) +
                 "; patchcord call --help lists them");
  if (option->argument == nullptr) {
    if (value)
      return usage("--" + name + " takes no value");
  } else if (!value) {
    if (++index >= argc)
      return usage("--" + name + " needs " + option->argument);
    value = argv[index];
  }
  if (auto applied = option->apply(command, value.value_or("")); !applied)
    return usage("--" + name + ": " + applied.error().message);
  return ok();
}

Result<Unit> finish(CallCommand &command) {
  if (auto finished = command.script.finish(); !finished)
    return usage(finished.error().message);
  CallSetup &setup = command.setup;
  if (setup.url.empty())
    setup.url = kDefaultUrl;
  if (!setup.url.starts_with("http://") && !setup.url.starts_with("https://"))
    return usage("the voice URL must begin with http:// or https://, got \"" +
                 setup.url + '"');
  if (setup.api.empty())
    setup.api = origin_of(setup.url);
  while (setup.api.ends_with('/'))
    setup.api.pop_back();
  if (command.updates && command.calls != 1)
    return usage("--updates goes with one call only");
  setup.fetch_record = command.expected.any() || command.show_record;
  setup.record_audio = !command.record_file.empty();
  setup.keep_events = !command.timeline_file.empty();
  return ok();
}

} // namespace

Result<CallCommand> parse_call_options(int argc, char **argv) {
  CallCommand command;
  command.setup.auth_token = environment("TWILIO_AUTH_TOKEN");
  command.setup.account_sid = environment("TWILIO_ACCOUNT_SID");
  command.setup.api_token = environment("PATCHCORD_SERVER_API_TOKEN");
  bool only_operands = false;
  for (int index = 1; index < argc; ++index) {
    const std::string_view argument = argv[index];
    if (!only_operands && argument == "--") {
      only_operands = true;
    } else if (!only_operands && (argument == "--help" || argument == "-h")) {
      command.help = true;
    } else if (!only_operands &&
               (argument == "--version" || argument == "-V")) {
      command.version = true;
    } else if (!only_operands && argument.starts_with("--")) {
      if (auto applied = apply_option(command, argc, argv, index); !applied)
        return applied.error();
    } else if (command.setup.url.empty()) {
      command.setup.url = argument;
    } else {
      return usage("one voice URL is enough, got \"" + std::string(argument) +
                   "\" too");
    }
  }
  if (auto finished = finish(command); !finished)
    return finished.error();
  return command;
}

std::string call_help() {
  std::string help =
      "Usage: patchcord call [OPTION ...] [VOICE_URL]\n\n"
      "Calls a voice URL as Twilio would: a signed webhook, the TwiML that it\n"
      "answers with, and the media stream. Default VOICE_URL:\n"
      "  " +
      std::string(kDefaultUrl) + "\n";
  for (const Option &option : options()) {
    if (option.name == nullptr) {
      help += std::string("\n") + option.help + "\n";
      continue;
    }
    std::string left = std::string("  --") + option.name;
    if (option.argument != nullptr)
      left += std::string(" ") + option.argument;
    left.resize(std::max<std::size_t>(left.size() + 1, 30), ' ');
    help += left + option.help + "\n";
  }
  help += "\nExample:\n  patchcord call --say \"book a room\" --barge-in 800 "
          "--say today --record call.wav\n";
  help += "\nTimes are such as 700ms, 1.5s, 2m; a bare number counts in the "
          "unit shown.\nExit code: 0 when every call went through, ended in "
          "order and came out as\nexpected; 1 when not; 2 for wrong usage; 130 "
          "after Ctrl-C.\n";
  return help;
}

} // namespace patchcord::cli
