// Rows <-> values, one function a direction and a row. Used by wire.cpp only.
#pragma once
#include "gpu/backend.h"
#include "gpu/sensor_protocol.h"
#include "model/gpu.h"
#include "model/xid.h"

namespace estiva::gpu {

StateRow to_row(const DriverStatus& driver);
InventoryRow to_row(std::uint32_t device, const GpuIdentity& identity);
SampleRow to_row(std::uint32_t device, const GpuSample& sample, bool processes_fresh);
ProcessRow to_row(std::uint32_t device, const GpuProcess& process);
WearRow to_row(std::uint32_t device, const GpuWear& wear);
XidRow to_row(const XidReport& report);
CallRow to_row(const CallCost& cost);

// False where the row holds what no value can hold: an unknown state or reason, text without an
// end, a number that is none. Text comes out printable.
bool from_row(const StateRow& row, DriverStatus& driver);
bool from_row(const InventoryRow& row, GpuIdentity& identity);
// Leaves sample.processes alone where the row says "keep the last one".
bool from_row(const SampleRow& row, GpuSample& sample);
bool from_row(const ProcessRow& row, GpuProcess& process);
bool from_row(const WearRow& row, GpuWear& wear);
bool from_row(const XidRow& row, XidReport& report);
bool from_row(const CallRow& row, CallCost& cost);

}  // namespace estiva::gpu
