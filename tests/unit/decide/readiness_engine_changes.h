// Changes to a machine's engine and toolkit that several tests make.
#pragma once
#include "unit/decide/readiness_cases.h"

namespace estiva::decide::engine_changes {

using namespace bases;
using Facts = ReadinessFacts;

inline const std::vector<Base> kHosts = {kDebian, kUbuntu, kRhel, kArch};
// Those on which '--gpus' still goes through NVIDIA's hook.
inline const std::vector<Base> kHookHosts = {kDebian, kRhel, kArch};

inline void add_flag(Facts& facts) {
  facts.containers.push_back(flag_container("xtts"));
}

inline void no_cdi(Facts& facts) {
  facts.engine.cdi_known = true;
  facts.engine.cdi_dirs.clear();
  facts.engine.discovered.clear();
}

inline void json(Facts& facts, const std::string& text) {
  facts.engine.daemon_json.text = text;
}

inline void config(Facts& facts, const std::string& text) {
  facts.toolkit.config.text = text;
}

inline void volatile_spec(Facts& facts) {
  facts.cdi.files[0].path = "/var/run/cdi/nvidia.yaml";
  std::erase_if(facts.units,
                [](const UnitFact& one) { return one.name == "nvidia-cdi-refresh.service"; });
}

inline constexpr const char* kRefresh =
    "[Unit]\nAfter=multi-user.target\n[Service]\nType=oneshot\n"
    "ExecStart=/usr/bin/nvidia-ctk cdi generate --output=/var/run/cdi/nvidia.yaml\n";

// The two units of the guide that asked for this product.
inline void guide_units(Facts& facts) {
  facts.units.push_back(make_unit(
      "nvidia-cdi-generate.service",
      "[Unit]\nDescription=Generate NVIDIA Container Device Interface\nAfter=multi-user.target\n"
      "Wants=nvidia-persistenced.service\n[Service]\nType=oneshot\n"
      "ExecStart=/usr/bin/nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml\n"
      "RemainAfterExit=true\nUser=root\n[Install]\nWantedBy=multi-user.target\n",
      true));
  facts.units.push_back(make_unit(
      "docker-nvidia-setup.service",
      "[Unit]\nAfter=docker.service nvidia-cdi-generate.service\nRequires=docker.service\n"
      "Wants=nvidia-cdi-generate.service\n[Service]\nType=oneshot\n"
      "ExecStart=/usr/bin/nvidia-ctk runtime configure --runtime=docker\n"
      "[Install]\nWantedBy=multi-user.target\n",
      true));
}

inline void selinux(Facts& facts) {
  facts.kernel.selinux = std::string("enforcing");
  facts.kernel.container_use_devices = false;
  facts.engine.info = R"({"SecurityOptions":["name=seccomp","name=selinux"]})";
}

// A root file system in memory, and that toolkit.
inline void in_memory(Facts& facts, const std::string& toolkit) {
  facts.kernel.root_fs = "rootfs";
  for (auto& [name, program] : facts.toolkit.programs) program.version = toolkit;
}

// An image with compatibility libraries, and the hook that puts them first.
inline void compat_image(Facts& facts) {
  facts.images[0].environment = {"NV_CUDA_COMPAT_PACKAGE=cuda-compat"};
  facts.cdi.files[0].spec.edits.hooks = {{"createContainer", "h", {"enable-cuda-compat"}, {}, {}}};
}

inline void lxc(Facts& facts) {
  facts.kernel.in_container = true;
  facts.kernel.container_manager = "lxc";
}

}  // namespace estiva::decide::engine_changes
