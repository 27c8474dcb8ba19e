// A library of that name without CUDA in it.
int estiva_stub_cuda_has_nothing(void) {
  return 0;
}
