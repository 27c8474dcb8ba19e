// What `estiva key` says.
#pragma once
#include <string_view>

namespace estiva::msg::cli {

inline constexpr std::string_view kVerbKey =
    "keys for containers and others who use the models through the gateway";
inline constexpr std::string_view kHelpKeyRole =
    "what it may do: list the models, use them (the default), or operate them too";
inline constexpr std::string_view kHelpKeyQuota = "requests a day (UTC); more are refused";
inline constexpr std::string_view kHelpKeyAtOnce = "requests at a time; more are refused";
inline constexpr std::string_view kHelpKeyModel = "only this model; may be given more than once";

inline constexpr std::string_view kNoKeyDocument =
    "the daemon's answer about keys is not understood";
inline constexpr std::string_view kKeyNeedsName = "'key {}' needs the name of one key";
inline constexpr std::string_view kKeyTakesNoName = "'key {}' takes no name";
inline constexpr std::string_view kKeyForms =
    "Write 'estiva key', 'key create NAME', 'key revoke NAME' or 'key usage'";
inline constexpr std::string_view kKeyFlags =
    "--role, --quota, --at-once and --model are for 'key create'";

// To stderr; the key alone goes to stdout.
inline constexpr std::string_view kKeyMade =
    "The key {} has the role {}. It is shown this once; only its SHA-256 is kept:\n";
inline constexpr std::string_view kKeyWhere =
    "Containers reach the models at http://estiva:{} (OpenAI: http://estiva:{}/v1), with this in "
    "their "
    "Compose service:\n    extra_hosts: [\"estiva:host-gateway\"]\n";
inline constexpr std::string_view kKeyNowhere =
    "No address needs a key yet: listen = [\"127.0.0.1:7701\", \"docker\"] under [gateway] in "
    "estiva.toml lets containers in.\n";
inline constexpr std::string_view kKeyRevoked =
    "{} is revoked: requests with it are refused from now on\n";
inline constexpr std::string_view kNoKeys =
    "There is no key. 'estiva key create NAME' makes one.\n";
inline constexpr std::string_view kListensOn = "The gateway listens on {}{}\n";
inline constexpr std::string_view kListensNot = "The gateway does not listen on {}{}: {}\n";
inline constexpr std::string_view kListensFor = " ({})";
inline constexpr std::string_view kListensUnknown = "it has not said so yet";

inline constexpr std::string_view kKeyColumn = "Key";
inline constexpr std::string_view kRoleColumn = "Role";
inline constexpr std::string_view kKeyModelsColumn = "Models";
inline constexpr std::string_view kADayColumn = "A day";
inline constexpr std::string_view kAtOnceColumn = "At once";
inline constexpr std::string_view kCreatedColumn = "Created";
inline constexpr std::string_view kLastUsedColumn = "Last used";
inline constexpr std::string_view kTodayColumn = "Today";
inline constexpr std::string_view kRefusedColumn = "Refused";
inline constexpr std::string_view kReceivedColumn = "Received";
inline constexpr std::string_view kSentColumn = "Sent";
inline constexpr std::string_view kAllModelsCell = "all";
inline constexpr std::string_view kNever = "never";

}  // namespace estiva::msg::cli
