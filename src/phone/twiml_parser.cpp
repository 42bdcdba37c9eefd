// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phone/twiml_parser.hpp"

#include "base/handles.hpp"
#include "base/text.hpp"

#include <glib.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace patchcord::phone {
namespace {

constexpr std::size_t kMaxBody = std::size_t{64} << 10;
// Twilio's documents nest three deep; more is nobody's TwiML.
constexpr std::size_t kMaxDepth = 16;

using Kind = TwimlVerb::Kind;

struct Parser {
  TwimlDocument document;
  std::vector<std::string> path; // open elements
  bool root_seen = false;

  void start(std::string_view name, const char **names, const char **values);
  void end();
  void text(std::string_view text);
  void verb(std::string_view name, const char **names, const char **values);
  void dial(TwimlDial &dial, const char **names, const char **values);
  void number(const char **names, const char **values);
  void stream(const char **names, const char **values);
  void warn(std::string warning) {
    document.warnings.push_back(std::move(warning));
  }
};

std::string_view attribute(const char **names, const char **values,
                           std::string_view name) {
  for (; *names != nullptr; ++names, ++values)
    if (name == *names)
      return *values;
  return {};
}

Kind kind_of(std::string_view name) {
  constexpr std::pair<std::string_view, Kind> kKinds[] = {
      {"Say", Kind::kSay},           {"Play", Kind::kPlay},
      {"Pause", Kind::kPause},       {"Connect", Kind::kConnect},
      {"Hangup", Kind::kHangup},     {"Reject", Kind::kReject},
      {"Redirect", Kind::kRedirect}, {"Dial", Kind::kDial}};
  for (const auto &[known, kind] : kKinds)
    if (name == known)
      return kind;
  return Kind::kOther;
}

void Parser::verb(std::string_view name, const char **names,
                  const char **values) {
  TwimlVerb verb;
  verb.kind = kind_of(name);
  if (const auto method = attribute(names, values, "method"); !method.empty())
    verb.method = method;
  verb.action = attribute(names, values, "action");
  if (verb.kind == Kind::kPause) {
    const std::string length(attribute(names, values, "length"));
    const double seconds =
        length.empty() ? 1 : g_ascii_strtod(length.c_str(), nullptr);
    verb.length = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(std::clamp(seconds, 0.0, 3600.0)));
  } else if (verb.kind == Kind::kReject) {
    verb.text = attribute(names, values, "reason");
    if (verb.text.empty())
      verb.text = "rejected";
  } else if (verb.kind == Kind::kDial) {
    dial(verb.dial, names, values);
  } else if (verb.kind == Kind::kOther) {
    verb.text = name;
    warn("<" + std::string(name) + "> is not a verb that this phone knows");
  }
  document.verbs.push_back(std::move(verb));
}

void Parser::dial(TwimlDial &dial, const char **names, const char **values) {
  dial.caller_id = attribute(names, values, "callerId");
  const std::string timeout(attribute(names, values, "timeout"));
  if (timeout.empty())
    return;
  const double seconds = g_ascii_strtod(timeout.c_str(), nullptr);
  if (!(seconds >= 5 && seconds <= 600))
    warn("<Dial timeout=\"" + timeout + "\">: from 5 to 600 seconds");
  dial.timeout = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::clamp(seconds, 5.0, 600.0)));
}

void Parser::number(const char **names, const char **values) {
  TwimlDial &dial = document.verbs.back().dial;
  dial.whisper = attribute(names, values, "url");
  if (const auto method = attribute(names, values, "method"); !method.empty())
    dial.whisper_method = method;
}

void Parser::stream(const char **names, const char **values) {
  TwimlStream &stream = document.verbs.back().stream;
  stream.url = attribute(names, values, "url");
  stream.name = attribute(names, values, "name");
  stream.track = attribute(names, values, "track");
  stream.status_callback = attribute(names, values, "statusCallback");
  if (const auto method = attribute(names, values, "statusCallbackMethod");
      !method.empty())
    stream.status_method = method;
}

void Parser::start(std::string_view name, const char **names,
                   const char **values) {
  const std::string_view parent =
      path.empty() ? std::string_view() : std::string_view(path.back());
  if (path.empty()) {
    root_seen = name == "Response";
  } else if (path.size() == 1) {
    verb(name, names, values);
  } else if (parent == "Connect" && name == "Stream") {
    stream(names, values);
  } else if (parent == "Dial" && name == "Number") {
    number(names, values);
  } else if (parent == "Stream" && name == "Parameter" &&
             document.verbs.back().kind == Kind::kConnect) {
    document.verbs.back().stream.parameters.emplace_back(
        attribute(names, values, "name"), attribute(names, values, "value"));
  } else if (document.verbs.back().kind != Kind::kSay &&
             document.verbs.back().kind != Kind::kOther) {
    // Inside <Say> stands SSML, inside verbs we pass over anything.
    warn("<" + std::string(name) + "> does not belong in <" +
         std::string(parent) + ">");
  }
  path.emplace_back(name);
}

void Parser::end() {
  if (path.size() == 2 && !document.verbs.empty()) {
    TwimlVerb &verb = document.verbs.back();
    verb.text = trim(verb.text);
    if (verb.kind == Kind::kConnect && verb.stream.url.empty())
      warn("<Connect> without a <Stream url>");
    if (verb.kind == Kind::kDial) {
      verb.dial.number = std::exchange(verb.text, {});
      if (verb.dial.number.empty())
        warn("<Dial> without a number");
    }
  }
  path.pop_back();
}

void Parser::text(std::string_view text) {
  if (path.size() < 2 || document.verbs.empty())
    return;
  TwimlVerb &verb = document.verbs.back();
  if (verb.kind == Kind::kSay || verb.kind == Kind::kPlay ||
      verb.kind == Kind::kRedirect || verb.kind == Kind::kDial)
    verb.text += text;
}

const GMarkupParser kCallbacks = {
    [](GMarkupParseContext *, const gchar *name, const gchar **names,
       const gchar **values, gpointer data, GError **error) {
      auto &parser = *static_cast<Parser *>(data);
      if (parser.path.size() >= kMaxDepth)
        g_set_error_literal(error, G_MARKUP_ERROR, G_MARKUP_ERROR_PARSE,
                            "nested too deeply");
      else
        parser.start(name, names, values);
    },
    [](GMarkupParseContext *, const gchar *, gpointer data, GError **) {
      static_cast<Parser *>(data)->end();
    },
    [](GMarkupParseContext *, const gchar *text, gsize size, gpointer data,
       GError **) {
      static_cast<Parser *>(data)->text({text, size});
    },
    nullptr, nullptr};

struct ContextFree {
  void operator()(GMarkupParseContext *context) const {
    g_markup_parse_context_free(context);
  }
};

} // namespace

Result<TwimlDocument> parse_twiml(std::string_view body) {
  if (body.size() > kMaxBody)
    return make_error("11750", "the reply is longer than 64 kB");
  if (trim(body).empty())
    return make_error("11770", "the reply is empty");
  // GLib's parser stumbles over its own error when a CDATA section is not.
  if (!valid_utf8(body))
    return make_error("12100", "the reply is not UTF-8");
  Parser parser;
  const std::unique_ptr<GMarkupParseContext, ContextFree> context(
      g_markup_parse_context_new(&kCallbacks, G_MARKUP_TREAT_CDATA_AS_TEXT,
                                 &parser, nullptr));
  GErrorHolder error;
  if (!g_markup_parse_context_parse(context.get(), body.data(),
                                    static_cast<gssize>(body.size()),
                                    error.out()) ||
      !g_markup_parse_context_end_parse(context.get(), error.out()))
    return make_error("12100",
                      std::string("the reply is not XML: ") + error.message());
  if (!parser.root_seen)
    return make_error("12102", "the root of the reply is not <Response>");
  return std::move(parser.document);
}

std::string resolve_url(std::string_view base, std::string_view url,
                        bool web_socket) {
  std::string resolved(url);
  if (url.find("://") == std::string_view::npos) {
    const std::size_t colon = base.find("://");
    if (colon == std::string_view::npos)
      return resolved;
    const std::size_t host = colon + 3;
    const std::size_t path =
        std::min(base.find_first_of("/?#", host), base.size());
    const std::string_view before_query =
        base.substr(0, std::min(base.find_first_of("?#", host), base.size()));
    if (url.starts_with("//"))
      resolved = std::string(base.substr(0, colon + 1)) + resolved;
    else if (url.starts_with("/"))
      resolved = std::string(base.substr(0, path)) + resolved;
    else if (url.empty())
      resolved = base;
    else if (const std::size_t slash = before_query.rfind('/');
             slash != std::string_view::npos && slash >= path)
      resolved = std::string(before_query.substr(0, slash + 1)) + resolved;
    else
      resolved = std::string(before_query) + "/" + resolved;
  }
  if (web_socket && resolved.starts_with("http"))
    resolved.replace(0, 4, "ws");
  return resolved;
}

} // namespace patchcord::phone
