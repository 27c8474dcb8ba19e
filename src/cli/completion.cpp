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

bool takes_file(const Flag& flag) {
  return flag.value == "FILE" || flag.value == "DIR";
}
bool names_leases(const Verb& verb) {
  return verb.name == "release";
}

// --- bash --------------------------------------------------------------------------------------

std::string bash_values(const Flag& flag) {
  if (!flag.choices.empty())
    return fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$word\"))", spaced(flag.choices));
  if (takes_file(flag)) return "COMPREPLY=($(compgen -f -- \"$word\"))";
  return "COMPREPLY=()";
}

std::string bash_verb(const Verb& verb) {
  std::string flags = "--help";
  std::string values;
  for (const Flag& flag : verb.flags) {
    flags += fmt::format(" {}", flag.name);
    if (!flag.value.empty())
      values += fmt::format("        {}) {}; return ;;\n", flag.name, bash_values(flag));
  }
  std::string words;
  if (!verb.words.choices.empty())
    words = fmt::format("      COMPREPLY=($(compgen -W '{}' -- \"$word\"))\n",
                        spaced(verb.words.choices));
  if (names_leases(verb))
    words =
        "      local IFS=$'\\n'\n"
        "      COMPREPLY=($(compgen -W \"$(estiva leases --names 2>/dev/null)\" -- \"$word\"))\n";
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
    cases += bash_verb(verb);
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
      "complete -F _estiva estiva\n",
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

std::string zsh_action(const Flag& flag) {
  if (!flag.choices.empty()) return fmt::format("({})", spaced(flag.choices));
  return takes_file(flag) ? "_files" : " ";
}

std::string zsh_verb(const Verb& verb) {
  std::string out = fmt::format("    {})\n      _arguments \\\n", verb.name);
  for (const Flag& flag : verb.flags) {
    out += fmt::format("        '{}[{}]", flag.name, zsh_text(flag.help));
    if (!flag.value.empty())
      out += fmt::format("{}:{}:{}", flag.optional_value ? ":" : "", flag.value, zsh_action(flag));
    out += "' \\\n";
  }
  if (verb.command) {
    out += "        '*::command:_normal' \\\n";
  } else if (names_leases(verb)) {
    out += "        '*:lease:(${(f)\"$(estiva leases --names 2>/dev/null)\"})' \\\n";
  } else if (!verb.words.choices.empty()) {
    out += fmt::format("        '1:{}:({})' \\\n", verb.words.name, spaced(verb.words.choices));
  }
  return out + "        '--help[show the options]'\n      ;;\n";
}

std::string zsh_script(std::span<const Verb> verbs) {
  std::string list;
  std::string cases;
  for (const Verb& verb : verbs) {
    list += fmt::format("    '{}:{}'\n", verb.name, zsh_text(verb.summary));
    cases += zsh_verb(verb);
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

std::string fish_flag(const Verb& verb, const Flag& flag) {
  std::string out =
      fmt::format("complete -c estiva -n '__fish_seen_subcommand_from {}' -l {} -d '{}'", verb.name,
                  flag.name.substr(2), fish_text(flag.help));
  if (flag.value.empty()) return out + "\n";
  if (!flag.choices.empty()) return out + fmt::format(" -x -a '{}'\n", spaced(flag.choices));
  return out + (takes_file(flag) ? " -r -F\n" : " -x\n");
}

std::string fish_script(std::span<const Verb> verbs) {
  std::string out =
      "# fish completion for estiva; made by 'estiva completion fish'.\n"
      "complete -c estiva -f\n";
  for (const Verb& verb : verbs) {
    out += fmt::format("complete -c estiva -n __fish_use_subcommand -a {} -d '{}'\n", verb.name,
                       fish_text(verb.summary));
    for (const Flag& flag : verb.flags) out += fish_flag(verb, flag);
    if (!verb.words.choices.empty())
      out += fmt::format("complete -c estiva -n '__fish_seen_subcommand_from {}' -a '{}'\n",
                         verb.name, spaced(verb.words.choices));
    if (names_leases(verb))
      out += fmt::format(
          "complete -c estiva -n '__fish_seen_subcommand_from {}' -a '(estiva leases --names "
          "2>/dev/null)'\n",
          verb.name);
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
