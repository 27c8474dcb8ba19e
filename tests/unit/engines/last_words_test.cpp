#include "engines/last_words.h"

#include <gtest/gtest.h>

namespace estiva::engines {
namespace {

TEST(LastWords, known_texts_of_gpu_memory_that_ran_out) {
  for (
      const char* line :
      {"torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
       "torch.OutOfMemoryError: HIP out of memory",
       "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 3500.00 MiB on device 0: cudaMalloc "
       "failed: out of memory",
       "llama_model_load: error loading model: unable to allocate CUDA0 buffer",
       "alloc_tensor_range: failed to allocate CUDA0 buffer of size 123",
       "CUDA error: out of memory", "cuMemAlloc_v2 failed: CUDA_ERROR_OUT_OF_MEMORY",
       "ValueError: No available memory for the cache blocks. Try increasing",
       "ValueError: Free memory on device (1.2/4.0 GiB) on startup is less than desired GPU memory "
       "utilization (0.9, 3.6 GiB)",
       "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying"}) {
    EXPECT_TRUE(says_out_of_memory({"loading", line, "exiting"})) << line;
  }
}

TEST(LastWords, other_ends_are_not_about_gpu_memory) {
  for (const char* line : {"MemoryError", "Out of memory: Killed process 17", "out of file handles",
                           "CUDA error: invalid device function", "Segmentation fault", ""}) {
    EXPECT_FALSE(says_out_of_memory({line})) << line;
  }
  EXPECT_FALSE(says_out_of_memory({}));
}

TEST(LastWords, the_last_four_lines_that_say_something) {
  EXPECT_EQ(last_words({"a", "b", "", "c", "  ", "d", "e", ""}), "; it said: b / c / d / e");
  EXPECT_EQ(last_words({}), "; it said nothing");
  EXPECT_EQ(last_words({"", " "}), "; it said nothing");
}

}  // namespace
}  // namespace estiva::engines
