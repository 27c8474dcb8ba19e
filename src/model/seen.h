// What a program saw of the GPU in a container.
#pragma once
#include <string>
#include <vector>

#include "model/reading.h"

namespace estiva {

struct SeenNode {
  std::string path;  // "/dev/nvidia0"
  int error = 0;     // errno of opening it for reading and writing; 0: it opens
  friend bool operator==(const SeenNode&, const SeenNode&) = default;
};

struct Seen {
  std::vector<SeenNode> nodes;       // /dev/nvidia*, sorted
  std::string library;               // the file that libcuda.so.1 is; empty: it can't be loaded
  std::string library_error;         // the loader's words
  Reading<int> init;                 // what cuInit returned
  std::vector<std::string> devices;  // CUDA's names of the GPUs that it offers
  std::string visible;               // CUDA_VISIBLE_DEVICES there; empty: not set
  friend bool operator==(const Seen&, const Seen&) = default;
};

}  // namespace estiva
