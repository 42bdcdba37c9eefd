// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config/config.hpp"

#include "base/suggest.hpp"
#include "base/text.hpp"
#include "base/url.hpp"
#include "config/keys.hpp"

#include <glib.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <unistd.h>

namespace patchcord::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFileSuffix = "_file";
constexpr std::size_t kMaxFile = std::size_t{1} << 20;

std::string upper(std::string_view text) {
  std::string out(text);
  for (char &c : out)
    c = g_ascii_toupper(c);
  return out;
}

std::string variable(const Key &key) {
  return "PATCHCORD_" + upper(key.section) + "_" + upper(key.name);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string out = "\"";
  out += text.substr(0, kShown);
  return out + (text.size() > kShown ? "...\"" : "\"");
}

Result<std::string> read_file(const fs::path &path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  std::error_code none;
  if (!file || fs::is_directory(path, none) || !(text << file.rdbuf()))
    return make_error("unreadable", path.string() + ": cannot be read");
  if (text.str().size() > kMaxFile)
    return make_error("too_large", path.string() + ": is larger than 1 MiB");
  return text.str();
}

std::optional<int> parse_int(std::string_view text) {
  int value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<bool> parse_bool(std::string_view text) {
  const std::string word = to_lower(text);
  if (word == "true" || word == "1" || word == "yes" || word == "on")
    return true;
  if (word == "false" || word == "0" || word == "no" || word == "off")
    return false;
  return std::nullopt;
}

// Fills a Config from several sources; collects what is wrong with them.
class Loader {
public:
  Config config;
  std::vector<std::string> problems;

  void file(const std::string &path, const std::string &text);
  void credentials(const Environment &environment);
  void environment(const Environment &environment);
  // When all is known: no secret goes where everybody on the way reads it.
  void check_ways();

private:
  // Each `where` names the source: "patchcord.toml:12", "TWILIO_AUTH_TOKEN".
  void refuse(const std::string &where, const Key &key,
              const std::string &got) {
    std::string problem =
        where + ": " + key.full_name() + ": expected " + key.expected;
    if (!key.secret)
      problem += ", got " + got;
    problems.push_back(std::move(problem));
  }
  void set_text(const std::string &where, const Key &key, std::string text);
  void set_whole(const std::string &where, const Key &key, std::int64_t value);
  // A value that is text whatever the key takes.
  void set_any(const std::string &where, const Key &key,
               const std::string &text);
  void set_from_file(const std::string &where, const Key &key,
                     const fs::path &path);
  void set_toml(const std::string &where, const Key &key,
                const toml::node &node);
  void section(const std::string &path, const std::string &name,
               const toml::table &table);
};

void Loader::set_text(const std::string &where, const Key &key,
                      std::string text) {
  if (key.accepts != nullptr && !key.accepts(text)) {
    refuse(where, key, in_quotes(text));
    return;
  }
  std::get<Key::Text>(key.field)(config) = std::move(text);
  config.set_at[key.full_name()] = where;
}

void Loader::set_whole(const std::string &where, const Key &key,
                       std::int64_t value) {
  if (value < key.min || value > key.max) {
    refuse(where, key, std::to_string(value));
    return;
  }
  std::get<Key::Whole>(key.field)(config) = static_cast<int>(value);
}

void Loader::set_any(const std::string &where, const Key &key,
                     const std::string &text) {
  if (std::holds_alternative<Key::Text>(key.field)) {
    set_text(where, key, text);
  } else if (const auto *truth = std::get_if<Key::Truth>(&key.field)) {
    if (const auto value = parse_bool(text))
      (*truth)(config) = *value;
    else
      refuse(where, key, in_quotes(text));
  } else if (const auto value = parse_int(text)) {
    set_whole(where, key, *value);
  } else {
    refuse(where, key, in_quotes(text));
  }
}

void Loader::set_from_file(const std::string &where, const Key &key,
                           const fs::path &path) {
  const auto text = read_file(path);
  if (!text) {
    problems.push_back(where + ": " + key.full_name() +
                       "_file: " + text.error().message);
    return;
  }
  const auto secret = trim(*text);
  if (secret.empty())
    problems.push_back(where + ": " + key.full_name() +
                       "_file: " + path.string() + ": is empty");
  else
    set_text(where, key, std::string(secret));
}

void Loader::set_toml(const std::string &where, const Key &key,
                      const toml::node &node) {
  std::stringstream got;
  if (const auto text = node.value<std::string>(); node.is_string())
    got << in_quotes(*text);
  else if (node.is_table() || node.is_array())
    got << (node.is_table() ? "a table" : "an array");
  else
    node.visit([&](const auto &value) { got << value; });

  if (std::holds_alternative<Key::Text>(key.field) && node.is_string()) {
    set_text(where, key, *node.value<std::string>());
  } else if (std::holds_alternative<Key::Whole>(key.field) &&
             node.is_integer()) {
    set_whole(where, key, *node.value<std::int64_t>());
  } else if (const auto *truth = std::get_if<Key::Truth>(&key.field);
             truth != nullptr && node.is_boolean()) {
    (*truth)(config) = *node.value<bool>();
  } else {
    refuse(where, key, got.str());
  }
}

void Loader::section(const std::string &path, const std::string &name,
                     const toml::table &table) {
  for (const auto &[toml_key, node] : table) {
    const std::string_view key_name = toml_key.str();
    const std::string where =
        path + ":" + std::to_string(toml_key.source().begin.line);
    if (const Key *key = find_key(name, key_name)) {
      set_toml(where, *key, node);
      continue;
    }
    const Key *secret = nullptr;
    if (key_name.ends_with(kFileSuffix))
      secret = find_key(
          name, key_name.substr(0, key_name.size() - kFileSuffix.size()));
    if (secret != nullptr && secret->secret) {
      if (!node.is_string())
        problems.push_back(where + ": " + secret->full_name() +
                           "_file: expected the path of a file in quotes");
      else if (table.contains(secret->name))
        problems.push_back(where + ": " + secret->full_name() + " and " +
                           secret->full_name() +
                           "_file are both set: keep one of them");
      else
        set_from_file(where, *secret,
                      fs::path(path).parent_path() /
                          *node.value<std::string>());
      continue;
    }
    std::vector<std::string> names;
    for (const Key &known : keys()) {
      if (name != known.section)
        continue;
      names.emplace_back(known.name);
      if (known.secret)
        names.push_back(std::string(known.name) + std::string(kFileSuffix));
    }
    problems.push_back(where + ": " + name + "." + std::string(key_name) +
                       ": no such key" + did_you_mean(key_name, names) + "; [" +
                       name + "] takes " + join(names, ", "));
  }
}

void Loader::file(const std::string &path, const std::string &text) {
  toml::table root;
  try {
    root = toml::parse(text, path);
  } catch (const toml::parse_error &error) {
    problems.push_back(path + ":" + std::to_string(error.source().begin.line) +
                       ": " + std::string(error.description()));
    return;
  }
  std::vector<std::string> sections;
  for (const Key &key : keys())
    if (sections.empty() || sections.back() != key.section)
      sections.emplace_back(key.section);
  for (const auto &[name, node] : root) {
    const std::string section_name(name.str());
    const std::string where =
        path + ":" + std::to_string(name.source().begin.line);
    if (std::find(sections.begin(), sections.end(), section_name) ==
        sections.end())
      problems.push_back(where + ": " + section_name + ": no such section" +
                         did_you_mean(section_name, sections) +
                         "; there are [" + join(sections, "], [") + "]");
    else if (!node.is_table())
      problems.push_back(where + ": " + section_name +
                         ": expected a section, written [" + section_name +
                         "]");
    else
      section(path, section_name, *node.as_table());
  }
}

// systemd.exec(5), LoadCredential=: one file a secret, named section_key.
void Loader::credentials(const Environment &environment) {
  const auto folder = environment.find("CREDENTIALS_DIRECTORY");
  if (folder == environment.end() || folder->second.empty())
    return;
  for (const Key &key : keys()) {
    if (!key.secret)
      continue;
    const fs::path path =
        fs::path(folder->second) / (std::string(key.section) + "_" + key.name);
    std::error_code none;
    if (fs::exists(path, none))
      set_from_file(path.string(), key, path);
  }
}

void Loader::environment(const Environment &environment) {
  // An empty variable is as good as none: shells and compose files leave them.
  const auto use = [&](const std::string &name, const Key &key) {
    const auto it = environment.find(name);
    if (it != environment.end() && !it->second.empty())
      set_any(name, key, it->second);
  };
  for (const auto &[name, section, key] :
       {std::tuple("TWILIO_ACCOUNT_SID", "twilio", "account_sid"),
        std::tuple("TWILIO_AUTH_TOKEN", "twilio", "auth_token"),
        std::tuple("OPENAI_API_KEY", "openai", "api_key"),
        std::tuple("OPENAI_BASE_URL", "openai", "base_url"),
        std::tuple("ELEVENLABS_API_KEY", "elevenlabs", "api_key")})
    use(name, *find_key(section, key));

  std::vector<std::string> names, prefixes;
  for (const Key &key : keys()) {
    const std::string name = variable(key);
    names.push_back(name);
    if (key.secret) {
      names.push_back(name + "_FILE");
      const auto it = environment.find(names.back());
      if (it != environment.end() && !it->second.empty())
        set_from_file(names.back(), key, it->second);
    }
    use(name, key);
    prefixes.push_back("PATCHCORD_" + upper(key.section) + "_");
  }
  for (const auto &variable : environment) {
    const std::string &name = variable.first;
    const bool ours = std::any_of(
        prefixes.begin(), prefixes.end(),
        [&](const std::string &prefix) { return name.starts_with(prefix); });
    if (ours && std::find(names.begin(), names.end(), name) == names.end())
      problems.push_back(name + ": no such variable" +
                         did_you_mean(name, names));
  }
}

void Loader::check_ways() {
  const auto &openai = config.openai;
  const auto &elevenlabs = config.elevenlabs;
  struct Way {
    const char *section, *url_key, *secret_key;
    const std::string &url, &secret;
    const bool *plain_http; // null: there is no such key
  };
  for (const Way &way :
       {Way{"openai", "base_url", "api_key", openai.base_url, openai.api_key,
            &openai.plain_http},
        Way{"openai", "realtime_url", "api_key", openai.realtime_url,
            openai.api_key, &openai.plain_http},
        Way{"elevenlabs", "base_url", "api_key", elevenlabs.base_url,
            elevenlabs.api_key, &elevenlabs.plain_http},
        Way{"twilio", "api_url", "auth_token", config.twilio.api_url,
            config.twilio.auth_token, nullptr}}) {
    const bool allowed = way.plain_http != nullptr && *way.plain_http;
    if (way.secret.empty() || !is_in_the_clear(way.url) || allowed)
      continue;
    const std::string section = way.section;
    const std::string name = section + "." + way.url_key;
    problems.push_back(
        source_of(config, name) +
        ": expected a URL with TLS, or one of this machine, for " + section +
        "." + way.secret_key + " would be read by everybody on the way, got " +
        in_quotes(redacted_url(way.url)) +
        (way.plain_http != nullptr
             ? "; " + section + ".plain_http = true sends it all the same"
             : ""));
  }
}

std::string without_trailing_slashes(std::string url) {
  while (url.ends_with('/'))
    url.pop_back();
  return url;
}

Result<Config> finish(Loader &&loader, const Environment &environment) {
  loader.credentials(environment);
  loader.environment(environment);
  loader.check_ways();
  if (!loader.problems.empty())
    return make_error("bad_config", join(loader.problems, "\n"));
  auto &config = loader.config;
  for (std::string *url :
       {&config.server.public_url, &config.twilio.api_url,
        &config.openai.base_url, &config.elevenlabs.base_url})
    *url = without_trailing_slashes(*url);
  return std::move(config);
}

} // namespace

Environment process_environment() {
  Environment environment;
  for (char **entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      environment[std::string(text.substr(0, equals))] =
          text.substr(equals + 1);
  }
  return environment;
}

Result<Config> load(const std::string &path, const Environment &environment) {
  Loader loader;
  if (!path.empty()) {
    if (const auto text = read_file(path))
      loader.file(path, *text);
    else
      loader.problems.push_back(text.error().message);
  }
  return finish(std::move(loader), environment);
}

Result<Config> load_text(const std::string &path, const std::string &text,
                         const Environment &environment) {
  Loader loader;
  loader.file(path, text);
  return finish(std::move(loader), environment);
}

std::string default_path(const Environment &environment) {
  const auto named = environment.find("PATCHCORD_CONFIG");
  if (named != environment.end() && !named->second.empty())
    return named->second;
  for (const char *path : {"patchcord.toml", "/etc/patchcord/patchcord.toml"}) {
    std::error_code none;
    if (fs::exists(path, none))
      return path;
  }
  return {};
}

std::string source_of(const Config &config, const std::string &key) {
  const auto set = config.set_at.find(key);
  return set == config.set_at.end() ? key : set->second + ": " + key;
}

std::vector<KeyInfo> known_keys() {
  std::vector<KeyInfo> all;
  for (const Key &key : keys())
    all.push_back({key.full_name(), key.secret});
  return all;
}

Result<ListenAddress> parse_listen(std::string_view listen) {
  const auto bad = [&] {
    return make_error("bad_address",
                      std::string(listen) + ": expected ADDRESS:PORT");
  };
  const auto colon = listen.rfind(':');
  if (colon == std::string_view::npos)
    return bad();
  const auto port = parse_int(listen.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535)
    return bad();
  auto host = listen.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  const std::string address(host);
  if (!g_hostname_is_ip_address(address.c_str()) && address != "localhost")
    return bad();
  return ListenAddress{address, *port};
}

std::string public_url(const Config &config) {
  if (!config.server.public_url.empty())
    return config.server.public_url;
  const auto listen = parse_listen(config.server.listen);
  if (!listen)
    return {};
  std::string host = listen->host;
  // "All addresses" is none that can be called.
  if (host == "0.0.0.0")
    host = "127.0.0.1";
  if (host == "::")
    host = "::1";
  if (host.find(':') != std::string::npos)
    host = "[" + host + "]";
  return "http://" + host + ":" + std::to_string(listen->port);
}

std::string stream_url_base(const Config &config) {
  const std::string url = public_url(config);
  // http -> ws, https -> wss
  return url.starts_with("http") ? "ws" + url.substr(4) : url;
}

std::vector<std::string> auth_tokens(const Config &config) {
  std::vector<std::string> tokens;
  for (const auto &part : split(config.twilio.auth_token, ','))
    if (const auto token = trim(part); !token.empty())
      tokens.emplace_back(token);
  return tokens;
}

} // namespace patchcord::config
