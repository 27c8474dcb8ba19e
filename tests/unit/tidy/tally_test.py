"""tools/tally counts right, and no failure or unexplained skip gets past it."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]


def case(name, status="run", inside=""):
    return f'<testcase name="{name}" time="0.1" status="{status}">{inside}</testcase>'


def gtest_skip(reason):
    return ('<skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>'
            f"<system-out>a_test.cpp:3: Skipped\n{reason}\n\n[  SKIPPED ] A.b (0 ms)</system-out>")


class Tally(unittest.TestCase):
    def tally(self, cases="", notes=""):
        with tempfile.TemporaryDirectory(prefix="estiva-tally-") as folder:
            path = pathlib.Path(folder)
            (path / "dev.junit.xml").write_text(f"<testsuite>{cases}</testsuite>")
            (path / "results.tsv").write_text(notes)
            done = subprocess.run([sys.executable, str(ROOT / "tools/tally"), folder],
                                  capture_output=True, text=True, check=False)
            return done.returncode, done.stdout

    def last_line(self, **arguments):
        return self.tally(**arguments)[1].splitlines()[-1]

    def test_the_closing_line_adds_both_sources(self):
        self.assertEqual(self.last_line(cases=case("a"), notes="fuzz\tb\tpassed\t5\t\n"),
                         "2 passed, 0 failed, 0 skipped")

    def test_a_failure_is_shown_and_fails(self):
        status, output = self.tally(cases=case("a") + case(
            "b", "fail", '<failure message="Failed"/><system-out>it hurts here</system-out>'))
        self.assertEqual(status, 1)
        self.assertIn("it hurts here", output)

    def test_an_allowed_skip(self):
        status, output = self.tally(cases=case("a") + case("b", "notrun", gtest_skip("no GPU")))
        self.assertEqual((status, output.splitlines()[-1]), (0, "1 passed, 0 failed, 1 skipped"))

    def test_a_skip_for_any_other_reason_fails(self):
        status, output = self.tally(cases=case("a") + case("b", "notrun", gtest_skip("no time")))
        self.assertEqual((status, output.splitlines()[-1]), (1, "1 passed, 1 failed, 0 skipped"))

    def test_a_reason_of_ordinary_users_does_not_excuse_root(self):
        skip = case("b", "notrun", gtest_skip("mount namespaces are not permitted here"))
        self.assertEqual(self.tally(cases=case("a") + skip)[0], 1 if os.geteuid() == 0 else 0)

    def test_a_test_that_could_not_start_fails(self):
        self.assertEqual(self.tally(cases=case("a") + case("b_NOT_BUILT", "notrun"))[0], 1)

    def test_nothing_at_all_is_no_success(self):
        self.assertEqual(self.tally()[0], 1)


if __name__ == "__main__":
    unittest.main()
