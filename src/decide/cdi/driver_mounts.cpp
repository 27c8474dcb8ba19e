#include "decide/cdi/driver_mounts.h"

#include <algorithm>
#include <array>
#include <map>

#include "format/path.h"

namespace estiva::decide {
namespace {

// As in libnvidia-container, src/nvc_info.c, and the driver's README, "Installed components".
constexpr std::array<std::string_view, 3> kUtility = {"libnvidia-ml", "libnvidia-cfg",
                                                      "libnvidia-nscq"};
constexpr std::array<std::string_view, 22> kGraphics = {
    "libnvidia-eglcore",   "libnvidia-glcore",  "libnvidia-tls",         "libnvidia-glsi",
    "libnvidia-fbc",       "libnvidia-ifr",     "libnvidia-rtcore",      "libnvidia-glvkspirv",
    "libnvidia-cbl",       "libnvidia-ngx",     "libnvidia-present",     "libnvidia-vksc-core",
    "libnvoptix",          "libGLX_nvidia",     "libEGL_nvidia",         "libGLESv2_nvidia",
    "libGLESv1_CM_nvidia", "libnvidia-egl-gbm", "libnvidia-egl-wayland", "libnvidia-egl-wayland2",
    "libnvidia-egl-xcb",   "libnvidia-egl-xlib"};
constexpr std::array<std::string_view, 4> kVideo = {"libnvcuvid", "libnvidia-encode",
                                                    "libnvidia-opticalflow", "libvdpau_nvidia"};
constexpr std::array<std::string_view, 5> kDisplay = {"nvidia_drv", "libglxserver_nvidia",
                                                      "libnvidia-gtk2", "libnvidia-gtk3",
                                                      "libnvidia-wayland-client"};

constexpr unsigned k386 = 3, kX86_64 = 62, kAarch64 = 183;  // e_machine

constexpr std::string_view kWsl = "/usr/lib/wsl";

using format::folder_of;
using format::name_of;

std::string_view stem_of(std::string_view name) {
  return name.substr(0, name.find(".so"));
}

template <std::size_t N>
bool has(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_asked(Capability capability, const CdiCapabilities& asked) {
  switch (capability) {
    case Capability::graphics:
      return asked.graphics || asked.display;
    case Capability::video:
      return asked.video;
    case Capability::display:
      return asked.display;
    case Capability::compute:
    case Capability::utility:
      break;
  }
  return true;
}

// The folders that the linkers of images search without a cache.
std::vector<std::string> layout_folders(const DriverLibrary& library) {
  switch (library.machine) {
    case kX86_64:
      return {"/usr/lib/x86_64-linux-gnu", "/usr/lib64"};
    case kAarch64:
      return {"/usr/lib/aarch64-linux-gnu", "/usr/lib64"};
    case k386:
      return {"/usr/lib/i386-linux-gnu", "/usr/lib32"};
    default:
      return {};
  }
}

// Container path -> host path. What was put first stays.
using Mounts = std::map<std::string, std::string>;

void put(Mounts& mounts, std::string_view folder, std::string_view name, const std::string& host) {
  mounts.emplace(std::string(folder) + "/" + std::string(name), host);
}

bool is_xorg_module(const DriverLibrary& library) {
  const auto stem = stem_of(name_of(library.path));
  return stem == "nvidia_drv" || stem == "libglxserver_nvidia";
}

// Where the library's names are to be found in a container. Empty: nowhere safely.
std::vector<std::string> folders_for(const DriverLibrary& library) {
  const std::string own(folder_of(library.path));
  std::vector<std::string> folders;
  if (!library.is_32bit || own != "/usr/lib") folders.push_back(own);
  if (is_xorg_module(library)) return folders;  // the X server looks in its own folder only
  const std::string below = own.ends_with("/vdpau") ? "/vdpau" : "";
  for (const auto& folder : layout_folders(library)) {
    if (folder + below != own) folders.push_back(folder + below);
  }
  return folders;
}

// The names under which the host's links show it, which decide where two libraries have one SONAME.
void put_links(Mounts& mounts, const DriverLibrary& library, const CdiCapabilities& asked) {
  for (const auto& link : library.links) {
    const auto name = name_of(link);
    // libgbm's back end is a link to libnvidia-allocator, which is more than that.
    const bool is_gbm = name.starts_with("nvidia-drm_gbm.so");
    if (name == name_of(library.path) || (is_gbm && !is_asked(Capability::graphics, asked)))
      continue;
    for (const auto& folder : folders_for(library)) {
      put(mounts, is_gbm ? folder + "/gbm" : folder, name, library.path);
    }
  }
}

void put_sonames(Mounts& mounts, const DriverLibrary& library) {
  const auto name = name_of(library.path);
  for (const auto& folder : folders_for(library)) {
    put(mounts, folder, library.soname.empty() ? name : std::string_view(library.soname),
        library.path);
    // Python's and others' loaders ask for it; only development packages have the link.
    if (stem_of(name) == "libcuda") put(mounts, folder, "libcuda.so", library.path);
  }
}

void put_libraries(Mounts& mounts, const DriverFiles& files, const CdiCapabilities& asked) {
  std::vector<const DriverLibrary*> wanted;
  for (const auto& library : files.libraries) {
    if (library.is_32bit && !asked.compat32) continue;
    if (!is_asked(capability_of(name_of(library.path)), asked)) continue;
    if (!folders_for(library).empty()) wanted.push_back(&library);
  }
  for (const auto* library : wanted) {
    put(mounts, folders_for(*library).front(), name_of(library->path), library->path);
  }
  for (const auto* library : wanted) put_links(mounts, *library, asked);
  // Of two with one SONAME and no link the later name is the higher version.
  std::for_each(wanted.rbegin(), wanted.rend(), [&](const auto* l) { put_sonames(mounts, *l); });
}

// The libraries' own folder comes whole: they look for the Windows driver's store beside it.
void put_wsl(Mounts& mounts, const DriverFiles& files) {
  mounts.emplace(kWsl, kWsl);
  const auto put_all = [&](bool is_own_name) {
    for (const auto& library : files.libraries) {
      for (const auto& folder : layout_folders(library)) {
        const auto own = name_of(library.path);
        if (is_own_name)
          put(mounts, folder, own, library.path);
        else if (!library.soname.empty())
          put(mounts, folder, library.soname, library.path);
        for (const auto& link : library.links) put(mounts, folder, name_of(link), library.path);
      }
    }
  };
  put_all(true);
  put_all(false);
}

void put_binaries(Mounts& mounts, const DriverFiles& files, const CdiCapabilities& asked) {
  for (const auto& path : files.binaries) {
    if (name_of(path) == "nvidia-xconfig" && !asked.display) continue;
    put(mounts, "/usr/bin", name_of(path), path);
  }
}

// Images look for Vulkan's files in /etc as well as in /usr/share; for the others in one place.
std::string config_place(const std::string& path) {
  const auto vulkan = path.find("/vulkan");
  if (vulkan != path.npos) return "/etc" + path.substr(vulkan);
  static constexpr std::string_view kNixShare = "/run/opengl-driver/share";
  if (path.starts_with(kNixShare)) return "/usr/share" + path.substr(kNixShare.size());
  return path;
}

Capability capability_of_config(const std::string& path) {
  if (path.find("/OpenCL/") != path.npos) return Capability::compute;
  if (path.find("/X11/") != path.npos) return Capability::display;
  return Capability::graphics;
}

const std::vector<std::string>& read_only() {
  static const std::vector<std::string> kOptions = {"ro", "nosuid", "nodev", "rbind", "rprivate"};
  return kOptions;
}

// A client connects by writing.
const std::vector<std::string>& connectable() {
  static const std::vector<std::string> kOptions = {"nosuid", "nodev", "rbind", "rprivate",
                                                    "noexec"};
  return kOptions;
}

}  // namespace

Capability capability_of(std::string_view library) {
  const auto stem = stem_of(library);
  if (has(kUtility, stem)) return Capability::utility;
  if (has(kGraphics, stem)) return Capability::graphics;
  if (has(kVideo, stem)) return Capability::video;
  if (has(kDisplay, stem)) return Capability::display;
  return Capability::compute;
}

bool is_wsl(const DriverFiles& files) {
  return std::any_of(files.nodes.begin(), files.nodes.end(),
                     [](const DeviceNode& node) { return node.path == "/dev/dxg"; });
}

std::vector<CdiMount> driver_mounts(const DriverFiles& files, const CdiOptions& options) {
  const auto& asked = options.capabilities;
  Mounts mounts;
  if (is_wsl(files)) {
    put_wsl(mounts, files);
  } else {
    put_libraries(mounts, files, asked);
  }
  put_binaries(mounts, files, asked);
  for (const auto& path : files.firmware) mounts.emplace(path, path);
  for (const auto& path : files.configs) {
    if (is_asked(capability_of_config(path), asked)) mounts.emplace(config_place(path), path);
  }
  std::vector<CdiMount> out;
  for (const auto& [place, host] : mounts) out.push_back({host, place, "", read_only()});
  if (!options.with_sockets) return out;
  for (const auto& path : files.sockets) out.push_back({path, path, "", connectable()});
  std::sort(out.begin(), out.end(), [](const CdiMount& a, const CdiMount& b) {
    return a.container_path < b.container_path;
  });
  return out;
}

}  // namespace estiva::decide
