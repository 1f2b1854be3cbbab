# SPDX-License-Identifier: BSD-3-Clause
"""Every access stronger than relaxed says, by a label of the file's order table, why it is.

The table is a comment with the columns "label  where  order  pairs with  without it"; a row begins
with its label (Q1). It stands in the file or in its partner (x.h for x.c, x.c for x.h). The label
stands in a comment within the statement, or in the one right above it: /* Q2, pairs with Q1: ... */
"""
import re

from tree import Finding

NAME = "order"
WHAT = "each ordered access in lib/ carries a label of the file's order table, with that order"

LABEL = re.compile(r"\b[A-Z]{1,3}\d+\b")
LABELLED = re.compile(r"/\*+[\s*]*((?:[A-Z]{1,3}\d+\b(?:\s*(?:,|and)\s*)?)+)")
TABLE = re.compile(r"\blabel\s+where\s+order\s+pairs with\b")
ROW = re.compile(r"^\s*\*?\s*([A-Z]{1,3}\d+)\s{2,}(\S.*)$")
# A row about another file's access, there for its pair: "(session.c)", "(the users')".
ELSEWHERE = re.compile(r"\((?:[\w/]+(?:\.bpf)?\.[ch]|the users')\)")
ORDERED = re.compile(r"\bmemory_order_(acquire|release|acq_rel|seq_cst|consume)\b"
                     r"|\b(rcu_assign_pointer|rcu_xchg_pointer|rcu_cmpxchg_pointer|rcu_dereference)\b")
# What the liburcu calls mean; a row may say either word.
MEANS = {"rcu_assign_pointer": "release", "rcu_xchg_pointer": "seq_cst", "rcu_dereference": "consume",
         "rcu_cmpxchg_pointer": "seq_cst"}


def table_of(source):
    """Rows of the order tables in a file: label -> (line, text of the row)."""
    rows = {}
    for comment in source.comments:
        if not TABLE.search(comment.text):
            continue
        label, in_table = None, False
        for offset, line in enumerate(comment.text.split("\n")):
            in_table = bool(TABLE.search(line)) or (in_table and line.strip(" *") != "")
            row = ROW.match(line)
            if row and in_table:
                label = row[1]
                rows[label] = (comment.line + offset, row[2])
            elif label and in_table and re.match(r"^\s*\*\s{8,}\S", line):
                rows[label] = (rows[label][0], rows[label][1] + " " + line.strip(" *"))
            else:
                label = None
    return rows


def partner_of(tree, source):
    other = source.path[:-1] + ("h" if source.path.endswith(".c") else "c")
    return tree.source(other) if other in tree.paths else None


def statement_around(code, offset):
    """Offsets of the statement (or condition) that an access is part of."""
    first = max(code.rfind(mark, 0, offset) for mark in ";{}") + 1
    last = min((at for at in (code.find(mark, offset) for mark in ";{") if at >= 0),
               default=len(code))
    return first + len(code[first:last]) - len(code[first:last].lstrip()), last


def labels_for(source, offset):
    """Labels in the comments in, beside or right above the statement."""
    first, last = statement_around(source.code, offset)
    first_line, last_line = source.line_of(first), source.line_of(last)
    near = source.comments_on(first_line, last_line)
    above = source.comment_ending_at(first_line - 1)
    if above and source.code_lines[above.line - 1].strip():
        above = None  # it stands behind the statement before
    found = set()
    for comment in near + ([above] if above else []):
        match = LABELLED.match(comment.text)
        if match:
            found.update(LABEL.findall(match[1]))
    return found


def labels_in(source):
    """Labels that stand in front of some comment of the file."""
    matches = [LABELLED.match(comment.text) for comment in source.comments]
    return {label for match in matches if match for label in LABEL.findall(match[1])}


def has_order(row, order):
    words = row.lower().replace("-", "_").replace("sequentially consistent", "seq_cst")
    return order in words or (order == "acq_rel" and "acquire" in words and "release" in words)


def check(tree):
    for source in tree.c_sources("lib/"):
        own = table_of(source)
        partner = partner_of(tree, source)
        rows = {**(table_of(partner) if partner else {}), **own}
        used = labels_in(source) | (labels_in(partner) if partner else set())
        for match in ORDERED.finditer(source.code):
            order = match[1] or MEANS[match[2]]
            labels = labels_for(source, match.start())
            text = wrong_label(labels, rows, order)
            if text:
                yield Finding(source.path, source.line_of(match.start()), f"{match[0]}: {text}")
        for label, (line, row) in own.items():
            if label not in used and "relaxed" not in row and not ELSEWHERE.search(row):
                yield Finding(source.path, line, f"no access carries label {label} of this row")


def wrong_label(labels, rows, order):
    if not labels:
        return "no comment with a label of the order table"
    for label in sorted(labels):
        if label not in rows:
            return f"label {label} is not in the file's order table"
    if not any(has_order(rows[label][1], order) for label in labels):
        return f"the row of {', '.join(sorted(labels))} does not say {order}"
    return None
