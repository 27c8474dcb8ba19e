// Errors by number (XIDs). The sums are there from the start, so that a rate over them is right; a
// single number's series appears with its first error.
#include <algorithm>
#include <fmt/format.h>

#include "api/metrics_parts.h"
#include "base/messages/decide_health.h"
#include "decide/health/xid_catalogue.h"

namespace estiva::api {
namespace {

using format::Exposition;
using format::Labels;
using format::MetricType;
using Rows = std::vector<MetricRow>;

// For so long the newest error is told where a dashboard asks for "the last one".
constexpr Nanoseconds kLastOne = std::chrono::minutes(10);

bool is_whole(const MetricRow& row) {
  return row.gpu->identity.id.instance.empty();
}

Labels with_number(const Labels& labels, unsigned code) {
  Labels more = labels;
  more.add("xid", fmt::format("{}", code));
  return more;
}

template <class Value>
void write_each_number(Exposition& out, const World& world, const Rows& rows,
                       const Labels MetricRow::*labels, const Family& family, Value value) {
  out.family(family.type, family.name, family.help, family.unit);
  for (const MetricRow& row : rows) {
    const GpuXids* xids = xids_of(world, *row.gpu);
    if (xids == nullptr) continue;
    for (const XidCount& one : xids->counts) {
      out.sample(with_number(row.*labels, one.code), value(one));
    }
  }
}

bool has_open_xid(const World& world, const MetricRow& row) {
  const std::string key = row.gpu->identity.id.key();
  return std::any_of(world.health.begin(), world.health.end(), [&key](const GpuHealth& health) {
    return health.device == key &&
           std::any_of(health.conditions.begin(), health.conditions.end(),
                       [](const Condition& c) { return c.id.rfind("xid_", 0) == 0; });
  });
}

// 0 once it is over: a value that stays for ever is what users of DCGM's exporter complain of
// (NVIDIA/dcgm-exporter #500, NVIDIA/DCGM #277).
unsigned last_one(const World& world, const MetricRow& row) {
  const GpuXids* xids = xids_of(world, *row.gpu);
  if (xids == nullptr) return 0;
  const auto newest = std::find_if(xids->counts.begin(), xids->counts.end(),
                                   [&](const auto& one) { return one.code == xids->last_code; });
  if (newest == xids->counts.end()) return 0;
  const bool is_new = world.made_at - newest->last <= kLastOne;
  return is_new || has_open_xid(world, row) ? newest->code : 0;
}

void write_last_one(Exposition& out, const World& world, const Rows& rows) {
  out.family(MetricType::gauge, "DCGM_FI_DEV_XID_ERRORS", "Value of the last XID error.");
  for (const MetricRow& row : rows) {
    if (!is_whole(row)) continue;
    const unsigned code = last_one(world, row);
    const decide::XidRow* known = decide::find_xid(code);
    Labels labels = row.dcgm;
    labels.add("err_code", fmt::format("{}", code))
        .add("err_msg", code == 0          ? msg::kNoXid
                        : known == nullptr ? msg::kXidUnknown
                                           : known->what);
    out.sample(labels, code);
  }
}

}  // namespace

void write_xid_metrics(Exposition& out, const World& world, const Rows& rows) {
  const auto count = [](const XidCount& one) { return one.count; };
  const auto when = [&world](const XidCount& one) {
    return static_cast<double>(world.wall.ns - (world.made_at - one.last).count()) / 1e9;
  };
  out.family(MetricType::counter, "estiva_gpu_xid_errors", "Errors that the driver told.");
  for (const MetricRow& row : rows) {
    if (!is_whole(row)) continue;
    std::uint64_t sum = 0;
    if (const GpuXids* xids = xids_of(world, *row.gpu)) {
      for (const XidCount& one : xids->counts) sum += one.count;
    }
    out.sample(row.own, sum);
  }
  write_each_number(out, world, rows, &MetricRow::own,
                    {"estiva_gpu_xid_code_errors", "Errors that the driver told, by number.", "",
                     MetricType::counter},
                    count);
  write_each_number(
      out, world, rows, &MetricRow::own,
      {"estiva_gpu_xid_last_timestamp_seconds", "When the newest of a number came.", "seconds"},
      when);
  write_last_one(out, world, rows);
  write_each_number(out, world, rows, &MetricRow::smi,
                    {"nvidia_smi_xid_errors", "XID errors by number.", "", MetricType::counter},
                    count);
  write_each_number(out, world, rows, &MetricRow::smi,
                    {"nvidia_smi_xid_last_timestamp_seconds", "When the newest came.", "seconds"},
                    when);
}

}  // namespace estiva::api
