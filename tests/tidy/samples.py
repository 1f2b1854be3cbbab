# SPDX-License-Identifier: BSD-3-Clause
"""Tries each rule on its samples, so that no rule can stop firing unseen.

samples/RULE.txt holds small trees. A tree begins with a heading line and has files and commands:

    == good: what it shows
    == bad: what it shows; fires PATH:LINE [PATH:LINE...]
    -- PATH
    (the file's text, to the next line that begins with '-- ', '== ' or '!! ')
    !! shell command, run in the tree

The rule must find nothing in a good tree, and exactly the named lines in a bad one. Each rule has
at least one of both.
"""
import os
import re
import shutil
import subprocess
import tempfile

import rules
from tree import Tree

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "samples")
HEADING = re.compile(r"^== (good|bad): (.*?)(?:; fires (.*))?$")


def parse(path):
    """The samples of a file: lists of (kind, title, fires, files, commands)."""
    found, current, lines = [], None, None
    with open(path, encoding="utf-8") as file:
        for line in file.read().split("\n"):
            heading = HEADING.match(line)
            if heading:
                current = {"kind": heading[1], "title": heading[2],
                           "fires": set((heading[3] or "").split()), "files": {}, "commands": []}
                found.append(current)
            elif line.startswith("-- ") and current:
                lines = current["files"].setdefault(line[3:], [])
            elif line.startswith("!! ") and current:
                current["commands"].append(line[3:])
            elif current and lines is not None and current["files"]:
                lines.append(line)
    return found


def lay_out(sample, folder, root):
    """Write the sample's files and run its commands."""
    layout = os.path.join(root, ".clang-format")
    if os.path.exists(layout):
        shutil.copy(layout, folder)
    for path, lines in sample["files"].items():
        while lines and lines[-1] == "":
            lines.pop()
        path = os.path.join(folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    for command in sample["commands"]:
        subprocess.run(command, shell=True, cwd=folder, check=True)


def try_sample(rule, sample, root):
    """None when the rule does what the sample says, else what is wrong."""
    with tempfile.TemporaryDirectory(prefix="strowger-tidy-") as folder:
        lay_out(sample, folder, root)
        tree = Tree(folder, os.path.join(folder, "build"))
        found = {f"{finding.path}:{finding.line}" for finding in rules.apply(rule, tree)}
    if found == sample["fires"]:
        return None
    missed = ", ".join(sorted(sample["fires"] - found)) or "nothing"
    extra = ", ".join(sorted(found - sample["fires"])) or "nothing"
    return f"missed {missed}; fired at {extra} without cause"


def try_rules(chosen, root):
    """Run the samples of these rules; returns how many did and did not do what they say."""
    passed = failed = 0
    for rule in chosen:
        path = os.path.join(FOLDER, rule.NAME + ".txt")
        found = parse(path) if os.path.exists(path) else []
        for kind in ("good", "bad"):
            if not any(sample["kind"] == kind for sample in found):
                print(f"tests/tidy/samples/{rule.NAME}.txt:1: samples: has no {kind} sample")
                failed += 1
        for sample in found:
            wrong = try_sample(rule, sample, root)
            if not wrong and (sample["kind"] == "bad") != bool(sample["fires"]):
                wrong = "a bad sample names where it fires, a good one does not"
            if wrong:
                print(f"tests/tidy/samples/{rule.NAME}.txt:1: samples: "
                      f"'{sample['title']}': {wrong}")
            passed += not wrong
            failed += bool(wrong)
    return passed, failed
