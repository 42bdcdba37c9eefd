// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/fleet.hpp"

#include <utility>

namespace patchcord::phone {

Fleet::Fleet(Options options, std::function<void()> all_done)
    : options_(std::move(options)), all_done_(std::move(all_done)),
      pool_(options_.calls == 1 ? 1 : 0) {
  shared_.with([&](Shared &shared) { shared.expected = options_.calls; });
  for (const auto &worker : pool_.workers()) {
    lanes_.push_back(std::make_unique<Lane>());
    lanes_.back()->worker = worker;
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i)
    lanes_[i]->worker->post([this, i] {
      Lane &lane = *lanes_[i];
      const auto count = static_cast<std::size_t>(options_.calls);
      for (std::size_t call = i; call < count; call += lanes_.size())
        lane.starts.push_back(lane.worker->after(
            options_.ramp * static_cast<Duration::rep>(call) /
                static_cast<Duration::rep>(count),
            [this, &lane] { begin(lane); }));
    });
}

Fleet::~Fleet() {
  for (const auto &lane : lanes_)
    lane->worker->call([&] {
      lane->starts.clear();
      lane->calls.clear();
    });
}

void Fleet::begin(Lane &lane) {
  if (lane.stopped)
    return;
  shared_.with([](Shared &shared) { ++shared.counts.begun; });
  EventSink event;
  if (options_.event)
    event = [this, worker = lane.worker.get()](const PhoneEvent &what) {
      options_.event(*worker, what);
    };
  // Finished calls stay until the end: they are small, and their number is what
  // was asked for.
  lane.calls.push_back(
      PhoneCall::start(lane.worker, options_.setup, std::move(event),
                       [this](CallReport report) { done(std::move(report)); }));
}

void Fleet::done(CallReport report) {
  const bool all = shared_.with([&](Shared &shared) {
    shared.reports.push_back(std::move(report));
    return ++shared.counts.done == shared.expected;
  });
  if (all)
    all_done_();
}

void Fleet::hang_up(const std::string &why) {
  for (const auto &lane : lanes_)
    lane->worker->post([this, raw = lane.get(), why] {
      if (std::exchange(raw->stopped, true))
        return;
      int never_begun = 0;
      for (const Timer &start : raw->starts)
        never_begun += start.armed() ? 1 : 0;
      raw->starts.clear();
      for (const auto &call : raw->calls)
        call->hang_up(why);
      const bool all = shared_.with([&](Shared &shared) {
        shared.expected -= never_begun;
        return never_begun != 0 && shared.counts.done == shared.expected;
      });
      if (all)
        all_done_();
    });
}

void Fleet::to_first(const std::function<void(PhoneCall &)> &task) {
  lanes_.front()->worker->post([lane = lanes_.front().get(), task] {
    if (!lane->calls.empty())
      task(*lane->calls.front());
  });
}

void Fleet::update(const std::string &twiml) {
  to_first([twiml](PhoneCall &call) { call.update(twiml); });
}

void Fleet::complete() {
  to_first([](PhoneCall &call) { call.complete(); });
}

void Fleet::on_first_worker(const std::function<void()> &task) {
  lanes_.front()->worker->call(task);
}

Fleet::Counts Fleet::counts() {
  return shared_.with([](Shared &shared) { return shared.counts; });
}

std::vector<CallReport> Fleet::take_reports() {
  return shared_.with(
      [](Shared &shared) { return std::exchange(shared.reports, {}); });
}

} // namespace patchcord::phone
