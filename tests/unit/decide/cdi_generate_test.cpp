// What a spec has for given files. Whole trees of every distribution are judged in tests/cdi.
#include <gtest/gtest.h>

#include "decide/cdi/driver_mounts.h"
#include "decide/cdi/generate.h"

namespace estiva::decide {
namespace {

const std::string kVersion = "550.163.01";
const std::string kLib = "/usr/lib/x86_64-linux-gnu";
const std::string kUuid = "GPU-11111111-2222-3333-4444-555555555555";

DriverLibrary library(const std::string& name, const std::string& soname,
                      std::vector<std::string> links = {}, const std::string& folder = kLib) {
  for (auto& link : links) link = folder + "/" + link;
  return {folder + "/" + name, soname, std::move(links), false, 62};
}

DeviceNode node(const std::string& path, mode_t mode = 0666, gid_t gid = 0) {
  return {path, 195, 0, mode, 0, gid};
}

DriverGpu gpu(unsigned index, unsigned minor, const std::string& uuid = {}) {
  DriverGpu out;
  out.index = index;
  out.minor = minor;
  out.uuid = uuid;
  return out;
}

// The least that containers can work with.
DriverFiles host() {
  DriverFiles files;
  files.module_version = files.library_version = kVersion;
  files.versions = {kVersion};
  files.gpus = {gpu(0, 0, kUuid)};
  files.nodes = {node("/dev/nvidia-uvm"), node("/dev/nvidia0"), node("/dev/nvidiactl")};
  files.libraries = {
      library("libcuda.so." + kVersion, "libcuda.so.1", {"libcuda.so.1"}),
      library("libnvidia-ml.so." + kVersion, "libnvidia-ml.so.1"),
      library("libnvidia-ptxjitcompiler.so." + kVersion, "libnvidia-ptxjitcompiler.so.1")};
  return files;
}

CdiNode cdi_node(const std::string& path, const std::string& host_path = {}) {
  CdiNode out;
  out.path = path;
  out.host_path = host_path;
  return out;
}

CdiEdits only_node(const std::string& path) {
  CdiEdits edits;
  edits.nodes = {cdi_node(path)};
  return edits;
}

std::string refusal(const DriverFiles& files, const CdiOptions& options = {}) {
  const auto spec = generate_cdi(files, options);
  return spec ? "a spec" : spec.error().sentence();
}

std::map<std::string, std::string> places(const std::vector<CdiMount>& mounts) {
  std::map<std::string, std::string> out;
  for (const auto& mount : mounts) out[mount.container_path] = mount.host_path;
  return out;
}

std::vector<std::string> names(const CdiSpec& spec) {
  std::vector<std::string> out;
  for (const auto& device : spec.devices) out.push_back(device.name);
  return out;
}

TEST(CdiGenerate, OneWholeSpec) {
  CdiSpec spec;
  spec.version = "0.5.0";
  spec.kind = "nvidia.com/gpu";
  spec.edits.env = {"NVIDIA_VISIBLE_DEVICES=void", "TRITON_LIBCUDA_PATH=" + kLib};
  spec.edits.nodes = {cdi_node("/dev/nvidia-uvm"), cdi_node("/dev/nvidiactl")};
  const std::vector<std::string> options = {"ro", "nosuid", "nodev", "rbind", "rprivate"};
  const auto mount = [&](const std::string& from, const std::string& to) {
    spec.edits.mounts.push_back({kLib + "/" + from + "." + kVersion, to, "", options});
  };
  const std::string own = kLib + "/";
  mount("libcuda.so", own + "libcuda.so");
  mount("libcuda.so", own + "libcuda.so.1");
  mount("libcuda.so", own + "libcuda.so." + kVersion);
  mount("libnvidia-ml.so", own + "libnvidia-ml.so.1");
  mount("libnvidia-ptxjitcompiler.so", own + "libnvidia-ptxjitcompiler.so.1");
  mount("libcuda.so", "/usr/lib64/libcuda.so");
  mount("libcuda.so", "/usr/lib64/libcuda.so.1");
  mount("libnvidia-ml.so", "/usr/lib64/libnvidia-ml.so.1");
  mount("libnvidia-ptxjitcompiler.so", "/usr/lib64/libnvidia-ptxjitcompiler.so.1");
  spec.devices = {{"0", {}, only_node("/dev/nvidia0")},
                  {kUuid, {}, only_node("/dev/nvidia0")},
                  {"all", {}, only_node("/dev/nvidia0")}};
  EXPECT_EQ(generate_cdi(host()).value(), spec);
  EXPECT_TRUE(cdi_notes(host()).empty());
}

TEST(CdiGenerate, WhatWouldNotWorkIsRefused) {
  auto files = host();
  files.module_version.clear();
  EXPECT_NE(refusal(files).find("not loaded. Run: modprobe nvidia && modprobe nvidia_uvm"),
            std::string::npos);

  for (const std::size_t i : {0u, 1u}) {
    files = host();
    files.libraries.erase(files.libraries.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_NE(refusal(files).find("is not on this machine. Install"), std::string::npos) << i;
    files.versions = {kVersion, "570.86.15"};
    EXPECT_NE(refusal(files).find("in version 570.86.15 only. The driver was upgraded"),
              std::string::npos)
        << i;
    files = host();
    files.libraries[i].is_32bit = true;
    EXPECT_NE(refusal(files).find("is not on this machine"), std::string::npos) << i;
  }
  files = host();
  files.gpus.clear();
  EXPECT_NE(refusal(files).find("has no GPU"), std::string::npos);
  for (const char* path : {"/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl"}) {
    files = host();
    std::erase_if(files.nodes, [&](const DeviceNode& n) { return n.path == path; });
    EXPECT_NE(refusal(files).find(std::string(path) + " is not there. "), std::string::npos);
  }
}

TEST(CdiGenerate, TheLibraryMayLieAnywhereButHasTheModulesVersion) {
  auto files = host();
  files.libraries[0].path = "/opt/x/libcuda.so." + kVersion;
  EXPECT_EQ(refusal(files), "a spec");
  files.libraries[0].path = "/opt/x/mylibcuda.so." + kVersion;
  EXPECT_NE(refusal(files), "a spec");
  files.libraries[0].path = "/opt/x/libcuda.so." + kVersion + ".1";
  EXPECT_NE(refusal(files), "a spec");
}

TEST(CdiGenerate, GpusWithoutNodeAreLeftOutAndTold) {
  auto files = host();
  files.gpus.push_back(gpu(1, 7));
  EXPECT_EQ(names(generate_cdi(files).value()), (std::vector<std::string>{"0", kUuid, "all"}));
  ASSERT_EQ(cdi_notes(files).size(), 1u);
  EXPECT_NE(cdi_notes(files)[0].find("GPU 1 is left out, because /dev/nvidia7 is not there"),
            std::string::npos);
}

TEST(CdiGenerate, DevicesAreInTheOrderOfTheirNumbers) {
  auto files = host();
  files.gpus.clear();
  for (unsigned i = 0; i < 12; ++i) {
    files.gpus.push_back(gpu(11 - i, i));
    files.nodes.push_back(node("/dev/nvidia" + std::to_string(i)));
  }
  CdiOptions options;
  options.by_uuid = false;
  const auto spec = generate_cdi(files, options).value();
  EXPECT_EQ(names(spec), (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
                                                   "10", "11", "all"}));
  EXPECT_EQ(spec.devices[0].edits, only_node("/dev/nvidia11"));
  EXPECT_EQ(spec.devices[12].edits.nodes.size(), 12u);
}

DriverFiles mig_host() {
  auto files = host();
  files.gpus.push_back(gpu(1, 1, "GPU-whole"));
  files.gpus[1].mig_enabled = true;
  files.gpus[1].migs = {
      {"MIG-a", "1:0", {"/dev/nvidia-caps/nvidia-cap12", "/dev/nvidia-caps/nvidia-cap13"}}};
  files.nodes.push_back(node("/dev/nvidia1"));
  files.nodes.push_back(node("/dev/nvidia-caps/nvidia-cap12", 0444));
  files.nodes.push_back(node("/dev/nvidia-caps/nvidia-cap13", 0444));
  return files;
}

TEST(CdiGenerate, AGpuInMigModeHasItsInstancesAndNoEntryAsAWhole) {
  const auto spec = generate_cdi(mig_host()).value();
  EXPECT_EQ(names(spec), (std::vector<std::string>{"0", "1:0", kUuid, "MIG-a", "all"}));
  auto edits = only_node("/dev/nvidia-caps/nvidia-cap12");
  edits.nodes.push_back(cdi_node("/dev/nvidia-caps/nvidia-cap13"));
  edits.nodes.push_back(cdi_node("/dev/nvidia1"));
  EXPECT_EQ(spec.devices[1].edits, edits);
  EXPECT_EQ(spec.devices[3].edits, edits);
  EXPECT_TRUE(cdi_notes(mig_host()).empty());
}

TEST(CdiGenerate, AnInstanceWithoutItsNodesIsLeftOutAndTold) {
  auto files = mig_host();
  files.nodes.pop_back();
  EXPECT_EQ(names(generate_cdi(files).value()), (std::vector<std::string>{"0", kUuid, "all"}));
  EXPECT_EQ(cdi_notes(files).size(), 1u);
  files = mig_host();
  files.gpus[1].migs[0].caps.clear();
  EXPECT_EQ(names(generate_cdi(files).value()), (std::vector<std::string>{"0", kUuid, "all"}));
  files.gpus.erase(files.gpus.begin());
  EXPECT_NE(refusal(files).find("each GPU is in MIG mode"), std::string::npos);
  files.gpus[0].migs.clear();
  EXPECT_NE(refusal(files).find("each GPU is in MIG mode"), std::string::npos);
}

TEST(CdiGenerate, GroupsOnlyWhereTheyAreNeededAndTheEngineReadsThem) {
  auto files = host();
  files.nodes[1] = node("/dev/nvidia0", 0660, 44);
  files.nodes[2] = node("/dev/nvidiactl", 0660, 44);
  CdiOptions options;
  options.newest_version = "0.6.0";
  auto spec = generate_cdi(files, options).value();
  EXPECT_EQ(spec.version, "0.5.0");
  EXPECT_TRUE(spec.edits.additional_gids.empty());
  EXPECT_EQ(cdi_notes(files, options).size(), 2u);
  for (const char* newest : {"0.7.0", "0.10.0", "1.0.0"}) {
    options.newest_version = newest;
    spec = generate_cdi(files, options).value();
    EXPECT_EQ(spec.version, "0.7.0");
    EXPECT_EQ(spec.edits.additional_gids, std::vector<std::uint32_t>{44});
    EXPECT_EQ(spec.devices[0].edits.additional_gids, std::vector<std::uint32_t>{44});
    EXPECT_TRUE(cdi_notes(files, options).empty());
  }
  for (const auto& open : {node("/dev/nvidia0", 0666, 44), node("/dev/nvidia0", 0660, 0)}) {
    files.nodes[1] = files.nodes[2] = open;
    files.nodes[2].path = "/dev/nvidiactl";
    EXPECT_EQ(generate_cdi(files, options)->version, "0.5.0");
  }
  files.nodes[1] = node("/dev/nvidia0", 0664, 44);  // others may read it only
  EXPECT_EQ(generate_cdi(files, options)->version, "0.7.0");
}

TEST(CdiGenerate, TheLowestVersionThatTheContentNeeds) {
  CdiOptions options;
  options.by_index = options.by_uuid = false;
  EXPECT_EQ(generate_cdi(host(), options)->version, "0.3.0");
  options.newest_version = "0.2.0";
  EXPECT_NE(refusal(host(), options).find("up to version 0.2.0, and this one needs 0.3.0"),
            std::string::npos);
  options.device_class = "gpu.x";
  options.newest_version = "0.6.0";
  EXPECT_EQ(generate_cdi(host(), options)->version, "0.6.0");
  options.device_class = "gpu";
  options.vendor = "estiva.dev";
  EXPECT_EQ(generate_cdi(host(), options)->version, "0.3.0");  // the vendor's point is none of it
  EXPECT_EQ(generate_cdi(host(), options)->kind, "estiva.dev/gpu");
  for (const char* odd :
       {"", "1", "0.6", "0.6.0.0", "0.6.x", "v0.6.0", "0,6,0", "0.6.4294967296"}) {
    options.newest_version = odd;
    EXPECT_NE(refusal(host(), options).find("is not a version of the CDI"), std::string::npos)
        << odd;
  }
}

TEST(CdiGenerate, TheNamesByAddressAreNodesOfTheirOwn) {
  auto files = host();
  files.gpus[0].drm = {"/dev/dri/card1", "/dev/dri/renderD128", "/dev/dri/renderD129"};
  files.gpus[0].drm_by_path = {"/dev/dri/by-path/pci-0000:01:00.0-render"};
  files.nodes.push_back(node("/dev/dri/card1"));
  files.nodes.push_back(node("/dev/dri/renderD128"));  // renderD129 is not there
  CdiOptions options;
  EXPECT_EQ(generate_cdi(files, options)->devices[0].edits, only_node("/dev/nvidia0"));
  for (const bool graphics : {true, false}) {
    options.capabilities = {.graphics = graphics, .display = !graphics};
    CdiEdits edits;
    edits.nodes = {cdi_node("/dev/dri/by-path/pci-0000:01:00.0-render", "/dev/dri/renderD128"),
                   cdi_node("/dev/dri/card1"), cdi_node("/dev/dri/renderD128"),
                   cdi_node("/dev/nvidia0")};
    EXPECT_EQ(generate_cdi(files, options)->devices[0].edits, edits);
  }
}

TEST(CdiMounts, CapabilitiesOfLibraries) {
  EXPECT_EQ(capability_of("libnvidia-ml.so.550"), Capability::utility);
  EXPECT_EQ(capability_of("libGLX_nvidia.so.550"), Capability::graphics);
  EXPECT_EQ(capability_of("libnvcuvid.so.550"), Capability::video);
  EXPECT_EQ(capability_of("nvidia_drv.so"), Capability::display);
  EXPECT_EQ(capability_of("libnvidia-new-in-600.so.600"), Capability::compute);
}

TEST(CdiMounts, TwoLibrariesOfOneSonameGoByTheHostsLinkElseByVersion) {
  DriverFiles files;
  files.libraries = {library("libnvidia-x.so.1.1.9", "libnvidia-x.so.1"),
                     library("libnvidia-x.so.1.2.0", "libnvidia-x.so.1")};
  EXPECT_EQ(places(driver_mounts(files, {}))["/usr/lib64/libnvidia-x.so.1"],
            kLib + "/libnvidia-x.so.1.2.0");
  files.libraries[0].links = {kLib + "/libnvidia-x.so.1"};
  EXPECT_EQ(places(driver_mounts(files, {}))["/usr/lib64/libnvidia-x.so.1"],
            kLib + "/libnvidia-x.so.1.1.9");
}

TEST(CdiMounts, ThirtyTwoBitNeverCoversSixtyFour) {
  DriverFiles files;
  files.libraries = {{"/usr/lib/libcuda.so.550.1", "libcuda.so.1", {}, true, 3},
                     {"/usr/lib/libodd.so.550.1", "libodd.so.1", {}, true, 40}};
  CdiOptions options;
  EXPECT_TRUE(driver_mounts(files, options).empty());
  options.capabilities.compat32 = true;
  std::vector<std::string> found;
  for (const auto& [place, host] : places(driver_mounts(files, options))) found.push_back(place);
  EXPECT_EQ(found, (std::vector<std::string>{"/usr/lib/i386-linux-gnu/libcuda.so",
                                             "/usr/lib/i386-linux-gnu/libcuda.so.1",
                                             "/usr/lib/i386-linux-gnu/libcuda.so.550.1",
                                             "/usr/lib32/libcuda.so", "/usr/lib32/libcuda.so.1"}));
}

TEST(CdiMounts, SocketsAreWritableAndOnlyOnRequest) {
  DriverFiles files;
  files.sockets = {"/run/nvidia-persistenced/socket"};
  CdiOptions options;
  EXPECT_TRUE(driver_mounts(files, options).empty());
  options.with_sockets = true;
  EXPECT_EQ(driver_mounts(files, options),
            (std::vector<CdiMount>{{"/run/nvidia-persistenced/socket",
                                    "/run/nvidia-persistenced/socket",
                                    "",
                                    {"nosuid", "nodev", "rbind", "rprivate", "noexec"}}}));
}

TEST(CdiMounts, ConfigsByCapabilityAndAtThePlaceWhereImagesLook) {
  DriverFiles files;
  files.configs = {"/etc/OpenCL/vendors/nvidia.icd",
                   "/run/opengl-driver/share/glvnd/egl_vendor.d/10_nvidia.json",
                   "/usr/share/X11/xorg.conf.d/10-nvidia.conf",
                   "/usr/share/vulkan/icd.d/nvidia_icd.json"};
  CdiOptions options;
  using Places = std::map<std::string, std::string>;
  Places wanted = {{files.configs[0], files.configs[0]}};
  EXPECT_EQ(places(driver_mounts(files, options)), wanted);
  options.capabilities.graphics = true;
  wanted["/usr/share/glvnd/egl_vendor.d/10_nvidia.json"] = files.configs[1];
  wanted["/etc/vulkan/icd.d/nvidia_icd.json"] = files.configs[3];
  EXPECT_EQ(places(driver_mounts(files, options)), wanted);
  options.capabilities = {.display = true};
  wanted[files.configs[2]] = files.configs[2];
  EXPECT_EQ(places(driver_mounts(files, options)), wanted);
}

}  // namespace
}  // namespace estiva::decide
