// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace patchcord {

// What went wrong, in the words of whoever can do something about it. `code`
// is a short stable identifier for programs ("invalid_api_key", "bad_json").
struct Error {
  std::string code;
  std::string message;
};

struct Unit {};

// A value or an Error. g++ 12 and clang 14 have no std::expected.
template <typename T = Unit> class [[nodiscard]] Result {
public:
  Result(T value) : data_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : data_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return data_.index() == 0; }
  bool ok() const { return data_.index() == 0; }

  T &operator*() & { return std::get<0>(data_); }
  const T &operator*() const & { return std::get<0>(data_); }
  T &&operator*() && { return std::get<0>(std::move(data_)); }
  T *operator->() { return &std::get<0>(data_); }
  const T *operator->() const { return &std::get<0>(data_); }

  const Error &error() const & { return std::get<1>(data_); }
  Error &&error() && { return std::get<1>(std::move(data_)); }

private:
  std::variant<T, Error> data_;
};

inline Result<Unit> ok() { return Unit{}; }
inline Error make_error(std::string code, std::string message) {
  return Error{std::move(code), std::move(message)};
}

} // namespace patchcord
