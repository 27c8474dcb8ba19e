// Every machine that is healthy for GPU containers (tests/machines/*/readiness.txt), collected,
// must give what was worked out by hand from its files.
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "observe/readiness/collect.h"
#include "unit/observe/machine_tree.h"

namespace estiva::observe {
namespace {

const std::string kMachines = ESTIVA_SOURCE_DIR "/tests/machines";

std::string text_of(bool value) {
  return value ? "yes" : "no";
}
std::string text_of(const std::string& value) {
  return value.empty() ? "-" : value;
}
template <class Number>
  requires std::is_arithmetic_v<Number>
std::string text_of(Number value) {
  return std::to_string(value);
}
template <class T>
std::string text_of(const Reading<T>& reading) {
  return reading ? text_of(*reading) : std::string(to_name(reading.why()));
}
template <class List, class Each>
std::string joined(const List& list, Each each) {
  std::string out;
  for (const auto& item : list) out += (out.empty() ? "" : "; ") + each(item);
  return text_of(out);
}
std::string joined(const std::vector<std::string>& list) {
  return joined(list, [](const std::string& text) { return text; });
}
std::string joined(const std::vector<SourceLine>& lines) {
  return joined(lines, [](const SourceLine& line) {
    return line.path + ":" + std::to_string(line.line) + " " + line.text;
  });
}

using Seen = std::map<std::string, std::string>;

void see_kernel(const KernelFacts& kernel, Seen& seen) {
  seen["pci"] = joined(kernel.pci, [](const PciFact& card) {
    char id[32];
    std::snprintf(id, sizeof id, "%04x:%04x:%06x", card.vendor, card.device, card.pci_class);
    return card.bus_id + " " + id + " " + text_of(card.driver) + " vga=" + text_of(card.boot_vga) +
           " " + card.power_control + "/" + card.power_state + " " + joined(card.connectors);
  });
  seen["kernels"] = joined(kernel.kernels, [](const KernelFact& fact) {
    return fact.release + (fact.is_running ? " running" : "") +
           (fact.has_nvidia ? " nvidia=" + text_of(fact.nvidia_version) : "") +
           (fact.has_nvidia_uvm ? " uvm" : "") + " signed=" + text_of(fact.is_signed) +
           " bootable=" + text_of(fact.is_bootable);
  });
  seen["modules"] = joined(kernel.modules, [](const ModuleFact& module) {
    return module.name + "=" + std::to_string(module.users);
  });
  seen["module"] = text_of(kernel.module_version) + (kernel.is_open_module ? " open" : "");
  const auto param = kernel.nvidia_params.find("PreserveVideoMemoryAllocations");
  seen["preserve"] = param == kernel.nvidia_params.end() ? "-" : param->second;
  seen["modprobe"] = joined(kernel.modprobe_lines);
  seen["load"] = joined(kernel.load_lines);
  seen["secure_boot"] = text_of(kernel.secure_boot);
  seen["overcommit"] = text_of(kernel.overcommit_memory);
  seen["selinux"] = text_of(kernel.selinux) + " devices=" + text_of(kernel.container_use_devices);
  seen["kind"] = std::string(kernel.in_container ? "container"
                             : kernel.in_wsl     ? "wsl"
                                                 : "machine") +
                 (kernel.has_dxg ? " dxg" : "") + " on " + kernel.root_fs;
  EXPECT_FALSE(kernel.is_tegra);
  seen["cgroup"] = kernel.cgroup_layout;
  seen["slept"] = text_of(kernel.slept_since_module);
  std::string majors;
  for (const auto& [name, major] : kernel.majors) {
    if (name.starts_with("nvidia")) majors += name + "=" + std::to_string(major) + " ";
  }
  seen["majors"] = majors.empty() ? "-" : majors.substr(0, majors.size() - 1);
  seen["log_lines"] = kernel.log ? std::to_string(kernel.log->size()) : "-";
}

void see_driver(const DriverFacts& driver, bool has_nodes, Seen& seen) {
  if (has_nodes) {
    seen["nodes"] = joined(driver.odd_nodes, [](const DeviceNode& node) {
      char mode[8];
      std::snprintf(mode, sizeof mode, "%04o", node.mode);
      return node.path + " " + std::to_string(node.major) + ":" + std::to_string(node.minor) + " " +
             mode;
    });
    seen["missing_nodes"] = joined(driver.missing_nodes);
    seen["char_links"] = joined(driver.char_links);
  }
  seen["driver"] = std::string(to_name(driver.status.state)) + " " + driver.status.version +
                   " cuda=" + text_of(driver.status.cuda_version);
  EXPECT_EQ(driver.status.reason, "");
  seen["gpus"] = joined(driver.gpus, [](const Gpu& gpu) {
    return gpu.identity.id.uuid + " " + text_of(gpu.identity.compute_capability) + " " +
           std::string(to_name(gpu.sample.state));
  });
  seen["cuda"] = text_of(driver.cuda_init) + " mode=" + text_of(driver.compute_mode);
  seen["daemons"] = "persistence=" + text_of(driver.persistence_running) +
                    " mps=" + text_of(driver.mps_running) +
                    " fabric=" + text_of(driver.fabric_manager_running);
  seen["packages"] =
      joined(driver.packages, [](const auto& row) { return row.first + "=" + row.second; });
  seen["held"] = joined(driver.held_packages);
  seen["upgrades_itself"] = text_of(driver.upgrades_itself);
}

void see_units(const std::vector<UnitFact>& units, Seen& seen) {
  std::string enabled, active, drop_ins, there;
  for (const UnitFact& unit : units) {
    if (!unit.path.empty()) there += unit.name + " ";
    if (unit.is_enabled) enabled += unit.name + " ";
    if (unit.is_active.value_or(false)) active += unit.name + " ";
    for (const std::string& path : unit.drop_ins) drop_ins += path + " ";
    EXPECT_EQ(unit.is_active.known(), unit.name.ends_with(".service")) << unit.name;
    EXPECT_FALSE(unit.is_masked) << unit.name;
  }
  seen["units"] = there;
  seen["enabled"] = enabled;
  seen["active"] = active;
  seen["drop_ins"] = drop_ins;
  for (auto* text : {"units", "enabled", "active", "drop_ins"}) {
    seen[text] = seen[text].empty() ? "-" : seen[text].substr(0, seen[text].size() - 1);
  }
}

void see_engine(const ReadinessFacts& facts, Seen& seen) {
  const EngineFacts& engine = facts.engine;
  EXPECT_EQ(engine.kind, EngineKind::docker);
  EXPECT_EQ(engine.state, EngineState::ready) << engine.api_error;
  EXPECT_FALSE(engine.is_rootless);
  EXPECT_FALSE(engine.cli_is_podman);
  seen["engine"] = engine.version + " " + engine.cgroup_driver + " " + engine.default_runtime;
  seen["runtimes"] = joined(engine.runtimes);
  seen["cdi_dirs"] = text_of(engine.cdi_known) + " " + joined(engine.cdi_dirs);
  seen["discovered"] = joined(engine.discovered);
  seen["started_at"] = text_of(engine.started_at);
  seen["arguments"] = joined(engine.arguments);
  seen["search_path"] = engine.search_path;
  seen["daemon_json"] = engine.daemon_json.path + " " +
                        std::to_string(engine.daemon_json.text.value_or("").size()) + " " +
                        std::to_string(engine.daemon_json.modified_at);
  seen["compose_version"] = text_of(engine.compose_version);
  seen["programs"] = joined(facts.toolkit.programs, [](const auto& row) {
    return row.first + "=" + row.second.path + "@" + std::to_string(row.second.changed_at) +
           (row.second.version.empty() ? "" : " " + row.second.version);
  });
  seen["toolkit_config"] = text_of(facts.toolkit.config.text.known()) +
                           " ldconfig=" + text_of(facts.toolkit.ldconfig_exists);
  seen["runtime_paths"] = joined(engine.runtime_paths, [](const auto& row) {
    return row.first + (row.second.is_executable ? "" : " missing");
  });
  EXPECT_EQ(engine.daemon_json_before.text.why(), Missing::not_read);
}

void see_stack(const ReadinessFacts& facts, Seen& seen) {
  seen["cdi"] = joined(facts.cdi.files, [](const CdiFile& file) {
    return file.path + " " + std::to_string(file.priority) + " at " +
           std::to_string(file.modified_at) + file.error;
  });
  EXPECT_TRUE(facts.cdi.unreadable.empty());
  seen["containers"] = joined(facts.containers, [](const ContainerFact& container) {
    std::string ids;
    for (const auto& request : container.requests)
      ids += " " + request.driver + ":" + joined(request.ids);
    return container.name + " " + container.image + ids + " " + container.restart_policy + " " +
           container.state + " shm=" + std::to_string(container.shm_bytes >> 20) +
           " env=" + std::to_string(container.environment.size()) +
           " log=" + std::to_string(container.log.size()) +
           (container.env_file_is_newer ? " stale" : "");
  });
  seen["images"] = joined(facts.images, [](const ImageFact& image) {
    return image.name + (image.cuda_version.empty() ? "" : " " + image.cuda_version);
  });
  seen["compose"] = joined(facts.compose, [](const ComposeFact& file) {
    return file.path + " " + file.project + " " + text_of(file.text.known());
  });
  seen["not_seen"] = joined(facts.not_seen);
}

Seen seen_on(const test::MachineTree& tree) {
  auto sources = ReadinessSources::of_this_process(tree.path());
  const auto facts = collect_readiness(sources);
  EXPECT_TRUE(facts);
  Seen seen;
  seen["release"] =
      facts->release.id + " " + text_of(facts->release.version) + " " + facts->release.machine;
  seen["now"] = std::to_string(facts->now);
  see_kernel(facts->kernel, seen);
  see_driver(facts->driver, tree.has_nodes(), seen);
  see_units(facts->units, seen);
  see_engine(*facts, seen);
  see_stack(*facts, seen);
  return seen;
}

class Readiness : public ::testing::TestWithParam<std::string> {};

TEST_P(Readiness, GivesWhatWasWorkedOutByHand) {
  const test::MachineTree tree(GetParam());
  const auto seen = seen_on(tree);
  std::ifstream file(kMachines + "/" + GetParam() + "/readiness.txt");
  std::string line;
  ASSERT_TRUE(std::getline(file, line) && line.starts_with("# source: ")) << line;
  std::set<std::string> compared;
  while (std::getline(file, line)) {
    const auto blank = line.find(' ');
    const auto key = line.substr(0, blank);
    const bool needs_root = key == "nodes" || key == "missing_nodes" || key == "char_links";
    compared.insert(key);
    if (needs_root && !tree.has_nodes()) continue;
    ASSERT_TRUE(seen.count(key)) << key;
    EXPECT_EQ(seen.at(key), line.substr(blank + 1)) << GetParam() << ": " << key;
  }
  for (const auto& [key, value] : seen) EXPECT_TRUE(compared.count(key)) << key << " " << value;
}

INSTANTIATE_TEST_SUITE_P(Trees, Readiness,
                         ::testing::Values("debian-gpu", "ubuntu-gpu", "rhel-gpu", "arch-gpu",
                                           "wsl-gpu", "laptop-prime"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(ReadinessTrees, EveryOneIsTested) {
  std::size_t folders = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kMachines)) {
    folders += std::filesystem::exists(entry.path() / "readiness.txt") ? 1 : 0;
  }
  EXPECT_EQ(folders, 6u);
}

}  // namespace
}  // namespace estiva::observe
