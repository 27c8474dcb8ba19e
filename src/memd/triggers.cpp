#include "memd/triggers.h"

#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace estiva::memd {

namespace {

// Stall and window, in microseconds: Documentation/accounting/psi.rst.
constexpr char kHalf[] = "some 20000 500000", kTwoSeconds[] = "some 80000 2000000";

// The kernel tells of a change until the file is read again.
bool read_again(int file) {
  char text[512];
  return pread(file, text, sizeof text, 0) >= 0;
}

}  // namespace

bool Triggers::arm(const std::string& path, const char* words) {
  pressure_.reset(open64(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (pressure_ && write(pressure_.get(), words, std::strlen(words) + 1) > 0) return true;
  // Kept open without a trigger, it would be readable for ever.
  pressure_.reset();
  return false;
}

void Triggers::open(const std::string& pressure, const std::string& events) {
  if (arm(pressure, kHalf))
    window_ = TriggerWindow::half;
  else if (arm(pressure, kTwoSeconds))
    window_ = TriggerWindow::two_seconds;
  if (events.empty()) return;
  events_.reset(open64(events.c_str(), O_RDONLY | O_CLOEXEC));
  if (events_ && !read_again(events_.get())) events_.reset();
}

std::array<pollfd, 2> Triggers::waits() const noexcept {
  return {pollfd{pressure_.get(), POLLPRI, 0}, pollfd{events_.get(), POLLPRI, 0}};
}

bool Triggers::take(const std::array<pollfd, 2>& waited) noexcept {
  const auto [pressure, events] = waited;
  if ((pressure.revents & (POLLERR | POLLNVAL | POLLHUP)) != 0) {
    pressure_.reset();
    window_ = TriggerWindow::none;
  }
  // Of a group's file a change is POLLPRI together with POLLERR.
  const bool is_broken = events.revents != 0 && !read_again(events_.get());
  if (is_broken || (events.revents & (POLLNVAL | POLLHUP)) != 0) events_.reset();
  return ((pressure.revents | events.revents) & POLLPRI) != 0;
}

}  // namespace estiva::memd
