// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/conversation.hpp"

#include <algorithm>
#include <utility>

// Tools that the model called: they run while the conversation goes on, and the
// caller's speech gives them up.
namespace patchcord::agent {

void Conversation::run_tools(TimePoint now, ToolRuns todo) {
  if (Reply before; !(before.message = untold()).empty()) {
    before.action = "say";
    decided(before);
  }
  request_ = Request();
  for (const ToolRuns::Run &each : todo.runs)
    request_->runs.push_back({++last_run_, each.name, now, false});
  for (std::size_t i = 0; i < todo.runs.size(); ++i) {
    auto &request = todo.runs[i].request;
    if (request)
      emit(action::RunTool{request_->runs[i].id, *std::move(request)});
    else
      end_run(now, i, tool_refused(request.error().message));
  }
  go_on_if_tools_ended(now);
}

Actions Conversation::tool_done(TimePoint now, std::uint32_t run,
                                const Result<ToolAnswer> &answer) {
  if (!request_)
    return {};
  const auto &runs = request_->runs;
  const auto found =
      std::find_if(runs.begin(), runs.end(), [run](const ToolRun &each) {
        return each.id == run && !each.over;
      });
  if (found == runs.end())
    return {};
  end_run(now, static_cast<std::size_t>(found - runs.begin()),
          tool_outcome(answer));
  go_on_if_tools_ended(now);
  return finish();
}

void Conversation::end_run(TimePoint now, std::size_t run,
                           const ToolOutcome &outcome) {
  ToolRun &ended = request_->runs[run];
  ended.over = true;
  mind_->tool_ended(run, outcome);
  emit(action::ToolEnded{turn_.index, ended.name, outcome.status,
                         now - ended.started});
}

void Conversation::go_on_if_tools_ended(TimePoint now) {
  const auto &runs = request_->runs;
  if (!std::all_of(runs.begin(), runs.end(),
                   [](const ToolRun &run) { return run.over; }))
    return;
  request_.reset();
  think(now, mind_->tools_ended());
}

void Conversation::cancel_tools(TimePoint now) {
  if (!request_)
    return;
  bool ran = false;
  for (std::size_t i = 0; i < request_->runs.size(); ++i)
    if (!request_->runs[i].over) {
      ran = true;
      end_run(now, i, tool_cancelled());
    }
  if (ran)
    emit(action::CancelTools{});
}

} // namespace patchcord::agent
