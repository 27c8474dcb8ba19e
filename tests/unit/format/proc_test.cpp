#include "format/proc.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "format/cgroup.h"
#include "format/json_writer.h"
#include "format/mounts.h"
#include "format/psi.h"

namespace estiva::format {
namespace {

TEST(ProcStatFile, GuestTimeCountsOnceAndIowaitIsIdle) {
  const auto ticks = parse_proc_stat("cpu  10 1 5 80 4 1 1 2 10 1\ncpu0 1\ncpu1 1\nbtime 77\n");
  ASSERT_TRUE(ticks);
  EXPECT_EQ(ticks->total, 104u);
  EXPECT_EQ(ticks->idle, 84u);
  EXPECT_EQ(ticks->cores, 2u);
  EXPECT_EQ(ticks->boot_time, 77u);
  EXPECT_FALSE(parse_proc_stat("cpu0 1 2 3\n"));
  EXPECT_FALSE(parse_proc_stat(""));
}

TEST(ProcStatFile, BusyShareOfTwoReads) {
  EXPECT_DOUBLE_EQ(busy_share({100, 80, 1, 0}, {200, 105, 1, 0})->value, 0.75);
  EXPECT_FALSE(busy_share({100, 80, 1, 0}, {100, 80, 1, 0}));                // no tick passed
  EXPECT_FALSE(busy_share({100, 80, 1, 0}, {90, 70, 1, 0}));                 // counters went back
  EXPECT_DOUBLE_EQ(busy_share({100, 80, 1, 0}, {110, 79, 1, 0})->value, 1);  // idle went back
  EXPECT_DOUBLE_EQ(busy_share({100, 80, 1, 0}, {110, 99, 1, 0})->value, 0);  // idle ran ahead
}

TEST(Meminfo, WithoutMemAvailableItIsEstimated) {
  const auto memory = parse_meminfo("MemTotal: 1000 kB\nMemFree: 100 kB\nCached: 200 kB\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->available, kib(300));
  EXPECT_FALSE(parse_meminfo("MemFree: 100 kB\n"));
  EXPECT_FALSE(parse_meminfo("MemTotal: 99999999999999999999 kB\n"));
}

std::string stat_line(std::string_view comm) {
  return "42 (" + std::string(comm) +
         ") S 7 42 42 0 -1 4194304 1 2 3 4 500 60 0 0 20 0 1 0 12345 999 777 "
         "18446744073709551615\n";
}

TEST(PidStat, NamesMayHoldAnything) {
  for (const std::string_view comm :
       {"python3", "tmux: server", "(sd-pam)", "a) R 1 1", "x\ny", ")", "", "((((", "\xff\xfe"}) {
    const auto line = stat_line(comm);
    const auto stat = parse_pid_stat(line);
    ASSERT_TRUE(stat) << comm;
    EXPECT_EQ(stat->comm, comm);
    EXPECT_EQ(stat->pid, 42);
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->parent, 7);
    EXPECT_EQ(stat->cpu_ticks, 560u);
    EXPECT_EQ(stat->start_ticks, 12345u);
    EXPECT_EQ(stat->resident_pages, 777u);
  }
}

TEST(PidStat, CutLinesAreRefused) {
  const auto line = stat_line("x");
  for (std::size_t length = 0; length < line.find(" 777"); ++length) {
    EXPECT_FALSE(parse_pid_stat(std::string_view(line).substr(0, length))) << length;
  }
  EXPECT_FALSE(parse_pid_stat(")42("));
  EXPECT_FALSE(parse_pid_stat("-1 (x) S"));
}

TEST(PidStatus, TheLinesWeUse) {
  const auto status = parse_pid_status(
      "Name:\tx\nUid:\t1000\t0\t0\t0\nGid:\t1001\t0\t0\t0\nNSpid:\t500\t12\nVmRSS:\t    64 kB\n");
  EXPECT_EQ(status.uid, 1000u);
  EXPECT_EQ(status.gid, 1001u);
  EXPECT_EQ(status.resident, kib(64));
  EXPECT_EQ(status.swapped, std::nullopt);
  EXPECT_EQ(status.ns_pids, (std::vector<pid_t>{500, 12}));
}

TEST(SmallFiles, LoadAndBootId) {
  EXPECT_EQ(parse_loadavg("1.25 0.5 0.1 1/2 3\n"), 1.25);
  for (const auto text : {"", "nan 1 1", "inf", "-1 0 0", "x"}) EXPECT_FALSE(parse_loadavg(text));
  EXPECT_TRUE(parse_boot_id("0f3a1c52-7b1e-4d0c-9a46-51d2f3e8a901\n"));
  EXPECT_FALSE(parse_boot_id("0F3A1C52-7b1e-4d0c-9a46-51d2f3e8a901"));
  EXPECT_FALSE(parse_boot_id("0f3a1c52"));
}

TEST(Psi, NoShareGetsDigitsThatTheKernelDidNotWrite) {
  for (unsigned hundredths = 0; hundredths <= 10000; ++hundredths) {
    const auto text = fmt::format("some avg10={0}.{1:02} avg60=0.00 avg300=0.00 total=1\n",
                                  hundredths / 100, hundredths % 100);
    const auto pressure = parse_pressure(text);
    ASSERT_TRUE(pressure.some) << text;
    std::string shown;
    append_json_number(shown, pressure.some->avg10.value);
    ASSERT_LE(shown.size(), 6u) << text << "is printed as " << shown;
  }
  EXPECT_EQ(parse_pressure("some avg10=47.10 avg60=0 avg300=0 total=1").some->avg10.value, 0.471);
}

TEST(Psi, PercentagesBecomeShares) {
  const auto pressure = parse_pressure("some avg10=12.50 avg60=1.00 avg300=0.10 total=42\n");
  ASSERT_TRUE(pressure.some);
  EXPECT_DOUBLE_EQ(pressure.some->avg10.value, 0.125);
  EXPECT_EQ(pressure.some->total_us, 42u);
  EXPECT_EQ(pressure.full.why(), Missing::not_supported);
  for (const auto text : {"some avg10=nan avg60=0 avg300=0 total=1", "some avg10=1",
                          "some avg10=101.0 avg60=0 avg300=0 total=1", "some x"}) {
    const auto bad = parse_pressure(text);
    ASSERT_FALSE(bad.some) << text;
    EXPECT_EQ(bad.some.why(), Missing::failed);
  }
}

TEST(Cgroup, MemoryPathOfV1HybridAndV2) {
  const auto hybrid = parse_cgroup_memberships("9:name=systemd:/x\n4:memory:/docker/abc\n0::/u\n");
  EXPECT_EQ(cgroup_path_for(hybrid, "memory"), "/docker/abc");
  EXPECT_EQ(cgroup_path_for(hybrid, "io"), "/u");
  const auto v1 = parse_cgroup_memberships("4:cpu,cpuacct:/a:b\nrubbish\n::\n");
  EXPECT_EQ(cgroup_path_for(v1, "cpuacct"), "/a:b");
  EXPECT_EQ(cgroup_path_for(v1, "memory"), std::nullopt);
}

TEST(Cgroup, ContainerIdInEveryRuntimesForm) {
  const std::string id(64, 'a');
  for (const auto& path :
       {"/docker/" + id, "/system.slice/docker-" + id + ".scope",
        "/machine.slice/libpod-" + id + ".scope/container",
        "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id + ".scope", id}) {
    EXPECT_EQ(container_id_of(path), id) << path;
  }
  EXPECT_EQ(container_id_of("/docker/" + std::string(64, 'b') + "/docker/" + id), id);
  EXPECT_EQ(container_id_of("/docker/" + std::string(65, 'a')), std::nullopt);
  EXPECT_EQ(container_id_of("/user.slice"), std::nullopt);
  EXPECT_EQ(container_id_of(""), std::nullopt);
}

TEST(Cgroup, NestedContainersInnermostFirst) {
  const std::string a(64, 'a'), b(64, 'b');
  EXPECT_EQ(container_ids_of("/docker/" + a + "/docker/" + b), (std::vector<std::string>{b, a}));
  EXPECT_EQ(container_ids_of(a + "/" + b), (std::vector<std::string>{b, a}));
  EXPECT_TRUE(container_ids_of("/docker/" + std::string(63, 'a')).empty());
}

TEST(Cgroup, TheGroupOfTheInnermostContainer) {
  const std::string a(64, 'a'), b(64, 'b');
  const std::string scope = "/system.slice/docker-" + a + ".scope";
  EXPECT_EQ(container_group_of(scope), scope);
  EXPECT_EQ(container_group_of(scope + "/init.scope/x"), scope);
  EXPECT_EQ(container_group_of("/docker/" + a + "/docker/" + b + "/x"),
            "/docker/" + a + "/docker/" + b);
  EXPECT_EQ(container_group_of("/docker/" + a + "/docker/" + a + "/x"),
            "/docker/" + a + "/docker/" + a);
  EXPECT_EQ(container_group_of("/user.slice/session-1.scope"), "");
  EXPECT_EQ(container_group_of(""), "");
}

TEST(Cgroup, WhoMayMakeGroupsThere) {
  EXPECT_EQ(slice_owner_of("/user.slice/user-1000.slice/user@1000.service/x"), 1000u);
  EXPECT_EQ(slice_owner_of("/x/user.slice/user-0.slice"), 0u);
  EXPECT_EQ(slice_owner_of("/user.slice/user-.slice/x"), std::nullopt);
  EXPECT_EQ(slice_owner_of("/user.slice/user-99999999999.slice/x"), std::nullopt);
  EXPECT_EQ(slice_owner_of("/system.slice/docker.service"), std::nullopt);
}

TEST(Cgroup, WhoseContainerItIs) {
  const std::string id(64, 'a');
  struct Form {
    std::string path;
    std::string_view runtime;
    bool rootless;
  };
  for (const Form& form :
       {Form{"/docker/" + id, "docker", false},
        Form{"/system.slice/docker-" + id + ".scope", "docker", false},
        Form{"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + id + ".scope",
             "docker", true},
        Form{"/machine.slice/libpod-" + id + ".scope/container", "podman", false},
        Form{"/libpod_parent/libpod-" + id, "podman", false},
        Form{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope",
             "podman", true},
        Form{"/user.slice/user-0.slice/session-1.scope/libpod-" + id, "podman", false},
        // Groups that a user named like root's.
        Form{"/user.slice/user-1000.slice/x/user.slice/user-0.slice/docker-" + id + ".scope",
             "docker", true},
        Form{"/user.slice/user-x.slice/docker-" + id + ".scope", "docker", true},
        Form{"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id + ".scope", "kubernetes",
             false},
        Form{"/system.slice/nerdctl-" + id + ".scope", "containerd", false},
        Form{"/default/" + id, "containerd", false}, Form{"/somewhere/" + id, "", false}}) {
    const ContainerKind kind = container_kind_of(form.path);
    EXPECT_EQ(kind.runtime, form.runtime) << form.path;
    EXPECT_EQ(kind.rootless, form.rootless) << form.path;
  }
}

TEST(Cgroup, MemoryStatOfBothVersions) {
  const auto v2 =
      parse_cgroup_memory_stat("anon 10\nfile 20\nshmem 3\nworkingset_refault_anon 7\n");
  EXPECT_EQ(v2.anon, Bytes{10});
  EXPECT_EQ(v2.refault_anon, 7u);
  const auto v1 = parse_cgroup_memory_stat("cache 1\nrss 2\ntotal_cache 30\ntotal_rss 40\n");
  EXPECT_EQ(v1.anon, Bytes{40});
  EXPECT_EQ(v1.file, Bytes{30});
}

TEST(Cgroup, LimitsAndCpu) {
  EXPECT_EQ(parse_cgroup_amount("max\n"), CgroupAmount{});
  EXPECT_EQ(parse_cgroup_amount("9223372036854771712\n"), CgroupAmount{});
  EXPECT_EQ(parse_cgroup_amount("4096\n"), CgroupAmount{Bytes{4096}});
  EXPECT_FALSE(parse_cgroup_amount(""));
  EXPECT_EQ(parse_cgroup_cpu("usage_usec 5\nthrottled_usec 2\n")->usage_us, 5u);
  EXPECT_EQ(parse_cgroup_cpu("7000\n")->usage_us, 7u);
  const auto v1 = parse_cgroup_cpu("nr_periods 1\nnr_throttled 3\nthrottled_time 9000\n");
  EXPECT_EQ(v1->usage_us, std::nullopt);
  EXPECT_EQ(v1->throttled_us, 9u);
  EXPECT_FALSE(parse_cgroup_cpu("rubbish"));
}

TEST(Mounts, EscapesOptionalFieldsAndCoveringMounts) {
  const auto mounts = parse_mountinfo(
      "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
      "2 1 8:2 /sub /a\\040b rw shared:1 master:2 - xfs /dev/sdb rw,x\n"
      "3 1 0:5 / /a\\040b rw - tmpfs tmpfs rw\n"
      "4 1 0:6 / /cut rw\n");
  ASSERT_EQ(mounts.size(), 3u);
  EXPECT_EQ(mounts[1].point, "/a b");
  EXPECT_EQ(mounts[1].root, "/sub");
  EXPECT_EQ(mount_of(mounts, "/a b/c")->filesystem, "tmpfs");
  EXPECT_EQ(mount_of(mounts, "/a bc")->filesystem, "ext4");
  EXPECT_EQ(mount_of({}, "/"), nullptr);
  EXPECT_TRUE(is_network_filesystem("fuse.sshfs"));
  EXPECT_TRUE(is_network_filesystem("nfs4"));
  EXPECT_FALSE(is_network_filesystem("fuseblk"));
  EXPECT_FALSE(is_network_filesystem("ext4"));
}

TEST(Mounts, OctalEscapesOnlyWhereTheyAreWhole) {
  EXPECT_EQ(undo_octal_escapes("a\\134b\\012"), "a\\b\n");
  EXPECT_EQ(undo_octal_escapes("\\04"), "\\04");
  EXPECT_EQ(undo_octal_escapes("\\"), "\\");
  EXPECT_EQ(undo_octal_escapes("\\777"), "\\777");
}

TEST(Swaps, TitleLineAndRubbishAreNoAreas) {
  const auto areas = parse_swaps(
      "Filename Type Size Used Priority\n/s\\040w file 1048572 4 -2\n/x file -1 0 0\n/y file\n");
  ASSERT_EQ(areas.size(), 1u);
  EXPECT_EQ(areas[0].path, "/s w");
  EXPECT_EQ(areas[0].used, kib(4));
  EXPECT_EQ(areas[0].priority, -2);
}

TEST(Garbage, NoParserMindsAnyBytes) {
  EXPECT_TRUE(rc::check([](const std::string& text) {
    (void)parse_proc_stat(text);
    (void)parse_pid_stat("1 (" + text);
    (void)parse_cgroup_cpu(text);
    RC_ASSERT(parse_mountinfo(text).size() <= text.size());
    RC_ASSERT(undo_octal_escapes(text).size() <= text.size());
  }));
}

}  // namespace
}  // namespace estiva::format
