# SPDX-License-Identifier: BSD-3-Clause
"""Each field of a public struct and each constant of a public enum says what it is."""
import re

from source import matching
from tree import Finding

NAME = "fields"
WHAT = "public structs, enums, their fields and constants each have a doc comment"

OPENING = re.compile(r"\b(struct|union|enum)(?:\s+(\w+))?(?:\s+__attribute__\s*\(\([^)]*\)\))?\s*\{")


def check(tree):
    for source in tree.c_sources("include/"):
        for match in OPENING.finditer(source.code):
            brace = match.end() - 1
            if match[2] and not is_documented(source, match.start(), match.start(), False):
                yield Finding(source.path, source.line_of(match.start()),
                              f"{match[1]} {match[2]} has no doc comment")
            for first, last in members(source.code, brace, "," if match[1] == "enum" else ";"):
                if not is_documented(source, first, last, True):
                    name = " ".join(source.code[first:last].split())
                    yield Finding(source.path, source.line_of(first), f"'{name}' has no doc comment")


def members(code, brace, separator):
    """(first, last) offsets of what is declared between braces; nested structs as one member."""
    closing = matching(code, brace)
    offset = first = brace + 1
    while offset <= closing:
        char = code[offset]
        if char in "{([" and offset != closing:
            offset = matching(code, offset)
        elif char == separator or offset == closing:
            if code[first:offset].strip():
                start = first + len(code[first:offset]) - len(code[first:offset].lstrip())
                yield start, first + len(code[first:offset].rstrip())
            first = offset + 1
        offset += 1


def is_documented(source, first, last, may_follow):
    """A '/**' comment ends above, or a '/**<' one begins where the declaration ends."""
    above = source.comment_ending_at(source.line_of(first) - 1)
    if above and above.text.startswith("/**") and not above.text.startswith("/**<"):
        return True
    if not may_follow:
        return False
    line = source.line_of(last)
    after = [c for c in source.comments_on(line, line) if c.line == line]
    if any(comment.text.startswith("/**<") for comment in after):
        return True
    # Parts of a nested struct are members of their own; the whole may go without.
    return "{" in source.code[first:last]
