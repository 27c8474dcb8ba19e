// The sources of readiness that only read files: each against small trees, at its limits, and
// against damaged input.
#include <cstring>
#include <elf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "observe/readiness/kernels.h"
#include "observe/readiness/log.h"
#include "observe/readiness/module_file.h"
#include "observe/readiness/modules.h"
#include "observe/readiness/nodes.h"
#include "observe/readiness/packages.h"
#include "observe/readiness/pci.h"
#include "observe/readiness/processes.h"
#include "observe/readiness/system.h"
#include "unit/host/temp_dir.h"

namespace estiva::observe {
namespace {

class Files : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { dir_.write(name, text); }
  void link(const std::string& name, const std::string& to) {
    const std::filesystem::path path = dir_.path() + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::filesystem::create_symlink(to, path);
  }
  test::TempDir dir_;
  host::Root root_ = host::Root::open(dir_.path()).value();
  Tree tree() { return Tree(root_); }
};

TEST_F(Files, TextsAndTheirAbsence) {
  write("etc/a", " one \ntwo\n");
  const Tree tree = this->tree();
  EXPECT_EQ(tree.text("/etc/a"), Reading<std::string>(" one \ntwo\n"));
  EXPECT_EQ(tree.line("/etc/a"), "one");
  EXPECT_EQ(tree.text("/etc/b"), Reading<std::string>(Missing::not_supported));
  EXPECT_EQ(tree.text("/etc/a/b"), Reading<std::string>(Missing::not_supported));
  EXPECT_EQ(tree.text("/etc"), Reading<std::string>(Missing::failed)) << "a folder";
  EXPECT_EQ(tree.text("/etc/a", 10), Reading<std::string>(" one \ntwo\n"));
  EXPECT_EQ(tree.text("/etc/a", 9), Reading<std::string>(Missing::failed));
  EXPECT_FALSE(tree.file("/etc/b").exists());
}

TEST_F(Files, LinksStayInTheTree) {
  write("usr/bin/tool", "x");
  link("bin", "/usr/bin");
  link("out", "../../../../../../../../etc/passwd");
  const Tree tree = this->tree();
  EXPECT_EQ(tree.resolved("/bin/tool"), "/usr/bin/tool");
  EXPECT_EQ(tree.resolved("/"), "/");
  EXPECT_EQ(tree.resolved("/nothing"), "");
  EXPECT_EQ(tree.link("/bin"), Reading<std::string>("/usr/bin"));
  EXPECT_EQ(tree.link("/usr/bin/tool"), Reading<std::string>(Missing::not_supported));
  EXPECT_FALSE(tree.exists("/out")) << "it leads to this tree's own etc/passwd, which is not there";
}

TEST_F(Files, TimesOfACopyMeanNothing) {
  write("etc/a", "x");
  write("times", "1772452800 now\n5 /etc/a\nx /etc/b\n7\n");
  EXPECT_EQ(tree().now(), 1772452800);
  EXPECT_EQ(tree().modified_at("/etc/a"), 5);
  EXPECT_EQ(tree().changed_at("/etc/a"), 5);
  EXPECT_EQ(tree().modified_at("/etc/b"), 0);
  const auto machine = host::Root::open("/").value();
  EXPECT_GT(Tree(machine).modified_at("/etc/passwd"), 0);
}

TEST_F(Files, ReleasesAreNumbers) {
  const std::vector<const char*> rising = {"5.4.0-9-generic", "5.4.0-10-generic", "5.10.1",
                                           "6.1.0-9-amd64",   "6.1.0-018-amd64",  "6.12.1"};
  for (std::size_t i = 0; i + 1 < rising.size(); ++i) {
    EXPECT_TRUE(is_older_release(rising[i], rising[i + 1])) << rising[i];
    EXPECT_FALSE(is_older_release(rising[i + 1], rising[i])) << rising[i];
  }
  EXPECT_FALSE(is_older_release("6.1", "6.1"));
  EXPECT_TRUE(is_older_release("6.1", "6.1.1"));
  EXPECT_FALSE(is_older_release("6.1.1", "6.1"));
}

// An ELF file with a section .modinfo, and nothing else that a module has.
std::string module_bytes(const std::string& modinfo, const std::string& end = "") {
  const std::string names = std::string("\0.modinfo\0.shstrtab\0", 20);
  Elf64_Ehdr head{};
  std::memcpy(head.e_ident, ELFMAG, SELFMAG);
  head.e_ident[EI_CLASS] = ELFCLASS64;
  head.e_shentsize = sizeof(Elf64_Shdr);
  head.e_shnum = 3;
  head.e_shstrndx = 2;
  head.e_shoff = sizeof head + modinfo.size() + names.size();
  Elf64_Shdr sections[3]{};
  sections[1].sh_name = 1;
  sections[1].sh_offset = sizeof head;
  sections[1].sh_size = modinfo.size();
  sections[2].sh_name = 10;
  sections[2].sh_offset = sizeof head + modinfo.size();
  sections[2].sh_size = names.size();
  return std::string(reinterpret_cast<const char*>(&head), sizeof head) + modinfo + names +
         std::string(reinterpret_cast<const char*>(sections), sizeof sections) + end;
}

TEST_F(Files, WhatAModulesFileSays) {
  const std::string info("license=NVIDIA\0srcversion=1\0version=550.163.01\0", 47);
  write("plain.ko", module_bytes(info));
  write("signed.ko", module_bytes(info, "PKCS#7~Module signature appended~\n"));
  write("nearly.ko", module_bytes(info, "~Module signature appended~\n."));
  write("other.ko", module_bytes(std::string("license=GPL\0", 12)));
  write("packed.ko.xz",
        "\xfd"
        "7zXZ and the rest");
  const auto read = [&](const char* name) { return read_module_file(tree(), name); };
  EXPECT_EQ(read("/plain.ko").version, Reading<std::string>("550.163.01"));
  EXPECT_EQ(read("/plain.ko").is_signed, Reading<bool>(false));
  EXPECT_EQ(read("/signed.ko").is_signed, Reading<bool>(true));
  EXPECT_EQ(read("/nearly.ko").is_signed, Reading<bool>(false));
  EXPECT_EQ(read("/other.ko").version, Reading<std::string>(Missing::not_supported));
  for (const char* name : {"/packed.ko.xz", "/none.ko"}) {
    EXPECT_EQ(read(name).version, Reading<std::string>(Missing::not_supported)) << name;
    EXPECT_EQ(read(name).is_signed, Reading<bool>(Missing::not_supported)) << name;
  }
  // Cut anywhere it is less, never wrong.
  const std::string whole = module_bytes(info);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write("cut.ko", whole.substr(0, size));
    EXPECT_EQ(read("/cut.ko").version, Reading<std::string>(Missing::not_supported)) << size;
  }
}

TEST_F(Files, KernelsWithTheirModules) {
  const std::string info("version=550.163.01\0", 19);
  write("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
  write("lib/modules/6.1.0-18-amd64/modules.dep",
        "kernel/drivers/video/fbdev/nvidia/nvidiafb.ko:\nupdates/dkms/nvidia.ko: kernel/x.ko\n"
        "updates/dkms/nvidia-uvm.ko: updates/dkms/nvidia.ko\n");
  write("lib/modules/6.1.0-18-amd64/updates/dkms/nvidia.ko", module_bytes(info));
  write("lib/modules/6.1.0-9-amd64/modules.dep",
        "kernel/drivers/platform/x86/nvidia-wmi-ec-backlight.ko.xz: kernel/wmi.ko.xz\n");
  write("lib/modules/6.1.0-20-amd64/modules.dep", "updates/dkms/nvidia-current.ko.xz:\n");
  write("lib/modules/6.1.0-7-amd64/updates/dkms/nvidia.ko", "left behind");
  write("var/lib/dkms/nvidia-current/535.247.01/6.1.0-20-amd64/x86_64/log/x", "");
  write("var/lib/dkms/nvidia-current/535.54.03/6.1.0-20-amd64/x86_64/log/x", "");
  write("var/lib/dkms/nvidia-current/560.1.1/6.1.0-9-amd64/x86_64/log/x", "");
  const auto kernels = read_kernels(tree());
  ASSERT_EQ(kernels.size(), 3u) << "a folder without modules.dep is none";
  EXPECT_EQ(kernels[0].release, "6.1.0-9-amd64");
  EXPECT_FALSE(kernels[0].has_nvidia);
  EXPECT_FALSE(kernels[0].is_running);
  EXPECT_EQ(kernels[1].release, "6.1.0-18-amd64");
  EXPECT_TRUE(kernels[1].is_running);
  EXPECT_TRUE(kernels[1].has_nvidia);
  EXPECT_TRUE(kernels[1].has_nvidia_uvm);
  EXPECT_EQ(kernels[1].nvidia_version, Reading<std::string>("550.163.01"));
  EXPECT_EQ(kernels[2].release, "6.1.0-20-amd64");
  EXPECT_TRUE(kernels[2].has_nvidia);
  EXPECT_FALSE(kernels[2].has_nvidia_uvm);
  EXPECT_EQ(kernels[2].nvidia_version, Reading<std::string>("535.247.01"));
}

TEST_F(Files, ARunningKernelThatIsNotInstalledIsThere) {
  write("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
  const auto kernels = read_kernels(tree());
  ASSERT_EQ(kernels.size(), 1u);
  EXPECT_TRUE(kernels[0].is_running);
  EXPECT_FALSE(kernels[0].has_nvidia);
  EXPECT_EQ(kernels[0].nvidia_version, Reading<std::string>(Missing::not_supported));
}

TEST_F(Files, TheNumberOfKernelsHasALimitThatKeepsTheRunningOne) {
  write("proc/sys/kernel/osrelease", "6.1.0-1\n");
  for (std::size_t i = 1; i <= kMostKernels; ++i) {
    write("lib/modules/6.1.0-" + std::to_string(i) + "/modules.dep", "");
  }
  EXPECT_EQ(read_kernels(tree()).size(), kMostKernels);
  write("lib/modules/6.1.0-17/modules.dep", "");
  const auto kernels = read_kernels(tree());
  ASSERT_EQ(kernels.size(), kMostKernels);
  EXPECT_EQ(kernels.front().release, "6.1.0-1");
  EXPECT_TRUE(kernels.front().is_running);
  EXPECT_EQ(kernels[1].release, "6.1.0-3");
  EXPECT_EQ(kernels.back().release, "6.1.0-17");
}

TEST_F(Files, PciDevicesThatAreDisplaysOrSwitches) {
  const auto device = [&](const std::string& bus, const char* vendor, const char* cls) {
    const std::string folder = "sys/bus/pci/devices/" + bus;
    write(folder + "/vendor", std::string(vendor) + "\n");
    write(folder + "/class", std::string(cls) + "\n");
    write(folder + "/device", "0x2204\n");
    return folder;
  };
  const auto dead = device("0000:01:00.0", "0x10de", "0x030200");
  write(dead + "/config", std::string(64, '\xff'));
  link(dead + "/driver", "../../../../bus/pci/drivers/vfio-pci");
  const auto asleep = device("0000:02:00.0", "0x10de", "0x030000");
  write(asleep + "/config", std::string(64, '\xff'));
  write(asleep + "/power/runtime_status", "suspended\n");
  device("0000:01:00.1", "0x10de", "0x040300");
  device("0000:03:00.0", "0x8086", "0x068000");
  device("0000:04:00.0", "0x10de", "0x068000");
  const auto pci = read_pci(tree());
  ASSERT_EQ(pci.size(), 3u);
  EXPECT_FALSE(pci[0].answers);
  EXPECT_EQ(pci[0].driver, "vfio-pci");
  EXPECT_EQ(pci[0].device, 0x2204u);
  EXPECT_EQ(pci[0].boot_vga, Reading<bool>(Missing::not_supported));
  EXPECT_TRUE(pci[1].answers) << "reading it would wake the card";
  EXPECT_EQ(pci[1].driver, "");
  EXPECT_EQ(pci[2].bus_id, "0000:04:00.0");
  EXPECT_TRUE(has_nvswitch(pci));
  EXPECT_FALSE(has_nvswitch({pci[0], pci[1]}));
  write(dead + "/config", std::string(3, '\xff') + "\x01 and more");
  EXPECT_TRUE(read_pci(tree())[0].answers);
}

TEST_F(Files, LinesThatModprobeWouldRead) {
  write("etc/modprobe.d/a.conf",
        "# options nvidia x=1\n\noptions nvidia \\\n  NVreg_A=1 \\\n NVreg_B=2\nblacklist pcspkr\n"
        "blacklist nouveau\n");
  write("usr/lib/modprobe.d/a.conf", "options nvidia hidden=1\n");
  write("usr/lib/modprobe.d/b.conf", "options nvidia_uvm uvm_disable_hmm=1\n");
  write("etc/modprobe.d/c.conf.bak", "options nvidia no=1\n");
  const std::vector<SourceLine> expected = {
      {"/etc/modprobe.d/a.conf", 3, "options nvidia NVreg_A=1 NVreg_B=2"},
      {"/etc/modprobe.d/a.conf", 7, "blacklist nouveau"},
      {"/usr/lib/modprobe.d/b.conf", 1, "options nvidia_uvm uvm_disable_hmm=1"}};
  auto lines = read_modprobe_lines(tree());
  EXPECT_EQ(lines, expected);
  write("etc/modules", "nvidia\nloop\n");
  link("etc/modules-load.d/modules.conf", "../modules");
  write("etc/modules-load.d/nvidia.conf", ";nvidia-drm\nnvidia-uvm\n");
  EXPECT_EQ(read_load_lines(tree()),
            (std::vector<SourceLine>{{"/etc/modules", 1, "nvidia"},
                                     {"/etc/modules-load.d/nvidia.conf", 2, "nvidia-uvm"}}));
}

TEST_F(Files, MajorsAreThoseOfCharacterDevices) {
  const auto majors = parse_majors(
      "Character devices:\n  1 mem\n195 nvidia\n511 nvidia-uvm\nx y\n\n"
      "Block devices:\n511 other\n");
  EXPECT_EQ(majors,
            (std::map<std::string, unsigned>{{"mem", 1}, {"nvidia", 195}, {"nvidia-uvm", 511}}));
}

TEST_F(Files, TheLastLinesOfTheKernelsLog) {
  std::string text;
  for (std::size_t i = 1; i <= kMostLogLines; ++i) text += "[1.0] " + std::to_string(i) + "\n";
  EXPECT_EQ(parse_kernel_log(text).size(), kMostLogLines);
  EXPECT_EQ(parse_kernel_log(text).front(), "[1.0] 1");
  const auto more = parse_kernel_log(text + "[1.0] more");
  EXPECT_EQ(more.size(), kMostLogLines);
  EXPECT_EQ(more.front(), "[1.0] 2");
  EXPECT_EQ(more.back(), "[1.0] more");
}

TEST_F(Files, RecordsBecomeLinesAndAProgramsOnesDoNot) {
  EXPECT_EQ(parse_kernel_log("6,12,3365205,-;NVRM: loading\n13,13,4000000,-;from a program\n"),
            std::vector<std::string>{"[    3.365205] NVRM: loading"});
  write("dev/kmsg.log", "4,1,2000001,-;NVRM: Xid (PCI:0000:01:00): 79\n");
  EXPECT_EQ(*read_kernel_log(tree()),
            std::vector<std::string>{"[    2.000001] NVRM: Xid (PCI:0000:01:00): 79"});
  write("kmsg", "[    1.0] one\n");
  EXPECT_EQ(*read_kernel_log(tree()), std::vector<std::string>{"[    1.0] one"});
}

TEST_F(Files, SleepSinceTheModuleWasLoaded) {
  using Log = Reading<std::vector<std::string>>;
  const Reading<std::string> none = Missing::not_supported;
  const std::string loads = "[3.0] NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550",
                    wakes = "[9.0] PM: suspend exit", begins = "[0.0] Linux version 6.1";
  const auto slept = [&](std::vector<std::string> log, const Reading<std::string>& count) {
    return has_slept(Log(std::move(log)), count);
  };
  EXPECT_EQ(slept({begins, loads, wakes}, none), Reading<bool>(true));
  EXPECT_EQ(slept({begins, wakes, loads}, none), Reading<bool>(false));
  EXPECT_EQ(slept({begins, loads}, std::string("3\n")), Reading<bool>(false));
  EXPECT_EQ(slept({loads, "[9] PM: hibernation: hibernation exit"}, none), Reading<bool>(true));
  EXPECT_EQ(slept({}, std::string("0\n")), Reading<bool>(false));
  EXPECT_EQ(slept({"[8.0] other"}, std::string("2\n")), Reading<bool>(Missing::no_sample))
      << "the log has lost its beginning";
  EXPECT_EQ(slept({wakes}, std::string("2\n")), Reading<bool>(true));
  EXPECT_EQ(has_slept(Missing::not_permitted, none), Reading<bool>(Missing::not_permitted));
  EXPECT_EQ(has_slept(Missing::not_permitted, std::string("0")), Reading<bool>(false));
}

TEST_F(Files, PackagesOfDpkg) {
  Packages packages;
  parse_dpkg_status(
      "Package: nvidia-driver\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 1.2-3\n"
      "Description: x\n Package: libcuda1\n\nPackage: libcuda1\nStatus: deinstall ok config-files\n"
      "Version: 9\n\nPackage: bash\nStatus: install ok installed\nVersion: 5\n\n"
      "Package: docker-ce\nStatus: install ok installed\nVersion: 5:28.5.2-1~debian\n",
      packages);
  EXPECT_EQ(packages.versions,
            (std::map<std::string, std::string>{{"nvidia-driver", "1.2-3"},
                                                {"docker-ce", "5:28.5.2-1~debian"}}));
  EXPECT_EQ(packages.held, std::vector<std::string>{"nvidia-driver"});
}

TEST_F(Files, PackagesOfPacmanAndRpm) {
  Packages packages;
  for (const char* name : {"nvidia-open-580.105.08-3", "docker-1:29.2.0-1", "bash-5.3-2", "nvidia",
                           "nvidia-1", "ALPM_DB_VERSION", "-1-1"}) {
    parse_pacman_name(name, packages);
  }
  EXPECT_EQ(packages.versions, (std::map<std::string, std::string>{{"nvidia-open", "580.105.08-3"},
                                                                   {"docker", "1:29.2.0-1"}}));
  Packages rows;
  parse_package_rows("nvidia-driver 3:580.95.05-1.el9\nbash 0:5-1\ndocker-ce 0:28-1\nnvidia\n",
                     rows);
  EXPECT_EQ(rows.versions, (std::map<std::string, std::string>{
                               {"nvidia-driver", "3:580.95.05-1.el9"}, {"docker-ce", "28-1"}}));
}

TEST_F(Files, VersionsWithoutEpochAndRevision) {
  EXPECT_EQ(upstream_version("3:550.163.01-1~deb12u1"), "550.163.01");
  EXPECT_EQ(upstream_version("580.95.05-0ubuntu0.24.04.2"), "580.95.05");
  EXPECT_EQ(upstream_version("2.40.3+dfsg1-1"), "2.40.3");
  EXPECT_EQ(upstream_version("1.2"), "1.2");
  EXPECT_EQ(upstream_version(""), "");
}

TEST_F(Files, AMachineThatUpgradesItself) {
  EXPECT_FALSE(read_packages(tree()).upgrades_itself);
  write("etc/apt/apt.conf.d/20auto", "APT::Periodic::Unattended-Upgrade \"1\";\n");
  EXPECT_TRUE(read_packages(tree()).upgrades_itself);
  write("etc/apt/apt.conf.d/90off", "// no\nAPT::Periodic::Unattended-Upgrade \"0\";\n");
  EXPECT_FALSE(read_packages(tree()).upgrades_itself) << "the last one counts";
  link("etc/systemd/system/timers.target.wants/dnf-automatic.timer", "/usr/lib/x");
  EXPECT_FALSE(read_packages(tree()).upgrades_itself) << "it only downloads";
  write("etc/dnf/automatic.conf", "[commands]\napply_updates = yes\n");
  EXPECT_TRUE(read_packages(tree()).upgrades_itself);
}

TEST_F(Files, WhatAutomaticUpgradesLeaveAloneIsHeld) {
  std::string status;
  for (const char* name : {"nvidia-driver", "nvidia-kernel-dkms", "libcuda1", "docker-ce"})
    status += std::string("Package: ") + name + "\nStatus: install ok installed\nVersion: 1\n\n";
  write("var/lib/dpkg/status", status);
  const auto held = [&] { return read_packages(tree()).held; };
  using Names = std::vector<std::string>;
  EXPECT_EQ(held(), Names{});
  write("etc/apt/apt.conf.d/50unattended-upgrades",
        "\"nvidia-driver\";\nUnattended-Upgrade::Package-Blacklist {\n//  \"docker-ce\";\n"
        "  \"nvidia-k\";\n  \"libcuda$\";\n  \"(lib)?cuda1\";\n};\n"
        "Other::List { \"docker-ce\"; };\n");
  EXPECT_EQ(held(), Names{"nvidia-kernel-dkms"}) << "a beginning, or a whole name";
  write("etc/apt/apt.conf.d/52estiva-nvidia",
        "Unattended-Upgrade::Package-Blacklist:: \"libcuda1$\";\n"
        "Unattended-Upgrade::Package-Blacklist:: \"nvidia-driver$\";\n\"docker-ce\";\n");
  EXPECT_EQ(held(), (Names{"nvidia-kernel-dkms", "libcuda1", "nvidia-driver"}));
}

TEST_F(Files, AnRpmDatabaseWithoutItsListIsSaid) {
  write("var/lib/rpm/rpmdb.sqlite", "binary");
  EXPECT_NE(read_packages(tree()).trouble.find("rpm -qa"), std::string::npos);
  write("packages", "nvidia-driver 3:580-1\n");
  EXPECT_EQ(read_packages(tree()).trouble, "");
  EXPECT_EQ(read_packages(tree()).versions.size(), 1u);
}

TEST_F(Files, ProcessesByName) {
  write("proc/30/comm", "dockerd\n");
  write("proc/4/comm", "nvidia-persiste\n");
  write("proc/5/comm", "dockerd-not\n");
  write("proc/self/comm", "dockerd\n");
  const auto found = find_processes(tree());
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].pid, 4);
  EXPECT_EQ(found[1].pid, 30);
  EXPECT_TRUE(is_running(found, "nvidia-persistenced"));
  EXPECT_FALSE(is_running(found, "nv-fabricmanager"));
}

TEST_F(Files, AProcessInDetail) {
  write("proc/stat", "cpu  1 1 1 1 0 0 0 0 0 0\nbtime 1000\n");
  write("proc/30/stat", "30 (dockerd) S 1 30 30 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 1250 1 1 1\n");
  write("proc/30/status", "Uid:\t1000\t1000\t1000\t1000\n");
  write("proc/30/cmdline", std::string("dockerd\0--debug\0\0-H\0", 20));
  write("proc/30/environ", std::string("HOME=/home/x\0PATH=/a:/b\0XPATH=/c\0", 33));
  link("proc/30/exe", "/usr/bin/dockerd (deleted)");
  const auto detail = read_process(tree(), 30);
  EXPECT_EQ(detail.program, "/usr/bin/dockerd");
  EXPECT_EQ(detail.arguments, (std::vector<std::string>{"--debug", "", "-H"}));
  EXPECT_TRUE(detail.environment_known);
  EXPECT_EQ(value_of(detail.environment, "PATH"), "/a:/b");
  EXPECT_EQ(value_of(detail.environment, "PAT"), "");
  EXPECT_EQ(detail.uid, 1000u);
  EXPECT_EQ(detail.started_at, Reading<std::int64_t>(1012));
  const auto none = read_process(tree(), 31);
  EXPECT_EQ(none.started_at, Reading<std::int64_t>(Missing::failed));
  EXPECT_FALSE(none.environment_known);
}

TEST_F(Files, FirmwareAndSelinux) {
  const auto seen = [&] {
    KernelFacts kernel;
    read_system(tree(), kernel);
    return kernel;
  };
  EXPECT_EQ(seen().secure_boot, Reading<bool>(Missing::not_supported));
  EXPECT_EQ(seen().selinux, Reading<std::string>("disabled"));
  EXPECT_EQ(seen().overcommit_memory, Reading<unsigned>(Missing::not_supported));
  const std::string variable =
      "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
  write("sys/firmware/efi/efivars/other", "x");
  EXPECT_EQ(seen().secure_boot, Reading<bool>(false));
  write(variable, std::string("\x06\0\0\0\x01", 5));
  EXPECT_EQ(seen().secure_boot, Reading<bool>(true));
  write(variable, std::string("\x06\0\0\0\0", 5));
  EXPECT_EQ(seen().secure_boot, Reading<bool>(false));
  write(variable, "x");
  EXPECT_EQ(seen().secure_boot, Reading<bool>(Missing::failed));
  write("sys/fs/selinux/enforce", "0");
  EXPECT_EQ(seen().selinux, Reading<std::string>("permissive"));
  EXPECT_EQ(seen().device_boolean, "");
  write("sys/fs/selinux/booleans/container_use_devices", "0 1");
  EXPECT_EQ(seen().container_use_devices, Reading<bool>(false));
  EXPECT_EQ(seen().device_boolean, "container_use_devices");
  write("sys/fs/selinux/booleans/container_use_xserver_devices", "0 0");
  EXPECT_EQ(seen().device_boolean, "container_use_xserver_devices");
  write("proc/sys/vm/overcommit_memory", "2\n");
  EXPECT_EQ(seen().overcommit_memory, Reading<unsigned>(2u));
}

TEST_F(Files, ContainersAndWsl) {
  std::string manager;
  const auto kind = [&] {
    KernelFacts kernel;
    read_system(tree(), kernel);
    manager = kernel.container_manager;
    return std::pair(kernel.in_container, kernel.in_wsl);
  };
  EXPECT_EQ(kind(), std::pair(false, false));
  write("proc/1/environ", std::string("A=1\0container=lxc\0", 18));
  EXPECT_EQ(kind(), std::pair(true, false));
  EXPECT_EQ(manager, "lxc");
  write("proc/1/environ", std::string("A=container=lxc\0", 16));
  EXPECT_EQ(kind(), std::pair(false, false));
  write("proc/version", "Linux version 4.4.0-Microsoft (x)\n");
  EXPECT_EQ(kind(), std::pair(false, true));
  write(".dockerenv", "");
  EXPECT_EQ(kind(), std::pair(true, true));
  EXPECT_EQ(manager, "docker");
}

TEST_F(Files, TegraTheRootsFileSystemAndKernelImages) {
  KernelFacts kernel;
  read_system(tree(), kernel);
  EXPECT_FALSE(kernel.is_tegra);
  EXPECT_EQ(kernel.root_fs, "");
  write("proc/device-tree/compatible", std::string("nvidia,p3768\0nvidia,tegra234\0", 30));
  write("proc/self/mountinfo", "1 1 0:2 / / rw - rootfs rootfs rw\n");
  read_system(tree(), kernel);
  EXPECT_TRUE(kernel.is_tegra);
  EXPECT_EQ(kernel.root_fs, "rootfs");
  write("lib/modules/6.1.0-1/modules.dep", "");
  write("lib/modules/6.1.0-2/modules.dep", "");
  EXPECT_EQ(read_kernels(tree())[0].is_bootable, Reading<bool>(Missing::not_supported));
  write("boot/vmlinuz-6.1.0-2", "");
  EXPECT_EQ(read_kernels(tree())[0].is_bootable, Reading<bool>(false));
  EXPECT_EQ(read_kernels(tree())[1].is_bootable, Reading<bool>(true));
  write("lib/modules/6.1.0-1/vmlinuz", "");
  EXPECT_EQ(read_kernels(tree())[0].is_bootable, Reading<bool>(true));
}

TEST_F(Files, NodesThatCudaNeeds) {
  KernelFacts kernel;
  EXPECT_TRUE(missing_nodes(kernel, {}, {0}).empty()) << "no module: nothing can be there";
  kernel.module_version = "550";
  EXPECT_EQ(missing_nodes(kernel, {}, {0, 1}),
            (std::vector<std::string>{"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0",
                                      "/dev/nvidia1"}));
  DeviceNode control, uvm;
  control.path = "/dev/nvidiactl";
  uvm.path = "/dev/nvidia-uvm";
  EXPECT_EQ(missing_nodes(kernel, {control, uvm}, {}), std::vector<std::string>{});
  write("dev/nvidia0", "an ordinary file");
  EXPECT_TRUE(read_nodes(tree()).empty());
  EXPECT_TRUE(read_host_path(tree(), "/dev/nvidia0").exists);
  EXPECT_FALSE(read_host_path(tree(), "/dev/nvidia0").is_device);
}

}  // namespace
}  // namespace estiva::observe
