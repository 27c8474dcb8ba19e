#include <cstdlib>

#include "format/kernel_log.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto record = estiva::format::parse_kernel_record(text);
  const auto xid = estiva::format::parse_xid_line(record ? record->text : text);
  if (!xid) return 0;
  // What goes on from here is bounded and may be shown.
  const bool good = xid->code >= 1 && xid->code <= estiva::kMaxXid && xid->slot.size() == 10 &&
                    xid->process.size() <= 512 && xid->pid >= 0;
  if (!good) std::abort();
  return 0;
}
