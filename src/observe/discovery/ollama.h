// Ollama's models: asked of its server where one answers on this machine, else read from its
// folders. Nothing is loaded or changed. Blocking.
#pragma once
#include <string>
#include <vector>

#include "host/files.h"
#include "model/discovery.h"
#include "observe/discovery/ask.h"

namespace estiva::observe {

struct OllamaPlaces {
  std::string host;                  // OLLAMA_HOST; empty: 127.0.0.1:11434
  std::vector<std::string> folders;  // each with "manifests" and "blobs" in it
  // OLLAMA_HOST and OLLAMA_MODELS of this process, its home's folder, and the service's.
  static OllamaPlaces of_this_process();
};

// What OLLAMA_HOST means to a client on this machine. Errors: refused where it is another machine.
Result<net::Endpoint> ollama_endpoint(const std::string& host);

// The models of a server that answers as Ollama; nullopt: nobody does. What can't be asked is in
// `found.not_seen`.
std::optional<FoundOllama> ask_ollama(const net::Endpoint& at, const LocalAsk& ask,
                                      Discovery& found);
void find_ollama(const host::Root& root, const OllamaPlaces& places, const LocalAsk& ask,
                 Discovery& found);

}  // namespace estiva::observe
