// Which words to estivad pass through the gateway, and that no others do.
#include "gateway/operate.h"

#include <gtest/gtest.h>

#include "gateway/front.h"

namespace estiva::gateway {
namespace {

TEST(Operate, WordsAboutModelsPassInOneForm) {
  EXPECT_EQ(order_of("GET", "/api/v1/models")->target, "/api/v1/models");
  EXPECT_EQ(order_of("GET", "/api/v1/models?x=1")->target, "/api/v1/models");
  const auto load = order_of("POST", "/api/v1/models/a%20b/load");
  EXPECT_EQ(load->target, "/api/v1/models/load?model=a%20b");
  EXPECT_EQ(load->model, "a b");
  EXPECT_EQ(order_of("POST", "/api/v1/models/pin?model=org%2Fm&x=2")->target,
            "/api/v1/models/pin?model=org%2Fm");
}

TEST(Operate, NothingElsePasses) {
  for (const auto& [method, target] :
       std::vector<std::pair<std::string, std::string>>{{"POST", "/api/v1/models"},
                                                        {"GET", "/api/v1/models/a/load"},
                                                        {"GET", "/api/v1/models/a/log"},
                                                        {"POST", "/api/v1/models/a/policy"},
                                                        {"POST", "/api/v1/models/load"},
                                                        {"POST", "/api/v1/models/load?model="},
                                                        {"POST", "/api/v1/models/a/load?model=b"},
                                                        {"POST", "/api/v1/models/a/b/load"},
                                                        {"POST", "/api/v1/models/../keys"},
                                                        {"POST", "/api/v1/models/%2e%2e/keys"},
                                                        {"POST", "/api/v1/models/a%2Fb/load"},
                                                        {"DELETE", "/api/v1/models/a/load"},
                                                        {"GET", "/api/v1/keys"},
                                                        {"GET", "/api/v1/modelsx"}})
    EXPECT_FALSE(order_of(method, target)) << method << " " << target;
}

TEST(Operate, TheyAreNoPathsOfOllama) {
  EXPECT_EQ(front_of("GET", "/api/v1/models?x", false).wish, Wish::operate);
  EXPECT_EQ(front_of("POST", "/api/v1/models/a/load", false).wish, Wish::operate);
  EXPECT_EQ(front_of("GET", "/api/v1/modelsx", false).wish, Wish::not_there);
  EXPECT_EQ(front_of("GET", "/api/v1/keys", false).wish, Wish::not_there);
}

}  // namespace
}  // namespace estiva::gateway
