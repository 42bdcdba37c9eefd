// SPDX-License-Identifier: LGPL-2.1-or-later
#include "graph/contexts.hpp"

#include "graph/handles.hpp"

#include <atomic>

namespace patchcord::graph {
namespace {

// A boxed GType around a shared_ptr, so that a GstContext can own one.
template <typename T> GType shared_type(const char *name) {
  static const GType type = g_boxed_type_register_static(
      name,
      [](gpointer boxed) -> gpointer {
        return new std::shared_ptr<T>(
            *static_cast<std::shared_ptr<T> *>(boxed));
      },
      [](gpointer boxed) { delete static_cast<std::shared_ptr<T> *>(boxed); });
  return type;
}

GType worker_type() { return shared_type<Worker>("PatchcordWorkerHandle"); }
GType media_stream_type() {
  return shared_type<twilio::MediaStream>("PatchcordMediaStreamHandle");
}

GType http_observer_type() {
  return shared_type<net::HttpObserver>("PatchcordHttpObserverHandle");
}

constexpr char kField[] = "handle";
constexpr char kServesCalls[] = "serves-calls";
// For a worker in the middle of something, in the application's real time.
constexpr auto kPatience = std::chrono::seconds(1);

template <typename T>
Ref<GstContext> make_context(const char *context_type, GType type,
                             const std::shared_ptr<T> &shared) {
  GstContext *context = gst_context_new(context_type, TRUE);
  gst_structure_set(gst_context_writable_structure(context), kField, type,
                    &shared, nullptr);
  return Ref<GstContext>::adopt(context);
}

template <typename T>
std::shared_ptr<T> from_element(GstElement *element, const char *context_type,
                                GType type) {
  const auto context =
      Ref<GstContext>::adopt(gst_element_get_context(element, context_type));
  if (!context)
    return nullptr;
  const GValue *value =
      gst_structure_get_value(gst_context_get_structure(context.get()), kField);
  if (value == nullptr || !G_VALUE_HOLDS(value, type))
    return nullptr;
  return *static_cast<std::shared_ptr<T> *>(g_value_get_boxed(value));
}

// Asks the bins above; they answer by setting the context on the element.
void ask_pipeline(GstElement *element, const char *context_type) {
  gst_element_post_message(
      element, gst_message_new_need_context(GST_OBJECT(element), context_type));
}

template <typename T>
void share(GstElement *element, const char *context_type, GType type,
           const std::shared_ptr<T> &shared) {
  auto context = make_context(context_type, type, shared);
  gst_element_set_context(element, context.get());
  gst_element_post_message(
      element,
      gst_message_new_have_context(GST_OBJECT(element), context.release()));
}

} // namespace

void set_worker(GstElement *element, const std::shared_ptr<Worker> &worker) {
  gst_element_set_context(
      element, make_context(kWorkerContext, worker_type(), worker).get());
}

void set_calls_worker(GstElement *pipeline,
                      const std::shared_ptr<Worker> &worker) {
  auto context = make_context(kWorkerContext, worker_type(), worker);
  gst_structure_set(gst_context_writable_structure(context.get()), kServesCalls,
                    G_TYPE_BOOLEAN, TRUE, nullptr);
  gst_element_set_context(pipeline, context.get());
}

bool turns_away_thread(GstElement *element, const Worker &worker) {
  if (worker.on_thread())
    return false;
  const auto context =
      Ref<GstContext>::adopt(gst_element_get_context(element, kWorkerContext));
  if (!context || !gst_structure_has_field(
                      gst_context_get_structure(context.get()), kServesCalls))
    return false;
  static const GQuark told = g_quark_from_static_string("patchcord-told");
  if (g_object_replace_qdata(G_OBJECT(element), told, nullptr, element, nullptr,
                             nullptr) != FALSE)
    GST_ELEMENT_ERROR(element, CORE, THREAD,
                      ("Another thread than that of the call's worker came to "
                       "this element: before it stands one that has a thread "
                       "of its own, such as a queue or a mixer."),
                      (nullptr));
  return true;
}

void Stopping::run(Worker &worker, GstElement *element,
                   const std::function<void()> &work) {
  if (worker.on_thread() || worker.is_virtual())
    return worker.call(work);
  auto promise = std::make_shared<std::promise<void>>();
  const auto done = promise->get_future().share();
  const auto ran = std::make_shared<std::atomic<bool>>(false);
  worker.post([held = Ref<GstElement>::share(element), work, ran,
               promise = std::move(promise)]() mutable {
    work();
    held.reset(); // before who waits goes on, and perhaps drops the last one
    *ran = true;
    promise->set_value();
  });
  if (done.wait_for(kPatience) == std::future_status::timeout) {
    GST_INFO_OBJECT(element, "the worker is busy: stops later");
    late_ = done;
  } else if (!*ran) { // The worker has stopped, and dropped it.
    worker.call(work);
  }
}

// What is left of the last run would stop the next one, or speak in it.
bool Stopping::settled(GstElement *element) {
  if (late_.valid() &&
      late_.wait_for(kPatience) == std::future_status::timeout) {
    GST_ELEMENT_ERROR(element, CORE, STATE_CHANGE,
                      ("This element cannot start again yet: what it put out "
                       "last is still being taken by an element behind it."),
                      (nullptr));
    return false;
  }
  late_ = {};
  return true;
}

void set_media_stream(GstElement *element,
                      const std::shared_ptr<twilio::MediaStream> &stream) {
  gst_element_set_context(
      element,
      make_context(kMediaStreamContext, media_stream_type(), stream).get());
}

void set_http_observer(GstElement *element,
                       const std::shared_ptr<net::HttpObserver> &observer) {
  gst_element_set_context(
      element,
      make_context(kHttpObserverContext, http_observer_type(), observer).get());
}

std::shared_ptr<net::HttpObserver> find_http_observer(GstElement *element) {
  return from_element<net::HttpObserver>(element, kHttpObserverContext,
                                         http_observer_type());
}

std::shared_ptr<Worker> acquire_worker(GstElement *element) {
  auto worker = from_element<Worker>(element, kWorkerContext, worker_type());
  if (worker)
    return worker;
  ask_pipeline(element, kWorkerContext);
  worker = from_element<Worker>(element, kWorkerContext, worker_type());
  if (worker)
    return worker;
  worker = Worker::start("patchcord");
  share(element, kWorkerContext, worker_type(), worker);
  return worker;
}

std::shared_ptr<twilio::MediaStream> find_media_stream(GstElement *element) {
  auto stream = from_element<twilio::MediaStream>(element, kMediaStreamContext,
                                                  media_stream_type());
  if (stream)
    return stream;
  ask_pipeline(element, kMediaStreamContext);
  return from_element<twilio::MediaStream>(element, kMediaStreamContext,
                                           media_stream_type());
}

void share_media_stream(GstElement *element,
                        const std::shared_ptr<twilio::MediaStream> &stream) {
  share(element, kMediaStreamContext, media_stream_type(), stream);
}

GstClockTime running_time(GstElement *element) {
  GstClock *clock = gst_element_get_clock(element);
  if (clock == nullptr)
    return GST_CLOCK_TIME_NONE;
  const GstClockTime now = gst_clock_get_time(clock);
  gst_object_unref(clock);
  const GstClockTime base = gst_element_get_base_time(element);
  return base == GST_CLOCK_TIME_NONE || now < base ? GST_CLOCK_TIME_NONE
                                                   : now - base;
}

} // namespace patchcord::graph
