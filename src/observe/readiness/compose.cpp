#include "observe/readiness/compose.h"

#include <algorithm>
#include <map>

#include "format/path.h"
#include "format/text.h"

namespace estiva::observe {
namespace {

constexpr std::size_t kLongestCompose = 2 << 20;
constexpr std::size_t kMostEnvFiles = 64;  // of one Compose file

std::string_view bare(std::string_view value) {
  value = format::trim(value.substr(0, value.find(" #")));
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
      value.back() == value.front()) {
    value = value.substr(1, value.size() - 2);
  }
  return value;
}

std::size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

// The values of "env_file: x", "env_file: [x, y]" and of a list below it, with and without "path:".
std::vector<std::string_view> env_values(std::string_view text) {
  std::vector<std::string_view> values;
  std::size_t list_indent = std::string_view::npos;
  for (std::string_view line; format::next_line(text, line);) {
    std::string_view row = format::trim(line);
    if (row.empty() || row.front() == '#') continue;
    if (list_indent != line.npos && row.starts_with("- ") && indent_of(line) >= list_indent) {
      row = format::trim(row.substr(2));
      if (row.starts_with("path:")) row.remove_prefix(5);
      values.push_back(bare(row));
      continue;
    }
    // Of a long entry: "required: false" stands under "path:".
    if (list_indent != line.npos && indent_of(line) > list_indent) continue;
    list_indent = line.npos;
    if (!row.starts_with("env_file:")) continue;
    row = format::trim(row.substr(9));
    if (row.empty()) {
      list_indent = indent_of(line);
    } else if (row.front() == '[' && row.back() == ']') {
      row = row.substr(1, row.size() - 2);
      while (!row.empty()) {
        const std::size_t comma = std::min(row.find(','), row.size());
        values.push_back(bare(row.substr(0, comma)));
        row.remove_prefix(std::min(comma + 1, row.size()));
      }
    } else {
      values.push_back(bare(row));
    }
  }
  return values;
}

}  // namespace

std::vector<ComposeFact> read_compose(const Tree& tree,
                                      const std::vector<ContainerFact>& containers) {
  std::map<std::string, std::string> projects;  // path -> project
  for (const ContainerFact& container : containers) {
    for (const std::string& path : container.compose_files) {
      if (path.starts_with('/')) projects.emplace(path, container.project);
    }
  }
  std::vector<ComposeFact> files;
  for (const auto& [path, project] : projects) {
    if (files.size() == kMostComposeFiles) break;
    files.push_back({path, project, tree.text(path, kLongestCompose)});
  }
  return files;
}

std::vector<std::string> env_files_of(const ComposeFact& file) {
  const std::string folder(format::folder_of(file.path));
  std::vector<std::string> paths = {folder + "/.env"};
  if (!file.text) return paths;
  for (std::string_view value : env_values(*file.text)) {
    if (value.empty() || value.find('$') != value.npos || paths.size() == kMostEnvFiles) continue;
    if (value.starts_with("./")) value.remove_prefix(2);
    paths.push_back(value.starts_with('/') ? std::string(value)
                                           : folder + "/" + std::string(value));
  }
  return paths;
}

void compare_env_files(const Tree& tree, const std::vector<ComposeFact>& compose,
                       std::vector<ContainerFact>& containers) {
  std::map<std::string, std::int64_t> newest;  // Compose file -> time of its newest env file
  for (const ComposeFact& file : compose) {
    std::int64_t& time = newest[file.path];
    for (const std::string& path : env_files_of(file)) {
      time = std::max(time, tree.modified_at(path));
    }
  }
  for (ContainerFact& container : containers) {
    for (const std::string& path : container.compose_files) {
      const auto found = newest.find(path);
      if (found == newest.end() || container.created_at == 0) continue;
      container.env_file_is_newer =
          container.env_file_is_newer || found->second > container.created_at;
    }
  }
}

}  // namespace estiva::observe
