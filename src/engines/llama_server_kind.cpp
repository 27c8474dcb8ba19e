// llama-server of llama.cpp. Its options are those of its --help (0.7.0, build 11669). Put to sleep
// it can't be: it sleeps by itself after a time without requests (--sleep-idle-seconds), and
// nothing asks it to.
#include "engines/program_kind.h"

namespace estiva::engines {

const ProgramKind& llama_server_kind() {
  static const ProgramKind kind{
      // The spec's command is the program with further options ("llama-server", "-ngl", "99").
      .command =
          [](const ModelSpec& spec) {
            std::vector<std::string> words = spec.command;
            if (words.empty()) words = {"llama-server"};
            if (!spec.file.empty()) words.insert(words.end(), {"--model", spec.file});
            // Debian's build listens on 9931 where it is told nothing, upstream's on 8080.
            if (!names_port(spec))
              words.insert(words.end(), {"--host", "127.0.0.1", "--port", std::string(kPortPlace)});
            words.insert(words.end(), {"--alias", spec.model.empty() ? spec.name : spec.model});
            return words;
          },
      .ready_path = "/health",
      .version_words = {"--version"},
  };
  return kind;
}

}  // namespace estiva::engines
