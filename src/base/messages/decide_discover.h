// What is said of a model that was found: beside its table, and above it in the configuration.
#pragma once
#include <string_view>

namespace estiva::msg {

// Weights, cache, tokens, computing, context of CUDA.
inline constexpr std::string_view kNeedGguf =
    "estimated: weights {}, KV cache {} for {} tokens, computing {}, CUDA {}";
inline constexpr std::string_view kNeedNoCache =
    "estimated without the KV cache, which the file does not tell: weights {}, computing {}, CUDA "
    "{}";
inline constexpr std::string_view kNeedSafetensors =
    "estimated: weights {}, a fifth of it for cache and computing, CUDA {}";
inline constexpr std::string_view kFoundNeedUnknown = "not known: say how much it takes on the GPU";
inline constexpr std::string_view kNeedNone = "not on this machine's GPUs, as far as estiva knows";
inline constexpr std::string_view kNeedForeign =
    "its VRAM counts as foreign: estiva did not start it";

inline constexpr std::string_view kFoundFile = "Found: {}{}";                 // path, (name, types)
inline constexpr std::string_view kFoundOllamaAt = "Found: Ollama {} at {}";  // version, url
inline constexpr std::string_view kFoundOllamaIn = "Found: Ollama's folder {}";
inline constexpr std::string_view kFoundServer = "Found: {} answers at {}";  // engine, url
inline constexpr std::string_view kFoundServerOf = "Found: {} answers at {}, process {} ({})";
inline constexpr std::string_view kFoundContainer = "Found: container {} of image {}, {}";
inline constexpr std::string_view kContainerRuns = "running";
inline constexpr std::string_view kContainerIsStopped = "stopped";
inline constexpr std::string_view kNoteRemote =
    "estiva relays to it and can't unload it; with 'engine' process or container it could";
inline constexpr std::string_view kNoteRunsAlready =
    "{} has it loaded already, at {}: stop that one, or both have it";  // engine, url
inline constexpr std::string_view kNoteLoaded = "Ollama has it loaded now, {} of VRAM";  // size
inline constexpr std::string_view kNoteOllamaStopped =
    "Ollama did not answer: start it before estiva is to use it";
inline constexpr std::string_view kNoteNoPort =
    "it publishes no port here: 'url' has to say where it answers, unless estiva finds it by "
    "itself";
inline constexpr std::string_view kNoteEndpoints =
    "several containers of that service are there; 'container' has to name one of them";

inline constexpr std::string_view kNotWhole = "{} is left out: {}";  // path, why
inline constexpr std::string_view kNotUtf8 = "{} is left out: its name is not UTF-8";
inline constexpr std::string_view kOllamaContainerStopped =
    "the container {} ({}) did not answer as Ollama: start it, and its models can be found";

}  // namespace estiva::msg
