#include "daemon/health_memory.h"

#include <algorithm>
#include <boost/json.hpp>

#include "format/json_writer.h"
#include "format/text.h"

namespace estiva::daemon {
namespace {

namespace json = boost::json;
using format::JsonWriter;

constexpr std::size_t kMostXids = 200;  // of 300 bytes at most: a note has 64 KiB
constexpr std::size_t kMostGpus = 256;

const json::array* rows_of(const json::value& value, std::string_view member) {
  const json::object* object = value.if_object();
  const json::value* rows = object == nullptr ? nullptr : object->if_contains(member);
  return rows == nullptr ? nullptr : rows->if_array();
}

std::string text_of(const json::object& from, std::string_view member) {
  const json::value* value = from.if_contains(member);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(text->c_str(), text->size());
}

// 0 where it is no number that fits.
template <class T>
T number_of(const json::object& from, std::string_view member) {
  const json::value* value = from.if_contains(member);
  if (value == nullptr) return 0;
  boost::system::error_code error;
  const T number = value->to_number<T>(error);
  return error ? T{0} : number;
}

std::optional<json::value> parse(const std::map<std::string, std::string>& notes,
                                 const char* name) {
  const auto note = notes.find(name);
  if (note == notes.end()) return std::nullopt;
  boost::system::error_code error;
  json::value value = json::parse(note->second, error);
  if (error) return std::nullopt;
  return value;
}

XidMemory xid_of(const json::object& row) {
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
  if (const auto value = parse(notes, kGpuNote)) {
    if (const json::array* rows = rows_of(*value, "gpus")) {
      for (const json::value& row : *rows) {
        const json::object* gpu = row.if_object();
        if (gpu == nullptr || memory.gpus.size() >= kMostGpus) continue;
        KnownGpu known{text_of(*gpu, "device"), number_of<unsigned>(*gpu, "index"),
                       text_of(*gpu, "pci")};
        if (!known.device.empty()) memory.gpus.push_back(std::move(known));
      }
    }
  }
  const auto value = parse(notes, kXidNote);
  const json::object* object = value ? value->if_object() : nullptr;
  if (object == nullptr || text_of(*object, "boot") != boot_id) return memory;
  memory.kernel_log_read = number_of<std::uint64_t>(*object, "kernel_log_read");
  if (const json::array* rows = rows_of(*value, "xids")) {
    for (const json::value& row : *rows) {
      const json::object* one = row.if_object();
      if (one != nullptr && memory.xids.size() < kMostXids) memory.xids.push_back(xid_of(*one));
    }
  }
  return memory;
}

}  // namespace estiva::daemon
