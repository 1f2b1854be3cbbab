# SPDX-License-Identifier: BSD-3-Clause
"""clang-format decides; nobody argues."""
import re
import subprocess

from tree import Finding

NAME = "layout"
WHAT = "all C is as clang-format-14 would write it"

ERROR = re.compile(r"^(.*?):(\d+):\d+: error: ", re.M)


def check(tree):
    paths = [source.path for source in tree.c_sources()]
    if not paths:
        return
    result = subprocess.run(["clang-format-14", "--dry-run", "-Werror", *paths], cwd=tree.root,
                            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    first = {}
    for path, line in ERROR.findall(result.stderr):
        first.setdefault(path, int(line))
    for path, line in first.items():
        yield Finding(path, line, f"not in the house layout; run clang-format-14 -i {path}")
    if result.returncode and not first:
        yield Finding(".clang-format", 1, f"clang-format-14 fails: {result.stderr[:200]}")
