// From where an address can be reached, by the interface that has it.
#include "gateway/reach.h"

#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <ifaddrs.h>
#include <sys/socket.h>

#include "net/socket.h"
#include "unit/net/net_fixture.h"

namespace estiva::gateway {
namespace {

Reach reach(const std::string& text, const std::string& interfaces = "/sys/class/net") {
  return reach_of(net::parse_endpoint(text).value(), interfaces);
}

TEST(Reach, LoopbackAndFilesStayOnTheMachine) {
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "unix:/x"})
    EXPECT_EQ(reach(text), Reach::this_machine) << text;
}

TEST(Reach, AllAddressesAtOnceAndThoseOfNobodyAreTheNetworks) {
  for (const char* text : {"0.0.0.0:1", "[::]:1", "192.0.2.1:1"})
    EXPECT_EQ(reach(text), Reach::network) << text;
}

// With a folder in place of /sys/class/net, so that any interface of this machine will do.
TEST(Reach, ABridgeIsForContainersUnlessACardIsInIt) {
  ifaddrs* all = nullptr;
  ASSERT_EQ(getifaddrs(&all), 0);
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, one->ifa_addr, sizeof(sockaddr_in));
    const std::string host = net::endpoint_of(storage).host;
    if (host.starts_with("127.")) continue;
    const net::TempDir folder;
    const std::string sys = folder / "net";
    const std::string name = one->ifa_name;
    std::filesystem::create_directories(sys + "/" + name);
    EXPECT_EQ(reach(host + ":1", sys), Reach::network);
    std::filesystem::create_directories(sys + "/" + name + "/bridge");
    EXPECT_EQ(reach(host + ":1", sys), Reach::containers);
    std::filesystem::create_directories(sys + "/" + name + "/brif/veth1");
    std::filesystem::create_directories(sys + "/veth1");
    EXPECT_EQ(reach(host + ":1", sys), Reach::containers);
    std::filesystem::create_directories(sys + "/veth1/device");
    EXPECT_EQ(reach(host + ":1", sys), Reach::network);
  }
  freeifaddrs(all);
}

}  // namespace
}  // namespace estiva::gateway
