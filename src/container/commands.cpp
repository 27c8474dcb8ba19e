#include "container/commands.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/messages/container.h"
#include "container/api_text.h"
#include "container/ask_once.h"
#include "container/bridge.h"
#include "container/engine_json.h"
#include "container/talk.h"
#include "format/json_tree.h"
#include "format/json_writer.h"
#include "format/text.h"
#include "net/client.h"
#include "net/target.h"

namespace estiva::container {
namespace {

using net::Awaitable;

constexpr std::chrono::hours kForEver(24 * 365);
// From the end of a stop's own limit: SIGKILL, and the engine's tidying (10 s in its source).
constexpr std::chrono::seconds kAfterStop(60);

net::ClientLimits limits_for(std::chrono::milliseconds response_time) {
  net::ClientLimits limits;
  limits.response_time = response_time;
  limits.idle_time = std::max<std::chrono::milliseconds>(response_time, limits.idle_time);
  return limits;
}

struct ServiceName {
  std::string project, service;
};

std::string labels_filter(const ServiceName& wanted) {
  std::string filter;
  format::JsonWriter json(filter);
  json.begin_object().key("label").begin_array();
  json.value("com.docker.compose.project=" + wanted.project);
  json.value("com.docker.compose.service=" + wanted.service);
  json.end_array().end_object();
  return net::percent_encode(filter);
}

// The containers of a list that are the service, without those of 'docker compose run'.
std::vector<Container> of_service(std::string_view list, const ServiceName& wanted) {
  std::set<std::string> one_off;
  const auto tree = format::JsonTree::parse(list);
  for (std::size_t i = 0; tree && i < tree->root().size(); ++i) {
    const auto row = tree->root().at(i);
    if (row["Labels"]["com.docker.compose.oneoff"].text() == "True")
      one_off.emplace(row["Id"].text().value_or(""));
  }
  auto containers = parse_containers(list).value_or(std::vector<Container>());
  std::erase_if(containers, [&](const Container& container) {
    return container.project != wanted.project || container.service != wanted.service ||
           one_off.contains(container.id);
  });
  return containers;
}

Failure no_such(const std::string& which) {
  return fail(ErrorKind::not_found,
              fmt::format(msg::kNoContainer, format::escape_for_terminal(which)),
              std::string(msg::kNoContainerRemedy));
}

Result<void> judge(const TalkAnswer& answer, std::string_view verb, const std::string& id) {
  // 304: it was so already.
  if (answer.is_good() || answer.status == 304) return {};
  if (answer.status == 404) return no_such(id);
  return fail(fmt::format(msg::kContainerCommand, verb, id.substr(0, 12), answer.message()));
}

}  // namespace

struct Commands::Impl {
  Impl(net::Loop& l, EngineSearch s)
      : loop(l),
        search(std::move(s)),
        client(l, limits_for(std::chrono::seconds(30))),
        patient(l, limits_for(kForEver)) {}

  Awaitable<Result<TalkAnswer>> say(net::Client& by, std::string method, std::string target) {
    const auto address = find_engine(search);
    if (!address) co_return Failure(address.error());
    net::ClientRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    auto answer = co_await by.send(address->endpoint, std::move(request));
    if (!answer) co_return Failure(with_engines_remedy(answer.error()));
    co_return TalkAnswer{answer->head.status, std::move(answer->body)};
  }

  Awaitable<Result<Standing>> look(std::string which) {
    const std::string target = fmt::format("/containers/{}/json", net::percent_encode(which));
    auto answer = co_await say(client, "GET", target);
    if (!answer) co_return Failure(answer.error());
    if (answer->status == 404) co_return no_such(which);
    if (!answer->is_good()) co_return fail(fmt::format(msg::kEngineStatus, target, answer->status));
    co_return parse_standing(answer->body);
  }

  Awaitable<Result<Standing>> find_service(ServiceName wanted) {
    const std::string target = "/containers/json?all=1&filters=" + labels_filter(wanted);
    auto answer = co_await say(client, "GET", target);
    if (!answer) co_return Failure(answer.error());
    if (!answer->is_good()) co_return fail(fmt::format(msg::kEngineStatus, target, answer->status));
    const auto containers = of_service(answer->body, wanted);
    const std::string shown = format::escape_for_terminal(wanted.project + "/" + wanted.service);
    if (containers.empty()) {
      co_return fail(ErrorKind::not_found, fmt::format(msg::kNoService, shown),
                     std::string(msg::kNoServiceRemedy));
    }
    if (containers.size() > 1) {
      std::string names;
      for (const Container& one : containers) names += (names.empty() ? "" : ", ") + one.name;
      co_return fail(ErrorKind::refused, fmt::format(msg::kSeveralContainers, shown, names),
                     std::string(msg::kSeveralContainersRemedy));
    }
    co_return co_await look(containers[0].id);
  }

  // The engine takes the beginning of an id for the id; we don't.
  Awaitable<Result<Standing>> find_named(std::string name) {
    auto found = co_await look(name);
    if (!found || found->name == name || found->id == name) co_return found;
    co_return fail(ErrorKind::not_found,
                   fmt::format(msg::kPartialId, format::escape_for_terminal(name), found->name),
                   std::string(msg::kPartialIdRemedy));
  }

  Awaitable<Result<void>> command(net::Client& by, std::string id, std::string verb,
                                  std::string query) {
    auto answer = co_await say(
        by, "POST", fmt::format("/containers/{}/{}{}", net::percent_encode(id), verb, query));
    if (!answer) co_return Failure(answer.error());
    co_return judge(*answer, verb, id);
  }

  // With a call that can be ended; its whole body is the container's exit code.
  Awaitable<Result<void>> wait(std::string id) {
    const auto address = find_engine(search);
    if (!address) co_return Failure(address.error());
    net::ClientRequest request;
    request.method = "POST";
    request.target = fmt::format("/containers/{}/wait?condition=not-running", id);
    auto opened = co_await patient.open(address->endpoint, std::move(request));
    if (!opened) co_return Failure(with_engines_remedy(opened.error()));
    const std::shared_ptr<net::Call> call = std::move(*opened);
    waits.insert(call);
    auto head = co_await call->response();
    const int status = head ? (*head)->status : 0;
    auto body = co_await call->read_body(1 << 20);
    waits.erase(call);
    if (!body) co_return Failure(body.error());
    co_return judge(TalkAnswer{status, std::move(*body)}, "wait", id);
  }

  net::Loop& loop;
  EngineSearch search;
  net::Client client, patient;
  std::set<std::shared_ptr<net::Call>> waits;
};

Commands::Commands(net::Loop& loop, EngineSearch search)
    : impl_(std::make_unique<Impl>(loop, std::move(search))) {}
Commands::~Commands() = default;

Awaitable<Result<Standing>> Commands::find(std::string which) {
  const std::size_t slash = which.find('/');
  if (slash == std::string::npos) return impl_->find_named(std::move(which));
  return impl_->find_service({which.substr(0, slash), which.substr(slash + 1)});
}

Awaitable<Result<Standing>> Commands::look(std::string id) {
  return impl_->look(std::move(id));
}

Awaitable<Result<void>> Commands::start(std::string id) {
  return impl_->command(impl_->client, std::move(id), "start", {});
}

Awaitable<Result<void>> Commands::unpause(std::string id) {
  return impl_->command(impl_->client, std::move(id), "unpause", {});
}

Awaitable<Result<void>> Commands::stop(std::string id, std::chrono::seconds limit) {
  net::Client client(impl_->loop, limits_for(limit + kAfterStop));
  auto stopped =
      co_await impl_->command(client, std::move(id), "stop", fmt::format("?t={}", limit.count()));
  co_return stopped;
}

Awaitable<Result<void>> Commands::wait(std::string id) {
  return impl_->wait(std::move(id));
}

Awaitable<Result<std::vector<std::string>>> Commands::log(std::string id, std::size_t lines,
                                                          std::int64_t since) {
  const std::string target =
      fmt::format("/containers/{}/logs?stdout=1&stderr=1&tail={}&since={}", id, lines, since);
  auto answer = co_await impl_->say(impl_->client, "GET", target);
  if (!answer) co_return Failure(answer.error());
  if (answer->status == 404) co_return no_such(id);
  if (!answer->is_good()) co_return fail(fmt::format(msg::kEngineStatus, target, answer->status));
  co_return parse_log(answer->body);
}

Awaitable<Result<std::string>> Commands::bridge_address() {
  auto answer = co_await impl_->say(impl_->client, "GET", "/networks/bridge");
  // Podman calls it otherwise.
  if (answer && answer->status == 404)
    answer = co_await impl_->say(impl_->client, "GET", "/networks/podman");
  if (!answer) co_return Failure(answer.error());
  if (!answer->is_good())
    co_return fail(fmt::format(msg::kEngineStatus, "/networks/bridge", answer->status));
  co_return parse_bridge(answer->body);
}

void Commands::cancel_waits() {
  for (const auto& call : impl_->waits) call->cancel();
}

}  // namespace estiva::container
