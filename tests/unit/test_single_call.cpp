// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.hpp"
#include "server/single_call_server.hpp"

#include "../support/check_text.hpp"
#include "server_test.hpp"

using namespace patchcord;

namespace {

const char kToken[] = "0123456789abcdef0123456789abcdef";
const char kStart[] =
    R"({"event":"start","sequenceNumber":"1","start":{"accountSid":"AC01",)"
    R"("streamSid":"MZ01","callSid":"CA01","tracks":["inbound"],"mediaFormat":)"
    R"({"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},)"
    R"("customParameters":{"from":"+14155550100"}},"streamSid":"MZ01"})";

void check_holds(const std::string &text, const std::string &piece) {
  if (text.find(piece) == std::string::npos)
    g_error("expected \"%s\" in \"%s\"", piece.c_str(), text.c_str());
}

class Listener final : public twilio::MediaSourceListener {
public:
  void on_start(const twilio::StreamStart &start) override {
    note("start " + start.call_sid);
  }
  void on_media(std::int64_t, ByteSpan) override {}
  void on_dtmf(std::string_view) override {}
  void on_end(twilio::StreamEnd end, std::string_view) override {
    note(std::string("end ") + twilio::to_string(end));
  }
  void note(const std::string &line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(line);
    changed_.notify_all();
  }
  void await(const std::string &line) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(20), [&] {
          return std::find(lines_.begin(), lines_.end(), line) != lines_.end();
        }))
      g_error("no \"%s\" within 20 s", line.c_str());
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

class Fixture {
public:
  explicit Fixture(const server::SingleCallServer::Options &options) {
    worker->call([&] {
      auto started = server::SingleCallServer::start(
          *worker, options,
          [this](std::shared_ptr<twilio::MediaStream> stream) {
            // As twiliosrc does: the newest stream is the one it reads.
            if (stream_)
              stream_->set_source(nullptr);
            stream_ = std::move(stream);
            stream_->set_source(&listener);
            listener.note("stream");
          });
      if (!started)
        g_error("%s", started.error().message.c_str());
      server_ = std::move(*started);
    });
    port = server_->port();
  }
  ~Fixture() {
    worker->call([this] {
      if (stream_)
        stream_->set_source(nullptr);
      stream_.reset();
      server_.reset();
    });
    worker->stop();
  }
  Fixture(const Fixture &) = delete;
  Fixture &operator=(const Fixture &) = delete;

  std::string host() const { return "127.0.0.1:" + std::to_string(port); }

  // The whole answer to the webhook of a call.
  std::string webhook(const std::string &call_sid,
                      const std::string &headers = {}) const {
    const std::string form =
        "CallSid=" + call_sid + "&From=%2B14155550100&To=%2B14155550199";
    RawClient client(port);
    client.send("POST /voice HTTP/1.1\r\nHost: " + host() +
                "\r\nConnection: close\r\nContent-Type: "
                "application/x-www-form-urlencoded\r\nContent-Length: " +
                std::to_string(form.size()) + "\r\n" + headers + "\r\n" + form);
    return client.read_until();
  }
  std::string handshake(const std::string &headers = {}) const {
    return "GET /voice/stream HTTP/1.1\r\nHost: " + host() +
           "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
           headers + "\r\n";
  }

  const std::shared_ptr<Worker> worker = Worker::start("single-call");
  Listener listener;
  int port = 0;

private:
  std::shared_ptr<twilio::MediaStream> stream_;
  std::unique_ptr<server::SingleCallServer> server_;
};

server::SingleCallServer::Options any_port() {
  server::SingleCallServer::Options options;
  options.port = 0;
  return options;
}

void test_one_call() {
  Fixture fixture(any_port());
  const std::string twiml = fixture.webhook("CA01");
  check_holds(twiml, "Content-Type: text/xml");
  check_holds(twiml,
              "<Stream url=\"ws://" + fixture.host() + "/voice/stream\">");
  check_holds(twiml, "<Hangup/>");
  // The line is kept for that caller, who may ask again.
  check_holds(fixture.webhook("CA02"), "<Reject reason=\"busy\"/>");
  check_holds(fixture.webhook("CA01"), "<Stream");
  {
    RawClient caller(fixture.port);
    caller.send(fixture.handshake() +
                client_frame(R"({"event":"connected","protocol":"Call"})") +
                client_frame(kStart));
    check_holds(caller.read_until("\r\n\r\n"), "HTTP/1.1 101");
    fixture.listener.await("start CA01");
    check_holds(fixture.webhook("CA02"), "<Reject reason=\"busy\"/>");
    RawClient second(fixture.port);
    second.send(fixture.handshake());
    check_holds(second.read_until("}}"), "HTTP/1.1 503");
  }
  fixture.listener.await(
      "end " + std::string(twilio::to_string(twilio::StreamEnd::kLost)));
  check_holds(fixture.webhook("CA02"), "<Stream");
}

void test_tunnel() {
  Fixture fixture(any_port());
  check_holds(fixture.webhook("CA01", "X-Forwarded-Proto: https\r\n"
                                      "X-Forwarded-Host: a.example.com, b\r\n"),
              "<Stream url=\"wss://a.example.com/voice/stream\">");
  auto options = any_port();
  options.public_url = "https://voice.example.com/";
  options.path = "/voice/";
  Fixture named(options);
  check_holds(named.webhook("CA01"),
              "<Stream url=\"wss://voice.example.com/voice/stream\">");
}

void test_signed() {
  auto options = any_port();
  options.auth_token = kToken;
  options.public_url = "https://voice.example.com";
  Fixture fixture(options);
  check_holds(fixture.webhook("CA01"), "HTTP/1.1 403");
  const std::string url = "https://voice.example.com/voice";
  const twilio::Form fields = {
      {"CallSid", "CA01"}, {"From", "+14155550100"}, {"To", "+14155550199"}};
  check_holds(fixture.webhook("CA01", "X-Twilio-Signature: " +
                                          twilio::sign(kToken, url, fields) +
                                          "\r\n"),
              "<Stream");
  RawClient unsigned_(fixture.port);
  unsigned_.send(fixture.handshake());
  check_holds(unsigned_.read_until("}}"), "HTTP/1.1 403");
  RawClient good(fixture.port);
  good.send(fixture.handshake(
      "X-Twilio-Signature: " +
      twilio::sign(kToken, "wss://voice.example.com/voice/stream") + "\r\n"));
  check_holds(good.read_until("\r\n\r\n"), "HTTP/1.1 101");
  fixture.listener.await("stream");
}

void test_other_requests() {
  Fixture fixture(any_port());
  for (const char *request :
       {"GET / HTTP/1.1\r\n", "DELETE /voice HTTP/1.1\r\n",
        "GET /voice/stream/x HTTP/1.1\r\n"}) {
    RawClient client(fixture.port);
    client.send(std::string(request) + "Host: x\r\n\r\n");
    check_holds(client.read_until("}}"), "HTTP/1.1 404");
  }
  RawClient plain(fixture.port);
  plain.send("GET /voice/stream HTTP/1.1\r\nHost: x\r\n\r\n");
  check_holds(plain.read_until("}}"), "HTTP/1.1 400");
  // A caller that goes before it has its answer leaves the line free.
  {
    RawClient gone(fixture.port);
    gone.send(fixture.handshake());
  }
  const auto worker = Worker::start("second");
  worker->call([&] {
    auto options = any_port();
    options.port = fixture.port;
    const auto second =
        server::SingleCallServer::start(*worker, options, [](auto) {});
    g_assert_false(second.ok());
    check_holds(second.error().message, "another program listens there");
  });
  worker->stop();
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  log::set_threshold(log::Level::kError);
  g_test_add_func("/single-call/one-caller-at-a-time", test_one_call);
  g_test_add_func("/single-call/a-tunnel-is-followed", test_tunnel);
  g_test_add_func("/single-call/with-a-token-all-must-be-signed", test_signed);
  g_test_add_func("/single-call/nothing-else-is-served", test_other_requests);
  return g_test_run();
}
