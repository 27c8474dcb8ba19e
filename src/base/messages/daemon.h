// Sentences of estivad. fmt templates where they hold {}.
#pragma once

namespace estiva::msg {

inline constexpr char kDaemonHelp[] =
    "estivad: the daemon of estiva. 'estiva daemon' starts it with what it needs.\n"
    "\n"
    "  --state-dir DIR     where the database and the token are kept\n"
    "  --runtime-dir DIR   where the sockets are\n"
    "  --config FILE       settings instead of the usual estiva.toml\n"
    "  --listen ADDR:PORT  TCP address of the API (port 0: any free one), or off\n"
    "  --interval TIME     between two readings, 1s by default\n"
    "  --nvml FILE         this library instead of the loader's libnvidia-ml.so.1\n"
    "  --root DIR          the host's /proc, /sys and /etc are under DIR\n"
    "  --machine DIR       a recorded machine instead of this one\n"
    "  --sensor FILE       this estiva-sensor program\n"
    "  --kernel-log FILE   a file in the form of /dev/kmsg instead of it\n"
    "  --simulated         say that the library is a simulator\n"
    "  --gateway ADDRESS   where requests for models are answered (several: with commas), or off\n"
    "  --gateway-apart     it is a service of its own, which is not started here\n"
    "  --exec-gateway      become that service: the gateway, as the settings say\n"
    "  --launcher SOCKET   models' programs are started by estiva-launch, which listens there\n"
    "  --stop-models       at a clean end stop the models too; else they run on\n"
    "  --fresh-state       set an unreadable database aside and start with an empty one\n"
    "  --help, --version\n";
inline constexpr char kGatewayOff[] = "the gateway is off: [gateway] listen says so";
inline constexpr char kUnknownFlag[] = "estivad has no option {}";
inline constexpr char kMeantFlag[] = "Did you mean {}? 'estivad --help' lists them all";
inline constexpr char kSeeHelp[] = "'estivad --help' lists them all";
inline constexpr char kFlagTakesNothing[] = "{} takes no value";
inline constexpr char kFlagNeedsValue[] = "{} needs a value";
inline constexpr char kIntervalRange[] = "--interval must be between 50ms and 1h";

inline constexpr char kReadingToken[] = "reading the token in {}";
inline constexpr char kTokenOpen[] = "the token file {} is not a file that only its owner may read";
inline constexpr char kTokenBroken[] = "the token file {} does not hold a token";
inline constexpr char kTokenOpenRemedy[] = "Delete it; estiva makes a new one at its next start";
inline constexpr char kNotLoopback[] = "{} can be reached from outside this machine";
inline constexpr char kNotLoopbackRemedy[] =
    "Listen on 127.0.0.1 or [::1]: a wider address needs keys and TLS, which come with the gateway";

inline constexpr char kNoKernelLogRemedy[] =
    "GPU errors (XIDs) are then told by the driver's events only: not those from before the start, "
    "and not whose work they hit. Run estivad as root or give it CAP_SYSLOG";

inline constexpr char kNoProgram[] = "there is no program {}";  // name
inline constexpr char kNoProgramRemedy[] =
    "Install it (curl sends webhooks), or correct notify.command in estiva.toml";
inline constexpr char kProgramSlow[] = "{} did not end in time and was killed";   // name
inline constexpr char kProgramSignal[] = "{} ended by signal {}: {}";             // name, signal
inline constexpr char kProgramFailed[] = "{} ended with exit code {}: {}";        // name, code
inline constexpr char kHeldBack[] = " ({} more were held back before this one)";  // how many
inline constexpr char kTooManyNotifications[] = "too many notifications wait already";
inline constexpr char kNothingToNotify[] = "nobody is to be notified";
inline constexpr char kNothingToNotifyRemedy[] =
    "Set notify.url or notify.command in estiva.toml and restart the daemon";
// Models that ask for their bytes themselves.
inline constexpr char kLeaseNoSleep[] = "{} moves its bytes itself";                  // model
inline constexpr char kLeaseNoProgram[] = "no program has asked for the lease '{}'";  // model
inline constexpr char kLeaseLoads[] = "'{}' is loaded by its own program";            // model
inline constexpr char kLeaseLoadsHow[] = "Its program asks for the lease; see docs/leases.md";
// The need of a model, from its file.
inline constexpr char kNeedOfParts[] = "{} is one of several parts";                   // file
inline constexpr char kNeedNoCacheKnown[] = "{} does not say what its context needs";  // file
inline constexpr char kNeedDeclare[] = "Say 'vram' in the model's table, or let it be learned";
inline constexpr char kNotifyTest[] = "This is a test: notifications of estiva arrive here.";

}  // namespace estiva::msg
