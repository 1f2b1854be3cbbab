# SPDX-License-Identifier: BSD-3-Clause
"""Words that do not belong into the tree."""
import re

from tree import Finding

NAME = "words"
WHAT = "no unfinished-work marks, no machine's paths, no 'lockless'; text without trailing blanks"

WORDS = [
    (re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"), "marks unfinished work; finish it or open an issue"),
    (re.compile(r"\block-?less(ly)?\b", re.I), "say lock-free or wait-free, whichever it is"),
    (re.compile(r"(?<![\w./])/(home|root|tmp/wt|work)/\w"), "a path of somebody's machine"),
    (re.compile(r"[ \t]+$"), "blanks at the end of the line"),
]
TEXT = (".c", ".h", ".py", ".sh", ".md", ".txt", ".build", ".yaml", ".yml", ".xml", ".map", ".supp", ".gp")
# These name the words in order to find them, and law texts are as they are.
EXEMPT = ("tests/tidy/", "LICENSE")


def check(tree):
    scripts = {script.path for script in tree.scripts()}
    for path in tree.paths:
        if path.startswith(EXEMPT) or not (path.endswith(TEXT) or path in scripts):
            continue
        for number, line in enumerate(tree.text(path).lines, 1):
            for pattern, why in WORDS:
                match = pattern.search(line)
                if match:
                    yield Finding(path, number, f"'{match[0].strip()}': {why}" if match[0].strip() else why)
