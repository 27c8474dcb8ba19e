// What the writers of /metrics share.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "api/residents.h"
#include "format/exposition.h"
#include "model/world.h"

namespace estiva::api {

// One GPU with its labels made once; `room` is null where the ledger says nothing of it.
struct MetricRow {
  const Gpu* gpu = nullptr;
  const GpuRoom* room = nullptr;
  format::Labels own, dcgm, smi;
};

struct Family {
  std::string_view name, help, unit;
  format::MetricType type = format::MetricType::gauge;
};

// A part of the memory figures; unknown where they are, or where the driver does not tell it apart.
Reading<Bytes> memory_of(const MetricRow& row, Bytes GpuMemory::*part);
// "12.4"; empty where unknown.
std::string cuda_text(const DriverStatus& driver);

// One family with a sample for each GPU for which `value(row)` is known.
template <class Value>
void write_each(format::Exposition& out, const std::vector<MetricRow>& rows,
                const format::Labels MetricRow::*labels, const Family& family, Value value) {
  out.family(family.type, family.name, family.help, family.unit);
  for (const MetricRow& row : rows) out.sample(row.*labels, value(row));
}

// Errors by number, under the three families of names.
void write_xid_metrics(format::Exposition& out, const World& world,
                       const std::vector<MetricRow>& rows);
void write_container_metrics(format::Exposition& out, const World& world,
                             const std::vector<MetricRow>& rows, bool with_names);
void write_model_metrics(format::Exposition& out, const World& world,
                         const std::vector<ModelStatus>& models, bool with_names);
void write_dcgm_metrics(format::Exposition& out, const std::vector<MetricRow>& rows);
void write_smi_metrics(format::Exposition& out, const World& world,
                       const std::vector<MetricRow>& rows);

}  // namespace estiva::api
