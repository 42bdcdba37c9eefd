// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * SECTION:element-agent
 * @title: agent
 * @short_description: the conversation of a phone call
 *
 * Takes what the caller says as text and gives what is to be said as text, one
 * buffer a clause. What is asked for, and with which words, stands in a TOML
 * file (#GstAgent:definition). The mind is either scripted, which needs nothing
 * else, or a model behind an OpenAI-compatible API.
 *
 * Begins to speak when the pipeline plays and there is a caller: when the
 * stream upstream, if there is one, has begun. Upstream it tells the recogniser
 * what it expects to hear; from downstream it learns what the caller has heard,
 * and starts every timer and the conversation's history from that. An
 * interruption is a FLUSH, the end of the call EOS. The events are those of
 * docs/events.md, the bus messages those of docs/messages.md.
 *
 * Without a recogniser each line of incoming text is an answer, and without a
 * sink that reports playout the length of speech is estimated.
 *
 * ## Example
 * |[
 * printf 'book a room\nSunnyvale\ntomorrow\nnoon\none hour\nfive\nyes\n' |
 * gst-launch-1.0 fdsrc ! text/x-raw,format=utf8 ! agent
 * definition=room-booking ! fdsink
 * ]|
 */

#include "gstagent.hpp"

#include "agent_setup.hpp"
#include "session.hpp"

#include "graph/element.hpp"
#include "graph/key_way.hpp"

#include <memory>
#include <string>

GST_DEBUG_CATEGORY(agent_debug);
#define GST_CAT_DEFAULT agent_debug

using namespace patchcord;

namespace {

struct Private {
  AgentSettings settings; // under the object lock
  GstPad *sink = nullptr, *src = nullptr;
  std::shared_ptr<Worker> worker;
  graph::Stopping stopping;
  // On the worker.
  std::shared_ptr<AgentSession> session;
};

} // namespace

struct _GstAgent {
  GstElement parent;
  Private *priv;
};

G_DEFINE_TYPE_WITH_CODE(GstAgent, gst_agent, GST_TYPE_ELEMENT,
                        GST_DEBUG_CATEGORY_INIT(agent_debug, "agent", 0,
                                                "Conversation"))

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS("text/x-raw, format=utf8"));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS("text/x-raw, format=utf8"));

enum {
  PROP_DEFINITION = 1,
  PROP_MIND,
  PROP_API_KEY,
  PROP_BASE_URL,
  PROP_PLAIN_HTTP,
  PROP_MODEL,
  PROP_MAX_DURATION,
  PROP_TODAY,
  PROP_TOOL_ORIGIN,
  PROP_RESUME,
  PROP_SCREEN,
};

enum { SIGNAL_ANSWERED_BY, SIGNAL_COUNT };
static guint signals[SIGNAL_COUNT];

// --- pads --------------------------------------------------------------------

static GstFlowReturn gst_agent_chain(GstPad *, GstObject *parent,
                                     GstBuffer *buffer) {
  const auto owned = Ref<GstBuffer>::adopt(buffer);
  return graph::with_session(GST_ELEMENT(parent), *GST_AGENT(parent)->priv,
                             GST_FLOW_FLUSHING, [&](AgentSession &session) {
                               session.upstream_began();
                               return session.text(buffer);
                             });
}

static gboolean gst_agent_sink_event(GstPad *pad, GstObject *parent,
                                     GstEvent *event) {
  GstAgent *self = GST_AGENT(parent);
  const auto on_session = [&](auto &&use) -> gboolean {
    const auto owned = Ref<GstEvent>::adopt(event);
    return graph::on_session(GST_ELEMENT(self), *self->priv, use);
  };
  if ((gst_event_type_get_flags(GST_EVENT_TYPE(event)) &
       GST_EVENT_TYPE_SERIALIZED) != 0 &&
      GST_EVENT_TYPE(event) != GST_EVENT_FLUSH_STOP)
    (void)graph::on_session(
        GST_ELEMENT(self), *self->priv,
        [](AgentSession &session) { session.upstream_began(); });
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_STREAM_START:
  case GST_EVENT_CAPS:
  case GST_EVENT_GAP:
  case GST_EVENT_TAG:
    // The stream downstream is another one, and begins when we do.
    gst_event_unref(event);
    return TRUE;
  case GST_EVENT_SEGMENT:
    return on_session([&](AgentSession &session) {
      const GstSegment *segment = nullptr;
      gst_event_parse_segment(event, &segment);
      session.upstream_segment(*segment);
    });
  case GST_EVENT_EOS:
    return on_session([](AgentSession &session) { session.end_of_stream(); });
  case GST_EVENT_FLUSH_STOP:
    (void)graph::on_session(GST_ELEMENT(self), *self->priv,
                            [](AgentSession &session) { session.flushed(); });
    return gst_pad_event_default(pad, parent, event);
  case GST_EVENT_CUSTOM_DOWNSTREAM:
    if (graph::with_session(GST_ELEMENT(self), *self->priv, FALSE,
                            [&](AgentSession &session) -> gboolean {
                              return session.downstream_event(event);
                            })) {
      gst_event_unref(event);
      return TRUE;
    }
    return gst_pad_event_default(pad, parent, event);
  default:
    return gst_pad_event_default(pad, parent, event);
  }
}

static gboolean gst_agent_src_event(GstPad *pad, GstObject *parent,
                                    GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_UPSTREAM &&
      graph::with_session(GST_ELEMENT(parent), *GST_AGENT(parent)->priv, FALSE,
                          [&](AgentSession &session) -> gboolean {
                            return session.upstream_event(event);
                          })) {
    gst_event_unref(event);
    return TRUE;
  }
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK) {
    gst_event_unref(event); // live
    return FALSE;
  }
  return gst_pad_event_default(pad, parent, event);
}

static gboolean gst_agent_src_query(GstPad *pad, GstObject *parent,
                                    GstQuery *query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
    return gst_pad_query_default(pad, parent, query);
  // What leaves here is stamped with the time at which it leaves, whenever the
  // words came that it answers.
  gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

// --- states ------------------------------------------------------------------

static gboolean gst_agent_start(GstAgent *self) {
  GST_OBJECT_LOCK(self);
  AgentSettings settings = self->priv->settings;
  GST_OBJECT_UNLOCK(self);
  settings.base_url = resolve_base_url(settings.base_url);
  if (settings.mind == "openai" &&
      !graph::key_may_go(GST_ELEMENT(self), "base-url", settings.base_url,
                         settings.api_key, settings.plain_http))
    return FALSE;
  auto definition = load_definition(settings);
  if (!definition) {
    GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND,
                      ("%s", definition.error().message.c_str()), (nullptr));
    return FALSE;
  }
  const auto shared = *definition;
  auto mind = make_mind(settings, shared);
  auto tools = tool_endpoint(settings, *shared);
  if (!mind || !tools) {
    const Error &error = mind ? tools.error() : mind.error();
    GST_ELEMENT_ERROR(self, RESOURCE, SETTINGS, ("%s", error.message.c_str()),
                      (nullptr));
    return FALSE;
  }
  auto conversation =
      std::make_unique<agent::Conversation>(shared, *std::move(mind));
  if (!settings.resume.empty()) {
    auto state = agent::parse_resumption(*shared, settings.resume);
    if (!state) {
      GST_ELEMENT_ERROR(self, RESOURCE, SETTINGS,
                        ("resume: %s", state.error().message.c_str()),
                        (nullptr));
      return FALSE;
    }
    conversation->resume(*std::move(state));
  }
  if (settings.screen)
    conversation->screen();
  Private &priv = *self->priv;
  tools->observer = graph::find_http_observer(GST_ELEMENT(self));
  ModelEndpoint model{settings.base_url, settings.api_key, tools->observer};
  priv.session = std::make_shared<AgentSession>(
      AgentSession::Pads{GST_ELEMENT(self), priv.sink, priv.src}, priv.worker,
      std::move(conversation), std::move(model), *std::move(tools));
  return TRUE;
}

static void gst_agent_stop(GstAgent *self) {
  if (const auto session = std::exchange(self->priv->session, nullptr))
    session->close();
}

// Not waited for on another thread: the worker may be in a push into a sink
// that is in PAUSED already and blocks until it is stopped or plays again.
static void gst_agent_pause(GstAgent *self) {
  Private &priv = *self->priv;
  if (priv.worker->on_thread())
    return priv.session->pause();
  priv.worker->post([weak = std::weak_ptr(priv.session)] {
    if (const auto session = weak.lock())
      session->pause();
  });
}

static GstStateChangeReturn gst_agent_change_state(GstElement *element,
                                                   GstStateChange transition) {
  GstAgent *self = GST_AGENT(element);
  Private &priv = *self->priv;
  if (!graph::enter_state(element, priv, transition))
    return GST_STATE_CHANGE_FAILURE;
  const auto on_worker = [&](auto &&work) {
    return graph::on_worker(*priv.worker, work);
  };
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
      !on_worker([&] { return gst_agent_start(self); }))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    gst_agent_pause(self);

  const GstStateChangeReturn result = GST_ELEMENT_CLASS(gst_agent_parent_class)
                                          ->change_state(element, transition);

  graph::leave_state(element, priv, transition, result,
                     [self] { gst_agent_stop(self); });
  if (result == GST_STATE_CHANGE_FAILURE)
    return result;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    graph::soon_on_worker(*priv.worker, element, [&priv] {
      if (const auto session = priv.session)
        session->play();
    });
  // A live source: nothing is said in PAUSED.
  const bool to_paused = transition == GST_STATE_CHANGE_READY_TO_PAUSED ||
                         transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED;
  return to_paused ? GST_STATE_CHANGE_NO_PREROLL : result;
}

// EOS of the application. Not waited for: the worker may be in a push into a
// sink that blocks in PAUSED.
static gboolean gst_agent_send_event(GstElement *element, GstEvent *event) {
  Private &priv = *GST_AGENT(element)->priv;
  if (GST_EVENT_TYPE(event) != GST_EVENT_EOS)
    return GST_ELEMENT_CLASS(gst_agent_parent_class)
        ->send_event(element, event);
  gst_event_unref(event);
  const auto worker = priv.worker;
  if (!worker)
    return FALSE;
  graph::soon_on_worker(*worker, element, [&priv] {
    if (const auto session = priv.session)
      session->end();
  });
  return TRUE;
}

// --- who answered ------------------------------------------------------------

static void gst_agent_answered_by(GstAgent *self, const char *who) {
  Private &priv = *self->priv;
  const std::string said = who != nullptr ? who : "";
  if (priv.worker)
    graph::soon_on_worker(*priv.worker, GST_ELEMENT(self), [self, said] {
      if (const auto session = self->priv->session)
        session->answered_by(said);
    });
}

// --- the object --------------------------------------------------------------

static void gst_agent_set_property(GObject *object, guint id,
                                   const GValue *value, GParamSpec *spec) {
  GstAgent *self = GST_AGENT(object);
  AgentSettings &settings = self->priv->settings;
  const auto text = [value] { return graph::string_of(value); };
  GST_OBJECT_LOCK(self);
  switch (id) {
  case PROP_DEFINITION:
    settings.definition = text();
    break;
  case PROP_MIND:
    settings.mind = text();
    break;
  case PROP_API_KEY:
    settings.api_key = text();
    break;
  case PROP_BASE_URL:
    settings.base_url = text();
    break;
  case PROP_PLAIN_HTTP:
    settings.plain_http = g_value_get_boolean(value) != FALSE;
    break;
  case PROP_MODEL:
    settings.model = text();
    break;
  case PROP_MAX_DURATION:
    settings.max_duration = g_value_get_uint(value);
    break;
  case PROP_TODAY:
    settings.today = text();
    break;
  case PROP_TOOL_ORIGIN:
    settings.tool_origin = text();
    break;
  case PROP_RESUME:
    settings.resume = text();
    break;
  case PROP_SCREEN:
    settings.screen = g_value_get_boolean(value) != FALSE;
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(self);
}

static void gst_agent_get_property(GObject *object, guint id, GValue *value,
                                   GParamSpec *spec) {
  GstAgent *self = GST_AGENT(object);
  const AgentSettings &settings = self->priv->settings;
  GST_OBJECT_LOCK(self);
  switch (id) {
  case PROP_DEFINITION:
    g_value_set_string(value, settings.definition.c_str());
    break;
  case PROP_MIND:
    g_value_set_string(value, settings.mind.c_str());
    break;
  case PROP_BASE_URL:
    g_value_set_string(value, settings.base_url.c_str());
    break;
  case PROP_PLAIN_HTTP:
    g_value_set_boolean(value, settings.plain_http ? TRUE : FALSE);
    break;
  case PROP_MODEL:
    g_value_set_string(value, settings.model.c_str());
    break;
  case PROP_MAX_DURATION:
    g_value_set_uint(value, settings.max_duration);
    break;
  case PROP_TODAY:
    g_value_set_string(value, settings.today.c_str());
    break;
  case PROP_TOOL_ORIGIN:
    g_value_set_string(value, settings.tool_origin.c_str());
    break;
  case PROP_RESUME:
    g_value_set_string(value, settings.resume.c_str());
    break;
  case PROP_SCREEN:
    g_value_set_boolean(value, settings.screen ? TRUE : FALSE);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(self);
}

static void gst_agent_init(GstAgent *self) {
  self->priv = new Private();
  Private &priv = *self->priv;
  if (const char *key = g_getenv("OPENAI_API_KEY"))
    priv.settings.api_key = key;
  priv.sink = gst_pad_new_from_static_template(&sink_template, "sink");
  gst_pad_set_chain_function(priv.sink, gst_agent_chain);
  gst_pad_set_event_function(priv.sink, gst_agent_sink_event);
  gst_element_add_pad(GST_ELEMENT(self), priv.sink);
  priv.src = gst_pad_new_from_static_template(&src_template, "src");
  gst_pad_set_event_function(priv.src, gst_agent_src_event);
  gst_pad_set_query_function(priv.src, gst_agent_src_query);
  gst_pad_use_fixed_caps(priv.src);
  gst_element_add_pad(GST_ELEMENT(self), priv.src);
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}

static void gst_agent_finalize(GObject *object) {
  delete GST_AGENT(object)->priv;
  G_OBJECT_CLASS(gst_agent_parent_class)->finalize(object);
}

static void gst_agent_class_init(GstAgentClass *klass) {
  GObjectClass *object = G_OBJECT_CLASS(klass);
  GstElementClass *element = GST_ELEMENT_CLASS(klass);
  object->set_property = gst_agent_set_property;
  object->get_property = gst_agent_get_property;
  object->finalize = gst_agent_finalize;
  element->change_state = gst_agent_change_state;
  element->send_event = gst_agent_send_event;

  const auto flags = static_cast<GParamFlags>(
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  const auto text = [&](guint id, const char *name, const char *nick,
                        const char *blurb, const char *value) {
    g_object_class_install_property(
        object, id, g_param_spec_string(name, nick, blurb, value, flags));
  };
  text(PROP_DEFINITION, "definition", "Definition",
       "Name or TOML file of the agent (required)", nullptr);
  text(PROP_MIND, "mind", "Mind",
       "Who decides what to say: scripted (default; needs nothing) or openai",
       "scripted");
  text(PROP_BASE_URL, "base-url", "Base URL",
       "Of the chat completions API, with its /v1; default: OPENAI_BASE_URL, "
       "or https://api.openai.com/v1",
       nullptr);
  text(PROP_MODEL, "model", "Model", "Chat model (default gpt-6-luna)",
       "gpt-6-luna");
  text(PROP_TODAY, "today", "Today",
       "Date that \"tomorrow\" is told from, as 2026-05-03 (default: the local "
       "date)",
       nullptr);
  text(
      PROP_TOOL_ORIGIN, "tool-origin", "Tool origin",
      "For tests: http://HOST:PORT where all tools are called instead of their "
      "own hosts, without their secrets",
      nullptr);
  text(PROP_RESUME, "resume", "Resume",
       "State of a conversation in another media stream (a patchcord-transfer "
       "message has it) that goes on in this one",
       nullptr);
  g_object_class_install_property(
      object, PROP_SCREEN,
      g_param_spec_boolean("screen", "Screen",
                           "Who answered may be a machine, of which the signal "
                           "answered-by will tell",
                           FALSE, flags));
  g_object_class_install_property(
      object, PROP_PLAIN_HTTP,
      g_param_spec_boolean("plain-http", "Plain HTTP",
                           "Let api-key go to another machine in the clear",
                           FALSE, flags));
  /**
   * GstAgent::answered-by:
   * @who: human, machine_start, machine_end_beep, machine_end_silence,
   * machine_end_other, fax or unknown
   *
   * Emit it to tell what the network found out about who answered the call.
   */
  signals[SIGNAL_ANSWERED_BY] = g_signal_new_class_handler(
      "answered-by", G_TYPE_FROM_CLASS(klass),
      static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
      G_CALLBACK(gst_agent_answered_by), nullptr, nullptr, nullptr, G_TYPE_NONE,
      1, G_TYPE_STRING);
  g_object_class_install_property(
      object, PROP_API_KEY,
      g_param_spec_string("api-key", "API key",
                          "Of the chat completions API (default: "
                          "OPENAI_API_KEY); cannot be read",
                          nullptr,
                          static_cast<GParamFlags>(G_PARAM_WRITABLE |
                                                   G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_READY)));
  g_object_class_install_property(
      object, PROP_MAX_DURATION,
      g_param_spec_uint("max-duration", "Maximum duration",
                        "Seconds after which the call is ended at the latest; "
                        "0 (default): as the definition says",
                        0, 86400, 0, flags));

  graph::mark_on_worker(element);
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  gst_element_class_set_static_metadata(
      element, "Phone agent", "Filter/Text",
      "Holds the conversation of a phone call: caller's words in, agent's "
      "words out",
      "Patchcord");
  gst_element_class_add_static_metadata(
      element, "example",
      "printf 'book a room\\nSunnyvale\\ntomorrow\\nnoon\\none "
      "hour\\nfive\\nyes\\n' | gst-launch-1.0 fdsrc ! text/x-raw,format=utf8 ! "
      "agent definition=room-booking ! fdsink");
}
