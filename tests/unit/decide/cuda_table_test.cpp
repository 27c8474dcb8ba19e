// CUDA's demands on driver and card, by NVIDIA's tables.
#include "decide/readiness/cuda_table.h"

#include <gtest/gtest.h>

namespace estiva::decide {
namespace {

TEST(CudaTable, ParsesVersions) {
  EXPECT_EQ(parse_cuda_version("12.4.1"), (CudaVersion{12, 4}));
  EXPECT_EQ(parse_cuda_version("12.4"), (CudaVersion{12, 4}));
  EXPECT_EQ(parse_cuda_version("13"), (CudaVersion{13, 0}));
  for (const char* text : {"", "x", ".4", "0.1", "123456"}) {
    EXPECT_EQ(parse_cuda_version(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_driver_version("550.54.15"), (DriverVersion{550, 54, 15}));
  EXPECT_EQ(parse_driver_version("570.169"), (DriverVersion{570, 169, 0}));
  EXPECT_EQ(parse_driver_version("580"), (DriverVersion{580, 0, 0}));
  EXPECT_EQ(parse_driver_version("N/A"), std::nullopt);
  EXPECT_EQ(to_text(CudaVersion{12, 4}), "12.4");
  EXPECT_EQ(to_text(DriverVersion{580, 65, 6}), "580.65.06");
  EXPECT_EQ(to_text(DriverVersion{570, 26, 0}), "570.26");
  EXPECT_EQ(to_text(DriverVersion{580, 0, 0}), "580");
}

TEST(CudaTable, DriversCompareByNumbers) {
  EXPECT_LT((DriverVersion{550, 54, 15}), (DriverVersion{550, 163, 1}));
  EXPECT_LT((DriverVersion{99, 0, 0}), (DriverVersion{470, 0, 0}));
}

TEST(CudaTable, MinorVersionsAreCompatible) {
  EXPECT_EQ(oldest_driver({13, 2}), (DriverVersion{580, 0, 0}));
  EXPECT_EQ(oldest_driver({12, 9}), (DriverVersion{525, 0, 0}));
  EXPECT_EQ(oldest_driver({11, 0}), (DriverVersion{450, 0, 0}));
  EXPECT_EQ(oldest_driver({10, 2}), (DriverVersion{440, 33, 0}));
  EXPECT_EQ(oldest_driver({9, 2}), std::nullopt);
  EXPECT_EQ(matching_driver({12, 4}), (DriverVersion{550, 54, 14}));
  EXPECT_EQ(matching_driver({12, 7}), std::nullopt);
}

TEST(CudaTable, TheNewestCudaOfADriver) {
  EXPECT_EQ(newest_cuda_of({550, 54, 14}), (CudaVersion{12, 4}));
  EXPECT_EQ(newest_cuda_of({550, 54, 13}), (CudaVersion{12, 3}));
  EXPECT_EQ(newest_cuda_of({999, 0, 0}), (CudaVersion{13, 2}));
  EXPECT_EQ(newest_cuda_of({410, 48, 0}), (CudaVersion{10, 0}));
  EXPECT_EQ(newest_cuda_of({410, 47, 9}), std::nullopt);
}

TEST(CudaTable, CardsHaveABeginningAndAnEnd) {
  EXPECT_EQ(newest_cuda_major(61), 12U);  // GTX 1050 Ti
  EXPECT_EQ(newest_cuda_major(72), 12U);
  EXPECT_EQ(newest_cuda_major(75), std::nullopt);
  EXPECT_EQ(newest_cuda_major(37), 11U);
  EXPECT_EQ(newest_cuda_major(30), 10U);  // CUDA 11 release notes: "removed support for sm_30"
  EXPECT_EQ(first_cuda(120), (CudaVersion{12, 8}));
  EXPECT_EQ(first_cuda(89), (CudaVersion{11, 8}));
  EXPECT_EQ(first_cuda(86), (CudaVersion{11, 1}));
  EXPECT_EQ(first_cuda(75), std::nullopt);
  EXPECT_EQ(last_driver_branch(61), 580U);
  EXPECT_EQ(last_driver_branch(75), std::nullopt);
  EXPECT_EQ(last_driver_branch(35), 470U);
}

TEST(CudaTable, Judges) {
  const DriverVersion r580{580, 65, 6}, r535{535, 54, 3};
  EXPECT_EQ(judge_cuda({13, 0}, r535, 86), CudaFit::driver_too_old);
  EXPECT_EQ(judge_cuda({13, 0}, DriverVersion{579, 99, 99}, 86), CudaFit::driver_too_old);
  EXPECT_EQ(judge_cuda({13, 0}, DriverVersion{580, 0, 0}, 86), CudaFit::fits);
  EXPECT_EQ(judge_cuda({12, 9}, r535, 86), CudaFit::fits);
  EXPECT_EQ(judge_cuda({13, 0}, r580, 61), CudaFit::card_too_old);
  EXPECT_EQ(judge_cuda({12, 9}, r580, 61), CudaFit::fits);
  EXPECT_EQ(judge_cuda({12, 4}, r580, 120), CudaFit::card_too_new);
  EXPECT_EQ(judge_cuda({12, 8}, r580, 120), CudaFit::fits);
  EXPECT_EQ(judge_cuda({13, 0}, std::nullopt, 0), CudaFit::fits);
  EXPECT_EQ(judge_cuda({99, 0}, r580, 86), CudaFit::fits);
}

TEST(CudaTable, BranchesEnd) {
  ASSERT_NE(find_branch(535), nullptr);
  EXPECT_EQ(find_branch(535)->end, "2026-06");
  EXPECT_EQ(find_branch(580)->end, "2028-08");
  EXPECT_EQ(find_branch(536), nullptr);
  EXPECT_EQ(driver_branches().size(), 3U);
}

}  // namespace
}  // namespace estiva::decide
