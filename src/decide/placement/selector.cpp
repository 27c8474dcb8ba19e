// Names of GPUs, as people write them.
#include "decide/placement/selector.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace estiva::decide {
namespace {

std::optional<unsigned> as_index(std::string_view name) {
  unsigned index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return index;
}

template <class Matches>
std::vector<std::uint32_t> all_that(const std::vector<GpuAccount>& accounts, Matches matches) {
  std::vector<std::uint32_t> found;
  for (std::size_t i = 0; i < accounts.size(); ++i)
    if (matches(accounts[i])) found.push_back(static_cast<std::uint32_t>(i));
  return found;
}

}  // namespace

std::vector<std::uint32_t> find_gpus(const std::vector<GpuAccount>& accounts,
                                     std::string_view name) {
  if (const auto index = as_index(name))
    return all_that(accounts, [&](const GpuAccount& account) {
      return account.id.instance.empty() && account.index == *index &&
             account.usable != Usable::not_seen;
    });
  auto exact = all_that(accounts, [&](const GpuAccount& a) { return a.id.key() == name; });
  if (!exact.empty()) return exact;
  return all_that(accounts, [&](const GpuAccount& a) { return a.id.key().starts_with(name); });
}

}  // namespace estiva::decide
