// stdout and stderr as files: unbuffered, every byte accounted for.
#pragma once
#include "cli/session.h"

namespace estiva::cli {

class FileOutput final : public Output {
 public:
  explicit FileOutput(int fd) : fd_(fd) {}
  Result<void> write(std::string_view text) override;
  bool closed() const override { return closed_; }

 private:
  int fd_;
  bool closed_ = false;
};

}  // namespace estiva::cli
