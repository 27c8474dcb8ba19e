// What top shows: order, filter, the page and the document; what is hostile stays in its cell.
#include <gtest/gtest.h>

#include "api/json.h"
#include "cli/render_top.h"
#include "cli/top_view.h"
#include "format/text.h"
#include "support.h"
#include "worlds.h"

namespace estiva::cli {
namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

GpuProcess process(pid_t pid, Reading<Bytes> used, Reading<Ratio> sm, std::string name) {
  GpuProcess one;
  one.pid = pid;
  one.used = used;
  one.sm_utilization = sm;
  one.name = std::move(name);
  return one;
}

// Two GPUs with four processes: in a Compose service, in a plain container, with a model, with
// nothing but a number.
World busy() {
  World world = test::world();
  world.gpus[0].sample.processes =
      std::vector<GpuProcess>{process(4242, mib(2000), Ratio{0.5}, "python3"),
                              process(77, mib(300), Missing::not_supported, "ffmpeg")};
  world.gpus[1].sample.processes =
      std::vector<GpuProcess>{process(900, mib(5000), Ratio{0.1}, "ollama"),
                              process(12, Missing::not_permitted, Ratio{0.9}, "")};
  world.gpus[0].sample.clock_event_reasons = std::uint64_t{0x4};
  world.gpus[1].sample.clock_event_reasons = std::uint64_t{0x1};
  world.host.memory_pressure.some = PressureLine{Ratio{0.031}, {}, {}, 0};
  world.host.memory_pressure.full = PressureLine{Ratio{0.01}, {}, {}, 0};
  world.host.cpu_pressure.some = PressureLine{Ratio{0.25}, {}, {}, 0};
  world.process_models = {{900, "llama"}, {77, "video"}};
  auto containers = std::make_shared<std::vector<Container>>(2);
  (*containers)[0].id = std::string(64, 'a');
  (*containers)[0].name = "stack-llm-1";
  (*containers)[0].project = "stack";
  (*containers)[0].service = "llm";
  (*containers)[1].id = std::string(64, 'b');
  (*containers)[1].name = "plain";
  world.containers = containers;
  world.process_containers = {{77, std::string(64, 'b'), "docker", false},
                              {900, std::string(64, 'a'), "docker", false}};
  return world;
}

TopView view(const World& world, std::string_view sort = "vram", std::string_view gpu = "") {
  auto document = read_status_document(api::status_json(world));
  EXPECT_TRUE(document) << document.error().sentence();
  return top_of(document.value_or(StatusDocument{}), sort, gpu);
}

std::string page(const World& world, TopScreen screen = {}, Style style = {}) {
  return render_top(view(world), {style, {}}, screen);
}

// "900 4242": the processes in order.
std::string pids(const World& world, std::string_view sort, std::string_view gpu = "") {
  std::string out;
  for (const TopProcess& one : view(world, sort, gpu).processes)
    out += (out.empty() ? "" : " ") + std::to_string(one.row.pid);
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::string_view rest = text, line;
  while (format::next_line(rest, line)) lines.emplace_back(line);
  return lines;
}

TEST(TopView, EachKeyHasItsOrderAndTheUnknownComesLast) {
  EXPECT_EQ(pids(busy(), "vram"), "900 4242 77 12");
  EXPECT_EQ(pids(busy(), "sm"), "12 4242 900 77");
  EXPECT_EQ(pids(busy(), "pid"), "12 77 900 4242");
  EXPECT_EQ(pids(busy(), "model"), "900 77 4242 12");      // llama, video
  EXPECT_EQ(pids(busy(), "container"), "77 900 4242 12");  // plain, stack/llm
}

TEST(TopView, EqualsKeepOneOrder) {
  World world = busy();
  std::vector<GpuProcess> equals;
  for (const pid_t pid : {5, 3, 9, 1, 7}) equals.push_back(process(pid, mib(1), Ratio{0}, "p"));
  world.gpus[0].sample.processes = world.gpus[1].sample.processes = equals;
  for (const char* sort : {"vram", "sm", "model", "container"})
    EXPECT_EQ(pids(world, sort), "1 3 5 7 9 1 3 5 7 9") << sort;
}

TEST(TopView, OneGpuByNumberOrUuid) {
  EXPECT_EQ(pids(busy(), "pid", "0"), "77 4242");
  EXPECT_EQ(pids(busy(), "pid", "GPU-00000001-aaaa-bbbb-cccc-123456789abc"), "12 900");
  EXPECT_EQ(view(busy(), "pid", "1").gpu.gpus.size(), 1u);
  EXPECT_TRUE(view(busy(), "pid", "2").gpu.gpus.empty());
  EXPECT_TRUE(view(busy(), "pid", "GPU-").gpu.gpus.empty());
}

TEST(TopView, WhatTheMachineKnowsOfAProcessStandsBesideIt) {
  const TopView all = view(busy());
  EXPECT_EQ(all.processes[1].row.pid, 4242);
  EXPECT_EQ(all.processes[1].cpu_cores, 1.5);
  EXPECT_EQ(all.processes[1].resident_bytes, gib(3).value);
  EXPECT_FALSE(all.processes[0].cpu_cores);
}

TEST(TopJson, HasThePromisedMembersAndReasons) {
  const std::string text = top_json(view(busy()));
  for (const char* part :
       {"\"schema\":\"estiva/top/1\"", "\"simulated\":false", "\"stale\":false",
        "\"clock_event_reasons\":[\"sw_power_cap\"]", "\"memory_pressure_some_ratio\":0.031",
        "{\"gpu\":0,\"pid\":4242,\"name\":\"python3\",\"container\":null,\"project\":null,"
        "\"service\":null,\"model\":null,\"used_bytes\":2097152000,\"sm_utilization_ratio\":0.5,"
        "\"cpu_cores\":1.5,\"resident_bytes\":3221225472}",
        "\"container\":\"stack-llm-1\",\"project\":\"stack\",\"service\":\"llm\","
        "\"model\":\"llama\"",
        "\"used_bytes\":null,\"sm_utilization_ratio\":0.9", "\"used_bytes\":\"not_permitted\"",
        "\"cpu_cores\":\"not_among_the_largest\""}) {
    EXPECT_TRUE(has(text, part)) << part << "\nin " << text;
  }
  EXPECT_FALSE(has(text, "\n"));
}

TEST(RenderTop, Page) {
  test::expect_golden("top.txt", page(busy()));
}

TEST(RenderTop, PageOfASmallTerminal) {
  World world = busy();
  world.simulated = true;
  world.gpus[1].identity.name = "NVIDIA RTX 6000 Ada Generation with a long name";
  test::expect_golden("top-small.txt", page(world, {72, 10, {}, "estiva top", ""}));
}

TEST(RenderTop, PageWithoutGpu) {
  const RenderOptions options{{}, {}, true};
  test::expect_golden("top-no-gpu.txt", render_top(view(test::no_gpu()), options, {}));
}

// Whatever the size: never more lines or columns than there are, and the machine's line is there.
TEST(RenderTop, FitsEverySize) {
  World world = busy();
  world.simulated = world.stale = true;
  for (std::size_t lines = 1; lines <= 20; ++lines) {
    for (const std::size_t columns : {1, 2, 3, 20, 79, 200}) {
      const std::string text = page(world, {columns, lines, {}, "title", "a note"});
      const auto rows = lines_of(text);
      EXPECT_LE(rows.size(), lines) << columns;
      for (const std::string& row : rows) EXPECT_LE(format::display_width(row), columns) << row;
      EXPECT_TRUE(lines <= 3 || columns < 20 || has(text, "RAM 12.0 GiB")) << text;
    }
  }
}

TEST(RenderTop, ProcessesWithoutRoomAreCounted) {
  const std::string three = page(busy(), {0, 0, 3, "", ""});
  EXPECT_TRUE(has(three, "... and 1 more")) << three;
  EXPECT_FALSE(has(three, "   12  ")) << three;
  EXPECT_FALSE(has(page(busy(), {0, 0, 4, "", ""}), "more"));
  EXPECT_TRUE(has(page(busy(), {0, 0, 0, "", ""}), "... and 4 more"));
  // GPU titles, two GPUs, a blank, titles, the machine: six lines beside the processes.
  EXPECT_FALSE(has(page(busy(), {0, 10, {}, "", ""}), "more"));
  EXPECT_TRUE(has(page(busy(), {0, 9, {}, "", ""}), "... and 2 more"));
}

// Cells are as wide as they look: each column begins at the same place in every line.
TEST(RenderTop, HostileNamesMoveNothing) {
  World world = busy();
  auto processes = *world.gpus[0].sample.processes;
  processes[0].name = "\x1b[2J\x1b[31mevil\nGPU  PID  forged\r\t\"'`$(x)";
  processes[1].name =
      "\xff\xfe\xe2\x80\xae"
      "txt.exe";  // bad bytes, a right-to-left override
  world.gpus[0].sample.processes = processes;
  world.gpus[0].identity.name = "\x1b]0;owned\x07 \xe6\xa8\xa1\xe5\x9e\x8b";
  world.process_models[0].model = "\xe6\xa8\xa1\xe5\x9e\x8b/\xf0\x9f\xa6\x99";
  auto containers = std::make_shared<std::vector<Container>>(*world.containers);
  (*containers)[1].name = "a\x1b[1;1Hb\nc";
  world.containers = containers;
  const std::string text = page(world, {}, {false, false});
  for (const char byte : text) {
    EXPECT_TRUE(static_cast<unsigned char>(byte) >= ' ' || byte == '\n') << int(byte);
    EXPECT_NE(byte, '\x7f');
  }
  EXPECT_FALSE(has(text, "\xe2\x80\xae"));
  EXPECT_TRUE(format::is_utf8(text));
  const auto lines = lines_of(text);
  ASSERT_EQ(lines.size(), 10u) << text;  // as many as without
  // The last column begins behind as many columns of the screen in each line.
  const std::size_t at = format::display_width(lines[4].substr(0, lines[4].find("Process")));
  for (const auto& [line, name] : {std::pair<std::size_t, std::string>{5, "ollama"},
                                   std::pair<std::size_t, std::string>{6, "\\x1b[2J"}}) {
    const std::size_t found = lines[line].find(name);
    ASSERT_NE(found, std::string::npos) << lines[line];
    EXPECT_EQ(format::display_width(lines[line].substr(0, found)), at) << text;
  }
}

TEST(RenderTop, ColourKeepsTheTextAndOnlyItHasEscapes) {
  World world = busy();
  world.simulated = true;
  const TopScreen screen{60, 9, {}, "title", ""};
  std::string text = page(world, screen, {true, true});
  EXPECT_TRUE(has(text, "\x1b["));
  for (std::size_t at = 0; (at = text.find('\x1b')) != std::string::npos;)
    text.erase(at, text.find('m', at) - at + 1);
  EXPECT_EQ(text, page(world, screen));
  EXPECT_FALSE(has(page(world, screen, {false, true}), "\x1b")) << "NO_COLOR on a terminal";
}

TEST(RenderTop, AnIllGpuHasItsColourAndUntoldIsNotNone) {
  World world = busy();
  GpuHealth ill;
  ill.device = world.gpus[1].identity.id.key();
  ill.state = HealthState::unhealthy;
  world.health = {ill};
  world.gpus[1].sample.processes = Missing::not_permitted;
  const std::string text = page(world, {}, {true, true});
  EXPECT_TRUE(has(text, "\x1b[31m  1  NVIDIA GeForce RTX 3060  UNHEALTHY")) << text;
  EXPECT_TRUE(has(text, "GPU 1: processes n/a (not permitted)")) << text;
}

TEST(RenderTop, SaysWhatIsWrongWithTheSource) {
  const std::string text = page(busy(), {0, 0, {}, "estiva top", "The daemon is gone."});
  EXPECT_TRUE(text.starts_with("estiva top\nThe daemon is gone.\nGPU  Name")) << text;
}

TEST(TopThrottle, NamesTheGravest) {
  World world = busy();
  for (const auto& [bits, word] : {std::pair<std::uint64_t, std::string>{0x0, "-"},
                                   {0x1, "-"},
                                   {0x4, "power cap"},
                                   {0x24, "heat"},
                                   {0x48, "heat (hw)"},
                                   {0x8, "hardware"},
                                   {0x84, "power brake"}}) {
    world.gpus[0].sample.clock_event_reasons = bits;
    EXPECT_TRUE(lines_of(page(world))[1].ends_with("  " + word)) << page(world);
  }
  world.gpus[0].sample.clock_event_reasons = Missing::not_supported;
  EXPECT_TRUE(lines_of(page(world))[1].ends_with("  n/a"));
}

}  // namespace
}  // namespace estiva::cli
