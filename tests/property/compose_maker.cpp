#include "property/compose_maker.h"

#include <algorithm>
#include <fmt/format.h>

namespace estiva::property {
namespace {

std::string blanks(std::size_t columns) {
  return std::string(columns, ' ');
}

std::string in_flow(const std::vector<std::string>& parts) {
  return fmt::format("{{{}}}", fmt::join(parts, ", "));
}

std::string name_of(const std::string& device) {
  const std::string name = "nvidia.com/gpu=" + device;
  return device.find(':') == device.npos ? name : "\"" + name + "\"";
}

void with_crlf(std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? std::string("\r\n") : std::string(1, c);
  text = std::move(out);
}

}  // namespace

void ComposeMaker::both(const std::string& text) {
  gone(text);
  made(text);
}
void ComposeMaker::gone(const std::string& text) {
  made_.before += text;
}
void ComposeMaker::made(const std::string& text) {
  made_.after += text;
}

std::string ComposeMaker::tail() {
  return any({"", "", "", " # one", "   # gpus: all", " #"});
}

std::string ComposeMaker::quoted(const std::string& text) {
  const char* quote = any({"", "'", "\""});
  return quote + text + quote;
}

// Blank lines and comments, at any column.
void ComposeMaker::noise(std::size_t columns) {
  if (one_in(5)) both("\n");
  if (one_in(4)) both(blanks(one_in(2) ? columns : below(12)) + "# runtime: nvidia\n");
}

void ComposeMaker::other_entry(std::size_t columns) {
  const std::string in = blanks(columns), deeper = blanks(columns + style_.step);
  const std::size_t which = below(9);
  if ((others_ >> which & 1) != 0) return;  // each key once
  others_ |= 1U << which;
  switch (which) {
    case 0:
      return both(in + "ports: [ '80:80',\"443:443\" ]" + tail() + "\n");
    case 1:
      return both(in + "command: |\n" + deeper + "gpus: all\n" + deeper + "  runtime: nvidia\n");
    case 2:
      return both(in + "labels:\n" + deeper + "a.b/c: \"x: # y\"\n" + deeper + "'d e':  f" +
                  tail() + "\n");
    case 3:
      return both(in + "restart:   unless-stopped" + tail() + "\n");
    case 4:
      return both(in + "healthcheck: {test: [\"CMD\", 'true'],\n" + deeper + " interval: 10s }\n");
    case 5:
      return both(in + "volumes:\n" + in + "- \"a:/b\"\n" + in + "-   c:/d" + tail() + "\n");
    case 6:
      return both(in + "\"hostname\": ${HOST:-h}-é\n");
    case 7:
      return both(in + "tmpfs:\n" + deeper + "- /a\n\n" + deeper + "# between\n" + deeper +
                  "- /b\n");
    default:
      return both(in + "container_name: >-\n" + deeper + "folded\n" + deeper + "name\n");
  }
}

ComposeMaker::Asked ComposeMaker::ask() {
  switch (below(6)) {
    case 0:
      return {{"all"}, "all", {}};
    case 1:
      return {{"all"}, "-1", {}};
    case 2:
      return {{"all"}, {}, {}};
    case 3: {
      const std::string id = any({"3", "GPU-0a1b2c3d-77", "MIG-aaaa-bbbb-cc", "0:1"});
      return {{id, "5"}, {}, fmt::format("['{}', {}]", id, one_in(2) ? "\"5\"" : "'5'")};
    }
    default: {
      Asked asked;
      const std::size_t count = 1 + below(4);
      for (std::size_t i = 0; i < count; ++i) asked.devices.push_back(std::to_string(i));
      asked.count = std::to_string(count);
      return asked;
    }
  }
}

// "key: value" of a request, in any order.
std::vector<std::string> ComposeMaker::request(const Asked& asked, bool needs_capabilities) {
  std::vector<std::string> parts;
  if (one_in(2)) parts.push_back("driver: " + quoted("nvidia"));
  if (!asked.count.empty()) parts.push_back("count: " + asked.count);
  if (!asked.ids.empty()) parts.push_back("device_ids: " + asked.ids);
  if (needs_capabilities || one_in(3)) {
    parts.push_back(fmt::format("capabilities: {}",
                                any({"[gpu]", "[\"gpu\"]", "[gpu, utility]", "[ compute, gpu ]"})));
  }
  if (parts.empty()) parts.emplace_back("driver: nvidia");
  std::shuffle(parts.begin(), parts.end(), random_);
  return parts;
}

void ComposeMaker::item(std::size_t columns, const Asked& asked, bool needs_capabilities) {
  const auto parts = request(asked, needs_capabilities);
  if (one_in(3)) return gone(blanks(columns) + "- " + in_flow(parts) + tail() + "\n");
  const std::size_t gap = 1 + below(3);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    gone(i == 0 ? blanks(columns) + "-" + blanks(gap) : blanks(columns + 1 + gap));
    gone(parts[i] + tail() + "\n");
    if (one_in(8)) gone(i + 1 < parts.size() ? "\n      # inside\n" : "");
  }
}

void ComposeMaker::devices(std::size_t columns, const Asked& asked, std::size_t list) {
  made(blanks(columns) + "devices:\n");
  for (const std::string& one : asked.devices) {
    made(blanks(columns + list) + "- " + name_of(one) + "\n");
  }
}

// All of deploy goes, or a part of it stays: before, beside or behind what goes.
void ComposeMaker::reservation(std::size_t columns, const Asked& asked, bool has_devices) {
  const std::size_t step = style_.step;
  const bool in_deploy = one_in(3), in_resources = one_in(3), beside = one_in(3);
  const bool is_flow = one_in(4);
  if (!has_devices) devices(columns, asked, is_flow ? 2 : style_.list);
  const bool deploy_stays = in_deploy || in_resources || beside;
  const bool resources_stay = in_resources || beside;
  const auto line = [&](bool stays, const std::string& text) { stays ? both(text) : gone(text); };
  line(deploy_stays, blanks(columns) + "deploy:" + (deploy_stays ? tail() : "") + "\n");
  if (in_deploy) both(blanks(columns + step) + "replicas: 1" + tail() + "\n");
  line(resources_stay, blanks(columns + step) + "resources:\n");
  if (in_resources) both(blanks(columns + 2 * step) + "limits: {cpus: '1', memory: 1g}\n");
  line(beside, blanks(columns + 2 * step) + "reservations:\n");
  const std::string in = blanks(columns + 3 * step);
  if (is_flow) {
    gone(in + "devices: [" + in_flow(request(asked, true)) + "]" + tail() + "\n");
  } else {
    gone(in + "devices:\n");
    item(columns + 3 * step + style_.list, asked, true);
  }
  if (beside) both(in + "memory: 1g" + tail() + "\n");
}

void ComposeMaker::gpus(std::size_t columns, const Asked& asked, bool has_devices) {
  if (!has_devices) devices(columns, asked, 2);
  if (asked.devices.front() == "all" && one_in(2)) {
    return gone(blanks(columns) + "gpus: " + quoted("all") + tail() + "\n");
  }
  gone(blanks(columns) + "gpus: [ " + in_flow(request(asked, false)) + " ]" + tail() + "\n");
}

void ComposeMaker::service(const std::string& name, std::size_t columns) {
  others_ = 0;
  both(blanks(columns - style_.step) + name + ":" + tail() + "\n");
  if (one_in(3)) both(blanks(columns) + "<<: *base\n");
  both(blanks(columns) + "image: 'x/y:1'\n");
  for (std::size_t n = below(3); n > 0; --n) other_entry(columns), noise(columns);
  if (one_in(3)) return;  // no GPU
  made_.changed.push_back(name);
  const Asked asked = ask();
  const bool has_devices = one_in(4);
  if (has_devices) {
    both(blanks(columns) + "devices:\n" + blanks(columns + style_.list) + "- /dev/dri" + tail() +
         "\n");
    for (const std::string& one : asked.devices) {
      made(blanks(columns + style_.list) + "- " + name_of(one) + "\n");
    }
  }
  one_in(3) ? gpus(columns, asked, has_devices) : reservation(columns, asked, has_devices);
  if (one_in(4)) gone(blanks(columns) + "runtime: " + quoted("nvidia") + tail() + "\n");
  for (std::size_t n = below(3); n > 0; --n) noise(columns), other_entry(columns);
}

void ComposeMaker::flow_service(const std::string& name, std::size_t columns) {
  const Asked asked = ask();
  std::vector<std::string> names;
  for (const std::string& one : asked.devices) names.push_back(name_of(one));
  const std::string list = fmt::format("devices: [{}]", fmt::join(names, ", "));
  both(blanks(columns - style_.step) + name + ": {image: x, ");
  const bool by_gpus = one_in(2);
  const std::string request_text = in_flow(request(asked, !by_gpus));
  gone(by_gpus ? "gpus: [" + request_text + "]"
               : "deploy: {resources: {reservations: {devices: [" + request_text + "]}}}");
  made(list);
  if (one_in(3)) gone(", runtime: nvidia");
  both(one_in(2) ? ", restart: always}" + tail() + "\n" : " }\n");
  made_.changed.push_back(name);
}

// What could concern another service, or is not understood.
void ComposeMaker::refused_service(const std::string& name, std::size_t columns) {
  const std::string in = blanks(columns);
  both(blanks(columns - style_.step) + name + ":\n" + in + "image: x\n");
  both(in +
       any({"<<: *gpu\n", "gpus: [{count: \"${N:-1}\"}]\n", "gpus: [{count: 0}]\n",
            "gpus: [{capabilities: [gpu, tpu]}]\n", "gpus: [{options: {a: b}}]\n",
            "deploy: *deploy\n", "runtime: nvidia\n", "gpus: [{count: 3, device_ids: ['0']}]\n",
            "gpus: !reset all\n", "gpus: all\n    extends: {file: other.yaml, service: s}\n"}));
  made_.refused.push_back(name);
}

ComposeCase ComposeMaker::make() {
  made_ = {};
  style_ = {2 + 2 * below(2), 2 * below(2), one_in(4), one_in(8), one_in(4)};
  if (one_in(6)) both("---\n");
  noise(0);
  both("x-base: &base {labels: {a: b}, restart: always}\nx-gpu: &gpu\n  gpus: all\n");
  both("x-deploy: &deploy {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}\n");
  both("services:" + tail() + "\n");
  for (std::size_t n = 1 + below(5), i = 0; i < n; ++i) {
    const std::string name = "s" + std::to_string(i);
    noise(style_.step);
    // With four columns a step the added line of "extends" would be of another mapping.
    if (style_.step == 2 && one_in(5)) {
      refused_service(name, 2 * style_.step);
    } else if (one_in(5)) {
      flow_service(name, 2 * style_.step);
    } else {
      service(name, 2 * style_.step);
    }
  }
  if (one_in(3)) both("volumes: {a: , b: {}}\n# the end\n");
  for (std::string* text : {&made_.before, &made_.after}) {
    if (style_.open_end) text->pop_back();
    if (style_.crlf) with_crlf(*text);
    if (style_.mark) text->insert(0, "\xEF\xBB\xBF");
  }
  return std::move(made_);
}

}  // namespace estiva::property
