#include "memd/options.h"

#include <charconv>
#include <fmt/format.h>
#include <string_view>

#include "base/messages/memd.h"

namespace estiva::memd {

const char kHelp[] =
    "estiva-memd: keeps swap there before memory runs out, and gives it back.\n\n"
    "  estiva-memd [OPTIONS]         the loop, in the foreground; needs root\n"
    "  estiva-memd --once --json     what it sees now, of itself or of the one that runs\n"
    "  estiva-memd --clean           gives back all swap that nobody uses, and ends\n\n"
    "  --folder DIR       of the swap files (default /var/lib/estiva/swap)\n"
    "  --run DIR          of the journal and the socket (default /run/estiva)\n"
    "  --group DIR        watch a control group instead of the whole machine\n"
    "  --meminfo FILE     instead of /proc/meminfo\n"
    "  --floor SIZE       swap that always stands ready (default 1G; 0: none)\n"
    "  --cap SIZE         of our swap altogether\n"
    "  --disk-floor SIZE  free disk that stays (default 10 %, at least 20G)\n"
    "  --min-file SIZE    smallest swap file (default 256M)\n"
    "  --calm SECONDS     before an empty area goes (default 300)\n";

namespace {

Failure wrong(std::string what) {
  return fail(ErrorKind::usage, std::move(what), std::string(msg::kMemdUsageRemedy));
}

bool read_number(std::string_view word, std::uint64_t most, std::uint64_t& out) {
  std::uint64_t unit = 1;
  constexpr std::string_view kUnits = "KMG";
  if (!word.empty() && kUnits.find(word.back()) != std::string_view::npos) {
    unit <<= 10 * (kUnits.find(word.back()) + 1);
    word.remove_suffix(1);
  }
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), out);
  if (failed != std::errc() || end != word.data() + word.size() || out > most / unit) return false;
  out *= unit;
  return true;
}

std::string* text_option(Options& options, std::string_view name) {
  if (name == "--folder") return &options.folder;
  if (name == "--run") return &options.run_folder;
  if (name == "--group") return &options.group;
  if (name == "--meminfo") return &options.meminfo;
  return nullptr;
}

std::uint64_t* size_option(Options& options, std::string_view name) {
  if (name == "--floor") return &options.law.floor;
  if (name == "--cap") return &options.law.cap;
  if (name == "--disk-floor") return &options.law.disk_floor;
  if (name == "--min-file") return &options.law.min_file;
  return nullptr;
}

bool read_mode(Options& options, std::string_view name) {
  if (name == "--once")
    options.mode = Mode::once;
  else if (name == "--clean")
    options.mode = Mode::clean;
  else if (name == "--help" || name == "-h")
    options.mode = Mode::help;
  else
    return name == "--json";
  return true;
}

Result<void> read_option(Options& options, const std::string& name, const std::string& value) {
  constexpr std::uint64_t kMostSize = 1ULL << 50, kMostSeconds = 86400 * 365;
  if (std::string* text = text_option(options, name)) {
    *text = value;
    return {};
  }
  std::uint64_t number = 0;
  std::uint64_t* size = size_option(options, name);
  if (size == nullptr && name != "--calm") return wrong(fmt::format(msg::kMemdBadOption, name));
  if (!read_number(value, size == nullptr ? kMostSeconds : kMostSize, number))
    return wrong(fmt::format(msg::kMemdBadSize, value));
  if (size != nullptr)
    *size = number;
  else
    options.law.calm_ns = static_cast<std::int64_t>(number) * 1'000'000'000;
  return {};
}

}  // namespace

Result<Options> read_options(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    if (read_mode(options, words[i])) continue;
    if (i + 1 >= count) return wrong(fmt::format(msg::kMemdBadOption, words[i]));
    const auto read = read_option(options, words[i], words[i + 1]);
    if (!read) return Failure(read.error());
    ++i;
  }
  return options;
}

}  // namespace estiva::memd
