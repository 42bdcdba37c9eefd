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
  return (scheme == "http://" || scheme == "ws://") &&
         !is_loopback_host(url_host(url));
}

bool is_secret_name(std::string_view name) {
  const std::string lower = to_lower(name);
  for (const char *part :
       {"auth", "cookie", "token", "secret", "key", "passw", "pwd",
        "credential", "signature", "session", "jwt", "bearer"})
    if (lower.find(part) != std::string::npos)
      return true;
  return lower == "sig" || lower == "pass";
}

std::string redacted_url(std::string_view url) {
  const Parts parts = parts_of(url);
  std::string out(parts.scheme);
  out += parts.authority;
  std::string_view rest = parts.resource;
  const auto query = rest.find('?');
  if (query == std::string_view::npos)
    return out.append(rest);
  out += rest.substr(0, query + 1);
  rest.remove_prefix(query + 1);
  const auto fragment = rest.find('#');
  bool first = true;
  for (const std::string &pair : split(rest.substr(0, fragment), '&')) {
    const auto equals = pair.find('=');
    const bool secret =
        equals != std::string::npos && is_secret_name(pair.substr(0, equals));
    out += first ? "" : "&";
    out += secret ? pair.substr(0, equals + 1) + "***" : pair;
    first = false;
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
