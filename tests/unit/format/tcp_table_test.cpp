#include "format/tcp_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estiva::format {
namespace {

using testing::ElementsAre;

// Lines of real machines, shortened behind the inode.
constexpr std::string_view kTcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "4711 1 0\n"
    "   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 "
    "4712 1 0\n"
    "   2: 0A00000A:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "4713 1 0\n"
    "   3: 0100007F:2CAA 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 "
    "4714 1 0\n";
constexpr std::string_view kTcp6 =
    "   0: 00000000000000000000000000000000:1F40 00000000000000000000000000000000:0000 0A 0:0 00:0 "
    "0 0 0 15 1\n"
    "   1: 00000000000000000000000001000000:1F41 00000000000000000000000000000000:0000 0A 0:0 00:0 "
    "0 0 0 16 1\n"
    "   2: 0000000000000000FFFF00000100007F:1F42 00000000000000000000000000000000:0000 0A 0:0 00:0 "
    "0 0 0 17 1\n"
    "   3: 000080FE00000000FF005E00FE000000:1F43 00000000000000000000000000000000:0000 0A 0:0 00:0 "
    "0 0 0 18 1\n";

TEST(TcpTable, ListenersThatLoopbackReaches) {
  // Not the one of a network's address, and not a connection.
  EXPECT_THAT(parse_listening(kTcp),
              ElementsAre(ListeningSocket{11434, 4711, false}, ListeningSocket{8080, 4712, false}));
  EXPECT_THAT(parse_listening(kTcp6),
              ElementsAre(ListeningSocket{8000, 15, false}, ListeningSocket{8001, 16, true},
                          ListeningSocket{8002, 17, false}));
}

TEST(TcpTable, NonsenseIsNoListener) {
  EXPECT_TRUE(parse_listening("").empty());
  EXPECT_TRUE(
      parse_listening("0: 00000000:XYZ 0 0A 0 0 0 0 0 1\n0: 00000000 0 0A 0 0 0 0 0 1").empty());
  EXPECT_TRUE(parse_listening("0: 00000000:1F901 0 0A 0 0 0 0 0 1").empty());
  EXPECT_EQ(parse_listening(kTcp, 1).size(), 1U);
}

}  // namespace
}  // namespace estiva::format
