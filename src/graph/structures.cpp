// SPDX-License-Identifier: LGPL-2.1-or-later
#include "graph/structures.hpp"

namespace patchcord::graph {
namespace {

// Field names of a nested structure are free text (a <Parameter> name is the
// caller's): GstStructure takes any quark.
GstStructure *nested(const GstStructure *structure, const char *key) {
  const GValue *value = gst_structure_get_value(structure, key);
  if (value == nullptr || !GST_VALUE_HOLDS_STRUCTURE(value))
    return nullptr;
  return const_cast<GstStructure *>(gst_value_get_structure(value));
}

template <typename T, typename Set>
void set_array(GstStructure *structure, const char *key,
               const std::vector<T> &items, GType type, Set set) {
  GValue array = G_VALUE_INIT;
  g_value_init(&array, GST_TYPE_ARRAY);
  for (const T &item : items) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, type);
    set(&value, item);
    gst_value_array_append_and_take_value(&array, &value);
  }
  gst_structure_take_value(structure, key, &array);
}

template <typename F>
void each_value(const GstStructure *structure, const char *key, GType type,
                F use) {
  const GValue *array = gst_structure_get_value(structure, key);
  if (array == nullptr || !GST_VALUE_HOLDS_ARRAY(array))
    return;
  for (guint i = 0; i < gst_value_array_get_size(array); ++i) {
    const GValue *value = gst_value_array_get_value(array, i);
    if (G_VALUE_HOLDS(value, type))
      use(value);
  }
}

} // namespace

Fields &Fields::set(const char *key, const std::string &text) {
  return set(key, text.c_str());
}
Fields &Fields::set(const char *key, const char *text) {
  gst_structure_set(structure_.get(), key, G_TYPE_STRING, text, nullptr);
  return *this;
}
Fields &Fields::set(const char *key, bool truth) {
  gst_structure_set(structure_.get(), key, G_TYPE_BOOLEAN, truth ? TRUE : FALSE,
                    nullptr);
  return *this;
}
Fields &Fields::set(const char *key, std::uint32_t number) {
  gst_structure_set(structure_.get(), key, G_TYPE_UINT, number, nullptr);
  return *this;
}
Fields &Fields::set(const char *key, std::uint64_t number) {
  gst_structure_set(structure_.get(), key, G_TYPE_UINT64,
                    static_cast<guint64>(number), nullptr);
  return *this;
}
Fields &Fields::set(const char *key, const std::vector<std::string> &texts) {
  set_array(structure_.get(), key, texts, G_TYPE_STRING,
            [](GValue *value, const std::string &text) {
              g_value_set_string(value, text.c_str());
            });
  return *this;
}
Fields &Fields::set(const char *key,
                    const std::vector<std::uint32_t> &numbers) {
  set_array(structure_.get(), key, numbers, G_TYPE_UINT,
            [](GValue *value, std::uint32_t number) {
              g_value_set_uint(value, number);
            });
  return *this;
}
Fields &Fields::set(const char *key,
                    const std::map<std::string, std::string> &map) {
  GstStructure *inner = gst_structure_new_empty("map");
  for (const auto &[name, text] : map)
    gst_structure_set(inner, name.c_str(), G_TYPE_STRING, text.c_str(),
                      nullptr);
  gst_structure_set(structure_.get(), key, GST_TYPE_STRUCTURE, inner, nullptr);
  gst_structure_free(inner);
  return *this;
}
Fields &Fields::set(const char *key,
                    const std::map<std::string, std::uint64_t> &map) {
  GstStructure *inner = gst_structure_new_empty("map");
  for (const auto &[name, number] : map)
    gst_structure_set(inner, name.c_str(), G_TYPE_UINT64,
                      static_cast<guint64>(number), nullptr);
  gst_structure_set(structure_.get(), key, GST_TYPE_STRUCTURE, inner, nullptr);
  gst_structure_free(inner);
  return *this;
}

std::string get_string(const GstStructure *structure, const char *key) {
  const char *text = gst_structure_get_string(structure, key);
  return text != nullptr ? text : "";
}
bool get_bool(const GstStructure *structure, const char *key) {
  gboolean truth = FALSE;
  gst_structure_get_boolean(structure, key, &truth);
  return truth != FALSE;
}
std::uint32_t get_uint(const GstStructure *structure, const char *key) {
  guint number = 0;
  gst_structure_get_uint(structure, key, &number);
  return number;
}
std::uint64_t get_uint64(const GstStructure *structure, const char *key) {
  guint64 number = 0;
  gst_structure_get_uint64(structure, key, &number);
  return number;
}
GstClockTime get_time(const GstStructure *structure, const char *key) {
  guint64 time = GST_CLOCK_TIME_NONE;
  if (!gst_structure_get_uint64(structure, key, &time))
    return GST_CLOCK_TIME_NONE;
  return time;
}
std::vector<std::string> get_strings(const GstStructure *structure,
                                     const char *key) {
  std::vector<std::string> texts;
  each_value(structure, key, G_TYPE_STRING, [&](const GValue *value) {
    const char *text = g_value_get_string(value);
    texts.emplace_back(text != nullptr ? text : "");
  });
  return texts;
}
std::vector<std::uint32_t> get_uints(const GstStructure *structure,
                                     const char *key) {
  std::vector<std::uint32_t> numbers;
  each_value(structure, key, G_TYPE_UINT, [&](const GValue *value) {
    numbers.push_back(g_value_get_uint(value));
  });
  return numbers;
}
std::map<std::string, std::string> get_map(const GstStructure *structure,
                                           const char *key) {
  std::map<std::string, std::string> map;
  if (GstStructure *inner = nested(structure, key))
    for (gint i = 0; i < gst_structure_n_fields(inner); ++i) {
      const char *name =
          gst_structure_nth_field_name(inner, static_cast<guint>(i));
      map[name] = get_string(inner, name);
    }
  return map;
}
std::map<std::string, std::uint64_t> get_counts(const GstStructure *structure,
                                                const char *key) {
  std::map<std::string, std::uint64_t> map;
  if (GstStructure *inner = nested(structure, key))
    for (gint i = 0; i < gst_structure_n_fields(inner); ++i) {
      const char *name =
          gst_structure_nth_field_name(inner, static_cast<guint>(i));
      map[name] = get_uint64(inner, name);
    }
  return map;
}

} // namespace patchcord::graph
