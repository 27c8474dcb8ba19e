// Compose files that ask for GPUs in the old way, as people write them, and what becomes of them.
#include "format/compose_to_cdi.h"

#include <gtest/gtest.h>

namespace estiva::format {
namespace {

std::string service(const std::string& body) {
  return "services:\n  a:\n    image: x\n" + body;
}

ComposeRewrite rewritten(const std::string& text, ComposeAsk ask = ComposeAsk::legacy) {
  auto result = compose_to_cdi(text, ask);
  EXPECT_TRUE(result) << text << (result ? "" : result.error().what);
  return result.value_or(ComposeRewrite{});
}

// Seed 000's file: an anchor that brings no GPU, a profile, a comment on the number.
constexpr const char* kSeed = R"(x-ollama: &service-ollama
  image: ollama/ollama:latest   # the model server
  volumes: [ollama:/models]
services:
  ollama-gpu:
    profiles: ["gpu-nvidia"]
    <<: *service-ollama
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              count: 1 # ou 'all' para todas as GPUs
              capabilities: [gpu]

  # the interface
  web: {image: 'web'}
)";
constexpr const char* kSeedAfter = R"(x-ollama: &service-ollama
  image: ollama/ollama:latest   # the model server
  volumes: [ollama:/models]
services:
  ollama-gpu:
    profiles: ["gpu-nvidia"]
    <<: *service-ollama
    devices:
      - nvidia.com/gpu=0

  # the interface
  web: {image: 'web'}
)";

TEST(ComposeToCdi, TheSeedsServiceIsRewrittenAndNothingElse) {
  const ComposeRewrite result = rewritten(kSeed);
  EXPECT_EQ(result.text, kSeedAfter);
  ASSERT_EQ(result.changes.size(), 1U);
  EXPECT_EQ(result.changes[0].service, "ollama-gpu");
  EXPECT_EQ(result.changes[0].place, (TextPlace{12, 15}));
  EXPECT_EQ(result.changes[0].devices, std::vector<std::string>{"nvidia.com/gpu=0"});
  EXPECT_TRUE(result.refusals.empty());
  EXPECT_TRUE(rewritten(result.text).changes.empty()) << "a second time";
}

struct Case {
  const char* words;
  const char* before;  // below "  a:\n    image: x\n"
  const char* after;
};

const Case kCases[] = {
    {"two of them", "    gpus: [{count: 2}]\n",
     "    devices:\n      - nvidia.com/gpu=0\n      - nvidia.com/gpu=1\n"},
    {"all by name", "    gpus: all\n", "    devices:\n      - nvidia.com/gpu=all\n"},
    {"a number", "    gpus: 2\n",
     "    devices:\n      - nvidia.com/gpu=0\n      - nvidia.com/gpu=1\n"},
    {"-1 is all", "    gpus: [{driver: nvidia, count: -1}]\n",
     "    devices:\n      - nvidia.com/gpu=all\n"},
    {"neither count nor ids is all",
     "    deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}\n",
     "    devices:\n      - nvidia.com/gpu=all\n"},
    {"ids", "    gpus: [{device_ids: ['1', \"GPU-0a1b2c3d-4e5f\", 'MIG-0a1b2c3d-4e5f', '0:1']}]\n",
     "    devices:\n      - nvidia.com/gpu=1\n      - nvidia.com/gpu=GPU-0a1b2c3d-4e5f\n"
     "      - nvidia.com/gpu=MIG-0a1b2c3d-4e5f\n      - \"nvidia.com/gpu=0:1\"\n"},
    {"the runtime and the environment",
     "    runtime: nvidia\n    environment: {NVIDIA_VISIBLE_DEVICES: \"0,1\"}\n",
     "    devices:\n      - nvidia.com/gpu=0\n      - nvidia.com/gpu=1\n"
     "    environment: {NVIDIA_VISIBLE_DEVICES: \"0,1\"}\n"},
    {"the environment as a list",
     "    environment:\n      - NVIDIA_VISIBLE_DEVICES=all\n    runtime: 'nvidia' # old\n",
     "    environment:\n      - NVIDIA_VISIBLE_DEVICES=all\n"
     "    devices:\n      - nvidia.com/gpu=all\n"},
    {"a reservation says which, before the runtime",
     "    runtime: nvidia\n    restart: always\n    gpus: [{count: 1}]\n",
     "    devices:\n      - nvidia.com/gpu=0\n    restart: always\n"},
    {"what else stands under deploy stays",
     "    deploy:\n      replicas: 1\n      resources:\n        reservations:\n"
     "          memory: 1g\n          devices:\n          - driver: nvidia\n"
     "            capabilities: [gpu]\n        limits: {memory: 2g}\n    restart: always\n",
     "    devices:\n    - nvidia.com/gpu=all\n    deploy:\n      replicas: 1\n      resources:\n"
     "        reservations:\n          memory: 1g\n        limits: {memory: 2g}\n"
     "    restart: always\n"},
    {"the reservation of another driver stays",
     "    deploy:\n      resources:\n        reservations:\n          devices:\n"
     "            - {driver: amd, capabilities: [gpu]}\n            # NVIDIA's\n"
     "            - driver: nvidia\n              capabilities: [gpu, utility, compute]\n",
     "    devices:\n      - nvidia.com/gpu=all\n    deploy:\n      resources:\n"
     "        reservations:\n          devices:\n"
     "            - {driver: amd, capabilities: [gpu]}\n            # NVIDIA's\n"},
    {"after the devices that are there",
     "    devices:\n      - /dev/dri:/dev/dri  # screen\n      # more\n    gpus: all\n",
     "    devices:\n      - /dev/dri:/dev/dri  # screen\n      - nvidia.com/gpu=all\n"
     "      # more\n"},
    {"after the devices in brackets", "    devices: [ /dev/dri, ]\n    gpus: all\n",
     "    devices: [ /dev/dri, nvidia.com/gpu=all, ]\n"},
    {"into empty brackets", "    devices: []\n    gpus: all\n",
     "    devices: [nvidia.com/gpu=all]\n"},
    {"CDI is kept where both are there",
     "    devices: ['nvidia.com/gpu=0']\n    gpus: all\n    runtime: nvidia\n",
     "    devices: ['nvidia.com/gpu=0']\n"},
    {"CDI's driver is kept too",
     "    deploy:\n      resources:\n        reservations:\n          devices:\n"
     "            - driver: cdi\n              device_ids: [nvidia.com/gpu=0]\n"
     "              capabilities: [gpu]\n            - capabilities: [gpu]\n",
     "    deploy:\n      resources:\n        reservations:\n          devices:\n"
     "            - driver: cdi\n              device_ids: [nvidia.com/gpu=0]\n"
     "              capabilities: [gpu]\n"},
    {"a list at its key, and Windows' ends of lines",
     "    deploy:\r\n      resources:\r\n        reservations:\r\n          devices:\r\n"
     "          - driver: nvidia\r\n            capabilities: [gpu]\r\n    restart: always\r\n",
     "    devices:\r\n    - nvidia.com/gpu=all\r\n    restart: always\r\n"},
    {"the last line has no end", "    gpus: all", "    devices:\n      - nvidia.com/gpu=all"},
    {"devices on the last line without an end", "    gpus: all\n    devices:\n      - /dev/a",
     "    devices:\n      - /dev/a\n      - nvidia.com/gpu=all"},
    {"a count that says what the ids say", "    gpus: [{count: 1, device_ids: ['3']}]\n",
     "    devices:\n      - nvidia.com/gpu=3\n"},
    {"the same GPU by two requests", "    gpus: [{count: 1}, {device_ids: ['0']}]\n",
     "    devices:\n      - nvidia.com/gpu=0\n"},
    {"another runtime stays", "    runtime: runc\n", "    runtime: runc\n"},
    {"another driver alone stays", "    gpus: [{driver: amd}]\n", "    gpus: [{driver: amd}]\n"},
};

TEST(ComposeToCdi, EachStyleIsRewritten) {
  for (const Case& one : kCases) {
    const ComposeRewrite result = rewritten(service(one.before));
    EXPECT_EQ(result.text, service(one.after)) << one.words;
    EXPECT_TRUE(result.refusals.empty())
        << one.words << ": " << (result.refusals.empty() ? "" : result.refusals[0].why);
  }
}

TEST(ComposeToCdi, FlowStyleAndJson) {
  EXPECT_EQ(rewritten("services: {a: {image: x, gpus: all, runtime: nvidia}}\n").text,
            "services: {a: {image: x, devices: [nvidia.com/gpu=all]}}\n");
  EXPECT_EQ(rewritten("services: {a: {runtime: nvidia, gpus: all, image: x}}\n").text,
            "services: {a: {devices: [nvidia.com/gpu=all], image: x}}\n");
  EXPECT_EQ(rewritten("{\"services\": {\"a\": {\"image\": \"x\", \"gpus\": \"all\"}}}\n").text,
            "{\"services\": {\"a\": {\"image\": \"x\", \"devices\": [\"nvidia.com/gpu=all\"]}}}\n");
  EXPECT_EQ(rewritten("services:\n  a: {deploy: {replicas: 1, resources: {reservations: "
                      "{devices: [{count: 1, capabilities: [gpu]}]}}}, image: x}\n")
                .text,
            "services:\n  a: {devices: [nvidia.com/gpu=0], deploy: {replicas: 1}, image: x}\n");
}

TEST(ComposeToCdi, AByteOrderMarkStays) {
  EXPECT_EQ(rewritten("\xEF\xBB\xBFservices:\n  a:\n    gpus: all\n").text,
            "\xEF\xBB\xBFservices:\n  a:\n    devices:\n      - nvidia.com/gpu=all\n");
}

TEST(ComposeToCdi, TheCdiDriverBecomesDevicesForPodman) {
  const std::string text = service(
      "    deploy:\n      resources:\n        reservations:\n          devices:\n"
      "            - driver: cdi\n              device_ids:\n                - nvidia.com/gpu=all\n"
      "              capabilities: [gpu]\n");
  EXPECT_EQ(rewritten(text, ComposeAsk::cdi_driver).text,
            service("    devices:\n      - nvidia.com/gpu=all\n"));
  EXPECT_EQ(rewritten(text).text, text);
}

TEST(ComposeToCdi, OnlyTheServicesThatAreMeant) {
  const std::string text = "services:\n  a:\n    gpus: all\n  b:\n    gpus: all\n";
  const std::vector<std::string> only = {"b"};
  const auto result = compose_to_cdi(text, ComposeAsk::legacy, &only);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->text,
            "services:\n  a:\n    gpus: all\n  b:\n    devices:\n      - nvidia.com/gpu=all\n");
}

struct Refused {
  const char* text;  // of the whole file
  const char* why;   // how the sentence begins
};

const Refused kRefused[] = {
    {"x: &g {gpus: all}\nservices:\n  a: {<<: *g, image: x}\n", "line 1, column 8: what asks"},
    {"services:\n  a:\n    deploy: &d {resources: {reservations: {devices: [{capabilities: "
     "[gpu]}]}}}\n  b:\n    deploy: *d\n",
     "line 3, column 16: what asks"},
    {"services:\n  a: &a\n    gpus: all\n  b: *a\n", "line 3, column 5: what asks"},
    {"x: &r [gpu]\nservices:\n  a:\n    gpus: [{capabilities: *r}]\n", "line 1, column 7: what"},
    {"x: &e {devices: [/dev/a]}\nservices:\n  a:\n    <<: *e\n    gpus: all\n",
     "line 1, column 8: what asks"},
    {"services:\n  a:\n    extends: {service: b}\n    gpus: all\n",
     "line 3, column 14: the service"},
    {"services:\n  a:\n    gpus: all\n  b: {extends: a}\n", "line 4, column 16: another service"},
    {"services:\n  a:\n    gpus: [{count: \"${N:-1}\"}]\n", "line 3, column 20: '${N:-1}' depends"},
    {"services:\n  a:\n    gpus: !reset all\n", "line 3, column 18: a tag"},
    {"services:\n  a:\n    gpus: all\n    gpus: all\n", "line 4, column 5: 'gpus' stands twice"},
    {"services:\n  a:\n    gpus: [{count: 1, capabilities: [gpu, tpu]}]\n",
     "line 3, column 43: 'tpu' is more"},
    {"services:\n  a:\n    gpus: [{count: 1, options: {x: y}}]\n",
     "line 3, column 23: 'options' of"},
    {"services:\n  a:\n    gpus: [{count: 0}]\n", "line 3, column 20: '0' is no number"},
    {"services:\n  a:\n    gpus: [{count: 65}]\n", "line 3, column 20: '65' is no number"},
    {"services:\n  a:\n    gpus: [{device_ids: [first]}]\n", "line 3, column 26: 'first' is no"},
    {"services:\n  a:\n    gpus: [{device_ids: []}]\n", "line 3, column 25: 'device_ids' names"},
    {"services:\n  a:\n    gpus: [{count: 2, device_ids: ['0']}]\n",
     "line 3, column 20: 'count' and"},
    {"services:\n  a:\n    gpus: [{count: 1}, {driver: amd}]\n", "line 3, column 24: 'gpus' asks"},
    {"services:\n  a:\n    runtime: nvidia\n", "line 3, column 14: 'runtime: nvidia' alone"},
    {"services:\n  a:\n    runtime: nvidia\n    environment: [NVIDIA_VISIBLE_DEVICES]\n",
     "line 3, column 14: 'runtime: nvidia' alone"},
    {"services:\n  a:\n    runtime: nvidia\n    environment: [NVIDIA_VISIBLE_DEVICES=void]\n",
     "line 4, column 19: 'void' is no"},
    {"services:\n  a:\n    runtime: nvidia\n    environment: {NVIDIA_VISIBLE_DEVICES: \"${G}\"}\n",
     "line 4, column 43: '${G}' depends"},
    {"services:\n  a:\n    runtime: nvidia\n    gpus: [{count: 1}]\n"
     "    environment: [NVIDIA_VISIBLE_DEVICES=all]\n",
     "line 5, column 19: NVIDIA_VISIBLE_DEVICES is 'all'"},
    {"services:\n  a:\n    gpus:\tall\n", "line 3, column 11: there is a tab"},
    {"services:\n  a:\n    gpus: all\n---\nservices: {}\n", "line 3, column 11: the file has more"},
    {"services:\n  a:\n    ? gpus\n    : all\n", "line 3, column 7: the file's layout"},
    {"services:\n  a: {gpus: all # all\n  }\n", ""},  // a comment behind it stays, this can be cut
    {"services:\n  a:\n    devices: /dev/a\n    gpus: all\n", "line 3, column 14: 'devices' must"},
};

TEST(ComposeToCdi, WhatIsNotCertainIsRefusedWithItsPlace) {
  for (const Refused& one : kRefused) {
    const ComposeRewrite result = rewritten(one.text);
    if (std::string_view(one.why).empty()) {
      EXPECT_TRUE(result.refusals.empty()) << one.text;
      continue;
    }
    EXPECT_EQ(result.text, one.text);
    ASSERT_FALSE(result.refusals.empty()) << one.text;
    EXPECT_TRUE(result.refusals[0].why.starts_with(one.why)) << one.text << result.refusals[0].why;
    EXPECT_TRUE(result.changes.empty()) << one.text;
  }
}

TEST(ComposeToCdi, WhatIsNoComposeFile) {
  for (const char* text :
       {"", "# nothing\n", "a: b\n", "services:\n", "services: [a]\n", "- a\n"}) {
    const ComposeRewrite result = rewritten(text);
    EXPECT_EQ(result.text, text);
    EXPECT_TRUE(result.changes.empty() && result.refusals.empty()) << text;
  }
  EXPECT_FALSE(compose_to_cdi("services:\n\ta: [", ComposeAsk::legacy));
}

TEST(ComposeToCdi, ThereIsALimitToTheServices) {
  std::string text = "services:\n";
  for (int i = 0; i < 100; ++i) text += "  s" + std::to_string(i) + ": {gpus: all}\n";
  EXPECT_EQ(rewritten(text).changes.size(), 100U);
  EXPECT_FALSE(compose_to_cdi(text + "  more: {gpus: all}\n", ComposeAsk::legacy));
}

}  // namespace
}  // namespace estiva::format
