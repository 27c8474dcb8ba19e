// [models.NAME] tables of estiva.toml as text: made of a ModelSpec, and looked over where they
// stand already. Pure. Reading settings for use is settings.h's part.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/model_spec.h"

namespace estiva::format {

// What a name of a model may be: 1 to 128 letters, digits and . _ - : /, not beginning with . or -.
bool is_model_name(std::string_view name);
// The nearest to `text` that may be one; "model" where nothing of it may stay.
std::string to_model_name(std::string_view text);

struct ModelTable {
  ModelSpec spec;
  std::vector<std::string> remarks;  // lines above it
  std::string vram_remark;  // behind the size, or behind a line that waits for one to be filled in
};
// The table with what differs from the defaults; ends in a newline. Texts have to be UTF-8.
std::string format_model_table(const ModelTable& table);

// What tells one model from another; the rest of its table is not looked at.
struct ModelIdentity {
  std::string name = {}, engine = {}, file = {}, model = {}, url = {}, container = {};
  std::vector<std::string> command = {};
};
// Of each [models.NAME] of a settings file. Errors: usage, where it is no TOML.
Result<std::vector<ModelIdentity>> parse_model_identities(std::string_view text,
                                                          std::string_view file);

}  // namespace estiva::format
