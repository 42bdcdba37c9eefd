// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <glib-object.h>

#include <memory>
#include <utility>

namespace patchcord {

// How to hold one kind of ref-counted C object. GObjects by default; other
// kinds (GstMiniObject, GMainContext ...) specialise it.
template <typename T> struct RefTraits {
  static void ref(T *object) { g_object_ref(object); }
  static void unref(T *object) { g_object_unref(object); }
};
template <> struct RefTraits<GMainContext> {
  static void ref(GMainContext *context) { g_main_context_ref(context); }
  static void unref(GMainContext *context) { g_main_context_unref(context); }
};
template <> struct RefTraits<GBytes> {
  static void ref(GBytes *bytes) { g_bytes_ref(bytes); }
  static void unref(GBytes *bytes) { g_bytes_unref(bytes); }
};

// A counted reference. Whether a raw pointer's reference is taken over
// (`adopt`) or a new one is added (`share`) is spelled at each place.
template <typename T> class Ref {
public:
  Ref() = default;
  static Ref adopt(T *object) { return Ref(object); }
  static Ref share(T *object) {
    if (object != nullptr)
      RefTraits<T>::ref(object);
    return Ref(object);
  }
  Ref(const Ref &other) : Ref(share(other.object_)) {}
  Ref(Ref &&other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref &operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() { reset(); }

  T *get() const { return object_; }
  T *operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }
  [[nodiscard]] T *release() { return std::exchange(object_, nullptr); }
  void reset() {
    if (T *object = std::exchange(object_, nullptr))
      RefTraits<T>::unref(object);
  }

private:
  explicit Ref(T *object) : object_(object) {}
  T *object_ = nullptr;
};

struct GFree {
  void operator()(void *memory) const { g_free(memory); }
};
using GCharPtr = std::unique_ptr<char, GFree>;

// A GError filled by a C call: `g_thing(..., error.out())`.
class GErrorHolder {
public:
  GErrorHolder() = default;
  GErrorHolder(const GErrorHolder &) = delete;
  GErrorHolder &operator=(const GErrorHolder &) = delete;
  ~GErrorHolder() { g_clear_error(&error_); }
  GError **out() { return &error_; }
  explicit operator bool() const { return error_ != nullptr; }
  const GError *get() const { return error_; }
  const GError *operator->() const { return error_; }
  const char *message() const {
    return error_ != nullptr ? error_->message : "unknown error";
  }

private:
  GError *error_ = nullptr;
};

} // namespace patchcord
