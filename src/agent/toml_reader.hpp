// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"

#include <toml++/toml.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace patchcord::agent {

// Reads a TOML table strictly: each read names the key that it knows; finish()
// refuses the others. What is wrong is collected, so that a reader is a list of
// reads with one check at its end, and a file's mistakes are told at once.
class TomlReader {
public:
  // Where nodes stand that did not come from toml++'s parser: nobody else can
  // tell a node its place.
  using Lines = std::unordered_map<const toml::node *, std::uint32_t>;

  // The errors and the names shared by the readers of one file.
  struct File {
    std::string name;
    std::optional<Error> error; // a line a mistake, in the order of the file

    struct Mistake {
      std::uint32_t line;
      std::string text; // "KEY: expected ..., got ..."
    };
    std::vector<Mistake> mistakes = {}; // by line; the first ones are told
    Lines lines = {};
  };
  TomlReader(File &file, const toml::table &table, std::string path = {})
      : file_(file), table_(table), path_(std::move(path)),
        before_(file.mistakes.size()) {}

  // Each leaves `out` as it was when the key is absent. Strings are trimmed.
  void read(const char *key, std::string &out, bool required = false);
  void read(const char *key, bool &out);
  void read(const char *key, int &out, int min, int max);
  void read(const char *key, std::optional<double> &out);
  void read(const char *key, std::vector<std::string> &out);
  void read(const char *key, std::map<std::string, std::string> &out);
  // Of any type; null when absent.
  const toml::node *node(const char *key) { return find(key); }
  // A table within; null when absent.
  const toml::table *table(const char *key);
  // An array of tables; empty when absent.
  std::vector<const toml::table *> tables(const char *key);
  // Refuses keys that nobody read.
  void finish();

  // "FILE:LINE: key: expected ..., got ...".
  void fail(const char *key, const std::string &expected);
  void fail_missing(const char *key);
  // Whether something was wrong in this table, or in one that was read while
  // it was.
  bool failed() const { return file_.mistakes.size() > before_; }
  // What refers to other parts of a file is not judged before these are right.
  bool file_failed() const { return file_.error.has_value(); }
  std::string path_of(std::string_view key) const;
  // In the file; 0: it is not there.
  int line_of(const char *key) const;
  std::uint32_t line_of(const toml::node &node) const;

private:
  const toml::node *find(const char *key);
  void fail_at(std::uint32_t line, std::string_view key,
               const std::string &text);

  File &file_;
  const toml::table &table_;
  std::string path_;
  const std::size_t before_; // mistakes
  std::vector<std::string> known_;
};

} // namespace patchcord::agent
