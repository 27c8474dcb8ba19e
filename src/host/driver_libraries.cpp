// Finding the driver's libraries: first the folders that hold them, then the files of one version
// in these, then the links that end at the files. Names decide which links are followed: Arch's
// /usr/lib has thousands that are not the driver's.
#include <algorithm>
#include <array>
#include <fcntl.h>
#include <map>
#include <set>
#include <unistd.h>

#include "format/elf.h"
#include "format/ld_cache.h"
#include "format/nvidia_proc.h"
#include "host/driver_files.h"
#include "host/file_source.h"
#include "host/folder.h"

namespace estiva::host {
namespace {

constexpr std::size_t kCacheLimit = 16 << 20;  // one of 3,000 entries has 200 KB
constexpr std::size_t kMaxLibraries = 1024;    // a driver has some 60, with 32-bit ones 100
constexpr std::size_t kMaxFolders = 64;

constexpr unsigned kLibc6Of32Bit = 0x0003;  // flags of an i386 library in the cache

// Looked at where the linker's cache names no libcuda: there is none (NixOS), or it is of before
// the driver was installed.
constexpr std::array<const char*, 17> kStandardFolders = {
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu/nvidia/current",
    "/usr/lib/x86_64-linux-gnu/nvidia",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu/nvidia/current",
    "/usr/lib/aarch64-linux-gnu/nvidia",
    "/usr/lib64",
    "/usr/lib64/nvidia",
    "/usr/lib",
    "/usr/lib/nvidia",
    "/usr/local/lib",
    "/usr/local/nvidia/lib64",
    "/usr/lib/i386-linux-gnu",
    "/usr/lib/i386-linux-gnu/nvidia/current",
    "/usr/lib32",
    "/run/opengl-driver/lib",
    "/run/opengl-driver-32/lib",
};
constexpr std::array<const char*, 7> kXorgFolders = {"/usr/lib/xorg/modules/drivers",
                                                     "/usr/lib/xorg/modules/extensions",
                                                     "/usr/lib64/xorg/modules/drivers",
                                                     "/usr/lib64/xorg/modules/extensions",
                                                     "/usr/lib/x86_64-linux-gnu/nvidia/xorg",
                                                     "/usr/lib/nvidia/xorg",
                                                     "/usr/lib/nvidia/current"};
constexpr std::array<std::string_view, 2> kSubFolders = {"/vdpau", "/gbm"};
constexpr const char* kWslLibraries = "/usr/lib/wsl/lib";

// Those whose presence names a folder, and whose file is looked up: at least one of them is there
// wherever a driver is.
const std::vector<std::string_view> kTellTales = {"libcuda.so", "libnvidia-", "libnvcuvid.so",
                                                  "libGLX_nvidia.so", "libEGL_nvidia.so"};

// "libcuda.so.550.163.01" -> "550.163.01"; "" where the name ends in no driver's version. A SONAME
// such as "libcuda.so.1.1" (WSL) is none: versions of drivers have two digits at least.
std::string version_in(std::string_view name) {
  const auto at = name.find(".so.");
  if (at == name.npos) return {};
  const auto version = name.substr(at + 4);
  return format::is_driver_version(version) && version.find('.') >= 2 ? std::string(version)
                                                                      : std::string();
}

// What may be the driver's or a link to it. Folders have thousands of names: each is read once.
bool may_be_ours(std::string_view name) {
  return name.find("nv") != name.npos || name.starts_with("libcuda") ||
         name.starts_with("libGLX_indirect.so") || !version_in(name).empty();
}

std::string_view stem_of(std::string_view name) {
  return name.substr(0, name.find(".so"));
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

// Files of the driver that have a version of their own.
bool is_companion(std::string_view name) {
  if (name.starts_with("libnvidia-nvvm70.so.")) return true;
  const auto stem = stem_of(name);
  return is_one_of(stem, {"libnvidia-egl-gbm", "libnvidia-egl-wayland", "libnvidia-egl-wayland2",
                          "libnvidia-egl-xcb", "libnvidia-egl-xlib"}) &&
         name.size() > stem.size() + 4 && name.find('.', stem.size() + 4) != name.npos;
}

class Finder {
 public:
  Finder(const Root& root, std::string module_version)
      : root_(root), real_(root), version_(std::move(module_version)) {}

  DriverLibraries run() {
    find_folders();
    find_versions();
    if (!std::count(out_.versions.begin(), out_.versions.end(), version_)) {
      version_ = out_.library_version;
    }
    const auto folders = folders_;
    for (const std::string& folder : folders) {
      add_files(folder);
      for (const auto sub : kSubFolders) add_files(folder + std::string(sub));
    }
    for (const char* folder : kXorgFolders) add_xorg_modules(folder);
    for (const std::string& folder : folders) {
      add_links(folder);
      for (const auto sub : kSubFolders) add_links(folder + std::string(sub));
    }
    if (exists(root_, std::string(kWslLibraries) + "/libdxcore.so")) add_wsl();
    for (auto& [path, library] : libraries_) {
      std::sort(library.links.begin(), library.links.end());
      out_.libraries.push_back(std::move(library));
    }
    return std::move(out_);
  }

 private:
  void add_folder(std::string_view path) {
    const auto real = real_.of(std::string(path));
    if (!real || folders_.size() >= kMaxFolders) return;
    if (std::find(folders_.begin(), folders_.end(), *real) == folders_.end()) {
      folders_.push_back(*real);
    }
  }

  // The folder of a library's name, and that of the file behind it.
  void add_folders_of(const std::string& link) {
    add_folder(folder_of(link));
    if (const auto real = real_.of(link)) add_folder(folder_of(*real));
  }

  const std::vector<FolderEntry>& listed(const std::string& folder) {
    const auto [at, is_new] = listings_.try_emplace(folder);
    if (is_new) at->second = list_folder(root_, folder, may_be_ours);
    return at->second;
  }

  void take_first(std::string& version, const std::string& link) {
    if (!version.empty()) return;
    if (const auto real = real_.of(link)) version = version_in(name_of(*real));
  }

  void find_folders() {
    std::string cuda, nvml;
    bool has_cuda = false;
    const auto bytes = read_file(root_, "/etc/ld.so.cache", kCacheLimit);
    std::set<std::string> seen;
    for (const auto& entry : format::parse_ld_cache(bytes ? *bytes : std::string(), kTellTales)) {
      if (seen.insert(std::string(folder_of(entry.path))).second) add_folder(folder_of(entry.path));
      if (!is_one_of(entry.name, {"libcuda.so.1", "libnvidia-ml.so.1", "libGLX_nvidia.so.0"}))
        continue;
      add_folders_of(entry.path);
      if (entry.flags == kLibc6Of32Bit) continue;
      if (entry.name == "libcuda.so.1") take_first(cuda, entry.path);
      if (entry.name == "libnvidia-ml.so.1") take_first(nvml, entry.path);
      has_cuda = has_cuda || (entry.name == "libcuda.so.1" && exists(root_, entry.path));
    }
    if (!has_cuda) add_standard_folders(cuda, nvml);
    out_.library_version = cuda.empty() ? nvml : cuda;
  }

  void add_standard_folders(std::string& cuda, std::string& nvml) {
    for (const char* folder : kStandardFolders) {
      add_folder(folder);
      for (const char* name : {"/libcuda.so.1", "/libnvidia-ml.so.1"}) {
        const std::string link = std::string(folder) + name;
        if (const auto real = real_.of(link)) add_folder(folder_of(*real));
      }
      take_first(cuda, std::string(folder) + "/libcuda.so.1");
      take_first(nvml, std::string(folder) + "/libnvidia-ml.so.1");
    }
  }

  // Which versions are there; the first file of a folder without links says it too.
  void find_versions() {
    std::set<std::string> versions;
    for (const std::string& folder : folders_) {
      for (const auto& entry : listed(folder)) {
        const auto version = version_in(entry.name);
        if (version.empty() || !is_one_of(stem_of(entry.name), {"libcuda", "libnvidia-ml"}))
          continue;
        if (exists(root_, folder + "/" + entry.name)) versions.insert(version);
      }
    }
    out_.versions.assign(versions.begin(), versions.end());
    if (out_.library_version.empty() && !versions.empty())
      out_.library_version = *versions.rbegin();
  }

  void add_file(const std::string& path) {
    const auto real = real_.of(path);
    if (!real || libraries_.contains(*real) || libraries_.size() >= kMaxLibraries) return;
    const UniqueFd fd(root_.open_at(real->c_str(), O_RDONLY | O_NONBLOCK));
    struct stat info {};
    if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return;
    const auto elf = format::read_elf(FileSource(fd.get()));
    if (!elf) return;  // a linker script, a stub of zero bytes
    libraries_[*real] = {*real, elf->soname, {}, elf->is_32bit, elf->machine};
    stems_.insert(std::string(stem_of(name_of(*real))));
  }

  void add_files(const std::string& folder) {
    for (const auto& entry : listed(folder)) {
      const std::string_view name = entry.name;
      if (!name.starts_with("lib")) continue;
      const bool is_of_version = !version_.empty() && version_in(name) == version_;
      if (is_of_version || is_companion(name)) add_file(folder + "/" + entry.name);
    }
  }

  void add_xorg_modules(const std::string& folder) {
    if (version_.empty()) return;
    for (const auto& entry : listed(folder)) {
      const std::string_view name = entry.name;
      const bool is_glx =
          name.starts_with("libglxserver_nvidia.so.") && version_in(name) == version_;
      if (is_glx || name == "nvidia_drv.so") add_file(folder + "/" + entry.name);
    }
  }

  void add_links(const std::string& folder) {
    const auto wanted = [this](std::string_view name) {
      return is_one_of(stem_of(name), {"nvidia-drm_gbm", "libGLX_indirect"}) ||
             stems_.contains(std::string(stem_of(name)));
    };
    const auto real_folder = real_.of(folder);
    if (!real_folder) return;
    for (const auto& entry : listed(*real_folder)) {
      if (!entry.is_link || !wanted(entry.name)) continue;
      const std::string path = *real_folder + "/" + entry.name;
      const auto end = real_.of(path);
      if (!end) continue;
      const auto library = libraries_.find(*end);
      if (library != libraries_.end()) library->second.links.push_back(path);
    }
  }

  // The host of WSL brings its driver's libraries, each a file under its SONAME.
  void add_wsl() {
    const auto wanted = [](std::string_view name) {
      return name.starts_with("lib") && name.find(".so") != name.npos;
    };
    for (const auto& entry : list_folder(root_, kWslLibraries, wanted)) {
      add_file(std::string(kWslLibraries) + "/" + entry.name);
    }
    add_links(kWslLibraries);
  }

  const Root& root_;
  RealPaths real_;
  std::string version_;  // of the libraries that are taken
  std::vector<std::string> folders_;
  std::map<std::string, DriverLibrary> libraries_;  // by path
  std::set<std::string> stems_;
  std::map<std::string, std::vector<FolderEntry>> listings_;  // by folder; what may be ours
  DriverLibraries out_;
};

}  // namespace

DriverLibraries find_driver_libraries(const Root& root, const std::string& module_version) {
  return Finder(root, module_version).run();
}

}  // namespace estiva::host
