// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/realtime_endpoint.hpp"

#include "base/text.hpp"

#include <glib.h>

#include "base/handles.hpp"

#include <array>
#include <utility>

namespace patchcord::openai {
namespace {

constexpr std::array<std::pair<std::string_view, RealtimeModel>, 3> kModels = {
    {{"gpt-live-transcribe", {false, true, true}},
     {"gpt-realtime-whisper", {false, false, true}},
     {"gpt-transcribe", {true, true, false}}}};

std::string host_of(std::string_view url) {
  auto start = url.find("://");
  start = start == std::string_view::npos ? 0 : start + 3;
  std::string_view authority =
      url.substr(start, url.find_first_of("/?#", start) - start);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  return to_lower(authority.substr(0, authority.rfind(':')));
}

bool has_parameter(std::string_view query, std::string_view name) {
  for (const auto &part : split(query, '&'))
    if (part == name || part.starts_with(std::string(name) + "="))
      return true;
  return false;
}

} // namespace

RealtimeModel realtime_model(std::string_view name) {
  for (const auto &[prefix, model] : kModels)
    if (name.starts_with(prefix))
      return model;
  return {};
}

std::string realtime_url(std::string_view base_url, std::string_view custom,
                         std::string_view model) {
  if (!custom.empty())
    return std::string(custom);
  std::string_view address = base_url.substr(0, base_url.find('#'));
  std::string query;
  if (const auto mark = address.find('?'); mark != std::string_view::npos) {
    query = address.substr(mark + 1);
    address = address.substr(0, mark);
  }
  while (address.ends_with('/'))
    address.remove_suffix(1);
  std::string url(address);
  if (url.starts_with("https://"))
    url.replace(0, 5, "wss");
  else if (url.starts_with("http://"))
    url.replace(0, 4, "ws");
  const auto add = [&](std::string_view name, std::string_view value) {
    if (has_parameter(query, name))
      return;
    const GCharPtr escaped(
        g_uri_escape_string(std::string(value).c_str(), nullptr, FALSE));
    query += query.empty() ? "" : "&";
    query += std::string(name) + "=" + escaped.get();
  };
  add("intent", "transcription");
  if (!model.empty())
    add("model", model);
  return url + "/realtime?" + query;
}

bool is_openai_url(std::string_view url) {
  const std::string host = host_of(url);
  return host == "api.openai.com" || host.ends_with(".api.openai.com");
}

bool is_azure_url(std::string_view url) {
  return host_of(url).ends_with(".openai.azure.com");
}

} // namespace patchcord::openai
