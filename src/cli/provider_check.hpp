// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "cli/report.hpp"
#include "config/config.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace patchcord::cli {

// Asks the providers whether they take the keys and have the models; a
// compatible server may want no key. Each is a free request; waits for the
// answers.
void check_openai(Report &report, const config::Config &config,
                  const std::vector<std::string> &models);
void check_elevenlabs(Report &report, const config::Config &config);

// The judgement of a model list (OpenAI reference, "List models") without the
// asking. `today`: ISO 8601.
void judge_models(Report &report, std::string_view body,
                  const std::vector<std::string> &models,
                  const std::string &today);

} // namespace patchcord::cli
