// Words of one line, each with its column, and the small values written in them: sizes, times,
// percentages. The first mistake sticks; later reads then return zero, so callers need no checks.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/core/scenario.h"

namespace estiva::sim {

struct Token {
  std::string text;
  int column = 1;
  bool quoted = false;
};

class Line {
 public:
  // Splits at blanks; "..." keeps blanks; # starts a comment.
  Line(std::string_view text, int number);

  bool at_end() const { return next_ >= tokens_.size(); }
  std::optional<Problem> problem() const { return problem_; }

  // Takes the next word if it is `word`.
  bool accept(std::string_view word);
  // The next word, or a mistake that says what was expected ("a card").
  std::string word(std::string_view expected);
  std::string peek() const { return at_end() ? std::string() : tokens_[next_].text; }
  std::uint64_t whole(std::string_view expected, std::uint64_t most);
  std::uint64_t hex_or_whole(std::string_view expected);
  double number(std::string_view expected, double least, double most);
  double percent(std::string_view expected);  // "63" or "63%", 0..100
  std::uint64_t size(std::string_view expected);
  std::int64_t time(std::string_view expected);
  // Fails if a word is left.
  void end();
  // Marks the last word read as wrong.
  void wrong(std::string what);

 private:
  void mistake(int column, std::string what);
  std::string with_unit(std::string_view expected, double* value);

  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  int number_;
  int end_column_ = 1;
  std::optional<Problem> problem_;
};

}  // namespace estiva::sim
