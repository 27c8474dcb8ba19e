// What is wrong with a JSON file that is to be changed. {} are filled by fmt in the order of the
// comment; a place is file:line:column.
#pragma once
#include <string_view>

namespace estiva::msg {

inline constexpr std::string_view kJsonAt = "{}: {}";  // place, one of the below
inline constexpr std::string_view kJsonHow =
    "Correct the file by hand and try again; it was not changed";
inline constexpr std::string_view kJsonTooBig = "{} is larger than {}";  // file, limit
inline constexpr std::string_view kJsonTooBigHow =
    "No configuration is that long; look at what it is, and move it away";
inline constexpr std::string_view kJsonUtf16 = "{} is encoded as UTF-16";  // file
inline constexpr std::string_view kJsonUtf16How = "Save it as UTF-8 and try again";

inline constexpr std::string_view kJsonEnds = "the text ends before its value is complete";
inline constexpr std::string_view kJsonEndsInText =
    "the text that begins here has no closing quote";
inline constexpr std::string_view kJsonTrailing = "more text follows after the end of the value";
inline constexpr std::string_view kJsonComment =
    "a comment begins here; JSON has none, and Docker refuses the file too";
inline constexpr std::string_view kJsonNul = "here is a NUL byte";
inline constexpr std::string_view kJsonNotUtf8 = "from here on it is not UTF-8";
inline constexpr std::string_view kJsonControl =
    "here is a control character or the end of a line inside a text; it has to be escaped";
inline constexpr std::string_view kJsonEscape = "this is none of the escapes that JSON has";
inline constexpr std::string_view kJsonDeep = "brackets are nested deeper than {} here";  // limit
inline constexpr std::string_view kJsonNumber = "this is not how JSON writes a number";
inline constexpr std::string_view kJsonWord =
    "a value has to be a text in double quotes, a number, true, false, null, an object or an array";
inline constexpr std::string_view kJsonNoKey = "a name in double quotes has to stand here";
inline constexpr std::string_view kJsonNoColon =
    "a colon has to stand between a name and its value";
inline constexpr std::string_view kJsonNoComma = "a comma or the closing bracket has to stand here";
inline constexpr std::string_view kJsonLastComma = "after this comma nothing follows";
inline constexpr std::string_view kJsonTwice =
    "the name '{}' stands here a second time; the first is in line {}";  // name, line
inline constexpr std::string_view kJsonTwiceHow =
    "Keep one of the two (programs take the last one); the file was not changed";
inline constexpr std::string_view kJsonWrongType =
    "'{}' is {}, and must be {}";  // path, type, type
inline constexpr std::string_view kJsonOwnEdit =
    "the changed text of {} would not be JSON any more: {}";  // file, what
inline constexpr std::string_view kJsonOwnEditHow =
    "This is a fault of estiva; the file was not changed";
inline constexpr std::string_view kJsonNoPath = "a change needs the name of a member";

// What a value is: "'features' is an array".
inline constexpr std::string_view kJsonIsNull = "null";
inline constexpr std::string_view kJsonIsBoolean = "true or false";
inline constexpr std::string_view kJsonIsNumber = "a number";
inline constexpr std::string_view kJsonIsWhole = "a whole number";
inline constexpr std::string_view kJsonIsText = "a text";
inline constexpr std::string_view kJsonIsTexts = "an array of texts";
inline constexpr std::string_view kJsonIsObjects = "an array of objects";
inline constexpr std::string_view kJsonIsArray = "an array";
inline constexpr std::string_view kJsonIsObject = "an object";
inline constexpr std::string_view kJsonTheFile = "the whole file";

}  // namespace estiva::msg
