// SPDX-License-Identifier: LGPL-2.1-or-later
#include "twilio/signature.hpp"

#include "../support/check_text.hpp"

#include <glib.h>

using namespace patchcord;
using namespace patchcord::twilio;

namespace {

// Vectors of Twilio's own libraries and documents (N: node, G: go, D: docs),
// and of our own making, checked with two other HMAC programs (W, X).
const char kToken[] = "12345";
const char kUrl[] = "https://mycompany.com/myapp.php?foo=1&bar=2";
const char kOurToken[] = "0123456789abcdef0123456789abcdef";
const char kVoice[] = "https://voice.example.com/voice";

Form call_fields() {
  return {{"CallSid", "CA1234567890ABCDE"},
          {"Caller", "+14158675309"},
          {"Digits", "1234"},
          {"From", "+14158675309"},
          {"To", "+18005551212"}};
}
Form with(Form form, const Form &more) {
  form.insert(form.end(), more.begin(), more.end());
  return form;
}

const char kBody[] = R"({"property": "value", "boolean": true})";
const char kBodyHash[] =
    "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
const char kEmptyObjectHash[] =
    "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

const char kInboundCall[] =
    "AccountSid=AC00000000000000000000000000000001&ApiVersion=2010-04-01&"
    "CallSid=CA00000000000000000000000000000001&CallStatus=ringing&CallToken=%"
    "7B%22parentCallInfoToken%22%3A%22abc.def%22%7D&Called=%2B14155550199&"
    "CalledCity=SAN+FRANCISCO&CalledCountry=US&CalledState=CA&CalledZip=94105&"
    "Caller=%2B14155550100&CallerCity=&CallerCountry=US&CallerState=CA&"
    "CallerZip=&Direction=inbound&From=%2B14155550100&FromCity=&FromCountry=US&"
    "FromState=CA&FromZip=&StirVerstat=TN-Validation-Passed-A&To=%2B14155550199"
    "&ToCity=SAN+FRANCISCO&ToCountry=US&ToState=CA&ToZip=94105";

struct Vector {
  const char *id;
  std::string url; // as signed
  Form fields;
  const char *signature;
};

std::string at_host(const char *scheme_and_host) {
  return std::string(scheme_and_host) + "/myapp.php?foo=1&bar=2";
}

std::vector<Vector> library_vectors() {
  const Form p = call_fields();
  const Form reasons =
      with(p, {{"ReasonConferenceEnded", "test"}, {"Reason", "Participant"}});
  Form docs = p;
  docs[1].second = docs[3].second = "+14158675310";
  const std::string hash = std::string("bodySHA256=") + kBodyHash;
  return {
      {"N1", kUrl, p, "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
      {"N2",
       std::string(kUrl) + "&" + hash,
       {},
       "a9nBmqA0ju/hNViExpshrM61xv4="},
      {"N3",
       at_host("https://mycompany.com:443") + "&bodySHA256=" + kEmptyObjectHash,
       {},
       "Ldidvp12m26NI7eqEvxnEpkd9Hc="},
      {"N3 without port",
       std::string(kUrl) + "&bodySHA256=" + kEmptyObjectHash,
       {},
       "rw/jVviOgicj2+kHZULvebnA4ag="},
      {"N4",
       "https://mycompany.com/myapp.php?" + hash,
       {},
       "y77kIzt2vzLz71DgmJGsen2scGs="},
      {"N5", at_host("http://mycompany.com:1234"), p,
       "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="},
      {"N6", at_host("https://mycompany.com:443"), p,
       "kvajT1Ptam85bY51eRf/AJRuM3w="},
      {"N7", at_host("http://mycompany.com:80"), p,
       "0ZXoZLH/DfblKGATFgpif+LLRf4="},
      {"N8", at_host("https://user:pass@mycompany.com"), p,
       "CukzLTc1tT5dXEDIHm/tKBanW10="},
      {"N9", at_host("https://user@mycompany.com"), p,
       "2YRLlVAflCqxaNicjMpJcSTgzSs="},
      {"N10", at_host("https://user:pass@mycompany.com:443"), p,
       "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI="},
      {"N11", std::string(kUrl) + "&Body=It%27s+amazing", p,
       "TfZzewPq8wqrGlMfyAud8+/IvJ0="},
      {"N11b", std::string(kUrl) + "&Body=It's+amazing", p,
       "dsq4Ehbj6cs+KdTkpF5sSSplOWw="},
      {"N12",
       kUrl,
       {{"MessagingBinding.Address", "+1325xxxxxxx"},
        {"MessagingBinding.Address", "+1415xxxxxxx"}},
       "83O6e2vORAoJHUNzJjDWN1jz+BA="},
      {"N12 in the other order",
       kUrl,
       {{"MessagingBinding.Address", "+1415xxxxxxx"},
        {"MessagingBinding.Address", "+1325xxxxxxx"}},
       "83O6e2vORAoJHUNzJjDWN1jz+BA="},
      {"N13",
       kUrl,
       {{"Sid", "CA123"},
        {"SidAccount", "AC123"},
        {"Digits", "5678"},
        {"Digits", "1234"},
        {"Digits", "1234"}},
       "IK+Dwps556ElfBT0I3Rgjkr1wJU="},
      {"G1", kUrl, reasons, "vOEb5UThFn24KEfnOFLQY2AE5FY="},
      {"G2", at_host("http://mycompany.com"), reasons,
       "n2xBNyzSW7rfYStDtOFiFMv7qNo="},
      {"G4",
       kUrl,
       {{"property", "value"}, {"boolean", "true"}},
       "NBdBDr/T/lgjI+tlgpXjKZQZs/k="},
      {"D1", "https://example.com/myapp.php?foo=1&bar=2", docs,
       "L/OH5YylLD5NRKLltdqwSvS0BnU="},
  };
}

std::vector<Vector> our_vectors() {
  return {
      {"W1",
       "wss://voice.example.com/media",
       {},
       "ttk+kVY3Kdi/BWVnuJguRoi2Bjs="},
      {"W2",
       "wss://voice.example.com/media/",
       {},
       "xSZ25E4AoL/WAklRSBhXh8WbY9E="},
      {"W3",
       "wss://voice.example.com:443/media",
       {},
       "JI5PyUOwt6GuF3/K92tnPhD5Oeo="},
      {"W4",
       "https://voice.example.com/media",
       {},
       "uokm48ntBNlk5PPDctw38CH3GGk="},
      {"W5", "wss://voice.example.com", {}, "LTNc5OeQVPZL6E2Birj6O1bpaMc="},
      {"W6", "wss://voice.example.com/", {}, "mdZ0WZCJ6GoYsAcIGYax9h4blE4="},
      {"W7",
       "wss://voice.example.com:8443/media",
       {},
       "AF0qiBTAfgMeoczRzOeA7hcSCr0="},
      {"W8",
       "wss://voice.example.com/media/7f3c2a",
       {},
       "PY5t/oJAn+xXO4UxxEMvzs36imo="},
      {"W9",
       "wss://voice.example.com:80/media",
       {},
       "Ls23w0UyonAXYBvzuLBugpPPDiA="},
      {"X1",
       "https://voice.example.com/"
       "voice?CallSid=CA00000000000000000000000000000001&From=%2B14155550100",
       {},
       "B43/kualbUNtKbzrgxbgZOlQu2Y="},
      {"X2",
       kVoice,
       {{"CallerName", "Jos\xc3\xa9 \xc3\x91"},
        {"Digits", ""},
        {"From", "+14155550100"}},
       "aUnD6QVaFzyYNmG2zc5b0e0v6GM="},
      {"X3",
       kVoice,
       {{"CallSid", "CA1"},
        {"Digits", "2"},
        {"Digits", "1"},
        {"Digits", "2"},
        {"Digits", "10"}},
       "NXNS+pvFKqssW/OTO4pmsk/KWh4="},
      {"X4", kVoice, {}, "gNa+U0T5rqmdzkxM7s2RgGRwgaI="},
      {"X5",
       kVoice,
       {{"SpeechResult", " leading and trailing "}},
       "YupLTtJh74YxxSDEyTWptwXU68k="},
      {"X6", kVoice, *parse_form(kInboundCall), "8Kr6tScuIsZmgZRX8tqiirOyXBU="},
  };
}

void check_signs(const std::vector<Vector> &vectors, const char *token) {
  for (const auto &vector : vectors) {
    g_test_message("%s", vector.id);
    CHECK_TEXT(sign(token, vector.url, vector.fields), vector.signature);
    g_assert_true(valid_form_signature({token}, vector.signature, vector.url,
                                       vector.fields));
    // Another token, no token, an empty one: never.
    g_assert_false(valid_form_signature({"other"}, vector.signature, vector.url,
                                        vector.fields));
    g_assert_false(
        valid_form_signature({}, vector.signature, vector.url, vector.fields));
    g_assert_false(valid_form_signature(
        {""}, sign("", vector.url, vector.fields), vector.url, vector.fields));
    // While a token is replaced, both sign.
    g_assert_true(valid_form_signature({"other", token}, vector.signature,
                                       vector.url, vector.fields));
  }
}

void test_vectors() {
  check_signs(library_vectors(), kToken);
  check_signs(our_vectors(), kOurToken);
}

void test_url_spellings() {
  const struct {
    const char *url; // as the server sees it
    const char *signature;
  } cases[] = {
      // N1: https with another port still matches what was signed without.
      {"https://mycompany.com:1234/myapp.php?foo=1&bar=2",
       "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
      {kUrl, "kvajT1Ptam85bY51eRf/AJRuM3w="}, // N6
      {"http://mycompany.com/myapp.php?foo=1&bar=2",
       "0ZXoZLH/DfblKGATFgpif+LLRf4="}, // N7
      {"https://user:pass@mycompany.com/myapp.php?foo=1&bar=2",
       "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI="}, // N10
      // The published rule: credentials are removed before signing.
      {"https://user:pass@mycompany.com/myapp.php?foo=1&bar=2",
       "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
      {"https://mycompany.com/myapp.php?foo=1&bar=2&Body=It's+amazing",
       "TfZzewPq8wqrGlMfyAud8+/IvJ0="}, // N11
      {"https://mycompany.com/myapp.php?foo=1&bar=2&Body=It%27s+amazing",
       "dsq4Ehbj6cs+KdTkpF5sSSplOWw="}, // N11b
  };
  for (const auto &[url, signature] : cases) {
    g_test_message("%s", url);
    g_assert_true(
        valid_form_signature({kToken}, signature, url, call_fields()));
  }
  const std::string v6 = "https://[2001:db8::1]/voice";
  g_assert_true(valid_form_signature(
      {kToken}, sign(kToken, "https://[2001:db8::1]:443/voice"), v6, {}));
  g_assert_true(valid_form_signature({kToken}, sign(kToken, v6),
                                     "https://[2001:db8::1]:8443/voice", {}));
}

void test_refuses() {
  const std::string good = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
  const Form p = call_fields();
  const struct {
    const char *why;
    std::string signature, url;
    Form fields;
  } cases[] = {
      {"no signature", "", kUrl, p},
      {"cut signature", good.substr(0, 27), kUrl, p},
      {"longer signature", good + "=", kUrl, p},
      {"other case", "rsoydt4T1cUTdK1PDd93/VVr8B8=", kUrl, p},
      {"another query parameter", good, std::string(kUrl) + "&a=1", p},
      {"no query", good, "https://mycompany.com/myapp.php", p},
      {"another host", good, "https://mycompany.net/myapp.php?foo=1&bar=2", p},
      {"another scheme", good, "http://mycompany.com/myapp.php?foo=1&bar=2", p},
      {"a slash more", good, "https://mycompany.com/myapp.php/?foo=1&bar=2", p},
      {"a field less", good, kUrl, Form(p.begin() + 1, p.end())},
      {"an empty field more", good, kUrl, with(p, {{"Extra", ""}})},
      {"a trimmed value",
       "YupLTtJh74YxxSDEyTWptwXU68k=",
       kVoice,
       {{"SpeechResult", "leading and trailing"}}},
      {"G3: sorted by name and value together",
       "95+Bu0JVPi0r/SsESZCVf0dWAjw=", kUrl,
       with(p, {{"ReasonConferenceEnded", "test"}, {"Reason", "Participant"}})},
  };
  for (const auto &[why, signature, url, fields] : cases) {
    g_test_message("%s", why);
    g_assert_false(valid_form_signature({kToken}, signature, url, fields));
  }
  // X6 with empty values dropped, and sorted without regard to case.
  const Form call = *parse_form(kInboundCall);
  for (const char *wrong :
       {"fpHD2gVVn725Ab6RRXIoBYyP348=", "5AqwOSMZhcmML+bV0jPqNF9Fl2U="})
    g_assert_false(valid_form_signature({kOurToken}, wrong, kVoice, call));
}

void test_bodies() {
  const std::string url = std::string(kUrl) + "&bodySHA256=" + kBodyHash;
  const char n2[] = "a9nBmqA0ju/hNViExpshrM61xv4=";
  g_assert_true(valid_body_signature({kToken}, n2, url, kBody));
  g_assert_true(valid_body_signature(
      {kToken}, "Ldidvp12m26NI7eqEvxnEpkd9Hc=",
      std::string(kUrl) + "&bodySHA256=" + kEmptyObjectHash, "{}")); // N3
  g_assert_true(valid_body_signature(
      {kToken}, "y77kIzt2vzLz71DgmJGsen2scGs=",
      std::string("https://mycompany.com/myapp.php?bodySHA256=") + kBodyHash,
      kBody)); // N4
  // A body of other bytes, a hash off by one digit, none at all.
  g_assert_false(valid_body_signature({kToken}, n2, url, "{}"));
  std::string off = url;
  off.back() = off.back() == '0' ? '1' : '0';
  g_assert_false(valid_body_signature({kToken}, sign(kToken, off), off, kBody));
  g_assert_false(
      valid_body_signature({kToken}, sign(kToken, kUrl), kUrl, kBody));
  g_assert_false(valid_body_signature(
      {kToken}, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", kUrl, kBody));
  g_assert_false(valid_body_signature({kToken}, "", url, kBody));
}

void test_handshakes() {
  const char w1[] = "ttk+kVY3Kdi/BWVnuJguRoi2Bjs=";
  const char w2[] = "xSZ25E4AoL/WAklRSBhXh8WbY9E=";
  const char w3[] = "JI5PyUOwt6GuF3/K92tnPhD5Oeo=";
  const char w5[] = "LTNc5OeQVPZL6E2Birj6O1bpaMc=";
  const char w6[] = "mdZ0WZCJ6GoYsAcIGYax9h4blE4=";
  const char media[] = "wss://voice.example.com/media";
  const struct {
    const char *url, *signature;
    bool valid;
  } cases[] = {
      {media, w1, true},
      {media, w2, true},
      {media, w3, true},
      {"wss://voice.example.com/media/", w1, true},
      {"wss://voice.example.com", w5, true},
      {"wss://voice.example.com", w6, true},
      {"wss://voice.example.com/", w5, true},
      {"wss://voice.example.com/", w6, true},
      {"wss://voice.example.com:8443/media",
       "AF0qiBTAfgMeoczRzOeA7hcSCr0=", true},
      {"wss://voice.example.com/media/7f3c2a",
       "PY5t/oJAn+xXO4UxxEMvzs36imo=", true},
      // W4: signed as https. W9: with the port that Twilio's own libraries add,
      // which Twilio does not sign. W8 elsewhere: another call's token.
      {media, "uokm48ntBNlk5PPDctw38CH3GGk=", false},
      {media, "Ls23w0UyonAXYBvzuLBugpPPDiA=", false},
      {"wss://voice.example.com/media/7f3c2b",
       "PY5t/oJAn+xXO4UxxEMvzs36imo=", false},
      {media, w5, false},
      {media, "", false},
  };
  for (const auto &[url, signature, valid] : cases) {
    g_test_message("%s %s", url, signature);
    g_assert_true(valid_handshake_signature({kOurToken}, signature, url) ==
                  valid);
  }
}

} // namespace

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, nullptr);
  g_test_add_func("/signature/published-vectors-are-reproduced", test_vectors);
  g_test_add_func("/signature/usual-spellings-of-the-url-are-accepted",
                  test_url_spellings);
  g_test_add_func("/signature/anything-else-is-refused", test_refuses);
  g_test_add_func("/signature/other-bodies-are-signed-by-their-hash",
                  test_bodies);
  g_test_add_func("/signature/handshakes-are-signed-over-the-wss-url",
                  test_handshakes);
  return g_test_run();
}
