// What is wrong with a model's file, or with its name.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kGgufNot = "this is no GGUF file";
inline constexpr std::string_view kGgufVersion = "this is GGUF version {}";  // version
inline constexpr std::string_view kGgufVersionHow =
    "Versions 2 and 3 can be read; llama.cpp's gguf-py converts older files";
inline constexpr std::string_view kGgufBigEndian = "this GGUF file is big endian";
inline constexpr std::string_view kGgufBigEndianHow =
    "gguf-py's gguf_convert_endian makes it little endian";
inline constexpr std::string_view kGgufCut = "the file ends in its header, at byte {}";  // offset
inline constexpr std::string_view kModelCutHow = "Its download may have stopped; load it again";
inline constexpr std::string_view kGgufDamaged =
    "the header is damaged before byte {}: {}";                                 // offset, what
inline constexpr std::string_view kGgufTooMany = "more {} than any model has";  // "tensors"
inline constexpr std::string_view kGgufText = "a text that is too long";
inline constexpr std::string_view kGgufType = "a value of no known type";
inline constexpr std::string_view kGgufNested = "a list of lists";
inline constexpr std::string_view kGgufLong = "the header does not end";
inline constexpr std::string_view kGgufShape = "a tensor without a possible shape";
inline constexpr std::string_view kGgufAlignment = "an alignment that is no power of two";
inline constexpr std::string_view kGgufNoArchitecture = "general.architecture is missing";

inline constexpr std::string_view kSafetensorsNot = "this is no safetensors file";
inline constexpr std::string_view kSafetensorsLong =
    "the header has {} bytes, and at most {} are read";  // length, limit
inline constexpr std::string_view kSafetensorsTensor =
    "the tensor '{}' has no type or no place";  // name
inline constexpr std::string_view kSafetensorsIndex = "this is no index of safetensors files";
inline constexpr std::string_view kModelConfig = "this is no config.json of a model";

inline constexpr std::string_view kOllamaTags = "the answer is none of Ollama's";

}  // namespace estiva::msg
