// Units for the tests of the boot's order: as they are on machines, cut down to what orders them.
#pragma once
#include <string>
#include <vector>

#include "model/readiness.h"

namespace estiva::decide::sets {

inline UnitFact unit(std::string name, std::string text, bool is_enabled = true) {
  UnitFact fact;
  fact.name = std::move(name);
  fact.text = std::move(text);
  fact.is_enabled = is_enabled;
  return fact;
}

// Docker 28.5 and containerd 2.1 of Debian.
inline std::vector<UnitFact> docker() {
  return {
      unit("docker.service",
           "[Unit]\nAfter=network-online.target nss-lookup.target docker.socket firewalld.service "
           "containerd.service time-set.target\nWants=network-online.target containerd.service\n"
           "Requires=docker.socket\n[Service]\nType=notify\nExecStart=/bin/true\n"
           "[Install]\nWantedBy=multi-user.target\n"),
      unit("docker.socket",
           "[Socket]\nListenStream=/run/docker.sock\n[Install]\nWantedBy=sockets.target\n"),
      unit(
          "containerd.service",
          "[Unit]\nAfter=network.target dbus.service\n[Service]\nType=notify\nExecStart=/bin/true\n"
          "[Install]\nWantedBy=multi-user.target\n"),
  };
}

// The two units of the set-up that the product was asked to replace; they have a cycle.
inline std::vector<UnitFact> seed() {
  return {
      unit("nvidia-cdi-generate.service",
           "[Unit]\nDescription=Generate NVIDIA Container Device "
           "Interface\nAfter=multi-user.target\n"
           "Wants=nvidia-persistenced.service\n[Service]\nType=oneshot\nExecStart=/bin/true\n"
           "RemainAfterExit=true\nUser=root\n[Install]\nWantedBy=multi-user.target\n"),
      unit("docker-nvidia-setup.service",
           "[Unit]\nDescription=Setup Docker NVIDIA Runtime\n"
           "After=docker.service nvidia-cdi-generate.service\nRequires=docker.service\n"
           "Wants=nvidia-cdi-generate.service\n[Service]\nType=oneshot\nExecStart=/bin/true\n"
           "RemainAfterExit=true\nUser=root\n[Install]\nWantedBy=multi-user.target\n"),
  };
}

// NVIDIA's refresh unit through the years (NVIDIA/nvidia-container-toolkit, deployments/systemd).
inline UnitFact vendor(const std::string& unit_lines, const std::string& service_lines) {
  return unit("nvidia-cdi-refresh.service",
              "[Unit]\n" + unit_lines + "[Service]\nType=oneshot\n" + service_lines +
                  "ExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n");
}
// The first one, which sleeps; the one of 1.18; after pull request 1638; with the drop-in of 2019.
inline UnitFact vendor_sleeping() {
  return vendor("", "ExecStartPre=/bin/sleep 30\n");
}
inline UnitFact vendor_plain() {
  return vendor("ConditionPathExists=/usr/bin/nvidia-ctk\n", "");
}
inline UnitFact vendor_late() {
  return vendor("After=multi-user.target\n", "RemainAfterExit=yes\n");
}
inline UnitFact vendor_ordered() {
  auto fact = vendor_plain();
  fact.text +=
      "\n[Unit]\nBefore=docker.service containerd.service crio.service\n[Service]\n"
      "TimeoutStartSec=90s\n";
  return fact;
}

inline void add(std::vector<UnitFact>& units, const std::vector<UnitFact>& more) {
  units.insert(units.end(), more.begin(), more.end());
}

}  // namespace estiva::decide::sets
