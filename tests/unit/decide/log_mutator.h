// Makes logs of error texts, as terminals, loggers and collectors would: other versions and paths,
// line wraps, prefixes, quotes and colours. The same seed makes the same log.
#pragma once
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace estiva::decide {

enum class Wrap { none, anywhere, at_blanks, with_indent, with_prefix };
enum class Prefix {
  none,
  journal,
  journal_iso,
  syslog,
  compose,
  docker_time,
  kernel,
  logfmt,
  json
};

class LogMutator {
 public:
  explicit LogMutator(std::uint32_t seed) : random_(seed) {}
  // Fills the places of a text (error_texts.h).
  std::string fill(std::string_view text);
  // A text that a pattern of the table means: something in each of its places, and as long as it
  // may be.
  std::string meant_by(std::string_view pattern);
  // Lines of a log; the error begins in the first.
  std::string dress(std::string_view text, Wrap wrap, Prefix prefix);
  // `count` lines that name nothing, of one kind of program (0 to 8, any other: mixed).
  std::string healthy(std::size_t count, unsigned kind);
  std::uint32_t pick(std::uint32_t below) { return static_cast<std::uint32_t>(random_()) % below; }

 private:
  std::string version();
  std::string uuid();
  std::string hex(std::size_t digits);
  std::string place(std::string_view name);
  std::string prefix(Prefix kind);
  std::string healthy_line(unsigned kind);
  std::mt19937 random_;
};

}  // namespace estiva::decide
