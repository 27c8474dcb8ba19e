// A configuration from what was found: one [models.NAME] table for each model that could be served.
// Pure.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "decide/residency/estimate.h"
#include "format/model_toml.h"
#include "model/discovery.h"
#include "model/model_spec.h"

namespace estiva::decide {

struct Proposal {
  ModelSpec spec;                    // with `vram` where a need is known
  std::string where;                 // a path, a URL, a container: what the user knows it by
  std::optional<NeedEstimate> need;  // absent: not known
  std::string need_text;             // a phrase: how it was come by, or why it is not known
  std::vector<std::string> remarks;  // sentences: what was found, what to mind
  std::string configured_as;         // the name of the table that has it already; empty: none
};

struct Proposals {
  std::vector<Proposal> models;       // by name; names are valid and each once
  std::vector<std::string> left_out;  // sentences: what was found and can't be proposed, and why
};

// `there`: tables that a configuration has already. A model that one of them names keeps that
// table's name and is marked; a new one gets a name that none of them has.
Proposals propose_models(const Discovery& found, const NeedWish& wish,
                         const std::vector<format::ModelIdentity>& there);

// The tables of those that are not configured yet, an empty line between two; empty: none is left.
std::string format_proposals(const std::vector<Proposal>& models);

}  // namespace estiva::decide
