// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "graph/handles.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

// Typed access to GstStructure fields; a field that is missing or of another
// type reads as its zero (times: NONE), so that events and messages made by
// others cannot hurt.
namespace patchcord::graph {

class Fields {
public:
  explicit Fields(const char *name)
      : structure_(gst_structure_new_empty(name)) {}

  Fields &set(const char *key, const std::string &text);
  Fields &set(const char *key, const char *text);
  Fields &set(const char *key, bool truth);
  Fields &set(const char *key, std::uint32_t number);
  Fields &set(const char *key, std::uint64_t number); // GstClockTime too
  Fields &set(const char *key, const std::vector<std::string> &texts);
  Fields &set(const char *key, const std::vector<std::uint32_t> &numbers);
  Fields &set(const char *key, const std::map<std::string, std::string> &map);
  Fields &set(const char *key, const std::map<std::string, std::uint64_t> &map);
  StructurePtr take() { return std::move(structure_); }

private:
  StructurePtr structure_;
};

std::string get_string(const GstStructure *structure, const char *key);
bool get_bool(const GstStructure *structure, const char *key);
std::uint32_t get_uint(const GstStructure *structure, const char *key);
std::uint64_t get_uint64(const GstStructure *structure, const char *key);
GstClockTime get_time(const GstStructure *structure, const char *key);
std::vector<std::string> get_strings(const GstStructure *structure,
                                     const char *key);
std::vector<std::uint32_t> get_uints(const GstStructure *structure,
                                     const char *key);
std::map<std::string, std::string> get_map(const GstStructure *structure,
                                           const char *key);
std::map<std::string, std::uint64_t> get_counts(const GstStructure *structure,
                                                const char *key);

} // namespace patchcord::graph
