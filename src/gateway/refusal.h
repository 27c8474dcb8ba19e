// Why a request is not served, or not to its end: a value that each API's errors are made of.
#pragma once
#include <optional>
#include <string>

namespace estiva::gateway {

struct Refusal {
  int status = 503;
  std::string what, remedy;  // sentences for a person
  std::string reason;  // one word for programs: x-estiva-reason, and the code of OpenAI errors
  std::optional<double> retry_after_seconds;

  std::string sentence() const { return remedy.empty() ? what : what + ". " + remedy; }
};

}  // namespace estiva::gateway
