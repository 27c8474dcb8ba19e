#include "store/trouble.h"

#include <errno.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sqlite3.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>

#include "base/messages/store.h"
#include "base/units.h"

namespace estiva::store {
namespace {

std::string why_text(int number) {
  return std::generic_category().message(number);
}

std::string free_text(const std::string& dir) {
  struct statvfs info = {};
  if (statvfs(dir.c_str(), &info) != 0) return "an unknown number of bytes";
  return to_text(Bytes{std::uint64_t{info.f_bavail} * info.f_frsize});
}

bool is_full(int number) {
  return number == ENOSPC || number == EDQUOT;
}

Error full_error(const Place& place) {
  return {ErrorKind::failed,
          fmt::format(msg::kStoreFull, fmt::arg("dir", place.dir),
                      fmt::arg("free", free_text(place.dir))),
          msg::kStoreFullRemedy};
}

Error read_only_error(const Place& place, std::string_view why) {
  return {ErrorKind::failed,
          fmt::format(msg::kStoreReadOnly, fmt::arg("dir", place.dir), fmt::arg("why", why)),
          msg::kStoreReadOnlyRemedy};
}

}  // namespace

Error folder_error(const Place& place, std::string_view verb, int number) {
  if (is_full(number)) return full_error(place);
  return {ErrorKind::failed,
          fmt::format(msg::kStoreFolder, fmt::arg("dir", place.dir), fmt::arg("verb", verb),
                      fmt::arg("why", why_text(number))),
          fmt::format(msg::kStoreFolderRemedy, fmt::arg("user", geteuid()))};
}

Error corrupt_error(const Place& place, std::string_view why) {
  return {ErrorKind::failed,
          fmt::format(msg::kStoreCorrupt, fmt::arg("path", place.path), fmt::arg("why", why)),
          fmt::format(msg::kStoreCorruptRemedy, fmt::arg("path", place.path))};
}

Error sql_error(const Place& place, std::string_view doing, const SqlTrouble& trouble) {
  const int primary = trouble.code & 0xff;
  if (primary == SQLITE_FULL || is_full(trouble.system_errno)) return full_error(place);
  if (is_damage(trouble.code)) return corrupt_error(place, trouble.message);
  if (primary == SQLITE_READONLY) return read_only_error(place, trouble.message);
  if (trouble.system_errno == EROFS) return read_only_error(place, why_text(EROFS));
  if (primary == SQLITE_CANTOPEN || primary == SQLITE_PERM) {
    return folder_error(place, "used", trouble.system_errno ? trouble.system_errno : EACCES);
  }
  const std::string why =
      trouble.system_errno ? fmt::format("{}, {}", trouble.message, why_text(trouble.system_errno))
                           : trouble.message;
  return {ErrorKind::failed,
          fmt::format(msg::kStoreDevice, fmt::arg("path", place.path), fmt::arg("doing", doing),
                      fmt::arg("why", why)),
          msg::kStoreDeviceRemedy};
}

}  // namespace estiva::store
