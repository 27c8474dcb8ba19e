// The words that JSON and people see for findings and plans.
#include "model/plan.h"

#include "model/finding.h"

namespace estiva {

std::string_view to_name(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "error";
}

std::string_view to_name(Evidence::Source source) {
  switch (source) {
    case Evidence::Source::file:
      return "file";
    case Evidence::Source::host:
      return "host";
    case Evidence::Source::engine:
      return "engine";
    case Evidence::Source::image:
      return "image";
  }
  return "host";
}

std::string_view to_name(Fix fix) {
  switch (fix) {
    case Fix::automatic:
      return "automatic";
    case Fix::asks:
      return "asks";
    case Fix::guide:
      return "guide";
  }
  return "guide";
}

std::string_view to_name(StepKind kind) {
  switch (kind) {
    case StepKind::write_file:
      return "write_file";
    case StepKind::remove_file:
      return "remove_file";
    case StepKind::enable_unit:
      return "enable_unit";
    case StepKind::disable_unit:
      return "disable_unit";
    case StepKind::start_unit:
      return "start_unit";
    case StepKind::stop_unit:
      return "stop_unit";
    case StepKind::restart_unit:
      return "restart_unit";
    case StepKind::reload_units:
      return "reload_units";
    case StepKind::load_module:
      return "load_module";
    case StepKind::unload_module:
      return "unload_module";
    case StepKind::set_sysctl:
      return "set_sysctl";
    case StepKind::make_node:
      return "make_node";
    case StepKind::set_mode:
      return "set_mode";
    case StepKind::run_generator:
      return "run_generator";
    case StepKind::set_compute_mode:
      return "set_compute_mode";
    case StepKind::set_boolean:
      return "set_boolean";
    case StepKind::reload_unit:
      return "reload_unit";
  }
  return "write_file";
}

std::string_view to_name(Risk risk) {
  switch (risk) {
    case Risk::none:
      return "none";
    case Risk::interrupts:
      return "interrupts";
    case Risk::reboot:
      return "reboot";
  }
  return "interrupts";
}

}  // namespace estiva
