// Plans and their runs as JSON: pieces of the documents of setup, doctor --fix, recover and cdi.
#pragma once
#include <vector>

#include "act/journal.h"
#include "act/report.h"
#include "format/json_writer.h"
#include "model/plan.h"

namespace estiva::api {

// An object's value: {"id","hash","steps":[{"kind","target","reason","effect","risk","stops":[],
// "undo","expects","mode","diff"}]}. What a file will hold stands in the diff alone. Bytes that are
// not UTF-8 become U+FFFD: this is for readers, the journal has the exact ones.
void write_plan(format::JsonWriter& json, const Plan& plan);
// An object's value: {"id","plan","hash","steps":[{"kind","target","state","text"}],"error"}; "id"
// is null where there was nothing to do, "error" is null or {"kind","message","remedy"}.
void write_run(format::JsonWriter& json, const act::RunReport& report);
// An array's value: [{"id","plan","hash","begun_at","phase","steps","standing","problem"}].
void write_runs(format::JsonWriter& json, const std::vector<act::RunInfo>& runs);

}  // namespace estiva::api
