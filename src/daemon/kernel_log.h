// Listens to the kernel log for what NVIDIA's driver says there of its GPUs: what happened before
// the daemon started, and what NVML's events do not tell. Loop thread only; never blocks.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "host/files.h"
#include "model/xid.h"
#include "net/loop.h"

namespace estiva::daemon {

class KernelLog {
 public:
  using Heard = std::function<void(const XidReport&)>;
  // `file`: a plain file of such records instead of the kernel's; empty: the root's own.
  KernelLog(net::Loop& loop, const host::Root& root, std::string file, Heard heard);

  // The kernel's own log is told from the record after this one on; for a daemon that comes back.
  void skip_to(std::uint64_t sequence) { read_to_ = sequence; }
  // The last record that was read of it.
  std::uint64_t read_to() const { return read_to_; }
  // A plain file is told from its start each time.
  bool is_plain() const { return !file_.empty() || !root_.is_real(); }

  // Tells what the log still has and then what is added. Errors: it may not be read
  // (kernel.dmesg_restrict), or is not there.
  Result<void> open();
  // A plain file (of a tree: dev/kmsg.log) can't be waited for: call this at every interval. Does
  // nothing for the kernel's own log.
  void poll();

 private:
  void read_records();
  void read_some();
  void take(std::string_view record);
  // A storm is the same line again and again: told as one report with its count.
  void tell();

  net::Loop& loop_;
  const host::Root& root_;
  std::string file_;
  Heard heard_;
  UniqueFd fd_;
  std::shared_ptr<void> waiting_;
  bool is_catching_up_ = true;    // what was there before we came carries its own time
  std::vector<XidReport> taken_;  // and not told yet
  std::uint64_t read_to_ = 0;
  std::string rest_;  // of a plain file: a line that has no end yet
  std::string buffer_;
};

}  // namespace estiva::daemon
