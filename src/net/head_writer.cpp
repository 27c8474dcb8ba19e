#include "net/head_writer.h"

#include <charconv>

#include "base/messages/net.h"

namespace estiva::net {
namespace {

bool breaks_line(std::string_view text) {
  for (const char c : text)
    if (c == '\r' || c == '\n' || c == '\0') return true;
  return false;
}

bool breaks_word(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return true;
  return false;
}

bool write_fields(std::string& out, const Headers& headers) {
  for (const HeaderView field : headers) {
    if (breaks_word(field.name) || field.name.find(':') != std::string_view::npos ||
        breaks_line(field.value))
      return false;
    out.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  return true;
}

Failure forged(std::string& out, std::size_t size) {
  out.resize(size);
  return fail(std::string(msg::kNetForgedHead));
}

}  // namespace

void write_number(std::string& out, std::uint64_t value) {
  char text[20];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
}

Result<void> write_request_head(std::string& out, const RequestHead& head) {
  const std::size_t before = out.size();
  if (breaks_word(head.method) || breaks_word(head.target)) return forged(out, before);
  out.append(head.method).append(1, ' ').append(head.target);
  out.append(head.http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  if (!write_fields(out, head.headers)) return forged(out, before);
  return {};
}

Result<void> write_response_head(std::string& out, const ResponseHead& head) {
  const std::size_t before = out.size();
  if (breaks_line(head.reason)) return forged(out, before);
  // Always 1.1, whatever the client speaks: the version names the sender's ability (RFC 9110 2.5).
  out.append("HTTP/1.1 ");
  write_number(out, static_cast<std::uint64_t>(head.status));
  out.append(1, ' ');
  out.append(head.reason.empty() ? reason_phrase(head.status) : std::string_view(head.reason));
  out.append("\r\n");
  if (!write_fields(out, head.headers)) return forged(out, before);
  return {};
}

std::size_t write_chunk_size(char* to, std::uint64_t size) {
  char* end = std::to_chars(to, to + 16, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return static_cast<std::size_t>(end - to);
}

}  // namespace estiva::net
