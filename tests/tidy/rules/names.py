# SPDX-License-Identifier: BSD-3-Clause
"""Prefixes, and typedef for callbacks only."""
import re

from tree import Finding

NAME = "names"
WHAT = "stw_/STW_ on everything public, module's or file's prefix across files, typedef for callbacks only"

DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.M)
TAG = re.compile(r"\b(struct|union|enum)\s+(\w+)\s*\{")
TYPEDEF = re.compile(r"\btypedef\b([^;{]*(?:\{[^}]*\})?[^;]*);")
CALLBACK = re.compile(r"\(\s*\*\s*(\w+)\s*\)\s*\(")
ENUM = re.compile(r"\benum\b[^;{]*\{([^}]*)\}")
DECLARED = re.compile(r"^STW_API\b[^;{]*?\b(\w+)\(", re.M)
INLINE = re.compile(r"^static inline\b[^;{=]*?\b(\w+)\(", re.M)


def check(tree):
    for source in tree.c_sources("include/"):
        yield from check_public(source)
    for source in tree.c_sources("include/", "lib/", "bench/", "examples/"):
        for match in TYPEDEF.finditer(source.code):
            yield from check_typedef(source, match)
    for source in tree.c_sources("lib/"):
        if source.path.endswith(".c") and not source.path.endswith(".bpf.c"):
            yield from check_internal(tree, source)


def check_public(source):
    guard = re.compile(r"^STROWGER_\w+_H$")
    for match in DEFINE.finditer(source.code):
        if not match[1].startswith("STW_") and not guard.match(match[1]):
            yield at(source, match, f"public macro {match[1]} is not STW_...")
    for match in TAG.finditer(source.code):
        if not match[2].startswith("stw_"):
            yield at(source, match, f"public {match[1]} {match[2]} is not stw_...")
    for match in ENUM.finditer(source.code):
        for entry in match[1].split(","):
            name = re.match(r"\s*(\w+)", entry)
            if name and not name[1].startswith("STW_"):
                offset = match.start(1) + match[1].find(name[1])
                yield Finding(source.path, source.line_of(offset),
                              f"public constant {name[1]} is not STW_...")
    for pattern in (DECLARED, INLINE):
        for match in pattern.finditer(source.code):
            if not match[1].startswith("stw_"):
                yield at(source, match, f"public function {match[1]} is not stw_...")


def check_typedef(source, match):
    name = CALLBACK.search(match[1])
    if not name:
        yield at(source, match, "typedef is for callbacks only")
    elif not name[1].endswith("_fn"):
        yield at(source, match, f"a callback's type ends in _fn: {name[1]}")
    elif source.path.startswith("include/") and not name[1].startswith("stw_"):
        yield at(source, match, f"public type {name[1]} is not stw_...")


def check_internal(tree, source):
    prefixes = prefixes_of(tree, source)
    for function in source.functions:
        if " static " in f" {function.head} ":
            continue
        declared_in = headers_with(tree, source, function.name)
        if not function.name.startswith(tuple(prefixes + declared_in)):
            yield Finding(source.path, function.line, f"{function.name} is seen by other files but "
                          f"begins with none of {', '.join(prefixes + declared_in)}; or is it static?")


def first_word(path):
    """The subject that a file's name begins with, in the singular: stage of stages.h."""
    return re.sub(r"(?<=[^s])s$", "", path.split("/")[-1].split(".")[0].split("_")[0])


def prefixes_of(tree, source):
    """The module's name or the file's, which is as good: port_open in io/port.c."""
    word = first_word(source.path)
    return ["stw_", source.path.split("/")[1] + "_", word + "_", word + "s_"]


def headers_with(tree, source, name):
    """Prefixes from the headers of the same module that declare the function."""
    folder = "/".join(source.path.split("/")[:2]) + "/"
    return [first_word(path) + "_" for path in tree.paths
            if path.startswith(folder) and path.endswith(".h")
            and re.search(rf"\b{name}\(", tree.source(path).code)]


def at(source, match, text):
    return Finding(source.path, source.line_of(match.start()), text)
