// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "cli/providers.hpp"
#include "cli/report.hpp"
#include "cli/setup.hpp"
#include "config/config.hpp"
#include "recording/writer.hpp"
#include "store/record_store.hpp"

#include <memory>
#include <string>

// What the configuration decides about calls, looked at in one way by
// `patchcord check` and by `patchcord serve` before it answers any.
namespace patchcord::cli {

struct CallNeeds {
  CallFiles files;
  Providers providers;
  std::unique_ptr<store::RecordStore> records;
  std::unique_ptr<recording::Writer> recordings; // null: none are kept
  std::string made; // the file of records, if looking has made it
};

// What would turn every caller away FAILs; all of it is told, each with where
// it stands. The needs are whole when nothing FAILed.
CallNeeds look_at_needs(Report &report, const config::Config &config);
// For who only looked: no file stays behind, which would be of whoever looked,
// and not the service's.
void give_up(CallNeeds needs);

// What keeps some callers away, or may: the voice's key (a call has another
// voice to fall back on), the public URL, an account that does not look like
// one.
void look_at_reach(Report &report, const config::Config &config,
                   const Providers &providers);

} // namespace patchcord::cli
