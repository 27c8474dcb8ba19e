// What the store says to people. Templates of fmt; names in braces are filled in by the room.
#pragma once

namespace estiva::msg {

inline constexpr char kStoreFolder[] = "the state folder {dir} can't be {verb}: {why}";
inline constexpr char kStoreFolderRemedy[] =
    "Make it writable for user {user}, or choose another folder with ESTIVA_STATE_DIR";
inline constexpr char kStoreFull[] =
    "the state folder {dir} is full ({free} free), so nothing was changed";
inline constexpr char kStoreFullRemedy[] = "Free some space there; what was granted before is kept";
inline constexpr char kStoreReadOnly[] =
    "the state folder {dir} has become read-only ({why}), so nothing was changed";
inline constexpr char kStoreReadOnlyRemedy[] =
    "Look for disk errors in the kernel log, then mount it writable again";
inline constexpr char kStoreDevice[] = "the disk under {path} failed while {doing} ({why})";
inline constexpr char kStoreDeviceRemedy[] =
    "Look for disk errors in the kernel log; nothing of this change was kept";
inline constexpr char kStoreLocked[] =
    "another estivad ({who}) already uses the state folder {dir}";
inline constexpr char kStoreLockedRemedy[] =
    "Stop it first, or give this one its own folder with ESTIVA_STATE_DIR";
inline constexpr char kStoreCorrupt[] =
    "the database {path} is damaged ({why}), so its leases can't be trusted; it was left as it is";
inline constexpr char kStoreCorruptRemedy[] =
    "Put back a good copy, or start afresh with 'estiva daemon --fresh-state', which moves the "
    "file to {path}.corrupt-<time> and never deletes it";
inline constexpr char kStoreForeign[] =
    "{path} is a database of another program; it was left alone";
inline constexpr char kStoreForeignRemedy[] =
    "Move it away, or choose another folder with ESTIVA_STATE_DIR";
inline constexpr char kStoreNewer[] =
    "the database {path} was written by a newer estiva (schema {theirs}, this one knows {ours}); "
    "it was left alone";
inline constexpr char kStoreNewerRemedy[] =
    "Install that newer estiva again, or put back the copy it kept as {path}.v{ours}";
inline constexpr char kStoreTooOld[] =
    "the database {path} has schema {theirs}, which this estiva can't read any more (it knows "
    "{ours}); it was left alone";
inline constexpr char kStoreTooOldRemedy[] =
    "Start an estiva in between once, or start afresh with 'estiva daemon --fresh-state'";
inline constexpr char kStoreMigration[] =
    "bringing the database {path} from schema {theirs} to {ours} failed ({why}); it was left as it "
    "was";
inline constexpr char kStoreMigrationRemedy[] =
    "Go back to the estiva that wrote it, and report this";
inline constexpr char kStoreBusy[] =
    "{waiting} changes are already waiting for the disk under {dir}";
inline constexpr char kStoreBusyRemedy[] =
    "Try again in a second; if it stays so, the disk is too slow";
inline constexpr char kStoreClosed[] = "the store is closed, because estivad is stopping";
inline constexpr char kStoreClosedRemedy[] = "Try again when it runs";
inline constexpr char kStoreAbandoned[] =
    "the disk under {dir} did not finish within the time for stopping; this change may or may not "
    "be kept";
inline constexpr char kStoreAbandonedRemedy[] = "Look at 'estiva leases' after the next start";
inline constexpr char kStoreTooLarge[] =
    "a record for the journal has {size} bytes; {limit} is the limit";
inline constexpr char kStoreExists[] =
    "the store already has a lease {id}, or a live one of model '{model}'";
inline constexpr char kStoreOrder[] =
    "lease {id} carries ledger sequence {sequence}, and the store is at {last}; a change must be "
    "above it";
inline constexpr char kStoreEpoch[] =
    "lease {id} carries boot epoch {theirs}, and this is boot epoch {ours}";
inline constexpr char kStoreUnknown[] =
    "the store has no lease {id} at sequence {expected}: it is gone or has changed since";
inline constexpr char kStoreUnknownRemedy[] = "Look at 'estiva leases' for what is held now";
inline constexpr char kStoreBugRemedy[] =
    "This is a fault in estiva; please report it with the log";
inline constexpr char kStoreBootId[] = "the machine's boot id could not be read from {path}: {why}";
inline constexpr char kStoreBootIdRemedy[] = "Mount /proc";
inline constexpr char kStoreCrashPoint[] = "'{text}' is not a crash point";
inline constexpr char kStoreCrashPointRemedy[] = "Known ones, each with an optional :N: {known}";
inline constexpr char kStoreVoidReason[] = "granted in an earlier boot of this machine";

}  // namespace estiva::msg
