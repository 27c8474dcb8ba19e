#include "observe/readiness/packages.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/messages/observe.h"
#include "format/text.h"
#include "host/program.h"

namespace estiva::observe {
namespace {

// 10,000 packages take about 10 MB.
constexpr std::size_t kLongestStatus = 64 << 20;
// rpm reads all its headers for one question.
constexpr host::ProgramLimits kRpmLimits{std::chrono::milliseconds(2'000), 4 << 20};

bool starts_field(std::string_view line, std::string_view field, std::string_view& value) {
  if (!line.starts_with(field)) return false;
  value = format::trim(line.substr(field.size()));
  return true;
}

void add(Packages& packages, std::string_view name, std::string_view version) {
  if (is_wanted_package(name)) packages.versions.emplace(name, version);
}

// `APT::Periodic::Unattended-Upgrade "1";`: the last one counts, files in the order of their names.
bool apt_upgrades_itself(const Tree& tree) {
  constexpr std::string_view kSetting = "APT::Periodic::Unattended-Upgrade";
  bool upgrades = false;
  for (const std::string& name : tree.names("/etc/apt/apt.conf.d")) {
    const auto text = tree.text("/etc/apt/apt.conf.d/" + name);
    std::string_view rest = text ? std::string_view(*text) : std::string_view();
    for (std::string_view line; format::next_line(rest, line);) {
      const std::string_view row = format::trim(line);
      if (!row.starts_with(kSetting)) continue;
      const std::size_t quote = row.find('"');
      if (quote == row.npos) continue;
      upgrades = row[quote + 1] != '0' && row[quote + 1] != '"';
    }
  }
  return upgrades;
}

// What unattended-upgrades takes a pattern for: the name begins so, and '$' is its end. Those with
// more of a regular expression in them are left out.
bool is_listed_name(std::string_view pattern, std::string_view name) {
  if (pattern.find_first_of("*+?()[]{}|^\\") != pattern.npos || pattern.empty()) return false;
  if (!pattern.ends_with('$')) return name.starts_with(pattern);
  pattern.remove_suffix(1);
  return name == pattern;
}

// `Unattended-Upgrade::Package-Blacklist { "nvidia-"; };`, or `...Blacklist:: "nvidia-";` a line:
// of all files together. Such a package is upgraded by hand alone.
void add_unattended(const Tree& tree, Packages& packages) {
  constexpr std::string_view kSetting = "Unattended-Upgrade::Package-Blacklist";
  for (const std::string& file : tree.names("/etc/apt/apt.conf.d")) {
    const auto text = tree.text("/etc/apt/apt.conf.d/" + file);
    std::string_view rest = text ? std::string_view(*text) : std::string_view();
    bool is_inside = false;
    for (std::string_view line; format::next_line(rest, line);) {
      const std::string_view row = format::trim(line);
      if (row.starts_with("//") || row.starts_with('#')) continue;
      const bool begins = row.starts_with(kSetting);
      if (!begins && !is_inside) continue;
      const std::size_t first = row.find('"'), last = row.rfind('"');
      is_inside = (is_inside || row.find('{') != row.npos) && row.find('}') == row.npos;
      if (first == last) continue;
      const std::string_view pattern = row.substr(first + 1, last - first - 1);
      for (const auto& [name, version] : packages.versions)
        if (is_listed_name(pattern, name)) packages.held.push_back(name);
    }
  }
}

bool dnf_upgrades_itself(const Tree& tree) {
  constexpr const char* kTimers = "/etc/systemd/system/timers.target.wants";
  const auto names = tree.names(kTimers);
  const auto has = [&](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (has("dnf-automatic-install.timer") || has("dnf5-automatic.timer")) return true;
  if (!has("dnf-automatic.timer")) return false;
  const auto text = tree.text("/etc/dnf/automatic.conf");
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  for (std::string_view line; format::next_line(rest, line);) {
    std::string row(line);
    std::erase(row, ' ');
    if (row.starts_with("apply_updates=yes") || row.starts_with("apply_updates=true")) return true;
  }
  return false;
}

// "IgnorePkg = nvidia nvidia-utils" of pacman.conf.
void add_ignored(const Tree& tree, Packages& packages) {
  const auto text = tree.text("/etc/pacman.conf");
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  for (std::string_view line; format::next_line(rest, line);) {
    std::string_view names;
    if (!starts_field(format::trim(line), "IgnorePkg", names)) continue;
    if (!names.starts_with('=')) continue;
    names.remove_prefix(1);
    for (std::string_view name; format::next_word(names, name);) packages.held.emplace_back(name);
  }
}

// Rows of dnf's versionlock plug-in: "nvidia-driver-3:550.163.01-1.*"; only the name counts here.
void add_locked(const Tree& tree, Packages& packages) {
  for (const char* path :
       {"/etc/dnf/plugins/versionlock.list", "/etc/yum/pluginconf.d/versionlock.list"}) {
    const auto text = tree.text(path);
    std::string_view rest = text ? std::string_view(*text) : std::string_view();
    for (std::string_view line; format::next_line(rest, line);) {
      const std::string_view row = format::trim(line);
      if (row.empty() || row.front() == '#' || row.front() == '!') continue;
      for (const auto& [name, version] : packages.versions) {
        if (row.starts_with(name + "-") && row.size() > name.size() + 1 &&
            row[name.size() + 1] >= '0' && row[name.size() + 1] <= '9') {
          packages.held.push_back(name);
        }
      }
    }
  }
}

bool has_rpm(const Tree& tree) {
  for (const char* path : {"/usr/lib/sysimage/rpm", "/var/lib/rpm"}) {
    const auto names = tree.names(path);
    const auto is_database = [](const std::string& name) {
      return name.starts_with("rpmdb.sqlite") || name.starts_with("Packages");
    };
    if (std::any_of(names.begin(), names.end(), is_database)) return true;
  }
  return false;
}

void read_rpm(const Tree& tree, Packages& packages) {
  if (const auto rows = tree.text("/packages", kRpmLimits.output); !tree.is_real() && rows) {
    return parse_package_rows(*rows, packages);
  }
  if (!has_rpm(tree)) return;
  if (!tree.is_real()) {
    packages.trouble = msg::kRpmOfATree;
    return;
  }
  const auto answer = host::ask_program(
      {"rpm", "-qa", "--qf", "%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE}\\n"}, kRpmLimits);
  if (answer && answer->exit_code == 0) {
    parse_package_rows(answer->output, packages);
  } else {
    packages.trouble =
        fmt::format(msg::kNotSampled, "rpm",
                    answer ? fmt::format("exit code {}", answer->exit_code) : answer.error().what);
  }
}

}  // namespace

bool is_wanted_package(std::string_view name) {
  constexpr std::array<std::string_view, 12> kBeginnings = {
      "cuda",   "libcuda", "docker",        "containerd",
      "moby",   "podman",  "linux-image",   "linux-headers",
      "kernel", "dkms",    "dnf-automatic", "unattended-upgrades"};
  if (name.find("nvidia") != name.npos) return true;
  return std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](std::string_view beginning) { return name.starts_with(beginning); }) ||
         name == "linux" || name == "linux-lts";
}

std::string upstream_version(std::string_view version) {
  const std::size_t colon = version.find(':');
  if (colon != version.npos) version.remove_prefix(colon + 1);
  version = version.substr(0, version.rfind('-'));
  return std::string(version.substr(0, version.find_first_of("+~")));
}

void parse_dpkg_status(std::string_view text, Packages& packages) {
  std::string_view name, status, value;
  for (std::string_view line; format::next_line(text, line);) {
    if (line.empty()) {
      name = status = {};
    } else if (starts_field(line, "Package:", value)) {
      name = value;
    } else if (starts_field(line, "Status:", value)) {
      status = value;
    } else if (starts_field(line, "Version:", value)) {
      if (!status.ends_with(" installed")) continue;
      add(packages, name, value);
      if (status.starts_with("hold ")) packages.held.emplace_back(name);
    }
  }
}

void parse_package_rows(std::string_view text, Packages& packages) {
  for (std::string_view line; format::next_line(text, line);) {
    std::string_view name, version;
    if (format::next_word(line, name) && format::next_word(line, version)) {
      if (version.starts_with("0:")) version.remove_prefix(2);
      add(packages, name, version);
    }
  }
}

void parse_pacman_name(std::string_view folder, Packages& packages) {
  const std::size_t revision = folder.rfind('-');
  if (revision == folder.npos || revision == 0) return;
  const std::size_t version = folder.rfind('-', revision - 1);
  if (version == folder.npos || version == 0) return;
  add(packages, folder.substr(0, version), folder.substr(version + 1));
}

Packages read_packages(const Tree& tree) {
  Packages packages;
  const auto status = tree.text("/var/lib/dpkg/status", kLongestStatus);
  if (status) {
    parse_dpkg_status(*status, packages);
  } else if (status.why() != Missing::not_supported) {
    packages.trouble = fmt::format(msg::kNotSampled, "/var/lib/dpkg/status", to_name(status.why()));
  }
  for (const std::string& name : tree.names("/var/lib/pacman/local")) {
    parse_pacman_name(name, packages);
  }
  read_rpm(tree, packages);
  add_ignored(tree, packages);
  add_locked(tree, packages);
  add_unattended(tree, packages);
  packages.upgrades_itself = apt_upgrades_itself(tree) || dnf_upgrades_itself(tree);
  return packages;
}

}  // namespace estiva::observe
