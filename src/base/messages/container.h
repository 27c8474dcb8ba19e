// Sentences about the container engine. {} are filled by fmt in the order of the comment.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kEngineAbsent = "there is no container engine at {}";  // address
inline constexpr std::string_view kEngineAbsentRemedy =
    "Without Docker or Podman nothing is to be done; with one, start it ('systemctl start "
    "docker'), "
    "or set docker.host in estiva.toml or DOCKER_HOST where it listens elsewhere";
inline constexpr std::string_view kEngineStartRemedy =
    "Start Docker with 'systemctl start docker'; where it listens elsewhere, DOCKER_HOST (or "
    "--docker) has to say so";
inline constexpr std::string_view kEngineDenied =
    "no permission to ask the container engine at {}";  // address
inline constexpr std::string_view kEngineDeniedRemedy =
    "Let the daemon's user into the socket's group ('usermod -aG docker USER', which is a right as "
    "wide as root's), or go without the names of containers";
inline constexpr std::string_view kEngineSilent =
    "the container engine at {} does not answer ({})";  // address, why
inline constexpr std::string_view kEngineSilentRemedy =
    "'systemctl status docker' and 'journalctl -u docker' may say why";
inline constexpr std::string_view kEngineScheme =
    "estiva can't speak with a container engine at {}";  // address
inline constexpr std::string_view kEngineSchemeRemedy =
    "DOCKER_HOST, --docker or docker.host has to be unix:///PATH or tcp://ADDRESS:PORT without "
    "TLS; "
    "for an engine on another machine run estiva there";
inline constexpr std::string_view kEngineContext =
    "the Docker context '{}' was not found or has no address";  // name
inline constexpr std::string_view kEngineContextRemedy =
    "'docker context ls' shows those that there are";
inline constexpr std::string_view kEngineTooNew =
    "the container engine speaks API {} or newer, estiva {}";  // theirs, ours
inline constexpr std::string_view kEngineTooOld =
    "the container engine speaks API {}, estiva {} or newer";  // theirs, ours
inline constexpr std::string_view kEngineUpdateRemedy = "Update the older of the two";
inline constexpr std::string_view kEngineNonsense =
    "the container engine gave an answer that is none of its API";
inline constexpr std::string_view kEngineStatus =
    "the container engine answered {} with status {}";  // question, status
inline constexpr std::string_view kEngineSlow =
    "the container engine did not answer all questions within {} ms";  // limit
inline constexpr std::string_view kEngineLongLine = "the container engine sent a line without end";

// Of commands to one container.
inline constexpr std::string_view kNoContainer = "there is no container '{}'";  // name or id
inline constexpr std::string_view kNoContainerRemedy = "'docker ps -a' shows those that there are";
inline constexpr std::string_view kNoService =
    "there is no container of the Compose service '{}'";  // project/service
inline constexpr std::string_view kNoServiceRemedy =
    "'docker compose up --no-start' in the project's folder makes it; the first part is the "
    "project's name as 'docker compose ls -a' shows it";
inline constexpr std::string_view kSeveralContainers =
    "the Compose service '{}' has several containers: {}";  // project/service, names
inline constexpr std::string_view kSeveralContainersRemedy = "Name one of them in 'container'";
inline constexpr std::string_view kPartialId =
    "there is no container '{}'; an id that begins so is that of '{}'";  // given, name
inline constexpr std::string_view kPartialIdRemedy = "Write its name or its full id";
inline constexpr std::string_view kContainerCommand =
    "the container engine did not {} container {}: {}";  // verb, id, its words
inline constexpr std::string_view kContainerManyPorts =
    "container '{}' publishes several ports: {}";  // name, list
inline constexpr std::string_view kContainerNoPort =
    "container '{}' publishes no port, and names no single port of its own";  // name
inline constexpr char kNoBridge[] = "the engine's bridge has no address of its own";
inline constexpr char kNoBridgeRemedy[] =
    "Write the address itself, 'ip address' shows it, instead of docker";
inline constexpr std::string_view kContainerUrlRemedy =
    "Set url in the model's table to where it answers";

}  // namespace estiva::msg
