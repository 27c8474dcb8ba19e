// Random JSON text: spacing, indentation, ends of lines, escapes, numbers of any length and names
// of all kinds, from one seed. What it makes is JSON by RFC 8259, without a name that stands twice.
#pragma once
#include <random>
#include <string>
#include <vector>

namespace estiva::property {

class JsonMaker {
 public:
  explicit JsonMaker(std::uint64_t seed) : random_(seed) {}

  // A whole file; mostly an object, sometimes another value, nothing, or with a byte order mark.
  std::string document();
  // One value, without blanks around it.
  std::string value(int depth);
  // A name as it is meant. From few, so that names meet; sometimes a strange one.
  std::string name();
  // A name in quotes, each time with other escapes.
  std::string quoted(const std::string& meant);
  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool one_in(std::size_t n) { return below(n) == 0; }

 private:
  enum class Spacing { tight, loose, lines, wild };
  std::string escaped(std::uint32_t code);
  std::string object(int depth);
  std::string array(int depth);
  std::string number();
  std::string blanks();
  std::string gap(int depth);

  std::mt19937_64 random_;
  Spacing spacing_ = Spacing::tight;
  std::string newline_ = "\n", unit_ = "  ";
};

}  // namespace estiva::property
