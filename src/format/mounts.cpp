#include "format/mounts.h"

#include <algorithm>
#include <array>

#include "format/text.h"

namespace estiva::format {
namespace {

constexpr std::size_t kMaxSwapAreas = 64;

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// "36 35 98:0 /root /point opts [optional ...] - type source super"
std::optional<Mount> parse_mount(std::string_view line) {
  std::array<std::string_view, 6> head;
  for (auto& word : head) {
    if (!next_word(line, word)) return std::nullopt;
  }
  Mount mount;
  const auto id = parse_u64(head[0]), parent = parse_u64(head[1]);
  if (!id || !parent) return std::nullopt;
  mount.id = *id;
  mount.parent = *parent;
  mount.root = undo_octal_escapes(head[3]);
  mount.point = undo_octal_escapes(head[4]);
  std::string_view word;
  do {
    if (!next_word(line, word)) return std::nullopt;
  } while (word != "-");
  if (!next_word(line, word)) return std::nullopt;
  mount.filesystem = word;
  if (next_word(line, word)) mount.source = undo_octal_escapes(word);
  if (next_word(line, word)) mount.super_options = word;
  return mount;
}

bool lies_on(std::string_view path, std::string_view point) {
  if (point == "/") return true;
  if (!path.starts_with(point)) return false;
  return path.size() == point.size() || path[point.size()] == '/';
}

// "/swap file  partition  8388604  0  -2"; sizes are KiB.
std::optional<SwapArea> parse_swap(std::string_view line) {
  std::array<std::string_view, 5> word;
  for (auto& each : word) {
    if (!next_word(line, each)) return std::nullopt;
  }
  const auto size = parse_u64(word[2]), used = parse_u64(word[3]);
  const auto priority = parse_i64(word[4]);
  const bool valid = size && used && priority && *size <= UINT64_MAX / 1024 &&
                     *used <= UINT64_MAX / 1024 && *priority >= INT32_MIN && *priority <= INT32_MAX;
  if (!valid) return std::nullopt;
  return SwapArea{undo_octal_escapes(word[0]), std::string(word[1]), kib(*size), kib(*used),
                  static_cast<int>(*priority)};
}

}  // namespace

std::string undo_octal_escapes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && text.size() - i >= 4 && text[i + 1] <= '3' &&
                        is_octal(text[i + 1]) && is_octal(text[i + 2]) && is_octal(text[i + 3]);
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 |
                             (text[i + 3] - '0'));
    i += 3;
  }
  return out;
}

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  std::string_view line;
  while (mounts.size() < kMaxMounts && next_line(text, line)) {
    if (auto mount = parse_mount(line)) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

const Mount* mount_of(const std::vector<Mount>& mounts, std::string_view path) {
  const Mount* best = nullptr;
  for (const auto& mount : mounts) {
    if (!lies_on(path, mount.point)) continue;
    if (best == nullptr || mount.point.size() >= best->point.size()) best = &mount;
  }
  return best;
}

bool is_network_filesystem(std::string_view filesystem) {
  static constexpr std::array<std::string_view, 16> kNetwork = {
      "nfs",   "nfs4",      "cifs",   "smb3",   "smbfs", "ceph",  "9p",   "afs",
      "ncpfs", "glusterfs", "lustre", "beegfs", "gpfs",  "ocfs2", "gfs2", "autofs"};
  // Any file system in user space can hang with the process that serves it; the block device form
  // (fuseblk: ntfs-3g, exfat) is local.
  return filesystem == "fuse" || filesystem.starts_with("fuse.") ||
         std::find(kNetwork.begin(), kNetwork.end(), filesystem) != kNetwork.end();
}

std::vector<SwapArea> parse_swaps(std::string_view text) {
  std::vector<SwapArea> areas;
  std::string_view line;
  while (areas.size() < kMaxSwapAreas && next_line(text, line)) {
    if (auto area = parse_swap(line)) areas.push_back(std::move(*area));  // the title line is none
  }
  return areas;
}

}  // namespace estiva::format
