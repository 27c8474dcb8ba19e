// A device's id as a member of documents of our own, for both directions (json_fields.h).
#pragma once
#include <string>

#include "format/json_fields.h"
#include "model/gpu.h"

// In the namespace of the value, where json_fields.h looks.
namespace estiva {

template <class Io>
void fields(Io& io, DeviceId& id) {
  io("vendor", id.vendor, std::string("nvidia"));
  io("uuid", id.uuid);
  io("instance", id.instance);
}

}  // namespace estiva
