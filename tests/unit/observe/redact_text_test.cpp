#include "observe/redact_text.h"

#include <gtest/gtest.h>

namespace estiva::observe {
namespace {

TEST(RedactText, OfSettingsOnlyWhatIsOursStays) {
  const struct {
    const char* line;
    const char* kept;
  } cases[] = {
      {"[placement]", "[placement]\n"},
      {"[s3cr3t section]", "[(replaced)]\n"},
      {"margin = \"100 MiB\" # for bob", "margin = \"100 MiB\"\n"},
      {"interval='500ms'", "interval = '500ms'\n"},
      {"history = false", "history = false\n"},
      {"policy = \"pack\"", "policy = \"pack\"\n"},
      {"[models.bobs-model]", "[models.model-1]\n"},
      {"[models.\"bob/llm:7b\"]", "[models.model-1]\n"},
      {"[acme-corp]", "[(replaced)]\n"},
      {"host = \"10.20.30.40\"", "host = \"(replaced)\"\n"},
      {"host = 10.20.30", "host = \"(replaced)\"\n"},
      {"url = \"1234567890\"", "url = \"(replaced)\"\n"},
      {"vram = \"6GiB\"", "vram = \"6GiB\"\n"},
      {"bobs_key = 1", "(replaced)\n"},
      {"url = \"\"\"", "(replaced)\n"},
      {"url = \"https://bob\"", "url = \"(replaced)\"\n"},
      {"url = 12 # bob", "url = 12\n"},
      {"model_folders = [\"/home/bob\"]", "model_folders = \"(replaced)\"\n"},
      {"bob's key = 1", "(replaced)\n"},
      {"# bob", ""},
      {"bob", ""},
      {"", ""},
      {"url = \"12bobsled\"", "url = \"(replaced)\"\n"},
  };
  for (const auto& c : cases) {
    Redactor redactor;
    EXPECT_EQ(redact_settings(c.line, redactor), c.kept) << c.line;
  }
  Redactor keeps(true);
  EXPECT_EQ(redact_settings("# bob\n", keeps), "# bob\n");
}

TEST(RedactText, OfTheJournalNoSentenceStays) {
  Redactor redactor;
  const std::string text = redact_journal(
      R"({"schema":"estiva/journal/1","bob":1,"records":[)"
      R"({"position":7,"at":"2026-11-28T10:42:51.408Z","kind":"assigned","boot_epoch":1,)"
      R"("subject":"bob","text":"because of bob","gpus":["GPU-1","bob"],"vram_bytes":5,"x":"bob"},)"
      R"({"position":"bob","kind":"bob says\n","subject":"GPU-1","gpus":7},)"
      R"({"kind":"event","subject":"PCI:bob"},{"kind":"event","subject":"PCI:0000:01:00"},{"kind":"released","subject":"bob"},5]})",
      redactor);
  EXPECT_EQ(text.find("bob"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("position":7,"at":"2026-11-28T10:42:51.408Z","kind":"assigned")"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("PCI:0000:01:00"), std::string::npos);
  // The same model twice, the same GPU twice.
  EXPECT_NE(text.find("model-1"), text.rfind("model-1"));
  EXPECT_NE(text.find("GPU-00000000-0000-4000-8000-000000000001"),
            text.rfind("GPU-00000000-0000-4000-8000-000000000001"));
}

TEST(RedactText, WhatIsNoDocumentIsNothing) {
  Redactor redactor;
  for (const char* text : {"", "bob", "{}", R"({"schema":"estiva/status/1"})"}) {
    EXPECT_EQ(redact_journal(text, redactor), "") << text;
    EXPECT_EQ(redact_leases(text, redactor), "") << text;
  }
  EXPECT_EQ(redact_leases(R"({"schema":"estiva/leases/1"})", redactor),
            "{\"schema\":\"estiva/leases/1\",\"leases\":[]}\n");
}

}  // namespace
}  // namespace estiva::observe
