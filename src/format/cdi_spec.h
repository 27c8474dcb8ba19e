// CDI specs as text: read as strictly as the engines' library reads them, and written so that the
// same value always gives the same bytes. Source of the members and of what is accepted: the CDI
// library (github.com/cncf-tags/container-device-interface, specs-go/config.go, pkg/cdi/spec.go),
// which reads YAML and JSON alike through sigs.k8s.io/yaml. What a spec may hold is in cdi_rules.h.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "format/text_place.h"
#include "model/cdi.h"

namespace estiva::format {

// Reads a spec from YAML or JSON. Like the library it takes the first document and leaves what
// follows, takes names of members in any case, takes a number or a boolean where text belongs,
// and null for what is absent; anchors, aliases and merge keys work. An unknown member, a wrong
// type or a member twice rejects the whole text. Errors: the sentence begins with "line L, column
// C: " where a place is known, and `place` (if given) has the same. Limits: yaml_tree.h.
Result<CdiSpec> parse_cdi_spec(std::string_view text, TextPlace* place = nullptr);

// A file as an engine would see it: parsed and checked by all rules, or with the reason why it
// is not taken. `text` must be the whole file; what is kept of it is cut at kMaxKeptText.
inline constexpr std::size_t kMaxKeptText = 262144;  // a spec for 8 GPUs has 22 kB
CdiFile read_cdi_file(std::string path, unsigned priority, std::string text);
// Engines read only names that end in .json or .yaml; a .yml is left aside without a word.
bool is_cdi_file_name(std::string_view path);

// Members in the specification's order; empty ones are left out. Texts must be valid UTF-8 (what is
// not becomes U+FFFD); parse_cdi_spec() of either text gives an equal value.
std::string render_cdi_yaml(const CdiSpec& spec);
std::string render_cdi_json(const CdiSpec& spec);

// Where a violation's place ("devices[1].containerEdits.mounts[0].hostPath") stands in a text that
// parse_cdi_spec() takes: the nearest part of it that is there. {0,0} where the text can't be read.
TextPlace cdi_place_of(std::string_view text, std::string_view place);

}  // namespace estiva::format
