// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/handles.hpp"

#include <gst/gst.h>

namespace patchcord {

template <typename T> struct MiniObjectTraits {
  static void ref(T *object) {
    gst_mini_object_ref(GST_MINI_OBJECT_CAST(object));
  }
  static void unref(T *object) {
    gst_mini_object_unref(GST_MINI_OBJECT_CAST(object));
  }
};
template <> struct RefTraits<GstBuffer> : MiniObjectTraits<GstBuffer> {};
template <> struct RefTraits<GstCaps> : MiniObjectTraits<GstCaps> {};
template <> struct RefTraits<GstEvent> : MiniObjectTraits<GstEvent> {};
template <> struct RefTraits<GstMessage> : MiniObjectTraits<GstMessage> {};
template <> struct RefTraits<GstQuery> : MiniObjectTraits<GstQuery> {};
template <> struct RefTraits<GstContext> : MiniObjectTraits<GstContext> {};

struct StructureFree {
  void operator()(GstStructure *structure) const {
    gst_structure_free(structure);
  }
};
using StructurePtr = std::unique_ptr<GstStructure, StructureFree>;

// A buffer's memory, mapped for reading, as bytes.
class MappedBuffer {
public:
  explicit MappedBuffer(GstBuffer *buffer) : buffer_(buffer) {
    mapped_ = gst_buffer_map(buffer, &map_, GST_MAP_READ) != FALSE;
  }
  ~MappedBuffer() {
    if (mapped_)
      gst_buffer_unmap(buffer_, &map_);
  }
  MappedBuffer(const MappedBuffer &) = delete;
  MappedBuffer &operator=(const MappedBuffer &) = delete;
  explicit operator bool() const { return mapped_; }
  ByteSpan bytes() const {
    return mapped_ ? ByteSpan(map_.data, map_.size) : ByteSpan();
  }

private:
  GstBuffer *buffer_;
  GstMapInfo map_{};
  bool mapped_ = false;
};

// A new buffer holding a copy of `bytes`.
inline Ref<GstBuffer> buffer_of(ByteSpan bytes) {
  GstBuffer *buffer = gst_buffer_new_allocate(nullptr, bytes.size(), nullptr);
  gst_buffer_fill(buffer, 0, bytes.data(), bytes.size());
  return Ref<GstBuffer>::adopt(buffer);
}

} // namespace patchcord
