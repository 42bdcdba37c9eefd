// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.hpp"
#include "base/handles.hpp"

#include <gst/gst.h>

namespace patchcord {

#define PATCHCORD_MINI_OBJECT(Type)                                            \
  template <> struct RefTraits<Type> {                                         \
    static void ref(Type *object) {                                            \
      gst_mini_object_ref(GST_MINI_OBJECT_CAST(object));                       \
    }                                                                          \
    static void unref(Type *object) {                                          \
      gst_mini_object_unref(GST_MINI_OBJECT_CAST(object));                     \
    }                                                                          \
  }
PATCHCORD_MINI_OBJECT(GstBuffer);
PATCHCORD_MINI_OBJECT(GstCaps);
PATCHCORD_MINI_OBJECT(GstEvent);
PATCHCORD_MINI_OBJECT(GstMessage);
PATCHCORD_MINI_OBJECT(GstQuery);
PATCHCORD_MINI_OBJECT(GstContext);
#undef PATCHCORD_MINI_OBJECT

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
