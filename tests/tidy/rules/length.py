# SPDX-License-Identifier: BSD-3-Clause
"""A function fits a screen, and a file has one subject."""
import ast

from tree import Finding

NAME = "length"
WHAT = "functions of at most 70 lines, files of at most 500"

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500


def check(tree):
    for file in list(tree.c_sources()) + list(tree.scripts()):
        if len(file.lines) > FILE_LINES_MAX:
            yield Finding(file.path, len(file.lines),
                          f"{len(file.lines)} lines; a file has at most {FILE_LINES_MAX}")
    for source in tree.c_sources():
        for function in source.functions:
            yield from too_long(source.path, function.name, function.line, function.last)
    for script in tree.scripts():
        if script.path.endswith(".py") or "python" in script.lines[0]:
            for node in ast.walk(ast.parse(script.text)):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    yield from too_long(script.path, node.name, node.lineno, node.end_lineno)


def too_long(path, name, first, last):
    lines = last - first + 1
    if lines > FUNCTION_LINES_MAX:
        yield Finding(path, first,
                      f"{name} has {lines} lines; a function has at most {FUNCTION_LINES_MAX}")
