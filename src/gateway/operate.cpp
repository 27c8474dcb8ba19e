#include "gateway/operate.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "net/target.h"

namespace estiva::gateway {
namespace {

constexpr std::string_view kModels = "/api/v1/models";
constexpr std::array<std::string_view, 4> kActions = {"load", "unload", "pin", "unpin"};

bool is_action(std::string_view word) {
  return std::find(kActions.begin(), kActions.end(), word) != kActions.end();
}

}  // namespace

bool is_order(std::string_view path) {
  return path == kModels || (path.starts_with(kModels) && path[kModels.size()] == '/');
}

std::optional<Order> order_of(std::string_view method, std::string_view target) {
  const auto parsed = net::parse_target(target);
  if (!parsed || !is_order(parsed->path)) return std::nullopt;
  const auto& parts = parsed->segments;  // "api", "v1", "models" and what follows
  if (parts.size() == 3) {
    if (method != "GET") return std::nullopt;
    return Order{std::string(kModels), {}};
  }
  const auto named = parsed->find("model");
  const bool is_path = parts.size() == 5 && !named;
  if (method != "POST" || (!is_path && (parts.size() != 4 || !named))) return std::nullopt;
  const std::string& action = parts.back();
  const std::string model = is_path ? parts[3] : std::string(*named);
  if (!is_action(action) || model.empty()) return std::nullopt;
  return Order{fmt::format("{}/{}?model={}", kModels, action, net::percent_encode(model)), model};
}

}  // namespace estiva::gateway
