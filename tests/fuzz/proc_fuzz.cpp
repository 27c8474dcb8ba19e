// Files of procfs, and the printers that carry the names found in them.
#include <cstdlib>

#include "format/json_key.h"
#include "format/json_writer.h"
#include "format/proc.h"
#include "format/table.h"
#include "format/text.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, unsigned long size) {
  using namespace estiva::format;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_proc_stat(text);
  (void)parse_meminfo(text);
  (void)parse_pid_stat(text);
  (void)parse_pid_status(text);
  (void)parse_loadavg(text);
  (void)parse_boot_id(text);
  (void)top_level_string(text, "k");
  std::string json;
  append_json_string(json, text);
  if (!is_utf8(json) || !is_utf8(escape_for_terminal(text))) std::abort();
  if (display_width(cut_to_width(text, 9)) > 9) std::abort();
  return 0;
}
