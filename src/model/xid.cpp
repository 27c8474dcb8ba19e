#include "model/xid.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace estiva {
namespace {

// Takes a hexadecimal number of at most `digits` and the colon behind it off `rest`; the last
// number of all ends with the text.
std::optional<unsigned> take_number(std::string_view& rest, std::size_t digits) {
  const std::string_view text = rest.substr(0, rest.find(':'));
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size() || text.size() > digits) {
    return std::nullopt;
  }
  rest.remove_prefix(std::min(text.size() + 1, rest.size()));
  return value;
}

}  // namespace

std::string pci_slot(std::string_view address) {
  std::string_view rest = address.substr(0, address.find('.'));
  if (std::count(rest.begin(), rest.end(), ':') != 2) return {};
  const auto domain = take_number(rest, 8);
  const auto bus = take_number(rest, 2);
  const auto device = take_number(rest, 2);
  if (!domain || !bus || !device || *domain > 0xffff || *device > 0x1f) return {};
  return fmt::format("{:04x}:{:02x}:{:02x}", *domain, *bus, *device);
}

}  // namespace estiva
