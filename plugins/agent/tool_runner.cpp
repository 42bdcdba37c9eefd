// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tool_runner.hpp"

#include "base/text.hpp"
#include "base/url.hpp"
#include "config/secret.hpp"

#include <algorithm>
#include <utility>

namespace patchcord {
namespace {

std::string key_of(const agent::ToolHeader &header) {
  return header.env.empty() ? "file:" + header.file : "env:" + header.env;
}

} // namespace

Result<ToolSecrets> ToolSecrets::read(const agent::Definition &definition) {
  ToolSecrets all;
  for (const agent::Tool &tool : definition.tools)
    for (const agent::ToolHeader &header : tool.headers) {
      if (!header.has_secret())
        continue;
      auto secret = config::read_secret(header.env, header.file);
      if (!secret)
        return make_error(secret.error().code,
                          "the tool " + tool.name + ", header " + header.name +
                              ": " + secret.error().message);
      all.secrets_[key_of(header)] = *std::move(secret);
    }
  return all;
}

net::Headers
ToolSecrets::headers(const std::vector<agent::ToolHeader> &headers) const {
  net::Headers out;
  for (const agent::ToolHeader &header : headers) {
    if (!header.has_secret()) {
      out.emplace_back(header.name, header.text);
      continue;
    }
    const auto found = secrets_.find(key_of(header));
    if (found != secrets_.end())
      out.emplace_back(header.name, header.text + found->second);
  }
  return out;
}

void ToolRunner::run(std::uint32_t run, const agent::ToolRequest &todo) {
  net::HttpRequest request;
  request.method = todo.method;
  request.url = todo.url;
  if (!endpoint_.origin.empty())
    request.url = endpoint_.origin + std::string(url_resource(todo.url));
  request.headers = endpoint_.secrets.headers(todo.headers);
  bool has_accept = false;
  for (const auto &[name, value] : request.headers)
    has_accept = has_accept || to_lower(name) == "accept";
  if (!has_accept)
    request.headers.emplace_back("Accept", "application/json");
  if (!todo.body.empty())
    request.headers.emplace_back("Content-Type", "application/json");
  request.body = todo.body;
  request.observer = endpoint_.observer;
  request.connect_timeout = std::min(request.connect_timeout, todo.timeout);
  request.timeout = todo.timeout;
  request.max_body = todo.max_bytes;
  running_[run] = worker_.service<net::HttpClient>().fetch(
      request, [this, run](Result<net::HttpResponse> response) {
        // The handler is gone with its transfer: what it needs is kept.
        const Done done = done_;
        const auto transfer = std::move(running_.extract(run).mapped());
        if (response)
          done(run,
               agent::ToolAnswer{response->status, std::move(response->body)});
        else
          done(run, response.error());
      });
}

} // namespace patchcord
