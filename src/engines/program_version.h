// What a program says of its version.
#pragma once
#include <string>
#include <vector>

#include "net/loop.h"

namespace estiva::engines {

// Runs `program` with `words` and gives the number out of what it prints ("0.6.3", "b4711"); empty
// where it does not say one within 5 s. Does not block the loop.
net::Awaitable<std::string> ask_version(net::Loop& loop, std::string program,
                                        std::vector<std::string> words);

}  // namespace estiva::engines
