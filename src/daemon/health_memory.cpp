#include "daemon/health_memory.h"

#include <algorithm>
#include <utility>

#include "format/json_tree.h"
#include "format/json_writer.h"
#include "format/text.h"

namespace estiva::daemon {
namespace {

using format::JsonNode;
using format::JsonTree;
using format::JsonWriter;

constexpr std::size_t kMostXids = 200;  // of 300 bytes at most: a note has 64 KiB
constexpr std::size_t kMostGpus = 256;

std::string text_of(JsonNode from, std::string_view member) {
  return std::string(from[member].text().value_or(""));
}

// 0 where it is no number that fits.
template <class T>
T number_of(JsonNode from, std::string_view member) {
  const auto below = from[member].signed_number();
  if (below && std::in_range<T>(*below)) return static_cast<T>(*below);
  const auto above = from[member].unsigned_number();
  return above && std::in_range<T>(*above) ? static_cast<T>(*above) : T{0};
}

// An empty tree where there is none that can be read.
JsonTree parse(const std::map<std::string, std::string>& notes, const char* name) {
  const auto note = notes.find(name);
  if (note == notes.end()) return {};
  return JsonTree::parse(note->second).value_or(JsonTree());
}

// Calls `each` for the objects of a list.
template <class Each>
void for_rows(JsonNode rows, Each each) {
  for (std::size_t i = 0; rows.is_array() && i < rows.size(); ++i) {
    if (rows.at(i).is_object()) each(rows.at(i));
  }
}

XidMemory xid_of(JsonNode row) {
  XidMemory one;
  one.slot = text_of(row, "slot");
  one.code = number_of<unsigned>(row, "code");
  one.count = number_of<std::uint64_t>(row, "count");
  one.recent = number_of<std::uint64_t>(row, "recent");
  one.since = {number_of<std::int64_t>(row, "since_ns")};
  one.last = {number_of<std::int64_t>(row, "last_ns")};
  one.ended = number_of<std::uint8_t>(row, "ended");
  one.is_fatal = number_of<int>(row, "fatal") != 0;
  one.pid = number_of<pid_t>(row, "pid");
  one.process = text_of(row, "process");
  return one;
}

}  // namespace

std::string gpu_note(const std::vector<KnownGpu>& gpus) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("gpus").begin_array();
  for (const KnownGpu& gpu : gpus) {
    json.begin_object()
        .field("device", gpu.device)
        .field("index", gpu.index)
        .field("pci", gpu.pci_bus_id)
        .end_object();
  }
  json.end_array().end_object();
  return text;
}

std::string xid_note(std::vector<XidMemory> xids, std::uint64_t kernel_log_read,
                     const std::string& boot_id) {
  if (xids.size() > kMostXids) {
    std::sort(xids.begin(), xids.end(),
              [](const XidMemory& a, const XidMemory& b) { return a.last > b.last; });
    xids.resize(kMostXids);
  }
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .field("boot", boot_id)
      .field("kernel_log_read", kernel_log_read)
      .key("xids")
      .begin_array();
  for (const XidMemory& one : xids) {
    json.begin_object()
        .field("slot", one.slot)
        .field("code", one.code)
        .field("count", one.count)
        .field("recent", one.recent)
        .field("since_ns", one.since.ns)
        .field("last_ns", one.last.ns)
        .field("ended", static_cast<unsigned>(one.ended))
        .field("fatal", one.is_fatal ? 1U : 0U)
        .field("pid", one.pid)
        .field("process", one.process)
        .end_object();
  }
  json.end_array().end_object();
  return text;
}

HealthMemory read_notes(const std::map<std::string, std::string>& notes,
                        const std::string& boot_id) {
  HealthMemory memory;
  const JsonTree gpus = parse(notes, kGpuNote), xids = parse(notes, kXidNote);
  for_rows(gpus.root()["gpus"], [&](JsonNode row) {
    KnownGpu known{text_of(row, "device"), number_of<unsigned>(row, "index"), text_of(row, "pci")};
    if (known.device.empty() || memory.gpus.size() >= kMostGpus) return;
    memory.gpus.push_back(std::move(known));
  });
  if (!xids.root().is_object() || text_of(xids.root(), "boot") != boot_id) return memory;
  memory.kernel_log_read = number_of<std::uint64_t>(xids.root(), "kernel_log_read");
  for_rows(xids.root()["xids"], [&](JsonNode row) {
    if (memory.xids.size() < kMostXids) memory.xids.push_back(xid_of(row));
  });
  return memory;
}

}  // namespace estiva::daemon
