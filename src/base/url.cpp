// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/url.hpp"

#include "base/text.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace patchcord {
namespace {

struct Parts {
  std::string_view scheme;    // with its "://"; empty: there is none
  std::string_view user;      // with its "@"
  std::string_view authority; // host and port
  std::string_view resource;
};

Parts parts_of(std::string_view url) {
  Parts parts;
  if (const auto colon = url.find("://"); colon != std::string_view::npos) {
    parts.scheme = url.substr(0, colon + 3);
    url.remove_prefix(colon + 3);
  }
  const auto path = url.find_first_of("/?#");
  if (path != std::string_view::npos) {
    parts.resource = url.substr(path);
    url = url.substr(0, path);
  }
  if (const auto at = url.rfind('@'); at != std::string_view::npos) {
    parts.user = url.substr(0, at + 1);
    url.remove_prefix(at + 1);
  }
  parts.authority = url;
  return parts;
}

// Of `text` from the front: up to what no key has in it, and without that.
std::string_view take_run(std::string_view &text) {
  constexpr std::string_view kNone = "+/&,;!{} \t";
  const auto end = std::min(text.find_first_of(kNone), text.find("%20"));
  const std::string_view run = text.substr(0, end);
  if (end == std::string_view::npos)
    text = {};
  else if (text[end] == '{') // a placeholder's name
    text.remove_prefix(std::min(text.find('}', end), text.size()));
  else
    text.remove_prefix(end + (text[end] == '%' ? 3 : 1));
  return run;
}

bool is_placeholder(std::string_view text) {
  return text.starts_with('{') && text.find('}') == text.size() - 1;
}

std::string redacted_path(std::string_view path) {
  std::string out;
  for (bool first = true; const std::string &part : split(path, '/')) {
    out += first ? "" : "/";
    out += is_like_a_key(part) ? "***" : part;
    first = false;
  }
  return out;
}

std::string redacted_pair(const std::string &pair) {
  const auto equals = pair.find('=');
  if (equals == std::string::npos)
    return is_like_a_key(pair) ? "***" : pair;
  const std::string name = pair.substr(0, equals);
  const std::string value = pair.substr(equals + 1);
  const bool secret =
      !is_placeholder(value) && (is_secret_name(name) || is_like_a_key(value));
  return secret ? name + "=***" : pair;
}

} // namespace

std::string_view url_host(std::string_view url) {
  std::string_view host = parts_of(url).authority;
  if (host.starts_with('['))
    return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

std::string_view url_resource(std::string_view url) {
  const std::string_view resource = parts_of(url).resource;
  return resource.empty() ? "/" : resource;
}

bool is_loopback_host(std::string_view host) {
  const std::string text(host);
  in_addr four{};
  in6_addr six{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1)
    return (ntohl(four.s_addr) >> 24) == 127;
  if (inet_pton(AF_INET6, text.c_str(), &six) == 1)
    return IN6_IS_ADDR_LOOPBACK(&six);
  return to_lower(text) == "localhost";
}

bool is_in_the_clear(std::string_view url) {
  const std::string scheme = to_lower(parts_of(url).scheme);
  if (url.empty() || scheme == "https://" || scheme == "wss://")
    return false;
  const bool plain = scheme == "http://" || scheme == "ws://";
  return !plain || !is_loopback_host(url_host(url));
}

bool is_secret_name(std::string_view name) {
  const std::string lower = to_lower(name);
  for (const char *part :
       {"auth", "cookie", "token", "secret", "key", "passw", "pwd",
        "credential", "signature", "session", "jwt", "bearer"})
    if (lower.find(part) != std::string::npos)
      return true;
  return lower == "sig" || lower == "pass" || lower == "pw" || lower == "pin" ||
         lower == "otp" || lower == "code";
}

bool is_like_a_key(std::string_view text) {
  constexpr std::size_t kShortest = 16;
  while (!text.empty()) {
    const std::string_view run = take_run(text);
    const auto digits = std::count_if(
        run.begin(), run.end(), [](char c) { return c >= '0' && c <= '9'; });
    const auto letters = std::count_if(run.begin(), run.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    });
    // "2026-05-04T10:00:00Z" has two letters.
    if (run.size() >= kShortest && digits >= 2 && letters >= 3)
      return true;
  }
  return false;
}

std::string redacted_url(std::string_view url) {
  const Parts parts = parts_of(url);
  std::string out(parts.scheme);
  out += parts.authority;
  std::string_view rest = parts.resource;
  const auto fragment = rest.find('#');
  const auto query = rest.substr(0, fragment).find('?');
  out += redacted_path(rest.substr(0, std::min(query, fragment)));
  if (query != std::string_view::npos) {
    const auto size = fragment - query - 1; // much, without a fragment
    char before = '?';
    for (const std::string &pair : split(rest.substr(query + 1, size), '&')) {
      out += before;
      out += redacted_pair(pair);
      before = '&';
    }
  }
  return fragment == std::string_view::npos ? out
                                            : out.append(rest.substr(fragment));
}

std::string with_redacted_urls(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto begin = std::min(text.find("http://"), text.find("https://"));
    out += text.substr(0, begin);
    if (begin == std::string_view::npos)
      break;
    text.remove_prefix(begin);
    const std::string_view url =
        text.substr(0, text.find_first_of("\"' \t\r\n"));
    out += redacted_url(url);
    text.remove_prefix(url.size());
  }
  return out;
}

} // namespace patchcord
