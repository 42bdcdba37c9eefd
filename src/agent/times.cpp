// SPDX-License-Identifier: LGPL-2.1-or-later
#include "agent/dates.hpp"

#include "agent/refusal.hpp"

#include <cstdio>

// Times of day.
namespace patchcord::agent {
namespace {

struct Clock {
  int hour = 0, minute = 0;
  std::size_t end = 0;
  bool certain = false; // by its form
  bool bare = false;    // an hour and nothing else
  bool is_24h = false;  // as written, not to be moved to the afternoon
};

std::optional<Clock> digits_clock_at(const Words &words, std::size_t i) {
  const std::string_view word = words[i];
  const std::size_t separator = word.find_first_of(":.");
  if (separator != std::string_view::npos) {
    const std::string_view hours = word.substr(0, separator);
    const std::string_view minutes = word.substr(separator + 1);
    if (!is_digits(hours) || hours.size() > 2 || !is_digits(minutes) ||
        minutes.size() != 2)
      return std::nullopt;
    Clock clock;
    clock.hour = std::stoi(std::string(hours));
    clock.minute = std::stoi(std::string(minutes));
    clock.end = i + 1;
    clock.certain = word[separator] == ':';
    clock.is_24h = hours.size() == 2 && hours[0] == '0';
    return clock;
  }
  // "230" and "1430", as some recognisers write "two thirty".
  if (is_digits(word) && (word.size() == 3 || word.size() == 4)) {
    const int number = std::stoi(std::string(word));
    if (is_year_of_date(words, i))
      return std::nullopt;
    return Clock{number / 100, number % 100, i + 1};
  }
  return std::nullopt;
}

// "half past two", "a quarter to three", "ten past four".
std::optional<Clock> relative_clock_at(const Words &words, std::size_t i) {
  int minutes = 0;
  std::size_t next = i + 1;
  if (words[i] == "half")
    minutes = 30;
  else if (words[i] == "quarter")
    minutes = 15;
  else if (const auto number = cardinal_at(words, i)) {
    next = number->end;
    const bool told = is_one_of(word_at(words, next), {"minutes", "minute"});
    if (told)
      ++next;
    // "three to five" is a range, "ten to five" a time.
    if (number->value > 59 || (!told && number->value % 5 != 0))
      return std::nullopt;
    minutes = static_cast<int>(number->value);
  } else {
    return std::nullopt;
  }
  const bool past = is_one_of(word_at(words, next), {"past", "after"});
  const bool to = is_one_of(word_at(words, next), {"to", "before", "till"});
  const auto hour = cardinal_at(words, next + 1);
  if ((!past && !to) || !hour || hour->value < 1 || hour->value > 12 ||
      is_one_of(word_at(words, hour->end),
                {"people", "persons", "guests", "hours", "of"}))
    return std::nullopt; // or "five to six people"
  Clock clock{static_cast<int>(hour->value), minutes, hour->end, true};
  if (to) {
    clock.hour = clock.hour == 1 ? 12 : clock.hour - 1;
    clock.minute = 60 - minutes;
  }
  return clock;
}

std::optional<Clock> spoken_clock_at(const Words &words, std::size_t i) {
  const auto hour = cardinal_at(words, i);
  if (!hour || hour->value > 24)
    return std::nullopt;
  Clock clock{static_cast<int>(hour->value), 0, hour->end};
  const std::string_view next = word_at(words, hour->end);
  if (next == "oclock") {
    clock.end = hour->end + 1;
    clock.certain = true;
    return clock;
  }
  if (next == "hundred") { // "fourteen hundred"
    clock.end = hour->end + 1;
    return clock;
  }
  if (is_one_of(next, {"oh", "o", "zero"})) {
    const auto unit = small_number(word_at(words, hour->end + 1));
    if (unit && *unit >= 1 && *unit <= 9) {
      clock.minute = *unit;
      clock.end = hour->end + 2;
      return clock;
    }
  }
  const auto minute = cardinal_at(words, hour->end);
  if (minute && minute->value >= 10 && minute->value <= 59) {
    clock.minute = static_cast<int>(minute->value);
    clock.end = minute->end;
    return clock;
  }
  clock.bare = true;
  return clock;
}

std::optional<Clock> clock_at(const Words &words, std::size_t i) {
  if (is_one_of(words[i], {"noon", "midday"}))
    return Clock{12, 0, i + 1, true, false, true};
  if (words[i] == "midnight")
    return Clock{0, 0, i + 1, true, false, true};
  if (auto clock = digits_clock_at(words, i))
    return clock;
  if (auto clock = relative_clock_at(words, i))
    return clock;
  return spoken_clock_at(words, i);
}

enum class Half { kUnknown, kMorning, kAfternoon };

Half half_of_day(const Words &words, std::size_t behind) {
  const std::string_view next = word_at(words, behind);
  if (next == "am")
    return Half::kMorning;
  if (next == "pm")
    return Half::kAfternoon;
  if (has_any(words, {"morning"}))
    return Half::kMorning;
  if (has_any(words, {"afternoon", "evening", "night", "tonight"}))
    return Half::kAfternoon;
  return Half::kUnknown;
}

// Hours that are to be read as they stand carry on; "two" is two in the
// afternoon. False when there is no such time.
bool settle(Clock &clock, Half half) {
  if (clock.hour > 24 || clock.minute > 59)
    return false;
  if (!clock.is_24h && clock.hour <= 12) {
    const bool office = clock.hour >= 1 && clock.hour <= 7;
    const bool later =
        half == Half::kAfternoon || (half == Half::kUnknown && office);
    if (later && clock.hour < 12)
      clock.hour += 12;
    else if (half == Half::kMorning && clock.hour == 12)
      clock.hour = 0;
  }
  if (clock.hour == 24)
    clock.hour = 0;
  return true;
}

// Whether a bare hour at [i, end) is all that was said.
bool stands_alone(const Words &words, std::size_t i, std::size_t end) {
  if (i > 0 && words[i - 1] == "at")
    return true;
  for (std::size_t k = 0; k < words.size(); ++k)
    if ((k < i || k >= end) &&
        !is_one_of(words[k], {"at",      "around", "about",  "by",    "say",
                              "please",  "maybe",  "sharp",  "lets",  "make",
                              "it",      "would",  "be",     "good",  "fine",
                              "is",      "its",    "yes",    "um",    "uh",
                              "okay",    "ok",     "thanks", "thank", "you",
                              "exactly", "i",      "think",  "guess", "suppose",
                              "well",    "so",     "er",     "hmm",   "how",
                              "what",    "go",     "with",   "great", "perfect",
                              "works",   "ish",    "ideally"}))
      return false;
  return true;
}

Words without_refused(const Words &words) {
  std::vector<bool> refused(words.size(), false);
  for (std::size_t i = 0; i < words.size();) {
    const auto clock = clock_at(words, i);
    const std::size_t end = clock ? clock->end : i;
    const bool half = is_one_of(word_at(words, end), {"am", "pm"});
    const Span span{i, half ? end + 1 : end};
    if (!clock || !is_refused(words, span, Of::kTime)) {
      i = clock ? end : i + 1; // not the "three" of "ten past three"
      continue;
    }
    // And the word that refuses it.
    for (std::size_t k = denial_of(words, span).value_or(i); k < span.end; ++k)
      refused[k] = true;
    i = span.end;
  }
  Words meant;
  for (std::size_t i = 0; i < words.size(); ++i)
    if (!refused[i])
      meant.push_back(words[i]);
  return meant;
}

struct SaidTime {
  FoundTime time;
  Span span;
};

std::optional<SaidTime> first_time(const Words &words) {
  std::optional<SaidTime> best;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto clock = clock_at(words, i);
    if (!clock)
      continue;
    const Half half = half_of_day(words, clock->end);
    const bool named = is_one_of(word_at(words, clock->end), {"am", "pm"});
    const bool certain =
        clock->certain || named || (clock->bare && half != Half::kUnknown);
    const bool usable =
        certain || !clock->bare || stands_alone(words, i, clock->end);
    if (!usable || !settle(*clock, half))
      continue;
    if (!best || certain)
      best = SaidTime{{clock->hour, clock->minute, certain},
                      {i, named ? clock->end + 1 : clock->end}};
    if (certain)
      break;
    i = clock->end - 1;
  }
  return best;
}

// Whether the words of [begin, end) add nothing to the time beside them.
bool only_filled(const Words &words, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i)
    if (!is_one_of(words[i], {"a", "at", "around", "about", "by", "maybe",
                              "perhaps", "um", "uh", "please", "sharp"}))
      return false;
  return true;
}

// "One or two people at five p.m." are no two times, nor is "ten or fifteen
// minutes past five": both are certain, or both stand beside the "or".
bool are_alternatives(const Words &before, const SaidTime &one,
                      const Words &behind, const SaidTime &other) {
  if (clock_time(one.time) == clock_time(other.time))
    return false;
  if (one.time.certain && other.time.certain)
    return true;
  const auto number = cardinal_at(behind, 0);
  const bool minutes =
      number && is_one_of(word_at(behind, number->end), {"minutes", "minute"});
  return !minutes && only_filled(before, one.span.end, before.size()) &&
         only_filled(behind, 0, other.span.begin);
}

// The time of day at `i` as it stands there: no "ten to eleven".
std::optional<Clock> plain_clock_at(const Words &words, std::size_t i) {
  if (is_one_of(word_at(words, i), {"noon", "midday", "midnight"}))
    return clock_at(words, i);
  if (i >= words.size())
    return std::nullopt;
  const auto digits = digits_clock_at(words, i);
  return digits ? digits : spoken_clock_at(words, i);
}

// "From ten to eleven", "between two and three p.m.", "10:30-11:30"; not the
// time "ten to eleven".
bool tells_range(const Words &words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto clock = plain_clock_at(words, i);
    if (!clock)
      continue;
    const bool half = is_one_of(word_at(words, clock->end), {"am", "pm"});
    const std::size_t end = clock->end + (half ? 1 : 0);
    const std::string_view sign = word_at(words, end);
    const std::string_view lead = i > 0 ? word_at(words, i - 1) : "";
    const bool written = words[i].find(':') != std::string::npos &&
                         sign.find(':') != std::string::npos;
    const bool to = is_one_of(sign, {"to", "through"});
    const bool told = (lead == "between" && (to || sign == "and")) ||
                      (to && (lead == "from" || !clock->bare || half));
    if (written || (told && plain_clock_at(words, end + 1)))
      return true;
  }
  return false;
}

std::optional<FoundTime> only_time(const Words &words) {
  if (tells_range(words))
    return std::nullopt;
  for (const auto &[before, behind] : alternatives(words)) {
    const auto one = first_time(before), other = first_time(behind);
    if (one && other && are_alternatives(before, *one, behind, *other))
      return std::nullopt;
  }
  const auto found = first_time(words);
  return found ? std::optional(found->time) : std::nullopt;
}

} // namespace

std::optional<FoundTime> find_time(std::string_view spoken) {
  const Words meant = without_refused(to_words(without_numeric_dates(spoken)));
  if (const Words corrected = behind_correction(meant);
      corrected.size() < meant.size())
    if (const auto time = only_time(corrected))
      return time;
  return only_time(meant);
}

std::string clock_time(const FoundTime &time) {
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d", time.hour, time.minute);
  return text;
}

std::string spoken_time(std::string_view clock) {
  int hour = 0, minute = 0;
  if (std::sscanf(std::string(clock).c_str(), "%2d:%2d", &hour, &minute) != 2)
    return std::string(clock);
  if (hour == 12 && minute == 0)
    return "noon";
  if (hour == 0 && minute == 0)
    return "midnight";
  char text[32];
  if (minute == 0)
    std::snprintf(text, sizeof text, "%d %s", (hour + 11) % 12 + 1,
                  hour < 12 ? "AM" : "PM");
  else
    std::snprintf(text, sizeof text, "%d:%02d %s", (hour + 11) % 12 + 1, minute,
                  hour < 12 ? "AM" : "PM");
  return text;
}

} // namespace patchcord::agent
