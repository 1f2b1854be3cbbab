# SPDX-License-Identifier: BSD-3-Clause
"""C seen by a style checker: comments, code without comments and strings, functions, structs.

It relies on the house layout, which clang-format enforces: a function's name and its braces stand in
the first column, with the return type on the line above the name.
"""
import re
from collections import namedtuple

Comment = namedtuple("Comment", "line last text")
Function = namedtuple("Function", "name line last head start end")

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
FUNCTION = re.compile(r"^(\w+)\(", re.M)
KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "do", "else", "case", "defined"}


def blank(text):
    """The text with everything but line ends turned to spaces."""
    return re.sub(r"[^\n]", " ", text)


class CSource:
    def __init__(self, file):
        self.path = file.path
        self.text = file.text
        self.lines = file.lines
        self.comments = []
        parts, last = [], 0
        for match in TOKEN.finditer(self.text):
            token = match.group()
            parts.append(self.text[last:match.start()])
            if token.startswith(("/*", "//")):
                line = self.line_of(match.start())
                self.comments.append(Comment(line, line + token.count("\n"), token))
                parts.append(blank(token))
            else:
                parts.append(token[0] + blank(token[1:-1]) + token[-1])
            last = match.end()
        parts.append(self.text[last:])
        self.code = "".join(parts)
        self.code_lines = self.code.split("\n")
        self.functions = list(self._functions())

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def _functions(self):
        """Definitions: a name in the first column, its parameters, and a brace in the first column."""
        for match in FUNCTION.finditer(self.code):
            close = matching(self.code, match.end() - 1)
            if close is None or match.group(1) in KEYWORDS:
                continue
            brace = re.compile(r"[^;{}=#]*?\n\{").match(self.code, close + 1)
            end = self.code.find("\n}", brace.end()) if brace else -1
            if end < 0:
                continue
            line = self.line_of(match.start())
            head = self.code_lines[line - 2].strip() if line > 1 else ""
            yield Function(match.group(1), line, self.line_of(end + 1), head,
                           match.start(), end + 2)

    def function_at(self, offset):
        for function in self.functions:
            if function.start <= offset < function.end:
                return function
        return None

    def comment_ending_at(self, line):
        for comment in self.comments:
            if comment.last == line:
                return comment
        return None

    def comments_on(self, first, last):
        return [c for c in self.comments if c.line <= last and c.last >= first]


def matching(code, opening):
    """Offset of the bracket that closes the one at `opening`, or None."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    depth, left, right = 0, code[opening], pairs[code[opening]]
    for offset in range(opening, len(code)):
        if code[offset] == left:
            depth += 1
        elif code[offset] == right:
            depth -= 1
            if depth == 0:
                return offset
    return None


def split_top(text, separator=","):
    """Split at separators that are outside of all brackets."""
    parts, depth, last = [], 0, 0
    for offset, char in enumerate(text):
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == separator and depth == 0:
            parts.append(text[last:offset])
            last = offset + 1
    parts.append(text[last:])
    return [part.strip() for part in parts if part.strip()]


def declared_name(declaration):
    """The name that a parameter or field declaration gives: `int (*fn)(int)`, `char name[8]`."""
    match = re.search(r"\(\s*\*+\s*(\w+)\s*(?:\[[^\]]*\])?\)", declaration)
    if match:
        return match.group(1)
    plain = re.sub(r"\[[^\]]*\]|__attribute__\s*\(\(.*?\)\)|:\s*\w+\s*$", " ", declaration)
    words = re.findall(r"\w+", plain)
    return words[-1] if words else ""
