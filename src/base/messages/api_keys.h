// What users read about the keys of the gateway, and where it listens.
#pragma once

namespace estiva::msg {

inline constexpr char kKeyWanted[] =
    "the body must be {\"name\":..,\"role\":\"view|use|operate\",\"requests_a_day\":n,"
    "\"at_once\":n,\"models\":[..]}; all but the name may be left out";
inline constexpr char kKeyMethods[] = "keys know GET, POST, and DELETE of one of them";
inline constexpr char kKeysControlOnly[] = "keys are made and shown on the control socket only";
inline constexpr char kKeysControlOnlyRemedy[] = "Run 'estiva key' on the machine itself";
inline constexpr char kKeyBadName[] = "'{}' can't be the name of a key";
inline constexpr char kKeyBadNameRemedy[] = "Use 1 to 64 letters, digits, '.', '-' and '_'";
inline constexpr char kKeyBadRole[] = "'{}' is not a role of keys";
inline constexpr char kKeyBadRoleRemedy[] =
    "view lists the models, use calls them, operate also loads, unloads and pins them";
inline constexpr char kKeyBadModel[] = "'{}' can't be the name of a model";
inline constexpr char kKeyTaken[] = "there is a key '{}' already";
inline constexpr char kKeyTakenRemedy[] = "Take another name, or revoke that one first";
inline constexpr char kKeyMany[] = "there are {} keys already, and no more are kept";
inline constexpr char kKeyManyRemedy[] = "Revoke those that nobody uses";
inline constexpr char kKeyUnknown[] = "there is no key '{}'";
inline constexpr char kKeyUnknownRemedy[] = "'estiva key list' lists them";
inline constexpr char kKeyRevokedForNow[] =
    "the key {} is revoked, but that could not be written down: it would count again after the "
    "next start";
// In the journal, under the key's name.
inline constexpr char kKeyMadeEvent[] = "a key with the role {} was made";
inline constexpr char kKeyRevokedEvent[] = "the key was revoked";

inline constexpr char kKeyFile[] = "the file of keys";
inline constexpr char kKeyFileReading[] = "reading the keys in {}";
inline constexpr char kKeyFileOpen[] =
    "the file of keys {} is not one that only its owner may read";
inline constexpr char kKeyFileOpenRemedy[] =
    "chmod 600 it if you trust what is in it; else delete it, and make new keys";
inline constexpr char kKeyFileBroken[] = "the file of keys {} is damaged: {}";
inline constexpr char kKeyFileBrokenRemedy[] =
    "Bring it back from a backup, or delete it, and make new keys";

// Where the gateway listens.
inline constexpr char kNoKeyYet[] = "nobody could use it: there is no key yet";
inline constexpr char kNoKeyYetRemedy[] =
    "'estiva key create NAME' makes one, and it opens at once";
inline constexpr char kAsksDocker[] = "Docker's bridge is looked for: {}";

}  // namespace estiva::msg
