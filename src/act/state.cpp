#include "act/state.h"

#include <fmt/format.h>

#include "base/messages/act.h"
#include "format/sha256.h"
#include "format/text.h"

namespace estiva::act {
namespace {

namespace m = msg::act;
using format::escape_for_terminal;

constexpr std::string_view kAbsent = "absent", kLink = "link:";

}  // namespace

std::string_view to_name(State::Is is) {
  switch (is) {
    case State::Is::absent:
      return kAbsent;
    case State::Is::file:
      return "file";
    case State::Is::link:
      return "link";
    case State::Is::node:
      return "node";
    case State::Is::folder:
      return "folder";
    case State::Is::other:
      return "other";
    case State::Is::word:
      return "word";
  }
  return "other";
}

bool is_same(const State& a, const State& b) {
  return a.is == b.is && a.sha256 == b.sha256 && a.leads_to == b.leads_to && a.node == b.node &&
         a.word == b.word && a.mode == b.mode && a.uid == b.uid && a.gid == b.gid &&
         a.links == b.links;
}

std::string describe(const State& state) {
  switch (state.is) {
    case State::Is::absent:
      return std::string(m::kWasAbsent);
    case State::Is::file:
      return fmt::format(m::kWasFile, state.sha256);
    case State::Is::link:
      return fmt::format(m::kWasLink, escape_for_terminal(state.leads_to));
    case State::Is::node:
      return fmt::format(m::kWasNode, state.node);
    case State::Is::folder:
      return std::string(m::kWasFolder);
    case State::Is::other:
      return std::string(m::kWasOther);
    case State::Is::word:
      return fmt::format(m::kWasWord, escape_for_terminal(state.word));
  }
  return std::string(m::kWasOther);
}

std::string describe_drift(std::string_view what, const State& left, const State& now) {
  const std::string name = escape_for_terminal(what);
  State dressed = now;
  dressed.mode = left.mode, dressed.uid = left.uid, dressed.gid = left.gid;
  if (is_same(dressed, left) && !is_same(now, left)) {
    return fmt::format(m::kDriftMode, name, left.mode, left.uid, left.gid, now.mode, now.uid,
                       now.gid);
  }
  return fmt::format(m::kDrift, name, describe(left), describe(now));
}

bool is_as_expected(const State& state, std::string_view expects) {
  if (expects.empty()) return true;
  if (state.is == State::Is::word) return state.word == expects;
  if (expects == kAbsent) return state.is == State::Is::absent;
  if (state.is == State::Is::link) {
    return expects.starts_with(kLink) && expects.substr(kLink.size()) == state.leads_to;
  }
  if (state.is == State::Is::node) return state.node == expects;
  return state.is == State::Is::file && state.sha256 == expects;
}

std::string describe_expected(std::string_view expects) {
  if (expects == kAbsent) return std::string(m::kWasAbsent);
  if (format::is_sha256_hex(expects)) return fmt::format(m::kWasFile, expects);
  if (expects.starts_with(kLink)) {
    return fmt::format(m::kWasLink, escape_for_terminal(expects.substr(kLink.size())));
  }
  return fmt::format(m::kWasWord, escape_for_terminal(expects));
}

}  // namespace estiva::act
