// The model's name in a body: no crash; the same however the body is cut; where the body is JSON,
// what a reader of whole documents says.
#include <cstdint>
#include <cstdlib>

#include "format/json_tree.h"
#include "format/model_field.h"

using namespace estiva::format;

namespace {

ModelField scan(ModelScanner& scanner, std::string_view body, std::size_t piece) {
  for (std::size_t at = 0; at < body.size(); at += piece)
    (void)scanner.feed(body.substr(at, piece));
  return scanner.finish();
}

void check(ModelScanner& whole, ModelScanner& cut, std::string_view body, std::size_t piece) {
  const ModelField field = scan(whole, body, body.size() + 1);
  if (scan(cut, body, piece) != field) std::abort();
  if (field != ModelField::found) return;
  if (whole.name() != cut.name() || whole.begin() != cut.begin() || whole.end() != cut.end())
    std::abort();
  if (whole.begin() > whole.end() || whole.end() > body.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = 1 + data[0] % 9;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  check(*scan_form_model("b"), *scan_form_model("b"), body, piece);
  auto json = scan_json_model();
  check(*json, *scan_json_model(), body, piece);
  // Of what is no JSON the engine says so itself; of what is, the two must agree.
  const auto tree = JsonTree::parse(body);
  if (!tree || !tree->root().is_object()) return 0;
  const auto model = tree->root()["model"].text();
  auto again = scan_json_model();
  const ModelField field = scan(*again, body, piece);
  if (field == ModelField::malformed) std::abort();
  if (field == ModelField::found && model && again->name() != *model) std::abort();
  if (field == ModelField::absent && tree->root()["model"]) std::abort();
  return 0;
}
