// P1-P14: each by one change to healthy machines, and the near misses that say nothing.
#include <gtest/gtest.h>

#include "decide/readiness/compose_rules.h"
#include "decide/readiness/look.h"
#include "unit/decide/readiness_apps_bases.h"

namespace estiva::decide {
namespace {

// A project of its own, so that the containers of the base don't hide its services.
void add_compose(ReadinessFacts& facts, const std::string& body) {
  facts.compose.push_back({"/srv/new/compose.yaml", "new", "services:\n" + body});
}
ContainerFact& first(ReadinessFacts& facts) {
  return facts.containers[0];
}

constexpr const char* kLegacy =
    "    deploy:\n      resources:\n        reservations:\n          devices:\n"
    "            - driver: nvidia\n              count: 1\n              capabilities: [gpu]\n";

struct Change {
  std::string name;
  std::string finds;
  void (*apply)(ReadinessFacts& facts);
};

const Change kChanges[] = {
    {"count and device_ids", "P4",
     [](ReadinessFacts& facts) {
       add_compose(
           facts,
           "  a:\n    deploy:\n      resources:\n        reservations:\n          devices:\n"
           "          - driver: nvidia\n            count: 1\n"
           "            device_ids: [\"GPU-1\"]\n            capabilities: [gpu]\n");
     }},
    {"both ways in one service", "P3",
     [](ReadinessFacts& facts) {
       add_compose(facts,
                   std::string("  a:\n    devices:\n      - nvidia.com/gpu=all\n") + kLegacy);
     }},
    {"both ways in one container", "P3",
     [](ReadinessFacts& facts) {
       ContainerFact both = bases::container("both", "x");
       bases::give(both, "nvidia.com/gpu=all");
       both.requests.push_back({"nvidia", -1, {}, {"gpu"}});
       facts.containers.push_back(both);
     }},
    {"the application computes on the CPU", "P5",
     [](ReadinessFacts& facts) {
       first(facts).log.push_back("msg=\"inference compute\" id=0 library=cpu variant=avx2");
     }},
    {"no GPU is visible", "P6",
     [](ReadinessFacts& facts) { first(facts).environment.push_back("CUDA_VISIBLE_DEVICES="); }},
    {"a GPU that the container does not have", "P6",
     [](ReadinessFacts& facts) { first(facts).environment.push_back("CUDA_VISIBLE_DEVICES=4"); }},
    {"a GPU that does not exist", "P6",
     [](ReadinessFacts& facts) {
       first(facts).environment.push_back("CUDA_VISIBLE_DEVICES=GPU-00000000");
     }},
    {"a request without compute", "P7",
     [](ReadinessFacts& facts) {
       ContainerFact desk = bases::container("desk", "x");
       desk.requests.push_back({"nvidia", -1, {}, {"gpu"}});
       desk.environment = {"NVIDIA_DRIVER_CAPABILITIES=graphics,utility"};
       facts.containers.push_back(desk);
     }},
    {"a default runtime and an image that takes all", "P8",
     [](ReadinessFacts& facts) {
       facts.engine.default_runtime = "nvidia";
       ImageFact image;
       image.name = "nvidia/cuda:12.4.1-base-ubuntu22.04";
       image.environment = {"NVIDIA_VISIBLE_DEVICES=all"};
       facts.images.push_back(image);
     }},
    {"an environment file was changed", "P10",
     [](ReadinessFacts& facts) { first(facts).env_file_is_newer = true; }},
    {"failing since before the repair", "P11",
     [](ReadinessFacts& facts) {
       first(facts).log = {"Failed to initialize NVML: Unknown Error"};
       facts.cdi.files[0].modified_at = first(facts).started_at + 1;
     }},
    {"training with Docker's shared memory", "P12",
     [](ReadinessFacts& facts) { first(facts).image = "pytorch/pytorch:2.6.0-cuda12.4"; }},
    {"a withdrawn image", "P13",
     [](ReadinessFacts& facts) { first(facts).image = "nvidia/cuda:11.0-base"; }},
    {"a withdrawn image in a Compose file", "P13",
     [](ReadinessFacts& facts) { add_compose(facts, "  a:\n    image: nvidia/cuda:latest\n"); }},
};

TEST(ApplicationRules, EachChangeIsFoundOnEachBase) {
  for (const Base& base : bases::ordinary()) {
    for (const Change& change : kChanges) {
      ReadinessFacts facts = base.facts;
      change.apply(facts);
      EXPECT_EQ(found_in(facts), change.finds) << base.name << ": " << change.name;
      const Hit hit = first_hit(change.finds, facts);
      EXPECT_FALSE(hit.title.empty()) << change.name;
      EXPECT_FALSE(hit.evidence.empty()) << change.name;
      EXPECT_EQ(hit.title.find('{'), std::string::npos) << hit.title;
    }
  }
}

TEST(ApplicationRules, AnOldComposeTakesTheNameForAPath) {
  for (Base base : {bases::debian(), bases::ubuntu(), bases::wsl()}) {
    add_compose(base.facts, "  a:\n    devices:\n      - nvidia.com/gpu=all\n");
    EXPECT_EQ(found_in(base.facts), "") << base.name;
    base.facts.engine.compose_version = std::string("2.30.0");
    EXPECT_EQ(found_in(base.facts), "") << base.name;
    base.facts.engine.compose_version = std::string("2.29.7");
    EXPECT_EQ(found_in(base.facts), "P1") << base.name;
    EXPECT_EQ(first_hit("P1", base.facts).foretells,
              "error gathering device information while adding custom device "
              "\"nvidia.com/gpu=all\": no such file or directory");
    base.facts.engine.compose_version = Missing::not_read;
    EXPECT_EQ(found_in(base.facts), "") << base.name;
  }
}

TEST(ApplicationRules, ADeviceThatWasTakenForAPathIsP1ButNotOnPodman) {
  ReadinessFacts facts = bases::debian().facts;
  first(facts).device_paths = {"nvidia.com/gpu=all"};
  EXPECT_EQ(found_in(facts), "P1");
  facts.engine.cli_is_podman = true;
  EXPECT_EQ(found_in(facts), "");
}

TEST(ApplicationRules, TheCdiDriverOnPodmanIsP2) {
  for (Base base : bases::ordinary()) {
    base.facts.engine.kind = EngineKind::podman;
    add_compose(base.facts,
                "  a:\n    deploy:\n      resources:\n        reservations:\n          devices:\n"
                "            - driver: cdi\n              device_ids:\n"
                "                - nvidia.com/gpu=all\n              capabilities: [gpu]\n");
    EXPECT_EQ(found_in(base.facts), "P2") << base.name;
    EXPECT_EQ(first_hit("P2", base.facts).evidence[0].line, 7U);
    base.facts.engine.kind = EngineKind::docker;
    base.facts.engine.cli_is_podman = false;
    for (ContainerFact& one : base.facts.containers) one.device_paths.clear();
    EXPECT_EQ(found_in(base.facts), "") << base.name;
  }
}

TEST(ApplicationRules, TheLastLineSaysWhatIsComputedOn) {
  ReadinessFacts facts = bases::debian().facts;
  first(facts).log = {"msg=\"inference compute\" library=cpu",
                      "msg=\"inference compute\" library=cuda"};
  EXPECT_EQ(found_in(facts), "");
  std::swap(first(facts).log[0], first(facts).log[1]);
  EXPECT_EQ(found_in(facts), "P5");
  first(facts).requests.clear();  // it asked for no GPU
  EXPECT_EQ(found_in(facts), "");
}

TEST(ApplicationRules, VisibleDevicesThatAreThere) {
  ReadinessFacts facts = bases::ubuntu().facts;
  const auto with = [&](const std::string& variable) {
    ReadinessFacts changed = facts;
    first(changed).environment.push_back("CUDA_DEVICE_ORDER=PCI_BUS_ID");
    first(changed).environment.push_back(variable);
    return found_in(changed);
  };
  EXPECT_EQ(with("CUDA_VISIBLE_DEVICES=1"), "");
  EXPECT_EQ(with("CUDA_VISIBLE_DEVICES=2"), "P6");
  EXPECT_EQ(with("CUDA_VISIBLE_DEVICES=0,5"), "");  // CUDA stops at 5
  EXPECT_EQ(with("CUDA_VISIBLE_DEVICES=5,0"), "P6");
  EXPECT_EQ(with("CUDA_VISIBLE_DEVICES=-1"), "P6");
  EXPECT_EQ(with("CUDA_VISIBLE_DEVICES=GPU-2f68"), "");
  EXPECT_EQ(with("CUDA_VISIBLE_DEVICES=MIG-1"), "");
  EXPECT_EQ(with("CUDA_VISIBLE_DEVICES=99999999999999999999"), "");  // no number that can be read
  EXPECT_EQ(with("CUDA_VISIBLE_DEVICES=9999999999"), "P6");
  facts.driver.gpus.clear();
  facts.driver.files.gpus.clear();
  EXPECT_EQ(with("CUDA_VISIBLE_DEVICES=7"), "");  // the host's GPUs are not known
}

TEST(ApplicationRules, TheRuntimeTakesTheEnvironment) {
  const auto with = [&](const std::string& value, const std::string& runtime) {
    ReadinessFacts facts = bases::ubuntu().facts;
    ContainerFact one = bases::container("one", "x");
    one.runtime = runtime;
    one.environment = {"NVIDIA_VISIBLE_DEVICES=" + value};
    facts.containers.push_back(one);
    return found_in(facts);
  };
  EXPECT_EQ(with("all", "nvidia"), "");
  EXPECT_EQ(with("", "nvidia"), "P6");
  EXPECT_EQ(with("void", "nvidia"), "P6");
  EXPECT_EQ(with("none", "nvidia"), "");
  EXPECT_EQ(with("2", "nvidia"), "P6");
  EXPECT_EQ(with("GPU-0", "nvidia"), "P6");
  EXPECT_EQ(with("2", "runc"), "");
}

TEST(ApplicationRules, CapabilitiesThatAreEnough) {
  const auto with = [&](const std::string& value) {
    ReadinessFacts facts = bases::ubuntu().facts;
    first(facts).environment = {"NVIDIA_DRIVER_CAPABILITIES=" + value};
    return first_hit("P7", facts).title;
  };
  EXPECT_EQ(with("all"), "");
  EXPECT_EQ(with("compute,utility"), "");
  EXPECT_EQ(with("utility, compute,video"), "");
  EXPECT_EQ(with(""), "");
  EXPECT_EQ(with("compute"), "vllm has NVIDIA_DRIVER_CAPABILITIES=compute, which lacks utility");
  EXPECT_EQ(with("video"),
            "vllm has NVIDIA_DRIVER_CAPABILITIES=video, which lacks compute,utility");
}

TEST(ApplicationRules, CapabilitiesHaveNoEffectWithCdi) {
  ReadinessFacts facts = bases::debian().facts;
  first(facts).environment = {"NVIDIA_DRIVER_CAPABILITIES=graphics"};
  EXPECT_EQ(found_in(facts), "");
}

// From 29.2 on Docker makes CDI devices of --gpus.
TEST(ApplicationRules, CapabilitiesHaveNoEffectWhereTheFlagMeansCdi) {
  ReadinessFacts facts = bases::ubuntu().facts;
  first(facts).requests[0] = {"nvidia", -1, {}, {"gpu"}};
  first(facts).environment = {"NVIDIA_DRIVER_CAPABILITIES=graphics"};
  facts.engine.kind = EngineKind::docker;
  facts.engine.version = "29.2.0";
  facts.engine.discovered = {"nvidia.com/gpu=all"};
  EXPECT_EQ(first_hit("P7", facts).title, "");
  facts.engine.version = "29.1.5";
  EXPECT_NE(first_hit("P7", facts).title, "");
}

TEST(ApplicationRules, OneWayForEachServiceIsEnough) {
  ReadinessFacts facts = bases::debian().facts;
  add_compose(facts,
              std::string("  a:\n    devices:\n      - nvidia.com/gpu=all\n  b:\n") + kLegacy);
  EXPECT_EQ(found_in(facts), "P14") << "b asks in the old way, which is no P3";
}

TEST(ApplicationRules, CountOrIdsAloneAreNotP4) {
  for (const char* which : {"count: 1", "device_ids: [\"GPU-1\"]"}) {
    ReadinessFacts facts = bases::debian().facts;
    add_compose(facts,
                std::string("  a:\n    deploy:\n      resources:\n        reservations:\n"
                            "          devices:\n            - driver: nvidia\n              ") +
                    which + "\n              capabilities: [gpu]\n");
    EXPECT_EQ(found_in(facts), "P14") << which;
  }
}

TEST(ApplicationRules, ANumberIsCalledAGpu) {
  ReadinessFacts facts = bases::debian().facts;
  facts.driver.files.gpus.push_back(facts.driver.files.gpus[0]);
  facts.driver.files.gpus[1].index = 1;
  facts.driver.gpus.clear();
  add_compose(facts, "  a:\n    gpus:\n      - driver: nvidia\n        device_ids: ['0']\n");
  EXPECT_EQ(first_hit("P9", facts).title,
            "a chooses its GPU by a number (GPU 0); numbers change when cards do");
}

// What can't be rewritten is shown as it would have to be, for a person to paste.
TEST(ApplicationRules, WhatIsNotRewrittenIsShownToPaste) {
  const auto remedy = [](const std::string& request) {
    ReadinessFacts facts = bases::debian().facts;
    facts.compose.push_back(
        {"/srv/a.yaml", "a",
         "x-gpu: &gpu\n  gpus: [" + request + "]\nservices:\n  a:\n    <<: *gpu\n"});
    return first_hit("P14", facts).remedy;
  };
  EXPECT_EQ(remedy("{count: 1}"),
            "Write 'devices: [nvidia.com/gpu=0]' in the service in place of the old lines, by hand "
            "in /srv/a.yaml. It is not done by itself: line 2, column 3: what asks for the GPU is "
            "shared by an anchor or a merge key, and other services may use it");
  EXPECT_NE(remedy("{count: all}").find("'devices: [nvidia.com/gpu=all]'"), std::string::npos);
  EXPECT_NE(remedy("{device_ids: ['1', GPU-1]}")
                .find("'devices: [nvidia.com/gpu=1, nvidia.com/gpu=GPU-1]'"),
            std::string::npos);
  EXPECT_EQ(remedy("{count: '${N}'}").find("devices: ["), std::string::npos) << "not known";
}

TEST(ApplicationRules, ADefaultRuntimeAloneIsNotP8) {
  ReadinessFacts facts = bases::debian().facts;
  facts.engine.default_runtime = "nvidia";
  EXPECT_EQ(found_in(facts), "");
  ImageFact image;
  image.name = "web";
  image.environment = {"NVIDIA_VISIBLE_DEVICES=void"};
  facts.images.push_back(image);
  EXPECT_EQ(found_in(facts), "");
  ContainerFact one = bases::container("web", "web");
  one.environment = {"NVIDIA_VISIBLE_DEVICES=all"};
  facts.containers.push_back(one);
  EXPECT_EQ(found_in(facts), "P8");
  facts.engine.default_runtime = "runc";
  EXPECT_EQ(found_in(facts), "");
}

TEST(ApplicationRules, NumbersAreP9OnlyWithSeveralGpus) {
  for (Base base : bases::ordinary()) {
    const bool is_several = base.facts.driver.gpus.size() > 1;
    add_compose(base.facts, "  a:\n    devices:\n      - nvidia.com/gpu=0\n");
    EXPECT_EQ(found_in(base.facts), is_several ? "P9" : "") << base.name;
  }
  ReadinessFacts facts = bases::ubuntu().facts;
  first(facts).requests[0] = {"nvidia", 0, {"1"}, {"gpu"}};
  EXPECT_EQ(found_in(facts), "P9");
  first(facts).requests[0].ids = {bases::kUuid1};
  EXPECT_EQ(found_in(facts), "");
}

TEST(ApplicationRules, NumbersForCudaAreP9WithoutAnOrder) {
  ReadinessFacts facts = bases::ubuntu().facts;
  first(facts).environment.push_back("CUDA_VISIBLE_DEVICES=1");
  EXPECT_EQ(found_in(facts), "P9");
  first(facts).environment.push_back("CUDA_DEVICE_ORDER=PCI_BUS_ID");
  EXPECT_EQ(found_in(facts), "");
  first(facts).environment = {"CUDA_VISIBLE_DEVICES=0,1"};  // all of them
  EXPECT_EQ(found_in(facts), "");
}

TEST(ApplicationRules, OnlyFailingContainersThatAreOlderAreP11) {
  ReadinessFacts facts = bases::debian().facts;
  const std::int64_t started = first(facts).started_at;
  facts.cdi.files[0].modified_at = started + 1;
  EXPECT_EQ(found_in(facts), "");  // it does not fail
  first(facts).log = {"CUDA error: unknown error"};
  EXPECT_EQ(found_in(facts), "P11");
  facts.cdi.files[0].modified_at = started;
  EXPECT_EQ(found_in(facts), "");
  facts.engine.daemon_json.modified_at = started + 5;
  EXPECT_EQ(found_in(facts), "P11");
  facts.engine.daemon_json.modified_at = 0;
  facts.toolkit.programs["nvidia-ctk"] = {"/usr/bin/nvidia-ctk", started + 5, ""};
  EXPECT_EQ(found_in(facts), "P11");
  first(facts).started_at = 0;  // never started
  EXPECT_EQ(found_in(facts), "");
}

TEST(ApplicationRules, FilesOfAnotherDriverThatAreGoneAreP11) {
  ReadinessFacts facts = bases::debian().facts;
  const std::string loaded = facts.kernel.module_version;
  const std::string folder = "/usr/lib/x86_64-linux-gnu/";
  const auto with = [&](const std::string& path) {
    first(facts).gone_mounts = {"/srv/mine.so.1.2", path};
    return found_in(facts);
  };
  EXPECT_EQ(with(folder + "libcuda.so.550.54.14"), "P11");
  EXPECT_EQ(with(folder + "libnvidia-ml.so.1.2.3"), "P11");
  EXPECT_EQ(with(folder + "libcuda.so." + loaded), "") << "it was installed again";
  EXPECT_EQ(with("/usr/bin/nvidia-smi"), "") << "nobody knows its version";
  EXPECT_EQ(with(folder + "libc.so.6.1.1"), "") << "not the driver's";
  first(facts).requests.clear();
  first(facts).environment.clear();
  EXPECT_EQ(with(folder + "libcuda.so.550.54.14"), "") << "it asks for no GPU";
}

TEST(ApplicationRules, SharedMemoryAtItsLimit) {
  ReadinessFacts facts = bases::debian().facts;
  first(facts).image = "nvcr.io/nvidia/pytorch:25.01-py3";
  EXPECT_EQ(found_in(facts), "P12");
  first(facts).shm_bytes = (64ULL << 20) + 1;
  EXPECT_EQ(found_in(facts), "");
  first(facts).shm_bytes = 0;  // not known
  EXPECT_EQ(found_in(facts), "");
  first(facts).shm_bytes = 1 << 20;
  first(facts).requests.clear();
  EXPECT_EQ(found_in(facts), "");
}

TEST(ApplicationRules, TagsThatStand) {
  for (const char* image :
       {"nvidia/cuda:12.8.1-base-ubuntu24.04", "docker.io/nvidia/cuda:11.8.0-runtime-ubuntu22.04",
        "nvidia/cuda:12.4.1-cudnn-devel-rockylinux9", "nvidia/cuda@sha256:abc", "nvidia/cudagl",
        "nvidia/cuda-samples:latest", "ghcr.io/nvidia/cuda:latest", "ollama/ollama:latest", ""}) {
    EXPECT_FALSE(is_withdrawn_cuda_image(image)) << image;
  }
  for (const char* image :
       {"nvidia/cuda", "nvidia/cuda:latest", "nvidia/cuda:11.0-base", "nvidia/cuda:12.4.1-base",
        "docker.io/nvidia/cuda:10.2-base-ubuntu18.04", "nvidia/cuda:11.0-base-ubuntu20.04",
        "nvidia/cuda:10.1.2-base-ubuntu20.04", "nvidia/cuda:11.8.0-base-centos7",
        "nvidia/cuda:11.8.0-base-ubuntu18.04"}) {
    EXPECT_TRUE(is_withdrawn_cuda_image(image)) << image;
  }
}

TEST(ApplicationRules, AVariableInATagIsNotJudged) {
  ReadinessFacts facts = bases::debian().facts;
  add_compose(facts, "  a:\n    image: nvidia/cuda:${TAG:-latest}\n");
  EXPECT_EQ(found_in(facts), "");
}

// What the file says is not asked again where a container of the service exists.
TEST(ApplicationRules, AContainerSaysMoreThanItsFile) {
  ReadinessFacts facts = bases::debian().facts;
  facts.compose.push_back({"/srv/ai/compose.yaml", "ai",
                           std::string("services:\n  ollama:\n    image: nvidia/cuda:latest\n")});
  EXPECT_EQ(found_in(facts), "");
  facts.compose[0].project = "other";
  EXPECT_EQ(found_in(facts), "P13");
}

TEST(ApplicationRules, AFileThatCouldNotBeReadSaysNothing) {
  ReadinessFacts facts = bases::debian().facts;
  facts.compose.push_back({"/srv/ai/compose.yaml", "new", Missing::not_permitted});
  EXPECT_EQ(found_in(facts), "");
}

// The service "a" of a new project, with `body` below it, on the machine of `facts`.
std::string found_with(ReadinessFacts facts, const std::string& body) {
  add_compose(facts, "  a:\n    image: x\n" + body);
  return found_in(facts);
}

TEST(OldWay, IsFoundWhereTheMachineServesCdiDevices) {
  const std::string runtime =
      "    runtime: nvidia\n    environment: {NVIDIA_VISIBLE_DEVICES: all}\n";
  int served = 0;
  for (const Base& base : bases::ordinary()) {
    if (!is_docker(base.facts) || base.facts.engine.cdi_dirs.empty()) continue;
    ++served;
    for (const std::string& body :
         {std::string(kLegacy), runtime, std::string("    gpus: all\n")}) {
      EXPECT_EQ(found_with(base.facts, body), "P14") << base.name << body;
    }
  }
  EXPECT_GE(served, 2);
}

TEST(OldWay, SaysWhatWouldBeAskedForAndWhere) {
  ReadinessFacts facts = bases::ubuntu().facts;
  add_compose(facts, std::string("  a:\n    image: x\n") + kLegacy);
  const Hit hit = first_hit("P14", facts);
  EXPECT_EQ(hit.title,
            "a asks for its GPU in the old way; nvidia.com/gpu=0 would give it the same");
  ASSERT_EQ(hit.evidence.size(), 1U);
  EXPECT_EQ(hit.evidence[0].line, 8U);
  EXPECT_EQ(hit.fix, std::nullopt);
}

TEST(OldWay, IsSilentOnNearMisses) {
  const ReadinessFacts facts = bases::ubuntu().facts;
  const auto with = [&](auto change) {
    ReadinessFacts changed = facts;
    change(changed.engine);
    return found_with(changed, "    gpus: [{count: 1}]\n");
  };
  EXPECT_EQ(with([](EngineFacts&) {}), "P14");
  EXPECT_EQ(with([](EngineFacts& e) { e.compose_version = std::string("2.29.7"); }), "");
  EXPECT_EQ(with([](EngineFacts& e) { e.compose_version = Missing::not_read; }), "");
  EXPECT_EQ(with([](EngineFacts& e) { e.cdi_known = false; }).find("P14"), std::string::npos);
  EXPECT_EQ(with([](EngineFacts& e) { e.kind = EngineKind::podman; }).find("P14"),
            std::string::npos);
  for (const char* body : {"    gpus: [{count: 9}]\n", "    gpus: [{device_ids: ['7']}]\n",
                           "    gpus: [{driver: amd}]\n", "    runtime: runc\n",
                           "    deploy: {resources: {limits: {memory: 1g}}}\n", ""}) {
    EXPECT_EQ(found_with(facts, body), "") << body;
  }
}

TEST(OldWay, WhatCantBeRewrittenIsForAPerson) {
  ReadinessFacts facts = bases::ubuntu().facts;
  add_compose(facts, "  a:\n    gpus: [{count: \"${N:-1}\"}]\n");
  const Hit hit = first_hit("P14", facts);
  EXPECT_EQ(hit.fix, Fix::guide);
  EXPECT_NE(hit.remedy.find("/srv/new/compose.yaml"), std::string::npos) << hit.remedy;
  EXPECT_NE(hit.remedy.find("line 3, column 20"), std::string::npos) << hit.remedy;
}

TEST(OldWay, WhatTwoFilesOfAProjectSayIsForAPerson) {
  ReadinessFacts facts = bases::ubuntu().facts;
  add_compose(facts, "  a:\n    gpus: [{device_ids: [" + bases::kUuid0 + "]}]\n");
  EXPECT_EQ(first_hit("P14", facts).fix, std::nullopt);
  facts.compose.push_back(
      {"/srv/new/more.yaml", "new", std::string("services: {a: {deploy: {replicas: 1}}}")});
  EXPECT_EQ(first_hit("P14", facts).fix, Fix::guide);
  EXPECT_NE(first_hit("P14", facts).remedy.find("/srv/new/more.yaml"), std::string::npos);
  facts.compose.back().project = "other";
  EXPECT_EQ(first_hit("P14", facts).fix, std::nullopt);
}

TEST(OldWay, BothWaysAndBothNumbersAreLeftToTheirOwnRules) {
  const ReadinessFacts facts = bases::debian().facts;
  EXPECT_EQ(found_with(facts, "    devices: [nvidia.com/gpu=all]\n    gpus: all\n"), "P3");
  EXPECT_EQ(found_with(facts, "    gpus: [{count: 1, device_ids: [\"0\"]}]\n"), "P4");
  EXPECT_EQ(found_with(facts, "    gpus: [{count: 2, device_ids: [\"0\"]}]\n"), "P4");
}

TEST(ApplicationRules, TheTableIsWhole) {
  int number = 0;
  for (const Rule& rule : application_rules()) {
    EXPECT_EQ(rule.id, "P" + std::to_string(++number));
    for (const std::string_view text :
         {rule.name, rule.symptom, rule.reads, rule.remedy, rule.source}) {
      EXPECT_FALSE(text.empty()) << rule.id;
    }
    EXPECT_NE(rule.find, nullptr) << rule.id;
  }
  EXPECT_EQ(number, 14);
}

}  // namespace
}  // namespace estiva::decide
