// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace patchcord::net {

using Headers = std::vector<std::pair<std::string, std::string>>;
struct HttpRequest;

// Sees a call's requests and what comes of them: for its recording. On the
// worker; each method before who asked is told.
class HttpObserver {
public:
  virtual ~HttpObserver() = default;
  // A number for the request, by which the rest is told.
  virtual std::int64_t requested(const HttpRequest &request) = 0;
  virtual void response(std::int64_t request, int status,
                        const Headers &headers) = 0;
  virtual void data(std::int64_t request, ByteSpan bytes) = 0;
  virtual void done(std::int64_t request, const Result<Unit> &result) = 0;
};

} // namespace patchcord::net
