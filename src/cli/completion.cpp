#include "cli/completion.h"

#include <fmt/format.h>

#include "cli/session.h"
#include "cli/verbs.h"

namespace estiva::cli {
namespace {

std::string spaced(std::string_view choices) {
  std::string out(choices);
  for (char& c : out)
    if (c == '|') c = ' ';
  return out;
}

// Where the values of something come from, by what the table calls it.
struct Source {
  bool files = false;
  std::string_view command;  // prints one a line; empty: none
};

Source source_of(std::string_view name) {
  constexpr std::string_view kScenarios =
      "estiva simulate --list 2>/dev/null | sed -n \"s/^scenario //p\"";
  if (name == "FILE" || name == "DIR" || name == "JOURNAL|DIR") return {true, {}};
  if (name == "GPU") return {false, "estiva gpu --names 2>/dev/null"};
  if (name == "NAME...") return {false, "estiva leases --names 2>/dev/null"};
  if (name == "SCENARIO") return {true, kScenarios};
  return {};
}

// What may stand after the verb: the words of the table, or the verbs themselves.
std::string choices_of(const Verb& verb, std::span<const Verb> verbs) {
  if (verb.words.name != "VERB") return spaced(verb.words.choices);
  std::string names;
  for (const Verb& one : verbs) names += fmt::format("{}{}", names.empty() ? "" : " ", one.name);
  return names;
}

// --- bash --------------------------------------------------------------------------------------

// Names may have blanks: each line is one of them.
std::string bash_values(std::string_view choices, const Source& source) {
  std::string words;
  if (!choices.empty()) words += fmt::format(" $(compgen -W '{}' -- \"$word\")", choices);
  if (!source.command.empty())
    words += fmt::format(" $(compgen -W \"$({})\" -- \"$word\")", source.command);
  if (source.files) words += " $(compgen -f -- \"$word\")";
  if (words.empty()) return "COMPREPLY=()";
  const std::string reply = fmt::format("COMPREPLY=({})", words.substr(1));
  return source.files || !source.command.empty() ? "local IFS=$'\\n'; " + reply : reply;
}

std::string bash_verb(const Verb& verb, std::span<const Verb> verbs) {
  std::string flags = "--help";
  std::string values;
  for (const Flag& flag : verb.flags) {
    flags += fmt::format(" {}", flag.name);
    if (!flag.value.empty())
      values += fmt::format("        {}) {}; return ;;\n", flag.name,
                            bash_values(spaced(flag.choices), source_of(flag.value)));
  }
  const std::string words =
      fmt::format("      {}\n", bash_values(choices_of(verb, verbs), source_of(verb.words.name)));
  std::string out = fmt::format("    {})\n", verb.name);
  if (!values.empty()) out += "      case $before in\n" + values + "      esac\n";
  out += "      if [[ $word == -* ]]; then\n";
  out +=
      fmt::format("        COMPREPLY=($(compgen -W '{}' -- \"$word\"))\n        return\n", flags);
  out += "      fi\n" + words + "      ;;\n";
  return out;
}

std::string bash_script(std::span<const Verb> verbs) {
  std::string names;
  std::string cases;
  for (const Verb& verb : verbs) {
    names += fmt::format("{}{}", names.empty() ? "" : " ", verb.name);
    cases += bash_verb(verb, verbs);
  }
  return fmt::format(
      "# bash completion for estiva; made by 'estiva completion bash'.\n"
      "_estiva() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} i\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W '{} --help --version' -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  for ((i = 2; i < COMP_CWORD; i++)); do\n"
      "    if [[ ${{COMP_WORDS[i]}} == -- ]]; then\n"
      "      COMPREPLY=($(compgen -c -- \"$word\") $(compgen -f -- \"$word\"))\n"
      "      return\n"
      "    fi\n"
      "  done\n"
      "  case ${{COMP_WORDS[1]}} in\n"
      "{}"
      "  esac\n"
      "}}\n"
      "complete -o filenames -F _estiva estiva\n",
      names, cases);
}

// --- zsh ---------------------------------------------------------------------------------------

// Text inside a zsh _arguments specification: brackets and colons have a meaning there.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return out;
}

// The lines of the source's command, as zsh splits them.
std::string zsh_lines(const Source& source) {
  return fmt::format("${{(f)\"$({})\"}}", source.command);
}

std::string zsh_action(const std::string& choices, const Source& source) {
  if (!choices.empty()) return fmt::format("({})", choices);
  if (source.files && !source.command.empty())
    return fmt::format("{{_files; compadd -- {}}}", zsh_lines(source));
  if (!source.command.empty()) return fmt::format("({})", zsh_lines(source));
  return source.files ? "_files" : " ";
}

std::string zsh_verb(const Verb& verb, std::span<const Verb> verbs) {
  std::string out = fmt::format("    {})\n      _arguments \\\n", verb.name);
  for (const Flag& flag : verb.flags) {
    out += fmt::format("        '{}[{}]", flag.name, zsh_text(flag.help));
    if (!flag.value.empty())
      out += fmt::format("{}:{}:{}", flag.optional_value ? ":" : "", flag.value,
                         zsh_action(spaced(flag.choices), source_of(flag.value)));
    out += "' \\\n";
  }
  if (verb.command) {
    out += "        '*::command:_normal' \\\n";
  } else if (verb.words.most > 0) {
    out += fmt::format("        '{}:{}:{}' \\\n", verb.words.most > 1 ? "*" : "1",
                       zsh_text(verb.words.name),
                       zsh_action(choices_of(verb, verbs), source_of(verb.words.name)));
  }
  return out + "        '--help[show the options]'\n      ;;\n";
}

std::string zsh_script(std::span<const Verb> verbs) {
  std::string list;
  std::string cases;
  for (const Verb& verb : verbs) {
    list += fmt::format("    '{}:{}'\n", verb.name, zsh_text(verb.summary));
    cases += zsh_verb(verb, verbs);
  }
  return fmt::format(
      "#compdef estiva\n"
      "# zsh completion for estiva; made by 'estiva completion zsh'.\n"
      "_estiva() {{\n"
      "  local -a verbs\n"
      "  verbs=(\n{}  )\n"
      "  if ((CURRENT == 2)); then\n"
      "    _describe -t verbs verb verbs\n"
      "    return\n"
      "  fi\n"
      "  local verb=$words[2]\n"
      "  shift words\n"
      "  ((CURRENT--))\n"
      "  case $verb in\n{}"
      "  esac\n"
      "}}\n"
      "if [[ $funcstack[1] == _estiva ]]; then _estiva \"$@\"; else compdef _estiva estiva; fi\n",
      list, cases);
}

// --- fish --------------------------------------------------------------------------------------

std::string fish_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string fish_offers(const std::string& choices, const Source& source) {
  return source.command.empty() ? choices : fmt::format("({})", source.command);
}

std::string fish_flag(const Verb& verb, const Flag& flag) {
  std::string out =
      fmt::format("complete -c estiva -n '__fish_seen_subcommand_from {}' -l {} -d '{}'", verb.name,
                  flag.name.substr(2), fish_text(flag.help));
  if (flag.value.empty()) return out + "\n";
  const Source source = source_of(flag.value);
  out += source.files ? " -r -F" : " -x";
  const std::string offered = fish_offers(spaced(flag.choices), source);
  return offered.empty() ? out + "\n" : out + fmt::format(" -a '{}'\n", offered);
}

// The words after a verb.
std::string fish_words(const Verb& verb, std::span<const Verb> verbs) {
  const Source source = source_of(verb.words.name);
  const std::string offered = fish_offers(choices_of(verb, verbs), source);
  if (offered.empty() && !source.files) return {};
  std::string out =
      fmt::format("complete -c estiva -n '__fish_seen_subcommand_from {}'", verb.name);
  if (source.files) out += " -F";
  return offered.empty() ? out + "\n" : out + fmt::format(" -a '{}'\n", offered);
}

std::string fish_script(std::span<const Verb> verbs) {
  std::string out =
      "# fish completion for estiva; made by 'estiva completion fish'.\n"
      "complete -c estiva -f\n";
  for (const Verb& verb : verbs) {
    out += fmt::format("complete -c estiva -n __fish_use_subcommand -a {} -d '{}'\n", verb.name,
                       fish_text(verb.summary));
    for (const Flag& flag : verb.flags) out += fish_flag(verb, flag);
    out += fish_words(verb, verbs);
  }
  return out;
}

}  // namespace

std::string completion_script(std::string_view shell, std::span<const Verb> verbs) {
  if (shell == "bash") return bash_script(verbs);
  if (shell == "zsh") return zsh_script(verbs);
  return fish_script(verbs);
}

Result<int> run_completion(Session& session, const Arguments& args) {
  if (auto ok = session.out.write(completion_script(args.words[0], all_verbs())); !ok)
    return Failure(ok.error());
  return 0;
}

}  // namespace estiva::cli
