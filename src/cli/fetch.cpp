// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/fetch.hpp"

#include "worker/worker.hpp"

#include <future>

namespace patchcord::cli {

Result<net::HttpResponse> fetch(const net::HttpRequest &request) {
  const auto worker = Worker::start("fetch");
  std::promise<Result<net::HttpResponse>> promise;
  auto future = promise.get_future();
  std::unique_ptr<net::HttpClient::Transfer> transfer;
  worker->call([&] {
    transfer = worker->service<net::HttpClient>().fetch(
        request, [&](Result<net::HttpResponse> result) {
          promise.set_value(std::move(result));
        });
  });
  auto result = future.get(); // the request has a timeout
  worker->call([&] { transfer.reset(); });
  worker->stop();
  return result;
}

} // namespace patchcord::cli
