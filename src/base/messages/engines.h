// Sentences about the engines of models. {} are filled by fmt in the order of the comment.
#pragma once
#include <string_view>

namespace estiva::msg {

// Before the start.
inline constexpr std::string_view kEngineKindAbsent =
    "{}: estiva starts no engine of the kind '{}'";  // model, kind
inline constexpr std::string_view kEngineKindAbsentHow =
    "The kinds are in docs/add-an-engine.md; a library asks for its bytes itself (engine = "
    "\"lease\")";
inline constexpr std::string_view kNoCommand = "{} has no command to start";  // model
inline constexpr std::string_view kNoCommandHow = "Set 'command' in [models.{}]";
inline constexpr std::string_view kEngineNoProgram =
    "{}: there is no program '{}' to run";  // model, program
inline constexpr std::string_view kEngineNoProgramHow =
    "Install it, or correct 'command' in [models.{}] (it is looked for on estivad's PATH)";
inline constexpr std::string_view kEngineNoFolder = "{}: there is no folder {}";  // model, folder
inline constexpr std::string_view kEngineNoFolderHow =
    "Make it, or correct 'directory' in [models.{}]";
inline constexpr std::string_view kNoModelFile = "{}: there is no file {}";  // model, file
inline constexpr std::string_view kNoModelFileHow = "Correct 'file' in [models.{}]";
inline constexpr std::string_view kNoUser = "{}: there is no user '{}'";  // model, user
inline constexpr std::string_view kNoUserHow = "Correct 'user' in [models.{}]";
inline constexpr std::string_view kOtherUser =
    "{}: estivad is not root and can't run a program as user '{}'";  // model, user
inline constexpr std::string_view kOtherUserHow =
    "Leave 'user' out of [models.{}], or start estivad as root";
inline constexpr std::string_view kAskingLauncher = "asking estiva-launch at {}";  // socket
inline constexpr std::string_view kAskingLauncherHow =
    "'systemctl start estiva-launch.socket'; its own words are in 'journalctl -u "
    "estiva-launch@*'";
inline constexpr std::string_view kLaunchDiffers =
    "{} is not started as user '{}': /etc/estiva/estiva.toml says something else";  // model, user
inline constexpr std::string_view kLaunchDiffersHow =
    "'estiva models reload' takes the file on as it is now";
inline constexpr std::string_view kBadUrl = "\"{}\" is no address of a model";
inline constexpr std::string_view kBadUrlHow =
    "Write http://ADDRESS:PORT/PATH with a literal address or localhost, or unix:/path";
inline constexpr std::string_view kUrlWithTls = "{}: estiva speaks no TLS to the servers of models";
inline constexpr std::string_view kUrlWithTlsHow =
    "Give an http:// address on this machine or in a network that you trust; a local proxy "
    "(stunnel, nginx) can add TLS";
inline constexpr std::string_view kNoUrl = "{} has no address";  // model
inline constexpr std::string_view kNoUrlHow = "Set 'url' in [models.{}]";
inline constexpr std::string_view kNoFreePort = "no port from {} to {} is free";
inline constexpr std::string_view kNoFreePortHow =
    "End what holds them; 'ss -ltnp' shows who listens";
inline constexpr std::string_view kPortTaken =
    "{} can't have port {}: it is in use{}";  // model, port, " by process 17 (nginx)"
inline constexpr std::string_view kPortTakenHow =
    "End that program, give this model another port, or write ${PORT} in 'command' and let estiva "
    "choose";
inline constexpr std::string_view kAlreadyLoaded = "{} is loaded already";  // model
inline constexpr std::string_view kAlreadyLoadedHow = "Unload it first";

// The start.
inline constexpr std::string_view kStartingModel = "starting {}";  // model
inline constexpr std::string_view kStartingModelHow =
    "'ulimit -a' and the machine's memory may say why";
inline constexpr std::string_view kExitedEarly = "{} ended before it was ready ({}){}";
inline constexpr std::string_view kEngineLogHow = "Its log is {}";  // file
inline constexpr std::string_view kNoGpuMemory =
    "{} ran out of GPU memory while it loaded ({}){}";  // model, how it ended, last lines
inline constexpr std::string_view kNoGpuMemoryHow =
    "It needs more than 'vram' in [models.{}] says, or somebody else took the memory; its log is "
    "{}";
inline constexpr std::string_view kNeverReady =
    "{} was not ready within {} s: {}{}";  // model, limit, last answer, last lines
inline constexpr std::string_view kNeverReadyHow =
    "Set 'load_limit' in [models.{}] higher, or correct 'ready'; its log is {}";
inline constexpr std::string_view kNotItsPort =
    "port {} is answered by somebody else{}, not by {}{}";  // port, holder, model, last lines
inline constexpr std::string_view kLoadCancelled = "the start of {} was given up";
inline constexpr std::string_view kLoadCancelledHow = "Ask for it again";
inline constexpr std::string_view kLastWords = "; it said: {}";
inline constexpr std::string_view kSaidNothing = "; it said nothing";

// Its end.
inline constexpr std::string_view kExitCode = "exit code {}";
inline constexpr std::string_view kExitSignal = "signal {} ({})";  // number, name
inline constexpr std::string_view kExitUnknown = "how is not known";
inline constexpr std::string_view kEndedByItself = "{} ended by itself ({}){}";
inline constexpr std::string_view kCannotEnd =
    "{} processes of {} do not end, killed as they are ({})";  // number, model, pids
inline constexpr std::string_view kCannotEndHow =
    "They hang in the kernel, mostly in the GPU's driver; 'estiva doctor' may say why, and a "
    "restart of the machine ends them";
inline constexpr std::string_view kNotThere = "{} does not run any more";  // model
inline constexpr std::string_view kNotThereHow = "It is started anew when somebody asks for it";
inline constexpr std::string_view kNotFoundRunning = "it is not looked for: only we start it";
inline constexpr std::string_view kBadEngineRecord = "the record of {} can't be read ({})";

// Sleep.
inline constexpr std::string_view kCannotSleep = "{} can't sleep";  // model
inline constexpr std::string_view kCannotSleepHow = "Set 'may_sleep = false' in [models.{}]";
inline constexpr std::string_view kSleepHow =
    "vLLM sleeps only when it was started with --enable-sleep-mode";

inline constexpr std::string_view kNotAsleep = "vLLM answered, and did not go to sleep";
inline constexpr std::string_view kNoSleepState =
    "vLLM does not say whether it sleeps: {}";  // its words
inline constexpr std::string_view kNotAwake = "{} did not wake up and was ended: {}";

// Its answers.
inline constexpr std::string_view kNobodyAccepts = "nobody listens on {}";          // address
inline constexpr std::string_view kReadyStatus = "{} answers with status {}{}";     // URL, status
inline constexpr std::string_view kRemoteStatus = "{}: {} answers with status {}";  // model, URL
inline constexpr std::string_view kRemoteStatusHow =
    "Look at that server, or correct 'url', 'ready' and 'api_key' in [models.{}]";
inline constexpr std::string_view kAskingEngine = "asking {} for {}";  // address, path
inline constexpr std::string_view kAnswerStatus = "{} answered {} with status {}{}";

}  // namespace estiva::msg
