// The engine asked once and for all, for programs that look and end: blocking, within one time
// limit for all questions together. The answers can also be those that a host tree has recorded.
#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "container/endpoint.h"
#include "host/files.h"
#include "model/container.h"

namespace estiva::container {

// "/containers/json?all=1" -> the body of an answer with status 200.
using EngineAsk = std::function<Result<std::string>(const std::string& target)>;

// All questions of it share `limit`, which begins now; after it every answer is timed_out.
// Errors: those of net::fetch, and failed for another status. Any thread, one at a time.
EngineAsk ask_engine(net::Endpoint endpoint, std::chrono::milliseconds limit);

// The answers in a folder of a tree: version.json, info.json, containers.json, inspect/ID.json,
// images/ID.json (without "sha256:") and logs/ID.txt; what has no file is not_found. A file
// `error` ("denied: SENTENCE") stands for an engine that can't be asked.
EngineAsk ask_recorded_engine(const host::Root& root, std::string folder);

// The same error; where nobody listens, with what starts an engine.
Error with_engines_remedy(Error error);
// Which state an error of the first question stands for.
EngineState state_of(const Error& error, const net::Endpoint& endpoint);
// The sentence for a person, with its remedy, where the engine in that state can't be asked.
std::string explain_state(EngineState state, const Error& error, const std::string& address);

}  // namespace estiva::container
