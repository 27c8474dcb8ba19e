// A host tree as the collectors of readiness look at it: texts, names, links and times, each with
// the reason where there is none. Thread-safe, blocking.
//
// In a folder (--root) the times of files are those of a copy and mean nothing: there they are 0,
// but for what the tree's own file `times` says ("SECONDS /path", "SECONDS now").
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "host/folder.h"
#include "model/readiness.h"

namespace estiva::observe {

// ENOENT: not_supported; EACCES and EPERM: not_permitted; any other: failed.
Missing missing_of(int error_number);

class Tree {
 public:
  static constexpr std::size_t kMostNames = 16'384;  // of one folder: /proc is the largest

  explicit Tree(const host::Root& root);
  const host::Root& root() const { return root_; }
  bool is_real() const { return root_.is_real(); }

  // A whole file; longer than `limit`: failed.
  Reading<std::string> text(const std::string& path, std::size_t limit = 1 << 20) const;
  // Its first line without blanks around it; empty where it can't be read.
  std::string line(const std::string& path) const;
  // What text() gives, with its path and time.
  TextFile file(const std::string& path, std::size_t limit = 1 << 20) const;
  // Names in a folder but for "." and "..", sorted, at most kMostNames.
  Reading<std::vector<std::string>> listing(const std::string& path) const;
  std::vector<std::string> names(const std::string& path) const;
  // Follows links, inside the tree.
  Reading<struct stat> status(const std::string& path) const;
  bool exists(const std::string& path) const { return status(path).known(); }
  // What a symbolic link says; not_supported where there is none.
  Reading<std::string> link(const std::string& path) const;
  // The path with every link followed; empty where there is nothing.
  std::string resolved(const std::string& path) const;
  // Seconds of the Unix epoch; 0: not known.
  std::int64_t modified_at(const std::string& path) const;
  std::int64_t changed_at(const std::string& path) const;
  std::int64_t now() const;

 private:
  std::optional<std::int64_t> recorded_time(const std::string& path) const;

  const host::Root& root_;
  host::RealPaths real_;
  std::map<std::string, std::int64_t> times_;
};

}  // namespace estiva::observe
