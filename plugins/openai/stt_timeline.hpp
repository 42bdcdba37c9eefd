// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/fifo.hpp"
#include "worker/time.hpp"

#include <gst/gst.h>

namespace patchcord {

// Which PTS the audio at a position had: positions count all audio that was
// pushed, timestamps may jump.
class SttTimeline {
public:
  // The audio from `position` on has this PTS and what follows from it.
  void anchor(Duration position, GstClockTime pts) {
    anchors_.push_back({position, pts});
    while (anchors_.size() > kMax)
      anchors_.pop_front();
  }
  void clear() { anchors_.clear(); }
  bool empty() const { return anchors_.empty(); }

  GstClockTime pts_of(Duration position) const {
    if (anchors_.empty())
      return GST_CLOCK_TIME_NONE;
    const Anchor *found = &anchors_.front();
    for (const Anchor &anchor : anchors_)
      if (anchor.position <= position)
        found = &anchor;
    const auto pts = static_cast<std::int64_t>(found->pts) +
                     (position - found->position).count();
    return pts > 0 ? static_cast<GstClockTime>(pts) : 0;
  }

private:
  struct Anchor {
    Duration position;
    GstClockTime pts;
  };
  static constexpr std::size_t kMax = 16;
  Fifo<Anchor> anchors_;
};

} // namespace patchcord
