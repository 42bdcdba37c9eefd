// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/signature.hpp"

#include "base/base64.hpp"
#include "base/handles.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace patchcord::twilio {
namespace {

using Urls = std::vector<std::string>;

// Names in byte order, for each its distinct values in byte order, with nothing
// between: "CallSid" comes before "Called".
std::string signed_fields(const Form &fields) {
  std::map<std::string_view, std::set<std::string_view>> sorted;
  for (const auto &[name, value] : fields)
    sorted[name].insert(value);
  std::string text;
  for (const auto &[name, values] : sorted)
    for (const auto value : values)
      text.append(name).append(value);
  return text;
}

std::string hmac_sha1(std::string_view key, std::string_view text) {
  GHmac *hmac =
      g_hmac_new(G_CHECKSUM_SHA1, reinterpret_cast<const guchar *>(key.data()),
                 key.size());
  g_hmac_update(hmac, reinterpret_cast<const guchar *>(text.data()),
                static_cast<gssize>(text.size()));
  std::array<std::uint8_t, 20> digest{};
  gsize size = digest.size();
  g_hmac_get_digest(hmac, digest.data(), &size);
  g_hmac_unref(hmac);
  return base64::encode({digest.data(), size});
}

struct UrlParts {
  std::string_view scheme, credentials, host, port, path,
      query; // no separators
  bool has_credentials = false, has_query = false;
};

UrlParts split_url(std::string_view url) {
  UrlParts parts;
  if (const auto end = url.find("://"); end != std::string_view::npos) {
    parts.scheme = url.substr(0, end);
    url.remove_prefix(end + 3);
  }
  const auto authority_end = std::min(url.find_first_of("/?"), url.size());
  auto authority = url.substr(0, authority_end);
  url.remove_prefix(authority_end);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    parts.has_credentials = true;
    parts.credentials = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  // The colons of an IPv6 address stand before its bracket.
  const auto colon = authority.rfind(':');
  const auto bracket = authority.rfind(']');
  if (colon != std::string_view::npos &&
      (bracket == std::string_view::npos || colon > bracket)) {
    parts.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  parts.host = authority;
  if (const auto question = url.find('?'); question != std::string_view::npos) {
    parts.has_query = true;
    parts.query = url.substr(question + 1);
    url = url.substr(0, question);
  }
  parts.path = url;
  return parts;
}

std::string replace_all(std::string_view text, std::string_view from,
                        std::string_view to) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text.substr(i).starts_with(from)) {
      out += to;
      i += from.size();
    } else {
      out += text[i++];
    }
  }
  return out;
}

// The ways in which the query may have been spelled when it was signed: some
// clients escape what others (and GLib's URI parser) leave as it is.
std::set<std::string> query_spellings(std::string_view query) {
  std::set<std::string> all = {std::string(query)};
  for (const auto &[plain, escaped] :
       {std::pair<std::string_view, std::string_view>{"'", "%27"},
        {"~", "%7E"}}) {
    for (const auto &spelling : std::set<std::string>(all)) {
      all.insert(replace_all(spelling, plain, escaped));
      all.insert(replace_all(spelling, escaped, plain));
    }
  }
  return all;
}

Urls spellings(std::string_view url, bool slash_variants) {
  const UrlParts parts = split_url(url);
  const bool secure = parts.scheme == "https" || parts.scheme == "wss";
  const std::string default_port = secure ? "443" : "80";
  std::set<std::string_view> paths = {parts.path};
  std::string with_slash;
  if (slash_variants && !parts.has_query) {
    if (parts.path.ends_with('/')) {
      paths.insert(parts.path.substr(0, parts.path.size() - 1));
    } else {
      with_slash = std::string(parts.path) + "/";
      paths.insert(with_slash);
    }
  }
  std::set<std::string> ports = {std::string(parts.port), "", default_port};
  std::set<std::string> all = {std::string(url)};
  for (const bool credentials : {true, false})
    for (const auto &port : ports)
      for (const auto path : paths)
        for (const auto &query : query_spellings(parts.query)) {
          std::string spelled(parts.scheme);
          spelled += "://";
          if (credentials && parts.has_credentials)
            spelled.append(parts.credentials).append("@");
          spelled.append(parts.host);
          if (!port.empty())
            spelled.append(":").append(port);
          spelled.append(path);
          if (parts.has_query)
            spelled.append("?").append(query);
          all.insert(std::move(spelled));
        }
  return {all.begin(), all.end()};
}

bool any_matches(const std::vector<std::string> &auth_tokens,
                 std::string_view signature, const Urls &urls,
                 const std::string &fields) {
  bool valid = false;
  for (const auto &token : auth_tokens) {
    if (token.empty())
      continue; // An empty key would let everybody sign.
    for (const auto &url : urls)
      valid |= constant_time_equal(hmac_sha1(token, url + fields), signature);
  }
  return valid;
}

// Decoded value of a query parameter of `url`.
std::string query_value(std::string_view url, std::string_view name) {
  const auto form = parse_form(split_url(url).query);
  return form.ok() ? std::string(form_value(*form, name)) : std::string();
}

} // namespace

std::string sign(std::string_view auth_token, std::string_view url,
                 const Form &fields) {
  return hmac_sha1(auth_token, std::string(url) + signed_fields(fields));
}

bool valid_form_signature(const std::vector<std::string> &auth_tokens,
                          std::string_view signature, std::string_view url,
                          const Form &fields) {
  return any_matches(auth_tokens, signature, spellings(url, false),
                     signed_fields(fields));
}

bool valid_body_signature(const std::vector<std::string> &auth_tokens,
                          std::string_view signature, std::string_view url,
                          std::string_view body) {
  const GCharPtr hash(g_compute_checksum_for_data(
      G_CHECKSUM_SHA256, reinterpret_cast<const guchar *>(body.data()),
      body.size()));
  const bool body_ok =
      constant_time_equal(query_value(url, "bodySHA256"), hash.get());
  return any_matches(auth_tokens, signature, spellings(url, false), {}) &&
         body_ok;
}

bool valid_handshake_signature(const std::vector<std::string> &auth_tokens,
                               std::string_view signature,
                               std::string_view stream_url) {
  return any_matches(auth_tokens, signature, spellings(stream_url, true), {});
}

} // namespace patchcord::twilio
