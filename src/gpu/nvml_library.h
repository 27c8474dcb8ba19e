// The driver's library in this process: opened with dlopen, its functions resolved by name. Every
// function but init, shutdown, count, handle and error string is optional: a missing one is null.
#pragma once
#include <string>

#include "base/error.h"
#include "gpu/nvml_abi.h"

namespace estiva::gpu::nvml {

struct Functions {
// Both are pieces of a declarator, which cannot stand in parentheses.
// NOLINTNEXTLINE(bugprone-macro-parentheses)
#define ESTIVA_NVML_MEMBER(member, name, older, parameters) int(*member) parameters = nullptr;
  ESTIVA_NVML_FUNCTIONS(ESTIVA_NVML_MEMBER)
#undef ESTIVA_NVML_MEMBER
  const char* (*error_string)(int) = nullptr;
};

// A value that owns the mapping. Not copied; closing it calls no NVML function.
class Library {
 public:
  Library() = default;
  ~Library() { close(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // Empty `file`: libnvidia-ml.so.1 by the loader's ordinary rules. Calls nothing in it.
  // Errors: not_found (no such library), failed (it is not NVML: names the missing function).
  Result<void> open(const std::string& file);
  // True where the library is unmapped now; false for one that refuses to leave, or none.
  bool close();
  bool is_open() const { return handle_ != nullptr; }
  const Functions& call() const { return functions_; }
  // The file that was mapped, symbolic links resolved: its name carries the driver version.
  std::string resolved_path() const;
  // Is it our simulator? Its GPUs are then called simulated however it was found.
  bool is_simulator() const;

 private:
  void* handle_ = nullptr;
  Functions functions_;
};

}  // namespace estiva::gpu::nvml
