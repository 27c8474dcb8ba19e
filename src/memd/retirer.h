// Runs swapoff in a child of a child. The first is forked before memory is locked and waits; for
// each area it forks one that calls swapoff, and kills it when the deadline passes. So a swapoff
// that lasts for hours, or that the kernel ends for lack of memory, never takes the loop with it.
#pragma once
#include <cstdint>
#include <sys/types.h>

#include "base/unique_fd.h"
#include "memd/area_files.h"

namespace estiva::memd {

struct RetireAnswer {
  std::uint32_t id = 0;
  AreaFault fault;  // ETIMEDOUT: the deadline passed and the area is active again
};

class Retirer {
 public:
  // Forks. Call it before the journal is opened and before memory is locked. 0, or the errno.
  int start(int folder) noexcept;
  ~Retirer();
  Retirer() = default;
  Retirer(const Retirer&) = delete;
  Retirer& operator=(const Retirer&) = delete;

  int descriptor() const noexcept { return socket_.get(); }  // readable: take() has something
  bool is_there() const noexcept { return static_cast<bool>(socket_); }
  // One at a time. False where it can't be asked.
  bool ask(std::uint32_t id, std::int64_t deadline_ns) noexcept;
  // An answer that has arrived; `lost` where the child is gone: nothing can be retired any more.
  enum class Took : std::uint8_t { nothing, answer, lost };
  Took take(RetireAnswer& answer) noexcept;

 private:
  UniqueFd socket_;
  pid_t child_ = -1;
};

}  // namespace estiva::memd
