// SPDX-License-Identifier: LGPL-2.1-or-later
#include "net/curl_multi.hpp"

#include <sys/epoll.h>

#include <csignal>
#include <mutex>
#include <utility>

namespace patchcord::net {
namespace {

// Idle connections kept for reuse, a worker: enough that some hundreds of
// calls, each with a request every few seconds to a handful of hosts, mostly
// find one; an idle TLS connection holds some 50 kB.
constexpr long kIdleConnections = 16;
// Nobody asked anything for so long: no call is there whose next request a
// connection could serve, and a peer closes it about then. libcurl looks at the
// age of a connection only when it is asked for another.
constexpr Duration kIdle = 60s;

void initialize_curl() {
  static std::once_flag once;
  // SIGPIPE and signals in general are not libcurl's: CURLOPT_NOSIGNAL.
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

// With CURLOPT_NOSIGNAL libcurl leaves SIGPIPE alone, and OpenSSL's write() on
// a connection that was reset would raise it. The mask is this thread's only;
// resolver threads inherit it.
void block_sigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

bool has_certificate_file() {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  return info->cainfo != nullptr;
}

std::uint32_t to_epoll(int what) {
  switch (what) {
  case CURL_POLL_IN:
    return EPOLLIN;
  case CURL_POLL_OUT:
    return EPOLLOUT;
  case CURL_POLL_INOUT:
    return EPOLLIN | EPOLLOUT;
  default:
    return 0;
  }
}

int to_curl(std::uint32_t events) {
  return ((events & (EPOLLIN | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0) |
         ((events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
         ((events & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0);
}

struct CurlService {
  explicit CurlService(Worker &worker)
      : multi(std::make_shared<CurlMulti>(worker)) {}
  std::shared_ptr<CurlMulti> multi;
};

} // namespace

std::shared_ptr<CurlMulti> CurlMulti::of(Worker &worker) {
  return worker.service<CurlService>().multi;
}

CurlMulti::CurlMulti(Worker &worker) : worker_(worker) {
  initialize_curl();
  block_sigpipe();
  share_ = curl_share_init();
  // Resumed TLS sessions save a round trip and most of a handshake's CPU.
  curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  open();
  timer_ = worker_.after(0s, [this] { act(CURL_SOCKET_TIMEOUT, 0); });
  timer_.cancel();
  idle_ = worker_.after(0s, [this] { close_idle_connections(); });
  idle_.cancel();
}

void CurlMulti::open() {
  multi_ = curl_multi_init();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kIdleConnections);
}

// There is no call for that in libcurl: a multi handle of its own has none.
void CurlMulti::close_idle_connections() {
  if (!jobs_.empty())
    return;
  timer_.cancel();
  curl_multi_cleanup(multi_);
  open();
}

CurlMulti::~CurlMulti() {
  *self_ = nullptr;
  for (const auto &[easy, job] : std::exchange(jobs_, {})) {
    job->easy_ = nullptr;
    curl_multi_remove_handle(multi_, easy);
    curl_easy_cleanup(easy);
  }
  curl_multi_cleanup(multi_);
  curl_share_cleanup(share_);
}

int CurlMulti::on_socket(CURL *, curl_socket_t fd, int what, void *self,
                         void *) {
  auto &multi = *static_cast<CurlMulti *>(self);
  if (what == CURL_POLL_REMOVE) {
    multi.watches_.erase(fd);
    return 0;
  }
  const auto known = multi.watches_.find(fd);
  if (known != multi.watches_.end()) {
    known->second.set_events(to_epoll(what));
    return 0;
  }
  multi.watches_[fd] =
      multi.worker_.watch(fd, to_epoll(what), [&multi, fd](std::uint32_t got) {
        multi.act(fd, to_curl(got));
      });
  return 0;
}

int CurlMulti::on_timer(CURLM *, long timeout_ms, void *self) {
  auto &multi = *static_cast<CurlMulti *>(self);
  multi.told_ = true;
  if (timeout_ms < 0)
    multi.timer_.cancel();
  else if (timeout_ms == 0)
    multi.kick();
  else
    multi.worker_.rearm(multi.timer_,
                        multi.worker_.now() +
                            std::chrono::milliseconds(timeout_ms));
  return 0;
}

// "At once" goes through the mailbox: a timer would wait for the next tick, a
// millisecond for each of the several steps that a request takes.
void CurlMulti::kick() {
  if (std::exchange(kicked_, true))
    return;
  worker_.post([self = self_] {
    if (CurlMulti *multi = *self) {
      multi->kicked_ = false;
      multi->act(CURL_SOCKET_TIMEOUT, 0);
    }
  });
}

void CurlMulti::act(curl_socket_t fd, int flags) {
  acting_ = true;
  told_ = false;
  int running = 0;
  curl_multi_socket_action(multi_, fd, flags, &running);
  if (fd == CURL_SOCKET_TIMEOUT && !told_) {
    // libcurl goes by its own clock and may find that nothing is due yet. It
    // does not tell the same time twice.
    long left_ms = -1;
    curl_multi_timeout(multi_, &left_ms);
    if (left_ms >= 0)
      worker_.rearm(timer_, worker_.now() + std::chrono::milliseconds(left_ms));
  }
  acting_ = false;
  dispatch();
}

void CurlMulti::dispatch() {
  int left = 0;
  while (const CURLMsg *message = curl_multi_info_read(multi_, &left)) {
    const auto job = jobs_.find(message->easy_handle);
    if (message->msg != CURLMSG_DONE || job == jobs_.end())
      continue;
    job->second->result_ = message->data.result;
    job->second->wake();
  }
  while (!woken_.empty()) {
    dispatching_.swap(woken_);
    for (const auto &weak : dispatching_)
      if (const auto job = weak.lock()) {
        job->woken_ = false;
        job->dispatch();
      }
    dispatching_.clear();
  }
}

void CurlMulti::forget(CURL *easy) {
  jobs_.erase(easy);
  curl_multi_remove_handle(multi_, easy);
  curl_easy_cleanup(easy);
  if (jobs_.empty())
    worker_.rearm(idle_, worker_.now() + kIdle);
}

CurlJob::CurlJob(const std::shared_ptr<CurlMulti> &multi)
    : multi_(multi), easy_(curl_easy_init()),
      error_(std::make_unique<char[]>(CURL_ERROR_SIZE)) {
  if (easy_ == nullptr)
    return;
  multi->jobs_[easy_] = this;
  error_[0] = '\0';
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_.get());
  curl_easy_setopt(easy_, CURLOPT_SHARE, multi->share_);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  // Else giving up during a name's lookup would wait for the resolver thread,
  // and the worker with it.
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
#endif
  // libcurl keeps the parsed certificates from connection to connection only
  // when they come from one file and from no folder. Where a file is built in,
  // the built-in folder holds the same ones.
  if (has_certificate_file())
    curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);
  // Each transfer in progress holds one such buffer.
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, 8192L);
  curl_easy_setopt(easy_, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
}

CurlJob::~CurlJob() { stop(); }

void CurlJob::trust_only(const std::string &ca_file) {
  if (ca_file.empty())
    return;
  curl_easy_setopt(easy_, CURLOPT_CAINFO, ca_file.c_str());
  curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);
}

bool CurlJob::start() {
  const auto multi = multi_.lock();
  return multi && easy_ != nullptr &&
         curl_multi_add_handle(multi->multi_, easy_) == CURLM_OK;
}

void CurlJob::wake() {
  const auto multi = multi_.lock();
  if (!multi || std::exchange(woken_, true))
    return;
  multi->woken_.push_back(weak_from_this());
  if (!multi->acting_)
    multi->kick();
}

void CurlJob::stop() {
  // Without its multi the handle is gone as well.
  if (const auto multi = multi_.lock(); multi && easy_ != nullptr)
    multi->forget(easy_);
  easy_ = nullptr;
}

std::string CurlJob::error_text() const {
  return error_[0] != '\0'
             ? error_.get()
             : curl_easy_strerror(result_.value_or(CURLE_FAILED_INIT));
}

} // namespace patchcord::net
