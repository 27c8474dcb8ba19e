// A machine with a secret in every place: what of it a recording holds, and what comes back.
#include "observe/machine_recording.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

#include "observe/scenario.h"

namespace estiva::observe {
namespace {

namespace fs = std::filesystem;

// In every name that a user gives, in every identity, in every unusual path.
constexpr std::string_view kSecret = "s3cr3t";
const std::string kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/estiva-record-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(path_ + "/" + name).parent_path());
    std::ofstream(path_ + "/" + name) << text;
  }

 private:
  std::string path_;
};

std::string text_of(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The files below a folder that hold the text, or have it in their name.
std::vector<std::string> files_with(const std::string& dir, std::string_view text) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    const bool named = entry.path().filename().string().find(text) != std::string::npos;
    const bool holds =
        entry.is_regular_file() && text_of(entry.path()).find(text) != std::string::npos;
    if (named || holds) found.push_back(entry.path());
  }
  return found;
}

void make_tree(const Folder& tree) {
  tree.write("proc/stat", "cpu 1 2 3 4\n");
  tree.write("proc/meminfo", "MemTotal: 1000 kB\n");
  tree.write("proc/swaps",
             "Filename\tType\tSize\tUsed\tPriority\n/home/s3cr3t/swap file\t1000\t0\t-2\n");
  tree.write("proc/self/mountinfo",
             "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
             "22 21 0:40 / /home/s3cr3t rw - nfs4 s3cr3t.example:/export rw,user=s3cr3t\n"
             "24 21 8:2 / /srv rw - ext4 /dev/mapper/s3cr3t--vg-srv rw\n"
             "23 21 0:41 / /var/lib/docker rw - overlay overlay rw,lowerdir=/s3cr3t\n");
  tree.write("proc/modules",
             "nvidia 54000 4 nvidia_uvm,nvidia_s3cr3t, Live 0x0 (POE)\n"
             "nvidia_s3cr3t 1 0 - Live 0x0\n");
  tree.write("proc/driver/nvidia/version",
             "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  "
             "(s3cr3t@s3cr3t-host)  Mon Nov 2\nGCC version: 12.2.0 (Debian 12.2.0-14)\n");
  tree.write("proc/driver/nvidia/params", "ExcludedGpus: \"GPU-s3cr3t\"\n");
  tree.write("proc/devices", "Character devices:\n195 nvidia\n240 s3cr3t\n");
  tree.write("proc/sys/kernel/osrelease", "6.1.0-18-s3cr3t\n");
  tree.write("proc/sys/kernel/hostname", "s3cr3t\n");
  tree.write("etc/machine-id", "s3cr3t\n");
  tree.write(
      "etc/os-release",
      "PRETTY_NAME=\"Debian of s3cr3t\"\nID=debian\nVERSION_ID=\"12\"\nHOME_URL=https://s3cr3t\n");
  tree.write("etc/docker/daemon.json",
             R"({"data-root":"/mnt/s3cr3t","registry-mirrors":["https://s3cr3t"]})");
  tree.write("etc/shadow", "s3cr3t\n");
  tree.write("proc/driver/nvidia/gpus/0000:01:00.0/information",
             "Model: \t\t RTX\nGPU UUID: \t GPU-s3cr3t\n");
  tree.write("sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n");
  tree.write("sys/bus/pci/devices/0000:01:00.0/device", "0x2504\n");
  tree.write("sys/bus/pci/devices/0000:01:00.0/serial", "s3cr3t\n");
  tree.write("sys/bus/pci/devices/0000:02:00.0/vendor", "0x8086\n");
  tree.write("proc/1/stat", "1 (systemd) S 0 1 1 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 5 6 7\n");
  tree.write("proc/4242/stat",
             "4242 (s3cr3t) x)) S 77 1 1 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 900 6 7\n");
  tree.write("proc/4242/comm", "s3cr3t) x)\n");
  tree.write("proc/4242/cmdline", "s3cr3t\n");
  tree.write("proc/4242/cgroup", "0::/s3cr3t.slice/docker-" + kId + ".scope\n");
  tree.write("proc/77/stat", "77 (python3) S 1 1 1 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 800 6 7\n");
  tree.write("proc/99/stat", "99 (s3cr3t) S 1 1 1 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 800 6 7\n");
}

Gpu a_gpu() {
  Gpu gpu;
  gpu.identity.id.uuid = "GPU-s3cr3t";
  gpu.identity.name = "NVIDIA GeForce RTX 3060";
  gpu.identity.architecture = "Ampere";
  gpu.identity.serial = "s3cr3t";
  gpu.identity.pci_bus_id = "00000000:01:00.0";
  gpu.sample.memory = GpuMemory{gib(12), gib(4), gib(8) - mib(300), mib(300), true};
  gpu.sample.utilization = Ratio{0.5};
  gpu.sample.temperature = Celsius{61};
  gpu.sample.power = Missing::not_supported;
  GpuProcess process;
  process.pid = 4242;
  process.used = gib(3);
  process.compute = true;
  process.name = "s3cr3t";
  gpu.sample.processes = std::vector<GpuProcess>{process};
  return gpu;
}

MachineRecording a_recording() {
  MachineRecording recording;
  recording.version = "1.2.3";
  recording.wall = {1'700'000'000'000'000'000};
  recording.node_id = "s3cr3t";
  for (int i = 0; i < 3; ++i) {
    gpu::RecordedReading reading{{5'000'000'000 + i * 1'000'000'000LL}, {}, {a_gpu()}};
    reading.driver.state = DriverState::partial;
    reading.driver.version = "550.163.01";
    reading.driver.reason = "lost: GPU-s3cr3t (00000000:01:00.0), by /home/s3cr3t/lib.so";
    recording.gpus.readings.push_back(reading);
    HostSample host;
    host.read_at = reading.at;
    host.cores = 8;
    host.memory = HostMemory{gib(32), gib(20), gib(10), gib(8), {}, {}, gib(4), gib(3)};
    host.memory_pressure.some = PressureLine{Ratio{0.25}, {}, {}, 17};
    host.disks = {{"root", "/", "ext4", gib(100), gib(40), gib(55), Ratio{0.42}},
                  {"models", "/home/s3cr3t/models", "ext4", gib(100), gib(40), gib(55), {}}};
    host.swaps = {{"/home/s3cr3t/swap", "file", gib(4), gib(1), -2}};
    host.top_cpu = {{4242, 900, "s3cr3t", Ratio{1.5}, gib(1)}, {77, 800, "python3", {}, mib(5)}};
    host.cgroup_layout = "v2";
    recording.host.push_back(host);
  }
  recording.gpus.calls = {{"nvmlDeviceGetPowerUsage", 0, 3, 3, std::chrono::milliseconds(6), {}}};
  recording.engine = {
      EngineState::denied, "unix:/home/s3cr3t.sock", "Docker", "28.5", "s3cr3t", ""};
  recording.containers = {{kId, "s3cr3t-web-1", "registry.s3cr3t/app:1", "s3cr3t", "s3cr3t-svc",
                           "s3cr3t-model", ContainerState::running, "healthy"}};
  recording.processes = {{4242, kId, "docker", false}};
  XidReport xid;
  xid.slot = "0000:01:00";
  xid.code = 31;
  xid.at = {4'000'000'000};
  xid.source = XidSource::kernel_log;
  xid.pid = 4242;
  xid.process = "s3cr3t";
  recording.xids = {xid};
  recording.left_out = {"container engine: unreachable (unix:/home/s3cr3t/docker.sock)"};
  return recording;
}

class Recording : public testing::Test {
 protected:
  Recording() { make_tree(tree_); }
  Result<std::vector<RecordedFile>> write(bool names = false) {
    auto root = host::Root::open(tree_ / ".");
    Redactor redactor(names);
    return write_machine(dir(), a_recording(), *root, redactor);
  }
  std::string dir() const { return place_ / "machine"; }
  Folder tree_, place_;
};

TEST_F(Recording, NoSecretIsInIt) {
  ASSERT_EQ(files_with(tree_ / ".", kSecret).size(), 19u);  // they are there to be found
  const auto files = write();
  ASSERT_TRUE(files) << files.error().sentence();
  EXPECT_EQ(files_with(dir(), kSecret), std::vector<std::string>{});
  EXPECT_EQ(files_with(dir(), kId.substr(0, 12)), std::vector<std::string>{});
  EXPECT_FALSE(fs::exists(dir() + "/etc/shadow"));
  EXPECT_FALSE(fs::exists(dir() + "/proc/4242/cmdline"));
  EXPECT_FALSE(fs::exists(dir() + "/proc/99"));
  EXPECT_FALSE(fs::exists(dir() + "/sys/bus/pci/devices/0000:02:00.0"));
}

TEST_F(Recording, WhatMattersIsInIt) {
  ASSERT_TRUE(write());
  EXPECT_EQ(text_of(dir() + "/proc/meminfo"), "MemTotal: 1000 kB\n");
  EXPECT_EQ(text_of(dir() + "/etc/os-release"), "ID=debian\nVERSION_ID=\"12\"\n");
  const std::string version = text_of(dir() + "/proc/driver/nvidia/version");
  EXPECT_NE(version.find("580.159.04  Release Build  (builder)  Mon"), std::string::npos);
  EXPECT_NE(version.find("12.2.0 (Debian 12.2.0-14)"), std::string::npos);
  EXPECT_EQ(text_of(dir() + "/proc/devices"), "195 nvidia\n");
  EXPECT_EQ(text_of(dir() + "/proc/modules"), "nvidia 54000 4 nvidia_uvm, Live 0x0 (POE)\n");
  EXPECT_EQ(text_of(dir() + "/proc/sys/kernel/osrelease"), "6.1.0-18-flavour-1\n");
  EXPECT_EQ(text_of(dir() + "/sys/bus/pci/devices/0000:01:00.0/device"), "0x2504\n");
  EXPECT_EQ(text_of(dir() + "/proc/4242/stat").substr(0, 20), "4242 (program-2) S 7");
  EXPECT_EQ(text_of(dir() + "/proc/77/stat").substr(0, 12), "77 (python3)");
  EXPECT_TRUE(text_of(dir() + "/etc/docker/daemon.json").starts_with("{\"data-root\":\"/path-"));
  // The container of the process is the one that the engine told of.
  const auto recording = read_machine(dir());
  ASSERT_TRUE(recording) << recording.error().sentence();
  ASSERT_EQ(recording->containers.size(), 1u);
  const std::string id = recording->containers[0].id;
  EXPECT_EQ(recording->processes[0].id, id);
  EXPECT_NE(text_of(dir() + "/proc/4242/cgroup").find("docker-" + id + ".scope"),
            std::string::npos);
  EXPECT_EQ(recording->containers[0].project, "project-1");
  EXPECT_EQ(recording->gpus.readings[0].gpus[0].identity.id.uuid,
            "GPU-00000000-0000-4000-8000-000000000001");
  EXPECT_NE(text_of(dir() + "/proc/driver/nvidia/gpus/0000:01:00.0/information")
                .find("GPU-00000000-0000-4000-8000-000000000001"),
            std::string::npos);
}

TEST_F(Recording, WithNamesAllComesBackAsItWas) {
  ASSERT_TRUE(write(true));
  const auto back = read_machine(dir());
  ASSERT_TRUE(back) << back.error().sentence();
  const MachineRecording was = a_recording();
  EXPECT_TRUE(back->names_kept);
  EXPECT_EQ(back->version, was.version);
  EXPECT_EQ(back->wall, was.wall);
  EXPECT_EQ(back->node_id, was.node_id);
  EXPECT_EQ(back->gpus, was.gpus);
  EXPECT_EQ(back->host, was.host);
  EXPECT_EQ(back->containers, was.containers);
  EXPECT_EQ(back->processes, was.processes);
  EXPECT_EQ(back->xids, was.xids);
  EXPECT_EQ(back->engine.reason, "s3cr3t");
}

TEST_F(Recording, TheTimesOfItsWorldsAreItsOwn) {
  ASSERT_TRUE(write());
  const auto recording = read_machine(dir());
  ASSERT_TRUE(recording);
  const World last = world_at(*recording, 2);
  EXPECT_EQ(last.wall, (WallTime{1'700'000'002'000'000'000}));
  EXPECT_EQ(last.gpus_read_at, (SteadyTime{7'000'000'000}));
  EXPECT_EQ(last.made_at, last.gpus_read_at);
  EXPECT_FALSE(last.stale);
  EXPECT_EQ(last.driver.source, "recorded");
  EXPECT_EQ(last.host.cores, 8u);
  EXPECT_EQ(last.sequence, 3u);
}

TEST_F(Recording, WhatWasCutOffOrChangedIsNamed) {
  ASSERT_TRUE(write());
  for (const char* file : {"gpus.json", "machine.json", "proc/meminfo"}) {
    const std::string path = dir() + "/" + file, text = text_of(path);
    std::ofstream(path) << text.substr(0, text.size() / 2);
    const auto cut = read_machine(dir());
    ASSERT_FALSE(cut) << file;
    EXPECT_NE(cut.error().what.find(file), std::string::npos) << cut.error().what;
    fs::remove(path);
    EXPECT_FALSE(read_machine(dir())) << file;
    std::ofstream(path) << text;
    EXPECT_TRUE(read_machine(dir())) << file;
  }
  // The manifest is written last: without it the folder is none.
  const std::string manifest = dir() + "/recording.json", text = text_of(manifest);
  for (std::size_t n = 0; n + 2 < text.size(); n += 50) {
    std::ofstream(manifest) << text.substr(0, n);
    EXPECT_FALSE(read_machine(dir())) << n;
  }
  fs::remove(manifest);
  const auto none = read_machine(dir());
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().what.find("no recorded machine"), std::string::npos);
}

TEST_F(Recording, AFolderWithSomethingInItIsLeftAlone) {
  place_.write("machine/notes", "mine");
  const auto refused = write();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::refused);
  EXPECT_EQ(text_of(dir() + "/notes"), "mine");
  EXPECT_EQ(files_with(place_ / ".", "partial"), std::vector<std::string>{});
  fs::remove(dir() + "/notes");
  EXPECT_TRUE(write());  // an empty one may be taken
}

TEST_F(Recording, WhatLiesBesideItIsNeitherTakenNorRemoved) {
  place_.write("machine.partial/proc/999/comm", "s3cr3t");
  place_.write("machine.partial-abcdef/thesis", "mine");
  ASSERT_TRUE(write());
  EXPECT_EQ(files_with(dir(), kSecret), std::vector<std::string>{});
  EXPECT_EQ(text_of(place_ / "machine.partial/proc/999/comm"), "s3cr3t");
  EXPECT_EQ(text_of(place_ / "machine.partial-abcdef/thesis"), "mine");
}

TEST_F(Recording, ASlashAtTheEndIsNoOtherPlace) {
  auto root = host::Root::open(tree_ / ".");
  Redactor redactor;
  ASSERT_TRUE(write_machine(dir() + "//", a_recording(), *root, redactor));
  EXPECT_TRUE(read_machine(dir()));
}

TEST_F(Recording, WhatCannotBeReadIsSaid) {
  if (::geteuid() == 0) {
    // Root reads all: a folder in a file's place can't be read by anybody.
    fs::remove(tree_ / "proc/loadavg");
    fs::create_directory(tree_ / "proc/loadavg");
  } else {
    tree_.write("proc/loadavg", "1");
    ::chmod((tree_ / "proc/loadavg").c_str(), 0);
  }
  ASSERT_TRUE(write());
  const auto recording = read_machine(dir());
  ASSERT_TRUE(recording);
  ASSERT_EQ(recording->left_out.size(), 2u);
  EXPECT_NE(recording->left_out[1].find("loadavg"), std::string::npos) << recording->left_out[1];
}

TEST(Redactor, TheSameNameGetsTheSameNumber) {
  Redactor redactor;
  EXPECT_EQ(redactor.program("llama-server"), "llama-server");
  EXPECT_EQ(redactor.program("mine"), "program-1");
  EXPECT_EQ(redactor.program("other"), "program-2");
  EXPECT_EQ(redactor.program("mine"), "program-1");
  EXPECT_EQ(redactor.program(""), "");
  EXPECT_EQ(redactor.image("ghcr.io/ggml-org/llama.cpp:server-cuda"),
            "ggml-org/llama.cpp:server-cuda");
  EXPECT_EQ(redactor.image("ollama/ollama"), "ollama/ollama");
  EXPECT_EQ(redactor.image("nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04"),
            "nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04");
  EXPECT_EQ(redactor.image("pgvector/pgvector:pg17"), "pgvector/pgvector:pg17");
  EXPECT_EQ(redactor.image("python:bobs-3.12"), "python:tag-1");
  EXPECT_EQ(redactor.image("evil-ollama/ollama"), "image-1");
  EXPECT_EQ(redactor.image("ollama/ollama-mine"), "image-2");
  EXPECT_EQ(redactor.path("/var/lib/docker"), "/var/lib/docker");
  EXPECT_EQ(redactor.path("/home/bob"), "/path-1");
  EXPECT_EQ(redactor.path("/dev/nvme0n1p2"), "/dev/nvme0n1p2");
  EXPECT_EQ(redactor.path("/dev/mapper/bob--vg-root"), "/path-2");
  EXPECT_EQ(redactor.path("/dev/sd/bob"), "/path-3");
  EXPECT_EQ(redactor.sentence("the library '/home/bob/x.so' of GPU-7 (2 of 3): no such file"),
            "the library '/path-4");
  EXPECT_EQ(redactor.sentence("GPU-7 (2 of 3): lost"),
            "GPU-00000000-0000-4000-8000-000000000001 (2 of 3): lost");
  EXPECT_EQ(redactor.cgroup("/user.slice/user-1000.slice/user@1000.service/bob.scope"),
            "/user.slice/user-1000.slice/user@1000.service/group-1");
  EXPECT_EQ(redactor.cgroup("/"), "/");
  // Only what engines put around an id stays.
  EXPECT_EQ(redactor.cgroup("/bobs-" + kId + ".bob"),
            "/group-2" + redactor.container_id(kId) + "group-3");
  EXPECT_EQ(redactor.uuid("MIG-7"), "MIG-00000000-0000-4000-8000-000000000001");
  Redactor keeps(true);
  EXPECT_EQ(keeps.program("mine"), "mine");
  EXPECT_EQ(keeps.cgroup("/bob.scope"), "/bob.scope");
}

TEST(ScenarioOfARecording, SaysCardsProcessesAndCosts) {
  gpu::GpuRecording recording;
  Gpu gpu = a_gpu();
  gpu.identity.name = "A \"quoted\\ name\n";
  recording.readings.push_back({{1'000'000'000}, {}, {gpu}});
  recording.readings.push_back({{2'500'000'000}, {}, {gpu}});
  auto processes = *gpu.sample.processes;
  processes[0].used = gib(1);
  recording.readings[1].gpus[0].sample.processes = processes;
  recording.calls = {{"nvmlDeviceGetPowerUsage", 0, 0, 3, std::chrono::milliseconds(6), {}},
                     {"nvmlDeviceGetFanSpeed", 0, 0, 3, std::chrono::microseconds(3), {}}};
  const std::string text = scenario_of(recording);
  // By hand, from docs/simulator.md.
  for (const char* line :
       {"gpu rtx3060-12g name \"A ?quoted? name?\" memory 12884901888B reserved 314572800B",
        "process 4242 gpu 0 vram 3221225472B name \"s3cr3t\" type compute sm 0\n",
        "hold 0 1073741824B\n", "at 1500ms free 4242 0 2147483648B\n",
        "at 1500ms hold 0 3221225472B\n", "fault nvmlDeviceGetPowerUsage latency 2000us\n",
        "temperature 0 61\n", "load 0 50 memory 0 encoder 0 decoder 0\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nin\n" << text;
  }
  EXPECT_EQ(text.find("FanSpeed"), std::string::npos) << "too short to matter";
  EXPECT_LT(text.find("at 1500ms free"), text.find("at 1500ms hold"));
}

}  // namespace
}  // namespace estiva::observe
