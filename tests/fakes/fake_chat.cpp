// SPDX-License-Identifier: LGPL-2.1-or-later
// POST /v1/chat/completions: checks the request as OpenAI does and streams the
// script's answer as server-sent events.
#include "chat_check.hpp"
#include "fake_openai.hpp"

#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace patchcord::fakes {
namespace {

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
           const Script::Answer &answer, std::shared_ptr<Stats::Connection> log,
           std::function<void()> over)
      : host_(host), script_(host.hold_script()), model_(std::move(model)),
        fault_(answer.fault), log_(std::move(log)), over_(std::move(over)),
        response_(message, "text/event-stream", [this] { aborted(); }) {
    plan(answer);
    if (fault_ == "comments")
      response_.write(": KEEP ALIVE" + line_end_ + line_end_);
    timer_ = host_.after(script_->llm_first_token_ms, [this] { step(); });
  }

private:
  // What is sent, event by event. An event that is not JSON is sent as it is.
  void plan(const Script::Answer &answer) {
    std::string text = answer.text;
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
    if (!answer.calls.empty()) {
      plan_calls(answer.calls);
    } else if (fault_ == "refusal") {
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
    const bool calls = !answer.calls.empty() && fault_ != "calls_stop";
    events_.push_back(chunk("{}", fault_ == "length"           ? "length"
                                  : fault_ == "content_filter" ? fault_
                                  : calls                      ? "tool_calls"
                                                               : "stop"));
    events_.push_back(
        R"({"id":"chatcmpl-fake","object":"chat.completion.chunk",)"
        R"("created":1795340000,"choices":[],"usage":{"prompt_tokens":1210,)"
        R"("completion_tokens":31,"total_tokens":1241}})");
    if (fault_ != "no_done")
      events_.emplace_back("[DONE]");
  }

  // First a call's name, then what it is called with, bit by bit.
  void plan_calls(const std::vector<Script::Answer::Call> &calls) {
    events_.push_back(
        chunk(R"({"role":"assistant","content":null,"refusal":null})", ""));
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const auto piece = [&](bool first, std::string_view arguments) {
        JsonWriter json;
        json.begin_object().key("tool_calls").begin_array().begin_object();
        json.member("index",
                    fault_ == "calls_index_0" ? 0 : static_cast<int>(i));
        if (first)
          json.member("id", "call_" + std::to_string(i + 1))
              .member("type", "function");
        json.key("function").begin_object();
        if (first)
          json.member("name", calls[i].name);
        json.member("arguments", arguments).end_object();
        json.end_object().end_array().end_object();
        events_.push_back(chunk(json.text(), ""));
      };
      const std::string &arguments = calls[i].arguments;
      piece(true, fault_ == "calls_whole" ? arguments : "");
      if (fault_ != "calls_whole")
        for (const auto &token : tokens_of(arguments))
          piece(false, token);
    }
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

  // Sends what is due, in one piece: with a pause after each token, or all at
  // once.
  void step() {
    std::string due;
    if (next_ == 0) {
      log_->event("first_token", host_.now_ns());
      if (fault_ == "bom")
        due = "\xEF\xBB\xBF";
    }
    do {
      if (fault_ == "stall" && next_ == 3)
        return send(due); // until the client gives up
      if (fault_ == "disconnect" && next_ == 4) {
        send(due);
        response_.cut();
        end("disconnected");
        return;
      }
      due += (fault_ == "no_space" ? "data:" : "data: ") + events_[next_++] +
             line_end_ + line_end_;
      if (next_ == events_.size()) {
        send(due);
        response_.finish();
        end("done");
        return;
      }
      // The first chunk says only who speaks; the first token is right behind.
    } while (script_->llm_token_ms == 0 || next_ == 1);
    send(due);
    timer_ = host_.after(script_->llm_token_ms, [this] { step(); });
  }

  void send(const std::string &due) {
    if (fault_ != "bytes")
      return response_.write(due);
    for (const char byte : due)
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
    bool has_results = false; // of the tools that this turn calls
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const auto role = messages.at(i)["role"].text();
      users += role == "user" ? 1 : 0;
      has_results = role == "tool" || (has_results && role != "user");
    }
    Script::Answer answer;
    answer.text = R"({"message":"All right."})";
    std::size_t index = 0;
    if (!script.answers.empty()) {
      index = std::min(users == 0 ? 0 : users - 1, script.answers.size() - 1);
      answer = script.answers[index];
    }
    if (has_results)
      answer.calls.clear();
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
        host_, message, model, answer, std::move(log),
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
