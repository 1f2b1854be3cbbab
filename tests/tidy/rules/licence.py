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
        wanted = licences_of(source.path)
        if not source.lines or source.lines[0] not in wanted:
            yield Finding(source.path, 1, f"first line is not {' or '.join(wanted)}")
        elif source.path.startswith(EXPLAINED) and not is_explained(source):
            yield Finding(source.path, 2, "no comment says what the file is")
    for script in tree.scripts():
        after_interpreter = script.lines[1:2] if script.text.startswith("#!") else script.lines[:1]
        if after_interpreter != [f"# {PLAIN}"]:
            yield Finding(script.path, 1, f"no line # {PLAIN} at its head")


def licences_of(path):
    """What goes into the kernel is under both; a header of lib/io may be shared with it."""
    if path.endswith((".bpf.c", ".bpf.h")):
        return [f"/* {KERNEL} */"]
    if path.startswith("lib/io/") and path.endswith(".h"):
        return [f"/* {PLAIN} */", f"/* {KERNEL} */"]
    return [f"/* {PLAIN} */"]


def is_explained(source):
    return len(source.lines) > 1 and source.lines[1].startswith("/*")
