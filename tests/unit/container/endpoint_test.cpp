// Where the engine is looked for: Docker's own order, with its files.
#include "container/endpoint.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <unistd.h>

namespace estiva::container {
namespace {

class Endpoint : public testing::Test {
 protected:
  Endpoint() {
    std::string name = std::filesystem::temp_directory_path() / "estiva-engine-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    search_.variable = [this](const char* variable) { return variables_[variable]; };
    variables_["HOME"] = folder_;
  }
  ~Endpoint() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = folder_ + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  // "unix:/x by DOCKER_HOST", or the error.
  std::string found() {
    const auto address = find_engine(search_);
    if (!address) return address.error().what;
    return net::to_text(address->endpoint) + " by " + address->chosen_by;
  }

  std::string folder_;
  std::map<std::string, std::string> variables_;
  EngineSearch search_;
};

TEST_F(Endpoint, TheSettingWinsThenDockerHost) {
  variables_["DOCKER_HOST"] = "unix:///run/user/1000/docker.sock";
  EXPECT_EQ(found(), "unix:/run/user/1000/docker.sock by DOCKER_HOST");
  search_.setting = "tcp://127.0.0.1:2375";
  EXPECT_EQ(found(), "127.0.0.1:2375 by docker.host");
  search_.setting = "/srv/docker.sock";
  EXPECT_EQ(found(), "unix:/srv/docker.sock by docker.host");
}

TEST_F(Endpoint, TheContextThatIsChosen) {
  write(".docker/config.json", R"({"auths":{},"currentContext":"rootless"})");
  write(".docker/contexts/meta/1f2e/meta.json",
        R"({"Name":"other","Endpoints":{"docker":{"Host":"ssh://box"}}})");
  write(
      ".docker/contexts/meta/aa11/meta.json",
      R"({"Name":"rootless","Endpoints":{"docker":{"Host":"unix:///run/user/1000/docker.sock"}}})");
  EXPECT_EQ(found(), "unix:/run/user/1000/docker.sock by context rootless");
  variables_["DOCKER_CONTEXT"] = "other";
  EXPECT_NE(found().find("ssh://box"), std::string::npos) << found();
  variables_["DOCKER_CONTEXT"] = "gone";
  EXPECT_NE(found().find("'gone'"), std::string::npos) << found();
  variables_["DOCKER_CONTEXT"] = "default";
  EXPECT_EQ(found(), "unix:/run/docker.sock by usual place");
  variables_["DOCKER_HOST"] = "unix:///x.sock";
  EXPECT_EQ(found(), "unix:/x.sock by DOCKER_HOST");
}

TEST_F(Endpoint, AnotherFolderOfDockersSettings) {
  write("elsewhere/config.json", R"({"currentContext":"here"})");
  write("elsewhere/contexts/meta/00/meta.json",
        R"({"Name":"here","Endpoints":{"docker":{"Host":"tcp://[::1]:2375"}}})");
  variables_["DOCKER_CONFIG"] = folder_ + "/elsewhere";
  EXPECT_EQ(found(), "[::1]:2375 by context here");
}

TEST_F(Endpoint, DamagedFilesAreAsGoodAsNone) {
  search_.sockets = {folder_ + "/docker.sock"};
  for (const char* text : {"", "{", "[]", R"({"currentContext":7})", "\xff\xfe"}) {
    write(".docker/config.json", text);
    EXPECT_EQ(found(), "unix:" + folder_ + "/docker.sock by usual place") << text;
  }
}

TEST_F(Endpoint, TheFirstUsualPlaceThatIsThere) {
  search_.sockets = {folder_ + "/a.sock", folder_ + "/b.sock", folder_ + "/c.sock"};
  EXPECT_EQ(found(), "unix:" + folder_ + "/a.sock by usual place");
  write("c.sock", "");
  EXPECT_EQ(found(), "unix:" + folder_ + "/c.sock by usual place");
  write("b.sock", "");
  EXPECT_EQ(found(), "unix:" + folder_ + "/b.sock by usual place");
}

TEST_F(Endpoint, WhatIsNotSpokenIsSaid) {
  for (const char* address : {"ssh://me@box", "npipe:////./pipe/docker", "fd://", "docker.sock",
                              "tcp://box.example:2375", "unix://", "\x1b[31m"}) {
    variables_["DOCKER_HOST"] = address;
    const auto refused = find_engine(search_);
    ASSERT_FALSE(refused) << address;
    EXPECT_EQ(refused.error().kind, ErrorKind::usage);
    EXPECT_NE(refused.error().remedy.find("unix:///"), std::string::npos);
    EXPECT_NE(refused.error().remedy.find("DOCKER_HOST"), std::string::npos);
    EXPECT_EQ(refused.error().what.find('\x1b'), std::string::npos);
  }
  variables_["DOCKER_HOST"] = "tcp://127.0.0.1:2376";
  EXPECT_TRUE(find_engine(search_));
  variables_["DOCKER_TLS_VERIFY"] = "1";
  EXPECT_FALSE(find_engine(search_)) << "TLS is wanted and not spoken";
}

}  // namespace
}  // namespace estiva::container
