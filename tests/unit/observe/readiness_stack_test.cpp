// Units, the engine's process and settings, CDI directories, Compose files: against small trees.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "observe/readiness/cdi.h"
#include "observe/readiness/collect.h"
#include "observe/readiness/compose.h"
#include "observe/readiness/engine_process.h"
#include "observe/readiness/gone_mounts.h"
#include "observe/readiness/programs.h"
#include "observe/readiness/units.h"
#include "unit/host/temp_dir.h"
#include "unit/observe/machine_tree.h"

namespace estiva::observe {
namespace {

class Stack : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { dir_.write(name, text); }
  void link(const std::string& name, const std::string& to) {
    const std::filesystem::path path = dir_.path() + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::filesystem::create_symlink(to, path);
  }
  void program(const std::string& name, const std::string& text = "#!/bin/sh\n") {
    std::filesystem::permissions(dir_.write(name, text), std::filesystem::perms(0755));
  }
  UnitFact unit(const std::string& name) {
    for (UnitFact& fact : read_units(tree())) {
      if (fact.name == name) return fact;
    }
    return {};
  }
  Tree tree() { return Tree(root_); }
  test::TempDir dir_;
  host::Root root_ = host::Root::open(dir_.path()).value();
};

TEST_F(Stack, TheUnitOfHighestPrecedenceAndAllItsDropIns) {
  write("usr/lib/systemd/system/docker.service", "[Unit]\nAfter=vendor.service");
  write("usr/lib/systemd/system/docker.service.d/10-a.conf", "# vendor a\n");
  write("usr/lib/systemd/system/docker.service.d/20-b.conf", "# vendor b\n");
  write("etc/systemd/system/docker.service.d/10-a.conf", "# own a\n");
  write("run/systemd/system/docker.service.d/15-c.conf", "# boot c\n");
  write("etc/systemd/system/service.d/05-all.conf", "# of all services\n");
  write("etc/systemd/system/docker.service.d/note.txt", "no\n");
  link("lib", "usr/lib");
  const UnitFact fact = unit("docker.service");
  EXPECT_EQ(fact.path, "/usr/lib/systemd/system/docker.service");
  EXPECT_EQ(fact.text,
            "[Unit]\nAfter=vendor.service\n# of all services\n# own a\n# boot c\n# vendor b\n");
  EXPECT_EQ(fact.drop_ins,
            (std::vector<std::string>{"/etc/systemd/system/service.d/05-all.conf",
                                      "/etc/systemd/system/docker.service.d/10-a.conf",
                                      "/run/systemd/system/docker.service.d/15-c.conf",
                                      "/usr/lib/systemd/system/docker.service.d/20-b.conf"}));
  write("etc/systemd/system/docker.service", "# own\n");
  EXPECT_EQ(unit("docker.service").path, "/etc/systemd/system/docker.service");
}

TEST_F(Stack, EnabledMaskedActive) {
  write("usr/lib/systemd/system/docker.service", "[Unit]\n");
  EXPECT_FALSE(unit("docker.service").is_enabled);
  EXPECT_EQ(unit("docker.service").is_active, Reading<bool>(Missing::not_supported));
  link("etc/systemd/system/multi-user.target.wants/docker.service", "/usr/lib/x");
  EXPECT_TRUE(unit("docker.service").is_enabled);
  write("run/systemd/units/.keep", "");
  EXPECT_EQ(unit("docker.service").is_active, Reading<bool>(false));
  link("run/systemd/units/invocation:docker.service", "0123");
  EXPECT_EQ(unit("docker.service").is_active, Reading<bool>(true));
  link("etc/systemd/system/docker.service", "/dev/null");
  EXPECT_TRUE(unit("docker.service").is_masked);
  EXPECT_FALSE(unit("docker.service").is_enabled);
  write("etc/systemd/system/nvidia-empty.service", "");
  EXPECT_TRUE(unit("nvidia-empty.service").is_masked);
  link("usr/lib/systemd/system/sockets.target.requires/docker.socket", "../docker.socket");
  write("usr/lib/systemd/system/docker.socket", "[Socket]\n");
  EXPECT_TRUE(unit("docker.socket").is_enabled);
}

TEST_F(Stack, TheGraphFromTheseUnitsOn) {
  write("etc/systemd/system/my-gpu.service", "[Unit]\nBefore=docker.service first.target\n");
  write("etc/systemd/system/unrelated.service", "[Unit]\nAfter=basic.target\n");
  write("usr/lib/systemd/system/vendor.service", "[Unit]\nAfter=docker.service\n");
  write("usr/lib/systemd/system/first.target",
        "[Unit]\nRequires=second.target\nAfter=second.target\n");
  write("usr/lib/systemd/system/second.target", "[Unit]\n#After=no.target\nAfter=%i.service /x\n");
  std::vector<std::string> names;
  for (const UnitFact& fact : read_units(tree())) names.push_back(fact.name);
  EXPECT_EQ(names, (std::vector<std::string>{"docker.service", "first.target", "my-gpu.service",
                                             "second.target"}));
  EXPECT_EQ(unit("docker.service").path, "") << "named, and not there";
}

TEST_F(Stack, TemplatesGiveTheirInstances) {
  write("etc/systemd/system/nvidia-x@.service", "[Unit]\nWants=nvidia-x@a.service\n");
  EXPECT_EQ(unit("nvidia-x@a.service").path, "/etc/systemd/system/nvidia-x@.service");
}

TEST_F(Stack, TheNumberOfUnitsHasALimit) {
  std::string text = "[Unit]\nAfter=";
  for (std::size_t i = 0; i < kMostUnits - 1; ++i) text += "u" + std::to_string(i) + ".service ";
  write("etc/systemd/system/docker.service", text + "\n");
  EXPECT_EQ(read_units(tree()).size(), kMostUnits);
  write("etc/systemd/system/docker.service", text + "one-more.service\n");
  EXPECT_EQ(read_units(tree()).size(), kMostUnits);
}

TEST_F(Stack, OptionsInBothForms) {
  const std::vector<std::string> words = {
      "--config-file=/a", "--config-file-x", "/b", "--pidfile", "/p", "--last"};
  EXPECT_EQ(option_of(words, "config-file"), "/a");
  EXPECT_EQ(option_of(words, "pidfile"), "/p");
  EXPECT_EQ(option_of(words, "last"), "");
  EXPECT_EQ(option_of(words, "none"), "");
}

TEST_F(Stack, TheEnginesProcessAndItsSettings) {
  write("etc/docker/daemon.json", "{\"default\":1}");
  write("proc/20/comm", "dockerd\n");
  write("proc/20/cmdline", std::string("dockerd\0--config-file\0/srv/test.json\0", 37));
  write("proc/30/comm", "dockerd\n");
  write("proc/30/cgroup", "0::/system.slice/docker.service\n");
  write("proc/30/environ", std::string("PATH=/opt/bin:/usr/bin\0", 23));
  EngineFacts engine;
  read_engine_process(tree(), find_processes(tree()), engine);
  EXPECT_EQ(engine.daemon_json.path, "/etc/docker/daemon.json") << "the machine's own daemon";
  EXPECT_EQ(engine.daemon_json.text, Reading<std::string>("{\"default\":1}"));
  EXPECT_EQ(engine.search_path, "/opt/bin:/usr/bin");
  EXPECT_EQ(engine.kind, EngineKind::docker);
  std::filesystem::remove_all(dir_.path() + "/proc/30");
  EngineFacts other;
  read_engine_process(tree(), find_processes(tree()), other);
  EXPECT_EQ(other.daemon_json.path, "/srv/test.json");
  EXPECT_FALSE(other.daemon_json.exists());
}

TEST_F(Stack, RootlessAndSnap) {
  write("proc/20/comm", "dockerd\n");
  write("proc/20/status", "Uid:\t1000\t1000\t1000\t1000\n");
  write("proc/20/environ", std::string("HOME=/home/me\0", 14));
  EngineFacts rootless;
  read_engine_process(tree(), find_processes(tree()), rootless);
  EXPECT_TRUE(rootless.is_rootless);
  EXPECT_EQ(rootless.daemon_json.path, "/home/me/.config/docker/daemon.json");
  write("proc/20/environ", std::string("HOME=/home/me\0XDG_CONFIG_HOME=/cfg\0", 35));
  EngineFacts configured;
  read_engine_process(tree(), find_processes(tree()), configured);
  EXPECT_EQ(configured.daemon_json.path, "/cfg/docker/daemon.json");
  link("proc/20/exe", "/snap/docker/2963/bin/dockerd");
  EngineFacts snap;
  read_engine_process(tree(), find_processes(tree()), snap);
  EXPECT_EQ(snap.kind, EngineKind::docker_snap);
  EXPECT_EQ(snap.daemon_json.path, "/var/snap/docker/current/config/daemon.json");
}

TEST_F(Stack, OfTwoEnginesTheOneThatAnsweredIsLookedAt) {
  for (const char* pid : {"20", "30"}) {
    write(std::string("proc/") + pid + "/comm", "dockerd\n");
    write(std::string("proc/") + pid + "/cgroup", "0::/x/docker.service\n");
  }
  write("proc/20/status", "Uid:\t0\t0\t0\t0\n");
  write("proc/30/status", "Uid:\t1000\t1000\t1000\t1000\n");
  write("proc/30/environ", std::string("HOME=/home/me\0", 14));
  for (const bool is_rootless : {false, true}) {
    EngineFacts engine;
    engine.kind = EngineKind::docker;
    engine.is_rootless = is_rootless;
    read_engine_process(tree(), find_processes(tree()), engine);
    EXPECT_EQ(engine.daemon_json.path,
              is_rootless ? "/home/me/.config/docker/daemon.json" : "/etc/docker/daemon.json");
  }
}

TEST_F(Stack, AnEngineThatDoesNotRun) {
  EngineFacts none, installed;
  read_engine_process(tree(), {}, none);
  EXPECT_EQ(none.kind, EngineKind::none);
  EXPECT_EQ(none.started_at, Reading<std::int64_t>(Missing::not_supported));
  program("usr/bin/dockerd");
  write("usr/lib/systemd/system/docker.service",
        "[Service]\nExecStart=/usr/bin/dockerd --config-file /srv/d.json\n");
  read_engine_process(tree(), {}, installed);
  EXPECT_EQ(installed.kind, EngineKind::docker);
  EXPECT_EQ(installed.daemon_json.path, "/srv/d.json");
}

TEST_F(Stack, DirectoriesOfSpecs) {
  const auto dirs = [](const char* json) {
    TextFile file;
    if (json != nullptr) file.text = std::string(json);
    return cdi_dirs_of(file);
  };
  const std::vector<std::string> usual = {"/etc/cdi", "/var/run/cdi"};
  EXPECT_EQ(dirs(nullptr), usual);
  EXPECT_EQ(dirs("{}"), usual);
  EXPECT_EQ(dirs("{broken"), usual);
  EXPECT_EQ(dirs(R"({"features":{"cdi":true}})"), usual);
  EXPECT_EQ(dirs(R"({"features":{"cdi":false}})"), std::vector<std::string>{});
  EXPECT_EQ(dirs(R"({"cdi-spec-dirs":["/a","/b"]})"), (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(dirs(R"({"cdi-spec-dirs":[""]})"), std::vector<std::string>{});
}

TEST_F(Stack, SpecsByDirectoryAndWhatTheyName) {
  write("etc/cdi/b.yaml", "b");
  write("etc/cdi/a.json", "a");
  write("etc/cdi/c.yml", "c");
  write("etc/cdi/readme.txt", "no");
  write("srv/cdi/d.yaml", "broken");
  write("run/cdi/e.yaml", "e");
  link("var/run", "../run");
  program("usr/bin/hook");
  const ParseCdi parse = [](std::string path, unsigned priority, std::string text) {
    CdiFile file;
    file.path = std::move(path);
    file.priority = priority;
    file.text = text;
    if (text == "broken") file.error = "line 1: broken";
    CdiDevice device;
    device.edits.nodes.push_back({"/dev/in", "/dev/host", "", "", {}, {}, {}, {}, {}});
    device.edits.nodes.push_back({"/etc/cdi/a.json", "", "", "", {}, {}, {}, {}, {}});
    device.edits.mounts.push_back({"/lib/x.so", "/lib/y.so", "", {}});
    device.edits.hooks.push_back({"createContainer", "/usr/bin/hook", {}, {}, {}});
    file.spec.devices.push_back(device);
    if (text == "broken") file.spec.devices[0].edits.mounts[0].host_path = "/not/looked/at";
    return file;
  };
  const auto facts = read_cdi(tree(), {"/etc/cdi", "/srv/cdi"}, {}, parse);
  std::vector<std::string> rows;
  for (const CdiFile& file : facts.files) {
    rows.push_back(file.path + " " + std::to_string(file.priority) + (file.is_ignored ? " -" : ""));
  }
  EXPECT_EQ(rows, (std::vector<std::string>{"/etc/cdi/a.json 0", "/etc/cdi/b.yaml 0",
                                            "/etc/cdi/c.yml 0 -", "/srv/cdi/d.yaml 1",
                                            "/var/run/cdi/e.yaml 0"}));
  EXPECT_EQ(facts.dirs, (std::vector<std::string>{"/etc/cdi", "/srv/cdi"}));
  EXPECT_FALSE(facts.hosts.at("/dev/host").exists);
  EXPECT_FALSE(facts.hosts.at("/lib/x.so").exists);
  EXPECT_TRUE(facts.hosts.at("/etc/cdi/a.json").exists);
  EXPECT_TRUE(facts.unreadable.empty());
  EXPECT_FALSE(facts.hosts.at("/etc/cdi/a.json").is_executable);
  EXPECT_TRUE(facts.hosts.at("/usr/bin/hook").is_executable);
  EXPECT_EQ(facts.hosts.count("/not/looked/at"), 0u);
  EXPECT_EQ(facts.hosts.count("/dev/in"), 0u);
}

TEST_F(Stack, SpecsThatTheEnginesUserMayNotRead) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  write("etc/cdi/a.yaml", "a");
  const std::string file = dir_.path() + "/etc/cdi/a.yaml", folder = dir_.path() + "/etc/cdi";
  const auto reads = [&](mode_t mode, mode_t above, EngineUser user) {
    ::chmod(file.c_str(), mode);
    ::chmod(folder.c_str(), above);
    return read_cdi(tree(), {"/etc/cdi"}, user, nullptr).unreadable.empty();
  };
  ASSERT_EQ(::chown(file.c_str(), 1000, 1001), 0);
  EXPECT_TRUE(reads(0, 0, {0, {}})) << "root";
  EXPECT_TRUE(reads(0400, 0755, {1000, {}}));
  EXPECT_FALSE(reads(0044, 0755, {1000, {1001}})) << "the owner's bits count for the owner";
  EXPECT_TRUE(reads(0040, 0755, {2000, {5, 1001}}));
  EXPECT_FALSE(reads(0404, 0755, {2000, {1001}}));
  EXPECT_TRUE(reads(0004, 0755, {2000, {2000}}));
  EXPECT_FALSE(reads(0660, 0755, {2000, {2000}}));
  EXPECT_FALSE(reads(0644, 0750, {2000, {2000}})) << "the folder is closed";
  EXPECT_EQ(read_cdi(tree(), {"/etc/cdi"}, {2000, {}}, nullptr).unreadable,
            std::vector<std::string>{"/etc/cdi/a.yaml"});
}

TEST_F(Stack, RuntimesSettingsBeforeAndLdconfig) {
  program("usr/bin/nvidia-container-runtime");
  write("etc/docker/daemon.json",
        R"({"runtimes":{"nvidia":{"path":"nvidia-container-runtime"},"gone":{"path":"/opt/x"},)"
        R"("none":{"path":"nowhere"},"kata":{"runtimeType":"io.x"}}})");
  EngineFacts engine;
  engine.daemon_json = tree().file("/etc/docker/daemon.json");
  find_runtimes(tree(), engine);
  ASSERT_EQ(engine.runtime_paths.size(), 3u);
  EXPECT_TRUE(engine.runtime_paths.at("nvidia-container-runtime").is_executable);
  EXPECT_FALSE(engine.runtime_paths.at("/opt/x").exists);
  EXPECT_FALSE(engine.runtime_paths.at("nowhere").exists);
  find_settings_before(tree(), {}, engine);
  EXPECT_EQ(engine.daemon_json_before.text, Reading<std::string>(Missing::not_read));
  write("etc/docker/daemon.json~", "{}");
  write("etc/docker/daemon.json.bak", "{\"a\":1}");
  find_settings_before(tree(), {"/var/lib/estiva/none"}, engine);
  EXPECT_EQ(engine.daemon_json_before.path, "/etc/docker/daemon.json.bak");
  write("var/lib/estiva/copy", "{\"b\":1}");
  find_settings_before(tree(), {"/var/lib/estiva/none", "/var/lib/estiva/copy"}, engine);
  EXPECT_EQ(engine.daemon_json_before.text, Reading<std::string>("{\"b\":1}"));

  const auto ldconfig = [&](const std::string& text) {
    write("etc/nvidia-container-runtime/config.toml", text);
    return read_toolkit(tree(), kServicePath, {}).ldconfig_exists;
  };
  EXPECT_EQ(ldconfig("ldconfig = \"@/sbin/ldconfig.real\"\n"), Reading<bool>(false));
  EXPECT_EQ(ldconfig("ldconfig = \"/sbin/ldconfig.real\"\n"),
            Reading<bool>(Missing::not_supported));
  EXPECT_EQ(ldconfig("#ldconfig = \"@/x\"\n"), Reading<bool>(Missing::not_supported));
  const auto own = [&] { return read_toolkit(tree(), kServicePath, {}).ldconfig; };
  EXPECT_EQ(own(), "");
  program("sbin/ldconfig");
  EXPECT_EQ(own(), "/sbin/ldconfig");
  program("sbin/ldconfig.real");
  EXPECT_EQ(own(), "/sbin/ldconfig.real");
  EXPECT_EQ(ldconfig("  ldconfig = \"@/sbin/ldconfig.real\"\n"), Reading<bool>(true));
}

TEST_F(Stack, ProgramsAsTheEngineFindsThem) {
  program("usr/bin/nvidia-ctk");
  link("usr/local/bin/nvidia-ctk", "/usr/bin/nvidia-ctk");
  write("usr/sbin/nvidia-ctk", "not executable");
  EXPECT_EQ(find_on_path(tree(), "/usr/sbin:relative:/usr/local/bin", "nvidia-ctk"),
            "/usr/bin/nvidia-ctk");
  EXPECT_EQ(find_on_path(tree(), "/usr/sbin", "nvidia-ctk"), "");
  EXPECT_EQ(find_on_path(tree(), "", "nvidia-ctk"), "");
}

TEST_F(Stack, PodmanInDockersClothes) {
  EXPECT_FALSE(docker_is_podman(tree()));
  program("usr/bin/docker",
          "\x7f"
          "ELF podman");
  EXPECT_FALSE(docker_is_podman(tree()));
  program("usr/bin/docker", "#!/bin/sh\nexec /usr/bin/podman \"$@\"\n");
  EXPECT_TRUE(docker_is_podman(tree()));
  program("usr/bin/podman");
  std::filesystem::remove(dir_.path() + "/usr/bin/docker");
  link("usr/bin/docker", "podman");
  EXPECT_TRUE(docker_is_podman(tree()));
}

TEST_F(Stack, EnvFilesOfAComposeFile) {
  const auto files = [](const std::string& text) {
    return env_files_of({"/srv/app/compose.yaml", "app", text});
  };
  using Paths = std::vector<std::string>;
  EXPECT_EQ(files("services:\n  a:\n    image: x\n"), Paths{"/srv/app/.env"});
  EXPECT_EQ(files("    env_file: ./a.env\n"), (Paths{"/srv/app/.env", "/srv/app/a.env"}));
  EXPECT_EQ(files("    env_file: [a.env, \"/b.env\"]\n"),
            (Paths{"/srv/app/.env", "/srv/app/a.env", "/b.env"}));
  EXPECT_EQ(files("    env_file:\n      - a.env # x\n      - path: b.env\n        required: false\n"
                  "      - 'c.env'\n    ports:\n      - 80:80\n"),
            (Paths{"/srv/app/.env", "/srv/app/a.env", "/srv/app/b.env", "/srv/app/c.env"}));
  EXPECT_EQ(files("    env_file:\n    - a.env\n    ports:\n    - 80:80\n"),
            (Paths{"/srv/app/.env", "/srv/app/a.env"}));
  EXPECT_EQ(files("    env_file: ${FILE}\n    #env_file: no\n"), Paths{"/srv/app/.env"});
  EXPECT_EQ(env_files_of({"/srv/app/compose.yaml", "app", Missing::not_permitted}),
            Paths{"/srv/app/.env"});
}

TEST_F(Stack, ComposeFilesThatAreNamedComeFirstAndOnce) {
  write("srv/a.yaml", "services: {}\n");
  write("srv/z.yaml", "services: {}\n");
  ContainerFact made;
  made.compose_files = {"/srv/a.yaml", "relative.yaml"};
  made.project = "app";
  const auto files =
      read_compose(tree(), {made}, {"/srv/z.yaml", "/srv/a.yaml", "/srv/z.yaml", "/no"});
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].path, "/srv/z.yaml");
  EXPECT_EQ(files[0].project, "") << "no container came from it";
  EXPECT_EQ(files[1].path, "/srv/a.yaml");
  EXPECT_EQ(files[1].project, "app");
  EXPECT_EQ(files[2].path, "/no");
  EXPECT_FALSE(files[2].text.known());
}

TEST_F(Stack, AnEnvFileThatChangedAfterTheContainerWasMade) {
  write("srv/app/compose.yaml", "services:\n  a:\n    env_file: a.env\n");
  write("srv/app/a.env", "A=1\n");
  ContainerFact made;
  made.compose_files = {"/srv/app/compose.yaml"};
  const auto is_newer = [&](std::int64_t changed, std::int64_t created) {
    write("times", std::to_string(changed) + " /srv/app/a.env\n");
    made.created_at = created;
    std::vector<ContainerFact> containers = {made};
    compare_env_files(tree(), read_compose(tree(), containers), containers);
    return containers[0].env_file_is_newer;
  };
  EXPECT_TRUE(is_newer(101, 100));
  EXPECT_FALSE(is_newer(100, 100));
  EXPECT_FALSE(is_newer(99, 100));
  EXPECT_FALSE(is_newer(101, 0)) << "never made";
}

// Each named state of the engine, as a whole.
TEST_F(Stack, AnEngineThatCannotBeAskedIsNamedAndNothingElseIsLost) {
  const test::MachineTree machine("debian-gpu");
  machine.write("docker/error", "denied: no permission to ask the container engine at x\n");
  auto facts = collect_readiness(ReadinessSources::of_this_process(machine.path())).value();
  EXPECT_EQ(facts.engine.state, EngineState::denied);
  EXPECT_EQ(facts.engine.api_error, "no permission to ask the container engine at x.");
  EXPECT_EQ(facts.engine.kind, EngineKind::docker) << "its process runs";
  EXPECT_EQ(facts.not_seen, std::vector<std::string>{facts.engine.api_error});
  EXPECT_EQ(facts.toolkit.programs.count("nvidia-ctk"), 1u);
  EXPECT_EQ(facts.cdi.dirs, (std::vector<std::string>{"/etc/cdi", "/var/run/cdi"}));
  machine.remove("docker");
  facts = collect_readiness(ReadinessSources::of_this_process(machine.path())).value();
  EXPECT_EQ(facts.engine.state, EngineState::absent);
  EXPECT_NE(facts.engine.api_error.find("docker/version.json"), std::string::npos);
}

TEST_F(Stack, ARootThatIsNone) {
  const auto facts = collect_readiness(ReadinessSources::of_this_process("/nowhere/at/all"));
  ASSERT_FALSE(facts);
  EXPECT_NE(facts.error().what.find("/nowhere/at/all"), std::string::npos);
}

TEST_F(Stack, AnEmptyTreeIsNoErrorAndKnowsNothing) {
  const auto facts = collect_readiness(ReadinessSources::of_this_process(dir_.path())).value();
  EXPECT_TRUE(facts.kernel.pci.empty());
  EXPECT_TRUE(facts.kernel.kernels.empty());
  EXPECT_TRUE(facts.units.empty());
  EXPECT_EQ(facts.engine.kind, EngineKind::none);
  EXPECT_EQ(facts.driver.status.state, DriverState::absent);
  EXPECT_EQ(facts.kernel.log, (Reading<std::vector<std::string>>(Missing::not_supported)));
  EXPECT_EQ(facts.driver.cuda_init, Reading<int>(Missing::not_read));
}

TEST_F(Stack, FilesThatAreGoneFromTheHostAreSeenInWhoeverHasThem) {
  write("proc/77/mountinfo",
        "201 184 254:0 /usr/lib/libcuda.so.550.54.14//deleted /usr/lib/libcuda.so.1 ro - ext4 "
        "/dev/vda rw\n"
        "202 184 254:0 /usr/lib/libcuda.so.550.163.01 /usr/lib/libcuda.so ro - ext4 /dev/vda rw\n"
        "203 184 254:0 /a\\040b//deleted /x ro - ext4 /dev/vda rw\n"
        "204 184 0:5 / /dev rw - tmpfs tmpfs rw\n");
  std::vector<ContainerFact> containers(3);
  containers[0].pid = 77;
  containers[1].pid = 78;  // it has ended meanwhile
  find_gone_mounts(tree(), containers);
  EXPECT_EQ(containers[0].gone_mounts,
            (std::vector<std::string>{"/usr/lib/libcuda.so.550.54.14", "/a b"}));
  EXPECT_TRUE(containers[1].gone_mounts.empty());
  EXPECT_TRUE(containers[2].gone_mounts.empty());
}

}  // namespace
}  // namespace estiva::observe
