#include "engines/last_words.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>

#include "base/messages/engines.h"
#include "format/text.h"

namespace estiva::engines {
namespace {

// In lower case. Each is what the program named prints; none of them is about the host's memory.
constexpr std::array<std::string_view, 14> kOutOfMemory = {
    "cuda out of memory",                           // PyTorch
    "torch.outofmemoryerror",                       // PyTorch from 2.5
    "cuda error: out of memory",                    // PyTorch and ggml, by cudaGetErrorString
    "cuda_error_out_of_memory",                     // the driver's API: CuPy, Numba, TensorFlow
    "cudaerrormemoryallocation",                    // the runtime's API
    "cudamalloc failed",                            // ggml: "cudaMalloc failed: out of memory"
    "failed to allocate cuda",                      // llama.cpp: "failed to allocate CUDA0 buffer"
    "unable to allocate cuda",                      // llama.cpp: "unable to allocate CUDA0 buffer"
    "cublas_status_alloc_failed",                   // cuBLAS
    "no available memory for the cache blocks",     // vLLM
    "is less than desired gpu memory utilization",  // vLLM
    "resource_exhausted: out of memory",            // JAX
    "failed to allocate memory for requested buffer of size",  // ONNX Runtime
    "erroroutofdevicememory",                                  // Vulkan: ggml
};
constexpr std::size_t kShownLines = 4, kShownOfLine = 300;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

}  // namespace

bool says_out_of_memory(const std::vector<std::string>& lines) {
  return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    const std::string text = lower(line);
    return std::any_of(kOutOfMemory.begin(), kOutOfMemory.end(),
                       [&](std::string_view known) { return text.find(known) != text.npos; });
  });
}

std::string last_words(const std::vector<std::string>& lines) {
  std::vector<std::string_view> shown;
  for (auto line = lines.rbegin(); line != lines.rend() && shown.size() < kShownLines; ++line) {
    const auto text = format::trim(*line).substr(0, kShownOfLine);
    if (!text.empty()) shown.push_back(text);
  }
  if (shown.empty()) return std::string(msg::kSaidNothing);
  std::reverse(shown.begin(), shown.end());
  return fmt::format(msg::kLastWords, fmt::join(shown, " / "));
}

}  // namespace estiva::engines
