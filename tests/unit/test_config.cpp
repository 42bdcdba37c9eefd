// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/suggest.hpp"
#include "config/config.hpp"
#include "config/secret.hpp"

#include "../support/check_text.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace patchcord;
using config::Config;
using config::Environment;

namespace {

namespace fs = std::filesystem;

// A folder that goes with the test.
class Folder {
public:
  Folder() {
    char *made = g_dir_make_tmp("patchcord-config-XXXXXX", nullptr);
    path_ = made;
    g_free(made);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;
  std::string write(const std::string &name, const std::string &text) const {
    const fs::path file = path_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file.string();
  }
  std::string path() const { return path_.string(); }

private:
  fs::path path_;
};

void check_holds(const std::string &text, const std::string &piece) {
  if (text.find(piece) == std::string::npos)
    g_error("expected \"%s\" in \"%s\"", piece.c_str(), text.c_str());
}

Config loaded(const std::string &path, const Environment &environment = {}) {
  const auto config = config::load(path, environment);
  if (!config)
    g_error("%s", config.error().message.c_str());
  return *config;
}

std::string source_file(const char *name) {
  const char *root = g_getenv("PATCHCORD_SOURCE_ROOT");
  g_assert_nonnull(root);
  std::ifstream file(fs::path(root) / name);
  std::stringstream text;
  text << file.rdbuf();
  g_assert_cmpuint(text.str().size(), >, 0);
  return text.str();
}

void test_defaults() {
  const Config config = loaded("");
  CHECK_TEXT(config.server.listen, "127.0.0.1:8080");
  CHECK_TEXT(config.call.pipeline, "offline");
  g_assert_true(config.twilio.validate_signatures);
  g_assert_true(config.twilio.auth_token.empty());
}

void test_file() {
  const Folder folder;
  const Config config = loaded(folder.write("patchcord.toml", R"(
[server]
public_url = "https://voice.example.com/"
max_calls = 12
[twilio]
validate_signatures = false
auth_token = "one, two"
[call]
max_duration_s = 600
[openai]
realtime_url = "wss://h.example.com/openai/realtime?api-version=1"
)"));
  CHECK_TEXT(config.openai.realtime_url,
             "wss://h.example.com/openai/realtime?api-version=1");
  CHECK_TEXT(config.server.public_url, "https://voice.example.com");
  g_assert_cmpint(config.server.max_calls, ==, 12);
  g_assert_cmpint(config.call.max_duration_s, ==, 600);
  g_assert_false(config.twilio.validate_signatures);
  const auto tokens = config::auth_tokens(config);
  g_assert_true((tokens == std::vector<std::string>{"one", "two"}));
}

// For what only its use finds wrong.
void test_source_of() {
  const Folder folder;
  const std::string path =
      folder.write("patchcord.toml", "[call]\nagent = \"a\"\n"
                                     "pipeline = \"b\"\n");
  const Config config = loaded(path, {{"PATCHCORD_CALL_PIPELINE", "c"}});
  CHECK_TEXT(config::source_of(config, "call.agent"), path + ":2: call.agent");
  CHECK_TEXT(config::source_of(config, "call.pipeline"),
             "PATCHCORD_CALL_PIPELINE: call.pipeline");
  CHECK_TEXT(config::source_of(config, "store.records"), "store.records");
}

void test_errors() {
  const struct {
    const char *text;
    const char *message; // behind "FILE:"
  } cases[] = {
      {"[call]\nmax_duration_s = \"soon\"\n",
       "2: call.max_duration_s: expected a whole number of seconds from 1 to "
       "86400, got \"soon\""},
      {"[call]\nmax_duration_s = 0\n",
       "2: call.max_duration_s: expected a whole number of seconds from 1 to "
       "86400, got 0"},
      {"[call]\nmax_duration_s = 1.5\n", "got 1.5"},
      {"[call]\nmax_duration_s = 99999999999\n", "got 99999999999"},
      {"[server]\nlisten = 8080\n",
       "2: server.listen: expected an address and a port such as "
       "\"127.0.0.1:8080\" or \"[::1]:8080\", got 8080"},
      {"[server]\nlisten = \"8080\"\n", "got \"8080\""},
      {"[server]\nlisten = \"127.0.0.1:99999\"\n", "server.listen"},
      {"[server]\npublic_url = \"voice.example.com\"\n",
       "2: server.public_url: expected the URL under which"},
      {"[server]\npublic_url = \"https://h/?a=1\"\n", "server.public_url"},
      {"[server]\npublic_url = \"ftp://h\"\n", "server.public_url"},
      {"[twilio]\nvalidate_signatures = \"no\"\n",
       "2: twilio.validate_signatures: expected true or false, got \"no\""},
      {"[twilio]\nhangup = \"now\"\n",
       "2: twilio.hangup: expected \"close\" or \"rest\", got \"now\""},
      {"[twilio]\nfrom = \"me\"\n",
       "2: twilio.from: expected a number of the account such as "},
      {"[openai]\nrealtime_url = \"https://h\"\n", "openai.realtime_url"},
      {"[openai]\nchat_model = \"\"\n", "openai.chat_model"},
      {"[elevenlabs]\noutput_format = \"mp3_44100_128\"\n",
       "2: elevenlabs.output_format: expected \"\" (what downstream likes "
       "best), \"ulaw_8000\", \"pcm_8000\", "},
      {"[store]\nrecords = \"calls.db\"\n", "store.records"},
      {"[store]\nrecords = [1]\n", "got an array"},
      {"[log]\nlevel = \"loud\"\n", "log.level"},
      {"\n\n[twilio]\nauth_tokn = \"x\"\n",
       "4: twilio.auth_tokn: no such key (did you mean auth_token?); [twilio] "
       "takes account_sid, auth_token, auth_token_file, "},
      {"[call]\nagent_file = \"x\"\n", "2: call.agent_file: no such key"},
      {"[sever]\n", "1: sever: no such section (did you mean server?); there "
                    "are [server], "},
      {"server = 1\n", "1: server: expected a section, written [server]"},
      {"[call\n", "1: "},
      {"[call]\na = 1\na = 2\n", "3: "},
      {"[openai]\napi_key_file = \"absent\"\n", "2: openai.api_key_file: "},
      {"[openai]\napi_key_file = 1\n",
       "2: openai.api_key_file: expected the path"},
      {"[openai]\napi_key = \"k\"\napi_key_file = \"absent\"\n",
       "3: openai.api_key and openai.api_key_file are both set"},
  };
  const Folder folder;
  for (const auto &[text, message] : cases) {
    const auto path = folder.write("patchcord.toml", text);
    const auto config = config::load(path, {});
    g_test_message("%s", text);
    g_assert_false(config.ok());
    CHECK_TEXT(config.error().code, "bad_config");
    check_holds(config.error().message, path + ":");
    check_holds(config.error().message, message);
  }
}

void test_all_errors_at_once() {
  const Folder folder;
  const auto path =
      folder.write("patchcord.toml", "[server]\nworkers = -1\nx = 1\n");
  const auto config = config::load(path, {{"PATCHCORD_CALL_AGNT", "a"}});
  g_assert_false(config.ok());
  check_holds(config.error().message, "server.workers: expected");
  check_holds(config.error().message,
              "\n" + path + ":3: server.x: no such key");
  check_holds(config.error().message,
              "\nPATCHCORD_CALL_AGNT: no such variable (did you mean "
              "PATCHCORD_CALL_AGENT?)");
  // A file that is not there, and a folder.
  check_holds(config::load(folder.path() + "/none.toml", {}).error().message,
              "none.toml: cannot be read");
  check_holds(config::load(folder.path(), {}).error().message,
              "cannot be read");
}

void test_environment() {
  const Folder folder;
  const auto path = folder.write(
      "patchcord.toml",
      "[call]\nagent = \"file\"\nmax_duration_s = 5\n[openai]\napi_key = "
      "\"file\"\n[twilio]\nauth_token = \"file\"\n");
  const Config config =
      loaded(path, {{"PATCHCORD_CALL_AGENT", "variable"},
                    {"PATCHCORD_CALL_MAX_DURATION_S", "7"},
                    {"PATCHCORD_TWILIO_VALIDATE_SIGNATURES", "false"},
                    {"TWILIO_ACCOUNT_SID", "AC1"},
                    {"TWILIO_AUTH_TOKEN", "known"},
                    {"OPENAI_API_KEY", ""}, // as good as not set
                    {"OPENAI_BASE_URL", "http://127.0.0.1:9/v1"},
                    {"ELEVENLABS_API_KEY", "known"},
                    {"PATCHCORD_ELEVENLABS_API_KEY", "ours wins"},
                    {"PATCHCORD_DATA_DIR", "/somewhere"},
                    {"PATH", "/bin"}});
  CHECK_TEXT(config.call.agent, "variable");
  g_assert_cmpint(config.call.max_duration_s, ==, 7);
  g_assert_false(config.twilio.validate_signatures);
  CHECK_TEXT(config.twilio.account_sid, "AC1");
  CHECK_TEXT(config.twilio.auth_token, "known");
  CHECK_TEXT(config.openai.api_key, "file");
  CHECK_TEXT(config.openai.base_url, "http://127.0.0.1:9/v1");
  CHECK_TEXT(config.elevenlabs.api_key, "ours wins");

  const auto bad =
      config::load("", {{"PATCHCORD_CALL_MAX_DURATION_S", "soon"},
                        {"PATCHCORD_TWILIO_VALIDATE_SIGNATURES", "maybe"}});
  g_assert_false(bad.ok());
  check_holds(bad.error().message,
              "PATCHCORD_CALL_MAX_DURATION_S: call.max_duration_s: expected a "
              "whole number of seconds from 1 to 86400, got \"soon\"");
  check_holds(bad.error().message, "PATCHCORD_TWILIO_VALIDATE_SIGNATURES: "
                                   "twilio.validate_signatures: expected true");
}

void test_every_key_by_environment() {
  for (const auto &info : config::known_keys()) {
    std::string name = "PATCHCORD_";
    for (const char c : info.key)
      name += c == '.' ? '_' : g_ascii_toupper(c);
    g_test_message("%s", name.c_str());
    // A value that nothing but free text takes.
    const auto config = config::load("", {{name, "\x01 ?"}});
    if (!config)
      check_holds(config.error().message, name + ": " + info.key);
    else
      g_assert_false(info.key == "server.listen");
  }
}

void test_secrets() {
  const Folder folder;
  folder.write("secrets/openai", "from-file\n");
  const auto path = folder.write("patchcord.toml",
                                 "[openai]\napi_key_file = \"secrets/openai\"\n"
                                 "[twilio]\nauth_token = \"plain\"\n");
  // Relative to the file that names it.
  CHECK_TEXT(loaded(path).openai.api_key, "from-file");

  folder.write("credentials/twilio_auth_token", "  from-systemd\n");
  folder.write("credentials/other", "ignored");
  Environment environment = {
      {"CREDENTIALS_DIRECTORY", folder.path() + "/credentials"}};
  CHECK_TEXT(loaded(path, environment).twilio.auth_token, "from-systemd");
  environment["PATCHCORD_TWILIO_AUTH_TOKEN_FILE"] =
      folder.write("token", "by-variable");
  CHECK_TEXT(loaded(path, environment).twilio.auth_token, "by-variable");

  folder.write("credentials/openai_api_key", " \n");
  check_holds(config::load(path, environment).error().message, "is empty");
}

void test_secrets_stay_secret() {
  const Folder folder;
  for (const auto &info : config::known_keys()) {
    if (!info.secret)
      continue;
    const auto dot = info.key.find('.');
    const auto path = folder.write(
        "patchcord.toml", "[" + info.key.substr(0, dot) + "]\n" +
                              info.key.substr(dot + 1) + " = 123456789\n");
    const auto config = config::load(path, {});
    g_assert_false(config.ok());
    check_holds(config.error().message, info.key + ": expected text");
    g_assert_true(config.error().message.find("123456789") ==
                  std::string::npos);
  }
}

void test_urls() {
  const struct {
    const char *listen, *public_url, *http, *stream;
  } cases[] = {
      {"127.0.0.1:8080", "", "http://127.0.0.1:8080", "ws://127.0.0.1:8080"},
      {"0.0.0.0:80", "", "http://127.0.0.1:80", "ws://127.0.0.1:80"},
      {"[::]:80", "", "http://[::1]:80", "ws://[::1]:80"},
      {"localhost:1", "", "http://localhost:1", "ws://localhost:1"},
      {"127.0.0.1:1", "https://v.example.com", "https://v.example.com",
       "wss://v.example.com"},
      {"127.0.0.1:1", "http://v.example.com:81/a", "http://v.example.com:81/a",
       "ws://v.example.com:81/a"},
  };
  for (const auto &[listen, public_url, http, stream] : cases) {
    Config config;
    config.server.listen = listen;
    config.server.public_url = public_url;
    CHECK_TEXT(config::public_url(config), http);
    CHECK_TEXT(config::stream_url_base(config), stream);
  }
  for (const char *bad : {"", "8080", ":8080", "host:80", "127.0.0.1:",
                          "127.0.0.1:-1", "127.0.0.1:65536", "127.0.0.1:8x"})
    g_assert_false(config::parse_listen(bad).ok());
}

// A secret goes to another machine with TLS only.
void test_ways() {
  const struct {
    const char *text, *error; // nullptr: none
  } cases[] = {
      {"[openai]\napi_key = 'k'\nbase_url = 'http://10.0.0.5:8000/v1'",
       "c.toml:3: openai.base_url: expected a URL with TLS, or one of this "
       "machine, for openai.api_key would be read by everybody on the way, got "
       "\"http://10.0.0.5:8000/v1\"; openai.plain_http = true"},
      {"[openai]\napi_key = 'k'\nrealtime_url = 'ws://ears.example/v1?token=t'",
       "openai.api_key would be read by everybody on the way, got "
       "\"ws://ears.example/v1?token=***\""},
      {"[elevenlabs]\napi_key = 'k'\nbase_url = 'HTTP://voice.example'",
       "\"HTTP://voice.example\"; elevenlabs.plain_http = true"},
      {"[elevenlabs]\napi_key = 'k'\nplain_http = true\n"
       "base_url = 'http://voice.example'",
       nullptr},
      {"[twilio]\nauth_token = 'k'\napi_url = 'http://twilio.example'",
       "c.toml:3: twilio.api_url: expected a URL with TLS"},
      {"[openai]\nbase_url = 'http://10.0.0.5:8000/v1'", nullptr}, // no key
      {"[openai]\napi_key = 'k'\nplain_http = true\n"
       "base_url = 'http://10.0.0.5:8000/v1'",
       nullptr},
      {"[openai]\napi_key = 'k'\nbase_url = 'http://localhost:8000/v1'",
       nullptr},
      {"[openai]\napi_key = 'k'\nbase_url = 'https://ears.example/v1'",
       nullptr},
  };
  for (const auto &[text, error] : cases) {
    const auto config = config::load_text("c.toml", text, {});
    if (error != nullptr) {
      g_assert_false(config.ok());
      check_holds(config.error().message, error);
    } else {
      g_assert_true(config.ok());
    }
  }
  const auto named = config::load(
      "", {{"OPENAI_API_KEY", "k"}, {"OPENAI_BASE_URL", "http://h/v1"}});
  g_assert_false(named.ok());
  check_holds(named.error().message, "OPENAI_BASE_URL: openai.base_url: ");
}

void test_find() {
  const Folder folder;
  folder.write("agents/clinic.toml", "x");
  folder.write("agents/hotel.toml", "x");
  folder.write("agents/notes.txt", "x");
  const auto launch = folder.write("graphs/fast.launch", "x");
  const std::string old_data = g_getenv("PATCHCORD_DATA_DIR");
  const std::string old_pipelines = g_getenv("PATCHCORD_PIPELINE_DIR");
  g_setenv("PATCHCORD_DATA_DIR", folder.path().c_str(), TRUE);
  g_setenv("PATCHCORD_PIPELINE_DIR", (folder.path() + "/graphs").c_str(), TRUE);

  CHECK_TEXT(*config::find_agent("clinic"),
             folder.path() + "/agents/clinic.toml");
  CHECK_TEXT(*config::find_pipeline("fast"), launch);
  CHECK_TEXT(*config::find_pipeline(launch), launch); // a path
  const auto missing = config::find_agent("clinik");
  g_assert_false(missing.ok());
  check_holds(missing.error().message, "no agent is called \"clinik\"");
  check_holds(missing.error().message, "did you mean clinic?");
  check_holds(missing.error().message, "clinic, hotel");
  check_holds(missing.error().message, folder.path() + "/agents");
  g_assert_true(missing.error().message.find("notes") == std::string::npos);
  check_holds(config::find_agent("./clinic.toml").error().message,
              "./clinic.toml: no such file");

  g_setenv("PATCHCORD_DATA_DIR", old_data.c_str(), TRUE);
  g_setenv("PATCHCORD_PIPELINE_DIR", old_pipelines.c_str(), TRUE);
}

void test_shipped_file() {
  const char *root = g_getenv("PATCHCORD_SOURCE_ROOT");
  const Config shipped = loaded(std::string(root) + "/data/patchcord.toml");
  const Config defaults;
  CHECK_TEXT(shipped.server.listen, defaults.server.listen);
  CHECK_TEXT(shipped.server.busy_message, defaults.server.busy_message);
  g_assert_cmpint(shipped.server.drain_timeout_s, ==,
                  defaults.server.drain_timeout_s);
  CHECK_TEXT(shipped.twilio.api_url, defaults.twilio.api_url);
  CHECK_TEXT(shipped.openai.base_url, defaults.openai.base_url);
  CHECK_TEXT(shipped.openai.stt_model, defaults.openai.stt_model);
  CHECK_TEXT(shipped.openai.chat_model, defaults.openai.chat_model);
  CHECK_TEXT(shipped.elevenlabs.voice_id, defaults.elevenlabs.voice_id);
  CHECK_TEXT(shipped.elevenlabs.model_id, defaults.elevenlabs.model_id);
  g_assert_cmpint(shipped.call.max_duration_s, ==,
                  defaults.call.max_duration_s);
  CHECK_TEXT(shipped.store.records, defaults.store.records);
}

void test_documented() {
  const std::string file = source_file("data/patchcord.toml");
  const std::string manual = source_file("docs/configuration.md");
  for (const auto &info : config::known_keys()) {
    g_test_message("%s", info.key.c_str());
    const auto name = info.key.substr(info.key.find('.') + 1);
    check_holds(file, (info.secret ? "# " : "\n") + name + " = ");
    check_holds(manual, "`" + info.key + "`");
  }
}

void test_suggestions() {
  const std::vector<std::string> words = {"serve", "call", "check", "test"};
  CHECK_TEXT(nearest("serv", words), "serve");
  CHECK_TEXT(nearest("chek", words), "check");
  CHECK_TEXT(nearest("xyzzy", words), "");
  CHECK_TEXT(nearest("", words), "");
  CHECK_TEXT(nearest(std::string(1000, 'c'), words), "");
}

void test_named_secrets() {
  const Folder folder;
  const auto read = [&folder](const std::string &text) {
    return config::read_secret("", folder.write("secret", text));
  };
  CHECK_TEXT(*read(" geheim\n"), "geheim");
  for (const std::string &text :
       {std::string("\n"), std::string("two\nlines"), std::string("a\0b", 3),
        std::string(10'000, 'x')}) {
    const auto secret = read(text);
    g_assert_false(secret.ok());
    g_assert_nonnull(strstr(secret.error().message.c_str(), "/secret"));
    g_assert_null(strstr(secret.error().message.c_str(), "two"));
  }
  g_assert_false(config::read_secret("", folder.path() + "/none").ok());
  g_setenv("PATCHCORD_TEST_SECRET", "geheim ", TRUE);
  CHECK_TEXT(*config::read_secret("PATCHCORD_TEST_SECRET", ""), "geheim");
  g_unsetenv("PATCHCORD_TEST_SECRET");
  const auto missing = config::read_secret("PATCHCORD_TEST_SECRET", "");
  CHECK_TEXT(missing.error().message,
             "the environment variable PATCHCORD_TEST_SECRET is not set");
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/config/works-with-nothing", test_defaults);
  g_test_add_func("/config/a-file-sets-keys", test_file);
  g_test_add_func("/config/errors-name-place-key-and-expectation", test_errors);
  g_test_add_func("/config/where-a-text-was-set", test_source_of);
  g_test_add_func("/config/all-errors-are-told-at-once",
                  test_all_errors_at_once);
  g_test_add_func("/config/the-environment-wins-over-the-file",
                  test_environment);
  g_test_add_func("/config/every-key-has-a-variable",
                  test_every_key_by_environment);
  g_test_add_func("/config/secrets-come-from-files-and-credentials",
                  test_secrets);
  g_test_add_func("/config/secrets-stay-out-of-errors",
                  test_secrets_stay_secret);
  g_test_add_func("/config/named-secrets-are-one-line", test_named_secrets);
  g_test_add_func("/config/public-urls-follow-the-listen-address", test_urls);
  g_test_add_func("/config/secrets-go-to-other-machines-with-tls-only",
                  test_ways);
  g_test_add_func("/config/agents-and-pipelines-are-found-by-name", test_find);
  g_test_add_func("/config/the-shipped-file-holds-the-defaults",
                  test_shipped_file);
  g_test_add_func("/config/every-key-is-documented", test_documented);
  g_test_add_func("/config/a-near-word-is-suggested", test_suggestions);
  return g_test_run();
}
