// What a user reads where a Compose file's way of asking for GPUs can't be rewritten.
#pragma once
#include <string_view>

namespace estiva::msg {

// Each stands after "line L, column C: ".
inline constexpr char kComposeShared[] =
    "what asks for the GPU is shared by an anchor or a merge key, and other services may use it";
inline constexpr char kComposeExtends[] =
    "the service has 'extends', and what it gets from there is not seen here";
inline constexpr char kComposeExtended[] = "another service extends this one";
inline constexpr char kComposeTag[] =
    "a tag such as '{}' says more than is understood here";                  // tag
inline constexpr char kComposeVariable[] = "'{}' depends on a variable";     // text
inline constexpr char kComposeTwice[] = "'{}' stands twice in one mapping";  // key
inline constexpr char kComposeNotList[] = "'{}' must be a list";             // key
inline constexpr char kComposeNotMapping[] = "'{}' must be a mapping";       // key
inline constexpr char kComposeUnknown[] =
    "'{}' of a GPU's reservation has no counterpart in a CDI device";  // key
inline constexpr char kComposeCapability[] =
    "'{}' is more than the GPU and a capability of its driver";  // capability
inline constexpr char kComposeCount[] =
    "'{}' is no number of GPUs: 1 to {}, or 'all', is meant";              // text, limit
inline constexpr char kComposeId[] = "'{}' is no index or UUID of a GPU";  // text
inline constexpr char kComposeNoIds[] = "'device_ids' names no GPU";
inline constexpr char kComposeBoth[] =
    "'count' and 'device_ids' are both set, and they don't mean the same";
inline constexpr char kComposeOtherDriver[] = "'gpus' asks the driver '{}' too";  // driver
inline constexpr char kComposeWhich[] =
    "'runtime: nvidia' alone does not say which GPUs: set NVIDIA_VISIBLE_DEVICES in 'environment'";
inline constexpr char kComposeDiffer[] =
    "NVIDIA_VISIBLE_DEVICES is '{}', and the reservation asks for other GPUs";  // value
inline constexpr char kComposeMany[] = "more than {} services ask for a GPU";   // limit
inline constexpr char kComposeDocuments[] = "the file has more than one document";
inline constexpr char kComposeLayout[] = "the file's layout does not let this be cut out alone";
inline constexpr char kComposeTab[] = "there is a tab among the lines that would change";
inline constexpr char kComposeCheck[] =
    "the edited file would not mean the same but for the GPU; this is an error of estiva";

}  // namespace estiva::msg
