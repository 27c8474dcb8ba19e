// What a user reads when a CDI spec, or any YAML, can't be read or breaks a rule.
#pragma once
#include <string_view>

namespace estiva::msg {

// YAML. Each stands after "line L, column C: ".
inline constexpr char kYamlAt[] = "line {}, column {}: {}";
inline constexpr char kYamlTooBig[] = "the text has more than {}";  // size
inline constexpr char kYamlNul[] = "there is a NUL byte";
inline constexpr char kYamlNotUtf8[] = "this is not UTF-8";
inline constexpr char kYamlControl[] = "the control character U+{:04X} may not stand here";
inline constexpr char kYamlTooDeep[] = "this is nested deeper than {} levels";         // limit
inline constexpr char kYamlTooMany[] = "the text has more than {} values";             // limit
inline constexpr char kYamlManyAliases[] = "aliases stand for more than {} values";    // limit
inline constexpr char kYamlNoAnchor[] = "nothing before this is called '&{}'";         // name
inline constexpr char kYamlAliasInside[] = "the alias '*{}' stands inside of itself";  // name
inline constexpr char kYamlSyntax[] = "this is not YAML";
inline constexpr char kYamlSyntaxWhy[] = "this is not YAML: {}";  // the parser's words

// CDI specs: reading.
inline constexpr char kCdiEmpty[] = "the text holds no spec";
inline constexpr char kCdiHow[] =
    "Make the spec again with 'estiva cdi generate', or correct it by hand";
inline constexpr char kCdiUnknownMember[] = "a CDI spec has no member '{}' here";  // name
inline constexpr char kCdiUnknownNear[] = "a CDI spec has no member '{}' here; did you mean '{}'";
inline constexpr char kCdiTwice[] = "'{}' stands here for the second time";  // name
inline constexpr char kCdiWrongType[] = "'{}' is {}, and must be {}";        // name, is, must
// What a value is, and what it must be.
inline constexpr char kCdiMapping[] = "a mapping";
inline constexpr char kCdiList[] = "a list";
inline constexpr char kCdiNothing[] = "nothing";
inline constexpr char kCdiBoolean[] = "true or false";
inline constexpr char kCdiText[] = "text";
inline constexpr char kCdiNumber[] = "a number";
inline constexpr char kCdiWholeNumber[] = "a whole number";
inline constexpr char kCdiTheSpec[] = "the spec";
inline constexpr char kCdiADevice[] = "a device";
inline constexpr char kCdiANode[] = "a device node";
inline constexpr char kCdiAMount[] = "a mount";
inline constexpr char kCdiAHook[] = "a hook";
inline constexpr char kCdiANet[] = "a network device";
inline constexpr char kCdiNullElement[] =
    "an element of '{}' is nothing, which ends engines that read it";  // name
inline constexpr char kCdiBadKey[] = "a member's name must be text";
inline constexpr char kCdiBadMerge[] = "'<<' must be followed by a mapping, or a list of them";
inline constexpr char kCdiOutOfRange[] = "'{}' is {}, and must be a whole number from {} to {}";
inline constexpr char kCdiJsonEscape[] =
    "engines refuse the escapes \\/ and \\uD800 to \\uDFFF, also in a .json file; write the "
    "character itself";
inline constexpr char kCdiBadTag[] = "'{}' can't be read as {}";  // text, tag

// CDI specs: rules. Each stands after its place.
inline constexpr char kCdiVersionUnknown[] = "'{}' is no version of the CDI specification";
inline constexpr char kCdiVersionTooLow[] =
    "the version is {}, and what the spec uses needs {} at least";
inline constexpr char kCdiKindNoSlash[] = "'{}' is not VENDOR/CLASS";
inline constexpr char kCdiVendor[] = "the vendor '{}' {}";
inline constexpr char kCdiClass[] = "the class '{}' {}";
inline constexpr char kCdiName[] = "the device name '{}' {}";
inline constexpr char kCdiNameEmpty[] = "a device has no name";
inline constexpr char kCdiStartLetter[] = "does not start with a letter";
inline constexpr char kCdiStartAlnum[] = "does not start with a letter or a digit";
inline constexpr char kCdiEndAlnum[] = "does not end with a letter or a digit";
inline constexpr char kCdiNameChars[] = "has characters other than letters, digits and '{}'";
inline constexpr char kCdiOneLetter[] =
    "has one character only, which ends engines that read it; write two at least";
inline constexpr char kCdiNoDevices[] = "the spec declares no device";
inline constexpr char kCdiNameTwice[] = "the device '{}' is declared twice";
inline constexpr char kCdiNoEdits[] = "the device '{}' changes nothing in a container";
inline constexpr char kCdiEnv[] = "'{}' is not NAME=VALUE";
inline constexpr char kCdiNodeNoPath[] = "a device node has no path";
inline constexpr char kCdiNodeType[] = "'{}' is no type of a device node; they are b, c, u and p";
inline constexpr char kCdiNodePermissions[] =
    "'{}' is no permission of a device node; write letters of rwm";
inline constexpr char kCdiNodeNegative[] = "the device number {} is negative";
inline constexpr char kCdiMountNoHost[] = "a mount has no hostPath";
inline constexpr char kCdiMountNoContainer[] = "a mount has no containerPath";
inline constexpr char kCdiHookName[] =
    "'{}' is no hook; they are prestart, createRuntime, createContainer, startContainer, poststart "
    "and poststop";
inline constexpr char kCdiHookNoPath[] = "a hook has no path";
inline constexpr char kCdiNetNoHost[] = "a network device has no hostInterfaceName";
inline constexpr char kCdiNetNoName[] = "a network device has no name";
inline constexpr char kCdiNetTwice[] = "the network device '{}' is named twice";
inline constexpr char kCdiClosId[] = "the closID is no name of a file";
inline constexpr char kCdiRdtGone[] = "'{}' is not part of the specification from 1.1.0 on";
inline constexpr char kCdiAnnotation[] = "the annotation '{}' {}";
inline constexpr char kCdiAnnotationSlashes[] = "has more than one '/'";
inline constexpr char kCdiAnnotationPrefix[] =
    "has a prefix that is no DNS name of at most 253 small letters, digits, '-' and '.'";
inline constexpr char kCdiAnnotationName[] =
    "has a name that is not 1 to 63 letters, digits, '-', '_' and '.' with a letter or a digit at "
    "both ends";
inline constexpr char kCdiAnnotationsSize[] = "the annotations have {} bytes; {} are allowed";
inline constexpr char kCdiAndMore[] = "{} (and {} more)";  // sentence, how many

}  // namespace estiva::msg
