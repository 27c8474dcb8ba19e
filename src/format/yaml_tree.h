// YAML (and JSON, which is a part of it) as a tree with places, for foreign files. It has the first
// document of a text only; an alias is the node that it names. No header of the YAML library is
// needed, and the library sees the text only after the limits below were checked.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "format/text_place.h"

namespace estiva::format {

struct YamlNode {
  enum class Kind : std::uint8_t { scalar, sequence, mapping };
  Kind kind = Kind::scalar;
  bool is_plain = false;  // a scalar without quotes
  bool is_flow = false;   // a mapping or a sequence in {} or []
  // Written with "\/" or with a surrogate pair, which JSON has and YAML 1.1 has not.
  bool has_json_escape = false;
  std::string text;  // of a scalar, decoded
  std::string tag;   // "tag:yaml.org,2002:str"; empty: none
  TextPlace place;
  // Bytes of the text, with quotes and brackets, without anchor and tag; of a block sequence from
  // its first dash, of other block nodes from the first thing in them. What stands for nothing
  // ("key:") has no bytes. `end` of a block node: where the last thing in it ends, aliases too.
  std::uint32_t begin = 0, end = 0;
  std::vector<std::uint32_t> children;  // of a mapping: key, value, key, value
};

// A tree of nodes by number; several parents may share one (aliases). It is never endless.
struct YamlTree {
  // Larger than any file that people write; what the parser does is in proportion to it.
  static constexpr std::size_t kMaxText = 2 * 1024 * 1024;
  static constexpr std::size_t kMaxDepth = 64;
  static constexpr std::size_t kMaxValues = 200'000;    // nodes in the text
  static constexpr std::size_t kMaxExpanded = 400'000;  // nodes with each alias written out

  std::vector<YamlNode> nodes;
  std::uint32_t root = 0;  // of nodes; meaningless where there are none (an empty document)

  const YamlNode& operator[](std::uint32_t id) const { return nodes[id]; }

  // Errors: a limit, NUL, no UTF-8, a control character, no YAML. The sentence begins with
  // "line L, column C: " where a place is known, and `place` (if given) has the same.
  static Result<YamlTree> parse(std::string_view text, TextPlace* place = nullptr);
};

// What a scalar means by YAML 1.1, as Go's yaml.v2 has it: "yes" is true, 010 is 8, 1_000 is 1000.
struct YamlNull {
  friend bool operator==(YamlNull, YamlNull) = default;
};
struct YamlBadTag {  // an explicit tag that the text does not fit
  friend bool operator==(YamlBadTag, YamlBadTag) = default;
};
using YamlScalar =
    std::variant<YamlNull, bool, std::int64_t, std::uint64_t, double, std::string, YamlBadTag>;
YamlScalar resolve_scalar(const YamlNode& scalar);
// A plain "<<": what follows is merged into the mapping.
bool is_merge_key(const YamlNode& key);

}  // namespace estiva::format
