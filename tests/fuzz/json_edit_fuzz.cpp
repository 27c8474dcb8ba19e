#include <algorithm>
#include <cstdlib>

#include "format/json_edit.h"

// Whatever is taken can be edited, is JSON afterwards, and comes back byte for byte when the edit
// is taken back; a value lies where the document says.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace estiva::format;
  const std::string text(reinterpret_cast<const char*>(data), size);
  auto doc = JsonEdit::parse(text, "f");
  if (!doc) return 0;
  const auto names = doc->names({});
  if (names && !names->empty()) {
    const JsonPath path{names->back()};
    const auto value = doc->find(path);
    if (!value || !*value || text.substr((*value)->at, (*value)->text.size()) != (*value)->text)
      std::abort();
    const std::string was((*value)->text);
    if (!doc->set(path, "[1]") || !doc->finish()) std::abort();
    if (!doc->set(path, was) || doc->text() != text) std::abort();
    if (!doc->set({"a new name", "x"}, "1") || !doc->remove({"a new name"})) std::abort();
    // Only where the fuzzer has found that very name are these two not each other's undoing.
    const bool had = std::find(names->begin(), names->end(), "a new name") != names->end();
    if (!had && doc->text() != text) std::abort();
  }
  for (const JsonPath& path : {JsonPath{"a"}, {"a", "b"}, {"\"\\"}}) {
    if (doc->set(path, "true") && !doc->finish()) {
      // Only the limits can be in the way.
      if (doc->text().size() < JsonEdit::kMostBytes) std::abort();
    }
    if (doc->remove(path) && !JsonEdit::parse(doc->text(), "f")) std::abort();
  }
  return 0;
}
