// What an engine's last lines say of its end. Pure.
#pragma once
#include <string>
#include <vector>

namespace estiva::engines {

// GPU memory ran out, by the words of CUDA, PyTorch, vLLM, ggml, JAX, ONNX Runtime and TensorFlow.
bool says_out_of_memory(const std::vector<std::string>& lines);

// "; it said: LINE / LINE", of the last few lines that are not empty.
std::string last_words(const std::vector<std::string>& lines);

}  // namespace estiva::engines
