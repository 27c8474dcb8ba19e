// Models as JSON documents: what the daemon serves and the command line prints. Pure.
#pragma once
#include <string>
#include <vector>

#include "api/residents.h"

namespace estiva::api {

// {"schema":"estiva/models/1","on_battery":false,"models":[{"name":..,"engine":..,"state":..,
//  "policy":..,"policy_from":"configuration|command","ttl_seconds":..,"ttl_from":..,"pid":..,
//  "starts_total":n,"vram_bytes":{"declared":..,"learned":..,"measured":..,"charged":..,"need":..},
//  "waiting":n,"bound_seconds":..}],"waiting":[..],"pauses":[..]}
std::string models_json(const Residents& residents, bool simulated);
// {"schema":"estiva/reload/1","added":[..],"removed":[..],"changed":[..],"applied":true}
std::string reload_json(const ReloadReport& report, bool applied);
// {"schema":"estiva/log/1","model":..,"lines":[..]}
std::string free_memory_json(const std::vector<FreedModel>& models, bool applied);
std::string log_json(const std::string& model, const std::vector<std::string>& lines);
// {"schema":"estiva/VERB/1","model":..}: a word to a model that was carried out.
std::string model_done_json(std::string_view verb, const std::string& model);

}  // namespace estiva::api
