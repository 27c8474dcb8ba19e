// Unknown is not zero: a Reading holds a value, or the reason why there is none.
#pragma once
#include <cassert>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace estiva {

enum class Missing : std::uint8_t {
  not_read,       // nobody asked yet (a slower tier, or the first sample is still to come)
  not_supported,  // this device, driver or mode does not have it
  not_permitted,  // it exists, and we lack the right to read it
  no_sample,      // the driver has nothing newer to say
  lost,           // the device is lost or needs a reset
  asleep,         // reading would wake a sleeping device
  unresponsive,   // the driver did not answer in time
  failed,         // the driver gave an error of another kind
};

template <class T>
class Reading {
 public:
  Reading() = default;
  Reading(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Reading(Missing why) : why_(why) {}             // NOLINT(google-explicit-constructor)

  bool known() const { return value_.has_value(); }
  explicit operator bool() const { return known(); }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return &*value_; }
  T value_or(T other) const { return value_.value_or(std::move(other)); }
  // Only meaningful where known() is false.
  Missing why() const { return why_; }

  friend bool operator==(const Reading&, const Reading&) = default;

 private:
  std::optional<T> value_;
  Missing why_ = Missing::not_read;
};

// "not_supported", the form JSON carries.
std::string_view to_name(Missing why);

}  // namespace estiva
