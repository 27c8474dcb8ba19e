#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <rapidcheck.h>

#include "format/cdi_rules.h"
#include "format/cdi_spec.h"

namespace estiva::format {
namespace {

std::string golden(const std::string& name) {
  std::ifstream in(ESTIVA_SOURCE_DIR "/tests/golden/cdi/" + name, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), {});
}

std::string without_first_line(const std::string& text) {
  return text.substr(text.find('\n') + 1);
}

TEST(CdiRender, TheVendorsSpecIsReadAndWrittenAsWeWriteIt) {
  const auto spec = parse_cdi_spec(golden("nvidia-ctk-550.yaml"));
  ASSERT_TRUE(spec) << spec.error().what;
  EXPECT_EQ(validate_cdi(*spec), std::vector<CdiViolation>{});
  EXPECT_EQ(minimum_version(*spec), "0.7.0");
  const std::string ours = golden("nvidia-ctk-550.ours.yaml");
  EXPECT_TRUE(ours.starts_with("# Source: "));
  EXPECT_EQ(render_cdi_yaml(*spec), without_first_line(ours));
  EXPECT_EQ(parse_cdi_spec(ours).value_or(CdiSpec{}), *spec);
  EXPECT_EQ(parse_cdi_spec(render_cdi_json(*spec)).value_or(CdiSpec{}), *spec);
}

TEST(CdiRender, MembersStandInTheOrderOfTheSpecification) {
  CdiSpec spec;
  spec.version = "1.1.0";
  spec.kind = "a.com/gpu";
  spec.annotations = {{"b", "c"}};
  CdiDevice device;
  device.name = "0";
  device.edits.env = {"A=b"};
  device.edits.nodes = {{"/dev/a", "/dev/b", "c", "rw", 1, 0, 438, 3, 4}};
  device.edits.net_devices = {{"e0", "e1"}};
  device.edits.mounts = {{"/a", "/b", "bind", {"ro"}}};
  device.edits.hooks = {{"prestart", "/c", {"d"}, {"E=f"}, 5}};
  device.edits.additional_gids = {6, 7};
  device.edits.intel_rdt = CdiIntelRdt{"g", "h", "i", {"j"}, true, true, true};
  spec.devices = {device, CdiDevice{"1", {{"k", "v"}}, {}}};
  spec.edits.intel_rdt = CdiIntelRdt{};
  EXPECT_EQ(render_cdi_yaml(spec), R"(cdiVersion: "1.1.0"
kind: a.com/gpu
annotations:
  b: c
devices:
- name: "0"
  containerEdits:
    env:
    - A=b
    deviceNodes:
    - path: /dev/a
      hostPath: /dev/b
      type: c
      major: 1
      minor: 0
      fileMode: 438
      permissions: rw
      uid: 3
      gid: 4
    netDevices:
    - hostInterfaceName: e0
      name: e1
    mounts:
    - hostPath: /a
      containerPath: /b
      type: bind
      options:
      - ro
    hooks:
    - hookName: prestart
      path: /c
      args:
      - d
      env:
      - E=f
      timeout: 5
    additionalGids:
    - 6
    - 7
    intelRdt:
      closID: g
      l3CacheSchema: h
      memBwSchema: i
      schemata:
      - j
      enableMonitoring: true
      enableCMT: true
      enableMBM: true
- name: "1"
  annotations:
    k: v
  containerEdits: {}
containerEdits:
  intelRdt: {}
)");
  spec.devices.resize(1);
  spec.devices[0].edits = {};
  spec.devices[0].edits.additional_gids = {6, 7};
  spec.edits = {};
  EXPECT_EQ(render_cdi_json(spec), R"({
  "cdiVersion": "1.1.0",
  "kind": "a.com/gpu",
  "annotations": {
    "b": "c"
  },
  "devices": [
    {
      "name": "0",
      "containerEdits": {
        "additionalGids": [
          6,
          7
        ]
      }
    }
  ]
}
)");
  EXPECT_EQ(render_cdi_yaml({}), "cdiVersion: \"\"\nkind: \"\"\ndevices: []\n");
  EXPECT_EQ(render_cdi_json({}),
            "{\n  \"cdiVersion\": \"\",\n  \"kind\": \"\",\n  \"devices\": []\n}\n");
}

CdiSpec spec_with(const std::string& text) {
  CdiSpec spec;
  spec.version = spec.kind = text;
  spec.annotations = {{"k" + text, text}, {text, "v"}};
  CdiDevice device;
  device.name = text;
  device.edits.env = {text, text};
  device.edits.nodes = {{text, text, text, text, {}, {}, {}, {}, {}}};
  device.edits.mounts = {{text, text, text, {text}}};
  device.edits.hooks = {{text, text, {text}, {text}, {}}};
  spec.devices = {device};
  return spec;
}

TEST(CdiRender, EveryHostileTextSurvives) {
  const std::string texts[] = {"",
                               " ",
                               "a b",
                               " a",
                               "a ",
                               "a:",
                               ":a",
                               "a: b",
                               "a :b",
                               "#",
                               "a #b",
                               "a#b",
                               "-",
                               "- a",
                               "--a",
                               "?",
                               "? a",
                               "!",
                               "!!str",
                               "&a",
                               "*a",
                               "[",
                               "]",
                               "{",
                               "}",
                               "[a]",
                               "{a: b}",
                               ",",
                               "a,b",
                               "|",
                               ">",
                               "%",
                               "@",
                               "`",
                               "'",
                               "''",
                               "\"",
                               "\\",
                               "\\n",
                               "\\u0041",
                               "a'b",
                               "a\"b",
                               "y",
                               "Y",
                               "n",
                               "yes",
                               "NO",
                               "On",
                               "off",
                               "true",
                               "False",
                               "null",
                               "NULL",
                               "~",
                               "nul",
                               "trues",
                               "<<",
                               "=",
                               "0",
                               "00",
                               "010",
                               "0x1F",
                               "0b1",
                               "0o7",
                               "1_000",
                               "1.5",
                               ".5",
                               "5.",
                               "1e3",
                               "+1",
                               "-1",
                               ".inf",
                               "-.inf",
                               ".nan",
                               "0:0",
                               "12:30:45",
                               "2001-01-02",
                               "2001-01-02T03:04:05Z",
                               "\n",
                               "a\nb",
                               "a\n",
                               "\na",
                               "\r",
                               "\r\n",
                               "\t",
                               "a\tb",
                               "\ta",
                               std::string("\0", 1),
                               std::string("a\0b", 3),
                               "\x01",
                               "\x1b[31m",
                               "\x7f",
                               "\u0080",
                               "\u0085",
                               "\u009f",
                               "\u00a0",
                               "\u2028",
                               "a\u2029b",
                               "\ufeff",
                               "a\ufeff",
                               "\ufffd",
                               "\ufffe",
                               "\uffff",
                               "\U0001f600",
                               "\U0010ffff",
                               "\u00e9",
                               "---",
                               "--- a",
                               "...",
                               "a\n---\nb",
                               "%YAML 1.2",
                               "/",
                               "//",
                               "/a:",
                               "/dev/dri/by-path/pci-0000:01:00.0-card",
                               "A=b c",
                               "key",
                               std::string(100'000, 'x'),
                               std::string(100, '\n')};
  for (const std::string& text : texts) {
    const CdiSpec spec = spec_with(text);
    for (const std::string& written : {render_cdi_yaml(spec), render_cdi_json(spec)}) {
      const auto back = parse_cdi_spec(written);
      ASSERT_TRUE(back) << written.substr(0, 2000) << back.error().what;
      EXPECT_EQ(*back, spec) << written.substr(0, 2000);
    }
  }
}

TEST(CdiRender, WhatIsNoUtf8BecomesAReplacementCharacter) {
  const CdiSpec spec = spec_with("a\xff\xC3");
  for (const std::string& written : {render_cdi_yaml(spec), render_cdi_json(spec)}) {
    EXPECT_EQ(parse_cdi_spec(written).value_or(CdiSpec{}), spec_with("a\uFFFD\uFFFD"));
  }
}

std::string any_text() {
  static const std::vector<std::string> kParts = {
      "a",    "Z",    "0",    "7",      " ",      "\n",     "\t",     ":",         "#",
      "-",    "/",    ".",    "=",      "\"",     "'",      "\\",     "{",         "]",
      ",",    "&",    "*",    "!",      "%",      "@",      "~",      "<",         "yes",
      "null", "\x01", "\x7f", "\u0085", "\u00e9", "\u2028", "\ufeff", "\U0001f600"};
  std::string text;
  for (const int i : *rc::gen::container<std::vector<int>>(rc::gen::inRange<int>(0, 35))) {
    text += kParts[static_cast<std::size_t>(i)];
  }
  return text;
}

bool any_bool() {
  return *rc::gen::arbitrary<bool>();
}

std::vector<std::string> any_texts() {
  std::vector<std::string> texts(*rc::gen::inRange<std::size_t>(0, 3));
  for (std::string& text : texts) text = any_text();
  return texts;
}

template <class T>
std::optional<T> any_number() {
  return any_bool() ? std::optional<T>(*rc::gen::arbitrary<T>()) : std::nullopt;
}

CdiEdits any_edits() {
  CdiEdits edits;
  edits.env = any_texts();
  if (any_bool()) {
    edits.nodes = {{any_text(), any_text(), any_text(), any_text(), any_number<std::int64_t>(),
                    any_number<std::int64_t>(), any_number<std::uint32_t>(),
                    any_number<std::uint32_t>(), any_number<std::uint32_t>()},
                   {}};
  }
  if (any_bool()) edits.net_devices = {{any_text(), any_text()}};
  if (any_bool()) edits.mounts = {{any_text(), any_text(), any_text(), any_texts()}};
  if (any_bool())
    edits.hooks = {{any_text(), any_text(), any_texts(), any_texts(), any_number<std::int64_t>()}};
  if (any_bool()) edits.additional_gids = {*rc::gen::arbitrary<std::uint32_t>(), 0};
  if (any_bool()) {
    edits.intel_rdt = CdiIntelRdt{any_text(), any_text(), any_text(), any_texts(),
                                  any_bool(), any_bool(), any_bool()};
  }
  return edits;
}

TEST(CdiRender, AnySpecComesBackEqualFromBothFormats) {
  EXPECT_TRUE(rc::check([] {
    CdiSpec spec;
    spec.version = any_text();
    spec.kind = any_text();
    if (any_bool()) spec.annotations = {{any_text(), any_text()}, {any_text(), any_text()}};
    spec.devices.resize(*rc::gen::inRange<std::size_t>(0, 3));
    for (CdiDevice& device : spec.devices) {
      device.name = any_text();
      if (any_bool()) device.annotations = {{any_text(), any_text()}};
      device.edits = any_edits();
    }
    spec.edits = any_edits();
    const std::string yaml = render_cdi_yaml(spec), json = render_cdi_json(spec);
    const CdiSpec copy = spec;
    RC_ASSERT(render_cdi_yaml(copy) == yaml);
    RC_ASSERT(render_cdi_json(copy) == json);
    for (const std::string& text : {yaml, json}) {
      const auto back = parse_cdi_spec(text);
      if (!back) RC_FAIL(text + back.error().what);
      RC_ASSERT(*back == spec);
    }
  }));
}

}  // namespace
}  // namespace estiva::format
