#include "cli/numbers.h"

#include <fmt/format.h>

#include "base/messages/cli.h"
#include "format/json_writer.h"
#include "format/size.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

constexpr std::size_t kMaxName = 256;

Failure usage(std::string what, std::string_view remedy) {
  return fail(ErrorKind::usage, std::move(what), std::string(remedy));
}

std::string shown(std::string_view text) {
  return format::escape_for_terminal(text.substr(0, 60));
}

}  // namespace

Result<void> check_name(std::string_view name) {
  bool fine = !name.empty() && name.size() <= kMaxName && format::is_utf8(name);
  for (const char c : name) fine = fine && static_cast<unsigned char>(c) >= ' ' && c != 0x7f;
  if (fine) return {};
  return usage(fmt::format(m::kBadName, shown(name)), m::kNameForms);
}

Result<Bytes> vram_of(const Arguments& args) {
  const auto size = args.value("--vram");
  const auto mib_count = args.value("--vram-mb");
  if (size && mib_count) return usage(std::string(m::kTwoSizes), m::kGiveOneSize);
  if (!size && !mib_count)
    return usage(fmt::format(m::kMissingFlag, args.verb->name, "--vram SIZE"), m::kVramForms);
  const auto bytes = size ? format::parse_size(*size) : format::parse_mib_count(*mib_count);
  if (bytes) return *bytes;
  const std::string_view flag = size ? "--vram" : "--vram-mb";
  return usage(fmt::format(m::kBadVram, shown(size ? *size : *mib_count), flag),
               size ? m::kVramForms : m::kVramMbForms);
}

Result<std::uint64_t> count_of(const Arguments& args, std::string_view flag, std::uint64_t least,
                               std::uint64_t most, std::uint64_t otherwise) {
  const auto text = args.value(flag);
  if (!text) return otherwise;
  const auto number = format::parse_u64(*text);
  if (number && *number >= least && *number <= most) return *number;
  return usage(fmt::format(m::kBadNumber, shown(*text), flag),
               fmt::format(m::kNumberRange, least, most));
}

Result<std::chrono::nanoseconds> time_of(const Arguments& args, std::string_view flag,
                                         std::chrono::nanoseconds otherwise,
                                         std::chrono::nanoseconds least) {
  const auto text = args.value(flag);
  if (!text) return otherwise;
  const auto span = format::parse_seconds(*text);
  if (span && *span >= least) return *span;
  return usage(fmt::format(m::kBadDuration, shown(*text), flag),
               span ? fmt::format(m::kDurationLeast, format::format_duration(least))
                    : std::string(m::kDurationForms));
}

Result<Wanted> wanted_of(const Arguments& args, std::string model) {
  Wanted wanted;
  if (auto ok = check_name(model); !ok) return Failure(ok.error());
  wanted.model = std::move(model);
  const auto vram = vram_of(args);
  if (!vram) return Failure(vram.error());
  wanted.vram = *vram;
  const auto gpus = count_of(args, "--gpus", 1, 64, 1);
  if (!gpus) return Failure(gpus.error());
  wanted.gpus = *gpus;
  if (const auto gpu = args.value("--gpu")) wanted.gpu = *gpu;
  if (wanted.gpus > 1 && wanted.gpu != "auto")
    return usage(fmt::format(m::kAutoWithGpus, wanted.gpus, shown(wanted.gpu)), m::kLeaveGpuOut);
  if (const auto policy = args.value("--policy")) wanted.policy = *policy;
  if (args.has("--pid")) {
    const auto pid = count_of(args, "--pid", 1, 4194304, 0);  // the kernel's highest PID_MAX_LIMIT
    if (!pid) return Failure(pid.error());
    wanted.pid = *pid;
  }
  return wanted;
}

std::string to_json(const Wanted& wanted) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().field("model", wanted.model).field("vram_bytes", wanted.vram);
  json.field("gpu", wanted.gpu);
  if (wanted.gpus > 1) json.field("gpus", wanted.gpus);
  if (!wanted.policy.empty()) json.field("policy", wanted.policy);
  if (wanted.pid) json.field("pid", *wanted.pid);
  if (wanted.only_new) json.field("only_new", true);
  if (wanted.wait_seconds) json.field("wait_seconds", *wanted.wait_seconds);
  json.end_object();
  return text;
}

}  // namespace estiva::cli
