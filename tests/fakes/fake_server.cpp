// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fake_server.hpp"

#include <glib-unix.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace patchcord::fakes {

FakeTimer::FakeTimer(FakeTimer &&other) noexcept
    : source_(std::exchange(other.source_, nullptr)),
      timer_(std::move(other.timer_)) {}

FakeTimer &FakeTimer::operator=(FakeTimer &&other) noexcept {
  if (this != &other) {
    cancel();
    source_ = std::exchange(other.source_, nullptr);
    timer_ = std::move(other.timer_);
  }
  return *this;
}

void FakeTimer::cancel() {
  if (GSource *source = std::exchange(source_, nullptr)) {
    g_source_destroy(source);
    g_source_unref(source);
  }
  timer_.cancel();
}

std::int64_t FakeHost::now_ns() const {
  if (worker_ != nullptr)
    return worker_->now().count();
  return RealClock().now().count();
}

FakeTimer FakeHost::after(int milliseconds, std::function<void()> fire) {
  FakeTimer timer;
  if (worker_ != nullptr) {
    timer.timer_ = worker_->after(std::chrono::milliseconds(milliseconds),
                                  std::move(fire));
    return timer;
  }
  // GLib's own timeouts come a millisecond late, which a benchmark would take
  // the server to task for.
  const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (fd < 0)
    g_error("fakes: no timer: %s", g_strerror(errno));
  itimerspec when{};
  when.it_value.tv_sec = milliseconds / 1000;
  when.it_value.tv_nsec = milliseconds % 1000 * 1'000'000 + 1; // 0 disarms
  timerfd_settime(fd, 0, &when, nullptr);
  struct Fire {
    int fd;
    std::function<void()> call;
  };
  timer.source_ = g_unix_fd_source_new(fd, G_IO_IN);
  const GUnixFDSourceFunc expired = [](gint, GIOCondition, gpointer data) {
    // A copy: the callback may cancel its own timer.
    const auto call = static_cast<Fire *>(data)->call;
    call();
    return G_SOURCE_REMOVE;
  };
  g_source_set_callback(timer.source_, G_SOURCE_FUNC(expired),
                        new Fire{fd, std::move(fire)}, [](gpointer data) {
                          auto *spent = static_cast<Fire *>(data);
                          close(spent->fd);
                          delete spent;
                        });
  g_source_attach(timer.source_, context_);
  return timer;
}

class FakeServer::Impl {
public:
  Impl(Script script, std::uint16_t wanted) {
    host.script_ = std::make_shared<Script>(std::move(script));
    context_ = Ref<GMainContext>::adopt(g_main_context_new());
    host.context_ = context_.get();
    loop_ = g_main_loop_new(context_.get(), FALSE);
    thread_ = std::thread([this] {
      g_main_context_push_thread_default(context_.get());
      g_main_loop_run(loop_);
      g_main_context_pop_thread_default(context_.get());
    });
    run([&](FakeHost &) { listen(wanted); });
  }

  Impl(Script script, Worker &worker) {
    host.script_ = std::make_shared<Script>(std::move(script));
    host.worker_ = &worker;
    context_ = Ref<GMainContext>::share(worker.context());
    host.context_ = context_.get();
    g_main_context_push_thread_default(context_.get());
    listen(0);
    g_main_context_pop_thread_default(context_.get());
  }

  ~Impl() {
    run([&](FakeHost &) {
      if (server_)
        soup_server_disconnect(server_.get());
      server_.reset();
    });
    if (thread_.joinable()) {
      g_main_loop_quit(loop_);
      thread_.join();
    }
    if (loop_ != nullptr)
      g_main_loop_unref(loop_);
  }
  Impl(const Impl &) = delete;
  Impl &operator=(const Impl &) = delete;

  void run(const std::function<void(FakeHost &)> &work) {
    if (!thread_.joinable() || std::this_thread::get_id() == thread_.get_id()) {
      work(host);
      return;
    }
    struct Sync {
      const std::function<void(FakeHost &)> &work;
      FakeHost &host;
      std::mutex mutex;
      std::condition_variable ready;
      bool done = false;
    } sync{work, host};
    // Not g_main_context_invoke(): before the loop's thread has taken its
    // context, that would run the work here.
    GSource *source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(
        source,
        [](gpointer data) -> gboolean {
          auto &s = *static_cast<Sync *>(data);
          s.work(s.host);
          const std::lock_guard lock(s.mutex);
          s.done = true;
          s.ready.notify_one();
          return G_SOURCE_REMOVE;
        },
        &sync, nullptr);
    g_source_attach(source, context_.get());
    g_source_unref(source);
    std::unique_lock lock(sync.mutex);
    sync.ready.wait(lock, [&] { return sync.done; });
  }

  FakeHost host;
  std::uint16_t port = 0;

private:
  void listen(std::uint16_t wanted) {
    server_ = Ref<SoupServer>::adopt(
        soup_server_new("server-header", "patchcord-fakes", nullptr));
    host.server_ = server_.get();
    GErrorHolder error;
    if (!soup_server_listen_local(server_.get(), wanted,
                                  SOUP_SERVER_LISTEN_IPV4_ONLY, error.out()))
      g_error("fakes: cannot listen on port %u: %s", unsigned{wanted},
              error.message());
    GSList *uris = soup_server_get_uris(server_.get());
    port = static_cast<std::uint16_t>(
        g_uri_get_port(static_cast<GUri *>(uris->data)));
    g_slist_free_full(
        uris, [](gpointer uri) { g_uri_unref(static_cast<GUri *>(uri)); });
    add_own_paths();
    add_openai(host);
    add_twilio(host);
#ifdef PATCHCORD_FAKE_ELEVENLABS
    add_elevenlabs(host);
#endif
  }

  void add_own_paths() {
    soup_server_add_handler(
        server_.get(), "/fake/stats",
        [](SoupServer *, SoupServerMessage *message, const char *, GHashTable *,
           gpointer data) {
          auto &self = *static_cast<Impl *>(data);
          const std::string body = self.host.stats_.json(self.host.now_ns());
          soup_server_message_set_status(message, 200, nullptr);
          soup_server_message_set_response(message, "application/json",
                                           SOUP_MEMORY_COPY, body.data(),
                                           body.size());
        },
        this, nullptr);
    soup_server_add_handler(
        server_.get(), "/fake/reset",
        [](SoupServer *, SoupServerMessage *message, const char *, GHashTable *,
           gpointer data) {
          static_cast<Impl *>(data)->host.stats_.reset();
          soup_server_message_set_status(message, 204, nullptr);
        },
        this, nullptr);
  }

  Ref<GMainContext> context_;
  GMainLoop *loop_ = nullptr;
  std::thread thread_;
  Ref<SoupServer> server_;
};

FakeServer::FakeServer(Script script, std::uint16_t port)
    : impl_(std::make_unique<Impl>(std::move(script), port)) {}
FakeServer::FakeServer(Script script, Worker &worker)
    : impl_(std::make_unique<Impl>(std::move(script), worker)) {}
FakeServer::~FakeServer() = default;

std::uint16_t FakeServer::port() const { return impl_->port; }
std::string FakeServer::url() const {
  return "http://127.0.0.1:" + std::to_string(impl_->port);
}
std::string FakeServer::stats() const {
  std::string json;
  run([&](FakeHost &host) { json = host.stats().json(host.now_ns()); });
  return json;
}
void FakeServer::run(const std::function<void(FakeHost &)> &work) const {
  impl_->run(work);
}
void FakeServer::set_script(Script script) {
  run([&](FakeHost &host) {
    host.script_ = std::make_shared<Script>(std::move(script));
  });
}

} // namespace patchcord::fakes
