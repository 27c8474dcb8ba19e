// The [models.NAME] tables of estiva.toml. Private to the settings: this header pulls in toml++.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "format/settings_reader.h"
#include "model/model_spec.h"

namespace estiva::format {

// At most so many models, names and aliases together included in what is checked for uniqueness.
inline constexpr std::size_t kMaxModels = 1024;

// Appends what the tables say, by name. The first thing that is wrong goes into `error`: a key that
// is not known, an engine without what it needs, a name or an alias that another model has.
void read_models(std::string_view file, SectionReader& top, std::vector<ModelSpec>& out,
                 std::optional<Error>& error);

// Up to 24 hours.
Result<ModelSpec::Time> parse_model_time(std::string_view text);

}  // namespace estiva::format
