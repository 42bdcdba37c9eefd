// SPDX-License-Identifier: LGPL-2.1-or-later
#include "model_stream.hpp"

#include "base/guarded.hpp"
#include "base/log.hpp"
#include "openai/chat.hpp"

#include <map>
#include <utility>
#include <vector>

namespace patchcord {
namespace {

// A TLS connection to a provider takes some 100 ms; a call cannot wait for more
// than a few of them. Between two signs of life of a stream (LiveKit: 5 s).
constexpr Duration kConnect = 2s;
constexpr Duration kIdle = 5s;
constexpr Duration kWhole = 60s;
constexpr std::size_t kLongestBody = std::size_t{256} << 10;

// By URL. Servers differ in the fields they know (docs of OpenAI, llama.cpp,
// Ollama); what one refused is learnt once a process.
Guarded<std::multimap<std::string, std::string>> &refused_parameters() {
  static Guarded<std::multimap<std::string, std::string>> refused;
  return refused;
}

bool is_event_stream(const net::Headers &headers) {
  for (const auto &[name, value] : headers)
    if (name == "content-type")
      return value.starts_with("text/event-stream");
  return false;
}

} // namespace

// Outlives the stream while one of its handlers runs.
class ModelStream::Answer : public std::enable_shared_from_this<Answer> {
public:
  using AskOtherwise = std::function<bool(const std::string &parameter)>;
  Answer(Handlers handlers, AskOtherwise ask_otherwise)
      : handlers_(std::move(handlers)),
        ask_otherwise_(std::move(ask_otherwise)) {}

  void response(int status, const net::Headers &headers) {
    status_ = status;
    streamed_ = status / 100 == 2 && is_event_stream(headers);
  }

  void data(ByteSpan bytes) {
    if (over_)
      return;
    const auto keep = shared_from_this();
    if (!streamed_) {
      if (body_.size() + bytes.size() > kLongestBody)
        return fail("too_large", "the answer is too long", false);
      body_ += as_text(bytes);
      return;
    }
    // Each as it is found, so that the first clause does not wait for the rest
    // of a burst. A handler may end us: then what follows is not looked at.
    const bool fits = sse_.feed(bytes, [&](auto text) {
      if (text && !over_)
        take(openai::parse_chat_event(*text));
    });
    if (!fits)
      fail("too_large", "an event of the stream is too long", false);
  }

  void finished(const Result<Unit> &result) {
    if (over_)
      return;
    const auto keep = shared_from_this();
    if (!result)
      return fail(result.error().code, result.error().message,
                  result.error().code != "bad_url" &&
                      result.error().code != "tls");
    if (streamed_)
      return finish_stream();
    if (status_ / 100 == 2)
      return finish_whole();
    const auto error = openai::parse_api_error(status_, body_);
    body_.clear();
    if (status_ == 400 && !error.param.empty() && ask_otherwise_(error.param))
      return;
    fail(error.error.code, error.error.message, error.retryable);
  }

  // Of the transfer.
  void ended() {
    if (over_ && !dropped_)
      handlers_.ended();
  }
  void drop() { over_ = dropped_ = true; }

private:
  void take(const Result<openai::ChatDelta> &event) {
    if (over_)
      return;
    if (!event)
      return fail("protocol", event.error().message, true);
    if (event->error)
      return fail(event->error->code, event->error->message, true);
    refusal_ += event->refusal;
    if (!event->finish_reason.empty())
      finish_reason_ = event->finish_reason;
    for (const openai::ToolCallDelta &piece : event->tool_calls)
      if (!calls_.feed(piece))
        return fail("too_large", "too many calls of tools", false);
    if (!event->content.empty() || !event->tool_calls.empty())
      handlers_.text(event->content);
    if (event->done && !over_)
      done(finish_reason_.empty() ? "stop" : finish_reason_);
  }

  void finish_stream() {
    std::vector<Result<openai::ChatDelta>> events;
    sse_.finish([&](auto text) {
      if (text)
        events.push_back(openai::parse_chat_event(*text));
    });
    for (const auto &event : events)
      take(event);
    if (over_)
      return;
    // Without "[DONE]" it is whole all the same once its end was told.
    if (finish_reason_.empty())
      return fail("protocol", "the stream broke off", true);
    done(finish_reason_);
  }

  void finish_whole() {
    const auto answer = openai::parse_chat_completion(body_);
    take(answer);
    if (!over_)
      done(finish_reason_);
  }

  void done(const std::string &finish_reason) {
    over_ = true;
    handlers_.done(finish_reason, refusal_, calls_.calls());
  }

  void fail(const std::string &code, const std::string &message,
            bool retryable) {
    if (std::exchange(over_, true))
      return;
    handlers_.failed({"openai", code, message, retryable});
  }

  const Handlers handlers_;
  const AskOtherwise ask_otherwise_;
  openai::SseParser sse_;
  openai::ToolCallAssembler calls_;
  int status_ = 0;
  bool streamed_ = false, over_ = false, dropped_ = false;
  std::string body_, finish_reason_, refusal_;
};

ModelStream::ModelStream(Worker &worker, const ModelEndpoint &endpoint,
                         std::string body, Handlers handlers)
    : answer_(std::make_shared<Answer>(std::move(handlers),
                                       [this](const std::string &parameter) {
                                         return ask_otherwise(parameter);
                                       })),
      worker_(worker) {
  request_.method = "POST";
  request_.url = endpoint.base_url + "/chat/completions";
  request_.headers = {{"Content-Type", "application/json"},
                      {"Accept", "text/event-stream"}};
  if (!endpoint.api_key.empty())
    request_.headers.emplace_back("Authorization",
                                  "Bearer " + endpoint.api_key);
  request_.body = std::move(body);
  request_.observer = endpoint.observer;
  // What this server refused before, in any call.
  refused_parameters().with([&](const auto &refused) {
    const auto [first, last] = refused.equal_range(request_.url);
    for (auto it = first; it != last; ++it)
      if (auto changed = openai::without_parameter(request_.body, it->second))
        request_.body = *std::move(changed);
  });
  request_.connect_timeout = kConnect;
  request_.idle_timeout = kIdle;
  request_.timeout = kWhole;
  send();
}

void ModelStream::send() {
  transfer_ = worker_.service<net::HttpClient>().stream(
      request_, {[answer = answer_](int status, const net::Headers &headers) {
                   answer->response(status, headers);
                 },
                 [answer = answer_](ByteSpan bytes) { answer->data(bytes); },
                 [answer = answer_](const Result<Unit> &result) {
                   answer->finished(result);
                   answer->ended();
                 }});
}

bool ModelStream::ask_otherwise(const std::string &parameter) {
  auto changed = openai::without_parameter(request_.body, parameter);
  if (!changed)
    return false;
  refused_parameters().with([&](auto &refused) {
    const auto [first, last] = refused.equal_range(request_.url);
    for (auto it = first; it != last; ++it)
      if (it->second == parameter)
        return;
    log::info(request_.url + " refuses " + parameter +
              ": it is asked without it from now on");
    refused.emplace(request_.url, parameter);
  });
  request_.body = *std::move(changed);
  send();
  return true;
}

ModelStream::~ModelStream() { answer_->drop(); }

} // namespace patchcord
