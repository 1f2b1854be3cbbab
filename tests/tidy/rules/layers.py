# SPDX-License-Identifier: BSD-3-Clause
"""Who may include whom. A module sees its own folder, lower modules and public headers of its side;
acd and the media side never meet; public headers need nothing but C. A file of the own folder is included
by its bare name, any other by its path from lib/."""
import os
import re

from tree import Finding

NAME = "layers"
WHAT = "includes follow the layers; include/ has nothing from DPDK, liburcu or <stdatomic.h>"

# What each module of lib/ may include beside itself, and which foreign libraries.
LOWER = {
    "base": set(),
    "sync": {"base"},
    "journal": {"base"},
    "acd": {"journal", "sync", "base"},
    "rtp": {"base"},
    "media": {"rtp", "sync", "base"},
    "io": {"media", "rtp", "sync", "base"},
}
FOREIGN = {
    "dpdk": re.compile(r"rte_"),
    "urcu": re.compile(r"urcu"),
    "bpf": re.compile(r"(bpf|xdp)/"),
    "sodium": re.compile(r"sodium"),
}
ALLOWED_FOREIGN = {
    "base": set(), "sync": {"urcu"}, "journal": set(), "acd": {"urcu"}, "rtp": set(), "media": {"dpdk", "sodium", "urcu"},
    "io": {"dpdk", "urcu", "bpf"},
}
# The public headers of each side; a new one is to be entered here.
PUBLIC = {
    "common": {"error", "export", "log", "version"},
    "acd": {"acd", "agent", "agents", "calendar", "channel", "contact", "event", "journal", "numbers",
            "offer", "queue", "requirement", "skill", "stats", "tenant", "transfer"},
    "media": {"address", "consumer", "digits", "fork", "limit", "media", "mix", "playout", "rtp", "session", "srtp",
              "tone", "verdict", "worker"},
}
SIDE = {"base": {"common"}, "sync": {"common"}, "journal": {"common"}, "acd": {"common", "acd"}}
STANDARD_C = {"assert", "errno", "inttypes", "limits", "stdarg", "stdbool", "stddef", "stdint", "string"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)
PUBLIC_BANNED = re.compile(r"\b(_Atomic|atomic_\w+|rte_\w+|rcu_\w+|cds_\w+|urcu_\w+)\b")


def includes(source):
    """(line, '<' or '"', name) of each include that is not in a comment."""
    for match in INCLUDE.finditer(source.text):
        line = source.line_of(match.start())
        if "#" in source.code_lines[line - 1]:
            yield line, match.group(1), match.group(2)


def side_of(header):
    for side, stems in PUBLIC.items():
        if header in {f"strowger/{stem}.h" for stem in stems}:
            return side
    return None


def check(tree):
    for source in tree.c_sources("lib/"):
        module = source.path.split("/")[1]
        if module not in LOWER:
            yield Finding(source.path, 1, f"module '{module}' is not in the list of layers")
            continue
        for line, kind, name in includes(source):
            text = wrong_quoted(tree, os.path.dirname(source.path), name) if kind == '"' else wrong_angled(module, name)
            if text:
                yield Finding(source.path, line, text)
    for source in tree.c_sources("include/"):
        yield from check_public(source)


def wrong_quoted(tree, folder, name):
    module = folder.split("/")[1]
    if name.endswith(".skel.h"):
        return None if module == "io" else "BPF skeletons belong to io"
    if "/" not in name:
        if f"{folder}/{name}" in tree.paths:
            return None
        return f'"{name}" is not in {folder}'
    other = name.split("/")[0]
    if other == module:
        if f"lib/{name}" in tree.paths and os.path.dirname(f"lib/{name}") != folder:
            return None
        return f'a file of the own folder is included as "{os.path.basename(name)}"'
    if other in LOWER[module]:
        return None
    return f"{module} may not include {other}"


def wrong_angled(module, name):
    if name.startswith("strowger/"):
        side = side_of(name)
        if side is None:
            return f"<{name}> is of no side known to tests/tidy/rules/layers.py"
        if side not in SIDE.get(module, {"common", "media"}):
            return f"{module} may not know <{name}>, of the {side} side"
        return None
    for library, pattern in FOREIGN.items():
        if pattern.match(name) and library not in ALLOWED_FOREIGN[module]:
            return f"{module} may not use {library}: <{name}>"
    return None


def check_public(source):
    own_side = side_of(source.path.removeprefix("include/"))
    if own_side is None:
        yield Finding(source.path, 1, "is of no side known to tests/tidy/rules/layers.py")
    for line, kind, name in includes(source):
        side = side_of(name)
        if kind == '"' or not (side or name.removesuffix(".h") in STANDARD_C):
            yield Finding(source.path, line, f"a public header may not include {name}")
        elif side and own_side and side not in ("common", own_side):
            yield Finding(source.path, line, f"{own_side} and {side} never meet: <{name}>")
    for match in PUBLIC_BANNED.finditer(source.code):
        yield Finding(source.path, source.line_of(match.start()),
                      f"{match.group()} may not be in a public header")
