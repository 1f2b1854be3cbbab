# SPDX-License-Identifier: BSD-3-Clause
"""The rules. A rule is a module with NAME, WHAT (one line) and check(tree), which yields findings."""
import sys

from . import (atomics, banned, docs, exports, fields, headers, layers, layout, length, licence, names,
               order, words)

ALL = [licence, length, layers, names, docs, fields, order, atomics, banned, words, layout, headers,
       exports]


def choose(wanted):
    """The rules of these names; all of them for None."""
    known = {rule.NAME: rule for rule in ALL}
    for name in wanted or []:
        if name not in known:
            sys.exit(f"tidy: no rule '{name}'; there are: {', '.join(known)}")
    return [known[name] for name in wanted] if wanted else ALL


def apply(rule, tree):
    """What the rule finds in the tree and no comment excuses."""
    found = sorted(set(rule.check(tree)))
    return [finding for finding in found if not tree.is_excused(rule.NAME, finding)]
