// What services say about GPUs, in every style of YAML.
#include "format/compose_services.h"

#include <gtest/gtest.h>

namespace estiva::format {
namespace {

TEST(ComposeServices, ReadsWhatServicesSayOfGpus) {
  const auto services = read_compose_services(
      "# a comment\nname: ai\nservices:\n  ollama:   # the models\n    image: \"ollama/ollama\"\n"
      "    runtime: nvidia\n    devices:\n    - 'nvidia.com/gpu=all'\n    - /dev/dri:/dev/dri\n"
      "  vllm:\n    gpus: all\n  tts:\n    gpus:\n      - driver: nvidia\n        count: 1\n"
      "  web:\n    devices: [\"nvidia.com/gpu=0\", /dev/fuse]\n    command: |\n"
      "      image: not/this\n    environment:\n      devices: no\nvolumes:\n  image: {}\n");
  ASSERT_EQ(services.size(), 4U);
  EXPECT_EQ(services[0].name, "ollama");
  EXPECT_EQ(services[0].line, 4U);
  EXPECT_EQ(services[0].image, "ollama/ollama");
  EXPECT_EQ(services[0].image_line, 5U);
  EXPECT_EQ(services[0].runtime, "nvidia");
  ASSERT_EQ(services[0].devices.size(), 2U);
  EXPECT_EQ(services[0].devices[0].text, "nvidia.com/gpu=all");
  EXPECT_EQ(services[0].devices[0].line, 8U);
  ASSERT_EQ(services[1].requests.size(), 1U);
  EXPECT_TRUE(services[1].requests[0].is_gpu);
  ASSERT_EQ(services[2].requests.size(), 1U);
  EXPECT_TRUE(services[2].requests[0].has_count);
  EXPECT_EQ(services[2].requests[0].driver, "nvidia");
  ASSERT_EQ(services[3].devices.size(), 2U);
  EXPECT_EQ(services[3].devices[0].text, "nvidia.com/gpu=0");
  EXPECT_EQ(services[3].image, "");
}

TEST(ComposeServices, ReadsReservations) {
  const auto services = read_compose_services(
      "services:\n  a:\n    deploy:\n      resources:\n        reservations:\n          devices:\n"
      "            - capabilities: [gpu, utility]\n              device_ids: ['0', \"GPU-1\"]\n"
      "            - driver: cdi\n              device_ids:\n              - nvidia.com/gpu=all\n");
  ASSERT_EQ(services.size(), 1U);
  ASSERT_EQ(services[0].requests.size(), 2U);
  EXPECT_TRUE(services[0].requests[0].is_gpu);
  EXPECT_FALSE(services[0].requests[0].has_count);
  EXPECT_EQ(services[0].requests[0].ids, (std::vector<std::string>{"0", "GPU-1"}));
  EXPECT_EQ(services[0].requests[1].driver, "cdi");
  EXPECT_EQ(services[0].requests[1].driver_line, 9U);
  EXPECT_EQ(services[0].requests[1].ids, std::vector<std::string>{"nvidia.com/gpu=all"});
}

TEST(ComposeServices, SaysNothingOfWhatItCannotRead) {
  for (const char* text :
       {"", "services:", "\t", "- services:\n  - a", "version: '3'\n\tservices:\n", "a: b\nb: c",
        ":::", "services:\n- a\n- b\n  devices:\n",
        "services:\n- gpus:\n  - driver: nvidia\n    count: 1\n"}) {
    EXPECT_TRUE(read_compose_services(text).empty()) << text;
  }
  std::string large = "services:\n  a:\n    image: x\n#";
  large.resize((2UL << 20) + 1, 'x');
  EXPECT_TRUE(read_compose_services(large).empty());
  large.pop_back();
  EXPECT_EQ(read_compose_services(large).size(), 1U);
}

TEST(ComposeServices, FollowsAnchorsAndMergeKeys) {
  const auto services = read_compose_services(
      "x-gpu: &gpu {gpus: [{driver: nvidia}], image: y}\nx-more: &more {<<: *gpu, runtime: "
      "nvidia}\n"
      "services: {a: {<<: *more, image: x}, b: {<<: [*gpu, {image: z}]}, c: *gpu}\n");
  ASSERT_EQ(services.size(), 3U);
  EXPECT_EQ(services[0].image, "x");
  EXPECT_EQ(services[0].runtime, "nvidia");
  EXPECT_EQ(services[1].image, "y");
  for (const ComposeService& one : services) {
    ASSERT_EQ(one.requests.size(), 1U) << one.name;
    EXPECT_TRUE(is_legacy(one.requests[0])) << one.name;
    EXPECT_TRUE(one.concerns_gpu) << one.name;
  }
  EXPECT_FALSE(read_compose_services("services: {a: {image: x}}")[0].concerns_gpu);
}

}  // namespace
}  // namespace estiva::format
