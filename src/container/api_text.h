// Two forms of text in an engine's answers.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace estiva::container {

// Lines of GET /containers/ID/logs, whose two streams come in frames unless it has a terminal.
std::vector<std::string> parse_log(std::string_view body);

// "2026-11-20T08:00:00.5Z" -> seconds of the Unix epoch; 0: none, or the year 1 that says never.
std::int64_t parse_time(std::string_view text);

}  // namespace estiva::container
