// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libsoup/soup.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

// libsoup on a thread of its own: the independent implementation to which
// ours has to talk.
class SoupThread {
public:
  SoupThread();
  ~SoupThread();
  SoupThread(const SoupThread &) = delete;
  SoupThread &operator=(const SoupThread &) = delete;

  // Runs `task` there and waits for it. One at a time.
  void call(const std::function<void()> &task);

private:
  void run_task();

  GMainContext *context_;
  GMainLoop *loop_;
  std::mutex mutex_;
  std::condition_variable ready_;
  const std::function<void()> *task_ = nullptr;
  std::thread thread_; // last: it uses the others
};

// A server of libsoup's on a port of its own.
class SoupPeer {
public:
  // `set_up` adds handlers. With `tls_certificate` it speaks TLS.
  explicit SoupPeer(const std::function<void(SoupServer *)> &set_up,
                    GTlsCertificate *tls_certificate = nullptr);
  ~SoupPeer();
  SoupPeer(const SoupPeer &) = delete;
  SoupPeer &operator=(const SoupPeer &) = delete;

  int port() const { return port_; }
  // "http://127.0.0.1:PORT/path" with the scheme given.
  std::string url(const std::string &scheme, const std::string &path,
                  const std::string &host = "127.0.0.1") const;
  void call(const std::function<void()> &task) { thread_.call(task); }
  SoupServer *server() const { return server_; }
  GTlsCertificate *certificate() const { return certificate_; }

private:
  SoupThread thread_;
  GTlsCertificate *const certificate_;
  GSocketService *service_ = nullptr;
  SoupServer *server_ = nullptr;
  int port_ = 0;
};

// A throwaway certificate for 127.0.0.1 and localhost, made with the openssl
// program. Its path is empty when there is no such program.
struct TestCertificate {
  TestCertificate();
  ~TestCertificate();
  TestCertificate(const TestCertificate &) = delete;
  TestCertificate &operator=(const TestCertificate &) = delete;
  std::string path; // certificate and key in PEM
  GTlsCertificate *certificate = nullptr;
};
