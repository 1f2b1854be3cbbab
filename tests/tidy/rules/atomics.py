# SPDX-License-Identifier: BSD-3-Clause
"""Atomics are C11's, and write their order out."""
import re

from source import matching
from tree import Finding

NAME = "atomics"
WHAT = "in lib/, atomics are <stdatomic.h> with the order written out, never plain reads or writes"

IMPLICIT = re.compile(r"\batomic_(?:load|store|exchange|compare_exchange_strong|compare_exchange_weak|"
                      r"fetch_\w+?|flag_test_and_set|flag_clear)\s*\(")
FOREIGN = re.compile(r"\b(?:__atomic_\w+|__sync_\w+|uatomic_\w+|cmm_\w+|CMM_\w+|rte_atomic\w*|"
                     r"rte_smp_\w+|rte_io_\w*mb|rte_[rw]?mb|rte_compiler_barrier|volatile)\b")
DECLARED = re.compile(r"\b(?:_Atomic(?:\s*\(\s*[\w \t*]+\))?|atomic_(?:u?int|u?long|u?llong|bool|size_t|"
                      r"u?intptr_t|u?int(?:_least|_fast)?\d+_t|u?char|u?short|flag))\b([^;(){}]*);")
FIELD = re.compile(r"(->|\.)\s*(\w+)\b")
STRUCT = re.compile(r"\b(?:struct|union)(?:\s+\w+)?\s*\{")
PLAIN_FIELD = re.compile(r"^[ \t]+(?!.*_Atomic)(?:const\s+)?(?:struct\s+\w+|enum\s+\w+|\w+_t|bool|int|"
                         r"char|void|unsigned(?: int| long)?|long)\s+([^;(){}=]*);", re.M)


def check(tree):
    sources = list(tree.c_sources("lib/"))
    scalars, arrays = atomic_fields(sources, tree.c_sources("include/"))
    for source in sources:
        if source.path.endswith((".bpf.c", ".bpf.h")):
            continue
        for match in IMPLICIT.finditer(source.code):
            if not match[0].rstrip("( ").endswith("_explicit"):
                yield at(source, match, f"{match[0].rstrip('( ')} without a written order")
        for match in FOREIGN.finditer(source.code):
            if match[0] != "volatile" or not is_assembly(source, match):
                yield at(source, match, f"{match[0]}: use <stdatomic.h> with an explicit order")
        for match in FIELD.finditer(source.code):
            if is_plain_use(source.code, match, scalars, arrays):
                yield at(source, match, f"plain use of the atomic field {match[2]}")


def atomic_fields(sources, headers):
    """Names of atomic fields, single ones and arrays; without names that are plain fields too."""
    scalars, arrays, plain = set(), set(), set()
    for source in [*sources, *headers]:
        for struct in STRUCT.finditer(source.code):
            body = source.code[struct.end():matching(source.code, struct.end() - 1)]
            for match in PLAIN_FIELD.finditer(body):
                plain.update(re.findall(r"(\w+)\s*(?:\[[^\]]*\])*\s*(?:,|$)", match[1].strip()))
    for source in sources:
        for match in DECLARED.finditer(source.code):
            for part in match[1].split(","):
                name = re.search(r"(\w+)\s*(\[[^\]]*\]\s*)*(?::\s*\w+\s*)?$", part.strip())
                if name:
                    (arrays if "*" in part or name[2] else scalars).add(name[1])
    return scalars - plain, arrays - plain


def is_assembly(source, match):
    return bool(re.search(r"\b(?:asm|__asm__)\s*$", source.code[:match.start()]))


def is_plain_use(code, match, scalars, arrays):
    name, after = match[2], match.end()
    if name in arrays:
        rest = code[after:].lstrip()
        if not rest.startswith("["):
            return False
    elif name not in scalars:
        return False
    start = expression_start(code, match.start())
    if start == match.start():
        return False  # .name = in an initialiser
    before = code[max(0, start - 40):start].rstrip()
    if before.endswith("&") and not before.endswith("&&"):
        return False
    return not re.search(r"\b(?:sizeof|alignof|_Alignof|offsetof|typeof)\s*\(?$", before)


def expression_start(code, offset):
    """Where the object begins whose field is named at offset: `a->b[i].c` before `->d`."""
    while offset > 0:
        char = code[offset - 1]
        if char in ")]":
            depth = 0
            while offset > 0:
                offset -= 1
                depth += (code[offset] in ")]") - (code[offset] in "([")
                if depth == 0:
                    break
        elif char.isalnum() or char == "_" or char == ".":
            offset -= 1
        elif code[offset - 2:offset] == "->":
            offset -= 2
        else:
            break
    return offset


def at(source, match, text):
    return Finding(source.path, source.line_of(match.start()), text)
