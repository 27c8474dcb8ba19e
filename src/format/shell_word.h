// Words of commands that people are told to type. Pure.
#pragma once
#include <string>
#include <string_view>

namespace estiva::format {

// `word` as a shell takes it for one word: itself, or in single quotes where it has to be.
std::string shell_word(std::string_view word);

}  // namespace estiva::format
