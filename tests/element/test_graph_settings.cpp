// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/handles.hpp"
#include "call/graph_builder.hpp"
#include "offline/espeak_voice.hpp"

#include <glib/gstdio.h>
#include <gst/gst.h>

#include <fstream>
#include <string>

// What the configuration and an agent's file say to a graph's elements.
using namespace patchcord;

namespace {

class AgentFile {
public:
  explicit AgentFile(const std::string &keys)
      : folder_(GCharPtr(g_dir_make_tmp("patchcord-XXXXXX", nullptr)).get()),
        path_(folder_ + "/a.toml") {
    std::ofstream(path_) << "name = \"a\"\ngreeting = \"g\"\n"
                            "instructions = \"i\"\n"
                         << keys;
  }
  ~AgentFile() {
    g_remove(path_.c_str());
    g_rmdir(folder_.c_str());
  }
  const std::string &path() const { return path_; }

private:
  std::string folder_, path_;
};

constexpr char kGraph[] =
    "twiliosrc ! mulawdec ! audioresample ! realtimestt name=ears ! agent ! "
    "elevenlabssrc name=cloud ! audioresample ! mulawenc ! twiliosink "
    "espeaksrc name=offline text=x ! fakesink";

std::string property(const Ref<GstElement> &graph, const char *element,
                     const char *name) {
  const auto found = Ref<GstElement>::adopt(
      gst_bin_get_by_name(GST_BIN(graph.get()), element));
  char *value = nullptr;
  g_object_get(found.get(), name, &value, nullptr);
  const GCharPtr owned(value);
  return value != nullptr ? value : "";
}

// "ears' language, cloud's voice, language and fallback, offline voice"
std::string settings(const std::string &keys, const config::Config &config = {},
                     const std::string &text = kGraph) {
  const AgentFile agent(keys);
  const auto graph = call::build_graph("test", text, config, agent.path());
  if (!graph)
    g_error("%s", graph.error().message.c_str());
  return property(*graph, "ears", "language") + ", " +
         property(*graph, "cloud", "voice-id") + ", " +
         property(*graph, "cloud", "language") + ", " +
         property(*graph, "cloud", "fallback-voice") + ", " +
         property(*graph, "offline", "voice");
}

void equal(const std::string &is, const std::string &expected) {
  if (is != expected)
    g_error("expected\n  %s\ngot\n  %s", expected.c_str(), is.c_str());
}

void test_language() {
  const std::string rachel = config::Config().elevenlabs.voice_id;
  equal(settings(""), "en, " + rachel + ", en, en-us, en-us");
  equal(settings("language = \"de-AT\"\n"), "de, " + rachel + ", de, de, de");
  config::Config config;
  config.openai.language = "de,en";
  config.elevenlabs.model_id = "eleven_multilingual_v2";
  equal(settings("language = \"de\"\n", config),
        "de,en, " + rachel + ", , de, de");
}

void test_voices() {
  const std::string voices = "[voice]\nespeak = \"en-gb+f3\"\n"
                             "elevenlabs = \"JBFqnCBsd6RMkjVDRZzb\"\n";
  config::Config config;
  config.elevenlabs.voice_id = "configured";
  equal(settings("", config), "en, configured, en, en-us, en-us");
  equal(settings(voices, config),
        "en, JBFqnCBsd6RMkjVDRZzb, en, en-gb+f3, en-gb+f3");
  // The graph's own text wins.
  std::string text = kGraph;
  text.replace(text.find("name=offline"), 0, "voice=fr ");
  equal(settings(voices, config, text),
        "en, JBFqnCBsd6RMkjVDRZzb, en, en-gb+f3, fr");
}

void test_bad_agent() {
  const AgentFile agent("language = \"English\"\n");
  const auto graph = call::build_graph("test", kGraph, {}, agent.path());
  g_assert_false(graph.ok());
  equal(graph.error().message, agent.path() +
                                   ":4: language: expected the code of a "
                                   "language, such as en or de-AT, got "
                                   "\"English\"");
}

void test_offline_voices() {
  g_assert_true(offline::find_espeak_voice("de").ok());
  g_assert_true(offline::find_espeak_voice("en-us+f3").ok());
  const auto none = offline::find_espeak_voice("klingonese");
  g_assert_false(none.ok());
  equal(none.error().code, "voice_not_found");
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/graph/speaks-the-agents-language", test_language);
  g_test_add_func("/graph/has-the-agents-voices", test_voices);
  g_test_add_func("/graph/bad-agent-is-refused-with-its-line", test_bad_agent);
  g_test_add_func("/graph/offline-voices-are-known", test_offline_voices);
  const int result = g_test_run();
  gst_deinit();
  return result;
}
