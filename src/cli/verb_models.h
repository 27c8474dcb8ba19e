// The verbs about models that are loaded for requests.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_models(Session& session, const Arguments& args);
Result<int> run_load(Session& session, const Arguments& args);
Result<int> run_unload(Session& session, const Arguments& args);
Result<int> run_free_memory(Session& session, const Arguments& args);
Result<int> run_pin(Session& session, const Arguments& args);
Result<int> run_pause(Session& session, const Arguments& args);
Result<int> run_resume(Session& session, const Arguments& args);
Result<int> run_stress(Session& session, const Arguments& args);
Result<int> run_explain(Session& session, const Arguments& args);

}  // namespace estiva::cli
