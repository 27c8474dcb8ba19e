// A connected socket on the loop, with a deadline each way. Tries the system call first and waits
// only when the kernel has nothing, so that a write that fits costs one system call and no queue.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <sys/uio.h>

#include "net/loop.h"
#include "net/peer.h"
#include "net/sweeper.h"

namespace estiva::net {

struct IoResult {
  std::size_t size = 0;  // 0 without error: the other side ended its half
  int error = 0;         // errno; ETIMEDOUT: the deadline; ECANCELED: cancel() or close()
};

class Stream {
 public:
  Stream(Loop& loop, Sweeper& sweeper, UniqueFd connected);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // At least one byte, the end, or an error.
  Awaitable<IoResult> read_some(char* to, std::size_t size);
  // One recv that does not wait: EAGAIN when nothing is there.
  IoResult try_read(char* to, std::size_t size);
  // All of the pieces (changed on the way). `stall_ticks`: the longest time without progress.
  Awaitable<int> write_all(std::span<iovec> pieces, std::uint32_t stall_ticks);
  // One sendmsg that does not wait; `pieces` then holds what is left. 0, EAGAIN or another errno.
  int try_write(std::span<iovec>& pieces);
  // Waits until connect(2) has ended; ETIMEDOUT after `ticks`.
  Awaitable<int> wait_connected(std::uint32_t ticks);

  // For read_some(); counted down while set, across calls. 0 switches it off.
  void set_read_deadline(std::uint32_t ticks);
  std::uint32_t read_ticks_left() const;

  // Calls back once when the socket becomes readable or is cancelled, without reading.
  void when_readable(std::function<void()> ready);
  void cancel();
  void close();
  bool is_open() const;
  int fd() const;
  // Sends the end of our half.
  void shutdown_write();
  // The other side has ended its half or reset (poll for POLLRDHUP, POLLERR, POLLHUP).
  bool peer_is_gone() const;
  // Nothing to read and not ended: a pooled connection that may be used again.
  bool is_quiet() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace estiva::net
