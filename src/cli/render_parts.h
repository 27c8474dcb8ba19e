// Pieces of pages that more than one page has. Pure; what comes from outside is safe for a
// terminal.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/documents.h"
#include "cli/render.h"

namespace estiva::cli {

// "3.42 GiB", "63 %"; "n/a" where unknown.
std::string bytes_cell(std::optional<std::uint64_t> bytes);
std::string ratio_cell(std::optional<double> ratio);
// "power_watts" -> "power watts", and "not_supported" -> "not supported".
std::string words_of(std::string name);
// Without its full stops.
std::string sentence(std::string_view text);
// "What to do: ..", a line; nothing where there is no remedy.
std::string remedy_line(const std::string& remedy);
// What must be known before any figure is read: not real, or not fresh.
std::string banner(const GpuDocument& document, const RenderOptions& options);
bool is_ready(const DriverRow& driver);
// Why there is no GPU, or what ails the driver, with what to do; nothing where all is well.
std::string driver_lines(const GpuDocument& document, const RenderOptions& options);

}  // namespace estiva::cli
