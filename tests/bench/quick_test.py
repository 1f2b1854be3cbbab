#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Each bench still runs, and says what bench/run understands.

Usage: quick_test.py NAME=PATH... [unittest options]

Runs every bench program with --quick, two rounds so that each side goes first once. The figures are
not looked at; that both sides did the same work is checked by the programs themselves.
"""
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "bench"))

import plot  # noqa: E402
import summary  # noqa: E402

PROGRAMS = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
sys.argv[1:] = [argument for argument in sys.argv[1:] if "=" not in argument]
RESULT = ("bench", "rival", "metric", "unit", "better", "ours", "theirs", "ratio", "ratio_min",
          "ratio_max", "rounds")


def quick_lines(name):
    """The raw lines of a quick run; a program that fails raises."""
    done = subprocess.run([PROGRAMS[name], "--quick", "--rounds", "2", "--seed", "7"], check=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


class QuickTest(unittest.TestCase):
    """Has a test for each program, added below."""

    def check_bench(self, name):
        lines = quick_lines(name)
        self.assertEqual({line["bench"] for line in lines}, {name})
        results = list(summary.summarise(lines))
        notes = [line for line in lines if "note" in line]
        self.assertTrue(results or notes, "it printed neither figures nor why there are none")
        for result in results:
            self.assertLessEqual(set(RESULT), set(result))
            self.assertTrue(math.isfinite(result["ratio"]), result)
            self.assertIn(result["better"], ("higher", "lower"))
        if results:
            self.check_plots(lines, results[0])

    def check_plots(self, lines, result):
        """One metric, as each is drawn the same way, and the seconds."""
        if not shutil.which("gnuplot"):
            return
        lines = [line for line in lines if "series" in line or line.get("metric") == result["metric"]
                 and line["rival"] == result["rival"]]
        with tempfile.TemporaryDirectory() as folder:
            paths = plot.draw(lines, folder)
            self.assertEqual(len(paths), 2 + len({line["series"] for line in lines
                                                  if "series" in line}))
            for path in paths:
                self.assertGreater(os.path.getsize(path), 1000, path)

    def test_bench_run_lists_exactly_the_programs_that_are_built(self):
        listed = subprocess.run([os.path.join(ROOT, "bench", "run")], check=True, text=True,
                                stdout=subprocess.PIPE).stdout
        names = {line.split()[0] for line in listed.splitlines()}
        self.assertLessEqual(set(PROGRAMS), names)
        self.assertLessEqual({name for name in names if name.startswith("acd-")}
                             - {"acd-sql", "acd-surge"}, set(PROGRAMS))


def add_test(name):
    def test(self):
        self.check_bench(name)
    setattr(QuickTest, "test_" + name.replace("-", "_"), test)


def main():
    for name in PROGRAMS:
        add_test(name)
    result = unittest.main(module="__main__", verbosity=2, exit=False).result
    failing = len({test.id() for test, _ in result.failures + result.errors})
    print(f"[====] Synthesis: Tested: {result.testsRun} | Passing: {result.testsRun - failing} | "
          f"Failing: {failing} | Crashing: 0")
    sys.exit(1 if failing else 0)


if __name__ == "__main__":
    main()
