#include "memd/text_file.h"

#include <charconv>
#include <fcntl.h>
#include <unistd.h>

namespace estiva::memd {

namespace {

char shared[16384];

std::string_view line_that_begins(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(name)) return line;
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return {};
}

}  // namespace

bool TextFile::open(const std::string& path) {
  fd_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return is_open();
}

std::string_view TextFile::read() const noexcept {
  if (!fd_) return {};
  std::size_t size = 0;
  while (size < sizeof shared - 1) {
    const ssize_t n =
        pread(fd_.get(), shared + size, sizeof shared - 1 - size, static_cast<off_t>(size));
    if (n <= 0) break;
    size += static_cast<std::size_t>(n);
  }
  return {shared, size};
}

std::uint64_t number_of(std::string_view text, std::uint64_t otherwise) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  if (text.starts_with("max")) return UINT64_MAX;
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end != text.data() ? value : otherwise;
}

std::uint64_t number_after(std::string_view text, std::string_view name,
                           std::uint64_t otherwise) noexcept {
  const std::string_view line = line_that_begins(text, name);
  return line.empty() ? otherwise : number_of(line.substr(name.size()), otherwise);
}

std::uint64_t pressure_total(std::string_view text, std::string_view line) noexcept {
  const std::string_view found = line_that_begins(text, line);
  const auto at = found.find("total=");
  return at == std::string_view::npos ? 0 : number_of(found.substr(at + 6));
}

}  // namespace estiva::memd
