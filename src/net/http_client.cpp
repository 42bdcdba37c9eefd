// SPDX-License-Identifier: LGPL-2.1-or-later
#include "net/http_client.hpp"

#include "base/text.hpp"
#include "net/curl_multi.hpp"

#include <algorithm>

namespace patchcord::net {
namespace {

constexpr std::size_t kHeaderBytes = std::size_t{64} << 10;
// What a transfer keeps for reuse between chunks.
constexpr std::size_t kKeptBuffer = std::size_t{16} << 10;

struct FreeList {
  void operator()(curl_slist *list) const { curl_slist_free_all(list); }
};

bool is_one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) ==
         std::string_view::npos;
}

const char *code_of(CURLcode result, bool connected) {
  switch (result) {
  case CURLE_UNSUPPORTED_PROTOCOL: // also of an answer that is not HTTP
  case CURLE_URL_MALFORMAT:
    return connected ? "protocol" : "bad_url";
  case CURLE_COULDNT_RESOLVE_PROXY:
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_CONNECT:
  case CURLE_SEND_ERROR:
  case CURLE_PROXY:
  case CURLE_FAILED_INIT:
  case CURLE_OUT_OF_MEMORY:
    return "connect";
  case CURLE_OPERATION_TIMEDOUT:
    return "timeout";
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_ENGINE_INITFAILED:
    return "tls";
  default:
    return "protocol"; // cut off, malformed, reset
  }
}

class HttpJob final : public CurlJob {
public:
  HttpJob(Worker &worker, const HttpRequest &request)
      : CurlJob(CurlMulti::of(worker)), worker_(worker), started_(worker.now()),
        connect_timeout_(request.connect_timeout), timeout_(request.timeout),
        idle_timeout_(request.idle_timeout), body_(request.body) {}

  HttpClient::StreamHandlers handlers;
  std::shared_ptr<int> out; // until it is over

  void begin(const HttpRequest &request) {
    timer_ = worker_.after(0s, [this] { on_timer(); });
    timer_.cancel();
    if (easy() == nullptr || !set_headers(request)) {
      refused_ = make_error("protocol", "a header that cannot be sent");
      wake();
      return;
    }
    set_options(request);
    if (!start()) {
      refused_ = make_error("connect", "no connection to be had");
      wake();
      return;
    }
    arm();
  }
  void cancel() {
    over_ = true;
    out.reset();
    timer_.cancel();
    stop();
  }
  void fail(Error error) { finish(std::move(error)); }

private:
  bool set_headers(const HttpRequest &request);
  void set_options(const HttpRequest &request);
  void set_method(const HttpRequest &request);
  void arm();
  void on_timer();
  void dispatch() override;
  void finish(const Result<Unit> &result);
  bool take_header(std::string_view line);

  static std::size_t on_header(char *data, std::size_t, std::size_t size,
                               void *self) {
    return static_cast<HttpJob *>(self)->take_header({data, size}) ? size : 0;
  }
  static std::size_t on_data(char *data, std::size_t, std::size_t size,
                             void *self) {
    auto &job = *static_cast<HttpJob *>(self);
    job.heard_ = job.worker_.now();
    job.pending_.append(data, size);
    job.wake();
    return size;
  }
  static int on_connected(void *self, char *, char *, int, int) {
    auto &job = *static_cast<HttpJob *>(self);
    job.connected_ = true;
    job.heard_ = job.worker_.now();
    job.arm();
    return CURL_PREREQFUNC_OK;
  }

  Worker &worker_;
  const TimePoint started_;
  const Duration connect_timeout_, timeout_, idle_timeout_;
  const std::string body_;
  std::unique_ptr<curl_slist, FreeList> list_;
  Timer timer_;
  TimePoint heard_{};
  bool connected_ = false;
  bool over_ = false;
  std::optional<Error> refused_;

  int status_ = 0;
  Headers headers_;
  std::size_t header_bytes_ = 0;
  bool head_complete_ = false, head_told_ = false;
  std::string pending_, telling_;
};

bool HttpJob::set_headers(const HttpRequest &request) {
  const auto add = [&](const char *line) {
    curl_slist *list = curl_slist_append(list_.get(), line);
    if (list != nullptr && !list_)
      list_.reset(list);
  };
  bool has_type = false;
  for (const auto &[name, value] : request.headers) {
    if (name.empty() || !is_one_line(name) || !is_one_line(value) ||
        name.find(':') != std::string::npos)
      return false;
    has_type = has_type || to_lower(name) == "content-type";
    // An empty value is spelled with a semicolon (CURLOPT_HTTPHEADER).
    add((value.empty() ? name + ";" : name + ": " + value).c_str());
  }
  // What libcurl would add by itself: a wait for "100 Continue", and a form's
  // type to any body.
  add("Expect:");
  if (!has_type)
    add("Content-Type:");
  return true;
}

void HttpJob::set_method(const HttpRequest &request) {
  CURL *curl = easy();
  const bool body = !body_.empty() || request.method == "POST" ||
                    request.method == "PUT" || request.method == "PATCH";
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    return;
  }
  if (body) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body_.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(body_.size()));
  }
  if (request.method != (body ? "POST" : "GET"))
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void HttpJob::set_options(const HttpRequest &request) {
  CURL *curl = easy();
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_DEFAULT_PROTOCOL, "https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list_.get());
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &HttpJob::on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &HttpJob::on_data);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, &HttpJob::on_connected);
  curl_easy_setopt(curl, CURLOPT_PREREQDATA, this);
  if (!request.username.empty() || !request.password.empty()) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERNAME, request.username.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, request.password.c_str());
  }
  trust_only(request.ca_file);
  set_method(request);
}

void HttpJob::arm() {
  std::optional<TimePoint> next;
  const auto consider = [&](Duration limit, TimePoint since) {
    if (limit > 0s)
      next = std::min(next.value_or(since + limit), since + limit);
  };
  consider(timeout_, started_);
  if (connected_)
    consider(idle_timeout_, heard_);
  else
    consider(connect_timeout_, started_);
  if (next)
    worker_.rearm(timer_, *next);
  else
    timer_.cancel();
}

// Not rearmed for each chunk: when it fires, it looks at what has come since.
void HttpJob::on_timer() {
  const auto keep = shared_from_this();
  const TimePoint now = worker_.now();
  const auto seconds = [](Duration limit) {
    std::string text = std::to_string(to_seconds(limit));
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.')
      text.pop_back();
    return text + " s";
  };
  if (!connected_ && connect_timeout_ > 0s &&
      now >= started_ + connect_timeout_)
    finish(make_error("timeout",
                      "no connection within " + seconds(connect_timeout_)));
  else if (timeout_ > 0s && now >= started_ + timeout_)
    finish(make_error("timeout", "not complete within " + seconds(timeout_)));
  else if (connected_ && idle_timeout_ > 0s && now >= heard_ + idle_timeout_)
    finish(make_error("timeout",
                      "nothing received for " + seconds(idle_timeout_)));
  else
    arm();
}

bool HttpJob::take_header(std::string_view line) {
  heard_ = worker_.now();
  if (head_complete_)
    return true; // trailers
  header_bytes_ += line.size();
  if (header_bytes_ > kHeaderBytes)
    return false;
  const std::string_view text = trim(line);
  if (text.substr(0, 5) == "HTTP/") {
    headers_.clear(); // of an interim response
    const auto space = text.find(' ');
    status_ = space == std::string_view::npos
                  ? 0
                  : std::atoi(std::string(text.substr(space)).c_str());
  } else if (text.empty()) {
    head_complete_ = status_ >= 200;
    wake();
  } else if (const auto colon = text.find(':');
             colon != std::string_view::npos) {
    headers_.emplace_back(to_lower(trim(text.substr(0, colon))),
                          trim(text.substr(colon + 1)));
  }
  return true;
}

void HttpJob::dispatch() {
  if (over_)
    return;
  if (refused_) {
    finish(*refused_);
    return;
  }
  if (head_complete_ && !std::exchange(head_told_, true) && handlers.response)
    handlers.response(status_, headers_);
  if (!over_ && !pending_.empty()) {
    telling_.swap(pending_);
    if (handlers.data)
      handlers.data(as_bytes(telling_));
    telling_.clear();
    if (telling_.capacity() > kKeptBuffer)
      telling_.shrink_to_fit();
  }
  if (over_ || !result())
    return;
  // libcurl takes headers that are cut off for a response without a body.
  if (*result() == CURLE_OK && !head_complete_)
    finish(make_error("protocol", "the response ended within its headers"));
  else if (*result() == CURLE_OK)
    finish(ok());
  else
    finish(make_error(code_of(*result(), connected_), error_text()));
}

void HttpJob::finish(const Result<Unit> &result) {
  cancel();
  // Whoever asked may hold on to us until it asks again.
  give_back(pending_);
  give_back(telling_);
  if (handlers.done)
    handlers.done(result);
}

class Handle final : public HttpClient::Transfer {
public:
  explicit Handle(std::shared_ptr<HttpJob> job) : job_(std::move(job)) {}
  ~Handle() override { job_->cancel(); }
  Handle(const Handle &) = delete;
  Handle &operator=(const Handle &) = delete;

private:
  const std::shared_ptr<HttpJob> job_;
};

} // namespace

std::optional<std::string>
HttpResponse::header(std::string_view lower_case_name) const {
  for (const auto &[name, value] : headers)
    if (name == lower_case_name)
      return value;
  return std::nullopt;
}

namespace {

// Tells the observer, then who asked.
HttpClient::StreamHandlers observed(const HttpRequest &request,
                                    HttpClient::StreamHandlers handlers) {
  const auto observer = request.observer;
  const std::int64_t number = observer->requested(request);
  HttpClient::StreamHandlers both;
  both.response = [observer, number, tell = std::move(handlers.response)](
                      int status, const Headers &headers) {
    observer->response(number, status, headers);
    if (tell)
      tell(status, headers);
  };
  both.data = [observer, number,
               tell = std::move(handlers.data)](ByteSpan bytes) {
    observer->data(number, bytes);
    if (tell)
      tell(bytes);
  };
  both.done = [observer, number,
               tell = std::move(handlers.done)](const Result<Unit> &result) {
    observer->done(number, result);
    if (tell)
      tell(result);
  };
  return both;
}

} // namespace

class HttpClient::Impl {
public:
  Worker &worker;
  Serve serve;
  std::shared_ptr<int> out = std::make_shared<int>(); // each job out has it
};

HttpClient::HttpClient(Worker &worker)
    : impl_(std::make_unique<Impl>(Impl{worker, {}})) {}
HttpClient::~HttpClient() = default;

std::unique_ptr<HttpClient::Transfer>
HttpClient::stream(const HttpRequest &request, StreamHandlers handlers) {
  if (request.observer)
    handlers = observed(request, std::move(handlers));
  if (impl_->serve)
    return impl_->serve(request, std::move(handlers));
  auto job = std::make_shared<HttpJob>(impl_->worker, request);
  job->handlers = std::move(handlers);
  job->out = impl_->out;
  job->begin(request);
  return std::make_unique<Handle>(std::move(job));
}

std::unique_ptr<HttpClient::Transfer>
HttpClient::fetch(const HttpRequest &request,
                  std::function<void(Result<HttpResponse>)> done) {
  struct Fetched {
    HttpResponse response;
    std::weak_ptr<HttpJob> job;
  };
  const auto fetched = std::make_shared<Fetched>();
  StreamHandlers handlers;
  handlers.response = [fetched](int status, const Headers &headers) {
    fetched->response.status = status;
    fetched->response.headers = headers;
  };
  handlers.data = [fetched, max = request.max_body](ByteSpan bytes) {
    std::string &body = fetched->response.body;
    const auto job = fetched->job.lock();
    if (job && body.size() + bytes.size() > max)
      job->fail(make_error("too_large", "the response is larger than " +
                                            std::to_string(max) + " bytes"));
    else
      body.append(as_text(bytes));
  };
  handlers.done = [fetched,
                   done = std::move(done)](const Result<Unit> &result) {
    if (result.ok())
      done(std::move(fetched->response));
    else
      done(result.error());
  };
  if (request.observer)
    handlers = observed(request, std::move(handlers));
  if (impl_->serve)
    return impl_->serve(request, std::move(handlers));
  auto job = std::make_shared<HttpJob>(impl_->worker, request);
  fetched->job = job;
  job->handlers = std::move(handlers);
  job->out = impl_->out;
  job->begin(request);
  return std::make_unique<Handle>(std::move(job));
}

bool HttpClient::busy() const { return impl_->out.use_count() > 1; }

void HttpClient::serve_by(Serve serve) { impl_->serve = std::move(serve); }

} // namespace patchcord::net
