// SPDX-License-Identifier: LGPL-2.1-or-later
#include "offline/tones.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace patchcord::offline {
namespace {

// Two for each of two sine waves, as many again to look through the noise that
// mu-law adds: with 4 the softest keys reach 20 dB, with 16 the speech 26 dB.
constexpr std::size_t kOrder = 8;
constexpr std::size_t kStep = 2; // to 8 kHz
constexpr std::size_t kFrame = 320;
constexpr double kSoft = 1e-2; // of the loudest frame's power: not loud

using Row = std::array<double, kOrder + 1>;
using Matrix = std::array<Row, kOrder + 1>;

// Sums of products of the sound with itself, shifted: [i][j] of x(n-i) x(n-j).
Matrix products(std::span<const std::int16_t> frame) {
  Matrix sums{};
  for (std::size_t n = kOrder * kStep; n < frame.size(); n += kStep)
    for (std::size_t i = 0; i <= kOrder; ++i)
      for (std::size_t j = 0; j <= i; ++j)
        sums[i][j] +=
            static_cast<double>(frame[n - i * kStep]) * frame[n - j * kStep];
  return sums;
}

// What is left of x(n) when its predecessors have explained what they can: the
// last pivot when x(n) is eliminated last.
double left_over(Matrix sums) {
  for (std::size_t k = kOrder; k > 0; --k) {
    const double pivot = sums[k][k];
    if (pivot <= 1.0) // nothing new in this one
      continue;
    for (std::size_t i = 0; i < k; ++i)
      for (std::size_t j = 0; j <= i; ++j)
        sums[i][j] -= sums[k][i] * sums[k][j] / pivot;
  }
  return sums[0][0];
}

} // namespace

double tonality_db(std::span<const std::int16_t> samples) {
  std::vector<Matrix> frames;
  double loudest = 0.0;
  for (std::size_t at = 0; at + kFrame <= samples.size(); at += kFrame) {
    frames.push_back(products(samples.subspan(at, kFrame)));
    loudest = std::max(loudest, frames.back()[0][0]);
  }
  std::vector<double> gains;
  for (const Matrix &sums : frames)
    if (sums[0][0] > loudest * kSoft)
      gains.push_back(10 *
                      std::log10(sums[0][0] / std::max(left_over(sums), 1.0)));
  if (gains.empty())
    return 0.0;
  const auto middle =
      gains.begin() + static_cast<std::ptrdiff_t>(gains.size() / 2);
  std::nth_element(gains.begin(), middle, gains.end());
  return *middle;
}

} // namespace patchcord::offline
