#include "decide/setup/units.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/messages/decide_setup.h"
#include "decide/setup/packaged.h"
#include "format/path.h"
#include "format/unit_file.h"

namespace estiva::decide {
namespace {

constexpr std::string_view kUnitFolder = "/etc/systemd/system/";
constexpr std::string_view kVendorDropIn =
    "/etc/systemd/system/nvidia-cdi-refresh.service.d/50-estiva.conf";

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// Engines that are not in the text stand first among those that wait.
void order_before(std::string& text, std::string_view engine) {
  if (engine.empty() || text.find(engine) != std::string::npos) return;
  const std::size_t at = text.find("\nBefore=");
  if (at != std::string::npos) text.insert(at + 8, std::string(engine) + ' ');
}

// The unit may write where the specification goes, and makes the folder where it is a usual one.
void open_folder(std::string& text, std::string_view spec) {
  std::string folder(spec.substr(0, spec.rfind('/')));
  if (folder == "/var/run/cdi" || folder == "/run/cdi") return;
  constexpr std::string_view kUsual = "ReadWritePaths=-/etc/cdi";
  if (folder == "/etc/cdi") return replace_all(text, kUsual, "ConfigurationDirectory=cdi");
  replace_all(folder, "%", "%%");
  replace_all(text, kUsual, "ReadWritePaths=\"-" + folder + '"');
}

std::string cdi_service(const UnitNeeds& needs) {
  std::string text(packaged_file("estiva-cdi.service"));
  std::string command = "\nExecStart=" + format::quote_exec_word(needs.program) +
                        " cdi generate --kind " + format::quote_exec_word(needs.kind) + " -o " +
                        format::quote_exec_word(needs.spec) + '\n';
  const std::size_t at = text.find("\nExecStart=");
  text.replace(at, text.find('\n', at + 1) + 1 - at, command);
  // Conditions take a path as it is, but for specifiers.
  std::string path = needs.program;
  replace_all(path, "%", "%%");
  replace_all(text, "ConditionFileIsExecutable=/usr/bin/estiva",
              "ConditionFileIsExecutable=" + path);
  open_folder(text, needs.spec);
  order_before(text, needs.engine);
  return text;
}

std::string cdi_path(const UnitNeeds& needs) {
  std::string text(packaged_file("estiva-cdi.path"));
  std::string more;
  for (std::string path : needs.watched) {
    replace_all(path, "%", "%%");
    more += "PathChanged=" + path + '\n';
  }
  text.insert(text.find("Unit=estiva-cdi.service"), more);
  return text;
}

// One of the daemon's units, with the programs where they are: beside the daemon.
std::string daemon_service(const UnitNeeds& needs, std::string_view name) {
  constexpr std::string_view kStart = "ExecStart=/usr/libexec/estiva/";
  std::string text(packaged_file(name));
  const std::string folder = needs.daemon.substr(0, needs.daemon.rfind('/') + 1);
  const std::size_t at = text.find(kStart);
  const std::size_t end = text.find_first_of(" \n", at);
  const std::string program = folder + text.substr(at + kStart.size(), end - at - kStart.size());
  text.replace(at, end - at, "ExecStart=" + format::quote_exec_word(program));
  return text;
}

std::string vendor_drop_in(const UnitNeeds& needs) {
  std::string text(packaged_file("estiva-vendor-refresh.conf"));
  order_before(text, needs.engine);
  return text;
}

void add_unit(SetupUnits& units, std::string_view name, std::string text, std::string_view reason,
              bool enable = true) {
  units.files.push_back(
      {std::string(kUnitFolder) + std::string(name), std::move(text), std::string(reason)});
  if (enable) units.enable.emplace_back(name);
}

void add_own(SetupUnits& units, const UnitNeeds& needs) {
  add_unit(units, "estiva-cdi.service", cdi_service(needs), msg::kWhyCdiService);
  add_unit(units, "estiva-cdi.path", cdi_path(needs), msg::kWhyCdiPath);
  add_unit(units, "estiva-cdi-resume.service",
           std::string(packaged_file("estiva-cdi-resume.service")), msg::kWhyCdiResume);
  units.files.push_back({"/etc/udev/rules.d/60-estiva-cdi.rules",
                         std::string(packaged_file("estiva-cdi.rules")),
                         std::string(msg::kWhyCdiRules)});
}

void add_daemon(SetupUnits& units, const UnitNeeds& needs) {
  for (const auto name : {"estiva-control.socket", "estiva-lease.socket"}) {
    add_unit(units, name, std::string(packaged_file(name)), msg::kWhySockets);
  }
  add_unit(units, "estiva-launch.socket", std::string(packaged_file("estiva-launch.socket")),
           msg::kWhyLaunch);
  add_unit(units, "estiva-launch@.service", daemon_service(needs, "estiva-launch@.service"),
           msg::kWhyLaunch, false);
  add_unit(units, "estiva-models.slice", std::string(packaged_file("estiva-models.slice")),
           msg::kWhyLaunch, false);
  add_unit(units, "estiva.service", daemon_service(needs, "estiva.service"), msg::kWhyDaemon);
  add_unit(units, "estiva-gateway.service", daemon_service(needs, "estiva-gateway.service"),
           msg::kWhyGateway);
  units.files.push_back({"/etc/sysusers.d/estiva.conf",
                         std::string(packaged_file("estiva.sysusers.conf")),
                         std::string(msg::kWhyUser)});
  units.files.push_back({"/etc/tmpfiles.d/estiva.conf",
                         std::string(packaged_file("estiva.tmpfiles.conf")),
                         std::string(msg::kWhyFolders)});
}

void add_suspend(SetupUnits& units, const UnitNeeds& needs) {
  units.files.push_back({"/etc/modprobe.d/estiva-suspend.conf",
                         std::string(packaged_file("estiva-suspend.modprobe.conf")),
                         std::string(msg::kWhySuspend)});
  units.enable.insert(units.enable.end(), needs.suspend_units.begin(), needs.suspend_units.end());
}

// What NVIDIA's unit does before its work: the first version sleeps 30 s.
std::string sleeps_in(const UnitFact& vendor) {
  const auto file = format::parse_unit_file(vendor.text);
  for (const auto* key : {"ExecStartPre", "ExecCondition"}) {
    for (const auto* entry : format::list_values(file, "Service", key)) {
      const auto line = format::parse_exec_line(entry->value);
      const bool sleeps = line.program == "sleep" || line.program.ends_with("/sleep");
      if (sleeps) return std::string(key) + '=' + entry->value;
    }
  }
  return {};
}

// NVIDIA's unit is ordered before the engine where that is possible.
void add_vendor(SetupUnits& units, const UnitNeeds& needs, std::span<const UnitFact> present) {
  const auto vendor = std::find_if(present.begin(), present.end(), [](const UnitFact& unit) {
    return unit.name == kVendorRefresh;
  });
  if (vendor == present.end() || needs.engine.empty()) return;
  if (const auto sleep = sleeps_in(*vendor); !sleep.empty()) {
    units.left_out.push_back(
        fmt::format(msg::kVendorUnitSlow, kVendorRefresh, sleep, needs.engine));
    return;
  }
  const auto before = build_unit_graph(present);
  SetupUnits tried = units;
  tried.files.push_back(
      {std::string(kVendorDropIn), vendor_drop_in(needs), std::string(msg::kWhyVendor)});
  const auto after = build_unit_graph(with_setup_units(present, tried));
  if (find_unit_cycles(after).size() <= find_unit_cycles(before).size()) {
    units.files = std::move(tried.files);
    return;
  }
  units.left_out.push_back(
      fmt::format(msg::kVendorUnitLate, kVendorRefresh, "multi-user.target", needs.engine));
}

UnitFact* find_unit(std::vector<UnitFact>& units, std::string_view name) {
  for (auto& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

}  // namespace

SetupUnits plan_setup_units(const UnitNeeds& needs, std::span<const UnitFact> present) {
  SetupUnits units;
  add_own(units, needs);
  add_vendor(units, needs, present);
  if (needs.wants_daemon) add_daemon(units, needs);
  if (!needs.suspend_units.empty()) add_suspend(units, needs);
  units.cycles = find_unit_cycles(build_unit_graph(with_setup_units(present, units)));
  return units;
}

std::vector<UnitFact> with_setup_units(std::span<const UnitFact> present, const SetupUnits& units) {
  std::vector<UnitFact> all(present.begin(), present.end());
  for (const auto& file : units.files) {
    if (file.path.rfind(kUnitFolder, 0) != 0) continue;
    if (file.path == kVendorDropIn) {
      if (auto* vendor = find_unit(all, kVendorRefresh)) vendor->text += '\n' + file.content;
      continue;
    }
    const auto name = format::name_of(file.path);
    auto* known = find_unit(all, name);
    if (known == nullptr) {
      all.emplace_back().name = name;
      known = &all.back();
    }
    known->path = file.path;
    // A user's drop-ins stay, and what they order can only be added to.
    known->text = known->drop_ins.empty() ? file.content : file.content + '\n' + known->text;
  }
  for (const auto& name : units.enable) {
    if (auto* unit = find_unit(all, name)) unit->is_enabled = true;
  }
  return all;
}

}  // namespace estiva::decide
