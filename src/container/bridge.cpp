#include "container/bridge.h"

#include <arpa/inet.h>

#include "base/messages/container.h"
#include "format/json_tree.h"

namespace estiva::container {

Result<std::string> parse_bridge(std::string_view json) {
  const auto tree = format::JsonTree::parse(json);
  if (!tree) return Failure(tree.error());
  const auto plan = tree->root()["IPAM"]["Config"];
  for (std::size_t i = 0; plan.is_array() && i < plan.size(); ++i) {
    const std::string address(plan.at(i)["Gateway"].text().value_or(""));
    in_addr binary{};
    if (inet_pton(AF_INET, address.c_str(), &binary) == 1) return address;
  }
  return fail(ErrorKind::not_found, msg::kNoBridge, msg::kNoBridgeRemedy);
}

}  // namespace estiva::container
