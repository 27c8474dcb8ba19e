// What a user of `models discover` reads.
#pragma once
#include <string_view>

namespace estiva::msg::cli {

inline constexpr std::string_view kHelpDiscoverWrite =
    "write the configuration to this file; tables are added to one that is there";
inline constexpr std::string_view kHelpDiscoverFolder = "look into this folder, too";
inline constexpr std::string_view kHelpDiscoverContext =
    "estimate the VRAM for a context of so many tokens (default: 4096)";
inline constexpr std::string_view kHelpDiscoverYes = "add to a file that is there without asking";

inline constexpr std::string_view kDiscoverContextWrong =
    "'{}' is no number of tokens";  // what was written
inline constexpr std::string_view kDiscoverContextHow = "Write a number from 1 to 16777216";
inline constexpr std::string_view kDiscoverOnlyWithWrite = "--yes has nothing to agree to";
inline constexpr std::string_view kDiscoverOnlyWithWriteHow = "It goes with --write FILE";

inline constexpr std::string_view kDiscoverTitles[] = {"NAME", "ENGINE", "WHERE", "VRAM", "WHY"};
inline constexpr std::string_view kDiscoverNoVram = "n/a";
inline constexpr std::string_view kDiscoverConfigured = "configured";  // in place of WHY
inline constexpr std::string_view kDiscoverNothing = "No model was found.";
inline constexpr std::string_view kDiscoverNothingHow =
    "Looked for: GGUF files and safetensors of llama.cpp, Hugging Face and LM Studio, Ollama's "
    "models, engines that answer on this machine, containers. --folder DIR names another folder.";
inline constexpr std::string_view kDiscoverConfiguration = "Configuration for estiva.toml:";
inline constexpr std::string_view kDiscoverAllThere = "All of them are configured.";
inline constexpr std::string_view kDiscoverLeftOut = "Left out:";
inline constexpr std::string_view kDiscoverNotSeen = "Could not be looked at:";
inline constexpr std::string_view kDiscoverHowToWrite =
    "'estiva models discover --write FILE' writes it.";

inline constexpr std::string_view kDiscoverFileHead =
    "# Models for estiva, found by 'estiva models discover'. docs/configuration.md explains every\n"
    "# setting. 'vram' is what the model takes of its GPU; estiva learns the true figure.\n"
    "# policy = \"keep\" keeps a model while all fit, \"swap\" (the default) makes room for "
    "others,\n"
    "# \"always-unload\" unloads it after each request. pinned = true, priority = 5, ttl = "
    "\"10m\".\n";
inline constexpr std::string_view kDiscoverAddAsk = "Add this to {}? [y/N] ";  // file
inline constexpr std::string_view kDiscoverNotAgreed = "{} was left as it is";
inline constexpr std::string_view kDiscoverNotAgreedHow =
    "With --yes it is changed without a question";
inline constexpr std::string_view kDiscoverWrote = "Wrote {} to {}.";  // "2 tables", file
inline constexpr std::string_view kDiscoverWroteNothing = "{} has all of them; it was not changed.";
inline constexpr std::string_view kDiscoverChanged =
    "{} was changed by somebody else meanwhile";  // file
inline constexpr std::string_view kDiscoverChangedHow = "Run it again";
inline constexpr std::string_view kDiscoverOthersFile =
    "{} belongs to another user (uid {})";  // file, uid
inline constexpr std::string_view kDiscoverOthersFileHow =
    "Run it as that user, or write another file and copy the tables";

}  // namespace estiva::msg::cli
