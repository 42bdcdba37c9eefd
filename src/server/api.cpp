// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server/surface.hpp"

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

#include <charconv>

namespace patchcord::server {
namespace {

constexpr int kMaxListed = 500;

// A query parameter; `fallback` when absent, empty when it is no number within
// the bounds.
std::optional<int> number(const twilio::Form &query, std::string_view name,
                          int fallback, int min, int max) {
  if (!twilio::has_field(query, name))
    return fallback;
  const auto text = twilio::form_value(query, name);
  int value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < min ||
      value > max)
    return std::nullopt;
  return value;
}

// Wraps a store's callback: back onto the exchange's worker, if it lives.
template <typename T, typename F>
std::function<void(T)> on_its_worker(const std::shared_ptr<Worker> &worker,
                                     const std::weak_ptr<Exchange> &waiting,
                                     const F &answer) {
  return [worker, waiting, answer](T result) {
    worker->post([waiting, answer, result = std::move(result)] {
      if (const auto exchange = waiting.lock())
        answer(*exchange, result);
    });
  };
}

void respond_store_error(Exchange &exchange, const Error &error) {
  log::error("the records cannot be read: " + error.message);
  exchange.respond_error(500, "store", "the records cannot be read");
}

} // namespace

bool admit_operator(const Context &context, Exchange &exchange) {
  const auto &token = context.surface.config.server.api_token;
  if (token.empty()) {
    if (exchange.from_this_machine())
      return true;
    exchange.respond_error(
        403, "local_only",
        "without server.api_token the API answers only to direct connections "
        "from its own machine; this one came from " +
            exchange.peer() + " or through a proxy");
    return false;
  }
  const std::string given = exchange.header("Authorization");
  constexpr std::string_view kScheme = "bearer ";
  const bool bearer =
      to_lower(given.substr(0, kScheme.size())) == kScheme &&
      constant_time_equal(trim(std::string_view(given).substr(kScheme.size())),
                          token);
  if (bearer)
    return true;
  exchange.set_header("WWW-Authenticate", "Bearer realm=\"patchcord\"");
  exchange.respond_error(401, "unauthorized",
                         "expected Authorization: Bearer with "
                         "server.api_token");
  return false;
}

void serve_health(const Context &, const ExchangePtr &exchange) {
  exchange->respond_json(200, R"({"status":"ok"})");
}

void serve_readiness(const Context &context, const ExchangePtr &exchange) {
  const auto not_ready = [](Exchange &to, std::string_view reason) {
    JsonWriter json;
    json.begin_object().member("ready", false).member("reason", reason);
    to.respond_json(503, json.end_object().text());
  };
  const auto room = context.surface.desk.takes_calls();
  // A full house is no reason to be passed by: it turns callers away politely,
  // and its calls' own requests must reach it.
  const bool full = !room && room.error().code == "full";
  if (!room && !full) {
    not_ready(*exchange, room.error().message);
    return;
  }
  if (const auto &gate = context.surface.gate;
      gate.validate && gate.auth_tokens.empty()) {
    not_ready(*exchange, "there is no auth token to check signatures with: "
                         "twilio.auth_token");
    return;
  }
  if (context.surface.ready) {
    if (const auto ready = context.surface.ready(); !ready) {
      not_ready(*exchange, ready.error().message);
      return;
    }
  }
  context.surface.store.check(on_its_worker<Result<Unit>>(
      context.worker, exchange->later(),
      [not_ready, full,
       &desk = context.surface.desk](Exchange &to, const Result<Unit> &result) {
        if (!result) {
          not_ready(to,
                    "the records cannot be written: " + result.error().message);
          return;
        }
        JsonWriter json;
        json.begin_object().member("ready", true).member("full", full);
        json.member("active_calls", std::uint64_t{desk.active()});
        to.respond_json(200, json.end_object().text());
      }));
}

void serve_calls(const Context &context, const ExchangePtr &exchange) {
  const auto query = twilio::parse_form(exchange->query());
  const auto fields = query ? *query : twilio::Form();
  const auto limit = number(fields, "limit", 50, 1, kMaxListed);
  const auto offset = number(fields, "offset", 0, 0, 1'000'000'000);
  if (!limit || !offset) {
    exchange->respond_error(400, "bad_query",
                            "limit is a number from 1 to 500, offset one from "
                            "0");
    return;
  }
  using Records = Result<std::vector<store::CallRecord>>;
  context.surface.store.list(
      *limit, *offset,
      on_its_worker<Records>(context.worker, exchange->later(),
                             [](Exchange &to, const Records &records) {
                               if (!records) {
                                 respond_store_error(to, records.error());
                                 return;
                               }
                               JsonWriter json;
                               json.begin_object().key("calls").begin_array();
                               for (const auto &record : *records)
                                 json.raw(store::summary_json(record));
                               to.respond_json(
                                   200, json.end_array().end_object().text());
                             }));
}

void serve_call(const Context &context, const ExchangePtr &exchange,
                const std::string &call_sid) {
  using Record = Result<std::optional<store::CallRecord>>;
  context.surface.store.get(
      call_sid,
      on_its_worker<Record>(context.worker, exchange->later(),
                            [](Exchange &to, const Record &record) {
                              if (!record)
                                respond_store_error(to, record.error());
                              else if (!*record)
                                to.respond_error(404, "not_found",
                                                 "there is no such call");
                              else
                                to.respond_json(200, store::to_json(**record));
                            }));
}

} // namespace patchcord::server
