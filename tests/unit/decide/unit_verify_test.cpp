// The order of a boot against systemd itself: `systemd-analyze verify` in a folder of its own,
// which looks at nothing of the machine and starts nothing.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <set>

#include "decide/setup/unit_deps.h"
#include "decide/setup/unit_graph.h"
#include "decide/setup/units.h"
#include "format/unit_file.h"
#include "unit/decide/unit_sets.h"

namespace estiva::decide {
namespace {

namespace fs = std::filesystem;
using Group = std::set<std::string>;

// A folder with units as an administrator would lay them out.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "estiva-units-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }

  void write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ / name) << text;
  }
  void write(const UnitFact& unit) const {
    write(unit.name, unit.text);
    if (!unit.is_enabled) return;
    const auto file = format::parse_unit_file(unit.text);
    for (const auto& [key, folder] :
         {std::pair("WantedBy", ".wants"), {"RequiredBy", ".requires"}}) {
      for (const auto* entry : format::list_values(file, "Install", key)) {
        for (const auto& by : format::unit_words(entry->value, false)) {
          fs::create_directories(path_ / (by + folder));
          fs::create_symlink("../" + unit.name, path_ / (by + folder) / unit.name);
        }
      }
    }
  }
  std::string verify(const std::string& unit) const {
    const std::string command = "SYSTEMD_UNIT_PATH='" + path_.string() +
                                "' SYSTEMD_LOG_LEVEL=info systemd-analyze verify --man=no '" +
                                (path_ / unit).string() + "' 2>&1";
    std::string said;
    std::array<char, 4096> buffer{};
    FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return "popen failed";
    while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) said += buffer.data();
    ::pclose(pipe);
    return said;
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

constexpr std::array kTargets = {"multi-user.target", "basic.target",   "sysinit.target",
                                 "local-fs.target",   "timers.target",  "paths.target",
                                 "sockets.target",    "slices.target",  "swap.target",
                                 "network.target",    "suspend.target", "network-online.target"};

void lay_out(const Folder& folder, const std::vector<UnitFact>& units) {
  for (const auto* target : kTargets) folder.write(target, shipped_target(target));
  // A real suspend.target requires it, and a unit that requires what is missing is not started.
  folder.write("systemd-suspend.service",
               "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/true\n");
  for (const auto& unit : units) folder.write(unit);
}

std::string word_after(const std::string& line, const std::string& text) {
  const std::size_t at = line.find(text);
  if (at == std::string::npos) return {};
  const std::size_t from = at + text.size();
  return line.substr(from, line.find('/', from) - from);
}

// The cycles that systemd tells of, each as the units on it.
std::vector<Group> cycles_of_systemd(const std::string& said) {
  std::vector<Group> groups;
  std::istringstream lines(said);
  std::string line;
  while (std::getline(lines, line)) {
    const auto first = word_after(line, "Found ordering cycle on ");
    if (!first.empty()) groups.push_back({first});
    const auto next = word_after(line, "Found dependency on ");
    if (!next.empty() && !groups.empty()) groups.back().insert(next);
  }
  return groups;
}

// Both say the same: whether there is a cycle, and that systemd's lie within our groups.
void expect_agreement(const std::vector<UnitFact>& units, const std::string& target) {
  const Folder folder;
  lay_out(folder, units);
  const auto said = folder.verify(target);
  const auto theirs = cycles_of_systemd(said);
  const auto graph = build_unit_graph(units, target);
  const auto ours = find_unit_cycles(graph);
  std::string all;
  for (const auto& unit : units) all += "== " + unit.name + '\n' + unit.text;
  ASSERT_EQ(ours.empty(), theirs.empty()) << all << "systemd:\n" << said;
  for (const auto& group : theirs) {
    for (const auto& name : group) {
      EXPECT_TRUE(starts_after(graph, name, name)) << name << '\n' << all << "systemd:\n" << said;
    }
  }
}

TEST(UnitVerify, MachinesThatExist) {
  const std::vector<std::vector<UnitFact>> more = {{},
                                                   sets::seed(),
                                                   {sets::vendor_sleeping()},
                                                   {sets::vendor_plain()},
                                                   {sets::vendor_late()},
                                                   {sets::vendor_ordered()}};
  for (const auto& each : more) {
    auto units = sets::docker();
    sets::add(units, each);
    expect_agreement(units, "multi-user.target");
  }
}

TEST(UnitVerify, WhatTheVendorBrokeIsBrokenHereToo) {
  // The drop-in that orders the engines after it, on the unit that waits for multi-user.target.
  auto units = sets::docker();
  auto vendor = sets::vendor_late();
  vendor.text += "\n[Unit]\nBefore=docker.service\n";
  units.push_back(vendor);
  expect_agreement(units, "multi-user.target");
  EXPECT_EQ(find_unit_cycles(build_unit_graph(units)).size(), 1U);
}

TEST(UnitVerify, OurUnitsOnMachinesThatExist) {
  const std::vector<std::vector<UnitFact>> more = {{},
                                                   sets::seed(),
                                                   {sets::vendor_sleeping()},
                                                   {sets::vendor_plain()},
                                                   {sets::vendor_late()},
                                                   {sets::vendor_ordered()}};
  for (const auto& each : more) {
    auto units = sets::docker();
    sets::add(units, each);
    auto all = with_setup_units(units, plan_setup_units({}, units));
    expect_agreement(all, "multi-user.target");
    expect_agreement(all, "suspend.target");
  }
}

// systemd says nothing else against them either: no unknown key, no wrong value.
TEST(UnitVerify, SystemdHasNothingToSayAboutOurUnits) {
  UnitNeeds needs;
  needs.program = needs.daemon = "/bin/true";
  needs.watched = {"/usr/lib/x86_64-linux-gnu/libcuda.so.1"};
  const std::vector<UnitFact> vendor = {sets::vendor_plain()};
  const auto units = with_setup_units(vendor, plan_setup_units(needs, vendor));
  const Folder folder;
  lay_out(folder, units);
  for (const auto& unit : units) {
    const auto said = folder.verify(unit.name);
    EXPECT_EQ(said.find(folder.path().string()), std::string::npos) << said;
    EXPECT_EQ(said.find("Unknown"), std::string::npos) << said;
    EXPECT_TRUE(cycles_of_systemd(said).empty()) << said;
  }
}

// Random small machines. The seeds are printed.
class RandomMachine {
 public:
  explicit RandomMachine(unsigned seed) : random_(seed) {}

  std::vector<UnitFact> make() {
    std::vector<std::string> names;
    const unsigned count = 2 + pick(5);
    for (unsigned i = 0; i < count; ++i) {
      names.push_back(std::string(1, static_cast<char>('a' + i)) + kTypes[pick(kTypes.size())]);
    }
    // A timer and a path start a service of their name.
    auto others = names;
    for (const auto& name : names) {
      if (unit_type(name) == "path" || unit_type(name) == "timer") {
        others.push_back(name.substr(0, 1) + ".service");
      }
    }
    std::vector<UnitFact> units;
    for (const auto& name : others) units.push_back(make_unit(name, others));
    return units;
  }

 private:
  UnitFact make_unit(const std::string& name, const std::vector<std::string>& others) {
    const auto type = unit_type(name);
    std::string text = "[Unit]\n";
    if (pick(6) == 0) text += "DefaultDependencies=no\n";
    for (const unsigned lines = pick(3); unsigned i : {0U, 1U, 2U}) {
      const std::string key = kKeys[pick(kKeys.size())], value = other(others);
      if (i < lines && !is_chance(type, key, value)) text += key + '=' + value + '\n';
    }
    if (type == "service") text += "[Service]\nType=oneshot\nExecStart=/bin/true\n";
    if (type == "path") text += "[Path]\nPathExists=/nowhere\n";
    if (type == "timer") text += "[Timer]\nOnBootSec=1h\n";
    text += std::string("[Install]\nWantedBy=") + kInstalls[pick(kInstalls.size())] + '\n';
    return sets::unit(name, text, pick(4) != 0);
  }
  // Where systemd's answer depends on which unit it happens to load first: a target that is part of
  // something, and two targets that want each other.
  static bool is_chance(std::string_view type, std::string_view key, std::string_view value) {
    if (type != "target" || key == "After" || key == "Before") return false;
    return key == "PartOf" || unit_type(value) == "target";
  }
  std::string other(const std::vector<std::string>& others) {
    return pick(4) == 0 ? kTargets[pick(6)] : others[pick(others.size())];
  }
  unsigned pick(std::size_t below) { return static_cast<unsigned>(random_() % below); }

  static constexpr std::array kTypes = {".service", ".service", ".service",
                                        ".target",  ".path",    ".timer"};
  static constexpr std::array kKeys = {"After", "After",    "Before", "Before",
                                       "Wants", "Requires", "PartOf", "Upholds"};
  static constexpr std::array kInstalls = {"multi-user.target", "multi-user.target", "basic.target",
                                           "a.target", "paths.target"};
  std::mt19937 random_;
};

TEST(UnitVerify, RandomMachinesAgreeWithSystemd) {
  const unsigned count = std::getenv("ESTIVA_LONG") != nullptr ? 3000 : 60;
  unsigned with_cycle = 0;
  for (unsigned seed = 1; seed <= count && !::testing::Test::HasFatalFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto units = RandomMachine(seed).make();
    expect_agreement(units, "multi-user.target");
    with_cycle += find_unit_cycles(build_unit_graph(units)).empty() ? 0U : 1U;
  }
  std::printf("%u random machines, seeds 1 to %u, %u with a cycle\n", count, count, with_cycle);
  // The test is about both kinds.
  EXPECT_GT(with_cycle, count / 10);
  EXPECT_LT(with_cycle, count * 9 / 10);
}

// A referee of another make: no cycle is left exactly when units can be started one after the
// other.
TEST(UnitVerify, RandomMachinesAgreeWithAReferee) {
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    const auto graph = build_unit_graph(RandomMachine(seed).make());
    std::set<std::string> waiting(graph.units.begin(), graph.units.end());
    bool moves = true;
    while (moves) {
      moves = false;
      for (const auto& name : graph.units) {
        const auto blocks = [&](const UnitOrder& order) {
          return order.unit == name && waiting.count(order.after) != 0;
        };
        if (waiting.count(name) == 0 ||
            std::any_of(graph.orders.begin(), graph.orders.end(), blocks)) {
          continue;
        }
        waiting.erase(name);
        moves = true;
      }
    }
    ASSERT_EQ(waiting.empty(), find_unit_cycles(graph).empty()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace estiva::decide
