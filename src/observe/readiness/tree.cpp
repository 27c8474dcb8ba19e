#include "observe/readiness/tree.h"

#include <cerrno>
#include <fcntl.h>

#include "base/clock.h"
#include "format/text.h"

namespace estiva::observe {
namespace {

constexpr std::int64_t kNanoseconds = 1'000'000'000;

}  // namespace

Missing missing_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
    case ENXIO:
      return Missing::not_supported;
    case EACCES:
    case EPERM:
      return Missing::not_permitted;
    default:
      return Missing::failed;
  }
}

Tree::Tree(const host::Root& root) : root_(root), real_(root) {
  if (is_real()) return;
  const auto recorded = text("/times");
  std::string_view rest = recorded ? std::string_view(*recorded) : std::string_view();
  for (std::string_view row; format::next_line(rest, row);) {
    std::string_view seconds, path;
    if (!format::next_word(row, seconds) || !format::next_word(row, path)) continue;
    if (const auto number = format::parse_i64(seconds)) times_[std::string(path)] = *number;
  }
}

Reading<std::string> Tree::text(const std::string& path, std::size_t limit) const {
  const int opened = root_.open_at(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (opened < 0) return missing_of(-opened);
  auto content = host::read_open_file(UniqueFd(opened), path, limit);
  if (!content) return Missing::failed;
  return std::move(*content);
}

std::string Tree::line(const std::string& path) const {
  const auto content = text(path, 64 << 10);
  if (!content) return {};
  return std::string(format::trim(std::string_view(*content).substr(0, content->find('\n'))));
}

TextFile Tree::file(const std::string& path, std::size_t limit) const {
  return {path, text(path, limit), modified_at(path)};
}

Reading<std::vector<std::string>> Tree::listing(const std::string& path) const {
  auto entries = host::entries_at(root_, path, kMostNames);
  if (!entries) return missing_of(entries.error());
  std::vector<std::string> found;
  for (host::FolderEntry& entry : *entries) found.push_back(std::move(entry.name));
  return found;
}

std::vector<std::string> Tree::names(const std::string& path) const {
  return listing(path).value_or({});
}

Reading<struct stat> Tree::status(const std::string& path) const {
  const auto info = host::stat_at(root_, path);
  if (!info) return missing_of(info.error());
  return *info;
}

Reading<std::string> Tree::link(const std::string& path) const {
  auto target = host::link_at(root_, path);
  if (!target) return missing_of(target.error());
  return std::move(*target);
}

std::string Tree::resolved(const std::string& path) const {
  return real_.of(path).value_or("");
}

std::optional<std::int64_t> Tree::recorded_time(const std::string& path) const {
  if (is_real()) return std::nullopt;
  auto found = times_.find(path);
  if (found == times_.end()) found = times_.find(resolved(path));
  return found == times_.end() ? 0 : found->second;
}

std::int64_t Tree::modified_at(const std::string& path) const {
  if (const auto recorded = recorded_time(path)) return *recorded;
  const auto info = status(path);
  return info ? info->st_mtim.tv_sec : 0;
}

std::int64_t Tree::changed_at(const std::string& path) const {
  if (const auto recorded = recorded_time(path)) return *recorded;
  const auto info = status(path);
  return info ? info->st_ctim.tv_sec : 0;
}

std::int64_t Tree::now() const {
  const auto recorded = recorded_time("now");
  return recorded && *recorded != 0 ? *recorded : wall_now().ns / kNanoseconds;
}

}  // namespace estiva::observe
