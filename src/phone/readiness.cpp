// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/readiness.hpp"

#include "net/http_client.hpp"

#include <future>

namespace patchcord::phone {
namespace {

constexpr Duration kPoll = 100ms;

// Lives on the worker.
class Poll {
public:
  Poll(Worker &worker, std::string url, Duration patience,
       std::promise<Result<Unit>> &result)
      : worker_(worker), url_(std::move(url)),
        deadline_(worker.now() + patience), result_(result) {
    ask();
  }

private:
  void ask() {
    net::HttpRequest request;
    request.url = url_;
    transfer_ = worker_.service<net::HttpClient>().fetch(
        request, [this](const Result<net::HttpResponse> &response) {
          answer(response);
        });
  }
  void answer(const Result<net::HttpResponse> &response) {
    if (response && response->status == 200)
      result_.set_value(ok());
    else if (worker_.now() >= deadline_)
      result_.set_value(make_error(
          "not_ready",
          url_ + ": " +
              (response ? "HTTP status " + std::to_string(response->status)
                        : response.error().message)));
    else
      timer_ = worker_.after(kPoll, [this] { ask(); });
  }

  Worker &worker_;
  const std::string url_;
  const TimePoint deadline_;
  std::promise<Result<Unit>> &result_;
  std::unique_ptr<net::HttpClient::Transfer> transfer_;
  Timer timer_;
};

} // namespace

Result<Unit> wait_until_ready(const std::string &origin, Duration patience) {
  const auto worker = Worker::start("readiness");
  std::promise<Result<Unit>> result;
  std::unique_ptr<Poll> poll;
  worker->call([&] {
    poll =
        std::make_unique<Poll>(*worker, origin + "/readyz", patience, result);
  });
  Result<Unit> ready = result.get_future().get();
  worker->call([&] { poll.reset(); });
  worker->stop();
  return ready;
}

} // namespace patchcord::phone
