// The models that requests may name, as estivad told them: by name, by alias, and as the beginning
// of a path. Loop thread only.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/gateway_protocol.h"

namespace estiva::gateway {

class RouteBook {
 public:
  // Replaces all. A name that stands twice belongs to the first; names come before aliases.
  void set(std::vector<api::Route> routes);

  // By name or alias; Ollama's ":latest" may be left away. Valid until set().
  const api::Route* find(std::string_view name) const;
  const std::vector<api::Route>& all() const { return routes_; }

  // Cuts the longest known name off the front of `rest` ("org/name:8b/v1/x?y=1", still encoded; a
  // slash of the name may be written as itself or as %2F).
  struct Cut {
    const api::Route* route = nullptr;
    std::string_view path;  // "/v1/x?y=1"; without its slash where only a query follows
  };
  std::optional<Cut> cut(std::string_view rest) const;

  // Up to three that may have been meant, the nearest first.
  std::vector<std::string> nearest(std::string_view name) const;

 private:
  std::vector<api::Route> routes_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace estiva::gateway
