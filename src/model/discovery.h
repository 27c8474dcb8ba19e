// What was found on a machine that can serve models: files, Ollama's models, servers that answer,
// containers. Gathered by observe/discovery, turned into a configuration by
// decide/residency/propose.h.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "model/model_file.h"

namespace estiva {

// A GGUF with all its parts, or a folder of safetensors.
struct FoundFile {
  std::string path;     // of the GGUF or its first part; of the folder
  std::string source;   // whose folder it is: "llama.cpp", "Hugging Face", "LM Studio"
  std::string hint;     // what its makers call it, where the path says it: "Qwen/Qwen3-8B"
  ModelFile file;       // all parts together
  std::string problem;  // a phrase: why it can't be loaded; empty: it can
};

struct FoundOllamaModel {
  std::string name;        // "qwen2.5:7b"
  ModelFile file;          // as far as it is known; `weights` always is
  Bytes vram;              // that it has now; 0: it is not loaded
  bool is_remote = false;  // it runs on somebody else's machine ("cloud")
};
struct FoundOllama {
  std::string url;      // where it answers; empty: only its folder was read
  std::string version;  // empty: not said
  std::string folder;   // that was read instead
  std::vector<FoundOllamaModel> models;
};

// Somebody answers on a port of this machine as an engine does.
struct FoundServer {
  std::string url;  // "http://127.0.0.1:8080"
  std::uint16_t port = 0;
  std::string
      engine;  // "llama-server", "vLLM", "TGI", "SGLang"; "OpenAI API" where it says no more
  std::vector<std::string> models;  // as it calls them
  std::string file;                 // that it has loaded, where it says so
  pid_t pid = 0;                    // 0: not to be seen by this user
  std::string program;              // of that process
};

struct FoundContainer {
  std::string id, name, image;
  std::string project, service;  // Compose's; empty: not made by Compose
  std::string serves;            // by its image: "Ollama", "vLLM", "XTTS"
  std::string model;             // what its label estiva.model says
  bool is_running = false;
  std::vector<std::uint16_t> ports;  // published on this machine's loopback, by number
};

struct Discovery {
  std::vector<FoundFile> files;
  std::vector<FoundOllama> ollama;
  std::vector<FoundServer> servers;
  std::vector<FoundContainer> containers;
  std::vector<std::string> not_seen;  // sentences: what could not be looked at, and why
};

}  // namespace estiva
