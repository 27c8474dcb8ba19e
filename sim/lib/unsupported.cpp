// Functions that exist in the real library and that no simulated card supports. Their further
// arguments are not looked at: the calling convention lets a function ignore them.
#include "sim/lib/runtime.h"

using namespace estiva::sim;

#define X(name)                                                                                 \
  ESTIVA_NVML name(Device device) {                                                             \
    Timed timed(Fn::name);                                                                      \
    const Return wrong = resolve(device) == nullptr ? before(Fn::name, -1)                      \
                                                    : before_device(Fn::name, resolve(device)); \
    return timed.done(wrong != kSuccess ? wrong : kNotSupported);                               \
  }
ESTIVA_SIM_UNSUPPORTED(X)
#undef X
