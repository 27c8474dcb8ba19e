// What a key with the role `operate` may say to estivad through the gateway: which models there are
// and how they stand, load, unload, pin and unpin. Nothing else of estivad's API passes. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace estiva::gateway {

struct Order {
  std::string target;  // for estivad's control socket, made anew
  std::string model;   // as the client names it; empty: the list of all
};

// Is the path below /api/v1/models, of which order_of() knows more?
bool is_order(std::string_view path);
// GET /api/v1/models, POST /api/v1/models/NAME/ACTION and POST /api/v1/models/ACTION?model=NAME;
// nothing for all else.
std::optional<Order> order_of(std::string_view method, std::string_view target);

}  // namespace estiva::gateway
