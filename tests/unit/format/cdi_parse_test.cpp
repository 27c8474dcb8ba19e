#include <fmt/format.h>
#include <gtest/gtest.h>

#include "format/cdi_spec.h"

namespace estiva::format {
namespace {

// Every member once.
constexpr const char* kFull = R"({
 "cdiVersion": "1.1.0", "kind": "a.com/gpu", "annotations": {"x/y": "z"},
 "devices": [{"name": "0", "annotations": {"k": "v"}, "containerEdits": {
   "env": ["A=b"],
   "deviceNodes": [{"path": "/dev/a", "hostPath": "/dev/b", "type": "c", "major": 1, "minor": 2,
                    "fileMode": 438, "permissions": "rw", "uid": 3, "gid": 4}],
   "netDevices": [{"hostInterfaceName": "e0", "name": "e1"}],
   "mounts": [{"hostPath": "/a", "containerPath": "/b", "type": "bind", "options": ["ro", "nodev"]}],
   "hooks": [{"hookName": "prestart", "path": "/c", "args": ["d"], "env": ["E=f"], "timeout": 5}],
   "additionalGids": [6, 4294967295],
   "intelRdt": {"closID": "g", "l3CacheSchema": "h", "memBwSchema": "i", "schemata": ["j"],
                "enableMonitoring": true, "enableCMT": true, "enableMBM": true}}}],
 "containerEdits": {"env": ["C=d"]}})";

CdiSpec full() {
  CdiSpec spec;
  spec.version = "1.1.0";
  spec.kind = "a.com/gpu";
  spec.annotations = {{"x/y", "z"}};
  CdiDevice device;
  device.name = "0";
  device.annotations = {{"k", "v"}};
  device.edits.env = {"A=b"};
  device.edits.nodes = {{"/dev/a", "/dev/b", "c", "rw", 1, 2, 438, 3, 4}};
  device.edits.net_devices = {{"e0", "e1"}};
  device.edits.mounts = {{"/a", "/b", "bind", {"ro", "nodev"}}};
  device.edits.hooks = {{"prestart", "/c", {"d"}, {"E=f"}, 5}};
  device.edits.additional_gids = {6, 4294967295};
  device.edits.intel_rdt = CdiIntelRdt{"g", "h", "i", {"j"}, true, true, true};
  spec.devices = {device};
  spec.edits.env = {"C=d"};
  return spec;
}

TEST(CdiParse, EveryMemberArrives) {
  const auto spec = parse_cdi_spec(kFull);
  ASSERT_TRUE(spec) << spec.error().what;
  EXPECT_EQ(*spec, full());
}

// The spec of one device whose edits are written in YAML's flow style.
Result<CdiSpec> with_edits(const std::string& edits, TextPlace* place = nullptr) {
  return parse_cdi_spec(
      "cdiVersion: 0.5.0\nkind: a.com/gpu\ndevices:\n- name: a\n  containerEdits:\n    {" + edits +
          "}\n",
      place);
}

CdiEdits edits_of(const std::string& edits) {
  const auto spec = with_edits(edits);
  EXPECT_TRUE(spec) << edits << ": " << (spec ? "" : spec.error().what);
  return spec && spec->devices.size() == 1 ? spec->devices[0].edits : CdiEdits{};
}

TEST(CdiParse, NullIsWhatIsAbsent) {
  EXPECT_EQ(edits_of("env: null, deviceNodes: ~, mounts: null, hooks: , netDevices: null, "
                     "additionalGids: null, intelRdt: null"),
            CdiEdits{});
  EXPECT_EQ(edits_of("deviceNodes: [{path: /a, major: null, uid: ~, type: null}]").nodes,
            (std::vector<CdiNode>{{"/a", "", "", "", {}, {}, {}, {}, {}}}));
  EXPECT_EQ(edits_of("env: [null]").env, std::vector<std::string>{""});
  EXPECT_EQ(edits_of("intelRdt: {}").intel_rdt, CdiIntelRdt{});
  EXPECT_EQ(edits_of("intelRdt: {enableCMT: null}").intel_rdt, CdiIntelRdt{});
  EXPECT_EQ(edits_of("additionalGids: [null]").additional_gids, std::vector<std::uint32_t>{0});
}

TEST(CdiParse, NumbersAndBooleansMayStandForText) {
  const std::pair<const char*, const char*> cases[] = {
      {"0", "0"},
      {"010", "8"},
      {"0x1F", "31"},
      {"yes", "true"},
      {"off", "false"},
      {"1.50", "1.5"},
      {"1e3", "1000"},
      {"1e6", "1e+06"},
      {"100000.0", "100000"},
      {"0.0001", "0.0001"},
      {"0.00001", "1e-05"},
      {"-1", "-1"},
      {".inf", "+Inf"},
      {"-.inf", "-Inf"},
      {".nan", "NaN"},
      {"18446744073709551615", "18446744073709551615"},
      {"0.1", "0.1"},
      {"1.0", "1"}};
  for (const auto& [written, read] : cases) {
    EXPECT_EQ(edits_of(fmt::format("env: [{}]", written)).env, std::vector<std::string>{read})
        << written;
  }
}

TEST(CdiParse, WholeNumbersAreReadInTheirRange) {
  const auto major = [](const std::string& number) {
    const auto spec = with_edits("deviceNodes: [{path: /a, major: " + number + "}]");
    return spec ? spec->devices[0].edits.nodes[0].major : std::nullopt;
  };
  EXPECT_EQ(major("0"), 0);
  EXPECT_EQ(major("-1"), -1);
  EXPECT_EQ(major("1.0"), 1);
  EXPECT_EQ(major("1e3"), 1000);
  EXPECT_EQ(major("0777"), 511);
  EXPECT_EQ(major("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(major("-9223372036854775808"), INT64_MIN);
  for (const char* wrong :
       {"9223372036854775808", "1.5", "'1'", "true", "a", "[1]", "{}", ".inf", ".nan", "1e19"}) {
    EXPECT_EQ(major(wrong), std::nullopt) << wrong;
  }
  const auto uid = [](const std::string& number) {
    const auto spec = with_edits("deviceNodes: [{path: /a, uid: " + number + "}]");
    return spec ? spec->devices[0].edits.nodes[0].uid : std::nullopt;
  };
  EXPECT_EQ(uid("4294967295"), 4294967295u);
  EXPECT_EQ(uid("4294967296"), std::nullopt);
  EXPECT_EQ(uid("0"), 0u);
  EXPECT_EQ(uid("-1"), std::nullopt);
}

TEST(CdiParse, MembersMayBeInAnyCaseAndMerged) {
  const auto spec = parse_cdi_spec(
      "CDIVERSION: 0.5.0\nKind: a.com/gpu\nDevices:\n- Name: a\n  containeredits: &e {ENV: [A=b]}\n"
      "- {name: b, containerEdits: *e}\n- {name: c, containerEdits: {<<: *e}}\n"
      "- {name: d, containerEdits: {<<: [*e, {hooks: []}]}}\n");
  ASSERT_TRUE(spec) << spec.error().what;
  ASSERT_EQ(spec->devices.size(), 4u);
  for (const CdiDevice& device : spec->devices) {
    EXPECT_EQ(device.edits.env, std::vector<std::string>{"A=b"}) << device.name;
  }
}

TEST(CdiParse, OnlyTheFirstDocumentIsRead) {
  const auto first = parse_cdi_spec("---\nkind: a.com/gpu\n---\nnonsense: 1\n");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind, "a.com/gpu");
  EXPECT_TRUE(parse_cdi_spec("kind: a.com/gpu\n...\n"));
}

TEST(CdiParse, WhatIsWrongIsRefusedWithItsPlace) {
  const struct {
    const char* text;
    TextPlace place;
    const char* what;
  } cases[] = {
      {"", {}, "the text holds no spec"},
      {"# a\n", {}, "the text holds no spec"},
      {"null", {}, "the text holds no spec"},
      {"[]", {1, 1}, "'the spec' is a list, and must be a mapping"},
      {"spec", {1, 1}, "'the spec' is text, and must be a mapping"},
      {"kind: a\nkinds: b", {2, 1}, "no member 'kinds' here; did you mean 'kind'"},
      {"kind: a\nzzzzzzzz: b", {2, 1}, "no member 'zzzzzzzz' here"},
      {"kind: a\nkind: b", {2, 1}, "'kind' stands here for the second time"},
      {"kind: a\nKIND: b", {2, 1}, "'kind' stands here for the second time"},
      {"kind: [a]", {1, 7}, "'kind' is a list, and must be text"},
      {"kind: {a: b}", {1, 7}, "'kind' is a mapping, and must be text"},
      {"kind: !!int a", {1, 13}, "'a' can't be read as"},
      {"[kind]: a", {1, 1}, "a member's name must be text"},
      {"~: a", {1, 1}, "a member's name must be text"},
      {"<<: 5", {1, 5}, "'<<' must be followed by a mapping"},
      {"<<: [5]", {1, 6}, "'<<' must be followed by a mapping"},
      {"kind: a\n<<: {kind: b}", {2, 6}, "'kind' stands here for the second time"},
      {"devices: {}", {1, 10}, "'devices' is a mapping, and must be a list"},
      {"devices: 5", {1, 10}, "'devices' is a number, and must be a list"},
      {"devices: [a]", {1, 11}, "is text, and must be a mapping"},
      {"devices: [null]", {1, 11}, "'a device' is nothing, and must be a mapping"},
      {"annotations: []", {1, 14}, "'annotations' is a list, and must be a mapping"},
      {"annotations: {a: []}", {1, 18}, "'a' is a list, and must be text"},
      {"annotations: {a: b, a: c}", {1, 21}, "'a' stands here for the second time"},
      {"containerEdits: {deviceNodes: [{path: a}, null]}", {1, 43}, "ends engines that read it"},
      {"containerEdits: {hooks: [null]}", {1, 26}, "ends engines that read it"},
      {"containerEdits: {mounts: [~]}", {1, 27}, "ends engines that read it"},
      {"containerEdits: {netDevices: [~]}", {1, 31}, "ends engines that read it"},
      {"containerEdits: []", {1, 17}, "'containerEdits' is a list, and must be a mapping"},
      {"containerEdits: {env: A=b}", {1, 23}, "'env' is text, and must be a list"},
      {"containerEdits: {env: [[A=b]]}", {1, 24}, "'env' is a list, and must be text"},
      {"containerEdits: {additionalGids: [-1]}", {1, 35}, "from 0 to 4294967295"},
      {"containerEdits: {additionalGids: [a]}", {1, 35}, "is text, and must be a whole number"},
      {"containerEdits: {additionalGids: [yes]}",
       {1, 35},
       "is true or false, and must be a whole number"},
      {"containerEdits: {intelRdt: {enableCMT: 1}}",
       {1, 40},
       "is a number, and must be true or false"},
      {"containerEdits: {intelRdt: {enableCMT: []}}",
       {1, 40},
       "is a list, and must be true or false"},
      {R"({"kind": "a\/b"})", {1, 10}, "engines refuse the escapes"},
      {R"({"kind": "\ud83d\ude00"})", {1, 10}, "engines refuse the escapes"},
      {R"({"kind": "\uDbff\udfff"})", {1, 10}, "engines refuse the escapes"},
      {R"({"k\/": "a"})", {1, 2}, "engines refuse the escapes"},
      {R"({"annotations": {"a\/b": "c"}})", {1, 18}, "engines refuse the escapes"},
      {"kind: [", {2, 1}, "this is not YAML"},
  };
  for (const auto& c : cases) {
    TextPlace place{9, 9};
    const auto spec = parse_cdi_spec(c.text, &place);
    ASSERT_FALSE(spec) << c.text;
    const std::string& what = spec.error().what;
    EXPECT_NE(what.find(c.what), std::string::npos) << c.text << ": " << what;
    EXPECT_EQ(place, c.place) << c.text << ": " << what;
    EXPECT_EQ(what.starts_with(fmt::format("line {}, column {}: ", place.line, place.column)),
              place.line != 0);
    EXPECT_FALSE(spec.error().remedy.empty());
  }
}

TEST(CdiParse, OtherEscapesAreTaken) {
  const std::pair<const char*, const char*> cases[] = {{R"("\\/")", "\\/"},
                                                       {R"("\ud7ff")", "\ud7ff"},
                                                       {R"("\ue000")", "\ue000"},
                                                       {R"("\\ud83d")", "\\ud83d"},
                                                       {R"('\/')", "\\/"},
                                                       {R"(a\/b)", "a\\/b"},
                                                       {R"("\x41\e\N\_")", "A\x1b\u0085\u00a0"}};
  for (const auto& [written, read] : cases) {
    EXPECT_EQ(edits_of(fmt::format("env: [{}]", written)).env, std::vector<std::string>{read})
        << written;
  }
}

TEST(CdiParse, ALongWordIsCutInTheSentence) {
  const auto spec = parse_cdi_spec(std::string(1000, 'x') + ": 1");
  ASSERT_FALSE(spec);
  EXPECT_LT(spec.error().what.size(), 200u);
  std::string letters;
  for (int i = 0; i < 100; ++i) letters += "\u00e9";
  const auto other = parse_cdi_spec("x" + letters + ": 1");
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().what.find("\u00e9..."), std::string::npos) << other.error().what;
}

TEST(CdiParse, APlaceIsFoundAgain) {
  const std::string text =
      "kind: a\ndevices:\n- name: a\n- name: b\n  containerEdits:\n    mounts:\n    - hostPath: "
      "/x\n";
  const std::pair<const char*, TextPlace> cases[] = {
      {"kind", {1, 7}},
      {"", {1, 1}},
      {"devices[1].name", {4, 9}},
      {"devices[1].containerEdits.mounts[0].hostPath", {7, 17}},
      {"devices[1].containerEdits.mounts[0].containerPath", {7, 7}},
      {"devices[1].containerEdits.hooks[0]", {6, 5}},
      {"devices[2].name", {3, 1}},
      {"devices[18446744073709551616].name", {3, 1}},
      {"devices.name", {3, 1}},
      {"devices[", {3, 1}},
      {"kind[0]", {1, 7}},
      {"nothing", {1, 1}},
  };
  for (const auto& [place, found] : cases) EXPECT_EQ(cdi_place_of(text, place), found) << place;
  EXPECT_EQ(cdi_place_of("[", "kind"), TextPlace{});
  EXPECT_EQ(cdi_place_of("", "kind"), TextPlace{});
}

}  // namespace
}  // namespace estiva::format
