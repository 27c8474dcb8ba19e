// What is on one of the lists that say what may be shown.
#pragma once
#include <algorithm>
#include <string_view>

namespace estiva::observe {

template <class List>
bool is_one_of(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace estiva::observe
