// What a user reads of models that were looked for: `estiva models discover`.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kDiscoverFolder =
    "the folder {} can't be looked into: {}";  // folder, why
inline constexpr std::string_view kDiscoverTooMany =
    "the folder {} has more than {} entries; the rest of it was not looked at";  // folder, limit
inline constexpr std::string_view kDiscoverFile = "{} can't be read: {}";        // file, why
inline constexpr std::string_view kDiscoverNoAbsolute =
    "the folder {} is not an absolute path";  // folder
inline constexpr std::string_view kDiscoverCutFile =
    "{} of {} are there";  // size, size: the phrase behind a model's name
inline constexpr std::string_view kDiscoverNoPart = "{} is missing";  // file

inline constexpr std::string_view kDiscoverOllamaElsewhere =
    "OLLAMA_HOST is {}, which is not this machine; its models are not asked for";       // address
inline constexpr std::string_view kDiscoverOllama = "Ollama at {} can't be asked: {}";  // url, why
inline constexpr std::string_view kDiscoverPorts = "the ports of this machine: {}";     // why
inline constexpr std::string_view kDiscoverPortsTime =
    "not all ports of this machine could be asked in time: some server answers slowly";
inline constexpr std::string_view kDiscoverNoTime = "the time for questions is over";
inline constexpr std::string_view kDiscoverStatus = "{} was answered with status {}";
inline constexpr std::string_view kDiscoverEngine = "containers: {}";  // why

}  // namespace estiva::msg
