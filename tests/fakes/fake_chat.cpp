// SPDX-License-Identifier: LGPL-2.1-or-later
// POST /v1/chat/completions: checks the request as OpenAI does and streams the
// script's answer as server-sent events.
#include "fake_openai.hpp"
#include "strict_schema.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace patchcord::fakes {
namespace {

struct Refusal {
  int status = 0; // 0: none
  std::string text, type, param, code;
};

Refusal bad_request(std::string text, std::string param, std::string code) {
  return {400, std::move(text), "invalid_request_error", std::move(param),
          std::move(code)};
}

const std::set<std::string_view> kFields = {"model",
                                            "messages",
                                            "stream",
                                            "stream_options",
                                            "response_format",
                                            "max_completion_tokens",
                                            "max_tokens",
                                            "temperature",
                                            "top_p",
                                            "presence_penalty",
                                            "stop",
                                            "frequency_penalty",
                                            "logit_bias",
                                            "logprobs",
                                            "top_logprobs",
                                            "n",
                                            "seed",
                                            "reasoning_effort",
                                            "verbosity",
                                            "tools",
                                            "tool_choice",
                                            "parallel_tool_calls",
                                            "service_tier",
                                            "prompt_cache_key",
                                            "store",
                                            "prompt_cache_options",
                                            "metadata",
                                            "safety_identifier",
                                            "user"};

Refusal check_messages(JsonView messages) {
  static const std::set<std::string_view> kRoles = {
      "system", "developer", "user", "assistant", "tool"};
  if (messages.size() == 0)
    return bad_request("'messages' must hold at least one message.", "messages",
                       "invalid_value");
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const JsonView message = messages.at(i);
    const std::string where = "messages[" + std::to_string(i) + "]";
    if (!kRoles.contains(message["role"].text().value_or("")))
      return bad_request("Invalid role.", where + ".role", "invalid_value");
    if (!message["content"].text() && !message["content"].is_array() &&
        message["tool_calls"].size() == 0)
      return bad_request("Invalid content.", where + ".content",
                         "invalid_type");
  }
  return {};
}

Refusal check_format(JsonView format, bool required) {
  if (format.is_null())
    return required ? bad_request("The fake wants a strict json_schema.",
                                  "response_format", "")
                    : Refusal{};
  if (format["type"].text() != "json_schema")
    return required ? bad_request("The fake wants a strict json_schema.",
                                  "response_format", "")
                    : Refusal{};
  const JsonView schema = format["json_schema"];
  const std::string name = schema["name"].string().value_or("");
  const bool well_named = !name.empty() && name.size() <= 64 &&
                          std::all_of(name.begin(), name.end(), [](char c) {
                            return g_ascii_isalnum(c) || c == '_' || c == '-';
                          });
  if (!well_named)
    return bad_request("Invalid schema name.",
                       "response_format.json_schema.name", "invalid_value");
  if (required && schema["strict"].boolean() != true)
    return bad_request("The fake wants strict to be true.", "response_format",
                       "");
  if (const std::string problem = strict_schema_problem(schema["schema"]);
      !problem.empty())
    return bad_request("Invalid schema for response_format '" + name +
                           "': " + problem,
                       "response_format", "");
  return {};
}

Refusal check_request(JsonView root, bool require_schema) {
  if (!root.is_object())
    return bad_request("The body is not a JSON object.", "", "");
  Refusal refusal;
  root.for_each_member([&](std::string_view name, JsonView) {
    if (!kFields.contains(name))
      refusal = bad_request("Unrecognized request argument supplied: " +
                                std::string(name),
                            std::string(name), "unknown_parameter");
  });
  if (refusal.status != 0)
    return refusal;
  const std::string model = root["model"].string().value_or("");
  if (model.empty())
    return bad_request("You must provide a model parameter.", "model",
                       "missing_required_parameter");
  if (!root["max_tokens"].is_null() && model.starts_with("gpt-"))
    return bad_request("'max_tokens' is not supported with this model. Use "
                       "'max_completion_tokens' instead.",
                       "max_tokens", "unsupported_parameter");
  if (!root["stream_options"].is_null() && root["stream"].boolean() != true)
    return bad_request("stream_options needs stream.", "stream_options",
                       "invalid_value");
  refusal = check_messages(root["messages"]);
  if (refusal.status != 0)
    return refusal;
  return check_format(root["response_format"], require_schema);
}

Refusal refusal_of_fault(const std::string &fault, JsonView root) {
  if (fault == "rate_limit")
    return {429, "Rate limit reached.", "rate_limit_error", "",
            "rate_limit_exceeded"};
  if (fault == "quota")
    return {429, "You exceeded your current quota.", "insufficient_quota", "",
            "insufficient_quota"};
  if (fault == "overloaded")
    return {503, "The server is overloaded.", "service_unavailable_error", "",
            "server_is_overloaded"};
  if (fault == "http_500")
    return {500, "The server had an error.", "server_error", "", ""};
  if (fault == "model_not_found")
    return {404, "The model does not exist.", "invalid_request_error", "",
            "model_not_found"};
  if (fault == "no_temperature" && !root["temperature"].is_null())
    return bad_request("'temperature' is not supported with this model.",
                       "temperature", "unsupported_value");
  if (fault == "no_reasoning_effort" && !root["reasoning_effort"].is_null())
    return bad_request("'reasoning_effort' is not supported with this model.",
                       "reasoning_effort", "unsupported_parameter");
  return {};
}

// About as models do: a token is a word with the space before it, or a mark.
std::vector<std::string> tokens_of(const std::string &text) {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    const auto is_word = [&](std::size_t at) {
      return at < text.size() && (g_ascii_isalnum(text[at]) ||
                                  static_cast<unsigned char>(text[at]) >= 0x80);
    };
    if (text[i] == ' ' || is_word(i))
      while (is_word(end))
        ++end;
    tokens.push_back(text.substr(i, end - i));
    i = end;
  }
  return tokens;
}

// One streamed answer; owns itself through the fake's set.
class Exchange {
public:
  Exchange(FakeHost &host, SoupServerMessage *message, std::string model,
           std::string text, std::string fault,
           std::shared_ptr<Stats::Connection> log, std::function<void()> over)
      : host_(host), script_(host.hold_script()), model_(std::move(model)),
        fault_(std::move(fault)), log_(std::move(log)), over_(std::move(over)),
        response_(message, "text/event-stream", [this] { aborted(); }) {
    plan(std::move(text));
    if (fault_ == "comments")
      response_.write(": KEEP ALIVE" + line_end_ + line_end_);
    timer_ = host_.after(script_->llm_first_token_ms, [this] { step(); });
  }

private:
  // What is sent, event by event. An event that is not JSON is sent as it is.
  void plan(std::string text) {
    if (fault_ == "fence")
      text = "```json\n" + text + "\n```";
    else if (fault_ == "think")
      text =
          "<think>\nThe caller wants {\"message\":\"x\"}.\n</think>\n" + text;
    else if (fault_ == "plain_text")
      text = "I am sorry, I can only answer in plain words.";
    else if (fault_ == "length" || fault_ == "content_filter")
      text.resize(text.size() * 2 / 3);
    line_end_ = fault_ == "crlf" ? "\r\n" : "\n";
    if (fault_ == "azure") {
      events_.push_back(R"({"id":"","object":"","created":0,"model":"",)"
                        R"("choices":[],"prompt_filter_results":[]})");
      events_.push_back(chunk("null", ""));
    }
    if (fault_ == "refusal") {
      events_.push_back(
          chunk(R"({"role":"assistant","content":null,"refusal":""})", ""));
      events_.push_back(chunk(R"({"refusal":"I can't help with that."})", ""));
    } else {
      events_.push_back(
          chunk(R"({"role":"assistant","content":"","refusal":null})", ""));
      for (const auto &token : tokens_of(text)) {
        std::string escaped;
        append_json_escaped(escaped, token);
        events_.push_back(chunk("{\"content\":\"" + escaped + "\"}", ""));
      }
    }
    if (fault_ == "error_in_stream") {
      events_.resize(std::min<std::size_t>(events_.size(), 6));
      events_.push_back(openai_error("The server is overloaded.",
                                     "service_unavailable_error", "",
                                     "server_is_overloaded"));
      return;
    }
    events_.push_back(chunk("{}", fault_ == "length"           ? "length"
                                  : fault_ == "content_filter" ? fault_
                                                               : "stop"));
    events_.push_back(
        R"({"id":"chatcmpl-fake","object":"chat.completion.chunk",)"
        R"("created":1795340000,"choices":[],"usage":{"prompt_tokens":1210,)"
        R"("completion_tokens":31,"total_tokens":1241}})");
    if (fault_ != "no_done")
      events_.emplace_back("[DONE]");
  }

  std::string chunk(const std::string &delta, const std::string &finish) {
    JsonWriter json;
    json.begin_object()
        .member("id", "chatcmpl-fake")
        .member("object", "chat.completion.chunk")
        .member("created", 1'795'340'000)
        .member("model", model_)
        .key("choices")
        .begin_array()
        .begin_object()
        .member("index", 0)
        .key("delta")
        .raw(delta)
        .key("logprobs")
        .null()
        .key("finish_reason");
    if (finish.empty())
      json.null();
    else
      json.value(finish);
    json.end_object().end_array().key("usage").null();
    return json.end_object().take();
  }

  // Sends what is due: with a pause after each token, or all at once.
  void step() {
    if (next_ == 0) {
      log_->event("first_token", host_.now_ns());
      if (fault_ == "bom")
        response_.write("\xEF\xBB\xBF");
    }
    do {
      if (fault_ == "stall" && next_ == 3)
        return; // until the client gives up
      if (fault_ == "disconnect" && next_ == 4) {
        response_.cut();
        end("disconnected");
        return;
      }
      send(events_[next_++]);
      if (next_ == events_.size()) {
        response_.finish();
        end("done");
        return;
      }
      // The first chunk says only who speaks; the first token is right behind.
    } while (script_->llm_token_ms == 0 || next_ == 1);
    timer_ = host_.after(script_->llm_token_ms, [this] { step(); });
  }

  void send(const std::string &event) {
    const std::string bytes = (fault_ == "no_space" ? "data:" : "data: ") +
                              event + line_end_ + line_end_;
    if (fault_ != "bytes") {
      response_.write(bytes);
      return;
    }
    for (const char byte : bytes)
      response_.write(std::string_view(&byte, 1));
  }

  void aborted() {
    host_.stats().count("chat.aborted");
    end("aborted");
  }

  // The last thing done: `over_` destroys this.
  void end(const char *how) {
    log_->event(how, host_.now_ns(), static_cast<std::int64_t>(next_));
    log_->closed = true;
    timer_.cancel();
    const auto over = over_;
    over();
  }

  FakeHost &host_;
  const std::shared_ptr<const Script> script_;
  const std::string model_, fault_;
  const std::shared_ptr<Stats::Connection> log_;
  const std::function<void()> over_;
  std::string line_end_;
  std::vector<std::string> events_;
  std::size_t next_ = 0;
  FakeTimer timer_;
  StreamedResponse response_;
};

class ChatFake {
public:
  explicit ChatFake(FakeHost &host) : host_(host) {}

  void serve(SoupServerMessage *message) {
    host_.stats().count("chat.requests");
    const std::string key = bearer_key(message);
    const std::string body = request_body(message);
    const auto document = JsonDocument::parse(body);
    Refusal refusal;
    if (std::string_view(soup_server_message_get_method(message)) != "POST")
      refusal = {405, "Not allowed.", "invalid_request_error", "", ""};
    else if (key.empty() || key == "bad")
      refusal = {401, "Incorrect API key provided: " + key + ".",
                 "invalid_request_error", "", "invalid_api_key"};
    else if (!document.ok())
      refusal = bad_request("We could not parse the JSON body of your request.",
                            "", "");
    else
      refusal = check_request(document->root(), host_.script().require_schema);
    const auto answer =
        refusal.status == 0
            ? choose(document->root()["messages"], fault_of_key(key))
            : Script::Answer();
    if (refusal.status == 0)
      refusal = refusal_of_fault(answer.fault, document->root());
    if (refusal.status != 0) {
      host_.stats().count("chat.refused");
      reply_openai_error(message, refusal.status, refusal.text, refusal.type,
                         refusal.param, refusal.code);
      return;
    }
    host_.stats().request("/v1/chat/completions", body);
    start(message, document->root(), answer);
  }

private:
  Script::Answer choose(JsonView messages, const std::string &key_fault) {
    const Script &script = host_.script();
    std::size_t users = 0;
    for (std::size_t i = 0; i < messages.size(); ++i)
      users += messages.at(i)["role"].text() == "user" ? 1 : 0;
    Script::Answer answer{R"({"message":"All right."})", "", 0};
    std::size_t index = 0;
    if (!script.answers.empty()) {
      index = std::min(users == 0 ? 0 : users - 1, script.answers.size() - 1);
      answer = script.answers[index];
    }
    if (answer.fault_times > 0 && served_[index] >= answer.fault_times)
      answer.fault.clear();
    ++served_[index];
    if (!key_fault.empty())
      answer.fault = key_fault;
    else if (answer.fault.empty())
      answer.fault = script.chat_fault;
    return answer;
  }

  void start(SoupServerMessage *message, JsonView root,
             const Script::Answer &answer) {
    const std::string model = root["model"].string().value_or("");
    auto log = host_.stats().open("chat");
    log->event("request", host_.now_ns());
    if (root["stream"].boolean() != true || answer.fault == "not_streamed") {
      log->closed = true;
      JsonWriter json;
      json.begin_object()
          .member("id", "chatcmpl-fake")
          .member("object", "chat.completion")
          .member("model", model)
          .key("choices")
          .begin_array()
          .begin_object()
          .member("index", 0)
          .key("message")
          .begin_object()
          .member("role", "assistant")
          .member("content", answer.text)
          .key("refusal")
          .null()
          .end_object()
          .member("finish_reason", "stop")
          .end_object()
          .end_array()
          .end_object();
      reply_json(message, 200, json.text());
      return;
    }
    const std::uint64_t id = next_exchange_++;
    exchanges_[id] = std::make_unique<Exchange>(
        host_, message, model, answer.text, answer.fault, std::move(log),
        [this, id] { exchanges_.erase(id); });
  }

  FakeHost &host_;
  std::map<std::size_t, int> served_; // requests by answer
  std::map<std::uint64_t, std::unique_ptr<Exchange>> exchanges_;
  std::uint64_t next_exchange_ = 1;
};

} // namespace

void add_chat(FakeHost &host) {
  soup_server_add_handler(
      host.server(), "/v1/chat/completions",
      [](SoupServer *, SoupServerMessage *message, const char *, GHashTable *,
         gpointer data) { static_cast<ChatFake *>(data)->serve(message); },
      new ChatFake(host),
      [](gpointer data) { delete static_cast<ChatFake *>(data); });
}

} // namespace patchcord::fakes
