// SPDX-License-Identifier: LGPL-2.1-or-later
#include "soup_peer.hpp"

#include <gio/gio.h>
#include <glib/gstdio.h>

#include <condition_variable>
#include <mutex>

SoupThread::SoupThread()
    : context_(g_main_context_new()), loop_(g_main_loop_new(context_, FALSE)),
      thread_([this] {
        g_main_context_push_thread_default(context_);
        g_main_loop_run(loop_);
        g_main_context_pop_thread_default(context_);
      }) {}

SoupThread::~SoupThread() {
  call([this] { g_main_loop_quit(loop_); });
  thread_.join();
  while (g_main_context_iteration(context_, FALSE)) {
  }
  g_main_loop_unref(loop_);
  g_main_context_unref(context_);
}

void SoupThread::call(const std::function<void()> &task) {
  struct Call {
    const std::function<void()> &task;
    std::mutex mutex;
    std::condition_variable ready;
    bool done = false;
  } call{task, {}, {}, false};
  GSource *source = g_idle_source_new();
  g_source_set_priority(source, G_PRIORITY_DEFAULT);
  g_source_set_callback(
      source,
      [](void *data) -> gboolean {
        auto &self = *static_cast<Call *>(data);
        self.task();
        const std::lock_guard lock(self.mutex);
        self.done = true;
        self.ready.notify_one();
        return G_SOURCE_REMOVE;
      },
      &call, nullptr);
  g_source_attach(source, context_);
  g_source_unref(source);
  std::unique_lock lock(call.mutex);
  call.ready.wait(lock, [&] { return call.done; });
}

SoupPeer::SoupPeer(const std::function<void(SoupServer *)> &set_up,
                   GTlsCertificate *tls_certificate) {
  thread_.call([&] {
    server_ = soup_server_new("tls-certificate", tls_certificate, nullptr);
    set_up(server_);
    GError *error = nullptr;
    soup_server_listen_local(
        server_, 0,
        static_cast<SoupServerListenOptions>(
            SOUP_SERVER_LISTEN_IPV4_ONLY |
            (tls_certificate != nullptr ? SOUP_SERVER_LISTEN_HTTPS : 0)),
        &error);
    g_assert_no_error(error);
    GSList *uris = soup_server_get_uris(server_);
    port_ = g_uri_get_port(static_cast<GUri *>(uris->data));
    g_slist_free_full(uris, reinterpret_cast<GDestroyNotify>(g_uri_unref));
  });
}

SoupPeer::~SoupPeer() {
  thread_.call([&] {
    soup_server_disconnect(server_);
    g_object_unref(server_);
  });
}

std::string SoupPeer::url(const std::string &scheme, const std::string &path,
                          const std::string &host) const {
  return scheme + "://" + host + ":" + std::to_string(port_) + path;
}

TestCertificate::TestCertificate() {
  char *program = g_find_program_in_path("openssl");
  if (program == nullptr)
    return;
  g_free(program);
  GError *error = nullptr;
  char *folder = g_dir_make_tmp("patchcord-tls-XXXXXX", &error);
  g_assert_no_error(error);
  const std::string key = std::string(folder) + "/key.pem";
  const std::string certificate_file = std::string(folder) + "/cert.pem";
  const char *command[] = {"openssl",
                           "req",
                           "-x509",
                           "-newkey",
                           "ec",
                           "-pkeyopt",
                           "ec_paramgen_curve:prime256v1",
                           "-nodes",
                           "-days",
                           "2",
                           "-subj",
                           "/CN=localhost",
                           "-addext",
                           "subjectAltName=DNS:localhost,IP:127.0.0.1",
                           "-keyout",
                           key.c_str(),
                           "-out",
                           certificate_file.c_str(),
                           nullptr};
  int status = -1;
  g_spawn_sync(nullptr, const_cast<char **>(command), nullptr,
               static_cast<GSpawnFlags>(G_SPAWN_SEARCH_PATH |
                                        G_SPAWN_STDOUT_TO_DEV_NULL |
                                        G_SPAWN_STDERR_TO_DEV_NULL),
               nullptr, nullptr, nullptr, nullptr, &status, &error);
  g_assert_no_error(error);
  g_assert_cmpint(status, ==, 0);
  certificate = g_tls_certificate_new_from_files(certificate_file.c_str(),
                                                 key.c_str(), &error);
  g_assert_no_error(error);
  path = certificate_file;
  g_free(folder);
}

TestCertificate::~TestCertificate() {
  g_clear_object(&certificate);
  if (path.empty())
    return;
  char *folder = g_path_get_dirname(path.c_str());
  g_remove(path.c_str());
  g_remove((std::string(folder) + "/key.pem").c_str());
  g_rmdir(folder);
  g_free(folder);
}
