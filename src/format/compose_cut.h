// Cuts in the text of a YAML file by its tree: an entry or an item goes with the lines that are its
// own, in block style, or with its comma, in flow style, and every other byte stays. A part of
// compose_to_cdi.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/yaml_tree.h"

namespace estiva::format {

class ComposeCut {
 public:
  ComposeCut(std::string_view text, const YamlTree& tree) : text_(text), tree_(tree) {}

  // Each is false where the layout does not let it be done alone; trouble() says where. `key` is
  // the place of an entry's key among a mapping's children.
  bool remove_entry(std::uint32_t mapping, std::size_t key);
  bool remove_items(std::uint32_t sequence, const std::vector<std::uint32_t>& items);
  // Before the entry, or in its place where it goes: "devices: [names]" in the mapping's style.
  // `step`: columns from a key to the dashes below it.
  bool add_list(std::uint32_t mapping, std::size_t key, bool goes,
                const std::vector<std::string>& names, std::size_t step);
  // As the last ones.
  bool add_items(std::uint32_t sequence, const std::vector<std::string>& names);
  // Columns from a block sequence's key to its dashes; 2 where that is not seen.
  std::size_t step_of(std::uint32_t key, std::uint32_t sequence) const;

  // The text with all cuts; nullopt where two of them overlap or a tab is in one.
  std::optional<std::string> finish();
  TextPlace trouble() const { return trouble_; }
  bool met_tab() const { return met_tab_; }

 private:
  struct Cut {
    std::size_t begin = 0, end = 0;
    std::string text;
  };
  bool fail(std::uint32_t node) {
    trouble_ = tree_[node].place;
    return false;
  }
  std::size_t line_start(std::size_t at) const;
  std::size_t line_end(std::size_t at) const;
  bool is_first_on_line(std::size_t at) const;
  bool is_last_on_line(std::size_t at) const;
  std::size_t end_of_entry(std::uint32_t key, std::uint32_t value) const;
  bool remove_lines(std::uint32_t node, std::size_t begin, std::size_t end);
  bool remove_in_flow(std::uint32_t node, std::size_t begin, std::size_t end);
  std::size_t skip_blanks(std::size_t at) const;
  std::optional<std::size_t> dash_of(std::uint32_t item) const;
  std::string_view line_break(std::size_t at) const;

  std::string_view text_;
  const YamlTree& tree_;
  std::vector<Cut> cuts_;
  TextPlace trouble_;
  bool met_tab_ = false;
};

}  // namespace estiva::format
