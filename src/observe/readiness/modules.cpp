#include "observe/readiness/modules.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>

#include "format/text.h"

namespace estiva::observe {
namespace {

bool concerns_gpu(std::string_view module) {
  return module.starts_with("nvidia") || module == "nouveau" || module == "vfio_pci" ||
         module == "dxgkrnl";
}

// "nvidia 11501568 5 nvidia_uvm,nvidia_modeset, Live 0x0 (OE)"
std::vector<ModuleFact> parse_modules(std::string_view text) {
  std::vector<ModuleFact> modules;
  for (std::string_view line; format::next_line(text, line);) {
    std::string_view name, size, users;
    if (!format::next_word(line, name) || !concerns_gpu(name)) continue;
    if (!format::next_word(line, size) || !format::next_word(line, users)) continue;
    const auto count = format::parse_u64(users);
    modules.push_back({std::string(name), static_cast<unsigned>(count.value_or(0))});
  }
  std::sort(modules.begin(), modules.end(),
            [](const ModuleFact& a, const ModuleFact& b) { return a.name < b.name; });
  return modules;
}

bool looks_like_version(std::string_view word) {
  return word.find('.') != word.npos && word.find_first_not_of("0123456789.") == word.npos;
}

// "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.163.01  Tue Apr ..."
std::string version_of(std::string_view text) {
  std::string_view line, word;
  format::next_line(text, line);
  while (format::next_word(line, word)) {
    if (looks_like_version(word)) return std::string(word);
  }
  return {};
}

struct ConfPlace {
  std::vector<std::string> folders;     // by falling precedence
  std::vector<std::string> more_files;  // besides those in the folders
};

// The files in force, in the order of their names.
std::vector<std::string> conf_files(const Tree& tree, const ConfPlace& place) {
  std::map<std::string, std::string> by_name;
  for (const std::string& folder : place.folders) {
    for (const std::string& name : tree.names(folder)) {
      if (name.ends_with(".conf")) by_name.emplace(name, fmt::format("{}/{}", folder, name));
    }
  }
  std::vector<std::string> files = place.more_files;
  for (auto& [name, path] : by_name) files.push_back(path);
  return files;
}

template <class Wanted>
void add_lines(const std::string& path, std::string_view text, Wanted wanted,
               std::vector<SourceLine>& lines) {
  unsigned number = 0;
  for (std::string_view line; format::next_line(text, line);) {
    const unsigned first = ++number;
    std::string whole(format::trim(line));
    while (whole.ends_with('\\') && format::next_line(text, line)) {
      ++number;
      whole.pop_back();
      whole += format::trim(line);
    }
    const bool is_comment = whole.empty() || whole.front() == '#' || whole.front() == ';';
    if (is_comment || !wanted(whole) || lines.size() == kMostLines) continue;
    lines.push_back({path, first, std::move(whole)});
  }
}

template <class Wanted>
std::vector<SourceLine> read_lines(const Tree& tree, const ConfPlace& place, Wanted wanted) {
  std::vector<SourceLine> lines;
  for (const std::string& path : conf_files(tree, place)) {
    if (const auto text = tree.text(path)) add_lines(path, *text, wanted, lines);
  }
  return lines;
}

}  // namespace

std::map<std::string, std::string> parse_params(std::string_view text) {
  std::map<std::string, std::string> params;
  for (std::string_view line; format::next_line(text, line);) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos) continue;
    std::string_view value = format::trim(line.substr(colon + 1));
    if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
    params.emplace(format::trim(line.substr(0, colon)), value);
  }
  return params;
}

std::map<std::string, unsigned> parse_majors(std::string_view text) {
  std::map<std::string, unsigned> majors;
  for (std::string_view line; format::next_line(text, line);) {
    if (line.starts_with("Block")) break;
    std::string_view number, name;
    if (!format::next_word(line, number) || !format::next_word(line, name)) continue;
    const auto major = format::parse_u64(number);
    if (major && *major < 4096) majors.emplace(name, static_cast<unsigned>(*major));
  }
  return majors;
}

void read_modules(const Tree& tree, KernelFacts& kernel) {
  kernel.modules = parse_modules(tree.text("/proc/modules").value_or(""));
  const std::string version = tree.text("/proc/driver/nvidia/version").value_or("");
  kernel.module_version = version_of(version);
  if (kernel.module_version.empty()) {
    kernel.module_version = tree.line("/sys/module/nvidia/version");
  }
  kernel.is_open_module = version.find("Open Kernel Module") != version.npos;
  kernel.nvidia_params = parse_params(tree.text("/proc/driver/nvidia/params").value_or(""));
  kernel.majors = parse_majors(tree.text("/proc/devices").value_or(""));
}

std::vector<SourceLine> read_modprobe_lines(const Tree& tree) {
  const ConfPlace place{{"/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d",
                         "/usr/lib/modprobe.d", "/lib/modprobe.d"},
                        {}};
  return read_lines(tree, place, [](std::string_view line) {
    return line.find("nvidia") != line.npos || line.find("nouveau") != line.npos ||
           line.find("NVreg_") != line.npos;
  });
}

std::vector<SourceLine> read_load_lines(const Tree& tree) {
  const ConfPlace place{
      {"/etc/modules-load.d", "/run/modules-load.d", "/usr/local/lib/modules-load.d",
       "/usr/lib/modules-load.d", "/lib/modules-load.d"},
      {"/etc/modules"}};
  auto lines = read_lines(tree, place,
                          [](std::string_view line) { return line.find("nvidia") != line.npos; });
  // Debian links /etc/modules-load.d/modules.conf to /etc/modules.
  std::set<std::string> seen;
  std::erase_if(lines, [&](const SourceLine& line) {
    return !seen.insert(tree.resolved(line.path) + ":" + std::to_string(line.line)).second;
  });
  return lines;
}

}  // namespace estiva::observe
