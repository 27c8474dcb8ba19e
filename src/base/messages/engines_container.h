// Sentences about models in containers. {} are filled by fmt in the order of the comment.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kContainerRecord = "the record of a container can't be read";

inline constexpr std::string_view kContainerUnnamed = "model '{}' names no container";  // model
inline constexpr std::string_view kContainerUnnamedRemedy =
    "Set container to a name, a full id, or \"PROJECT/SERVICE\"";
inline constexpr std::string_view kContainerPaused = "container '{}' is paused";  // name
inline constexpr std::string_view kContainerPausedRemedy =
    "'docker unpause {}' lets it go on";  // name
inline constexpr std::string_view kContainerDead =
    "container '{}' is dead: its engine could not tidy it up";  // name
inline constexpr std::string_view kContainerDeadRemedy =
    "Remove it with 'docker rm -f {}' and make it anew";
inline constexpr std::string_view kContainerRemoving = "container '{}' is being removed";  // name

inline constexpr std::string_view kContainerNoSleep = "a container has no sleep of its own";
inline constexpr std::string_view kContainerStopped = "the load was ended";
inline constexpr std::string_view kContainerNotReady =
    "container '{}' was not ready within {} s";  // name, limit
inline constexpr std::string_view kContainerNotReadyRemedy =
    "'docker logs' may say why; load_limit allows more time, and ready says what is asked";
inline constexpr std::string_view kContainerNotUp = "container '{}' does not run";  // name
inline constexpr std::string_view kContainerNotReadyYet =
    "container '{}' is not ready yet";  // name
inline constexpr std::string_view kContainerEndedEarly = "container '{}' {} before it was ready{}";
inline constexpr std::string_view kContainerLastWords = "; it said: {}";  // line
inline constexpr std::string_view kContainerNoPortVariable =
    "container '{}' publishes no single port that ${{PORT}} could be";  // name
inline constexpr std::string_view kContainerStillUp =
    "container '{}' runs although its engine was told to stop it";  // name

inline constexpr std::string_view kContainerExited = "ended with exit code {}";  // code
inline constexpr std::string_view kContainerOutOfMemory = "was ended by the kernel: RAM ran out";
inline constexpr std::string_view kContainerRemoved = "was removed";
inline constexpr std::string_view kContainerEnded = "container '{}' {}";  // name, how
inline constexpr std::string_view kContainerRestarted =
    "container '{}' was started anew by somebody; its next load takes it over";  // name
inline constexpr std::string_view kContainerPolicy =
    "container '{}' ended, its restart policy started it anew, and it was stopped: its next load "
    "starts it";  // name

}  // namespace estiva::msg
