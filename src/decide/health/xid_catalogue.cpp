#include "decide/health/xid_catalogue.h"

#include <algorithm>

namespace estiva::decide {
namespace {

using enum XidAction;
constexpr XidOrigin kNvidia = XidOrigin::nvidia, kOwn = XidOrigin::estiva;

constexpr XidRow kCatalogue[] = {
    {8, restart_app, kNvidia, "the GPU stopped processing"},
    {11, restart_app, kNvidia, "a damaged command stream"},
    {13, restart_app, kNvidia, "an exception of the graphics engine"},
    {25, restart_app, kNvidia, "an illegal command stream"},
    {31, restart_app, kNvidia, "a program accessed GPU memory that is not its own"},
    {32, restart_app, kNvidia, "a damaged command stream"},
    {37, ignore, kNvidia, "an error of the driver's firmware"},
    {38, ignore, kNvidia, "a time-out of the driver's firmware"},
    {39, restart_app, kNvidia, "an exception of copy engine 0"},
    {40, restart_app, kNvidia, "an exception of copy engine 1"},
    {41, restart_app, kNvidia, "an exception of copy engine 2"},
    {43, ignore, kNvidia, "a program's work on the GPU was ended"},
    {44, ignore, kNvidia, "a fault of the graphics engine at a switch of contexts"},
    {45, follow_the_other, kNvidia, "work on the GPU was cleaned up after another error"},
    {46, reset, kNvidia, "the GPU stopped processing"},
    {48, reset_for_ecc, kNvidia, "a memory error that ECC could not correct"},
    {54, check_power, kNvidia, "the card's auxiliary power is not connected"},
    {60, restart_app, kNvidia, "an exception of the video processor"},
    {62, reset, kNvidia, "the GPU's micro-controller halted"},
    {63, ignore, kNvidia, "a row or page of memory was marked to be replaced"},
    {64, reset, kNvidia, "a row or page of memory could not be marked to be replaced"},
    {66, ignore, kNvidia, "an illegal access by the driver"},
    {67, ignore, kNvidia, "an illegal access by the driver"},
    {68, restart_app, kNvidia, "an exception of video decoder 0"},
    {69, restart_app, kNvidia, "a class error of the graphics engine"},
    {70, restart_app, kNvidia, "an error of copy engine 3"},
    {71, restart_app, kNvidia, "an error of copy engine 4"},
    {72, restart_app, kNvidia, "an error of copy engine 5"},
    {74, check_links, kNvidia, "an NVLink error"},
    {75, restart_app, kNvidia, "an error of copy engine 6"},
    {76, restart_app, kNvidia, "an error of copy engine 7"},
    {77, restart_app, kNvidia, "an error of copy engine 8"},
    {78, update_driver, kNvidia, "a virtual GPU could not be started"},
    {79, reboot, kNvidia, "the GPU has fallen off the bus"},
    {80, restart_app, kNvidia, "damaged data was sent to the GPU"},
    {82, restart_app, kNvidia, "an error of JPEG engine 0"},
    {83, restart_app, kNvidia, "an error of video decoder 1"},
    {84, restart_app, kNvidia, "an error of video decoder 2"},
    {85, restart_app, kNvidia, "an error of copy engine 9"},
    {86, restart_app, kNvidia, "an exception of the optical flow engine"},
    {88, restart_app, kNvidia, "an error of video decoder 3"},
    {89, restart_app, kNvidia, "an error of video decoder 4"},
    {92, watch_rate, kNvidia, "many memory errors that ECC corrected"},
    {93, ignore, kNvidia, "the card's own memory was written more often than planned"},
    {94, restart_app, kNvidia, "a memory error that was contained in one program"},
    {95, reset, kNvidia, "a memory error that could not be contained"},
    {96, restart_app, kNvidia, "an error of video decoder 5"},
    {97, restart_app, kNvidia, "an error of video decoder 6"},
    {98, restart_app, kNvidia, "an error of video decoder 7"},
    {99, restart_app, kNvidia, "an error of JPEG engine 1"},
    {100, restart_app, kNvidia, "an error of JPEG engine 2"},
    {101, restart_app, kNvidia, "an error of JPEG engine 3"},
    {102, restart_app, kNvidia, "an error of JPEG engine 4"},
    {103, restart_app, kNvidia, "an error of JPEG engine 5"},
    {104, restart_app, kNvidia, "an error of JPEG engine 6"},
    {105, restart_app, kNvidia, "an error of JPEG engine 7"},
    {106, ignore, kNvidia, "a test message of the management bus"},
    {107, ignore, kNvidia, "a test message of the management bus"},
    {109, reset, kNvidia, "a switch of contexts timed out"},
    {110, reset, kNvidia, "a security fault"},
    {119, reset, kNvidia, "the GPU's system processor (GSP) did not answer"},
    {120, reset, kNvidia, "an error of the GPU's system processor (GSP)"},
    {121, ignore, kNvidia, "an error of the link between chips (C2C)"},
    {126, restart_app, kNvidia, "an error of copy engine 10"},
    {127, restart_app, kNvidia, "an error of copy engine 11"},
    {128, restart_app, kNvidia, "an error of copy engine 12"},
    {129, restart_app, kNvidia, "an error of copy engine 13"},
    {130, restart_app, kNvidia, "an error of copy engine 14"},
    {131, restart_app, kNvidia, "an error of copy engine 15"},
    {132, restart_app, kNvidia, "an error of copy engine 16"},
    {133, restart_app, kNvidia, "an error of copy engine 17"},
    {134, restart_app, kNvidia, "an error of copy engine 18"},
    {135, restart_app, kNvidia, "an error of copy engine 19"},
    {136, reset, kNvidia, "the training of a link failed"},
    {137, ignore, kNvidia, "an access over NVLink without the right to it"},
    {139, restart_app, kNvidia, "an error of optical flow engine 1"},
    {140, reset, kNvidia, "a memory error that ECC could not correct was not contained"},
    {141, ignore, kNvidia, "an error of CUDA's fast path"},
    {142, contact, kNvidia, "an error of video encoder 3"},
    {143, reset, kNvidia, "the GPU could not be initialised"},
    {144, check_links, kNvidia, "an NVLink error (SAW)"},
    {145, check_links, kNvidia, "an NVLink error (RLW)"},
    {146, check_links, kNvidia, "an NVLink error (TLW)"},
    {147, check_links, kNvidia, "an NVLink error (TREX)"},
    {148, check_links, kNvidia, "an NVLink error (NVLPW_CTRL)"},
    {149, check_links, kNvidia, "an NVLink error (NETIR)"},
    {150, check_links, kNvidia, "an NVLink error (MSE)"},
    {151, restart_vm, kNvidia, "the keys of confidential computing could not be changed"},
    {152, ignore, kNvidia, "an error of the deep learning accelerator's memory unit"},
    {153, ignore, kNvidia, "the deep learning accelerator timed out"},
    {154, follow_the_driver, kNvidia, "what the driver wants done has changed"},
    {155, reset, kNvidia, "an NVLink error that software reported"},
    {156, reset, kNvidia, "a part of the GPU was taken out of use"},
    {157, ignore, kNvidia, "a part of the GPU could not be taken out of use"},
    {158, reset, kNvidia, "the GPU timed out for good"},
    {159, check_uvm, kNvidia, "an error on the coherent link to the CPU"},
    {160, ignore, kNvidia, "a memory channel was taken out of use"},
    {161, ignore, kNvidia, "a memory channel could not be taken out of use"},
    {162, contact, kOwn, "the circuit that smooths power works again"},
    {163, contact, kOwn, "the circuit that smooths power was switched off"},
    {164, contact, kOwn, "the circuit that smooths power is near the end of its life"},
    {165, contact, kOwn, "the circuit that smooths power is at the end of its life"},
    {166, contact, kOwn, "traffic on NVLink before it was encrypted"},
    {167, replace, kOwn, "a fatal time-out on PCIe"},
    {168, replace, kOwn, "the GPU works with less memory after errors in its protected region"},
    {169, contact, kOwn, "the GPU's security processor halted"},
    {170, contact, kOwn, "an interrupt of NVLink in confidential computing"},
    {171, contact, kOwn, "the DRAM part of an error that ECC could not correct"},
    {172, contact, kOwn, "the SRAM part of an error that ECC could not correct"},
};

static_assert(std::ranges::is_sorted(kCatalogue, {}, &XidRow::code));

}  // namespace

std::span<const XidRow> xid_catalogue() {
  return kCatalogue;
}

const XidRow* find_xid(unsigned code) {
  const auto* row = std::ranges::lower_bound(kCatalogue, code, {}, &XidRow::code);
  return row != std::end(kCatalogue) && row->code == code ? row : nullptr;
}

}  // namespace estiva::decide
