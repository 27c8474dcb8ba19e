#include "container/engine_facts.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/messages/container.h"
#include "format/json_tree.h"
#include "format/text.h"

namespace estiva::container {
namespace {

using format::JsonNode;
using format::JsonTree;

constexpr std::size_t kMostEntries = 4096;  // of any list in an answer
constexpr std::size_t kLongestText = 4096;  // of any text that is kept

std::string text_of(JsonNode node) {
  return std::string(node.text().value_or("").substr(0, kLongestText));
}

std::vector<std::string> texts_of(JsonNode list) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; list.is_array() && i < std::min(list.size(), kMostEntries); ++i) {
    if (list.at(i).text()) texts.push_back(text_of(list.at(i)));
  }
  return texts;
}

// Also where its value is null, which is how Docker 25 to 28.1 say that CDI is off.
bool has_member(JsonNode object, std::string_view name) {
  for (std::size_t i = 0; i < object.size(); ++i) {
    if (object.name_at(i) == name) return true;
  }
  return false;
}

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return text.starts_with(beginning); });
}

// Values of other variables are nobody's business here: they hold passwords.
std::vector<std::string> gpu_variables(JsonNode list) {
  std::vector<std::string> kept = texts_of(list);
  std::erase_if(kept, [](const std::string& entry) {
    return !starts_with_any(entry, {"NVIDIA_", "CUDA_", "NV_CUDA", "__NV_", "__GLX_", "__VK_",
                                    "LD_LIBRARY_PATH=", "OLLAMA_LLM_LIBRARY=", "HSA_"});
  });
  return kept;
}

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(by), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

Failure nonsense() {
  return fail(std::string(msg::kEngineNonsense));
}

Result<JsonTree> parse_object(std::string_view json) {
  auto tree = JsonTree::parse(json);
  if (!tree || !tree->root().is_object()) return nonsense();
  return tree;
}

std::vector<DeviceRequest> requests_of(JsonNode list) {
  std::vector<DeviceRequest> requests;
  for (std::size_t i = 0; i < std::min(list.size(), kMostEntries); ++i) {
    const JsonNode from = list.at(i);
    DeviceRequest request;
    request.driver = text_of(from["Driver"]);
    request.count = from["Count"].signed_number().value_or(0);
    request.ids = texts_of(from["DeviceIDs"]);
    const JsonNode sets = from["Capabilities"];
    for (std::size_t k = 0; sets.is_array() && k < std::min(sets.size(), kMostEntries); ++k) {
      for (std::string& name : texts_of(sets.at(k))) {
        request.capabilities.push_back(std::move(name));
      }
    }
    requests.push_back(std::move(request));
  }
  return requests;
}

std::vector<std::string> discovered_of(JsonNode list) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; list.is_array() && i < std::min(list.size(), kMostEntries); ++i) {
    if (list.at(i)["Source"].text() == "cdi") ids.push_back(text_of(list.at(i)["ID"]));
  }
  return ids;
}

// Compose 2 writes whole paths. docker-compose 1 and podman-compose write them as they stood on the
// command line, and the folder of the first (_parse_compose_file of podman_compose.py). A path that
// is not below that folder can't be made whole, and stays.
void complete_paths(std::vector<std::string>& files, const std::string& folder) {
  if (files.empty() || files[0].starts_with('/') || !folder.starts_with('/')) return;
  const std::string beginning = files[0].substr(0, files[0].rfind('/') + 1);
  for (std::string& file : files) {
    if (!file.starts_with('/') && file.starts_with(beginning))
      file = fmt::format("{}/{}", folder, file.substr(beginning.size()));
  }
}

void read_labels(JsonNode labels, ContainerFact& container) {
  container.project = text_of(labels["com.docker.compose.project"]);
  container.service = text_of(labels["com.docker.compose.service"]);
  container.compose_files = split(text_of(labels["com.docker.compose.project.config_files"]), ',');
  container.compose_dir = text_of(labels["com.docker.compose.project.working_dir"]);
  container.compose_env_files =
      split(text_of(labels["com.docker.compose.project.environment_file"]), ',');
  container.compose_hash = text_of(labels["com.docker.compose.config-hash"]);
  container.is_one_off = text_of(labels["com.docker.compose.oneoff"]) == "True";
  complete_paths(container.compose_files, container.compose_dir);
}

}  // namespace

Result<void> read_version(std::string_view json, EngineFacts& engine) {
  const auto tree = parse_object(json);
  if (!tree || !tree->root()["ApiVersion"].text()) return nonsense();
  engine.version = text_of(tree->root()["Version"]);
  engine.kind = EngineKind::docker;
  const JsonNode parts = tree->root()["Components"];
  for (std::size_t i = 0; parts.is_array() && i < parts.size(); ++i) {
    if (text_of(parts.at(i)["Name"]).starts_with("Podman")) engine.kind = EngineKind::podman;
  }
  if (text_of(tree->root()["Platform"]["Name"]).find("Docker Desktop") != std::string::npos) {
    engine.kind = EngineKind::docker_desktop;
  }
  return {};
}

Result<void> read_info(std::string_view json, EngineFacts& engine) {
  const auto tree = parse_object(json);
  if (!tree) return Failure(tree.error());
  const JsonNode root = tree->root();
  engine.info = json;
  engine.cgroup_driver = text_of(root["CgroupDriver"]);
  engine.default_runtime = text_of(root["DefaultRuntime"]);
  const JsonNode runtimes = root["Runtimes"];
  for (std::size_t i = 0; runtimes.is_object() && i < runtimes.size(); ++i) {
    engine.runtimes.emplace_back(runtimes.name_at(i));
  }
  engine.cdi_known = has_member(root, "CDISpecDirs");
  engine.cdi_dirs = texts_of(root["CDISpecDirs"]);
  std::erase(engine.cdi_dirs, "");
  engine.discovered = discovered_of(root["DiscoveredDevices"]);
  engine.warnings = texts_of(root["Warnings"]);
  for (const std::string& option : texts_of(root["SecurityOptions"])) {
    if (option == "name=rootless") engine.is_rootless = true;
  }
  if (text_of(root["OperatingSystem"]) == "Docker Desktop") {
    engine.kind = EngineKind::docker_desktop;
  }
  if (text_of(root["DockerRootDir"]).starts_with("/var/snap/")) {
    engine.kind = EngineKind::docker_snap;
  }
  return {};
}

Result<std::vector<std::string>> parse_ids(std::string_view json, std::size_t most) {
  const auto tree = JsonTree::parse(json);
  if (!tree || !tree->root().is_array()) return nonsense();
  std::vector<std::string> running, others;
  for (std::size_t i = 0; i < std::min(tree->root().size(), kMostEntries); ++i) {
    const JsonNode row = tree->root().at(i);
    std::string id = text_of(row["Id"]);
    // It becomes part of a question, and of a file's name in a tree.
    if (id.empty() || id.find_first_not_of("0123456789abcdef") != id.npos) continue;
    (text_of(row["State"]) == "running" ? running : others).push_back(std::move(id));
  }
  running.insert(running.end(), others.begin(), others.end());
  if (running.size() > most) running.resize(most);
  return running;
}

Result<ContainerFact> parse_inspect(std::string_view json) {
  const auto tree = parse_object(json);
  if (!tree || !tree->root()["Id"].text()) return nonsense();
  const JsonNode root = tree->root(), config = root["Config"], host = root["HostConfig"];
  const JsonNode state = root["State"];
  ContainerFact container;
  container.id = text_of(root["Id"]);
  container.name = text_of(root["Name"]);
  if (container.name.starts_with('/')) container.name.erase(0, 1);
  container.image = text_of(config["Image"]);
  container.image_id = text_of(root["Image"]);
  container.runtime = text_of(host["Runtime"]);
  container.restart_policy = text_of(host["RestartPolicy"]["Name"]);
  container.state = text_of(state["Status"]);
  container.pid = static_cast<pid_t>(state["Pid"].signed_number().value_or(0));
  container.environment = gpu_variables(config["Env"]);
  container.requests = requests_of(host["DeviceRequests"]);
  const JsonNode devices = host["Devices"];
  for (std::size_t i = 0; devices.is_array() && i < std::min(devices.size(), kMostEntries); ++i) {
    std::string inside = text_of(devices.at(i)["PathInContainer"]);
    const bool is_gpu = inside.starts_with("/dev/nvidia");
    container.device_paths.push_back(is_gpu ? std::move(inside)
                                            : text_of(devices.at(i)["PathOnHost"]));
  }
  container.created_at = parse_time(text_of(root["Created"]));
  container.started_at = parse_time(text_of(state["StartedAt"]));
  container.exit_code = static_cast<int>(state["ExitCode"].signed_number().value_or(0));
  container.error = text_of(state["Error"]);
  container.shm_bytes = host["ShmSize"].unsigned_number().value_or(0);
  read_labels(config["Labels"], container);
  return container;
}

Result<ImageFact> parse_image(std::string_view json) {
  const auto tree = parse_object(json);
  if (!tree || !tree->root()["Id"].text()) return nonsense();
  ImageFact image;
  image.id = text_of(tree->root()["Id"]);
  const auto tags = texts_of(tree->root()["RepoTags"]);
  if (!tags.empty()) image.name = tags.front();
  image.environment = gpu_variables(tree->root()["Config"]["Env"]);
  constexpr std::string_view kVersion = "CUDA_VERSION=";
  for (const std::string& entry : image.environment) {
    if (entry.starts_with(kVersion)) image.cuda_version = entry.substr(kVersion.size());
  }
  return image;
}

bool concerns_gpu(const ContainerFact& container) {
  constexpr std::array<std::string_view, 11> kImages = {
      "cuda",  "nvidia",  "ollama",  "vllm",    "llama",     "pytorch",
      "torch", "comfyui", "whisper", "localai", "tensorflow"};
  if (!container.requests.empty() || container.runtime.find("nvidia") != std::string::npos) {
    return true;
  }
  const auto is_gpu_path = [](const std::string& path) {
    return path.starts_with("/dev/nvidia") || path.starts_with("/dev/dri") || path == "/dev/dxg" ||
           path.find("nvidia.com/") != path.npos;
  };
  if (std::any_of(container.device_paths.begin(), container.device_paths.end(), is_gpu_path)) {
    return true;
  }
  const auto is_gpu_variable = [](const std::string& entry) {
    return entry.starts_with("NVIDIA_") || entry.starts_with("CUDA_");
  };
  if (std::any_of(container.environment.begin(), container.environment.end(), is_gpu_variable)) {
    return true;
  }
  return std::any_of(kImages.begin(), kImages.end(), [&](std::string_view name) {
    return container.image.find(name) != std::string::npos;
  });
}

namespace {

void read_containers(const EngineAsk& ask, const EngineQuestions& questions, EngineReport& report) {
  const auto note = [&](const Error& error) { report.trouble.push_back(error.sentence()); };
  const auto list = ask("/containers/json?all=1");
  if (!list) return note(list.error());
  const auto ids = parse_ids(*list, questions.most_containers);
  if (!ids) return note(ids.error());
  for (const std::string& id : *ids) {
    const auto answer = ask("/containers/" + id + "/json");
    if (!answer) {
      note(answer.error());
      if (answer.error().kind == ErrorKind::timed_out) return;
      continue;  // it may have been removed since
    }
    auto container = parse_inspect(*answer);
    if (container && concerns_gpu(*container)) report.containers.push_back(std::move(*container));
  }
  std::sort(report.containers.begin(), report.containers.end(),
            [](const ContainerFact& a, const ContainerFact& b) { return a.name < b.name; });
}

void read_images(const EngineAsk& ask, const EngineQuestions& questions, EngineReport& report) {
  std::vector<std::string> ids;
  for (const ContainerFact& container : report.containers) ids.push_back(container.image_id);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (ids.size() > questions.most_images) ids.resize(questions.most_images);
  for (const std::string& id : ids) {
    if (id.find_first_not_of("0123456789abcdefsh:") != id.npos || id.empty()) continue;
    const auto answer = ask("/images/" + id + "/json");
    if (!answer) {
      report.trouble.push_back(answer.error().sentence());
      if (answer.error().kind == ErrorKind::timed_out) return;
      continue;  // removed while its container lives
    }
    if (auto image = parse_image(*answer)) report.images.push_back(std::move(*image));
  }
}

void read_logs(const EngineAsk& ask, const EngineQuestions& questions, EngineReport& report) {
  std::size_t asked = 0;
  for (ContainerFact& container : report.containers) {
    if (!questions.keeps_line || container.started_at == 0) continue;
    if (asked++ == questions.most_logs) return;
    // Only since its last start: what failed before may work now.
    const auto answer = ask(fmt::format("/containers/{}/logs?stdout=1&stderr=1&tail={}&since={}",
                                        container.id, questions.log_lines, container.started_at));
    if (!answer) continue;  // a logging driver that can't be read, or none recorded
    for (std::string& line : parse_log(*answer)) {
      if (questions.keeps_line(line)) container.log.push_back(std::move(line));
    }
  }
}

}  // namespace

EngineReport read_engine(const EngineAsk& ask, const EngineQuestions& questions, Error& error) {
  EngineReport report;
  const auto version = ask("/version");
  const auto known =
      version ? read_version(*version, report.engine) : Result<void>(Failure(version.error()));
  if (!known) {
    error = known.error();
    report.engine = {};
    return report;
  }
  report.engine.state = EngineState::ready;
  const auto info = ask("/info");
  const auto read = info ? read_info(*info, report.engine) : Result<void>(Failure(info.error()));
  if (!read) report.trouble.push_back(read.error().sentence());
  read_containers(ask, questions, report);
  read_images(ask, questions, report);
  read_logs(ask, questions, report);
  return report;
}

}  // namespace estiva::container
