// The few pages that a browser is shown: HTML, {} filled by fmt. Values are escaped before. No
// style and no script, so that the content policy can forbid both.
#pragma once

namespace estiva::msg {

// Title, body.
inline constexpr char kPage[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<title>estiva: {}</title>\n"
    "</head>\n"
    "<body>\n"
    "<h1>estiva</h1>\n"
    "{}"
    "</body>\n"
    "</html>\n";

inline constexpr char kLogInTitle[] = "log in";
// The code.
inline constexpr char kLogInForm[] =
    "<form method=\"post\" action=\"/login\">\n"
    "<input type=\"hidden\" name=\"code\" value=\"{}\">\n"
    "<button type=\"submit\" autofocus>Log in</button>\n"
    "</form>\n"
    "<p>The address is good for one login, within {} seconds after it was made.</p>\n";
inline constexpr char kNotLoggedIn[] =
    "<p>This browser is not logged in.</p>\n"
    "<p>On the machine where estiva runs, type <code>estiva login</code> and open the address "
    "that it prints.</p>\n";
inline constexpr char kCodeBroken[] =
    "<p>This address is not whole: it has no code of {} digits.</p>\n"
    "<p>Type <code>estiva login</code> again and copy all of the address that it prints.</p>\n";
inline constexpr char kCodeWrong[] =
    "<p>This code is wrong, was used before, or is older than {} seconds.</p>\n"
    "<p>Type <code>estiva login</code> again and open the address that it prints.</p>\n";
inline constexpr char kCodesLocked[] =
    "<p>Too many wrong codes were tried, so that every code is void.</p>\n"
    "<p>Type <code>estiva login</code> again in {} seconds.</p>\n";

inline constexpr char kFrontTitle[] = "this machine";
inline constexpr char kFrontSimulated[] =
    "<p><strong>SIMULATED: these GPUs do not exist; memory and disk are the machine's "
    "own.</strong></p>\n";
// State, reason.
inline constexpr char kFrontStatus[] = "<p>GPU status: <strong>{}</strong>{}</p>\n";
inline constexpr char kFrontReason[] = " ({})";
inline constexpr char kFrontIntro[] = "<p>What the API tells, as it is:</p>\n<ul>\n";
inline constexpr char kFrontLink[] = "<li><a href=\"{0}\">{0}</a>: {1}</li>\n";
inline constexpr char kFrontStatusLink[] = "the machine, its GPUs, their health, leases";
inline constexpr char kFrontGpuLink[] = "every GPU and the processes on it";
inline constexpr char kFrontLeasesLink[] = "who was promised how much VRAM";
inline constexpr char kFrontContainersLink[] = "containers and what they hold on GPUs";
inline constexpr char kFrontJournalLink[] = "what happened and why";
inline constexpr char kFrontMetricsLink[] = "for Prometheus";
inline constexpr char kLogOutForm[] =
    "<form method=\"post\" action=\"/logout\"><button type=\"submit\">Log out</button></form>\n";

}  // namespace estiva::msg
