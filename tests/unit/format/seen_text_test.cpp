// What the probe in a container prints, read again.
#include "format/seen_text.h"

#include <gtest/gtest.h>

namespace estiva::format {
namespace {

TEST(SeenText, AllLines) {
  const Seen seen = parse_seen(
      "node 0 /dev/nvidia0\n"
      "node 13 /dev/nvidia-caps x\n"
      "visible 0,1\n"
      "library /usr/lib/libcuda.so.1\n"
      "init 0\n"
      "device NVIDIA GeForce RTX 3060\n"
      "device NVIDIA A100\n");
  EXPECT_EQ(seen.nodes, (std::vector<SeenNode>{{"/dev/nvidia0", 0}, {"/dev/nvidia-caps x", 13}}));
  EXPECT_EQ(seen.visible, "0,1");
  EXPECT_EQ(seen.library, "/usr/lib/libcuda.so.1");
  EXPECT_EQ(seen.init, Reading<int>(0));
  EXPECT_EQ(seen.devices, (std::vector<std::string>{"NVIDIA GeForce RTX 3060", "NVIDIA A100"}));
  EXPECT_EQ(seen.library_error, "");
}

TEST(SeenText, WithoutALibraryCudaWasNotAsked) {
  const Seen seen = parse_seen("nolibrary libcuda.so.1: cannot open shared object file\n");
  EXPECT_EQ(seen.library_error, "libcuda.so.1: cannot open shared object file");
  EXPECT_FALSE(seen.init);
}

TEST(SeenText, NonsenseIsLeftOut) {
  EXPECT_EQ(parse_seen(""), Seen{});
  EXPECT_EQ(parse_seen("node\nnode x /dev/a\nnode 0\ninit\ninit x\nnews from a later version\n"),
            Seen{});
}

}  // namespace
}  // namespace estiva::format
