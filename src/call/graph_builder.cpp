// SPDX-License-Identifier: LGPL-2.1-or-later
#include "call/graph_builder.hpp"

#include "agent/definition_file.hpp"
#include "base/text.hpp"
#include "elevenlabs/output_format.hpp"
#include "graph/iterate.hpp"
#include "graph/voice_format.hpp"

#include <fstream>
#include <sstream>

namespace patchcord::call {
namespace {

struct Setting {
  const char *factory;
  const char *property;
  std::string value;
};

// "de" of "de-AT": what providers want to know.
std::string primary(const std::string &language) {
  return to_lower(language.substr(0, language.find('-')));
}

std::string voice_of(const agent::Definition &definition,
                     const std::string &provider,
                     const std::string &otherwise) {
  const auto voice = definition.voice.find(provider);
  return voice == definition.voice.end() ? otherwise : voice->second;
}

// Others refuse requests that name a language (ElevenLabs, "Models").
bool takes_language(const std::string &elevenlabs_model) {
  return elevenlabs_model.ends_with("_v2_5") ||
         elevenlabs_model.ends_with("_v3");
}

std::vector<Setting> settings_of(const config::Config &config,
                                 const agent::Definition &definition,
                                 const std::string &agent_file,
                                 const AgentStart &start) {
  const auto &openai = config.openai;
  const auto &eleven = config.elevenlabs;
  const std::string language = primary(definition.language);
  return {
      {"agent", "definition", agent_file},
      {"agent", "resume", start.resume},
      {"agent", "screen", start.screen ? "true" : ""},
      {"agent", "api-key", openai.api_key},
      {"agent", "base-url", openai.base_url},
      {"agent", "plain-http", openai.plain_http ? "true" : ""},
      {"agent", "model", openai.chat_model},
      {"agent", "max-duration", std::to_string(config.call.max_duration_s)},
      {"realtimestt", "api-key", openai.api_key},
      {"realtimestt", "base-url", openai.base_url},
      {"realtimestt", "realtime-url", openai.realtime_url},
      {"realtimestt", "plain-http", openai.plain_http ? "true" : ""},
      {"realtimestt", "model", openai.stt_model},
      {"realtimestt", "language",
       openai.language.empty() ? language : openai.language},
      {"elevenlabssrc", "api-key", eleven.api_key},
      {"elevenlabssrc", "base-url", eleven.base_url},
      {"elevenlabssrc", "plain-http", eleven.plain_http ? "true" : ""},
      {"elevenlabssrc", "voice-id",
       voice_of(definition, "elevenlabs", eleven.voice_id)},
      {"elevenlabssrc", "language",
       takes_language(eleven.model_id) ? language : ""},
      {"elevenlabssrc", "fallback-voice", espeak_voice_of(definition)},
      {"espeaksrc", "voice", espeak_voice_of(definition)},
      {"elevenlabssrc", "model-id", eleven.model_id},
      {"elevenlabssrc", "output-format", eleven.output_format},
  };
}

// Whether the graph's text sets `property` on the element: then it stays.
bool is_default(GstElement *element, GParamSpec *spec) {
  if ((spec->flags & G_PARAM_READABLE) == 0)
    return true;
  GValue value = G_VALUE_INIT;
  g_value_init(&value, spec->value_type);
  g_object_get_property(G_OBJECT(element), spec->name, &value);
  // An element may tell an unset string as an empty one.
  const bool empty =
      G_VALUE_HOLDS_STRING(&value) && (g_value_get_string(&value) == nullptr ||
                                       *g_value_get_string(&value) == '\0');
  const bool same = empty || g_param_value_defaults(spec, &value) != FALSE;
  g_value_unset(&value);
  return same;
}

void apply(GstElement *element, const std::vector<Setting> &settings) {
  GstElementFactory *factory = gst_element_get_factory(element);
  if (factory == nullptr)
    return;
  const std::string name = GST_OBJECT_NAME(factory);
  for (const Setting &setting : settings) {
    if (name != setting.factory || setting.value.empty())
      continue;
    GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element),
                                                    setting.property);
    if (spec != nullptr && is_default(element, spec))
      gst_util_set_object_arg(G_OBJECT(element), setting.property,
                              setting.value.c_str());
  }
}

std::string_view factory_of(GstElement *element) {
  GstElementFactory *factory = gst_element_get_factory(element);
  return factory != nullptr ? GST_OBJECT_NAME(factory) : "";
}

// A format that is asked for and cannot be had would fail every call.
Result<> check_voice_format(const std::string &name,
                            const config::Config &config, GstElement *element) {
  if (factory_of(element) != "elevenlabssrc")
    return ok();
  char *text = nullptr;
  g_object_get(element, "output-format", &text, nullptr);
  const GCharPtr wanted(text);
  const auto *known =
      elevenlabs::find_output_format(wanted ? wanted.get() : "");
  const auto pad =
      Ref<GstPad>::adopt(gst_element_get_static_pad(element, "src"));
  if (known == nullptr || !gst_pad_is_linked(pad.get()))
    return ok();
  const auto caps = graph::VoiceFormat{known->mulaw, known->rate}.caps();
  const auto peer =
      Ref<GstCaps>::adopt(gst_pad_peer_query_caps(pad.get(), nullptr));
  if (gst_caps_can_intersect(caps.get(), peer.get()))
    return ok();
  const GCharPtr takes(gst_caps_to_string(peer.get()));
  // The graph may name it as well.
  const bool configured = known->name == config.elevenlabs.output_format;
  return make_error(
      "bad_pipeline",
      (configured ? config::source_of(config, "elevenlabs.output_format") + ": "
                  : "") +
          name + ": elevenlabssrc is to speak " + std::string(known->name) +
          "; expected what the element behind it takes: " + takes.get());
}

} // namespace

Ref<GstElement> find_element(GstElement *graph, std::string_view factory_name) {
  Ref<GstElement> found;
  graph::any_of(gst_bin_iterate_recurse(GST_BIN(graph)),
                [&](GstElement *element) {
                  if (factory_of(element) == factory_name)
                    found = Ref<GstElement>::share(element);
                  return static_cast<bool>(found);
                });
  return found;
}

Result<agent::Definition> read_agent(const std::string &path) {
  const auto definition = agent::load_definition(path);
  if (!definition)
    return definition.error();
  return **definition;
}

std::string espeak_voice_of(const agent::Definition &definition) {
  const std::string language = primary(definition.language);
  return voice_of(definition, "espeak", language == "en" ? "en-us" : language);
}

Result<std::string> read_pipeline(const std::string &path) {
  std::ifstream file(path);
  if (!file)
    return make_error("bad_pipeline", path + ": cannot be read");
  std::string text, line;
  while (std::getline(file, line))
    if (!trim(line).starts_with('#'))
      text.append(line).append("\n");
  if (trim(text).empty())
    return make_error("bad_pipeline", path + ": holds no graph");
  return text;
}

Result<Ref<GstElement>> build_graph(const std::string &name,
                                    const std::string &text,
                                    const config::Config &config,
                                    const std::string &agent_file,
                                    const AgentStart &start) {
  GErrorHolder problem;
  auto graph = Ref<GstElement>::adopt(gst_parse_launch_full(
      text.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, problem.out()));
  if (!graph)
    return make_error("bad_pipeline", name + ": " + problem.message());
  // The reference of gst_parse_launch is floating.
  graph =
      Ref<GstElement>::adopt(GST_ELEMENT(gst_object_ref_sink(graph.release())));
  if (!GST_IS_PIPELINE(graph.get()))
    return make_error("bad_pipeline",
                      name + ": expected a chain of elements, as gst-launch "
                             "takes it");
  const auto definition =
      agent_file.empty() ? Result(std::make_shared<const agent::Definition>())
                         : agent::load_definition(agent_file);
  if (!definition)
    return definition.error();
  const auto settings = settings_of(config, **definition, agent_file, start);
  Result<> checked = ok();
  graph::any_of(gst_bin_iterate_recurse(GST_BIN(graph.get())),
                [&](GstElement *element) {
                  apply(element, settings);
                  if (checked)
                    checked = check_voice_format(name, config, element);
                  return false;
                });
  if (!checked)
    return checked.error();
  return graph;
}

std::vector<std::string> missing_elements(const std::string &text) {
  GstParseContext *context = gst_parse_context_new();
  GErrorHolder problem;
  GstElement *graph = gst_parse_launch_full(text.c_str(), context,
                                            GST_PARSE_FLAG_NONE, problem.out());
  if (graph != nullptr)
    gst_object_unref(gst_object_ref_sink(graph));
  std::vector<std::string> missing;
  // One whose property is wrong counts as missing as well.
  char **names = g_error_matches(problem.get(), GST_PARSE_ERROR,
                                 GST_PARSE_ERROR_NO_SUCH_ELEMENT)
                     ? gst_parse_context_get_missing_elements(context)
                     : nullptr;
  for (char **name = names; name != nullptr && *name != nullptr; ++name)
    missing.emplace_back(*name);
  g_strfreev(names);
  gst_parse_context_free(context);
  return missing;
}

} // namespace patchcord::call
