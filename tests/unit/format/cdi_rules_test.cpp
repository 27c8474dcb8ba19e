#include "format/cdi_rules.h"

#include <functional>
#include <gtest/gtest.h>

#include "format/cdi_spec.h"

namespace estiva::format {
namespace {

CdiSpec plain() {
  CdiSpec spec;
  spec.version = "1.1.0";
  spec.kind = "nvidia.com/gpu";
  CdiDevice device;
  device.name = "0";
  device.edits.env = {"A=b"};
  spec.devices = {device};
  return spec;
}

using Change = std::function<void(CdiSpec&)>;

std::vector<CdiViolation> after(const Change& change) {
  CdiSpec spec = plain();
  change(spec);
  return validate_cdi(spec);
}

Change node(CdiNode one) {
  return [one](CdiSpec& spec) { spec.devices[0].edits.nodes = {one}; };
}
CdiNode node_of_type(const std::string& type) {
  return {"/dev/a", "", type, "", {}, {}, {}, {}, {}};
}
CdiNode node_with(const std::string& permissions) {
  return {"/dev/a", "", "", permissions, {}, {}, {}, {}, {}};
}
CdiNode node_numbered(std::int64_t major, std::int64_t minor) {
  return {"/dev/a", "", "", "", major, minor, {}, {}, {}};
}
Change mount(CdiMount one) {
  return [one](CdiSpec& spec) { spec.devices[0].edits.mounts = {one}; };
}
Change hook(CdiHook one) {
  return [one](CdiSpec& spec) { spec.devices[0].edits.hooks = {one}; };
}
Change net(std::vector<CdiNetDevice> all) {
  return [all](CdiSpec& spec) { spec.devices[0].edits.net_devices = all; };
}
Change clos(const std::string& id) {
  return [id](CdiSpec& spec) {
    spec.edits.intel_rdt = CdiIntelRdt{id, "", "", {}, false, false, false};
  };
}
Change kind(const std::string& name) {
  return [name](CdiSpec& spec) { spec.kind = name; };
}
Change name(const std::string& word) {
  return [word](CdiSpec& spec) { spec.devices[0].name = word; };
}
Change env(const std::string& word) {
  return [word](CdiSpec& spec) { spec.edits.env = {word}; };
}
Change annotation(const std::string& key, const std::string& value = "v") {
  return [key, value](CdiSpec& spec) { spec.annotations = {{key, value}}; };
}
Change version(const std::string& word) {
  return [word](CdiSpec& spec) { spec.version = word; };
}

TEST(CdiRules, WhatIsAllowed) {
  const std::string longest(63, 'a');
  const Change cases[] = {
      [](CdiSpec&) {},
      version("v1.1.0"),
      kind("ab/cd"),
      kind("A-b_c.9/g.p-u_0"),
      name("0"),
      name("a"),
      name("0:1"),
      name("GPU-a_b.c:9"),
      name("00"),
      node({"/dev/a", "/dev/b", "c", "rwm", 195, 0, 438, 0, 0}),
      node(node_of_type("")),
      node(node_of_type("b")),
      node(node_of_type("c")),
      node(node_of_type("u")),
      node(node_of_type("p")),
      node(node_with("")),
      node(node_with("mwrr")),
      node(node_numbered(0, 0)),
      mount({"/a", "/b", "", {}}),
      hook({"prestart", "/a", {}, {"A=b"}, 0}),
      hook({"createRuntime", "/a", {}, {}, {}}),
      hook({"createContainer", "/a", {}, {}, {}}),
      hook({"startContainer", "/a", {}, {}, {}}),
      hook({"poststart", "/a", {}, {}, {}}),
      hook({"poststop", "a", {}, {}, -1}),
      net({{"a", "b"}, {"b", "a"}}),
      clos(""),
      clos("..."),
      clos(std::string(4095, 'a')),
      env("A="),
      env("A=b=c"),
      annotation("a"),
      annotation("A"),
      annotation(longest),
      annotation("a.b/" + longest),
      annotation("A.COM/x_Y.z-0"),
      annotation("a-b.c/0"),
      annotation(std::string(253, 'a') + "/a"),
      annotation("a", std::string(262143, 'b')),
      [](CdiSpec& spec) {
        spec.devices[0].edits = {}, spec.devices[0].edits.intel_rdt = CdiIntelRdt{};
      },
      [](CdiSpec& spec) {
        spec.devices[0].edits = {}, spec.devices[0].edits.additional_gids = {0};
      },
      [](CdiSpec& spec) { spec.devices.push_back(spec.devices[0]), spec.devices[1].name = "1"; },
      [](CdiSpec& spec) {
        spec.version = "1.0.0";
        spec.edits.intel_rdt = CdiIntelRdt{"", "", "", {}, true, true, false};
      },
  };
  int number = 0;
  for (const Change& change : cases) {
    const auto violations = after(change);
    EXPECT_TRUE(violations.empty())
        << number << ": " << violations[0].place << ": " << violations[0].text;
    ++number;
  }
}

struct Wrong {
  Change change;
  const char* place;
  const char* text;  // a part of the sentence
  bool is_refused = true;
};

void expect_wrong(std::initializer_list<Wrong> cases) {
  int number = 0;
  for (const Wrong& c : cases) {
    const auto violations = after(c.change);
    ASSERT_EQ(violations.size(), 1u) << number << ": " << c.text;
    EXPECT_EQ(violations[0].place, c.place) << number;
    EXPECT_NE(violations[0].text.find(c.text), std::string::npos) << violations[0].text;
    EXPECT_EQ(violations[0].is_refused, c.is_refused) << violations[0].text;
    ++number;
  }
}

TEST(CdiRules, NamesAndVersions) {
  expect_wrong({
      {version(""), "cdiVersion", "'' is no version"},
      {version("0.9.0"), "cdiVersion", "'0.9.0' is no version"},
      {version("1.1"), "cdiVersion", "is no version"},
      {version("vv1.1.0"), "cdiVersion", "is no version"},
      {version("0.4.0"), "cdiVersion", "the version is 0.4.0, and what the spec uses needs 0.5.0"},
      {kind(""), "kind", "'' is not VENDOR/CLASS"},
      {kind("gpu"), "kind", "'gpu' is not VENDOR/CLASS"},
      {kind("/gpu"), "kind", "is not VENDOR/CLASS"},
      {kind("nvidia.com/"), "kind", "is not VENDOR/CLASS"},
      {kind("a.com/b/c"), "kind",
       "the class 'b/c' has characters other than letters, digits and '_-.'"},
      {kind("9a.com/gpu"), "kind", "the vendor '9a.com' does not start with a letter"},
      {kind("a./gpu"), "kind", "the vendor 'a.' does not end with a letter or a digit"},
      {kind("a.com/-u"), "kind", "the class '-u' does not start with a letter"},
      {kind("a:b/gpu"), "kind", "the vendor 'a:b' has characters other"},
      {kind("a/gpu"), "kind", "the vendor 'a' has one character only"},
      {kind("a.com/g"), "kind", "the class 'g' has one character only"},
      {kind("é.com/gpu"), "kind", "does not start with a letter"},
      {name(""), "devices[0].name", "a device has no name"},
      {name("-a"), "devices[0].name", "does not start with a letter or a digit"},
      {name("a-"), "devices[0].name", "does not end with a letter or a digit"},
      {name("-"), "devices[0].name", "does not start with"},
      {name("a/b"), "devices[0].name", "has characters other than letters, digits and '_-.:'"},
      {name("aéb"), "devices[0].name", "has characters other"},
      {[](CdiSpec& spec) { spec.devices.clear(); }, "devices", "declares no device"},
      {[](CdiSpec& spec) { spec.devices.push_back(spec.devices[0]); }, "devices[1].name",
       "'0' is declared twice"},
      {[](CdiSpec& spec) { spec.devices[0].edits = {}; }, "devices[0].containerEdits",
       "'0' changes nothing"},
  });
}

TEST(CdiRules, Edits) {
  expect_wrong({
      {env("A"), "containerEdits.env[0]", "'A' is not NAME=VALUE"},
      {env("=A"), "containerEdits.env[0]", "'=A' is not"},
      {env(""), "containerEdits.env[0]", "'' is not"},
      {[](CdiSpec& spec) {
         spec.devices[0].edits.env = {"A=b", "c"};
       },
       "devices[0].containerEdits.env[1]", "'c'"},
      {node(CdiNode{}), "devices[0].containerEdits.deviceNodes[0].path", "has no path"},
      {node(node_of_type("d")), "devices[0].containerEdits.deviceNodes[0].type", "'d' is no type"},
      {node(node_with("rx")), "devices[0].containerEdits.deviceNodes[0].permissions",
       "'rx' is no permission"},
      {node(node_with("none")), "devices[0].containerEdits.deviceNodes[0].permissions", "'none'"},
      {node(node_numbered(-1, 0)), "devices[0].containerEdits.deviceNodes[0].major",
       "-1 is negative", false},
      {node(node_numbered(0, -1)), "devices[0].containerEdits.deviceNodes[0].minor",
       "-1 is negative", false},
      {mount({"", "/b", "", {}}), "devices[0].containerEdits.mounts[0].hostPath", "no hostPath"},
      {mount({"/a", "", "", {}}), "devices[0].containerEdits.mounts[0].containerPath",
       "no containerPath"},
      {hook({"Prestart", "/a", {}, {}, {}}), "devices[0].containerEdits.hooks[0].hookName",
       "'Prestart' is no hook"},
      {hook({"prestart", "", {}, {}, {}}), "devices[0].containerEdits.hooks[0].path",
       "a hook has no path"},
      {hook({"prestart", "/a", {}, {"A"}, {}}), "devices[0].containerEdits.hooks[0].env[0]",
       "'A' is not"},
      {net({{"", "b"}}), "devices[0].containerEdits.netDevices[0].hostInterfaceName",
       "no hostInterfaceName"},
      {net({{"a", ""}}), "devices[0].containerEdits.netDevices[0].name", "has no name"},
      {net({{"a", "b"}, {"a", "c"}}), "devices[0].containerEdits.netDevices[1].hostInterfaceName",
       "'a' is named twice"},
      {net({{"a", "b"}, {"c", "b"}}), "devices[0].containerEdits.netDevices[1].name",
       "'b' is named twice"},
      {clos("."), "containerEdits.intelRdt.closID", "closID"},
      {clos(".."), "containerEdits.intelRdt.closID", "closID"},
      {clos("a/b"), "containerEdits.intelRdt.closID", "closID"},
      {clos("a\nb"), "containerEdits.intelRdt.closID", "closID"},
      {clos(std::string(4096, 'a')), "containerEdits.intelRdt.closID", "closID"},
      {[](CdiSpec& spec) {
         spec.edits.intel_rdt = CdiIntelRdt{"", "", "", {}, true, false, false};
       },
       "containerEdits.intelRdt.enableCMT", "'enableCMT' is not part"},
      {[](CdiSpec& spec) {
         spec.edits.intel_rdt = CdiIntelRdt{"", "", "", {}, false, true, false};
       },
       "containerEdits.intelRdt.enableMBM", "'enableMBM' is not part"},
  });
}

TEST(CdiRules, AnnotationsFollowKubernetes) {
  expect_wrong({
      {annotation(""), "annotations", "has a name that is not 1 to 63", false},
      {annotation("a b"), "annotations", "'a b' has a name", false},
      {annotation("-a"), "annotations", "has a name", false},
      {annotation("a."), "annotations", "has a name", false},
      {annotation(std::string(64, 'a')), "annotations", "has a name", false},
      {annotation("a/"), "annotations", "has a name", false},
      {annotation("/a"), "annotations", "has a prefix", false},
      {annotation("a_b/c"), "annotations", "has a prefix", false},
      {annotation("a..b/c"), "annotations", "has a prefix", false},
      {annotation(".a/c"), "annotations", "has a prefix", false},
      {annotation("a./c"), "annotations", "has a prefix", false},
      {annotation("-a/c"), "annotations", "has a prefix", false},
      {annotation("a-.b/c"), "annotations", "has a prefix", false},
      {annotation(std::string(254, 'a') + "/a"), "annotations", "has a prefix", false},
      {annotation("a/b/c"), "annotations", "more than one '/'", false},
      {annotation("a", std::string(262144, 'b')), "annotations",
       "have 262145 bytes; 262144 are allowed", false},
      {[](CdiSpec& spec) {
         spec.devices[0].annotations = {{"a b", ""}};
       },
       "devices[0].annotations", "'a b'", false},
  });
}

TEST(CdiRules, AllViolationsAreToldInTheOrderOfTheMembers) {
  CdiSpec spec;
  spec.version = "2.0.0";
  spec.kind = "x";
  spec.annotations = {{"a b", ""}};
  CdiDevice device;
  device.name = "-";
  device.edits.env = {"A"};
  spec.devices = {device, device};
  spec.edits.hooks = {{}};
  std::vector<std::string> places;
  for (const CdiViolation& one : validate_cdi(spec)) places.push_back(one.place);
  EXPECT_EQ(places, (std::vector<std::string>{
                        "cdiVersion", "kind", "annotations", "devices[0].name",
                        "devices[0].containerEdits.env[0]", "devices[1].name", "devices[1].name",
                        "devices[1].containerEdits.env[0]", "containerEdits.hooks[0].hookName",
                        "containerEdits.hooks[0].path"}));
}

TEST(CdiRules, TheMinimumVersionIsWhatTheContentNeeds) {
  const auto least = [](const Change& change) {
    CdiSpec spec = plain();
    spec.devices[0].name = "a";
    change(spec);
    return std::string(minimum_version(spec));
  };
  const auto rdt = [](CdiIntelRdt one) {
    return [one](CdiSpec& spec) { spec.edits.intel_rdt = one; };
  };
  EXPECT_EQ(least([](CdiSpec&) {}), "0.3.0");
  EXPECT_EQ(least(mount({"/a", "/a", "", {}})), "0.3.0");
  EXPECT_EQ(least(mount({"/a", "/a", "bind", {}})), "0.4.0");
  EXPECT_EQ(least([](CdiSpec& spec) { spec.edits.mounts = {{"/a", "/a", "bind", {}}}; }), "0.4.0");
  EXPECT_EQ(least(name("0a")), "0.5.0");
  EXPECT_EQ(least(name("9")), "0.5.0");
  EXPECT_EQ(least(node({"/a", "/a", "", "", {}, {}, {}, {}, {}})), "0.5.0");
  EXPECT_EQ(least(node({"/a", "", "", "", {}, {}, {}, {}, {}})), "0.3.0");
  EXPECT_EQ(least(annotation("a")), "0.6.0");
  EXPECT_EQ(least([](CdiSpec& spec) { spec.devices[0].annotations = {{"a", "b"}}; }), "0.6.0");
  EXPECT_EQ(least(kind("a.com/g.u")), "0.6.0");
  EXPECT_EQ(least(kind("a.com")), "0.3.0");
  EXPECT_EQ(least(rdt({})), "0.7.0");
  EXPECT_EQ(least([](CdiSpec& spec) { spec.devices[0].edits.additional_gids = {0}; }), "0.7.0");
  EXPECT_EQ(least(rdt({"", "", "", {}, true, true, false})), "0.7.0");
  EXPECT_EQ(least(rdt({"", "", "", {"a"}, false, false, false})), "1.1.0");
  EXPECT_EQ(least(rdt({"", "", "", {}, false, false, true})), "1.1.0");
  EXPECT_EQ(least(net({{"a", "b"}})), "1.1.0");
}

TEST(CdiRules, VersionsAreCompared) {
  EXPECT_TRUE(is_newer_version("1.0.0", "0.8.0"));
  EXPECT_TRUE(is_newer_version("v0.5.0", "0.4.0"));
  EXPECT_FALSE(is_newer_version("0.5.0", "0.5.0"));
  EXPECT_FALSE(is_newer_version("0.5.0", "v0.5.0"));
  EXPECT_FALSE(is_newer_version("0.4.0", "0.5.0"));
  EXPECT_FALSE(is_newer_version("9.0.0", "0.5.0"));
  EXPECT_FALSE(is_newer_version("0.5.0", ""));
  EXPECT_TRUE(is_known_version("0.1.0"));
  EXPECT_FALSE(is_known_version("0.0.0"));
}

TEST(CdiRules, EachEngineReadsUpToItsOwnVersion) {
  const std::pair<const char*, const char*> cases[] = {{"24.0.9", ""},
                                                       {"25.0.0", "0.6.0"},
                                                       {"26.1.5+dfsg1", "0.6.0"},
                                                       {"26.999.0", "0.6.0"},
                                                       {"27.0.0", "0.7.0"},
                                                       {"27.4.1", "0.7.0"},
                                                       {"27.5.0", "0.8.0"},
                                                       {"28.0.4", "0.8.0"},
                                                       {"28.1.0", "1.0.0"},
                                                       {"28.5.2+dfsg4", "1.0.0"},
                                                       {"29.1.9", "1.0.0"},
                                                       {"29.2.0", "1.1.0"},
                                                       {"29.2-rc1", "1.1.0"},
                                                       {"31.0.0", "1.1.0"},
                                                       {"29", ""},
                                                       {"", ""},
                                                       {"dev", ""},
                                                       {"a.b", ""},
                                                       {"29.", ""},
                                                       {"99999.1", ""}};
  for (const auto& [version, newest] : cases) {
    EXPECT_EQ(newest_version_of_engine(EngineKind::docker, version), newest) << version;
  }
  EXPECT_EQ(newest_version_of_engine(EngineKind::docker_snap, "28.5.2"), "1.0.0");
  EXPECT_EQ(newest_version_of_engine(EngineKind::docker_desktop, "28.5.2"), "1.0.0");
  EXPECT_EQ(newest_version_of_engine(EngineKind::podman, "4.9.4"), "0.6.0");
  EXPECT_EQ(newest_version_of_engine(EngineKind::podman, "5.0.0"), "");
  EXPECT_EQ(newest_version_of_engine(EngineKind::none, "28.5.2"), "");
}

TEST(CdiRules, AFileIsReadAsAnEngineReadsIt) {
  const std::string text = render_cdi_yaml(plain());
  const CdiFile good = read_cdi_file("/etc/cdi/a.yaml", 3, text);
  EXPECT_EQ(good, (CdiFile{"/etc/cdi/a.yaml", 3, text, plain(), "", 0, false}));
  EXPECT_TRUE(read_cdi_file("/etc/cdi/a.yml", 0, text).is_ignored);
  EXPECT_TRUE(read_cdi_file("/etc/cdi/a.YAML", 0, text).is_ignored);
  EXPECT_FALSE(read_cdi_file("/etc/cdi/.json", 0, text).is_ignored);

  const CdiFile torn = read_cdi_file("a.json", 0, "{\n\"kind\": [}");
  EXPECT_EQ(torn.error_line, 2u);
  EXPECT_NE(torn.error.find("line 2"), std::string::npos) << torn.error;

  const CdiFile wrong = read_cdi_file("a.yaml", 0, "kind: x\ncdiVersion: 9\n");
  EXPECT_EQ(wrong.error, "cdiVersion: '9' is no version of the CDI specification (and 2 more)");
  EXPECT_EQ(wrong.error_line, 2u);

  CdiSpec taken = plain();
  taken.annotations = {{"a b", ""}};
  EXPECT_EQ(read_cdi_file("a.yaml", 0, render_cdi_yaml(taken)).error, "");

  const std::string longest = text + "#" + std::string(kMaxKeptText - text.size() - 1, 'a');
  EXPECT_EQ(read_cdi_file("a.yaml", 0, longest).text, longest);
  EXPECT_EQ(read_cdi_file("a.yaml", 0, longest + "a").text, longest);
}

}  // namespace
}  // namespace estiva::format
