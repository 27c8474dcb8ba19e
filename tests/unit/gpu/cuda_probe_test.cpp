// cuInit in a process that may be lost: each way in which it ends has a name.
#include "gpu/cuda_probe.h"

#include <chrono>
#include <cstdlib>
#include <gtest/gtest.h>

namespace estiva::gpu {
namespace {

using std::chrono::milliseconds;

const std::string kStub = ESTIVA_BUILD_DIR "/stub/libcuda_stub.so";

CudaAnswer ask(const char* how, const char* mode, const std::string& library = kStub,
               milliseconds limit = milliseconds(10'000)) {
  ::setenv("STUB_CUDA", how, 1);
  ::setenv("STUB_CUDA_MODE", mode, 1);
  CudaProbe probe;
  probe.program = ESTIVA_BUILD_DIR "/estiva-sensor";
  probe.library = library;
  probe.limit = limit;
  return probe_cuda(probe);
}

TEST(CudaProbe, WhatCuInitAnswers) {
  EXPECT_EQ(ask("0", "0"), (CudaAnswer{0, 0u}));
  EXPECT_EQ(ask("0", "2"), (CudaAnswer{0, 2u})) << "the strictest mode of two GPUs";
  EXPECT_EQ(ask("999", "0"), (CudaAnswer{999, Missing::not_supported}));
  EXPECT_EQ(ask("-1", "0"), (CudaAnswer{-1, Missing::not_supported}));
}

TEST(CudaProbe, AHangIsAResultWithinTheLimit) {
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(ask("hang", "0", kStub, milliseconds(300)),
            (CudaAnswer{Missing::unresponsive, Missing::unresponsive}));
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_GE(took, milliseconds(300));
  EXPECT_LT(took, milliseconds(5'000));
}

TEST(CudaProbe, ACrashIsAResult) {
  EXPECT_EQ(ask("crash", "0"), (CudaAnswer{Missing::failed, Missing::not_supported}));
}

TEST(CudaProbe, NoLibraryAndNoFunction) {
  EXPECT_EQ(ask("0", "0", "/nowhere/libcuda.so.1"),
            (CudaAnswer{Missing::not_supported, Missing::not_supported}));
  EXPECT_EQ(ask("0", "0", ESTIVA_BUILD_DIR "/stub/libcuda_empty.so"),
            (CudaAnswer{Missing::failed, Missing::not_supported}));
}

TEST(CudaProbe, NoProgram) {
  CudaProbe probe;
  probe.program = "/nowhere/estiva-sensor";
  EXPECT_EQ(probe_cuda(probe), (CudaAnswer{Missing::failed, Missing::failed}));
}

TEST(CudaAnswer, TheTextOfATree) {
  EXPECT_EQ(parse_cuda_answer("init 0\nmode 3\n"), (CudaAnswer{0, 3u}));
  EXPECT_EQ(parse_cuda_answer("init 100"), (CudaAnswer{100, Missing::not_supported}));
  for (const char* text : {"", "init", "init x", "0", "\xff"}) {
    EXPECT_EQ(parse_cuda_answer(text), (CudaAnswer{Missing::failed, Missing::not_supported}));
  }
}

}  // namespace
}  // namespace estiva::gpu
