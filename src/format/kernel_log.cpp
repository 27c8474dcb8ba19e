#include "format/kernel_log.h"

#include <charconv>

#include "format/text.h"

namespace estiva::format {
namespace {

constexpr std::string_view kXidHead = "NVRM: Xid (";
constexpr std::string_view kFellOff = "fallen off the bus";
constexpr unsigned kFellOffCode = 79, kRecoveryCode = 154;
constexpr std::size_t kLongestName = 64;

// Takes what stands before `end` off `rest`; nothing where `end` does not come.
std::optional<std::string_view> take_until(std::string_view& rest, std::string_view end) {
  const std::size_t at = rest.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at + end.size());
  return taken;
}

bool skip(std::string_view& rest, std::string_view what) {
  if (rest.substr(0, what.size()) != what) return false;
  rest.remove_prefix(what.size());
  return true;
}

// All of the text, hexadecimal.
std::optional<unsigned> parse_hex(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "pid=1234, name=python" or "pid='<unknown>', name=<unknown>", at the start of what follows the
// number.
void read_process(std::string_view rest, XidReport& report) {
  if (!skip(rest, "pid=")) return;
  const auto pid = take_until(rest, ", name=");
  const auto number = pid ? parse_u64(*pid) : std::nullopt;
  if (!number || *number == 0 || *number > 4'194'304) return;  // the kernel's PID_MAX_LIMIT
  report.pid = static_cast<pid_t>(*number);
  const std::string_view name = rest.substr(0, std::min(rest.find(", "), rest.size()));
  report.process = escape_for_terminal(name.substr(0, kLongestName));
}

// "... changed from 0x0 (None) to 0x1 (GPU Reset Required)"
std::optional<unsigned> read_recovery(std::string_view rest) {
  if (!take_until(rest, " to 0x")) return std::nullopt;
  return parse_hex(rest.substr(0, rest.find(' ')));
}

// "NVRM: GPU 0000:01:00.0: GPU has fallen off the bus." and "NVRM: The NVIDIA GPU 0000:01:00.0 ...
// installed in this system has fallen off the bus and is not responding to commands.", the latter
// with line breaks that the log shows as \x0a.
std::optional<XidReport> parse_fell_off(std::string_view text) {
  if (text.substr(0, 5) != "NVRM:") return std::nullopt;
  std::string plain(text);
  for (std::size_t at = 0; (at = plain.find("\\x0aNVRM:", at)) != std::string::npos;) {
    plain.replace(at, 9, "");
  }
  if (plain.find(kFellOff) == std::string::npos) return std::nullopt;
  std::string_view rest = plain;
  while (take_until(rest, "GPU ")) {
    const std::string_view word = rest.substr(0, rest.find_first_of(" \\("));
    std::string slot = pci_slot(word.substr(0, word.find_last_not_of(':') + 1));
    if (slot.empty()) continue;
    XidReport report;
    report.slot = std::move(slot);
    report.code = kFellOffCode;
    report.source = XidSource::kernel_text;
    return report;
  }
  return std::nullopt;
}

}  // namespace

std::optional<KernelRecord> parse_kernel_record(std::string_view record) {
  const auto head = take_until(record, ";");
  if (!head) return std::nullopt;
  std::string_view fields = *head;
  const auto priority = take_until(fields, ",");
  const auto sequence = take_until(fields, ",");
  if (!priority || !sequence) return std::nullopt;
  const std::string_view time = fields.substr(0, fields.find(','));
  const auto p = parse_u64(*priority), s = parse_u64(*sequence), t = parse_u64(time);
  if (!p || !s || !t || *p > 0xffff) return std::nullopt;
  const auto number = static_cast<unsigned>(*p);
  return KernelRecord{number >> 3U, number & 7U, *s, *t, record.substr(0, record.find('\n'))};
}

std::optional<XidReport> parse_xid_line(std::string_view text) {
  std::string_view rest = text;
  if (!skip(rest, kXidHead)) return parse_fell_off(text);
  skip(rest, "PCI:");
  const auto where = take_until(rest, "): ");
  if (!where) return std::nullopt;
  XidReport report;
  report.slot = pci_slot(where->substr(0, where->find(' ')));  // " GPU-I:05" names an instance
  const std::string_view digits = rest.substr(0, rest.find_first_not_of("0123456789"));
  const auto code = parse_u64(digits);
  if (report.slot.empty() || !code || *code == 0 || *code > kMaxXid) return std::nullopt;
  report.code = static_cast<unsigned>(*code);
  report.source = XidSource::kernel_log;
  rest.remove_prefix(digits.size());
  skip(rest, ", ");
  read_process(rest, report);
  if (report.code == kRecoveryCode) report.recovery_action = read_recovery(rest);
  report.is_fatal = rest.find(" Fatal XC") != std::string_view::npos;  // NVLink 5, by context
  return report;
}

}  // namespace estiva::format
