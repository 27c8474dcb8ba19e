// Names in CDI specs: kinds, devices, and annotations' keys after Kubernetes' rules.
#include "format/cdi_names.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/format_cdi.h"
#include "format/cdi_rules.h"

namespace estiva::format {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_small(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_letter(char c) {
  return is_small(c) || (c >= 'A' && c <= 'Z');
}

bool is_alnum(char c) {
  return is_letter(c) || is_digit(c);
}

bool has_only(std::string_view text, std::string_view marks) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_alnum(c) || marks.find(c) != marks.npos; });
}

// pkg/parser, validateVendorOrClassName. A name of one character makes its releases panic: they cut
// name[1:len-1].
std::string fault_of_part(std::string_view name) {
  if (name.empty() || !is_letter(name.front())) return std::string(msg::kCdiStartLetter);
  if (name.size() == 1) return std::string(msg::kCdiOneLetter);
  if (!has_only(name, "_-.")) return fmt::format(msg::kCdiNameChars, "_-.");
  return is_alnum(name.back()) ? std::string() : std::string(msg::kCdiEndAlnum);
}

// [a-z0-9]([-a-z0-9]*[a-z0-9])? between dots.
bool is_dns_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  for (std::size_t from = 0; from <= name.size();) {
    const std::string_view label = name.substr(from, name.find('.', from) - from);
    const bool is_tame = std::all_of(label.begin(), label.end(),
                                     [](char c) { return is_small(c) || is_digit(c) || c == '-'; });
    if (label.empty() || !is_tame || label.front() == '-' || label.back() == '-') return false;
    from += label.size() + 1;
  }
  return true;
}

bool is_qualified_part(std::string_view name) {
  return !name.empty() && name.size() <= 63 && has_only(name, "-_.") && is_alnum(name.front()) &&
         is_alnum(name.back());
}

}  // namespace

std::string fault_of_kind(std::string_view kind) {
  const std::size_t slash = kind.find('/');
  if (slash == kind.npos || slash == 0 || slash + 1 == kind.size()) {
    return fmt::format(msg::kCdiKindNoSlash, kind);
  }
  const std::string_view vendor = kind.substr(0, slash), cls = kind.substr(slash + 1);
  if (const std::string fault = fault_of_part(vendor); !fault.empty()) {
    return fmt::format(msg::kCdiVendor, vendor, fault);
  }
  const std::string fault = fault_of_part(cls);
  return fault.empty() ? fault : fmt::format(msg::kCdiClass, cls, fault);
}

std::string fault_of_device_name(std::string_view name) {
  if (name.empty()) return msg::kCdiNameEmpty;
  std::string fault;
  if (!is_alnum(name.front())) {
    fault = msg::kCdiStartAlnum;
  } else if (!has_only(name, "_-.:")) {
    fault = fmt::format(msg::kCdiNameChars, "_-.:");
  } else if (!is_alnum(name.back())) {
    fault = msg::kCdiEndAlnum;
  }
  return fault.empty() ? fault : fmt::format(msg::kCdiName, name, fault);
}

std::string fault_of_annotation(std::string_view key) {
  std::string lower(key);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  const std::string_view name = lower;
  const std::size_t slash = name.find('/');
  std::string fault;
  if (slash != name.rfind('/')) {
    fault = msg::kCdiAnnotationSlashes;
  } else if (slash != name.npos && !is_dns_name(name.substr(0, slash))) {
    fault = msg::kCdiAnnotationPrefix;
  } else if (!is_qualified_part(slash == name.npos ? name : name.substr(slash + 1))) {
    fault = msg::kCdiAnnotationName;
  }
  return fault.empty() ? fault : fmt::format(msg::kCdiAnnotation, key, fault);
}

}  // namespace estiva::format
