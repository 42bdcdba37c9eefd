// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "offline/dictionary.hpp"

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace patchcord::offline {

// What became of an utterance.
//
// The scores are mean log-likelihoods of a 10 ms frame, in the decoder's units;
// the closer to 0 the better. Measured as a telephone carries them: right
// answers of people (11) score -31 or better and their worst words -60; of
// seven espeak-ng voices (301 answers) -44 or better and -98.
struct Recognition {
  std::string text;        // what was understood; empty: nothing of the grammar
  double score = 0.0;      // of the utterance with the silence around it
  double worst_word = 0.0; // of the word that fits the sound least
  int frames = 0;          // of 10 ms

  // With these limits none of the people's right answers is refused and 15 of
  // espeak-ng's 256; of what the grammar does not have, 77 % is refused when
  // people say it, 82 % when espeak-ng does (48 and 652 combinations of an
  // answer with another question's grammar). Without them a grammar takes much
  // of anything for something. docs/offline-speech.md has the tables.
  static constexpr double kMinScore = -42.0, kMinWorstWord = -70.0;
  bool understood(double min_score = kMinScore) const {
    return !text.empty() && score >= min_score && worst_word >= kMinWorstWord;
  }
};

// libpocketsphinx behind a door: one decoder, one utterance at a time, which is
// given whole and decoded in steps. What it knows beyond the library:
//
// * The cepstral mean is taken from the utterance itself. The library adapts it
//   as it goes and fails on the first words of every call until it has: for
//   telephone speech the model's starting value is far off.
// * Telephone speech ends at 4 kHz, the model wants sound up to 6.8 kHz. Some
//   noise is nearer to speech than the emptiness of a resampler.
// * A grammar takes anything for something; a loop of phones beside it takes
//   what the grammar does not have.
// * Tones are as clear as vowels to it; they are not decoded
// (offline/tones.hpp).
// * Grammars are kept (the kGrammars used last), words are looked up in the big
//   dictionary only when a grammar needs them: 7 MB a decoder instead of 28.
//
// Not bound to a thread, but one thread at a time.
class SphinxDecoder {
public:
  struct Model {
    std::string hmm;  // folder of an acoustic model for 16 kHz
    std::string dict; // pronouncing dictionary
    // NOLINTNEXTLINE(modernize-use-nullptr): of what the compiler makes of it
    auto operator<=>(const Model &) const = default;
  };
  static constexpr char kDefaultHmm[] =
      "/usr/share/pocketsphinx/model/en-us/en-us";
  static constexpr char kDefaultDict[] =
      "/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict";
  static constexpr int kRate = 16000;
  static constexpr std::size_t kGrammars = 32;

  // Reads the model: about 40 ms. Errors: "no_model", "no_dictionary".
  static Result<std::unique_ptr<SphinxDecoder>> create(const Model &model);
  ~SphinxDecoder();

  // Makes a grammar ready (text as of grammar_text()), so that begin() need
  // not: some milliseconds when it is new. Gives the words whose pronunciation
  // had to be guessed. Error "bad_grammar".
  Result<std::vector<std::string>> prepare(const std::string &grammar);

  // Takes an utterance with some silence around it: S16 mono at kRate. What was
  // under way is forgotten. A tenth of a millisecond for a second of it.
  Result<> begin(std::span<const std::int16_t> samples,
                 const std::string &grammar);
  // Some milliseconds of work. False when all is decoded.
  bool step();
  // Once step() has said false.
  Recognition finish();

private:
  struct Library;
  struct Known {
    std::string grammar, search;
    std::vector<std::string> guessed;
  };
  SphinxDecoder(std::unique_ptr<Library> library,
                std::shared_ptr<Dictionary> dictionary);
  Result<Known *> know(const std::string &grammar);
  std::vector<std::string> add_words(const std::vector<std::string> &words);
  void make_cepstra();
  void start_decoding();
  void abandon();

  std::unique_ptr<Library> library_;
  std::shared_ptr<Dictionary> dictionary_;
  std::list<Known> known_; // used last first
  unsigned searches_made_ = 0;
  // The utterance in work: first all of its cepstra, for their mean, then
  // words.
  enum class Phase { kIdle, kCepstra, kWords } phase_ = Phase::kIdle;
  std::string search_;
  std::vector<std::int16_t> samples_;
  std::size_t next_sample_ = 0;
  std::vector<float> cepstra_;
  std::vector<float *> frames_;
  std::size_t made_frames_ = 0, next_frame_ = 0;
};

} // namespace patchcord::offline
