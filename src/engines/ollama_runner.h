// The process in which an Ollama server runs one model: a child of the server, 'ollama runner' or
// llama-server, whose command line names the model's file by its digest. Reads procfs: a few
// milliseconds where there are hundreds of processes.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "host/files.h"

namespace estiva::engines {

// The words of a command line, as /proc/PID/cmdline has them, are those of a runner of this digest:
// "--model PATH/sha256-DIGEST" behind 'ollama runner', llama-server or ollama_llama_server.
bool is_ollama_runner(std::string_view cmdline, std::string_view digest);

// The runner of that digest below the process that listens on `port` of this machine. Where that
// one can't be seen (it is another user's, or in a container) below one called ollama, if there is
// only one such runner. nullopt: none, or not to be told which.
std::optional<pid_t> find_ollama_runner(const host::Root& root, std::string_view digest,
                                        std::uint16_t port);

}  // namespace estiva::engines
