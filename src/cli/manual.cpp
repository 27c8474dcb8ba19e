#include "cli/manual.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/cli.h"
#include "cli/verbs.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;

// Text of a line in roff: a backslash, a hyphen (else a soft one), a dot or quote at its beginning
// mean something there.
std::string roff(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) {
    out.push_back('\\');
    out.push_back('&');
  }
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

// Each line of a help text as it stands.
std::string as_it_stands(const std::string& text) {
  std::string out = ".nf\n";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out += roff(std::string_view(text).substr(at, end - at)) + "\n";
    at = end + 1;
  }
  return out + ".fi\n";
}

}  // namespace

std::string manual_page(std::span<const Verb> verbs) {
  std::string out = fmt::format(".TH ESTIVA 1 \"\" \"estiva {}\"\n.SH NAME\nestiva \\- {}\n",
                                ESTIVA_VERSION, roff(m::kManualName));
  out += fmt::format(".SH SYNOPSIS\n.B estiva\n.I VERB\n[OPTIONS]\n.SH DESCRIPTION\n{}\n",
                     roff(m::kIntro));
  out += ".SH VERBS\n";
  for (const Verb& verb : verbs)
    out += fmt::format(".SS {}\n{}", roff(verb.name), as_it_stands(help_text(verb)));
  out += fmt::format(".SH EXIT STATUS\n{}\n", roff(m::kHelpExitCodes));
  out += fmt::format(".SH FILES\n{}", as_it_stands(m::kManualFiles));
  return out;
}

}  // namespace estiva::cli
