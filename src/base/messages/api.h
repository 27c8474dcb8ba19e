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
inline constexpr char kGpuIndexed[] = "GPU {}";              // index
inline constexpr char kHealthNow[] = "{}: {}";               // state, the condition
inline constexpr char kHealthOver[] = "over: {}";            // the condition
inline constexpr char kDriverIs[] = "the driver is {}: {}";  // state, its reason or version
inline constexpr char kJournalNumber[] = "{} must be a number from 0 to {}";  // which, most
inline constexpr char kJournalDecisions[] = "'decisions' must be true or false";
inline constexpr char kJournalGrep[] = "grep may have at most {} bytes";
inline constexpr char kDeviceNeeded[] = "which GPU's health? ?device=UUID or PCI:SLOT is missing";
inline constexpr char kGpuStale[] = "the last GPU reading is older than two intervals";
inline constexpr char kHostStale[] = "the machine's own figures are {:.0f} s old";
inline constexpr char kHostNeverRead[] = "the machine's own figures could not be read yet";
inline constexpr char kHostStaleRemedy[] =
    "A disk or network mount that does not answer holds the reading up; 'df' shows which";
inline constexpr char kIsOvercommitted[] =
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
inline constexpr char kMustBeHolder[] = "\"caller\" or \"container\"";
inline constexpr char kNoVram[] = "the request does not say how much VRAM the model needs";
inline constexpr char kNoSuchProcess[] = "there is no process {} here";
inline constexpr char kNoProcessRemedy[] = "Give the PID of a process that runs on this machine";

// The lease socket.
inline constexpr char kCallerUnseen[] =
    "the daemon can't see your process, so nothing can be promised to it";
inline constexpr char kCallerUnseenRemedy[] =
    "Run estivad where all processes can be seen: on the machine itself with a /proc that hides "
    "none, or in a container with the machine's PID namespace";
inline constexpr char kCallerGone[] = "the process that opened this connection has ended";
inline constexpr char kCallerGoneRemedy[] =
    "Open the connection in the process that asks, and ask again";
inline constexpr char kNotServedHere[] = "{} {} is not answered on the lease socket";
inline constexpr char kNotServedHereRemedy[] =
    "It has /healthz, /api/v1/self and /api/v1/leases; everything else is on the control socket";
inline constexpr char kPidNotYours[] =
    "a client of the lease socket can't name the process that holds the lease";
inline constexpr char kPidNotYoursRemedy[] =
    "Leave \"pid\" out: the holder is the process that asks, or with \"holder\": \"container\" the "
    "first process of its container";
inline constexpr char kNameIsTaken[] = "the name {} belongs to somebody else's lease";
inline constexpr char kNameIsTakenRemedy[] =
    "Choose another name; names count for the whole machine";
inline constexpr char kNotYours[] = "the lease {} is not yours";
inline constexpr char kNotYoursRemedy[] =
    "'estiva leases' lists what you may release; the control socket can release every lease";
inline constexpr char kYouHaveNone[] = "you hold no lease named {}";
inline constexpr char kYouHaveNoneRemedy[] =
    "It was released, or its process ended; 'estiva leases' lists what you hold";
inline constexpr char kLeaseLimit[] = "{} leases are held already, and no client may hold more";
inline constexpr char kLeaseLimitRemedy[] =
    "Release one of them, or set leases.per_client in the daemon's estiva.toml";
inline constexpr char kNoMainProcess[] =
    "the first process of your container can't be told from here";
inline constexpr char kNoMainProcessRemedy[] =
    "Ask from a process that the container's own command started, in a PID namespace of its own; "
    "or "
    "leave \"holder\" out";
inline constexpr char kHolderOnlyThere[] = "\"holder\" is for clients of the lease socket";
inline constexpr char kHolderOnlyThereRemedy[] =
    "Name the process with \"pid\", or leave both out: then the lease lives until it is released";
inline constexpr char kNoLeaseSocket[] = "containers can't ask for leases: no lease socket";

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
inline constexpr char kMustBeSeconds[] = "seconds, from 0 to {}";
inline constexpr char kMustBeASecond[] = "at least 1";
inline constexpr char kTakesMembers[] = "The body is a JSON object; it may have {}";
inline constexpr char kHungUp[] = "the client went away while it waited for room";
inline constexpr char kOthersWait[] = "another program waits for room on the GPU";
inline constexpr char kPersonAsks[] = "a person asked for its GPU memory";
inline constexpr char kGivesBack[] = "{} was asked for its GPU memory, or has given it back";
inline constexpr char kGivesBackRemedy[] =
    "Move it off the GPU and say so (POST yielded); then ask for it again (POST resume)";
inline constexpr char kBusyUnsaid[] = "say {\"busy\": true} or {\"busy\": false}";
inline constexpr char kLeaseOnly[] =
    "'revocable' and 'heartbeat_seconds' are what a program promises for a lease that it holds";
inline constexpr char kLeaseOnlyRemedy[] =
    "Ask over the lease socket, in that program, as the clients in Python and C do";
inline constexpr char kLeaseIsGone[] = "there is no live lease {}";
inline constexpr char kBeingGranted[] = "the lease {} is being written down";
inline constexpr char kShrunkNotRecorded[] =
    "{} needs less now, but that could not be written down: {}";
inline constexpr char kShrunkNotRecordedRemedy[] =
    "It is tried again every second; if estiva ends before it succeeds, the lease is as large as "
    "before";
inline constexpr char kEarlierUnsaved[] = "an earlier change of it could not be written down yet";
inline constexpr char kReleasedNotRecordedRemedy[] =
    "It is tried again every second; if estiva ends before it succeeds, the lease comes back";

// What the journal keeps of a decision.
inline constexpr char kNoJournal[] = "this is no journal with decisions";
inline constexpr char kNoJournalRemedy[] =
    "'estiva replay --save FILE' writes one, and /api/v1/journal?decisions=true answers with one";
inline constexpr char kRecordCut[] = "there was too much to be kept whole";

inline constexpr char kSimulationRefused[] =
    "a simulation was asked for, and this machine has an NVIDIA device ({})";
inline constexpr char kSimulationRefusedRemedy[] =
    "Leave --simulate away: estiva never simulates where a real GPU is";
inline constexpr char kTokenFile[] = "making the API's token";
inline constexpr char kDaemonReady[] = "estiva is ready";

}  // namespace estiva::msg
