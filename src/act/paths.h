// Paths of a tree as a folder that is open and a name in it, so that what was looked at is what is
// changed. Symbolic links can't lead out of the tree (openat2, RESOLVE_IN_ROOT).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "host/files.h"

namespace estiva::act {

struct Spot {
  UniqueFd folder;
  std::string name;
  std::string path;  // in the tree
};

// Without doubled and trailing slashes. Errors (refused): not absolute, has a NUL byte, or ends in
// "." or "..", or a name is longer than a file system takes.
Result<std::string> clean_path(std::string_view path);
// "/etc/docker" of "/etc/docker/daemon.json"; "/" of "/x".
std::string folder_of(std::string_view path);
std::string name_of(std::string_view path);

// The folder of a clean path, opened. Errors: not_found where the folder is not there, or is no
// folder: nothing can be in it.
Result<Spot> open_spot(const host::Root& root, const std::string& path);
// Where the path leads when it is a symbolic link, also one to nothing; else the path itself.
Result<std::string> follow_links(const host::Root& root, const std::string& path);
// The path without symbolic links in its folders, so that one file has one name; its last part is
// left as it is. Parts that are not there stay as they are written.
std::string plain_path(const host::Root& root, const std::string& path);
// The folders on the way to `path` that are not there, the uppermost first. Refused where something
// that is no folder stands in the way.
Result<std::vector<std::string>> missing_folders(const host::Root& root, const std::string& path);
// Makes one of them, 0755, durably. One that is there already is fine.
Result<void> make_folder(const host::Root& root, const std::string& path);
// Removes it where it is empty; nothing happens where it is not, or is gone.
void remove_empty_folder(const host::Root& root, const std::string& path);

}  // namespace estiva::act
