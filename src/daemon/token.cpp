#include "daemon/token.h"

#include <array>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/messages/api.h"
#include "base/messages/daemon.h"
#include "format/text.h"
#include "host/files.h"
#include "host/random.h"

namespace estiva::daemon {
namespace {

constexpr std::size_t kRandomBytes = 32;  // 256 bits

bool is_token(std::string_view text) {
  return text.size() == 2 * kRandomBytes &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<std::string> make_token(const std::string& path) {
  std::array<std::uint8_t, kRandomBytes> bytes{};
  if (auto filled = host::fill_random(bytes); !filled) {
    return Failure(filled.error().in(msg::kTokenFile));
  }
  const std::string token = format::to_hex(bytes);
  if (auto written = host::write_file_atomic(path, token + "\n", 0600); !written) {
    return Failure(written.error().in(msg::kTokenFile));
  }
  return token;
}

}  // namespace

Result<std::string> load_token(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return make_token(path);
    return fail_errno(fmt::format(msg::kReadingToken, path), errno);
  }
  if (!S_ISREG(info.st_mode) || (info.st_mode & 0077) != 0) {
    return fail(ErrorKind::refused, fmt::format(msg::kTokenOpen, path), msg::kTokenOpenRemedy);
  }
  auto text = host::read_local_file(path, 4096);
  if (!text) return Failure(text.error());
  const std::string_view token = format::trim(*text);
  if (!is_token(token)) {
    return fail(ErrorKind::refused, fmt::format(msg::kTokenBroken, path), msg::kTokenOpenRemedy);
  }
  return std::string(token);
}

}  // namespace estiva::daemon
