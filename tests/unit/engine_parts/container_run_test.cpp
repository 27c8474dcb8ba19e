#include "engines/container_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace estiva::engines {
namespace {

TEST(LineOfGpuMemory, WordsOfTheEnginesThatThereAre) {
  for (const char* line :
       {"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB.",
        "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 3500.00 MiB on device 0: "
        "cudaMalloc "
        "failed: out of memory",
        "RuntimeError: CUDA error: out of memory",
        "failed to allocate 1.00G (1073741824 bytes) from device: CUDA_ERROR_OUT_OF_MEMORY",
        "ggml_vulkan: ErrorOutOfDeviceMemory"}) {
    const std::vector<std::string> lines = {"loading", line, "Traceback"};
    const std::string* found = line_of_gpu_memory(lines);
    ASSERT_NE(found, nullptr) << line;
    EXPECT_EQ(*found, line);
  }
  EXPECT_EQ(line_of_gpu_memory({"Out of memory: Killed process 7 (python3)"}), nullptr)
      << "the kernel's words are of RAM";
  EXPECT_EQ(line_of_gpu_memory({}), nullptr);
}

TEST(ContainerRecord, ReadsBackAndRefusesOthers) {
  const auto read = parse_container_record(format_container_record({"abc", "2026-11-30T1:2:3Z"}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, "abc");
  EXPECT_EQ(read->started_at, "2026-11-30T1:2:3Z");
  for (const char* text : {"", "{}", "[1]", R"({"container":""})", R"({"container":7})"})
    EXPECT_FALSE(parse_container_record(text)) << text;
}

TEST(HolderOf, AProcessOfAnotherGroupIsNotTakenForIt) {
  const auto root = *host::Root::open("/");
  container::Standing run;
  run.id = std::string(64, 'a');
  run.pid = ::getpid();
  EXPECT_FALSE(holder_of(root, run, "boot")) << "we are in no such container";
  run.pid = 0;
  EXPECT_FALSE(holder_of(root, run, "boot"));
}

}  // namespace
}  // namespace estiva::engines
