// Sentences of api/ and daemon/ that users read. fmt templates where they hold {}.
#pragma once

namespace estiva::msg {

inline constexpr char kGpuIsIll[] = "GPU {}: {}";          // index, the condition
inline constexpr char kSlotIsIll[] = "the GPU at {}: {}";  // PCI slot, the condition
inline constexpr char kDriverReplaced[] =
    "driver {} is loaded and {} is installed: programs and containers that start now can't use the "
    "GPU";  // loaded, installed
inline constexpr char kDriverReplacedRemedy[] =
    "Restart the machine; what runs on the GPU goes on until then";
inline constexpr char kNothingToDismiss[] =
    "nothing is wrong with '{}' that can be dismissed";  // device
inline constexpr char kNothingToDismissRemedy[] =
    "Errors by number (XIDs) and GPUs that are gone can be; 'estiva gpu' shows what is wrong. What "
    "the driver says now ends when it says otherwise";
inline constexpr char kDismissed[] = "a person dismissed what was wrong with it";
inline constexpr char kGpuNamed[] = "GPU {}";                // index
inline constexpr char kHealthNow[] = "{}: {}";               // state, the condition
inline constexpr char kHealthOver[] = "over: {}";            // the condition
inline constexpr char kDriverIs[] = "the driver is {}: {}";  // state, its reason or version
inline constexpr char kJournalNumber[] = "{} must be a number from 0 to {}";  // which, most
inline constexpr char kJournalGrep[] = "grep may have at most {} bytes";
inline constexpr char kDeviceNeeded[] = "which GPU's health? ?device=UUID or PCI:SLOT is missing";
inline constexpr char kGpuStale[] = "the last GPU reading is older than two intervals";
inline constexpr char kHostStale[] = "the machine's own figures are {:.0f} s old";
inline constexpr char kHostNeverRead[] = "the machine's own figures could not be read yet";
inline constexpr char kHostStaleRemedy[] =
    "A disk or network mount that does not answer holds the reading up; 'df' shows which";
inline constexpr char kOvercommitted[] =
    "more memory is in use and promised on {} than it has: a model grew or a stranger arrived";
inline constexpr char kOvercommittedRemedy[] =
    "Release a model on it or end the process that grew; 'estiva gpu' lists them";

inline constexpr char kHostRefused[] = "the request names a host that this API does not answer for";
inline constexpr char kHostRefusedRemedy[] =
    "Use 127.0.0.1, localhost or [::1] with the API's port";
inline constexpr char kOriginRefused[] = "the request comes from a web page of another site";
inline constexpr char kOriginNeeded[] =
    "a browser that is logged in may change something only from a page of this very address";
inline constexpr char kOriginNeededRemedy[] =
    "Send 'Authorization: Bearer $(estiva token)' instead of the cookie";
inline constexpr char kTokenNeeded[] = "this address of the API needs the token";
inline constexpr char kTokenNeededRemedy[] =
    "Send 'Authorization: Bearer $(estiva token)', or use the control socket; 'estiva login' lets "
    "a "
    "browser in";
inline constexpr char kControlOnly[] = "codes for a login are given on the control socket only";
inline constexpr char kControlOnlyRemedy[] = "Run 'estiva login' on the machine itself";
inline constexpr char kNoTcp[] = "a browser needs the API over TCP, and that is off";
inline constexpr char kNoTcpRemedy[] =
    "Set listen = \"127.0.0.1:7700\" under [daemon] in estiva.toml (or start the daemon with "
    "--listen 127.0.0.1:7700), and restart the daemon";
inline constexpr char kLoginLocked[] = "too many wrong codes were tried at the login page";
inline constexpr char kLoginLockedRemedy[] = "Try again in {} s";
inline constexpr char kNoRoute[] = "there is nothing at {}";
inline constexpr char kNoRouteRemedy[] =
    "The API has /api/v1/gpu, status, leases, world, events, /healthz and /metrics";
inline constexpr char kWrongMethod[] = "{} is not allowed on {}";
inline constexpr char kBodyNotJson[] = "the body is not a JSON object";
inline constexpr char kAssignBody[] =
    "Send {\"model\": NAME, \"vram_bytes\": N} (or \"vram\": \"3500MiB\", or "
    "\"required_vram_mb\": N)";
inline constexpr char kUnknownMember[] = "the request has a member \"{}\" that is not known";
inline constexpr char kWrongMember[] = "\"{}\" must be {}";
inline constexpr char kMeantMember[] = "Did you mean \"{}\"?";
// What a member must be, for kWrongMember.
inline constexpr char kMustBeName[] = "a name of 1 to 256 characters";
inline constexpr char kMustBePrintable[] = "a name without control characters";
inline constexpr char kMustBePolicy[] = "\"auto\", \"least-utilized\" or \"pack\"";
inline constexpr char kMustBeOnlySize[] = "the only size in the request";
inline constexpr char kMustBeSize[] = "a size such as \"3500MiB\"";
inline constexpr char kMustBeMib[] = "a whole number of MiB";
inline constexpr char kMustBeBytes[] = "a whole number of bytes";
inline constexpr char kMustBeGpu[] = "\"auto\", an index or a UUID";
inline constexpr char kMustBeShares[] = "a number from 1 to 64";
inline constexpr char kMustBePid[] = "a process id";
inline constexpr char kMustBeBool[] = "true or false";
inline constexpr char kNoVram[] = "the request does not say how much VRAM the model needs";
inline constexpr char kNoProcess[] = "there is no process {} here";
inline constexpr char kNoProcessRemedy[] = "Give the PID of a process that runs on this machine";

inline constexpr char kNotAssigned[] = "no model named {} is assigned";
inline constexpr char kNotAssignedRemedy[] = "'estiva leases' lists what is";
inline constexpr char kDidYouMean[] = "Did you mean {}? 'estiva leases' lists what is assigned";
inline constexpr char kNotThatLease[] = "the lease {} of {} is gone; the name belongs to another";
inline constexpr char kHasLease[] = "{} holds a lease already, and a new one was asked for";
inline constexpr char kHasLeaseRemedy[] = "Choose another name, or release it first";
inline constexpr char kTooManyWaiting[] = "{} requests are waiting for the GPU already";
inline constexpr char kTryLater[] = "Try again in a moment";
inline constexpr char kNeverFresh[] = "the GPU could not be read again in time for this request";
inline constexpr char kReleasedNotRecorded[] =
    "{} is released, but that could not be written down: {}";
inline constexpr char kEarlierUnsaved[] = "an earlier change of it could not be written down yet";
inline constexpr char kReleasedNotRecordedRemedy[] =
    "It is tried again every second; if estiva ends before it succeeds, the lease comes back";

inline constexpr char kWhyOnlyOne[] = "GPU {} is the only one with room ({} free)";
inline constexpr char kWhyLeastBusy[] = "GPU {} is the least busy of {} with room ({} free)";
inline constexpr char kWhyPacked[] = "GPU {} is the fullest of {} with room ({} free)";
inline constexpr char kWhyAsked[] = "GPU {} was asked for ({} free)";
inline constexpr char kWhySame[] = "the model has this GPU already";
inline constexpr char kWhyGrown[] = "the model has this GPU already, and its lease has grown";
inline constexpr char kWhyBound[] = "the model has this GPU already; the process is its holder now";
inline constexpr char kWhySeveral[] = "{} GPUs, all granted together";

inline constexpr char kSimulationRefused[] =
    "a simulation was asked for, and this machine has an NVIDIA device ({})";
inline constexpr char kSimulationRefusedRemedy[] =
    "Leave --simulate away: estiva never simulates where a real GPU is";
inline constexpr char kTokenFile[] = "making the API's token";
inline constexpr char kDaemonReady[] = "estiva is ready";

}  // namespace estiva::msg
