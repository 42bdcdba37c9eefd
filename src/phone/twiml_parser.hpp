// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/result.hpp"
#include "worker/time.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchcord::phone {

// <Stream> inside <Connect> (Twilio docs, "TwiML Voice: Stream").
struct TwimlStream {
  std::string url;
  std::string name;
  std::string track;
  std::string status_callback;
  std::string status_method = "POST";
  std::vector<std::pair<std::string, std::string>> parameters;
};

// What <Dial> calls (Twilio docs, "TwiML Voice: Dial").
struct TwimlDial {
  std::string number;
  std::string whisper; // <Number url>: what the other hears first
  std::string whisper_method = "POST";
  std::string caller_id;
  Duration timeout = std::chrono::seconds(30); // of ringing
};

struct TwimlVerb {
  enum class Kind {
    kSay,      // text: the words
    kPlay,     // text: the URL
    kPause,    // length
    kConnect,  // stream; action and method may be set
    kDial,     // dial; action and method may be set
    kHangup,   //
    kReject,   // text: "rejected" or "busy"
    kRedirect, // text: the URL; method
    kOther,    // text: the verb's name; the phone passes over it
  };
  Kind kind = Kind::kOther;
  std::string text;
  std::string action;
  std::string method = "POST";
  Duration length{};
  TwimlStream stream;
  TwimlDial dial;
};

struct TwimlDocument {
  std::vector<TwimlVerb> verbs;
  // What Twilio would run anyway but complain about (12200), in words.
  std::vector<std::string> warnings;
};

// Reads what a voice webhook answered. The codes are Twilio's: 11750 more than
// 64 kB, 11770 empty, 12100 not XML, 12102 the root is not Response.
Result<TwimlDocument> parse_twiml(std::string_view body);

// `url` as a reference in a document that was fetched from `base`: absolute,
// "//host/path", "/path" or "path". With `web_socket`, http(s) becomes ws(s) as
// a relative stream URL needs it.
std::string resolve_url(std::string_view base, std::string_view url,
                        bool web_socket = false);

} // namespace patchcord::phone
