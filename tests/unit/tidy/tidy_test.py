"""Every check of tools/tidy finds what it is for, and lets the right thing pass."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))
from tidylib import coverage, definitions, headers, lengths, rooms, tree, words  # noqa: E402


class Tree(unittest.TestCase):
    """A small source tree of its own for each test."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="estiva-tidy-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.build = self.root / "build"

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def found(self, check):
        return check(self.root, self.build)


class Rooms(Tree):
    def test_a_room_below_may_not_include_one_above(self):
        self.write("src/model/a.h", '#include "gpu/gpu.h"\n')
        self.assertIn("model may not include gpu", self.found(rooms.check_includes)[0])

    def test_a_room_above_may_include_one_below(self):
        self.write("src/gpu/a.h", '#include "model/gpu.h"\n#include <vector>\n')
        self.assertEqual(self.found(rooms.check_includes), [])

    def test_nobody_includes_the_cli(self):
        self.write("src/daemon/a.cpp", '#include "cli/verb.h"\n')
        self.assertEqual(len(self.found(rooms.check_includes)), 1)

    def test_the_product_never_includes_the_simulator(self):
        self.write("src/cli/a.cpp", '#include "sim/core/state.h"\n')
        self.assertIn("simulator", self.found(rooms.check_includes)[0])

    def test_the_simulator_never_includes_the_product(self):
        self.write("src/base/units.h", "")
        self.write("sim/core/a.cpp", '#include "base/units.h"\n#include "sim/core/state.h"\n')
        self.assertIn("may not include base/units.h", self.found(rooms.check_includes)[0])

    def test_a_link_follows_the_same_order(self):
        self.write("src/net/CMakeLists.txt", "estiva_room(net SOURCES a.cpp DEPS estiva_base estiva_daemon)")
        self.assertIn("net may not link daemon", self.found(rooms.check_includes)[0])

    def test_a_room_that_is_not_on_the_map(self):
        self.write("src/cellar/a.h", "")
        self.assertIn("not on the map", self.found(rooms.check_includes)[0])

    def test_decide_may_not_read_the_clock(self):
        self.write("src/decide/a.cpp", "auto t = steady_now();\nauto u = std::chrono::system_clock::now();\n")
        self.assertEqual(len(self.found(rooms.check_purity)), 2)

    def test_decide_may_not_open_files(self):
        self.write("src/decide/a.cpp", "#include <fstream>\n")
        self.assertEqual(len(self.found(rooms.check_purity)), 1)

    def test_a_comment_about_the_clock_is_no_call(self):
        self.write("src/decide/a.cpp", "// never calls steady_now()\n#include <chrono>\n")
        self.assertEqual(self.found(rooms.check_purity), [])

    def test_vendor_headers_stay_in_cpp_files(self):
        self.write("src/net/a.h", "#include <boost/asio/awaitable.hpp>\n#include <boost/json.hpp>\n")
        self.write("src/net/a.cpp", "#include <boost/json.hpp>\n")
        self.assertEqual(len(self.found(rooms.check_vendor_headers)), 1)

    def test_two_types_of_one_name_in_one_namespace(self):
        self.write("src/base/a.h", "namespace estiva {\nstruct Place {\n};\nnamespace a {\nstruct Own {\n};\n}  // namespace a\n}  // namespace estiva\n")
        self.write("src/net/b.cpp", "namespace estiva {\nnamespace {\nstruct Own {\n};\n}  // namespace\nenum class Place {\n};\n}  // namespace estiva\n")
        self.assertEqual(len(self.found(definitions.check_definitions)), 1)

    def test_two_lists_of_one_types_members(self):
        self.write("src/base/a.cpp", "static void fields(Io& io, Share& share) {\n")
        self.write("src/net/b.cpp", "static void fields(Io& io, model::Share& share) {\n")
        self.assertEqual(len(self.found(definitions.check_definitions)), 1)


class Headers(Tree):
    def test_a_header_that_needs_another_first(self):
        self.write("src/base/a.h", "#pragma once\nstd::string name();\n")
        self.assertIn("does not compile alone", self.found(headers.check_headers)[0])

    def test_the_verdict_is_renewed_when_a_header_below_changes(self):
        self.write("src/base/a.h", '#pragma once\n#include "base/b.h"\nB value();\n')
        self.write("src/base/b.h", "#pragma once\nstruct B {};\n")
        self.assertEqual(self.found(headers.check_headers), [])
        self.write("src/base/b.h", "#pragma once\n")
        self.assertEqual(len(self.found(headers.check_headers)), 1)


class Lengths(Tree):
    def test_a_file_of_501_lines(self):
        self.write("src/base/a.cpp", "int a;\n" * 501)
        self.write("src/base/b.cpp", "int b;\n" * 500)
        self.assertEqual(len(self.found(lengths.check_lengths)), 1)

    def test_functions_are_found_and_measured(self):
        source = ("namespace a {\nstruct S : Base {\n  int f() const { return 1; }\n"
                  "  S(int x) : a_{x}, b_(x) {\n    g();\n  }\n};\n"
                  'void g() {\n  if (x) {\n    h("}");\n  }\n  // }\n}\nint table[] = {\n1,\n2};\n}\n')
        self.assertEqual([length for _, length in lengths.functions(source)], [1, 3, 6])


class Words(Tree):
    def test_what_is_left_undone(self):
        self.write("src/base/a.cpp", "// FIX" "ME later\n")
        self.write("docs/a.md", "TO" "DO\n")
        self.assertEqual(len(self.found(words.check_words)), 2)

    def test_paths_and_mirrors_of_one_machine(self):
        self.write("tools/x", "cd /wo" "rk/main\nmirror http://deb.deb" "ian.org/\n")
        self.assertEqual(len(self.found(words.check_words)), 2)

    def test_ordinary_words_pass(self):
        self.write("docs/a.md", "The worker reads /var/lib/estiva and network/tcp.\n")
        self.assertEqual(self.found(words.check_words), [])

    def test_a_link_to_nowhere(self):
        self.write("docs/a.md", "[b](b.md) [c](c.md#part) [web](https://a.example/x) [here](#part)\n")
        self.write("docs/b.md", "")
        (violation,) = self.found(words.check_links)
        self.assertIn("c.md does not exist", violation)

    def test_a_message_file_without_a_room(self):
        self.write("src/base/messages/kitchen.h", "namespace estiva::msg {}\n")
        self.assertEqual(len(self.found(words.check_messages)), 1)


class Coverage(Tree):
    def setUp(self):
        super().setUp()
        self.build.mkdir()
        (self.build / "CTestTestfile.cmake").write_text(
            'add_test(real.one "true")\nadd_test(real.two "true")\n')

    def table(self, proof):
        self.write("docs/coverage.md", f"| Statement | Where | Test |\n|---|---|---|\n| a | b | {proof} |\n")
        return self.found(coverage.check_coverage)

    def test_a_test_that_exists(self):
        self.assertEqual(self.table("`real.one`, `real.*`"), [])

    def test_a_test_that_is_absent(self):
        self.assertIn("no test imagined", self.table("`imagined.one`")[0])

    def test_not_yet_is_an_honest_answer_and_silence_is_not(self):
        self.assertEqual(self.table("not yet"), [])
        self.assertEqual(len(self.table("surely")), 1)

    def test_a_test_that_was_skipped_proves_nothing(self):
        self.write("build/log/dev.junit.xml", '<testsuite><testcase name="real.one" status="notrun">'
                   '<skipped message="SKIP"/></testcase></testsuite>')
        self.assertIn("skipped", self.table("`real.one`")[0])


class WholeTool(Tree):
    def test_a_violation_ends_with_exit_1_and_an_unknown_check_with_2(self):
        self.write("src/model/a.h", '#include "gpu/gpu.h"\n')
        run = [sys.executable, str(ROOT / "tools/tidy"), "--root", str(self.root)]
        self.assertEqual(subprocess.run([*run, "includes"], capture_output=True).returncode, 1)
        self.assertEqual(subprocess.run([*run, "vendors"], capture_output=True).returncode, 0)
        self.assertEqual(subprocess.run([*run, "spelling"], capture_output=True).returncode, 2)

    def test_bare_text_keeps_its_lines(self):
        source = 'a // b\n"c\\"d" /* e\nf */ g\n'
        self.assertEqual(tree.bare(source).count("\n"), source.count("\n"))
        self.assertNotIn("c", tree.bare(source))


if __name__ == "__main__":
    unittest.main()
