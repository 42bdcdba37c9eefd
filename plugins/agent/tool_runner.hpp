// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "agent/definition.hpp"
#include "net/http_client.hpp"
#include "worker/worker.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace patchcord {

// The secrets of an agent's tools, by where they stand.
class ToolSecrets {
public:
  // Reads them all. The error names the tool, its header, and the variable or
  // file.
  static Result<ToolSecrets> read(const agent::Definition &definition);
  net::Headers headers(const std::vector<agent::ToolHeader> &headers) const;

private:
  std::map<std::string, std::string> secrets_; // "env:NAME", "file:PATH"
};

// Where tools are called.
struct ToolEndpoint {
  ToolSecrets secrets;
  std::string origin; // instead of their own "https://host"; empty: theirs
  std::shared_ptr<net::HttpObserver> observer; // of the call's requests
};

// Makes the requests of tools, each as it comes, without waiting. Destroying it
// aborts them.
class ToolRunner {
public:
  using Done =
      std::function<void(std::uint32_t run, const Result<agent::ToolAnswer> &)>;
  ToolRunner(Worker &worker, ToolEndpoint endpoint, Done done)
      : worker_(worker), endpoint_(std::move(endpoint)),
        done_(std::move(done)) {}

  // `done` comes from the worker, never from within this call.
  void run(std::uint32_t run, const agent::ToolRequest &request);
  void cancel_all() { running_.clear(); }

private:
  Worker &worker_;
  const ToolEndpoint endpoint_;
  const Done done_;
  std::map<std::uint32_t, std::unique_ptr<net::HttpClient::Transfer>> running_;
};

} // namespace patchcord
