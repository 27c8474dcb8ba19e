// Healthy machines of several kinds as doctor sees them: a test changes one thing on each and looks
// what is found. Figures and paths are those of the distributions' own packages.
#pragma once
#include <string>

#include "model/readiness.h"

namespace estiva::decide::bases {

// With an NVIDIA GPU, its driver, Docker, a CDI spec and a container that uses it.
ReadinessFacts debian_host();  // Debian 12, driver 550, Docker 28.5, desktop card
ReadinessFacts ubuntu_host();  // 24.04, open modules 580, Docker 29.2, refresh unit ordered
ReadinessFacts rhel_host();    // RHEL 9, driver 570, Docker 27.5 with features.cdi, SELinux
ReadinessFacts arch_host();    // rolling kernel, driver 580, Docker 29.1, a screen on the card
ReadinessFacts wsl_host();     // Ubuntu in WSL 2: no PCI device and no module, /dev/dxg
// Less than that, and healthy too.
ReadinessFacts laptop();           // the GPU sleeps, and the machine has slept
ReadinessFacts cpu_only();         // Docker, and no GPU at all
ReadinessFacts podman_only();      // Fedora, Podman 5 without a daemon, SELinux with its boolean
ReadinessFacts docker_absent();    // a GPU and its driver, and no engine
ReadinessFacts plain_container();  // inside a Docker container that was given no GPU
ReadinessFacts gpu_container();    // inside one that was given one

struct Base {
  const char* name;
  ReadinessFacts (*make)();
};
inline constexpr Base kDebian{"debian", debian_host}, kUbuntu{"ubuntu", ubuntu_host},
    kRhel{"rhel", rhel_host}, kArch{"arch", arch_host}, kWsl{"wsl", wsl_host};
inline constexpr Base kAll[] = {kDebian,
                                kUbuntu,
                                kRhel,
                                kArch,
                                kWsl,
                                {"laptop", laptop},
                                {"cpu_only", cpu_only},
                                {"podman_only", podman_only},
                                {"docker_absent", docker_absent},
                                {"plain_container", plain_container},
                                {"gpu_container", gpu_container}};

// Containers to add: by a CDI name, and by --gpus.
ContainerFact cdi_container(const std::string& name, const std::string& policy);
ContainerFact flag_container(const std::string& name);
UnitFact make_unit(const std::string& name, const std::string& text, bool enabled);
// As if the module had never been loaded: no numbers, no nodes, nothing that NVML says.
void unload(ReadinessFacts& facts);
// Every reading becomes unknown.
void forget(ReadinessFacts& facts);

}  // namespace estiva::decide::bases
