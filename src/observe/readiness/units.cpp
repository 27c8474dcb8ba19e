#include "observe/readiness/units.h"

#include <algorithm>
#include <array>
#include <deque>
#include <fmt/format.h>
#include <map>
#include <set>

#include "format/text.h"

namespace estiva::observe {
namespace {

// By falling precedence. The control and generator folders hold what was set for this boot.
constexpr std::array<std::string_view, 10> kFolders = {
    "/etc/systemd/system.control",  "/run/systemd/system.control",   "/run/systemd/transient",
    "/run/systemd/generator.early", "/etc/systemd/system",           "/run/systemd/system",
    "/run/systemd/generator",       "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
    "/lib/systemd/system"};
constexpr std::size_t kLongestUnit = 256 << 10;
constexpr std::size_t kMostDropIns = 64;  // of one unit

constexpr std::array<std::string_view, 7> kWords = {"docker", "nvidia", "containerd", "estiva",
                                                    "podman", "crio",   "cdi"};
constexpr std::array<std::string_view, 14> kRelations = {
    "After",   "Before",    "Wants",    "Requires",   "Requisite", "BindsTo", "PartOf",
    "Upholds", "Conflicts", "WantedBy", "RequiredBy", "UpheldBy",  "Unit",    "Also"};

bool speaks_of_gpus(std::string_view text) {
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return text.find(word) != text.npos; });
}

bool is_unit(std::string_view name) {
  constexpr std::array<std::string_view, 7> kKinds = {".service", ".socket", ".target", ".path",
                                                      ".timer",   ".mount",  ".slice"};
  return std::any_of(kKinds.begin(), kKinds.end(),
                     [&](std::string_view kind) { return name.ends_with(kind); });
}

// "getty@.service" of "getty@tty1.service"; empty: no instance.
std::string template_of(std::string_view name) {
  const std::size_t at = name.find('@'), dot = name.rfind('.');
  if (at == name.npos || dot == name.npos || at + 1 >= dot) return {};
  return std::string(name.substr(0, at + 1)) + std::string(name.substr(dot));
}

// What the folders hold, listed once.
class UnitFolders {
 public:
  explicit UnitFolders(const Tree& tree) : tree_(tree) {
    std::set<std::string> seen;
    for (const std::string_view folder : kFolders) {
      // /lib is a link to /usr/lib on merged systems.
      const std::string real = tree.resolved(std::string(folder));
      if (real.empty() || !seen.insert(real).second) continue;
      for (const std::string& name : tree.names(real)) take(std::string(folder), name);
    }
  }

  const std::map<std::string, std::string>& mains() const { return mains_; }
  UnitFact read(const std::string& name) const;

 private:
  void take(const std::string& folder, const std::string& name) {
    const std::string path = folder + "/" + name;
    if (name.ends_with(".d")) {
      drop_in_folders_[name].push_back(path);
    } else if (name.ends_with(".wants") || name.ends_with(".requires")) {
      for (const std::string& unit : tree_.names(path)) enabled_.insert(unit);
    } else if (is_unit(name)) {
      mains_.emplace(name, path);
    }
  }
  std::vector<std::string> drop_ins_of(const std::string& name) const;

  const Tree& tree_;
  std::map<std::string, std::string> mains_;  // name -> path
  std::map<std::string, std::vector<std::string>> drop_in_folders_;
  std::set<std::string> enabled_;
};

// By the names of the files; one of a folder of higher precedence hides its namesakes.
std::vector<std::string> UnitFolders::drop_ins_of(const std::string& name) const {
  std::map<std::string, std::string> files;
  const std::string kind = name.substr(name.rfind('.') + 1);
  for (const std::string& owner : {name, template_of(name), kind}) {
    const auto found = drop_in_folders_.find(owner + ".d");
    if (owner.empty() || found == drop_in_folders_.end()) continue;
    for (const std::string& folder : found->second) {
      for (const std::string& file : tree_.names(folder)) {
        if (file.ends_with(".conf")) files.emplace(file, fmt::format("{}/{}", folder, file));
      }
    }
  }
  std::vector<std::string> paths;
  for (auto& [file, path] : files) {
    if (paths.size() < kMostDropIns) paths.push_back(path);
  }
  return paths;
}

UnitFact UnitFolders::read(const std::string& name) const {
  UnitFact unit;
  unit.name = name;
  auto main = mains_.find(name);
  if (main == mains_.end()) main = mains_.find(template_of(name));
  if (main != mains_.end()) {
    unit.path = main->second;
    const auto text = tree_.text(unit.path, kLongestUnit);
    unit.is_masked = tree_.link(unit.path).value_or("") == "/dev/null" || (text && text->empty());
    unit.text = text.value_or("");
  }
  unit.drop_ins = drop_ins_of(name);
  for (const std::string& path : unit.drop_ins) {
    if (!unit.text.empty() && unit.text.back() != '\n') unit.text += '\n';
    unit.text += tree_.text(path, kLongestUnit).value_or("");
  }
  unit.is_enabled = enabled_.count(name) != 0 && !unit.is_masked;
  // systemd keeps a link there for as long as a unit is active (unit_unlink_state_files), but makes
  // it only where it starts a program (unit_spawn): path units, timers and targets have none.
  if (tree_.exists("/run/systemd/units") && name.ends_with(".service")) {
    unit.is_active = tree_.link("/run/systemd/units/invocation:" + name).known();
  } else {
    unit.is_active = Missing::not_supported;
  }
  return unit;
}

// What the GPU's containers need or are started by.
std::vector<std::string> first_units(const Tree& tree, const UnitFolders& folders) {
  std::vector<std::string> names;
  for (const auto& [name, path] : folders.mains()) {
    const bool is_of_host = path.starts_with("/etc/") || path.starts_with("/run/");
    const bool concerns =
        speaks_of_gpus(name) ||
        (is_of_host && speaks_of_gpus(tree.text(path, kLongestUnit).value_or("")));
    if (concerns) names.push_back(name);
  }
  return names;
}

}  // namespace

std::vector<std::string> units_named_in(std::string_view text) {
  std::vector<std::string> names;
  for (std::string_view line; format::next_line(text, line);) {
    const std::string_view row = format::trim(line);
    const std::size_t equals = row.find('=');
    if (equals == row.npos || row.front() == '#' || row.front() == ';') continue;
    const std::string_view key = format::trim(row.substr(0, equals));
    if (std::find(kRelations.begin(), kRelations.end(), key) == kRelations.end()) continue;
    std::string_view rest = row.substr(equals + 1);
    for (std::string_view name; format::next_word(rest, name);) {
      if (is_unit(name) && name.find('%') == name.npos) names.emplace_back(name);
    }
  }
  return names;
}

std::vector<UnitFact> read_units(const Tree& tree) {
  const UnitFolders folders(tree);
  std::map<std::string, UnitFact> units;
  const auto first = first_units(tree, folders);
  std::deque<std::string> next(first.begin(), first.end());
  while (!next.empty() && units.size() < kMostUnits) {
    const std::string name = std::move(next.front());
    next.pop_front();
    if (units.count(name) != 0) continue;
    UnitFact unit = folders.read(name);
    for (std::string& named : units_named_in(unit.text)) next.push_back(std::move(named));
    units.emplace(name, std::move(unit));
  }
  std::vector<UnitFact> list;
  for (auto& [name, unit] : units) list.push_back(std::move(unit));
  return list;
}

}  // namespace estiva::observe
