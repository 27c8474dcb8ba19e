// Sentences about models inside an Ollama server. {} are filled by fmt in the order of the comment.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kOllamaNonsense =
    "the Ollama server gave an answer that is none of its API";
inline constexpr std::string_view kOllamaAway =
    "no Ollama server answers at {} ({})";  // address, why
inline constexpr std::string_view kOllamaAwayRemedy =
    "Start it ('systemctl start ollama' or 'ollama serve'), or set url in the model's table";
inline constexpr std::string_view kOllamaNoModel =
    "the Ollama server at {} has no model '{}'";  // address, model
inline constexpr std::string_view kOllamaNoModelRemedy = "'ollama pull {}' fetches it";  // model
inline constexpr std::string_view kOllamaRefused =
    "Ollama did not load '{}': {}";  // model, its words
inline constexpr std::string_view kOllamaSlow =
    "Ollama did not load '{}' within {} s";  // model, limit
inline constexpr std::string_view kOllamaSlowRemedy = "load_limit allows more time";
inline constexpr std::string_view kOllamaOnCpu =
    "Ollama put {} of the {} of '{}' on the CPU, and it was unloaded";  // size, size, model
inline constexpr std::string_view kOllamaOnCpuRemedy =
    "Free GPU memory, or take a smaller context (num_ctx) or quantisation; 'journalctl -u ollama' "
    "says what it found free";
inline constexpr std::string_view kOllamaNotThere =
    "Ollama says that '{}' is loaded, but does not list it";  // model
inline constexpr std::string_view kOllamaStopped = "the load was ended";
inline constexpr std::string_view kOllamaNotUnloaded =
    "Ollama did not unload '{}' within {} s";  // model, limit
inline constexpr std::string_view kOllamaNotUnloadedRemedy =
    "Requests under way keep it loaded; 'ollama ps' shows it";
inline constexpr std::string_view kOllamaGone =
    "'{}' is not loaded in the Ollama server at {} any more";  // model, address
inline constexpr std::string_view kOllamaEnded =
    "Ollama unloaded '{}' by itself, or its runner ended";  // model
inline constexpr std::string_view kOllamaNoSleep = "a model in Ollama has no sleep of its own";

}  // namespace estiva::msg
