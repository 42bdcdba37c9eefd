// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "worker/worker.hpp"

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace patchcord::net {

class CurlJob;

// libcurl's multi handle of one worker: its sockets on the worker's epoll set,
// its timers on the worker's wheel. Names are resolved on libcurl's resolver
// threads, numeric addresses without one; connections, TLS sessions and the
// parsed certificate store are shared by all jobs.
//
// libcurl forbids most calls from within its callbacks. Jobs therefore only
// take notes in theirs and call wake(); dispatch() runs when libcurl has
// returned, and there everything is allowed.
class CurlMulti {
public:
  explicit CurlMulti(Worker &worker);
  ~CurlMulti();
  CurlMulti(const CurlMulti &) = delete;
  CurlMulti &operator=(const CurlMulti &) = delete;

  // The worker's own; jobs hold it weakly, so that they may outlive it.
  static std::shared_ptr<CurlMulti> of(Worker &worker);

private:
  friend class CurlJob;
  static int on_socket(CURL *easy, curl_socket_t fd, int what, void *self,
                       void *);
  static int on_timer(CURLM *multi, long timeout_ms, void *self);

  void open();
  void close_idle_connections();
  void act(curl_socket_t fd, int flags);
  void kick();
  void dispatch();
  void forget(CURL *easy);

  Worker &worker_;
  CURLM *multi_ = nullptr;
  CURLSH *share_ = nullptr;
  std::unordered_map<curl_socket_t, FdWatch> watches_;
  std::unordered_map<CURL *, CurlJob *> jobs_;
  std::vector<std::weak_ptr<CurlJob>> woken_, dispatching_;
  Timer timer_, idle_;
  bool kicked_ = false; // a kick() is in the mailbox
  bool acting_ = false; // libcurl is running
  bool told_ = false;   // libcurl has set its timer
  // For what is in the mailbox when this goes.
  std::shared_ptr<CurlMulti *> self_ = std::make_shared<CurlMulti *>(this);
};

// One easy handle. Destroying the job ends what it does.
class CurlJob : public std::enable_shared_from_this<CurlJob> {
public:
  virtual ~CurlJob();
  CurlJob(const CurlJob &) = delete;
  CurlJob &operator=(const CurlJob &) = delete;

protected:
  // Null when out of memory or when the worker is going.
  explicit CurlJob(const std::shared_ptr<CurlMulti> &multi);
  CURL *easy() const { return easy_; }
  // The certificates of this file and no others; empty: as it was.
  void trust_only(const std::string &ca_file);
  // Nothing is called from within.
  bool start();
  // From libcurl's callbacks: dispatch() soon.
  void wake();
  // Ends the transfer and frees the handle. Not from libcurl's callbacks.
  void stop();

  // What came since the last time may be handled now.
  virtual void dispatch() = 0;
  std::optional<CURLcode> result() const { return result_; }
  std::string error_text() const;

private:
  friend class CurlMulti;
  std::weak_ptr<CurlMulti> multi_;
  CURL *easy_ = nullptr;
  bool woken_ = false;
  std::optional<CURLcode> result_;
  std::unique_ptr<char[]> error_; // libcurl writes into it
};

} // namespace patchcord::net
