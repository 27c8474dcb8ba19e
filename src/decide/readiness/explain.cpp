// Finds the patterns of log_patterns.cpp in a log, in time linear in its length: the last eight
// bytes of each pattern's beginning are looked up at every place of the squashed log, and only
// where they stand the rest of the pattern is compared, over a bounded stretch.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <set>

#include "decide/readiness/log_patterns.h"
#include "decide/readiness/log_text.h"
#include "decide/readiness/rule.h"
#include "format/text.h"

namespace estiva::decide {
namespace {

constexpr std::size_t kKeyBytes = 8;
constexpr std::size_t kGap = 200;
constexpr std::size_t kNowhere = std::string_view::npos;

struct Piece {
  enum class Kind { literal, gap, path, version, no_digit };
  Kind kind = Kind::literal;
  std::string text;      // of a literal
  std::size_t most = 0;  // characters of a gap
};

struct Compiled {
  std::vector<Piece> pieces;
  int pattern = -1, context = -1;  // index into its table
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_of_path(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || std::strchr("/._-+:@ ", c) != nullptr;
}

Piece placeholder(std::string_view name) {
  if (name.empty()) return {Piece::Kind::gap, {}, kGap};
  if (name == "p") return {Piece::Kind::path, {}, kGap};
  if (name == "v") return {Piece::Kind::version, {}, 40};
  if (name == "#") return {Piece::Kind::no_digit, {}, 0};
  return {Piece::Kind::gap, {}, format::parse_u64(name).value_or(0)};
}

std::vector<Piece> compile(std::string_view text) {
  std::vector<Piece> pieces;
  while (!text.empty()) {
    const std::size_t open = std::min(text.find('{'), text.size());
    std::string literal = squash_text(text.substr(0, open));
    if (!literal.empty()) pieces.push_back({Piece::Kind::literal, std::move(literal), 0});
    if (open == text.size()) break;
    const std::size_t close = text.find('}', open);
    pieces.push_back(placeholder(text.substr(open + 1, close - open - 1)));
    text.remove_prefix(close + 1);
  }
  return pieces;
}

// Where `literal` begins at the earliest from `at` on, at most `most` characters further.
std::size_t find_near(std::string_view text, std::size_t at, std::size_t most,
                      std::string_view literal) {
  const std::string_view window = text.substr(at, most + literal.size());
  const std::size_t found = window.find(literal);
  return found == kNowhere ? kNowhere : at + found;
}

std::size_t skip_version(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && end - at < 40 && (is_digit(text[end]) || text[end] == '.')) ++end;
  return end == at ? kNowhere : end;
}

// Where the match of all pieces ends that begins at `at`; kNowhere: there is none.
std::size_t match_from(const SquashedLog& log, std::size_t at, const std::vector<Piece>& pieces) {
  const std::string_view text = log.text;
  for (std::size_t i = 0; i < pieces.size() && at != kNowhere; ++i) {
    const Piece& piece = pieces[i];
    if (piece.kind == Piece::Kind::literal) {
      if (text.compare(at, piece.text.size(), piece.text) != 0) return kNowhere;
      at += piece.text.size();
    } else if (piece.kind == Piece::Kind::version) {
      at = skip_version(text, at);
    } else if (piece.kind == Piece::Kind::no_digit) {
      // A digit that begins a line is hardly the rest of a number.
      if (at < text.size() && is_digit(text[at]) && log.line_of(at).at != at) return kNowhere;
    } else if (i + 1 < pieces.size() && pieces[i + 1].kind == Piece::Kind::literal) {
      const std::size_t next = find_near(text, at, piece.most, pieces[i + 1].text);
      if (next == kNowhere) return kNowhere;
      const bool fits = piece.kind == Piece::Kind::gap ||
                        std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at),
                                    text.begin() + static_cast<std::ptrdiff_t>(next), is_of_path);
      if (!fits) return kNowhere;
      at = next;
    }
  }
  return at;
}

std::uint64_t key_of(std::string_view eight) {
  std::uint64_t key = 0;
  for (const char c : eight) key = key << 8 | static_cast<unsigned char>(c);
  return key;
}

// All patterns by the last eight bytes of their first literal.
class Index {
 public:
  Index() {
    heads_.fill(-1);
    const auto patterns = log_patterns();
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      add({compile(patterns[i].text), static_cast<int>(i), -1});
    }
    const auto contexts = log_contexts();
    for (std::size_t i = 0; i < contexts.size(); ++i) {
      add({compile(contexts[i].text), -1, static_cast<int>(i)});
    }
  }
  // Calls visit(compiled, where its first literal begins, where the match ends).
  template <class Visit>
  void scan(const SquashedLog& log, Visit visit) const {
    const std::string_view text = log.text;
    std::uint64_t key = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
      key = key << 8 | static_cast<unsigned char>(text[at]);
      for (int i = heads_[slot(key)]; i >= 0; i = entries_[static_cast<std::size_t>(i)].next) {
        const Entry& entry = entries_[static_cast<std::size_t>(i)];
        const std::size_t length = entry.compiled.pieces[0].text.size();
        if (entry.key != key || at + 1 < length) continue;
        const std::size_t begin = at + 1 - length;
        const std::size_t end = match_from(log, begin, entry.compiled.pieces);
        if (end != kNowhere) visit(entry.compiled, begin, end);
      }
    }
  }

 private:
  struct Entry {
    std::uint64_t key = 0;
    int next = -1;
    Compiled compiled;
  };
  static std::size_t slot(std::uint64_t key) {
    return static_cast<std::size_t>((key * 0x9E3779B97F4A7C15ULL) >> 50);  // 2^14 slots
  }
  void add(Compiled compiled) {
    const std::string& first = compiled.pieces[0].text;
    const std::uint64_t key =
        key_of(std::string_view(first).substr(first.size() - std::min(first.size(), kKeyBytes)));
    int& head = heads_[slot(key)];
    entries_.push_back({key, head, std::move(compiled)});
    head = static_cast<int>(entries_.size()) - 1;
  }

  std::array<int, 1U << 14> heads_{};
  std::vector<Entry> entries_;
};

const Index& index() {
  static const Index kIndex;
  return kIndex;
}

struct Seen {
  std::size_t pattern = 0, begin = 0;
};

bool lists(std::string_view list, std::string_view word) {
  std::string_view one;
  while (format::next_word(list, one)) {
    if (one == word) return true;
  }
  return false;
}

// The first place of each pattern, and which contexts are there.
struct Sightings {
  std::vector<Seen> patterns;  // by pattern
  std::set<int> contexts;
};

Sightings look(const SquashedLog& log) {
  Sightings seen;
  std::vector<bool> known(log_patterns().size());
  index().scan(log, [&](const Compiled& one, std::size_t begin, std::size_t) {
    if (one.context >= 0) {
      seen.contexts.insert(one.context);
    } else if (!known[static_cast<std::size_t>(one.pattern)]) {
      known[static_cast<std::size_t>(one.pattern)] = true;
      seen.patterns.push_back({static_cast<std::size_t>(one.pattern), begin});
    }
  });
  std::sort(seen.patterns.begin(), seen.patterns.end(),
            [](const Seen& a, const Seen& b) { return a.pattern < b.pattern; });
  return seen;
}

bool gives_way(const LogPattern& pattern, const std::vector<Seen>& seen) {
  return std::any_of(seen.begin(), seen.end(), [&](const Seen& other) {
    const std::string_view rule = log_patterns()[other.pattern].rule;
    return rule != pattern.rule && (pattern.yields == "*" || lists(pattern.yields, rule));
  });
}

Explained explain(const LogPattern& pattern, const std::set<int>& contexts) {
  Explained found;
  found.rule = pattern.rule;
  std::string_view others = pattern.also, one;
  while (format::next_word(others, one)) found.also.emplace_back(one);
  for (const int i : contexts) {
    const LogContext& context = log_contexts()[static_cast<std::size_t>(i)];
    if (context.instead != found.rule) continue;
    const auto place = std::find(found.also.begin(), found.also.end(), context.rule);
    if (place == found.also.end()) continue;
    std::swap(found.rule, *place);
    break;
  }
  return found;
}

// A cause that is named already is not named again as one of several others.
bool is_named(const std::vector<Explained>& all, const Explained& one) {
  return std::any_of(all.begin(), all.end(),
                     [&](const Explained& other) { return other.rule == one.rule; });
}

}  // namespace

std::vector<Explained> explain_log(std::string_view log) {
  const SquashedLog squashed = squash_log(log);
  const Sightings seen = look(squashed);
  std::vector<Explained> all;
  for (const Seen& one : seen.patterns) {
    const LogPattern& pattern = log_patterns()[one.pattern];
    if (gives_way(pattern, seen.patterns)) continue;
    Explained found = explain(pattern, seen.contexts);
    const SquashedLog::Line& line = squashed.line_of(one.begin);
    found.line = line.number;
    found.text = show_line(log.substr(line.raw_at, log.find('\n', line.raw_at) - line.raw_at));
    if (!is_named(all, found)) all.push_back(std::move(found));
  }
  return all;
}

}  // namespace estiva::decide
