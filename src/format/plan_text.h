// Plans as text and back: what a plan's hash is taken over, and the document that the journal keeps
// so that a run can be continued. Pure. Any byte survives, also of names that are not UTF-8.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "format/json_fields.h"
#include "format/json_writer.h"
#include "model/plan.h"

namespace estiva::format {

// A text that may hold any byte, as one that is valid UTF-8: itself, or "hex:" and two digits a
// byte.
std::string pack_bytes(std::string_view bytes);
std::string unpack_bytes(std::string_view packed);

// For `fields` functions: a member that may hold any byte.
template <class Io>
void bytes_field(Io& io, std::string_view name, std::string& value) {
  std::string packed = pack_bytes(value);
  io(name, packed);
  value = unpack_bytes(packed);
}
template <class Io>
void bytes_list(Io& io, std::string_view name, std::vector<std::string>& values) {
  std::vector<std::string> packed;
  for (const std::string& value : values) packed.push_back(pack_bytes(value));
  io(name, packed);
  values.clear();
  for (const std::string& value : packed) values.push_back(unpack_bytes(value));
}

// The SHA-256 over everything in the steps, in order, that decides what is done and who is
// interrupted: 64 hexadecimal digits. The sentences and the diff only explain it and don't count.
std::string hash_of(const Plan& plan);

// The whole plan as one JSON object.
std::string plan_to_json(const Plan& plan);
// Errors: not such a document.
Result<Plan> plan_from_json(std::string_view text);

}  // namespace estiva::format
