// A folder of its own for swap files that are never swapped to.
#pragma once
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unique_fd.h"

namespace estiva::memd {

class MemdTest : public testing::Test {
 protected:
  void SetUp() override {
    // On the disk and not in a tmpfs: tmpfs counts blocks in another way.
    std::string name = ESTIVA_BUILD_DIR "/memd-test.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
    folder_.reset(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  int folder() const { return folder_.get(); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  void write_file(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    const UniqueFd fd(open(file(name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
    ASSERT_EQ(write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ASSERT_EQ(fchmod(fd.get(), mode), 0);
  }

  std::string path_;
  UniqueFd folder_;
};

}  // namespace estiva::memd
