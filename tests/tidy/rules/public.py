# SPDX-License-Identifier: BSD-3-Clause
"""Public declarations and their doc blocks, for the rules about them."""
import re
from collections import namedtuple

from source import declared_name, matching, split_top

Declaration = namedtuple("Declaration", "name line returns parameters comment")

FUNCTION = re.compile(r"^(?:STW_EXPERIMENTAL\s+)?(?:STW_API|static inline)\b([^;{}()]*?)\b(\w+)\(", re.M)
CALLBACK = re.compile(r"^typedef\b([^;{}()]*)\(\s*\*\s*(\w+)\s*\)\(", re.M)


def doc_above(source, line):
    """The doc block that ends on the line above, or None."""
    comment = source.comment_ending_at(line - 1)
    return comment if comment and comment.text.startswith("/**") else None


def declarations(source, pattern):
    """Functions or callbacks that a public header declares."""
    for match in pattern.finditer(source.code):
        opening = match.end() - 1
        closing = matching(source.code, opening)
        listed = split_top(source.code[opening + 1:closing])
        names = [declared_name(one) for one in listed if one not in ("void", "...")]
        line = source.line_of(match.start())
        returns = " ".join(match[1].replace("STW_EXPERIMENTAL", "").split())
        yield Declaration(match[2], line, returns, names, doc_above(source, line))


def doc_lines(comment):
    """(line number, text) of a doc block without its stars."""
    for offset, line in enumerate(comment.text.split("\n")):
        yield comment.line + offset, re.sub(r"^\s*(/\*\*|\*/|\*)? ?", "", line).rstrip("*/ ")
