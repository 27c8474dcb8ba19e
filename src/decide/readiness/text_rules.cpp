// Doctor's table of errors that only a log shows: T1 and T2. Nothing on the machine is looked at.
#include "base/messages/decide_doctor_text.h"
#include "decide/readiness/look.h"

namespace estiva::decide {
namespace {

constexpr Rule kRules[] = {
    make_rule("T1", Severity::info, msg::kT1Text, Fix::guide, nullptr),
    make_rule("T2", Severity::error, msg::kT2Text, Fix::guide, nullptr),
};

}  // namespace

std::span<const Rule> text_rules() {
  return kRules;
}

}  // namespace estiva::decide
