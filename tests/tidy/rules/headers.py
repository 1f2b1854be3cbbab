# SPDX-License-Identifier: BSD-3-Clause
"""Each public header compiles alone, in C and in C++."""
import os
import subprocess

from tree import Finding

NAME = "headers"
WHAT = "each public header compiles alone as C11 and C++11, with gcc and clang, pedantic"

COMPILERS = [
    ["gcc", "-x", "c", "-std=c11"],
    ["clang-14", "-x", "c", "-std=c11"],
    ["g++", "-x", "c++", "-std=c++11"],
    ["clang++-14", "-x", "c++", "-std=c++11"],
]
WARNINGS = ["-pedantic", "-Wall", "-Wextra", "-Wundef", "-Werror"]


def check(tree):
    for source in tree.c_sources("include/"):
        name = os.path.relpath(source.path, "include")
        # Through an include, as users do; twice, as the guard must hold.
        text = f"#include <{name}>\n#include <{name}>\nextern int a_declaration;\n"
        for compiler in COMPILERS:
            result = subprocess.run([*compiler, *WARNINGS, "-Iinclude", "-fsyntax-only", "-"],
                                    cwd=tree.root, input=text, text=True, stderr=subprocess.PIPE)
            if result.returncode:
                yield Finding(source.path, 1, f"{compiler[0]} {compiler[3]}: "
                              f"{first_error(result.stderr)}")


def first_error(text):
    lines = [line for line in text.split("\n") if "error" in line]
    return (lines or text.split("\n"))[0]
