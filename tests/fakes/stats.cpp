// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stats.hpp"

#include "base/json.hpp"

namespace patchcord::fakes {

std::shared_ptr<Stats::Connection> Stats::open(const std::string &kind) {
  count(kind);
  auto connection = std::make_shared<Connection>();
  connection->kind = kind;
  connection->id = next_id_++;
  connections_.push_back(connection);
  if (connections_.size() > kMaxConnections)
    connections_.pop_front();
  return connection;
}

void Stats::request(std::string_view path, std::string_view body) {
  requests_.emplace_back(path, body);
  if (requests_.size() > 1000)
    requests_.pop_front();
}

void Stats::reset() {
  counters_.clear();
  connections_.clear();
  requests_.clear();
}

std::string Stats::json(std::int64_t now_ns) const {
  JsonWriter json;
  const auto write_counters = [&](const auto &counters) {
    json.key("counters").begin_object();
    for (const auto &[name, value] : counters)
      json.member(name, value);
    json.end_object();
  };
  json.begin_object().member("now_ns", now_ns);
  write_counters(counters_);
  json.key("connections").begin_array();
  for (const auto &connection : connections_) {
    json.begin_object()
        .member("kind", connection->kind)
        .member("id", connection->id)
        .member("closed", connection->closed);
    write_counters(connection->counters);
    json.key("events").begin_array();
    for (const auto &event : connection->events)
      json.begin_object()
          .member("name", event.name)
          .member("t_ns", event.t_ns)
          .member("value", event.value)
          .end_object();
    json.end_array().end_object();
  }
  json.end_array().key("requests").begin_array();
  for (const auto &[path, body] : requests_)
    json.begin_object().member("path", path).member("body", body).end_object();
  return json.end_array().end_object().take();
}

} // namespace patchcord::fakes
