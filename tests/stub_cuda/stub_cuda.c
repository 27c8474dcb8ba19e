// Stands for NVIDIA's libcuda.so.1 in tests: answers as STUB_CUDA says ("hang", "crash", or what
// cuInit returns), with two GPUs of the compute modes 0 and STUB_CUDA_MODE.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int number(const char* name) {
  const char* text = getenv(name);
  return text == NULL ? 0 : atoi(text);
}

int cuInit(unsigned flags) {
  const char* how = getenv("STUB_CUDA");
  if (how != NULL && strcmp(how, "hang") == 0) {
    for (;;) pause();
  }
  if (how != NULL && strcmp(how, "crash") == 0) raise(SIGSEGV);
  return flags == 0 ? number("STUB_CUDA") : 1;
}

int cuDeviceGetCount(int* count) {
  *count = 2;
  return 0;
}

int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return ordinal < 2 ? 0 : 101;
}

int cuDeviceGetAttribute(int* value, int attribute, int device) {
  if (attribute != 20) return 1;
  *value = device == 0 ? 0 : number("STUB_CUDA_MODE");
  return 0;
}
