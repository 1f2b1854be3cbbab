# SPDX-License-Identifier: BSD-3-Clause
"""Headers are the contract: each public function and callback is described in full."""
import re

from tree import Finding

from .public import CALLBACK, FUNCTION, declarations, doc_lines

NAME = "docs"
WHAT = "public functions have @param, @return, Threads:, Progress: and Order:"

PROGRESS = re.compile(r"wait-free \(bound:? \S|lock-free\b|blocking \(waits for \S")


def check(tree):
    for source in tree.c_sources("include/"):
        for function in declarations(source, FUNCTION):
            for text in wrong_in(function, True):
                yield Finding(source.path, function.line, f"{function.name}: {text}")
        for callback in declarations(source, CALLBACK):
            for text in wrong_in(callback, False):
                yield Finding(source.path, callback.line, f"{callback.name}: {text}")


def wrong_in(declaration, is_function):
    if not declaration.comment:
        yield "no doc block above it"
        return
    text = "\n".join(line for _, line in doc_lines(declaration.comment))
    documented = re.findall(r"^@param (\w+) +\S", text, re.M)
    for name in declaration.parameters:
        if name not in documented:
            yield f"no line '@param {name}  ...'"
    for name in documented:
        if name not in declaration.parameters:
            yield f"@param {name} is no parameter"
    if declaration.returns != "void" and not re.search(r"^@return \S", text, re.M):
        yield "no @return"
    if declaration.returns == "void" and re.search(r"^@return", text, re.M):
        yield "@return, but it returns nothing"
    if is_function:
        yield from wrong_promises(text)


def wrong_promises(text):
    for promise in ("Threads", "Progress", "Order"):
        found = re.findall(rf"^{promise}: +(\S.*(?:\n +\S.*)*)$", text, re.M)
        if len(found) != 1:
            yield f"no line '{promise}: ...'" if not found else f"more than one line '{promise}:'"
        elif promise == "Progress" and not PROGRESS.match(" ".join(found[0].split())):
            yield "Progress is one of: wait-free (bound N), lock-free, blocking (waits for X)"
