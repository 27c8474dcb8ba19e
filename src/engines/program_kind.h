// What is different between the engines that estiva starts itself. One value a kind, in
// process_kind.cpp, llama_server_kind.cpp and vllm_kind.cpp; program_engine.h does the rest.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/upstream.h"
#include "model/model_spec.h"

namespace estiva::engines {

struct VramEstimate {
  Bytes bytes;
  std::string source;  // as EngineFacts::estimate_source
};

struct ProgramKind {
  // The words to run, with ${PORT} in them, made of what the spec has.
  std::vector<std::string> (*command)(const ModelSpec& spec);
  std::vector<std::string> environment = {};
  // Asked at the spec's address where the spec has no `ready`; empty: the port accepts.
  std::string_view ready_path = {};
  // Words that make the program tell its version and end; empty: it is not asked.
  std::vector<std::string> version_words = {};

  // What it will take of a GPU, from the model's file. nullptr: nobody knows how to tell.
  std::optional<VramEstimate> (*estimate)(const ModelSpec& spec) = nullptr;

  // Of an engine that runs. nullptr: it can't sleep. Each returns once it is done. Level 1 keeps
  // the weights in RAM, level 2 drops them; it wakes from the level that it sleeps at.
  net::Awaitable<Result<void>> (*sleep)(Upstream&, const ModelSpec&, unsigned level) = nullptr;
  net::Awaitable<Result<void>> (*wake)(Upstream&, const ModelSpec&, unsigned level) = nullptr;
  net::Awaitable<Result<bool>> (*is_sleeping)(Upstream&) = nullptr;
};

const ProgramKind& process_kind();
const ProgramKind& llama_server_kind();
const ProgramKind& vllm_kind();
// nullptr: an engine that is no program of ours.
const ProgramKind* program_kind(ModelEngine engine);

// Does the spec's own command choose the port? Then nothing about addresses is added to it.
bool names_port(const ModelSpec& spec);
// The number behind --port; nullopt where there is none, or ${PORT}.
std::optional<std::uint16_t> port_in(const std::vector<std::string>& command);

}  // namespace estiva::engines
