#include "format/nvidia_proc.h"

#include <gtest/gtest.h>

namespace estiva::format {
namespace {

TEST(NvidiaProc, TheModulesVersionInBothWordings) {
  EXPECT_EQ(parse_module_version("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.163.01  Tue "
                                 "Apr  8 12:41:17 UTC 2025\n"
                                 "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n"),
            (ModuleVersion{"550.163.01", false}));
  EXPECT_EQ(
      parse_module_version("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  "
                           "Release Build  (root@b)  Mon Sep\nGCC version:  gcc version 13.3.0\n"),
      (ModuleVersion{"580.159.04", true}));
  EXPECT_EQ(parse_module_version("NVRM version: NVIDIA UNIX aarch64 Kernel Module  570.86  x"),
            (ModuleVersion{"570.86", false}));
  EXPECT_EQ(parse_module_version(""), ModuleVersion{});
  EXPECT_EQ(parse_module_version("NVRM version: none\nGCC version: 12.2.0\n"), ModuleVersion{});
}

TEST(NvidiaProc, WhatAVersionIs) {
  for (const char* good : {"550.163.01", "580.65", "1.1", "1.2.3.4"})
    EXPECT_TRUE(is_driver_version(good)) << good;
  for (const char* bad : {"", "550", "550.", ".550", "550..1", "550.163.01a", "1.2.3.4.5",
                          "550.163.01/..", "550 1"}) {
    EXPECT_FALSE(is_driver_version(bad)) << bad;
  }
  EXPECT_TRUE(is_driver_version("1." + std::string(30, '1')));
  EXPECT_FALSE(is_driver_version("1." + std::string(31, '1')));
}

TEST(NvidiaProc, AGpusInformation) {
  EXPECT_EQ(parse_gpu_information(
                "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 47\n"
                "GPU UUID: \t GPU-01234567-89ab-cdef-0123-456789abcdef\n"
                "Bus Location: \t 0000:00:06.0\nDevice Minor: \t 3\nGPU Excluded:\t No\n"),
            (GpuInformation{"NVIDIA H100 80GB HBM3", "GPU-01234567-89ab-cdef-0123-456789abcdef",
                            "0000:00:06.0", 3}));
}

TEST(NvidiaProc, AGpuThatNobodyHasInitialisedHasNoUuid) {
  EXPECT_EQ(parse_gpu_information("GPU UUID: \t "
                                  "GPU-\?\?\?\?\?\?\?\?-\?\?\?\?-\?\?\?\?-\?\?\?\?-"
                                  "\?\?\?\?\?\?\?\?\?\?\?\?\nDevice Minor: 0\n"),
            (GpuInformation{"", "", "", 0}));
  EXPECT_EQ(parse_gpu_information(""), GpuInformation{});
  EXPECT_EQ(parse_gpu_information("Device Minor: -1\n"), GpuInformation{});
  EXPECT_EQ(parse_gpu_information("Device Minor: 4294967296\n"), GpuInformation{});
  EXPECT_EQ(parse_gpu_information("Device Minor: 4294967295\n").minor, 4294967295u);
}

TEST(NvidiaProc, WhatAUuidIs) {
  EXPECT_TRUE(is_gpu_uuid("GPU-01234567-89ab-cdef-0123-456789abcdef"));
  EXPECT_TRUE(is_gpu_uuid("MIG-01234567-89ab-cdef-0123-456789abcdef"));
  for (const char* bad :
       {"", "GPU-", "CPU-01234567-89ab-cdef-0123-456789abcdef",
        "GPU-01234567-89ab-cdef-0123-456789abcde", "GPU-01234567-89ab-cdef-0123-456789abcdef0",
        "GPU-01234567x89ab-cdef-0123-456789abcdef", "GPU-01234567-89AB-cdef-0123-456789abcdef",
        "GPU-g1234567-89ab-cdef-0123-456789abcdef"}) {
    EXPECT_FALSE(is_gpu_uuid(bad)) << bad;
  }
}

TEST(NvidiaProc, MigMinors) {
  EXPECT_EQ(
      parse_mig_minors(
          "config 1\nmonitor 2\ngpu0/gi0/access 3\ngpu0/gi0/ci1/access 5\ngpu12/gi7/access 1800\n"),
      (std::vector<MigMinor>{{0, 0, std::nullopt, 3}, {0, 0, 1, 5}, {12, 7, std::nullopt, 1800}}));
  for (const char* bad :
       {"gpu0/gi0 3", "gpu0/gi0/access", "gpu0/gi0/access x", "gpu/gi0/access 3",
        "gpu0/gi0/ci/access 3", "gpu0/gi0/ci0 3", "gpu0/gi0/ci0/access/x 3", "gpu0/gi0/access/x 3",
        "gi0/gpu0/access 3", "gpu0/gi0/ci0/other 3", "gpu0/gi4294967296/access 3"}) {
    EXPECT_TRUE(parse_mig_minors(bad).empty()) << bad;
  }
}

TEST(NvidiaProc, AtMostSoManyMigMinors) {
  std::string text;
  for (std::size_t i = 0; i <= kMaxMigMinors; ++i) text += "gpu0/gi0/access 3\n";
  EXPECT_EQ(parse_mig_minors(text).size(), kMaxMigMinors);
}

}  // namespace
}  // namespace estiva::format
