// SPDX-License-Identifier: LGPL-2.1-or-later
#include "soup_peer.hpp"

#include <gio/gio.h>
#include <glib/gstdio.h>

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
  // Under a lock of our own: a sanitizer does not see GLib's.
  std::unique_lock lock(mutex_);
  task_ = &task;
  GSource *source = g_idle_source_new();
  g_source_set_priority(source, G_PRIORITY_DEFAULT);
  g_source_set_callback(
      source,
      [](void *data) -> gboolean {
        static_cast<SoupThread *>(data)->run_task();
        return G_SOURCE_REMOVE;
      },
      this, nullptr);
  g_source_attach(source, context_);
  g_source_unref(source);
  ready_.wait(lock, [&] { return task_ == nullptr; });
}

void SoupThread::run_task() {
  const std::lock_guard lock(mutex_);
  (*task_)();
  task_ = nullptr;
  ready_.notify_one();
}

// libsoup 3.2's own listener loses a reference to each accepted socket: what
// leak checkers see, and a descriptor whenever the client hangs up first.
// Accepting for it avoids that; a connection then ends with its first response.
static gboolean on_incoming(GSocketService *, GSocketConnection *connection,
                            GObject *, void *data) {
  auto &self = *static_cast<SoupPeer *>(data);
  GSocketAddress *local =
      g_socket_connection_get_local_address(connection, nullptr);
  GSocketAddress *remote =
      g_socket_connection_get_remote_address(connection, nullptr);
  auto *stream = G_IO_STREAM(g_object_ref(connection));
  if (self.certificate() != nullptr) {
    g_object_unref(stream);
    stream = g_tls_server_connection_new(G_IO_STREAM(connection),
                                         self.certificate(), nullptr);
  }
  soup_server_accept_iostream(self.server(), stream, local, remote, nullptr);
  g_object_unref(stream);
  g_object_unref(local);
  g_object_unref(remote);
  return TRUE;
}

SoupPeer::SoupPeer(const std::function<void(SoupServer *)> &set_up,
                   GTlsCertificate *tls_certificate)
    : certificate_(tls_certificate) {
  thread_.call([&] {
    server_ = soup_server_new(nullptr, nullptr);
    set_up(server_);
    service_ = g_socket_service_new();
    GInetAddress *loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    GSocketAddress *any = g_inet_socket_address_new(loopback, 0);
    GSocketAddress *bound = nullptr;
    GError *error = nullptr;
    g_socket_listener_add_address(G_SOCKET_LISTENER(service_), any,
                                  G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                  nullptr, &bound, &error);
    g_assert_no_error(error);
    port_ = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
    g_object_unref(bound);
    g_object_unref(any);
    g_object_unref(loopback);
    g_signal_connect(service_, "incoming", G_CALLBACK(on_incoming), this);
  });
}

SoupPeer::~SoupPeer() {
  thread_.call([&] {
    g_socket_service_stop(service_);
    g_socket_listener_close(G_SOCKET_LISTENER(service_));
    g_object_unref(service_);
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
