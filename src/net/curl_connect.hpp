// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "net/curl_multi.hpp"
#include "net/transport.hpp"

#include <functional>
#include <memory>
#include <string>

namespace patchcord::net {

// A connection that libcurl makes and leaves to others (CURLOPT_CONNECT_ONLY).
class CurlConnect final : public CurlJob {
public:
  explicit CurlConnect(Worker &worker) : CurlJob(CurlMulti::of(worker)) {}

  // `authority`: host and port as in a URL. `done` runs from the worker's loop.
  void connect(const std::string &authority, bool tls,
               const std::string &ca_file, std::function<void()> done);
  void cancel() {
    done_ = nullptr;
    stop();
  }
  // Empty when connected.
  const std::string &error() const { return error_; }

  // The socket as it is, to be closed by the receiver; without TLS only. Ends
  // libcurl's part. -1 on error.
  int take_socket();
  // With TLS; the transport holds this. Null on error.
  std::unique_ptr<Transport> transport();

private:
  friend class CurlTransport;
  void dispatch() override;
  curl_socket_t active_socket() const;

  std::string error_;
  std::function<void()> done_;
};

} // namespace patchcord::net
