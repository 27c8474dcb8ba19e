// From the keys of a GGUF file to what they mean; Ollama tells the same keys as JSON. Only this
// room's .cpp files include this.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/model_file.h"

namespace estiva::format {

// A value that may matter: a number (also of a bool), a short text, or a short list of numbers. Of
// a list `length` is how many it has.
struct GgufValue {
  bool is_number = false;
  std::uint64_t number = 0;
  std::string text;
  std::vector<std::uint32_t> list;
  std::uint64_t length = 0;
};
using GgufValues = std::map<std::string, GgufValue, std::less<>>;

inline constexpr std::size_t kMostGgufKept = 1024;    // keys: more are of no model's geometry
inline constexpr std::size_t kMostGgufBlocks = 2048;  // of a list: models have below 200

// Architecture, name, kind, split and geometry. What no key says stays as it is.
void fill_from_keys(const GgufValues& values, ModelFile& file);
// general.alignment; 32 where it is not said.
std::uint64_t alignment_of(const GgufValues& values);

}  // namespace estiva::format
