// Records of /dev/kmsg and the lines that NVIDIA's driver writes there. The lines are in the forms
// of the driver's source (NVIDIA/open-gpu-kernel-modules, nvErrorLog) and of the catalogue's
// examples (docs.nvidia.com/deploy/xid-errors).
#include "format/kernel_log.h"

#include <gtest/gtest.h>

namespace estiva::format {
namespace {

TEST(KernelLog, ARecordIsTakenApart) {
  const auto record = parse_kernel_record(
      "3,1291,4843520391,-;NVRM: Xid (PCI:0000:01:00): 31, pid=7\n SUBSYSTEM=pci\n "
      "DEVICE=+pci:x\n");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->facility, 0U);
  EXPECT_EQ(record->level, 3U);
  EXPECT_EQ(record->sequence, 1291U);
  EXPECT_EQ(record->microseconds, 4843520391U);
  EXPECT_EQ(record->text, "NVRM: Xid (PCI:0000:01:00): 31, pid=7");
}

TEST(KernelLog, WhatAProgramWroteIsToldFromTheKernel) {
  const auto record = parse_kernel_record("12,5,10,-;NVRM: Xid (PCI:0000:01:00): 79\n");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->facility, 1U);
  EXPECT_EQ(record->level, 4U);
}

TEST(KernelLog, MoreFieldsAndSemicolonsAreFine) {
  const auto record = parse_kernel_record("6,339,5140900,-,caller=T1;a; b\n");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->text, "a; b");
  EXPECT_EQ(record->microseconds, 5140900U);
}

TEST(KernelLog, NoRecord) {
  for (const char* text :
       {"", "a line", "6,339;x", "6,,3,-;x", "x,1,2,-;y", "6,1,-2,-;y", "99999999,1,2,-;y", ";"}) {
    EXPECT_FALSE(parse_kernel_record(text)) << text;
  }
}

TEST(KernelLog, AnXidWithWhoseWorkItWas) {
  const auto xid = parse_xid_line(
      "NVRM: Xid (PCI:0000:41:00): 31, pid=2212941, name=python3, Ch 00000008, intr 00000000. MMU "
      "Fault: ENGINE GRAPHICS GPCCLIENT_T1_0 faulted @ 0x7f_31a24000. Fault is of type FAULT_PDE "
      "ACCESS_TYPE_VIRT_READ");
  ASSERT_TRUE(xid);
  EXPECT_EQ(xid->slot, "0000:41:00");
  EXPECT_EQ(xid->code, 31U);
  EXPECT_EQ(xid->source, XidSource::kernel_log);
  EXPECT_EQ(xid->pid, 2212941);
  EXPECT_EQ(xid->process, "python3");
  EXPECT_FALSE(xid->is_fatal);
}

TEST(KernelLog, TheFormsOfAnXidLine) {
  struct Form {
    const char* text;
    const char* slot;
    unsigned code;
  };
  for (const Form& form :
       {Form{"NVRM: Xid (0000:03:00): 13, Graphics SM Warp Exception", "0000:03:00", 13},
        Form{"NVRM: Xid (PCI:0000:17:00 GPU-I:05): 94, pid=1, name=x", "0000:17:00", 94},
        Form{"NVRM: Xid (PCI:0018:01:00): 149, NETIR_BER_EVENT Nonfatal XC0 i0 Link 03 (0x00086226 "
             "0x00000001)",
             "0018:01:00", 149},
        Form{"NVRM: Xid (PCI:0000:9b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen "
             "off the bus.",
             "0000:9b:00", 79},
        Form{"NVRM: Xid (PCI:0000:01:00): 48", "0000:01:00", 48}}) {
    const auto xid = parse_xid_line(form.text);
    ASSERT_TRUE(xid) << form.text;
    EXPECT_EQ(xid->slot, form.slot);
    EXPECT_EQ(xid->code, form.code);
    EXPECT_EQ(xid->source, XidSource::kernel_log);
    EXPECT_FALSE(xid->is_fatal) << form.text;
    EXPECT_EQ(xid->pid, form.code == 94 ? 1 : 0) << form.text;
  }
}

TEST(KernelLog, NvlinkSaysWhetherItIsFatal) {
  const auto xid = parse_xid_line(
      "NVRM: Xid (PCI:0008:01:00): 145, pid=11436, name=cache_mgr_main, RLW_SRC_TRACK Fatal XC1 i0 "
      "Link 03 (0x040868e2 0x00000008)");
  ASSERT_TRUE(xid);
  EXPECT_TRUE(xid->is_fatal);
  EXPECT_EQ(xid->pid, 11436);
}

TEST(KernelLog, TheRecoveryActionIsTheNewOne) {
  const auto reset = parse_xid_line(
      "NVRM: Xid (PCI:0000:4e:00): 154, GPU recovery action changed from 0x0 (None) to 0x1 (GPU "
      "Reset Required)");
  ASSERT_TRUE(reset);
  EXPECT_EQ(reset->recovery_action, 1U);
  const auto none = parse_xid_line(
      "NVRM: Xid (PCI:0000:4e:00): 154, GPU recovery action changed from 0x2 (Node Reboot "
      "Required) "
      "to 0x0 (None)");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->recovery_action, 0U);
  EXPECT_FALSE(parse_xid_line("NVRM: Xid (PCI:0000:4e:00): 154, what")->recovery_action);
}

TEST(KernelLog, AFallFromTheBusWithoutANumber) {
  for (const char* text :
       {"NVRM: GPU 0000:1b:00.0: GPU has fallen off the bus.",
        "NVRM: GPU at PCI:0000:1b:00: x\\x0aNVRM: GPU 0000:1b:00.0: has fallen off the bus",
        "NVRM: The NVIDIA GPU 0000:1b:00.0 (PCI ID: 10de:2330) installed in this system has fallen "
        "off the bus and is not responding to commands.",
        "NVRM: The NVIDIA GPU 0000:1b:00.0\\x0aNVRM: (PCI ID: 10de:2330)\\x0aNVRM: installed in "
        "this "
        "system has\\x0aNVRM: fallen off the bus and is not\\x0aNVRM: responding to commands."}) {
    const auto xid = parse_xid_line(text);
    ASSERT_TRUE(xid) << text;
    EXPECT_EQ(xid->slot, "0000:1b:00");
    EXPECT_EQ(xid->code, 79U);
    EXPECT_EQ(xid->source, XidSource::kernel_text);
  }
}

TEST(KernelLog, OtherLinesAreNoXid) {
  for (const char* text :
       {"", "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.163.01",
        "NVRM: Xid (PCI:", "NVRM: Xid (PCI:0000:01:00): ", "NVRM: Xid (PCI:0000:01:00): 0, x",
        "NVRM: Xid (PCI:0000:01:00): 1000, x", "NVRM: Xid (PCI:zz:01:00): 13",
        "NVRM: Xid (PCI:0000:01:00): 99999999999999999999", "usb 1-1: it has fallen off the bus",
        "NVRM: it has fallen off the bus", "x NVRM: Xid (PCI:0000:01:00): 13",
        "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Non-fatal"}) {
    EXPECT_FALSE(parse_xid_line(text)) << text;
  }
}

TEST(KernelLog, AHostileProcessNameStaysAName) {
  const auto xid =
      parse_xid_line("NVRM: Xid (PCI:0000:01:00): 13, pid=5, name=\x1b[31mred, Graphics Exception");
  ASSERT_TRUE(xid);
  EXPECT_EQ(xid->process, "\\x1b[31mred");
  for (const char* pid : {"-5", "0", "4194305", "x", "99999999999999999999"}) {
    const auto odd =
        parse_xid_line("NVRM: Xid (PCI:0000:01:00): 13, pid=" + std::string(pid) + ", name=a, b");
    ASSERT_TRUE(odd);
    EXPECT_EQ(odd->pid, 0) << pid;
    EXPECT_EQ(odd->process, "");
  }
}

TEST(PciSlot, EveryFormBecomesTheLogs) {
  EXPECT_EQ(pci_slot("00000000:01:00.0"), "0000:01:00");
  EXPECT_EQ(pci_slot("0000:9B:1f.0"), "0000:9b:1f");
  EXPECT_EQ(pci_slot("0018:01:00"), "0018:01:00");
  for (const char* text : {"", "0000", "0000:01", "01:00.0", "0000:01:00:0", "g000:01:00",
                           "00010000:01:00.0", "0000:100:00", "0000:01:20", "0000::00", ":01:00"}) {
    EXPECT_EQ(pci_slot(text), "") << text;
  }
}

}  // namespace
}  // namespace estiva::format
