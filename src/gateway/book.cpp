#include "gateway/book.h"

#include <algorithm>

#include "format/text.h"
#include "net/target.h"

namespace estiva::gateway {
namespace {

constexpr std::string_view kLatest = ":latest";
constexpr std::size_t kMostNearest = 3;

}  // namespace

void RouteBook::set(std::vector<api::Route> routes) {
  routes_ = std::move(routes);
  by_name_.clear();
  for (std::size_t i = 0; i < routes_.size(); ++i) by_name_.emplace(routes_[i].model, i);
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    for (const std::string& alias : routes_[i].aliases) by_name_.emplace(alias, i);
  }
}

const api::Route* RouteBook::find(std::string_view name) const {
  auto found = by_name_.find(name);
  if (found == by_name_.end() && name.ends_with(kLatest))
    found = by_name_.find(name.substr(0, name.size() - kLatest.size()));
  return found == by_name_.end() ? nullptr : &routes_[found->second];
}

std::optional<RouteBook::Cut> RouteBook::cut(std::string_view rest) const {
  const std::size_t path_size = std::min(rest.find('?'), rest.size());
  std::optional<Cut> longest;
  for (std::size_t at = 0; at <= path_size; ++at) {
    if (at < path_size && rest[at] != '/') continue;
    const auto name = net::percent_decode(rest.substr(0, at));
    if (!name) return std::nullopt;
    if (const api::Route* route = find(*name)) longest = Cut{route, rest.substr(at)};
  }
  return longest;
}

std::vector<std::string> RouteBook::nearest(std::string_view name) const {
  std::vector<std::string_view> known;
  for (const auto& [one, index] : by_name_) known.push_back(one);
  std::vector<std::string> found;
  while (found.size() < kMostNearest) {
    const auto near = format::nearest_name(name, known);
    if (!near) break;
    found.emplace_back(*near);
    std::erase(known, found.back());
  }
  return found;
}

}  // namespace estiva::gateway
