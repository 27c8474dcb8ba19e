#include "decide/setup/unit_deps.h"

#include <array>
#include <utility>

namespace estiva::decide {
namespace {

using format::UnitFile;

constexpr std::string_view kSysinit = "sysinit.target", kBasic = "basic.target";

struct Shipped {
  std::string_view name, text;
};
constexpr std::array<Shipped, 18> kShipped = {{
    {"graphical.target",
     "[Unit]\nRequires=multi-user.target\nWants=display-manager.service\n"
     "After=multi-user.target rescue.service rescue.target display-manager.service\n"},
    {"multi-user.target",
     "[Unit]\nRequires=basic.target\nAfter=basic.target rescue.service rescue.target\n"},
    {"basic.target",
     "[Unit]\nRequires=sysinit.target\n"
     "Wants=sockets.target timers.target paths.target slices.target\n"
     "After=sysinit.target sockets.target paths.target slices.target tmp.mount\n"},
    {"sysinit.target",
     "[Unit]\nWants=local-fs.target swap.target\nAfter=local-fs.target swap.target\n"
     "Before=emergency.service emergency.target\n"},
    {"local-fs.target", "[Unit]\nDefaultDependencies=no\nAfter=local-fs-pre.target\n"},
    {"timers.target", "[Unit]\nDefaultDependencies=no\n"},
    {"remote-fs.target", "[Unit]\nDefaultDependencies=no\nAfter=remote-fs-pre.target\n"},
    {"network-online.target", "[Unit]\nAfter=network.target\n"},
    {"network.target", "[Unit]\nAfter=network-pre.target\n"},
    {"sleep.target", "[Unit]\nDefaultDependencies=no\n"},
    {"suspend.target",
     "[Unit]\nDefaultDependencies=no\nRequires=systemd-suspend.service\n"
     "After=systemd-suspend.service\n"},
    {"hibernate.target",
     "[Unit]\nDefaultDependencies=no\nRequires=systemd-hibernate.service\n"
     "After=systemd-hibernate.service\n"},
    {"swap.target", "[Unit]\n"},
    {"paths.target", "[Unit]\n"},
    {"sockets.target", "[Unit]\n"},
    {"slices.target", "[Unit]\nDefaultDependencies=no\n"},
    {"local-fs-pre.target", "[Unit]\n"},
    {"remote-fs-pre.target", "[Unit]\n"},
}};

// What stands before '@', or before the type; what stands between '@' and the type.
std::pair<std::string_view, std::string_view> prefix_and_instance(std::string_view name) {
  const std::string_view stem = name.substr(0, name.rfind('.'));
  const std::size_t at = stem.find('@');
  if (at == std::string_view::npos) return {stem, {}};
  return {stem.substr(0, at), stem.substr(at + 1)};
}

std::string expand(std::string_view text, std::string_view name) {
  const auto [prefix, instance] = prefix_and_instance(name);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (text[++i]) {
      case '%':
        out += '%';
        break;
      case 'n':
        out += name;
        break;
      case 'N':
        out += name.substr(0, name.rfind('.'));
        break;
      case 'p':
      case 'P':
        out += prefix;
        break;
      case 'i':
      case 'I':
        out += instance;
        break;
      default:
        (out += '%') += text[i];
    }
  }
  return out;
}

// Reads the keys of one unit into its dependencies.
class DepsReader {
 public:
  DepsReader(std::string_view name, const UnitFile& file) : name_(name), file_(file) {
    deps_.has_defaults =
        format::unit_boolean(format::last_value(file, "Unit", "DefaultDependencies"), true);
  }

  UnitDeps read() {
    for (const auto* key : {"Wants", "Requires", "Requisite", "BindsTo", "Upholds"}) {
      take("Unit", key, deps_.starts);
    }
    take("Unit", "PartOf", deps_.part_of);
    take("Unit", "After", deps_.after);
    take("Unit", "Before", deps_.before);
    for (const auto* key : {"WantedBy", "RequiredBy", "UpheldBy"}) take_install(key);
    for (const auto* entry : format::list_values(file_, "Install", "Alias")) {
      for (auto& word : format::unit_words(entry->value, false)) {
        deps_.aliases.push_back(expand(word, name_));
      }
    }
    add_implicit();
    return std::move(deps_);
  }

 private:
  // An empty assignment does not forget what stands before it: these lists only grow.
  void take(std::string_view section, std::string_view key, std::vector<UnitLink>& into) {
    for (const auto* entry : format::all_values(file_, section, key)) {
      for (const auto& word : format::unit_words(entry->value, true)) add(into, key, word);
    }
  }

  void take_install(std::string_view key) {
    for (const auto* entry : format::list_values(file_, "Install", key)) {
      for (const auto& word : format::unit_words(entry->value, false)) {
        add(deps_.wanted_by, key, word);
      }
    }
  }

  void add(std::vector<UnitLink>& into, std::string_view key, std::string_view word) {
    std::string directive(key);
    (directive += '=') += word;
    into.push_back({expand(word, name_), std::move(directive), true});
  }

  void implicit(std::vector<UnitLink>& into, std::string_view key, std::string_view name) {
    std::string directive(key);
    (directive += '=') += name;
    into.push_back({std::string(name), std::move(directive), false});
  }
  void implicit_after(std::string_view name) { implicit(deps_.after, "After", name); }
  void implicit_before(std::string_view name) { implicit(deps_.before, "Before", name); }
  void implicit_requires(std::string_view name) {
    implicit(deps_.starts, "Requires", name);
    implicit_after(name);
  }

  void add_implicit() {
    const auto type = unit_type(name_);
    if (type == "service") return add_service();
    if (type == "socket") return add_trigger("Socket", "sockets.target");
    if (type == "path") return add_trigger("Path", "paths.target");
    if (type == "timer") return add_timer();
    if (type == "swap" && deps_.has_defaults) implicit_before("swap.target");
    if ((type == "mount" || type == "automount") && deps_.has_defaults) add_mount();
    if (type == "automount") implicit_before(std::string(prefix()) + ".mount");
  }

  void add_service() {
    if (deps_.has_defaults) {
      implicit_requires(kSysinit);
      implicit_after(kBasic);
    }
    if (format::last_value(file_, "Service", "Type") == "dbus") implicit_requires("dbus.socket");
    for (const auto* entry : format::list_values(file_, "Service", "Sockets")) {
      for (const auto& word : format::unit_words(entry->value, true)) {
        implicit(deps_.starts, "Sockets", expand(word, name_));
        implicit_after(expand(word, name_));
      }
    }
    if (logs_to_journal()) implicit_after("systemd-journald.socket");
    if (format::unit_boolean(format::last_value(file_, "Service", "PrivateTmp"), false)) {
      implicit_after("systemd-tmpfiles-setup.service");
    }
  }

  bool logs_to_journal() const {
    const auto goes_there = [](std::string_view value) {
      return value.substr(0, 7) == "journal" || value.substr(0, 4) == "kmsg" ||
             value.substr(0, 6) == "syslog";
    };
    const auto output = format::last_value(file_, "Service", "StandardOutput");
    return output.empty() || goes_there(output) ||
           goes_there(format::last_value(file_, "Service", "StandardError"));
  }

  void add_trigger(std::string_view section, std::string_view target) {
    if (deps_.has_defaults) {
      implicit_before(target);
      implicit_requires(kSysinit);
    }
    if (format::unit_boolean(format::last_value(file_, section, "Accept"), false)) return;
    const auto* key = section == "Socket" ? "Service" : "Unit";
    const auto unit = format::last_value(file_, section, key);
    implicit_before(unit.empty() ? std::string(prefix()) + ".service" : expand(unit, name_));
  }

  void add_timer() {
    add_trigger("Timer", "timers.target");
    if (!deps_.has_defaults || format::list_values(file_, "Timer", "OnCalendar").empty()) return;
    implicit_after("time-set.target");
    implicit_after("time-sync.target");
  }

  void add_mount() {
    const auto type = format::last_value(file_, "Mount", "Type");
    const bool is_remote = type == "nfs" || type == "nfs4" || type == "cifs";
    implicit_after(is_remote ? "remote-fs-pre.target" : "local-fs-pre.target");
    implicit_before(is_remote ? "remote-fs.target" : "local-fs.target");
    if (is_remote) implicit_after("network-online.target");
  }

  std::string_view prefix() const { return name_.substr(0, name_.rfind('.')); }

  std::string_view name_;
  const UnitFile& file_;
  UnitDeps deps_;
};

}  // namespace

UnitDeps read_unit_deps(std::string_view name, const UnitFile& file) {
  return DepsReader(name, file).read();
}

std::string_view unit_type(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

std::string template_of(std::string_view name) {
  const auto [prefix, instance] = prefix_and_instance(name);
  if (instance.empty()) return {};
  return std::string(prefix) + "@." + std::string(unit_type(name));
}

std::string_view shipped_target(std::string_view name) {
  for (const auto& each : kShipped) {
    if (each.name == name) return each.text;
  }
  return {};
}

}  // namespace estiva::decide
