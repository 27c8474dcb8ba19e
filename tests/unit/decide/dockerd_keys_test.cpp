// What dockerd takes in daemon.json by name, type and version. The same against a real one:
// tests/e2e/daemon_json_test.py.
#include "decide/setup/dockerd_keys.h"

#include <gtest/gtest.h>

namespace estiva::decide {
namespace {

struct Case {
  const char *version, *text, *what, *remedy;
};

constexpr const char* kByHand = "Correct the file by hand and try again; it was not changed";
constexpr const char* kMends = "'estiva doctor --fix' mends that; then try again";
constexpr const char* kName = "Correct or remove it and try again; the file was not changed";

TEST(DockerdKeys, WhatIsRefusedIsSaidWithItsPlace) {
  const Case cases[] = {
      {"28.5.2", R"({"log-opts":"bad"})", "d:1:13: 'log-opts' is a text, and must be an object",
       kByHand},
      {"28.5.2", R"({"debug":"yes"})", "d:1:10: 'debug' is a text, and must be true or false",
       kByHand},
      {"28.5.2", "{\n \"featuers\":{\"cdi\":true}}",
       "d:2:13: Docker has no setting 'featuers'; did you mean 'features'?", kName},
      {"", R"({"zzz": 1})", "d:1:9: Docker has no setting 'zzz'", kName},
      {"24.0.7", R"({"cdi-spec-dirs": []})", "d:1:19: Docker 24.0.7 has no setting 'cdi-spec-dirs'",
       kName},
      {"28.5.2", R"({"graph": "/x"})", "d:1:11: Docker 28.5.2 has no setting 'graph'", kName},
      {"28.5.2", R"({"mtu": 1e3})", "d:1:9: 'mtu' is a number, and must be a whole number",
       kByHand},
      {"28.5.2", R"({"default-address-pools": ["x"]})",
       "d:1:27: 'default-address-pools' is an array, and must be an array of objects", kByHand},
      {"28.5.2", R"({"features": {"a": true, "cdi": "on"}})",
       "d:1:33: 'features.cdi' is a text, and must be true or false", kByHand},
      {"28.5.2", R"({"debug": true,})", "d:1:15: after this comma nothing follows", kMends},
      {"28.5.2", R"({"debug": "yes",})", "d:1:16: after this comma nothing follows", kByHand},
  };
  for (const Case& one : cases) {
    const auto fault = fault_of_daemon_json(one.text, "d", one.version);
    ASSERT_TRUE(fault) << one.text;
    EXPECT_EQ(fault->what, one.what);
    EXPECT_EQ(fault->remedy, one.remedy) << one.text;
    EXPECT_EQ(fault->kind, ErrorKind::refused);
  }
}

TEST(DockerdKeys, WhatDockerTakesIsTaken) {
  for (const char* text :
       {"", " \n", "{}", "\xEF\xBB\xBF{}", R"({"debug": null, "features": null})",
        R"({"features": {"cdi": null}})", R"({"stuff": {"debug": 7}})", R"({"label": 7})",
        R"({"debug": true, "debug": "yes"})", R"({"builder": {"gc": {"enabled": true}}})"})
    EXPECT_FALSE(fault_of_daemon_json(text, "d", "28.5.2")) << text;
  // A version that is not known may be any.
  EXPECT_FALSE(fault_of_daemon_json(R"({"graph": "/x", "bip6": "x"})", "d", ""));
}

}  // namespace
}  // namespace estiva::decide
