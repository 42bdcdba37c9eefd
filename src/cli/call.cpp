// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/call_options.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "phone/event_follower.hpp"
#include "phone/fleet.hpp"
#include "phone/live_view.hpp"
#include "phone/readiness.hpp"
#include "phone/speech_loader.hpp"
#include "phone/wav.hpp"

#include <glib-unix.h>
#include <gst/gst.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace patchcord::cli {
namespace {

// What the agent still has to tell once the phone is done.
constexpr guint kFollowerPatienceMs = 1000;
constexpr guint kProgressMs = 2000;

struct LoopUnref {
  void operator()(GMainLoop *loop) const { g_main_loop_unref(loop); }
};

// A run of `patchcord call`. The main thread waits for the workers and for
// Ctrl-C, then says what came of it.
class Run {
public:
  Run(CallCommand command, std::shared_ptr<const phone::Plan> plan);
  int run();

private:
  // On the main thread.
  void start_view();
  void interrupt();
  void show_progress();
  void look_whether_done();
  int report(const std::vector<phone::CallReport> &reports);
  bool write_files(const std::vector<phone::CallReport> &reports);
  template <void (Run::*step)()> guint on_signal(int signal);
  void watch_updates();
  void read_updates();
  // From any thread.
  void look_soon();
  // On the only call's worker.
  void on_event(Worker &worker, const phone::PhoneEvent &event);
  void follow(Worker &worker, const std::string &call_sid);

  CallCommand command_;
  std::shared_ptr<const phone::CallSetup> setup_;
  std::unique_ptr<GMainLoop, LoopUnref> loop_;
  bool interrupted_ = false;
  std::string updates_; // of a line that is not whole
  guint updates_watch_ = 0;
  guint patience_ = 0; // a source of the main loop
  std::atomic<bool> calls_over_{false}, following_{false};

  // The view and the follower live on the only call's worker; the fleet, which
  // joins it, goes first.
  std::unique_ptr<phone::LiveView> view_;
  std::unique_ptr<phone::EventFollower> follower_;
  TimePoint call_began_{};
  std::unique_ptr<phone::Fleet> fleet_;
};

Run::Run(CallCommand command, std::shared_ptr<const phone::Plan> plan)
    : command_(std::move(command)), loop_(g_main_loop_new(nullptr, FALSE)) {
  auto setup = std::make_shared<phone::CallSetup>(command_.setup);
  setup->plan = std::move(plan);
  setup_ = std::move(setup);
}

void Run::start_view() {
  // The summary as JSON has the output for itself.
  std::FILE *out = command_.json ? stderr : stdout;
  const bool terminal = isatty(fileno(out)) != 0;
  if (command_.calls != 1 || !command_.live.value_or(terminal))
    return;
  const char *no_color = std::getenv("NO_COLOR"); // https://no-color.org
  const bool plain = no_color != nullptr && *no_color != '\0';
  view_ = std::make_unique<phone::LiveView>(
      phone::LiveView::Style{terminal && !plain, terminal},
      [out](std::string_view text) {
        std::fwrite(text.data(), 1, text.size(), out);
        std::fflush(out);
      });
}

void Run::on_event(Worker &worker, const phone::PhoneEvent &event) {
  if (event.kind == "webhook" && call_began_ == TimePoint{})
    call_began_ = worker.now() - event.at;
  view_->phone(event);
  if (event.kind == "stream-started" && !follower_)
    follow(worker, event.text("call_sid"));
}

void Run::follow(Worker &worker, const std::string &call_sid) {
  net::HttpRequest request =
      setup_->api_request("/api/calls/" + call_sid + "/events");
  request.timeout = 0s; // as long as the call
  following_ = true;
  follower_ = std::make_unique<phone::EventFollower>(
      worker, request,
      [this, &worker](std::string_view json) {
        view_->agent(worker.now() - call_began_, json);
      },
      [this] {
        following_ = false;
        look_soon();
      });
}

void Run::look_soon() {
  g_main_context_invoke(
      nullptr,
      [](gpointer run) -> gboolean {
        static_cast<Run *>(run)->look_whether_done();
        return G_SOURCE_REMOVE;
      },
      this);
}

void Run::look_whether_done() {
  if (!calls_over_)
    return;
  if (!following_)
    g_main_loop_quit(loop_.get());
  else if (patience_ == 0)
    patience_ = g_timeout_add(
        kFollowerPatienceMs,
        [](gpointer run) -> gboolean {
          g_main_loop_quit(static_cast<Run *>(run)->loop_.get());
          static_cast<Run *>(run)->patience_ = 0;
          return G_SOURCE_REMOVE;
        },
        this);
}

void Run::interrupt() {
  if (std::exchange(interrupted_, true))
    g_main_loop_quit(loop_.get()); // asked twice: at once
  else
    fleet_->hang_up("interrupted");
}

void Run::show_progress() {
  if (view_ || isatty(STDERR_FILENO) == 0)
    return;
  const auto counts = fleet_->counts();
  std::fprintf(stderr, "%d of %d calls begun, %d over\n", counts.begun,
               command_.calls, counts.done);
}

template <void (Run::*step)()> guint Run::on_signal(int signal) {
  return g_unix_signal_add(
      signal,
      [](gpointer run) -> gboolean {
        (static_cast<Run *>(run)->*step)();
        return G_SOURCE_CONTINUE;
      },
      this);
}

// What REST does to the live call, told by who plays REST.
void Run::watch_updates() {
  if (!command_.updates)
    return;
  g_unix_set_fd_nonblocking(STDIN_FILENO, TRUE, nullptr);
  updates_watch_ = g_unix_fd_add(
      STDIN_FILENO, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP | G_IO_ERR),
      [](gint, GIOCondition, gpointer self) -> gboolean {
        auto &run = *static_cast<Run *>(self);
        run.read_updates();
        return run.updates_watch_ != 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
      },
      this);
}

void Run::read_updates() {
  std::array<char, 4096> piece{};
  const ssize_t got = read(STDIN_FILENO, piece.data(), piece.size());
  if (got == 0 || (got < 0 && errno != EAGAIN)) {
    updates_watch_ = 0;
    return;
  }
  if (got > 0)
    updates_.append(piece.data(), static_cast<std::size_t>(got));
  for (std::size_t end = 0; (end = updates_.find('\n')) != std::string::npos;
       updates_.erase(0, end + 1)) {
    const std::string line = updates_.substr(0, end);
    if (line.starts_with("twiml "))
      fleet_->update(line.substr(6));
    else if (line == "completed")
      fleet_->complete();
    else
      std::fprintf(stderr, "patchcord call: unknown update: %s\n",
                   line.c_str());
  }
}

int Run::run() {
  start_view();
  phone::Fleet::Options options;
  options.setup = setup_;
  options.calls = command_.calls;
  options.ramp = command_.ramp.value_or(10ms * command_.calls);
  if (view_)
    options.event = [this](Worker &worker, const phone::PhoneEvent &event) {
      on_event(worker, event);
    };
  fleet_ = std::make_unique<phone::Fleet>(std::move(options), [this] {
    calls_over_ = true;
    look_soon();
  });
  const guint sources[] = {on_signal<&Run::interrupt>(SIGINT),
                           on_signal<&Run::interrupt>(SIGTERM),
                           g_timeout_add(
                               kProgressMs,
                               [](gpointer run) -> gboolean {
                                 static_cast<Run *>(run)->show_progress();
                                 return G_SOURCE_CONTINUE;
                               },
                               this)};
  watch_updates();
  g_main_loop_run(loop_.get());
  if (updates_watch_ != 0)
    g_source_remove(updates_watch_);
  for (const guint source : sources)
    g_source_remove(source);
  if (patience_ != 0)
    g_source_remove(patience_);
  const auto reports = fleet_->take_reports();
  fleet_->on_first_worker([this] { follower_.reset(); });
  fleet_.reset();
  return report(reports);
}

// "call.wav" of the third of some calls is "call-3.wav".
std::string numbered(const std::string &file, std::size_t index,
                     std::size_t count) {
  if (count == 1)
    return file;
  const std::size_t slash = file.rfind('/');
  std::size_t dot = file.rfind('.');
  if (dot == std::string::npos || (slash != std::string::npos && dot < slash))
    dot = file.size();
  return file.substr(0, dot) + "-" + std::to_string(index + 1) +
         file.substr(dot);
}

bool Run::write_files(const std::vector<phone::CallReport> &reports) {
  bool written = true;
  const auto write = [&](const std::string &file, std::size_t index,
                         ByteSpan bytes) {
    const auto result = phone::write_file(
        numbered(file, index, static_cast<std::size_t>(command_.calls)), bytes);
    if (!result)
      std::fprintf(stderr, "patchcord call: %s\n",
                   result.error().message.c_str());
    written = written && result.ok();
  };
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (!command_.record_file.empty())
      write(command_.record_file, i,
            phone::stereo_wav(reports[i].caller_audio, reports[i].heard_audio));
    if (!command_.timeline_file.empty())
      write(
          command_.timeline_file, i,
          as_bytes(phone::timeline_json(reports[i], command_.script.lines())));
  }
  return written;
}

int Run::report(const std::vector<phone::CallReport> &reports) {
  bool good = write_files(reports) && !reports.empty();
  if (command_.json)
    std::puts(phone::summary_json(reports, command_.script.lines()).c_str());
  else
    std::fputs(phone::summary_text(reports, command_.script.lines()).c_str(),
               stdout);
  if (command_.show_record)
    for (const phone::CallReport &call : reports)
      std::fputs(phone::pretty_json(call.record).c_str(),
                 command_.json ? stderr : stdout);
  for (const phone::CallReport &call : reports) {
    good = good && call.in_order;
    for (const std::string &wrong :
         phone::unmet(command_.expected, call.record)) {
      std::fprintf(stderr, "patchcord call: %s: %s\n", call.call_sid.c_str(),
                   wrong.c_str());
      good = false;
    }
  }
  return interrupted_ ? 130 : good ? 0 : 1;
}

} // namespace

int run_call(int argc, char **argv) {
  auto command = parse_call_options(argc, argv);
  if (!command) {
    std::fprintf(stderr, "patchcord call: %s\n",
                 command.error().message.c_str());
    return 2;
  }
  if (command->version)
    return print_version();
  if (command->help) {
    std::fputs(call_help().c_str(), stdout);
    return 0;
  }
  gst_init(nullptr, nullptr);
  auto plan = phone::load_plan(command->script);
  if (!plan) {
    std::fprintf(stderr, "patchcord call: %s\n", plan.error().message.c_str());
    return 2;
  }
  if (command->ready_within) {
    const auto ready =
        phone::wait_until_ready(command->setup.api, *command->ready_within);
    if (!ready) {
      std::fprintf(stderr, "patchcord call: the server is not ready: %s\n",
                   ready.error().message.c_str());
      return 1;
    }
  }
  Run run(std::move(*command), std::move(*plan));
  return run.run();
}

} // namespace patchcord::cli
