// What a program sees of the GPU where it runs: asked inside a container, by the sensor program
// with a hidden word. Prints lines; format/seen_text reads them on the other side.
#pragma once
#include <string>

namespace estiva::gpu {

// In the container: looks, prints, and returns the exit code: 0 a GPU computes, 3 none does, 1 CUDA
// is broken.
int answer_seen_probe(const std::string& library);

}  // namespace estiva::gpu
