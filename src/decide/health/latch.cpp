#include "decide/health/latch.h"

namespace estiva::decide {

bool Latch::update(Says says, SteadyTime now, Nanoseconds hold, Nanoseconds calm) {
  if (open_ ? says != Says::clear : says != Says::sign) {
    counting_ = false;
    return open_;
  }
  if (!counting_) {
    counting_ = true;
    began_ = now;
  }
  if (now - began_ >= (open_ ? calm : hold)) {
    open_ = !open_;
    counting_ = false;
    since_ = now;
  }
  return open_;
}

void ShareWindow::add(bool so, SteadyTime now) {
  const Nanoseconds step = now - last_;
  const bool first = last_.ns == 0;
  last_ = now;
  forget(now);
  if (!first && so && step <= kLongestStep) slot(now).so += step;
}

double ShareWindow::share() const {
  Nanoseconds sum{0};
  for (const Slot& one : slots_) sum += one.so;
  return static_cast<double>(sum.count()) / static_cast<double>(kLength.count());
}

ShareWindow::Slot& ShareWindow::slot(SteadyTime now) {
  const std::int64_t number = now.ns / kSlotLength;
  Slot& found = slots_[static_cast<std::size_t>(number) % kSlots];
  if (found.number != number) found = {number, Nanoseconds{0}};
  return found;
}

void ShareWindow::forget(SteadyTime now) {
  const std::int64_t oldest = now.ns / kSlotLength - static_cast<std::int64_t>(kSlots);
  for (Slot& one : slots_) {
    if (one.number <= oldest) one = {};
  }
}

}  // namespace estiva::decide
