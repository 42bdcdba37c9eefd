// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs a fuzz target over the files of a folder and over mutations of them:
// the same ones each time.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size);

// Bytes that mean something to one parser or another.
static constexpr std::string_view kTelling("\0\xff{}[]\":,\\\r\n =&%+", 17);

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto &entry : std::filesystem::directory_iterator(argv[1]))
    if (entry.is_regular_file())
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::vector<std::uint8_t>> seeds(1); // and the empty input
  for (const auto &file : files) {
    std::ifstream in(file, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(in),
                       std::istreambuf_iterator<char>());
  }
  if (seeds.size() < 2) {
    std::fprintf(stderr, "%s: no seeds\n", argv[1]);
    return 1;
  }
  std::mt19937 random(20240611);
  const auto below = [&](std::size_t limit) {
    return limit == 0 ? 0 : random() % limit;
  };
  std::size_t runs = 0;
  for (const auto &seed : seeds) {
    LLVMFuzzerTestOneInput(seed.data(), seed.size());
    ++runs;
    for (int i = 0; i < 400; ++i, ++runs) {
      auto input = seed;
      for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
        const std::size_t at = below(input.size() + 1);
        const auto here = input.begin() + static_cast<std::ptrdiff_t>(at);
        switch (below(5)) {
        case 0: // flip
          if (at < input.size())
            input[at] ^= static_cast<std::uint8_t>(1U << below(8));
          break;
        case 1: // insert
          input.insert(here, static_cast<std::uint8_t>(random()));
          break;
        case 2: // cut
          input.erase(here, here + static_cast<std::ptrdiff_t>(
                                       below(input.size() - at + 1)));
          break;
        case 3: { // splice another seed
          const auto &other = seeds[below(seeds.size())];
          input.insert(here, other.begin(),
                       other.begin() + static_cast<std::ptrdiff_t>(
                                           below(other.size() + 1)));
          break;
        }
        default: // a byte that means something
          if (at < input.size())
            input[at] = kTelling[below(kTelling.size())];
        }
      }
      LLVMFuzzerTestOneInput(input.data(), input.size());
    }
  }
  std::printf("%zu inputs\n", runs);
  return 0;
}
