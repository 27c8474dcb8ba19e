// Looks into containers for verify: one of our own that is made for it, or one that runs.
#pragma once
#include <chrono>
#include <string>

#include "base/error.h"
#include "decide/verify/ladder.h"
#include "model/readiness.h"
#include "net/address.h"

namespace estiva::cli {

struct ProbeWish {
  std::string with = "auto";  // auto, cdi, gpus, runtime
  std::string device;         // CDI's name; empty: "all" of the kind that is there
  std::chrono::milliseconds limit{30'000};
};

// Makes a container from an empty root file system, asks for the GPU in it as wished, and lets the
// sensor program say what it sees there. What can't be tried is in `why_not`.
decide::ContainerLook try_container(const net::Endpoint& engine, const ReadinessFacts& facts,
                                    const ProbeWish& wish);

// A container by its name, its id or its beginning, or its Compose service. Errors: not_found, and
// usage where several fit.
Result<decide::ContainerLook> look_into(const net::Endpoint& engine, const ReadinessFacts& facts,
                                        const std::string& wanted);

}  // namespace estiva::cli
