#include "daemon/key_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/messages/api_keys.h"
#include "format/json_fields.h"
#include "format/text.h"
#include "host/files.h"
#include "host/random.h"

namespace estiva::daemon {

template <class Io>
void fields(Io& io, KeyRecord& key) {
  io("name", key.spec.name);
  io("role", key.spec.role);
  io("requests_a_day", key.spec.requests_a_day);
  io("at_once", key.spec.at_once);
  io("models", key.spec.models);
  io("sha256", key.sha256);
  io("created_ns", key.created);
}

template <class Io>
void fields(Io& io, KeyUse& use) {
  io("requests", use.requests);
  io("refused", use.refused);
  io("bytes_in", use.bytes_in);
  io("bytes_out", use.bytes_out);
  io("day", use.day);
  io("today", use.today);
  io("last_ns", use.last);
}

namespace {

constexpr std::size_t kRandomBytes = 32;  // 256 bits
constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestModel = 256;
constexpr std::size_t kLargestFile = 4 << 20;
constexpr std::string_view kHex = "0123456789abcdef";

// The whole file; only the list has a name.
struct KeyList {
  int version = 1;
  std::vector<KeyRecord> keys;
};
template <class Io>
void fields(Io& io, KeyList& list) {
  io("version", list.version);
  io.list("keys", list.keys);
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == '_';
         });
}

bool is_model(std::string_view name) {
  return !name.empty() && name.size() <= kLongestModel && format::is_utf8(name) &&
         std::none_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20; });
}

// The first thing that is wrong; empty: nothing.
std::string problem_of(const std::vector<KeyRecord>& keys) {
  for (const KeyRecord& key : keys) {
    if (const auto checked = check_key(key.spec); !checked) return checked.error().what;
    if (key.sha256.size() != 64 || key.sha256.find_first_not_of(kHex) != std::string::npos)
      return "sha256";
  }
  return {};
}

Result<std::vector<KeyRecord>> read_keys(std::string_view text, const std::string& path) {
  KeyList list;
  const auto tree = format::JsonTree::parse(text);
  std::string problem = tree ? format::read_fields(tree->root(), list) : tree.error().what;
  if (problem.empty() && list.version != 1) problem = "version";
  if (problem.empty()) problem = problem_of(list.keys);
  if (problem.empty()) return std::move(list.keys);
  return fail(ErrorKind::refused, fmt::format(msg::kKeyFileBroken, path, problem),
              msg::kKeyFileBrokenRemedy);
}

}  // namespace

std::string to_text(const std::vector<KeyRecord>& keys) {
  KeyList list{1, keys};
  std::string text;
  format::JsonWriter json(text);
  format::write_fields(json, list);
  return text + "\n";
}

Result<std::vector<KeyRecord>> load_keys(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return std::vector<KeyRecord>();
    return fail_errno(fmt::format(msg::kKeyFileReading, path), errno);
  }
  if (!S_ISREG(info.st_mode) || (info.st_mode & 0077) != 0)
    return fail(ErrorKind::refused, fmt::format(msg::kKeyFileOpen, path), msg::kKeyFileOpenRemedy);
  const auto text = host::read_local_file(path, kLargestFile);
  if (!text) return Failure(text.error());
  return read_keys(*text, path);
}

Result<void> check_key(const api::KeySpec& spec) {
  const auto shown = [](std::string_view text) {
    return format::escape_for_terminal(text.substr(0, kLongestName));
  };
  if (!is_name(spec.name))
    return fail(ErrorKind::usage, fmt::format(msg::kKeyBadName, shown(spec.name)),
                msg::kKeyBadNameRemedy);
  if (spec.role != "view" && spec.role != "use" && spec.role != "operate")
    return fail(ErrorKind::usage, fmt::format(msg::kKeyBadRole, shown(spec.role)),
                msg::kKeyBadRoleRemedy);
  for (const std::string& model : spec.models) {
    if (!is_model(model))
      return fail(ErrorKind::usage, fmt::format(msg::kKeyBadModel, shown(model)));
  }
  return {};
}

Result<std::string> make_secret() {
  std::array<std::uint8_t, kRandomBytes> bytes{};
  if (auto filled = host::fill_random(bytes); !filled) return Failure(filled.error());
  return "estiva-" + format::to_hex(bytes);
}

std::string key_note(std::string_view name) {
  return fmt::format("key/{}", name);
}

std::string to_text(const KeyUse& use) {
  std::string text;
  format::JsonWriter json(text);
  KeyUse copy = use;
  format::write_fields(json, copy);
  return text;
}

KeyUse read_key_use(std::string_view text) {
  KeyUse use;
  const auto tree = format::JsonTree::parse(text);
  if (!tree || !format::read_fields(tree->root(), use).empty()) return {};
  return use;
}

}  // namespace estiva::daemon
