// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "twilio/media_stream.hpp"
#include "worker/worker.hpp"

#include <functional>
#include <memory>
#include <string>

namespace patchcord::server {

// What `twiliosrc` alone in gst-launch listens with: answers the voice webhook
// with TwiML that points back here, and takes one media stream; a second caller
// hears that the line is busy. On the worker.
class SingleCallServer {
public:
  struct Options {
    int port = 8080; // 0: any free one
    std::string path =
        "/voice";           // of the webhook; the stream is path + "/stream"
    std::string public_url; // empty: from the request's Host, for tunnels
    std::string auth_token; // empty: signatures are not checked, and said so
  };
  // `on_stream` may destroy the server.
  static Result<std::unique_ptr<SingleCallServer>>
  start(Worker &worker, const Options &options,
        std::function<void(std::shared_ptr<twilio::MediaStream>)> on_stream);
  virtual ~SingleCallServer() = default;
  virtual int port() const = 0;
};

} // namespace patchcord::server
