// SPDX-License-Identifier: LGPL-2.1-or-later
#include "openai/chat.hpp"

#include "base/json.hpp"

#include <utility>

namespace patchcord::openai {

bool SseParser::feed(ByteSpan bytes, const Handler &event) {
  std::string_view text = as_text(bytes);
  while (!text.empty()) {
    if (std::exchange(after_cr_, false) && text.front() == '\n') {
      text.remove_prefix(1); // the second half of a CRLF
      continue;
    }
    const auto end = text.find_first_of("\r\n");
    line_.append(text.substr(0, end));
    if (line_.size() + data_.size() > limit)
      return false;
    if (end == std::string_view::npos)
      return true;
    after_cr_ = text[end] == '\r';
    text.remove_prefix(end + 1);
    line(event);
  }
  return true;
}

// The line in line_ is whole.
void SseParser::line(const Handler &event) {
  const std::string whole = std::exchange(line_, {});
  std::string_view text = whole;
  if (std::exchange(first_line_, false) && text.starts_with("\xEF\xBB\xBF"))
    text.remove_prefix(3);
  if (text.empty()) {
    if (std::exchange(has_data_, false))
      event(std::exchange(data_, {}));
    return;
  }
  if (text.front() == ':') {
    event(std::nullopt);
    return;
  }
  const auto colon = text.find(':');
  if (text.substr(0, colon) != "data")
    return; // event, id, retry: of no use here
  text.remove_prefix(colon == std::string_view::npos ? text.size() : colon + 1);
  if (text.starts_with(' '))
    text.remove_prefix(1);
  if (std::exchange(has_data_, true))
    data_ += '\n';
  data_ += text;
}

void SseParser::finish(const Handler &event) {
  if (!line_.empty())
    line(event);
  if (!std::exchange(has_data_, false))
    return;
  const std::string data = std::exchange(data_, {});
  if (data.starts_with("[DONE]") || JsonDocument::parse(data, {limit, 32}).ok())
    event(data);
}

} // namespace patchcord::openai
