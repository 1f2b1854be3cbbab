# SPDX-License-Identifier: BSD-3-Clause
"""The shared libraries export what the headers promise, all of it and nothing else."""
import glob
import os
import subprocess

from tree import Finding

from .public import FUNCTION, declarations

NAME = "exports"
WHAT = "the shared libraries export stw_* only, and every public function"

# For the library itself, in base/base.h: both libraries report broken invariants to one handler.
INTERNAL = {"stw_panic"}


def check(tree):
    libraries = libraries_of(tree)
    if not libraries:
        yield Finding("lib/meson.build", 1, "no shared library is built; give --build DIR")
        return
    exported = set()
    for library in libraries:
        path = os.path.relpath(library, tree.root)
        for symbol in symbols_of(library):
            exported.add(symbol)
            if not symbol.startswith("stw_"):
                yield Finding(path, 0, f"exports {symbol}")
    promised = set()
    for source in tree.c_sources("include/"):
        for function in declarations(source, FUNCTION):
            promised.add(function.name)
            is_inline = "inline" in source.lines[function.line - 1]
            if function.name not in exported and not is_inline:
                yield Finding(source.path, function.line, f"no library exports {function.name}")
    for symbol in sorted(exported - promised - INTERNAL):
        if symbol.startswith("stw_"):
            yield Finding("include/strowger", 0, f"no header declares {symbol}, which is exported")


def libraries_of(tree):
    """The built libraries, without the links to them."""
    found = glob.glob(os.path.join(tree.build or tree.root, "lib", "libstrowger*.so*"))
    return sorted(path for path in found if os.path.isfile(path) and not os.path.islink(path))


def symbols_of(library):
    """Names of the functions and data that a shared library defines for others."""
    text = subprocess.run(["nm", "-D", "--defined-only", library], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    for line in text.splitlines():
        words = line.split()
        if words[-2] != "A":  # version nodes
            yield words[-1].split("@")[0]
