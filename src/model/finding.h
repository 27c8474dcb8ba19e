// What is wrong with a machine or a stack, as plain data: doctor, audit, drift and check find them,
// and CLI, JSON and SARIF print the same value.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace estiva {

enum class Severity : std::uint8_t { info, warning, error };

// What was read, and where. `line` is 0 where there is none.
struct Evidence {
  enum class Source : std::uint8_t { file, host, engine, image };
  Source source = Source::host;
  std::string path;  // a file, a command's name, an engine's object
  unsigned line = 0;
  std::string text;
  friend bool operator==(const Evidence&, const Evidence&) = default;
};

// How far a remedy goes by itself.
enum class Fix : std::uint8_t {
  automatic,  // undone as easily as it is done, and interrupts nobody
  asks,       // stops or restarts something: never without a yes
  guide,      // a person has to do it
};

struct Remedy {
  std::string text;  // a sentence or two: what to do
  Fix fix = Fix::guide;
  std::string undo;  // a sentence; empty where there is nothing to undo
  friend bool operator==(const Remedy&, const Remedy&) = default;
};

struct Finding {
  std::string id;  // stable: "D3"
  Severity severity = Severity::error;
  std::string title;      // a sentence: what is wrong, on what
  std::string foretells;  // the error text that a user will meet; empty where none is known
  std::vector<Evidence> evidence;
  Remedy remedy;
  friend bool operator==(const Finding&, const Finding&) = default;
};

std::string_view to_name(Severity severity);
std::string_view to_name(Evidence::Source source);
std::string_view to_name(Fix fix);

}  // namespace estiva
