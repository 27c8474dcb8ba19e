#include "cli/render_plan.h"

#include <gtest/gtest.h>

#include "support.h"

namespace estiva::cli {
namespace {

Step step_of(StepKind kind, const std::string& target, const std::string& content = {}) {
  Step step;
  step.kind = kind;
  step.target = target;
  step.content = content;
  return step;
}

Plan setup_plan() {
  Step write = step_of(StepKind::write_file, "/etc/docker/daemon.json", "{}");
  write.reason = "Docker 27 reads CDI specs only where features.cdi is set";
  write.effect = "Containers can ask for nvidia.com/gpu=0";
  write.undo = "The file is put back byte for byte";
  write.diff =
      "--- /etc/docker/daemon.json\n+++ /etc/docker/daemon.json\n@@ -1 +1,2 @@\n "
      "{\n-\told\n+\tnew\n";
  Step restart = step_of(StepKind::restart_unit, "docker.service");
  restart.reason = "Docker registers CDI when it starts";
  restart.risk = Risk::interrupts;
  restart.stops = {"ollama", "evil\x1b[2J"};
  Step options = step_of(StepKind::write_file, "/etc/modprobe.d/estiva.conf");
  options.risk = Risk::reboot;
  return {"setup", std::string(64, '7'), {write, restart, options}};
}

TEST(RenderPlan, APlanInAPipe) {
  test::expect_golden("plan.txt", render_plan(setup_plan(), NewFiles::counted, {}));
}

TEST(RenderPlan, OnATerminalTheDifferenceHasColours) {
  const std::string text = render_plan(setup_plan(), NewFiles::counted, Style{true, true});
  EXPECT_NE(text.find("     \x1b[31m-\told\x1b[0m\n"), std::string::npos) << text;
  EXPECT_NE(text.find("     \x1b[32m+\tnew\x1b[0m\n"), std::string::npos);
  EXPECT_NE(text.find("     \x1b[2m@@ -1 +1,2 @@\x1b[0m\n"), std::string::npos);
  EXPECT_NE(text.find("\x1b[33m     Stops for a while: ollama, evil\\x1b[2J\x1b[0m\n"),
            std::string::npos);
}

TEST(RenderPlan, AnEmptyPlanSaysSo) {
  EXPECT_EQ(render_plan({"setup", {}, {}}, NewFiles::counted, {}), "Nothing has to be done.\n");
  EXPECT_EQ(render_run({}, {}), "Nothing has to be done.\n");
}

TEST(RenderPlan, TheTextOfANewFileIsShownOnRequest) {
  Step unit = step_of(StepKind::write_file, "/etc/a.service", "[Unit]\n+x\n");
  unit.reason = "It runs before Docker";
  unit.diff = "--- /dev/null\n+++ /etc/a.service\n@@ -0,0 +1,2 @@\n+[Unit]\n++x\n";
  unit.mode = 0640;
  const Plan plan{"setup", std::string(64, '7'), {unit}};
  const std::string counted = render_plan(plan, NewFiles::counted, {});
  EXPECT_NE(counted.find("     Why: It runs before Docker\n     New: 2 lines, mode 0640\n"
                         "--diff shows the text of the new files.\n"),
            std::string::npos)
      << counted;
  const std::string whole = render_plan(plan, NewFiles::whole, {});
  EXPECT_NE(whole.find("     +[Unit]\n     ++x\n"), std::string::npos) << whole;
  EXPECT_EQ(whole.find("New:"), std::string::npos);
  EXPECT_EQ(whole.find("--diff"), std::string::npos);
}

TEST(RenderPlan, EachKindHasItsWords) {
  Step link = step_of(StepKind::write_file, "/etc/l");
  link.link_to = "/srv/x";
  Step mode = step_of(StepKind::set_mode, "/etc/m");
  mode.mode = 0640;
  const std::pair<Step, const char*> cases[] = {
      {step_of(StepKind::write_file, "/etc/a\n"), "write /etc/a\\x0a"},
      {link, "link /etc/l to /srv/x"},
      {step_of(StepKind::remove_file, "/etc/a"), "remove /etc/a"},
      {step_of(StepKind::enable_unit, "a.service"), "start a.service at each boot"},
      {step_of(StepKind::disable_unit, "a.service"), "start a.service no more at boot"},
      {step_of(StepKind::start_unit, "a.service"), "start a.service"},
      {step_of(StepKind::stop_unit, "a.service"), "stop a.service"},
      {step_of(StepKind::restart_unit, "a.service"), "restart a.service"},
      {step_of(StepKind::reload_units, ""), "let systemd read its unit files again"},
      {step_of(StepKind::load_module, "nvidia"), "load the kernel module nvidia"},
      {step_of(StepKind::unload_module, "nvidia"), "unload the kernel module nvidia"},
      {step_of(StepKind::set_sysctl, "vm.swappiness", "10"), "set vm.swappiness to 10"},
      {step_of(StepKind::make_node, "/dev/x", "c 1 3"), "make the device node /dev/x (c 1 3)"},
      {mode, "set the mode of /etc/m to 0640"},
      {step_of(StepKind::run_generator, "/etc/cdi/a.json"),
       "make /etc/cdi/a.json from the machine as it is"},
      {step_of(StepKind::set_compute_mode, "GPU-1", "Default"),
       "set the compute mode of GPU-1 to Default"},
      {step_of(StepKind::set_boolean, "container_use_devices", "on"),
       "switch SELinux's boolean container_use_devices on"},
      {step_of(StepKind::reload_unit, "a.service"), "let a.service read its settings again"},
  };
  for (const auto& [step, words] : cases) EXPECT_EQ(step_words(step), words);
}

TEST(RenderPlan, ARunTellsHowEachStepStands) {
  act::RunReport report{"000004", setup_plan(), {}, {}};
  report.steps = {{act::StepState::drifted, "/etc/docker/daemon.json was changed since"},
                  {act::StepState::left_alone, {}},
                  {act::StepState::pending, {}}};
  EXPECT_EQ(render_run(report, {}),
            "Run 000004 of the plan setup\n"
            "  1. changed     write /etc/docker/daemon.json\n"
            "     /etc/docker/daemon.json was changed since\n"
            "  2. left alone  restart docker.service\n"
            "  3. not done    write /etc/modprobe.d/estiva.conf\n");
}

}  // namespace
}  // namespace estiva::cli
