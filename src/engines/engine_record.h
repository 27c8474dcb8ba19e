// What the daemon keeps of an engine that runs, so that the next daemon can go on with it. JSON.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "engines/process_tree.h"

namespace estiva::engines {

struct EngineRecord {
  ProcessTree tree;
  std::string url;           // where it answers, as parse_url() reads it
  std::string ready;         // asked whether it can work; empty: the port accepts
  unsigned sleep_level = 0;  // 0: awake
};

std::string to_text(const EngineRecord& record);
// Errors: failed, naming what is wrong.
Result<EngineRecord> parse_engine_record(std::string_view text);

}  // namespace estiva::engines
