// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "net/http_observer.hpp"
#include "worker/worker.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchcord::net {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  std::string username, password; // HTTP Basic when not empty
  Duration connect_timeout = 2s;
  Duration timeout = 10s;     // whole transfer; 0: none
  Duration idle_timeout = 0s; // nothing received for so long; 0: none
  std::size_t max_body = std::size_t{8} << 20; // of a fetched response
  std::string ca_file; // certificates to trust; empty: the system's
  std::shared_ptr<HttpObserver> observer;
};

struct HttpResponse {
  int status = 0;
  Headers headers; // names in lower case
  std::string body;
  std::optional<std::string> header(std::string_view lower_case_name) const;
};

// HTTP/1.1 and HTTP/2 on libcurl's multi interface, one multi a worker
// (`worker.service<net::HttpClient>()`), connections kept alive across
// transfers. Redirects are responses like any other: a request and its keys go
// where they were sent. Handlers run from the worker, never from within a call
// into this object. Timeouts go by the worker's clock. Error codes: "connect",
// "timeout", "tls", "bad_url", "too_large", "protocol".
class HttpClient {
public:
  // Aborts its transfer when destroyed; no handler runs after that. May be
  // destroyed from within a handler.
  class Transfer {
  public:
    virtual ~Transfer() = default;
  };

  struct StreamHandlers {
    // Once, before any data: the final status (not 1xx, not followed
    // redirects) and headers.
    std::function<void(int status, const Headers &headers)> response;
    std::function<void(ByteSpan)> data;
    // Once, last. An Error also when the body was cut off.
    std::function<void(const Result<Unit> &)> done;
  };

  explicit HttpClient(Worker &worker);
  ~HttpClient();
  HttpClient(const HttpClient &) = delete;
  HttpClient &operator=(const HttpClient &) = delete;

  [[nodiscard]] std::unique_ptr<Transfer> stream(const HttpRequest &request,
                                                 StreamHandlers handlers);
  // Any status is a response; an Error means that there was none.
  [[nodiscard]] std::unique_ptr<Transfer>
  fetch(const HttpRequest &request,
        std::function<void(Result<HttpResponse>)> done);

  // Whether an answer is on its way.
  bool busy() const;

  // All requests of this worker are given to `serve` from now on and none goes
  // out: for calls that are played again.
  using Serve = std::function<std::unique_ptr<Transfer>(const HttpRequest &,
                                                        StreamHandlers)>;
  void serve_by(Serve serve);

private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace patchcord::net
