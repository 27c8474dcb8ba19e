// The address of the engine's bridge, out of what engines answer.
#include "container/bridge.h"

#include <gtest/gtest.h>

namespace estiva::container {
namespace {

TEST(Bridge, TheFirstIPv4GatewayIsIt) {
  EXPECT_EQ(parse_bridge(R"({"Name":"bridge","IPAM":{"Driver":"default","Config":[
      {"Subnet":"172.17.0.0/16","Gateway":"172.17.0.1"}]}})"),
            "172.17.0.1");
  EXPECT_EQ(parse_bridge(R"({"IPAM":{"Config":[{"Subnet":"fd00::/64","Gateway":"fd00::1"},
      {"Subnet":"10.1.0.0/16"},{"Gateway":"10.2.0.1"}]}})"),
            "10.2.0.1");
}

TEST(Bridge, WithoutOneItIsSaid) {
  for (const char* text : {"", "{}", "[]", R"({"IPAM":{"Config":null}})",
                           R"({"IPAM":{"Config":[{"Subnet":"10.0.0.0/8"}]}})",
                           R"({"IPAM":{"Config":[{"Gateway":"evil; rm"}]}})"})
    EXPECT_FALSE(parse_bridge(text)) << text;
}

}  // namespace
}  // namespace estiva::container
