#include "cli/gl_look.h"

#include <fmt/format.h>

#include "base/messages/cli_doctor.h"
#include "cli/programs.h"
#include "format/text.h"
#include "host/program.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using namespace std::chrono_literals;

constexpr std::chrono::seconds kPatience = 10s;
constexpr int kNothingToDrawOn = 3;

Drawn run_probe(const std::vector<std::string>& words) {
  const auto said = host::ask_program(words, {kPatience, 64 << 10});
  if (said) return parse_drawn(said->output, said->signal == 0 ? said->exit_code : 1);
  Drawn drawn;
  drawn.reason = said.error().kind == ErrorKind::timed_out
                     ? fmt::format(m::kProbeSlow, kPatience.count())
                     : said.error().what;
  return drawn;
}

}  // namespace

bool Drawn::is_nvidia() const {
  return vendor.find("NVIDIA") != std::string::npos;
}

Drawn parse_drawn(std::string_view text, int exit_code) {
  Drawn drawn;
  if (exit_code == 0) drawn.state = Drawn::State::drawn;
  if (exit_code == kNothingToDrawOn) drawn.state = Drawn::State::nothing_to_draw_on;
  for (std::string_view line; format::next_line(text, line);) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, equals);
    std::string value(line.substr(equals + 1));
    if (key == "vendor")
      drawn.vendor = std::move(value);
    else if (key == "renderer")
      drawn.renderer = std::move(value);
    else if (key == "version")
      drawn.version = std::move(value);
    else if (key == "device")
      drawn.devices.push_back(std::move(value));
    else if (key == "reason")
      drawn.reason = std::move(value);
  }
  return drawn;
}

Result<GraphicsLook> look_at_graphics() {
  const auto program = find_program("estiva-glprobe");
  if (!program) return Failure(program.error());
  GraphicsLook look;
  // The variables of NVIDIA's PRIME render offload (driver README, chapter 35); those that are set
  // already must not count for the plain one.
  look.plain = run_probe({"env", "-u", "__NV_PRIME_RENDER_OFFLOAD", "-u",
                          "__GLX_VENDOR_LIBRARY_NAME", "-u", "DRI_PRIME", *program});
  look.offloaded = run_probe(
      {"env", "__NV_PRIME_RENDER_OFFLOAD=1", "__GLX_VENDOR_LIBRARY_NAME=nvidia", *program});
  return look;
}

GraphicsVerdict judge_graphics(const GraphicsLook& look) {
  using State = Drawn::State;
  if (look.plain.state == State::nothing_to_draw_on)
    return {fmt::format(m::kSkippedGraphics, look.plain.reason), 3};
  if (look.plain.state == State::failed && look.offloaded.state != State::drawn)
    return {std::string(m::kGraphicsFailed), 1};
  if (look.plain.is_nvidia()) return {std::string(m::kNvidiaDrawsAll), 0};
  if (look.offloaded.is_nvidia()) return {std::string(m::kOffloadWorks), 0};
  return {std::string(m::kOffloadNoEffect), 0};
}

}  // namespace estiva::cli
