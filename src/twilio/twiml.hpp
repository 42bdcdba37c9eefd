// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace patchcord::twilio {

// Writes a TwiML document, verb after verb. Text is escaped, and characters
// that XML 1.0 forbids are dropped, as is invalid UTF-8.
class Twiml {
public:
  // A bidirectional media stream (Twilio docs, "TwiML Voice: Stream").
  struct Stream {
    std::string url;             // wss://, without a query
    std::string status_callback; // absolute; empty: none
    // Twilio wants name and value together under 500 characters: values are cut
    // to that, and a parameter whose name alone is longer is left out.
    std::map<std::string, std::string> parameters;
  };
  // Blocks the call until the stream ends, then goes on with the next verb; or
  // with what the URL `action` (absolute; empty: none) answers.
  Twiml &connect_stream(const Stream &stream, std::string_view action = {});
  // Calls somebody and joins the two calls (Twilio docs, "TwiML Voice: Dial").
  struct Dial {
    std::string number;    // E.164
    std::string action;    // asked what follows when the other leg has ended
    std::string whisper;   // asked what the other hears first; empty: nothing
    std::string caller_id; // empty: the caller's own
    int timeout_s = 30;    // of ringing
  };
  Twiml &dial(const Dial &dial);
  Twiml &say(std::string_view text, std::string_view language = "en-US");
  Twiml &hangup();
  // Only as the first verb. `reason`: "busy" or "rejected".
  Twiml &reject(std::string_view reason);

  // The whole document. For a reply with Content-Type kTwimlContentType.
  std::string text() const;

private:
  std::string verbs_;
};

inline constexpr char kTwimlContentType[] = "text/xml; charset=utf-8";

// With &, <, > and both quotes escaped: for text and attributes alike.
std::string xml_escape(std::string_view text);

} // namespace patchcord::twilio
