// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/providers.hpp"

#include "call/graph_builder.hpp"
#include "graph/handles.hpp"
#include "graph/iterate.hpp"
#include "openai/realtime_endpoint.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace patchcord::cli {
namespace {

using Words = std::vector<std::string>;

// The words between a graph's links, of an element as a rule; "=" begins one.
// In quotes nothing is a link.
std::vector<Words> elements_of(const std::string &text) {
  std::vector<Words> elements(1);
  std::string word;
  const auto end_word = [&] {
    if (!word.empty())
      elements.back().push_back(std::exchange(word, {}));
  };
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool bare = quote == '\0';
    if (bare && (c == '!' || c == '=' || g_ascii_isspace(c)))
      end_word();
    if (bare && c == '!')
      elements.emplace_back();
    if (bare && (c == '!' || g_ascii_isspace(c)))
      continue;
    word += c;
    if (c == '\\' && i + 1 < text.size())
      word += text[++i];
    else if (bare && (c == '"' || c == '\''))
      quote = c;
    else if (c == quote)
      quote = '\0';
  }
  end_word();
  return elements;
}

// Whether each element of a factory has a key in the text: from the element
// itself it cannot be read.
bool has_own_key(const std::string &text, std::string_view factory) {
  for (const Words &words : elements_of(text)) {
    const auto element = std::find(words.begin(), words.end(), factory);
    const auto key = std::find(element, words.end(), "api-key");
    const bool set = key != words.end() && key + 1 != words.end() &&
                     (key + 1)->starts_with('=');
    if (element != words.end() && !set)
      return false;
  }
  return true;
}

std::string property(GstElement *element, const char *name) {
  char *text = nullptr;
  g_object_get(element, name, &text, nullptr);
  const GCharPtr held(text);
  return held ? held.get() : "";
}

std::string without_trailing_slashes(std::string url) {
  while (url.ends_with('/'))
    url.pop_back();
  return url;
}

class Reader {
public:
  Reader(const config::Config &config, const std::string &text)
      : config_(config), text_(text) {
    found_.known = true;
  }

  void look(GstElement *element) {
    GstElementFactory *factory = gst_element_get_factory(element);
    const std::string_view name =
        factory != nullptr ? GST_OBJECT_NAME(factory) : "";
    if (name == "realtimestt")
      openai(element, "realtimestt", property(element, "realtime-url"));
    else if (name == "agent" && property(element, "mind") == "openai")
      openai(element, "agent", "");
    else if (name == "elevenlabssrc")
      elevenlabs();
  }

  Providers take() { return std::move(found_); }

private:
  // `url`: used as it is; empty: the API is at the base URL.
  void openai(GstElement *element, const char *factory,
              const std::string &url) {
    found_.openai = true;
    const std::string base = property(element, "base-url");
    const bool own_key =
        config_.openai.api_key.empty() && has_own_key(text_, factory);
    // A server of one's own may want none.
    const bool wants = openai::is_openai_url(url.empty() ? base : url);
    if (config_.openai.api_key.empty() && wants && !own_key)
      found_.openai_needs_key = true;
    if (url.empty() && !own_key &&
        without_trailing_slashes(base) == config_.openai.base_url)
      found_.models.push_back(property(element, "model"));
  }

  void elevenlabs() {
    found_.elevenlabs = true;
    if (config_.elevenlabs.api_key.empty() &&
        !has_own_key(text_, "elevenlabssrc"))
      found_.elevenlabs_needs_key = true;
  }

  const config::Config &config_;
  const std::string &text_;
  Providers found_;
};

} // namespace

bool asks_model(GstElement *graph) {
  const auto agent = call::find_element(graph, "agent");
  return agent && property(agent.get(), "mind") == "openai";
}

Providers providers_of(const config::Config &config, GstElement *graph,
                       const std::string &text) {
  Reader reader(config, text);
  graph::any_of(gst_bin_iterate_recurse(GST_BIN(graph)),
                [&](GstElement *element) {
                  reader.look(element);
                  return false;
                });
  return reader.take();
}

} // namespace patchcord::cli
