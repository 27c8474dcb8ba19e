#include "decide/residency/propose.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/messages/decide_discover.h"
#include "format/path.h"
#include "format/text.h"

namespace estiva::decide {
namespace {

constexpr std::string_view kOllamaUrl = "http://127.0.0.1:11434";

// The next whole MiB.
Bytes rounded_up(Bytes bytes) {
  return Bytes{(bytes.value + (1 << 20) - 1) >> 20 << 20};
}

std::string explain(const NeedEstimate& need, const ModelFile& file) {
  if (file.format == ModelFile::Format::safetensors)
    return fmt::format(msg::kNeedSafetensors, to_text(need.weights), to_text(need.process));
  if (!need.is_cache_known)
    return fmt::format(msg::kNeedNoCache, to_text(need.weights), to_text(need.compute),
                       to_text(need.process));
  return fmt::format(msg::kNeedGguf, to_text(need.weights), to_text(need.cache), need.context,
                     to_text(need.compute), to_text(need.process));
}

void set_need(Proposal& proposal, const ModelFile& file, const NeedWish& wish) {
  proposal.need = estimate_need(file, wish);
  proposal.spec.vram = rounded_up(proposal.need->total());
  proposal.need_text = explain(*proposal.need, file);
}

// "llama.cpp's own cache has Owner_Repository-GGUF_File.gguf": the file's name is the last part.
std::string stem_of(std::string_view path) {
  std::string name(format::name_of(path));
  if (name.ends_with(".gguf")) name.erase(name.size() - 5);
  if (const std::size_t part = name.rfind("-00001-of-"); part != name.npos) name.erase(part);
  if (const std::size_t cache = name.rfind("GGUF_"); cache != name.npos) name.erase(0, cache + 5);
  return name;
}

std::string about(const ModelFile& file) {
  std::string text = file.name;
  if (!file.tensors.empty())
    text += fmt::format("{}mostly {}", text.empty() ? "" : ", ", file.tensors.front().type);
  return text.empty() ? text : " (" + text + ")";
}

Proposal of_gguf(const FoundFile& found, const NeedWish& wish) {
  Proposal proposal;
  proposal.spec.name = stem_of(found.path);
  proposal.spec.engine = ModelEngine::llama_server;
  proposal.spec.file = found.path;
  proposal.where = found.path;
  proposal.remarks.push_back(fmt::format(msg::kFoundFile, found.path, about(found.file)));
  set_need(proposal, found.file, wish);
  return proposal;
}

Proposal of_safetensors(const FoundFile& found, const NeedWish& wish) {
  Proposal proposal;
  const std::string name = found.hint.empty() ? found.path : found.hint;
  proposal.spec.name = std::string(format::name_of(name));
  proposal.spec.engine = ModelEngine::vllm;
  proposal.spec.command = {"vllm", "serve", found.path, "--port", "${PORT}"};
  proposal.spec.model = found.path;  // what vLLM calls it unless it is told another name
  proposal.where = found.path;
  proposal.remarks.push_back(fmt::format(msg::kFoundFile, found.path, about(found.file)));
  set_need(proposal, found.file, wish);
  return proposal;
}

Proposal of_ollama(const FoundOllama& ollama, const FoundOllamaModel& model, const NeedWish& wish) {
  Proposal proposal;
  proposal.spec.name = model.name;
  if (proposal.spec.name.ends_with(":latest"))
    proposal.spec.name.erase(proposal.spec.name.size() - 7);
  proposal.spec.engine = ModelEngine::ollama;
  proposal.spec.model = model.name;
  if (ollama.url != kOllamaUrl) proposal.spec.url = ollama.url;
  proposal.where = ollama.url.empty() ? ollama.folder : ollama.url;
  if (ollama.url.empty()) {
    proposal.remarks.push_back(fmt::format(msg::kFoundOllamaIn, ollama.folder));
    proposal.remarks.emplace_back(msg::kNoteOllamaStopped);
  } else {
    proposal.remarks.push_back(fmt::format(msg::kFoundOllamaAt, ollama.version, ollama.url));
  }
  if (model.vram > Bytes{0})
    proposal.remarks.push_back(fmt::format(msg::kNoteLoaded, to_text(model.vram)));
  if (model.is_remote) {
    proposal.need_text = msg::kNeedNone;
  } else {
    set_need(proposal, model.file, wish);
  }
  return proposal;
}

Proposal of_server(const FoundServer& server, const std::string& model) {
  Proposal proposal;
  proposal.spec.name = stem_of(model);
  proposal.spec.engine = ModelEngine::remote;
  proposal.spec.url = server.url;
  proposal.spec.model = model;
  proposal.where = server.url;
  proposal.remarks.push_back(server.pid == 0
                                 ? fmt::format(msg::kFoundServer, server.engine, server.url)
                                 : fmt::format(msg::kFoundServerOf, server.engine, server.url,
                                               server.pid, server.program));
  proposal.remarks.emplace_back(msg::kNoteRemote);
  proposal.need_text = msg::kNeedForeign;
  return proposal;
}

std::string name_of(const FoundContainer& container) {
  return container.project.empty() ? container.name : container.project + "/" + container.service;
}

class Proposer {
 public:
  Proposer(const Discovery& found, const NeedWish& wish,
           const std::vector<format::ModelIdentity>& there)
      : found_(found), wish_(wish), there_(there) {
    for (const format::ModelIdentity& one : there) names_.insert(one.name);
  }

  Proposals all() {
    for (const FoundOllama& ollama : found_.ollama)
      for (const FoundOllamaModel& model : ollama.models) add(of_ollama(ollama, model, wish_));
    for (const FoundFile& file : found_.files) add_file(file);
    for (const FoundContainer& container : found_.containers) add_container(container);
    for (const FoundServer& server : found_.servers) add_server(server);
    std::ranges::sort(out_.models, {}, [](const Proposal& one) { return one.spec.name; });
    return std::move(out_);
  }

 private:
  void add_file(const FoundFile& file) {
    // Parts for pictures and adapters go with a model; a vocabulary alone has no weights.
    const bool is_model = file.file.kind.empty() || file.file.kind == "model" ||
                          file.file.format == ModelFile::Format::safetensors;
    if (!is_model || file.file.architecture == "clip" || file.file.weights == Bytes{0}) return;
    if (!file.problem.empty()) {
      out_.left_out.push_back(fmt::format(msg::kNotWhole, file.path, file.problem));
      return;
    }
    Proposal proposal = file.file.format == ModelFile::Format::gguf ? of_gguf(file, wish_)
                                                                    : of_safetensors(file, wish_);
    for (const FoundServer& server : found_.servers)
      if (server.file == file.path)
        proposal.remarks.push_back(fmt::format(msg::kNoteRunsAlready, server.engine, server.url));
    add(std::move(proposal));
  }

  // A server that a container has on one of its ports.
  const FoundServer* server_of(const FoundContainer& container) const {
    for (const FoundServer& server : found_.servers)
      if (std::ranges::find(container.ports, server.port) != container.ports.end()) return &server;
    return nullptr;
  }
  bool is_ollama_here(const FoundContainer& container) const {
    return std::ranges::any_of(found_.ollama, [&](const FoundOllama& ollama) {
      return std::ranges::any_of(container.ports, [&](std::uint16_t port) {
        return ollama.url.ends_with(fmt::format(":{}", port));
      });
    });
  }

  void add_container(const FoundContainer& container) {
    if (container.serves == "Ollama") {
      if (!is_ollama_here(container))
        out_.left_out.push_back(
            fmt::format(msg::kOllamaContainerStopped, name_of(container), container.image));
      return;
    }
    const std::string name = name_of(container);
    if (!containers_.insert(name).second) return;  // another replica
    Proposal proposal;
    const FoundServer* server = server_of(container);
    proposal.spec.engine = ModelEngine::container;
    proposal.spec.container = name;
    proposal.spec.name = !container.model.empty()     ? container.model
                         : !container.service.empty() ? container.service
                                                      : container.name;
    if (server != nullptr) proposal.spec.model = server->models.front();
    if (!container.ports.empty())
      proposal.spec.url = fmt::format("http://127.0.0.1:{}",
                                      server != nullptr ? server->port : container.ports.front());
    proposal.where = name;
    proposal.remarks.push_back(
        fmt::format(msg::kFoundContainer, container.name, container.image,
                    container.is_running ? msg::kContainerRuns : msg::kContainerIsStopped));
    const bool is_one_of_several =
        std::ranges::count_if(found_.containers, [&](const FoundContainer& other) {
          return !other.project.empty() && name_of(other) == name;
        }) > 1;
    if (is_one_of_several) proposal.remarks.emplace_back(msg::kNoteEndpoints);
    if (container.ports.empty()) proposal.remarks.emplace_back(msg::kNoteNoPort);
    proposal.need_text = msg::kFoundNeedUnknown;
    add(std::move(proposal));
  }

  void add_server(const FoundServer& server) {
    const bool is_container =
        std::ranges::any_of(found_.containers, [&](const FoundContainer& container) {
          return std::ranges::find(container.ports, server.port) != container.ports.end();
        });
    const bool is_file = std::ranges::any_of(
        found_.files, [&](const FoundFile& file) { return file.path == server.file; });
    if (is_container || is_file) return;
    for (const std::string& model : server.models) add(of_server(server, model));
  }

  // The table that has it already; its name.
  std::string configured_as(const ModelSpec& spec) const {
    const auto found = std::ranges::find_if(there_, [&](const format::ModelIdentity& one) {
      if (one.engine != to_name(spec.engine)) return false;
      if (!spec.container.empty()) return one.container == spec.container;
      if (!spec.file.empty()) return one.file == spec.file;
      if (!spec.command.empty()) return one.command == spec.command;
      const std::string& model = one.model.empty() ? one.name : one.model;
      return one.url == spec.url && model == (spec.model.empty() ? spec.name : spec.model);
    });
    return found == there_.end() ? std::string() : found->name;
  }

  void add(Proposal proposal) {
    ModelSpec& spec = proposal.spec;
    for (const std::string* text : {&spec.file, &spec.url, &spec.container, &spec.model})
      if (!format::is_utf8(*text)) {
        out_.left_out.push_back(fmt::format(msg::kNotUtf8, proposal.where));
        return;
      }
    proposal.configured_as = configured_as(spec);
    if (!proposal.configured_as.empty()) {
      spec.name = proposal.configured_as;
    } else {
      const std::string wanted = format::to_model_name(spec.name);
      spec.name = wanted;
      for (unsigned i = 2; !names_.insert(spec.name).second; ++i)
        spec.name = fmt::format("{}-{}", wanted, i);
    }
    if (spec.model == spec.name) spec.model.clear();
    out_.models.push_back(std::move(proposal));
  }

  const Discovery& found_;
  const NeedWish& wish_;
  const std::vector<format::ModelIdentity>& there_;
  std::set<std::string, std::less<>> names_, containers_;
  Proposals out_;
};

}  // namespace

Proposals propose_models(const Discovery& found, const NeedWish& wish,
                         const std::vector<format::ModelIdentity>& there) {
  return Proposer(found, wish, there).all();
}

std::string format_proposals(const std::vector<Proposal>& models) {
  std::string out;
  for (const Proposal& one : models) {
    if (!one.configured_as.empty()) continue;
    if (!out.empty()) out += "\n";
    out += format::format_model_table({one.spec, one.remarks, one.need_text});
  }
  return out;
}

}  // namespace estiva::decide
