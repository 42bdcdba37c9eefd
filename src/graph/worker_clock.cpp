// SPDX-License-Identifier: LGPL-2.1-or-later
#include "graph/worker_clock.hpp"

using patchcord::Worker;

namespace {

struct WorkerClock {
  GstClock parent;
  std::shared_ptr<Worker> *worker;
};
struct WorkerClockClass {
  GstClockClass parent;
};

} // namespace

G_BEGIN_DECLS
GType patchcord_worker_clock_get_type(void);
G_END_DECLS
G_DEFINE_TYPE(WorkerClock, patchcord_worker_clock, GST_TYPE_CLOCK)

static GstClockTime patchcord_worker_clock_internal_time(GstClock *clock) {
  auto *self = reinterpret_cast<WorkerClock *>(clock);
  return static_cast<GstClockTime>((*self->worker)->now().count());
}

static void patchcord_worker_clock_finalize(GObject *object) {
  delete reinterpret_cast<WorkerClock *>(object)->worker;
  G_OBJECT_CLASS(patchcord_worker_clock_parent_class)->finalize(object);
}

static void patchcord_worker_clock_class_init(WorkerClockClass *klass) {
  G_OBJECT_CLASS(klass)->finalize = patchcord_worker_clock_finalize;
  reinterpret_cast<GstClockClass *>(klass)->get_internal_time =
      patchcord_worker_clock_internal_time;
}

static void patchcord_worker_clock_init(WorkerClock *self) {
  self->worker = new std::shared_ptr<Worker>();
}

namespace patchcord::graph {

Ref<GstClock> make_worker_clock(const std::shared_ptr<Worker> &worker) {
  auto *clock = static_cast<WorkerClock *>(
      g_object_new(patchcord_worker_clock_get_type(), nullptr));
  *clock->worker = worker;
  gst_object_ref_sink(clock);
  return Ref<GstClock>::adopt(&clock->parent);
}

} // namespace patchcord::graph
