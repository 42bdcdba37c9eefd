// SPDX-License-Identifier: LGPL-2.1-or-later
#include "offline/sphinx_decoder.hpp"

#include "offline/grammar.hpp"
#include "offline/tones.hpp"

#include <pocketsphinx.h>
#include <sphinxbase/err.h>
#include <sphinxbase/fsg_model.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace patchcord::offline {
namespace {

constexpr int kCepstra = 13;
constexpr int kFrameSamples = SphinxDecoder::kRate / 100;
// All of these by measurement, on 11 recordings of people and 324 answers by
// espeak-ng, as a telephone carries them (8 kHz mu-law); see the comment at
// Recognition::score for the material and the outcome.

// Weight of the grammar's probabilities against the sound's. 4: 250 of 335
// right, 6.5: 265, 8: 266, 9: 267, 12: 263.
constexpr double kLanguageWeight = 8.0;
// Noise under the loudest part of the utterance, in dB. None: 191 of 335 right;
// 30 dB: 248, 25: 260, 21: 265, 18: 257, 15: 242.
constexpr double kNoiseDb = 21.0;
// A sentence of single phones, in any order, competes with the grammar: what
// suits it better is not of the grammar. Probabilities of its beginning and of
// each further phone; 1e-20 loses right answers, 1e-40 has no effect.
constexpr double kGarbage = 1e-27, kGarbagePhone = 1e-13;
constexpr std::array<const char *, 39> kPhones = {
    "AA", "AE", "AH", "AO", "AW", "AY", "B",  "CH", "D",  "DH",
    "EH", "ER", "EY", "F",  "G",  "HH", "IH", "IY", "JH", "K",
    "L",  "M",  "N",  "NG", "OW", "OY", "P",  "R",  "S",  "SH",
    "T",  "TH", "UH", "UW", "V",  "W",  "Y",  "Z",  "ZH"};
// Begins the names of the phones as words; no word of a grammar begins so.
constexpr char kPhoneMark = '+';
// Worked on between two looks at anything else: 1 to 3 ms.
constexpr std::size_t kStepFrames = 6,
                      kStepSamples = std::size_t{2} * SphinxDecoder::kRate;

struct FreeDecoder {
  void operator()(ps_decoder_t *decoder) const { ps_free(decoder); }
};
struct FreeFrontEnd {
  void operator()(fe_t *front_end) const { fe_free(front_end); }
};
struct FreeConfig {
  void operator()(cmd_ln_t *config) const { cmd_ln_free_r(config); }
};
struct FreeFsg {
  void operator()(fsg_model_t *fsg) const { fsg_model_free(fsg); }
};
using Fsg = std::unique_ptr<fsg_model_t, FreeFsg>;

std::string phone_word(const char *phone) {
  return std::string(1, kPhoneMark) + phone;
}

void add_garbage(fsg_model_t *fsg, logmath_t *logs, int begin, int loop,
                 int end) {
  const auto first = static_cast<int32>(logmath_log(logs, kGarbage));
  const auto next = static_cast<int32>(logmath_log(logs, kGarbagePhone));
  for (const char *phone : kPhones) {
    const int id = fsg_model_word_add(fsg, phone_word(phone).c_str());
    fsg_model_trans_add(fsg, begin, loop, first, id);
    fsg_model_trans_add(fsg, loop, loop, next, id);
  }
  fsg_model_null_trans_add(fsg, loop, end, 0);
}

Fsg build_fsg(const StateGraph &graph, const char *name, logmath_t *logs) {
  constexpr int kBegin = 0, kEnd = 1; // as StateGraph has it
  Fsg fsg(fsg_model_init(name, logs, kLanguageWeight, graph.states + 1));
  fsg->start_state = kBegin;
  fsg->final_state = kEnd;
  std::vector<int> ids;
  ids.reserve(graph.words.size());
  for (const std::string &word : graph.words)
    ids.push_back(fsg_model_word_add(fsg.get(), word.c_str()));
  for (const StateGraph::Arc &arc : graph.arcs) {
    const auto score = static_cast<int32>(logmath_log(logs, arc.probability) *
                                          kLanguageWeight);
    if (arc.word < 0)
      fsg_model_null_trans_add(fsg.get(), arc.from, arc.to, score);
    else
      fsg_model_trans_add(fsg.get(), arc.from, arc.to, score,
                          ids[static_cast<std::size_t>(arc.word)]);
  }
  add_garbage(fsg.get(), logs, kBegin, graph.states, kEnd);
  glist_free(fsg_model_null_trans_closure(fsg.get(), nullptr));
  return fsg;
}

// White noise in proportion to the speech. It fills the band above 4 kHz, which
// a telephone leaves empty and the model does not know empty, and evens out
// what is silent in different ways on different lines.
std::vector<std::int16_t> with_noise(std::span<const std::int16_t> samples) {
  constexpr double kSoft = 1e-3; // of the loudest frame's power: not speech
  std::vector<double> powers;
  for (std::size_t at = 0; at + kFrameSamples <= samples.size();
       at += kFrameSamples) {
    double power = 0.0;
    for (const std::int16_t sample : samples.subspan(at, kFrameSamples))
      power += static_cast<double>(sample) * sample;
    powers.push_back(power / kFrameSamples);
  }
  const double loudest =
      powers.empty() ? 0.0 : *std::max_element(powers.begin(), powers.end());
  double sum = 0.0, count = 0.0;
  for (const double power : powers)
    if (power > loudest * kSoft) {
      sum += power;
      count += 1.0;
    }
  // Four evenly distributed numbers are nearly Gaussian; their variance is a
  // third.
  const double scale =
      count > 0.0 ? std::sqrt(3.0 * sum / count) * std::pow(10, -kNoiseDb / 20)
                  : 0.0;
  std::uint32_t random = 1; // the same utterance, the same result
  std::vector<std::int16_t> noisy;
  noisy.reserve(samples.size());
  for (const std::int16_t sample : samples) {
    double noise = -2.0;
    for (int i = 0; i < 4; ++i) {
      random = random * 1664525U + 1013904223U;
      noise += static_cast<double>(random >> 16) / 65536.0;
    }
    noisy.push_back(static_cast<std::int16_t>(
        std::clamp(sample + scale * noise, -32768.0, 32767.0)));
  }
  return noisy;
}

} // namespace

struct SphinxDecoder::Library {
  std::unique_ptr<ps_decoder_t, FreeDecoder> decoder;
  std::unique_ptr<fe_t, FreeFrontEnd> front_end;
};

Result<std::unique_ptr<SphinxDecoder>>
SphinxDecoder::create(const Model &model) {
  auto dictionary = Dictionary::open(model.dict);
  if (!dictionary)
    return std::move(dictionary).error();
  err_set_logfp(nullptr); // it reports every grammar, line by line
  // Silence is the caller's affair here; the library's detector would cut again
  // and forget quiet beginnings.
  std::unique_ptr<cmd_ln_t, FreeConfig> config(cmd_ln_init(
      nullptr, ps_args(), TRUE, "-hmm", model.hmm.c_str(), "-bestpath", "no",
      "-remove_silence", "no", "-remove_noise", "no", nullptr));
  auto library = std::make_unique<Library>();
  if (config)
    library->decoder.reset(ps_init(config.get()));
  if (library->decoder)
    library->front_end.reset(
        fe_init_auto_r(ps_get_config(library->decoder.get())));
  if (!library->front_end ||
      fe_get_output_size(library->front_end.get()) != kCepstra)
    return make_error("no_model",
                      "cannot read the acoustic model " + model.hmm);
  return std::unique_ptr<SphinxDecoder>(
      new SphinxDecoder(std::move(library), std::move(*dictionary)));
}

SphinxDecoder::SphinxDecoder(std::unique_ptr<Library> library,
                             std::shared_ptr<Dictionary> dictionary)
    : library_(std::move(library)), dictionary_(std::move(dictionary)) {
  for (const char *phone : kPhones)
    ps_add_word(library_->decoder.get(), phone_word(phone).c_str(), phone,
                FALSE);
}

SphinxDecoder::~SphinxDecoder() { abandon(); }

std::vector<std::string>
SphinxDecoder::add_words(const std::vector<std::string> &words) {
  ps_decoder_t *decoder = library_->decoder.get();
  std::vector<std::string> guessed;
  for (const Pronunciation &entry : dictionary_->look_up(words)) {
    if (entry.guessed)
      guessed.push_back(entry.word);
    if (char *phones = ps_lookup_word(decoder, entry.word.c_str())) {
      std::free(phones);
      continue;
    }
    int variant = 0;
    for (const std::string &phones : entry.phones) {
      std::string name = entry.word;
      if (++variant > 1)
        name += '(' + std::to_string(variant) + ')';
      ps_add_word(decoder, name.c_str(), phones.c_str(), FALSE);
    }
  }
  return guessed;
}

Result<SphinxDecoder::Known *> SphinxDecoder::know(const std::string &grammar) {
  const auto found =
      std::find_if(known_.begin(), known_.end(), [&](const Known &known) {
        return known.grammar == grammar;
      });
  if (found != known_.end()) {
    known_.splice(known_.begin(), known_, found);
    return &known_.front();
  }
  auto graph = compile_grammar(grammar);
  if (!graph)
    return std::move(graph).error();
  ps_decoder_t *decoder = library_->decoder.get();
  Known known{grammar, std::to_string(++searches_made_), {}};
  known.guessed = add_words(graph->words);
  const Fsg fsg =
      build_fsg(*graph, known.search.c_str(), ps_get_logmath(decoder));
  if (ps_set_fsg(decoder, known.search.c_str(), fsg.get()) < 0)
    return make_error("bad_grammar", "the recogniser refuses the grammar");
  known_.push_front(std::move(known));
  // Not while an utterance is decoded: the last one may be its grammar.
  while (known_.size() > kGrammars && phase_ == Phase::kIdle) {
    ps_unset_search(decoder, known_.back().search.c_str());
    known_.pop_back();
  }
  return &known_.front();
}

Result<std::vector<std::string>>
SphinxDecoder::prepare(const std::string &grammar) {
  auto known = know(grammar);
  if (!known)
    return std::move(known).error();
  return (*known)->guessed;
}

Result<> SphinxDecoder::begin(std::span<const std::int16_t> samples,
                              const std::string &grammar) {
  abandon();
  auto known = know(grammar);
  if (!known)
    return std::move(known).error();
  if (tonality_db(samples) > kToneDb)
    return ok(); // nothing to decode: step() is false, the text empty
  search_ = (*known)->search;
  samples_ = with_noise(samples);
  next_sample_ = made_frames_ = next_frame_ = 0;
  const std::size_t room = samples_.size() / kFrameSamples + 4;
  cepstra_.resize(room * kCepstra);
  frames_.resize(room);
  for (std::size_t i = 0; i < room; ++i)
    frames_[i] = &cepstra_[i * kCepstra];
  fe_start_stream(library_->front_end.get());
  fe_start_utt(library_->front_end.get());
  phase_ = Phase::kCepstra;
  return ok();
}

void SphinxDecoder::make_cepstra() {
  fe_t *front_end = library_->front_end.get();
  const int16 *at = samples_.data() + next_sample_;
  size_t left = std::min(kStepSamples, samples_.size() - next_sample_);
  next_sample_ += left;
  const std::size_t room = frames_.size() - 1 - made_frames_;
  auto count = static_cast<int32>(room);
  int32 tail = 0, ignored = 0;
  fe_process_frames(front_end, &at, &left, &frames_[made_frames_], &count,
                    &ignored);
  made_frames_ += static_cast<std::size_t>(count);
  if (next_sample_ < samples_.size())
    return;
  fe_end_utt(front_end, frames_[made_frames_], &tail);
  frames_.resize(made_frames_ + static_cast<std::size_t>(tail));
  start_decoding();
}

void SphinxDecoder::start_decoding() {
  std::array<mfcc_t, kCepstra> mean{};
  for (const float *frame : frames_)
    for (int i = 0; i < kCepstra; ++i)
      mean[static_cast<std::size_t>(i)] +=
          frame[i] / static_cast<float>(frames_.size());
  ps_decoder_t *decoder = library_->decoder.get();
  ps_set_search(decoder, search_.c_str());
  cmn_live_set(ps_get_feat(decoder)->cmn_struct, mean.data());
  ps_start_utt(decoder);
  phase_ = Phase::kWords;
}

bool SphinxDecoder::step() {
  if (phase_ == Phase::kIdle)
    return false;
  if (phase_ == Phase::kCepstra) {
    make_cepstra();
    return true;
  }
  const std::size_t count = std::min(kStepFrames, frames_.size() - next_frame_);
  if (count > 0)
    ps_process_cep(library_->decoder.get(), frames_.data() + next_frame_,
                   static_cast<int>(count), FALSE, FALSE);
  next_frame_ += count;
  return next_frame_ < frames_.size();
}

Recognition SphinxDecoder::finish() {
  Recognition result;
  if (std::exchange(phase_, Phase::kIdle) != Phase::kWords)
    return result;
  ps_decoder_t *decoder = library_->decoder.get();
  ps_end_utt(decoder);
  int32 score = 0;
  const char *text = ps_get_hyp(decoder, &score);
  result.frames = ps_get_n_frames(decoder);
  if (text == nullptr || result.frames == 0)
    return result;
  result.score = static_cast<double>(score) / result.frames;
  result.worst_word = 0.0;
  for (ps_seg_t *segment = ps_seg_iter(decoder); segment != nullptr;
       segment = ps_seg_next(segment)) {
    int first = 0, last = 0;
    int32 sound = 0, language = 0, back = 0;
    ps_seg_frames(segment, &first, &last);
    ps_seg_prob(segment, &sound, &language, &back);
    // "<sil>", "[NOISE]" and arcs without a word, "(NULL)".
    if (is_word_character(ps_seg_word(segment)[0]))
      result.worst_word = std::min(
          result.worst_word, static_cast<double>(sound) / (last - first + 1));
  }
  if (*text == kPhoneMark)
    return result;
  result.text = text;
  return result;
}

void SphinxDecoder::abandon() {
  if (std::exchange(phase_, Phase::kIdle) == Phase::kWords)
    ps_end_utt(library_->decoder.get());
}

} // namespace patchcord::offline
