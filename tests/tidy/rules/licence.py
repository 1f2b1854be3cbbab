# SPDX-License-Identifier: BSD-3-Clause
"""Each source begins with its licence, and each file of the product says what it is."""
from tree import Finding

NAME = "licence"
WHAT = "first line is the SPDX line; a comment that says what the file is follows"

PLAIN = "SPDX-License-Identifier: BSD-3-Clause"
KERNEL = "SPDX-License-Identifier: (BSD-3-Clause OR GPL-2.0-only)"
EXPLAINED = ("lib/", "include/", "bench/", "examples/")


def check(tree):
    for source in tree.c_sources():
        wanted = f"/* {KERNEL if source.path.endswith('.bpf.c') else PLAIN} */"
        if not source.lines or source.lines[0] != wanted:
            yield Finding(source.path, 1, f"first line is not {wanted}")
        elif source.path.startswith(EXPLAINED) and not is_explained(source):
            yield Finding(source.path, 2, "no comment says what the file is")
    for script in tree.scripts():
        after_interpreter = script.lines[1:2] if script.text.startswith("#!") else script.lines[:1]
        if after_interpreter != [f"# {PLAIN}"]:
            yield Finding(script.path, 1, f"no line # {PLAIN} at its head")


def is_explained(source):
    return len(source.lines) > 1 and source.lines[1].startswith("/*")
