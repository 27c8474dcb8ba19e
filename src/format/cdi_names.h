// Annotations' keys in CDI specs. Source: Kubernetes' IsQualifiedName (apimachinery,
// util/validation), as the CDI library has it in internal/validation/k8s.
#pragma once
#include <string>
#include <string_view>

namespace estiva::format {

// All keys and values of one map together, in bytes.
inline constexpr std::size_t kMaxAnnotations = 262144;

// Empty: valid, else a sentence. Capital letters are as good as small ones.
std::string fault_of_annotation(std::string_view key);

}  // namespace estiva::format
