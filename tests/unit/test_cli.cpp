// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/call_watch.hpp"
#include "cli/options.hpp"
#include "cli/provider_check.hpp"
#include "cli/supervisor.hpp"

#include <csignal>
#include <glib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace patchcord;
using namespace patchcord::cli;

namespace {

// --- a call that is placed ---------------------------------------------------

std::string record(const char *status, const char *more = "") {
  return std::string(R"({"status":")") + status + "\"" + more + "}";
}

void test_watch() {
  CallWatch watch(60s, 1000s);
  const auto at = [&watch](int second, int http, const std::string &body) {
    return watch.looked(1000s + std::chrono::seconds(second), http, body);
  };
  g_assert_true(at(1, 404, "").show.empty());
  const auto rings = at(2, 200, record("ringing"));
  g_assert_cmpstr(rings.show.c_str(), ==, "ringing");
  g_assert_true(!rings.answered && rings.problem.empty() && !rings.over);
  g_assert_true(at(3, 200, record("ringing")).show.empty());
  const auto talks = at(8, 200, record("in-progress", R"(,"answered_ms":5)"));
  g_assert_cmpstr(talks.show.c_str(), ==, "in-progress");
  g_assert_true(talks.answered);
  const auto handed =
      at(9, 200, record("in-progress", R"(,"transfer_outcome":"asked",
                                                  "transfer_to":"desk")"));
  g_assert_cmpstr(handed.show.c_str(), ==,
                  "in-progress, being put through to desk");
  const auto over =
      at(10, 200,
         record("completed",
                R"(,"answered_ms":5,"ended_ms":9,"end_reason":"goal",
                 "answered_by":"human")"));
  g_assert_cmpstr(over.show.c_str(), ==, "completed: goal, answered by human");
  g_assert_true(over.over && *over.over);
}

void test_watch_ends_badly() {
  const struct {
    const char *status, *more;
  } rows[] = {
      {"busy", R"(,"ended_ms":9,"end_reason":"busy")"},
      {"completed", R"(,"ended_ms":9,"end_reason":"caller_hung_up")"},
      {"failed", R"(,"answered_ms":5,"ended_ms":9,"end_reason":"error")"},
  };
  for (const auto &row : rows) {
    CallWatch watch(60s, 0s);
    const auto step = watch.looked(1s, 200, record(row.status, row.more));
    g_assert_true(step.over.has_value() && !*step.over);
  }
}

void test_watch_ends() {
  const auto tells = [](const CallWatch::Step &step, const char *words) {
    return g_strstr_len(step.problem.c_str(), -1, words) != nullptr;
  };
  // Nothing was ever told.
  CallWatch silent(60s, 0s);
  g_assert_true(silent.looked(120s, 404, "").problem.empty());
  g_assert_true(tells(silent.looked(121s, 404, ""), "public_url"));
  // It rings for ever; when it began counts, not when it was placed.
  CallWatch rings(20s, 0s);
  g_assert_true(rings.looked(100s, 200, record("ringing")).problem.empty());
  g_assert_true(rings.looked(150s, 200, record("ringing")).problem.empty());
  g_assert_true(tells(rings.looked(151s, 200, record("ringing")),
                      "51 s ago that it rings"));
  // The server does not have it any more.
  CallWatch lost(60s, 0s);
  for (int i = 0; i < 5; ++i) {
    g_assert_true(lost.looked(1s, 200, record("in-progress")).problem.empty());
    lost.followed(false);
  }
  g_assert_true(tells(lost.looked(9s, 200, record("in-progress")), "anew"));
  lost.followed(true);
  g_assert_true(lost.looked(9s, 200, record("in-progress")).problem.empty());
  // It lets nobody in.
  CallWatch shut(60s, 0s);
  g_assert_true(tells(shut.looked(1s, 401, ""), "HTTP 401"));
}

void test_watch_news() {
  g_assert_true(CallWatch::is_news(R"({"event":"transfer-ended"})"));
  g_assert_true(CallWatch::is_news(R"({"event":"answered-by"})"));
  g_assert_false(CallWatch::is_news(R"({"event":"transcript"})"));
  g_assert_false(CallWatch::is_news("{"));
}

void test_rest() {
  std::vector<std::string> words = {"test", "a.toml", "--config", "b", "c d"};
  std::vector<char *> argv;
  for (std::string &word : words)
    argv.push_back(word.data());
  std::string config;
  std::vector<std::string> rest;
  const Options options =
      Options("test", "").text("--config", config).rest(rest);
  g_assert_false(
      options.parse(static_cast<int>(argv.size()), argv.data()).has_value());
  g_assert_cmpstr(config.c_str(), ==, "b");
  g_assert_cmpuint(rest.size(), ==, 2);
  g_assert_cmpstr(rest[0].c_str(), ==, "a.toml");
  g_assert_cmpstr(rest[1].c_str(), ==, "c d");
}

void test_options() {
  struct Case {
    std::vector<std::string> arguments;
    std::optional<int> code;
    const char *config;
    bool local;
  };
  const Case cases[] = {
      {{}, std::nullopt, "", false},
      {{"--config", "a"}, std::nullopt, "a", false},
      {{"--config=a=b", "--local"}, std::nullopt, "a=b", true},
      {{"--config=a", "--config", "b"}, std::nullopt, "b", false},
      {{"--help"}, kDone, "", false},
      {{"-h"}, kDone, "", false},
      {{"--config"}, kUsage, "", false},
      {{"--local=yes"}, kUsage, "", false},
      {{"--locl"}, kUsage, "", false},
      {{"word"}, kUsage, "", false},
      {{""}, kUsage, "", false},
      {{"--"}, kUsage, "", false},
  };
  for (const Case &each : cases) {
    std::vector<std::string> words = {"serve"};
    words.insert(words.end(), each.arguments.begin(), each.arguments.end());
    std::vector<char *> argv;
    for (auto &word : words)
      argv.push_back(word.data());
    argv.push_back(nullptr);
    std::string config;
    bool local = false;
    const auto code = Options("serve", "")
                          .text("--config", config)
                          .flag("--local", local)
                          .parse(static_cast<int>(words.size()), argv.data());
    g_test_message("%s",
                   each.arguments.empty() ? "" : each.arguments[0].c_str());
    g_assert_true(code == each.code);
    if (!code) {
      g_assert_true(config == each.config);
      g_assert_true(local == each.local);
    }
  }
}

struct CloseFile {
  void operator()(std::FILE *file) const { std::fclose(file); }
};

void test_models() {
  const std::unique_ptr<std::FILE, CloseFile> out(std::fopen("/dev/null", "w"));
  const char list[] =
      R"({"object":"list","data":[{"id":"stays","object":"model"},)"
      R"({"id":"dated","shutdown_date":"2027-02-26"},)"
      R"({"id":"null","shutdown_date":null},{"id":"odd","shutdown_date":"x"}]})";
  const struct {
    const char *model, *today;
    int failures, warnings;
  } cases[] = {
      {"stays", "2026-11-01", 0, 0}, {"null", "2026-11-01", 0, 0},
      {"odd", "2026-11-01", 0, 0},   {"absent", "2026-11-01", 1, 0},
      {"dated", "2026-11-01", 0, 0}, // 117 days
      {"dated", "2026-11-28", 0, 1}, // 90 days
      {"dated", "2027-02-25", 0, 1}, {"dated", "2027-02-26", 1, 0},
      {"dated", "2028-01-01", 1, 0},
  };
  for (const auto &[model, today, failures, warnings] : cases) {
    g_test_message("%s on %s", model, today);
    Report report(out.get());
    judge_models(report, list, {model}, today);
    g_assert_cmpint(report.failures(), ==, failures);
    g_assert_cmpint(report.warnings(), ==, warnings);
  }
  for (const char *body : {"", "<html>", "{}", R"({"data":5})", "[[[["}) {
    Report report(out.get());
    judge_models(report, body, {"stays"}, "2026-11-01");
    g_assert_cmpint(report.warnings(), ==, 1);
  }
}

void test_supervisor_wakes() {
  Supervisor supervisor;
  using Woken = Supervisor::Woken;
  g_assert_true(supervisor.wait(0ms, {}) == Woken::kTimeout);
  const auto wake = supervisor.waker();
  wake();
  wake();
  g_assert_true(supervisor.wait(-1ms, {}) == Woken::kAsked);
  g_assert_true(supervisor.wait(0ms, {}) == Woken::kTimeout);
  kill(getpid(), SIGTERM);
  g_assert_true(supervisor.wait(20s, {}) == Woken::kSignal);
  kill(getpid(), SIGINT);
  g_assert_true(supervisor.wait(20s, {}) == Woken::kSignal);
}

#ifdef HAVE_SYSTEMD
// What systemd's end of the notification socket gets.
class NotifySocket {
public:
  NotifySocket() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    char *folder = g_dir_make_tmp("patchcord-notify-XXXXXX", nullptr);
    folder_ = folder;
    g_free(folder);
    path_ = folder_ + "/socket";
    g_strlcpy(address.sun_path, path_.c_str(), sizeof address.sun_path);
    g_assert_cmpint(
        bind(fd_, reinterpret_cast<sockaddr *>(&address), sizeof address), ==,
        0);
    g_setenv("NOTIFY_SOCKET", path_.c_str(), TRUE);
  }
  ~NotifySocket() {
    g_unsetenv("NOTIFY_SOCKET");
    close(fd_);
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }
  NotifySocket(const NotifySocket &) = delete;
  NotifySocket &operator=(const NotifySocket &) = delete;
  // Empty when nothing is there.
  std::string next() const {
    char text[256];
    const ssize_t size = recv(fd_, text, sizeof text, MSG_DONTWAIT);
    return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "";
  }

private:
  int fd_;
  std::string folder_, path_;
};

void test_watchdog() {
  const NotifySocket systemd;
  g_setenv("WATCHDOG_USEC", "20000", TRUE);
  {
    Supervisor supervisor;
    const auto worker = Worker::start("pulse");
    Supervisor::notify("READY=1");
    g_assert_true(systemd.next() == "READY=1");
    // Two: the worker has answered in between.
    for (int beats = 0; beats < 2;) {
      supervisor.wait(5ms, {worker});
      if (const std::string told = systemd.next(); !told.empty()) {
        g_assert_true(told == "WATCHDOG=1");
        ++beats;
      }
    }
    while (!systemd.next().empty()) {
    }
    // A worker that hangs: one more beat asks it, the next ones stay away.
    std::mutex hang;
    hang.lock();
    worker->post([&hang] { const std::lock_guard wait(hang); });
    supervisor.wait(60ms, {worker});
    int beats = 0;
    while (!systemd.next().empty())
      ++beats;
    g_assert_cmpint(beats, <=, 1);
    hang.unlock();
    worker->stop();
  }
  g_unsetenv("WATCHDOG_USEC");
}
#endif

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/cli/options-are-read-or-refused", test_options);
  g_test_add_func("/cli/what-is-no-option-is-kept-in-order", test_rest);
  g_test_add_func("/cli/a-placed-call-is-followed-to-its-end", test_watch);
  g_test_add_func("/cli/a-placed-call-may-end-badly", test_watch_ends_badly);
  g_test_add_func("/cli/nobody-waits-for-a-call-for-ever", test_watch_ends);
  g_test_add_func("/cli/some-events-are-worth-a-look", test_watch_news);
  g_test_add_func("/cli/models-are-judged-by-list-and-date", test_models);
  g_test_add_func("/cli/signals-and-calls-wake-the-daemon",
                  test_supervisor_wakes);
#ifdef HAVE_SYSTEMD
  g_test_add_func("/cli/a-hanging-worker-stops-the-watchdog", test_watchdog);
#endif
  return g_test_run();
}
