#include "memd/swap_header.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace estiva::memd {

namespace {

constexpr off_t kInfoAt = 1024;  // before it: room for a boot loader
constexpr char kMagic[] = "SWAPSPACE2";
constexpr std::size_t kMagicSize = sizeof kMagic - 1;

struct Info {
  std::uint32_t version = 1, last_page = 0, bad_pages = 0;
  Uuid uuid{};
  char label[16] = {};
};
static_assert(sizeof(Info) == 44);

off_t magic_at() {
  return getpagesize() - static_cast<off_t>(kMagicSize);
}

int write_all(int file, const void* from, std::size_t size, off_t at) {
  const ssize_t n = pwrite(file, from, size, at);
  if (n < 0) return errno;
  return static_cast<std::size_t>(n) == size ? 0 : EIO;
}

bool is_zero(const void* from, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(from);
  return std::all_of(bytes, bytes + size, [](unsigned char byte) { return byte == 0; });
}

}  // namespace

int write_header(int file, std::uint64_t size, const Uuid& uuid) noexcept {
  Info info;
  info.last_page = static_cast<std::uint32_t>(size / static_cast<std::uint64_t>(getpagesize()) - 1);
  info.uuid = uuid;
  std::memcpy(info.label, kLabel, sizeof kLabel);
  const int failed = write_all(file, &info, sizeof info, kInfoAt);
  return failed != 0 ? failed : write_all(file, kMagic, kMagicSize, magic_at());
}

FileHeader read_header(int file) noexcept {
  Info info{};
  char magic[kMagicSize] = {};
  const ssize_t n = pread(file, &info, sizeof info, kInfoAt);
  const ssize_t m = pread(file, magic, sizeof magic, magic_at());
  FileHeader out;
  if (n < 0 || m < 0) return out;
  if (n == 0 && m == 0) info = Info{0, 0, 0, {}, {}};
  if (is_zero(&info, sizeof info) && is_zero(magic, sizeof magic)) out.kind = FileHeaderKind::blank;
  // The magic comes last: without it the header was cut off, but the label is there.
  const bool is_labelled = std::strncmp(info.label, kLabel, sizeof info.label) == 0;
  if (info.version == 1 && is_labelled && is_zero(magic, sizeof magic))
    out.kind = FileHeaderKind::blank;
  if (info.version != 1 || !is_labelled || std::memcmp(magic, kMagic, kMagicSize) != 0) return out;
  out.kind = FileHeaderKind::ours;
  out.size = (info.last_page + 1ULL) * static_cast<std::uint64_t>(getpagesize());
  out.uuid = info.uuid;
  return out;
}

}  // namespace estiva::memd
