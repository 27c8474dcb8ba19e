/* What a program in a container sees of the GPU: one line of JSON. Exit 0: a GPU is usable. */
#include <dlfcn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int is_node(const char* path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISCHR(info.st_mode) && access(path, R_OK | W_OK) == 0;
}

int main(void) {
  static const char* const nodes[] = {"/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm"};
  int seen = 0, init = -1;
  const char* version = "";
  void* library = dlopen("libcuda.so.1", RTLD_NOW);
  if (library) {
    int (*cu_init)(unsigned) = (int (*)(unsigned))dlsym(library, "cuInit");
    const char* (*stub_version)(void) = (const char* (*)(void))dlsym(library, "stub_version");
    if (cu_init) init = cu_init(0);
    if (stub_version) version = stub_version();
  }
  printf("{\"nodes\": [");
  for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; ++i) {
    if (!is_node(nodes[i])) continue;
    printf("%s\"%s\"", seen++ ? ", " : "", nodes[i]);
  }
  printf("], \"libcuda\": \"%s\", \"cu_init\": %d}\n", version, init);
  return seen == 3 && init == 0 ? 0 : 1;
}
