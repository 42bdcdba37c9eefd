// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

// Of URLs what decides who sees a secret.
namespace patchcord {

// Without name, password, port and the brackets of IPv6.
std::string_view url_host(std::string_view url);
// From the path on; "/" when there is none.
std::string_view url_resource(std::string_view url);
// "localhost", or a numeric address that never leaves the machine.
bool is_loopback_host(std::string_view host);

// Whether everybody on the way may read what is sent there: anything but
// https:// and wss://, and http:// and ws:// to this machine. An empty one is
// sent nothing.
bool is_in_the_clear(std::string_view url);

// Of a header, or of a parameter in a query: whether it is one for secrets.
bool is_secret_name(std::string_view name);
// Of a value, or of a part of a path: whether it is long, and letters and
// digits mixed, as keys are and words and dates are not.
bool is_like_a_key(std::string_view text);
// To be kept or shown: without name and password, and with "***" for what
// secret parameters are and for what is like a key. A template keeps its
// {placeholders}, and what is put into one is redacted as what is put into the
// other: recordings know requests by it.
std::string redacted_url(std::string_view url);
// A text with each http:// or https:// URL in it redacted.
std::string with_redacted_urls(std::string_view text);

} // namespace patchcord
