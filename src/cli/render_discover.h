// What `models discover` shows: a table and the configuration, or a JSON document.
#pragma once
#include <string>

#include "decide/residency/propose.h"
#include "model/discovery.h"

namespace estiva::cli {

struct Discovered {
  decide::Proposals proposals;
  std::vector<std::string> not_seen;
  std::string configuration;  // the tables that are missing, as text
};

std::string discover_table(const Discovered& found);
// What could not be looked at, and what was left out; empty where that is nothing.
std::string discover_notes(const Discovered& found);
// {"schema":"estiva/models-discover/1","models":[..],"left_out":[..],"not_seen":[..],
//  "configuration":"..","written":PATH|null}
std::string discover_json(const Discovered& found, const std::string& written);

}  // namespace estiva::cli
