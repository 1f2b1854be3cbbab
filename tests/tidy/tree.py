# SPDX-License-Identifier: BSD-3-Clause
"""The files of a source tree, by kind, read once."""
import os
import re
from collections import namedtuple

from source import CSource

Finding = namedtuple("Finding", "path line text")

SKIPPED_FOLDERS = {".git", "__pycache__"}
EXCUSE = re.compile(r"tidy: allow ([\w-]+), \S+ \S+")


class TextFile:
    """A file's path within the tree, and its text."""

    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            self.text = file.read()
        self.lines = self.text.split("\n")
        if self.lines[-1] == "":
            self.lines.pop()


class Tree:
    def __init__(self, root, build=None):
        self.root = os.path.abspath(root)
        self.build = build and os.path.abspath(build)
        self.paths = sorted(self._walk())
        self.excused = set()
        self._texts = {}
        self._sources = {}

    def _walk(self):
        for folder, folders, names in os.walk(self.root):
            inside = os.path.relpath(folder, self.root)
            folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS
                          and not (inside == "." and name.startswith("build"))]
            for name in names:
                if not os.path.islink(os.path.join(folder, name)):
                    yield os.path.normpath(os.path.join(inside, name))

    def text(self, path):
        if path not in self._texts:
            self._texts[path] = TextFile(self.root, path)
        return self._texts[path]

    def source(self, path):
        if path not in self._sources:
            self._sources[path] = CSource(self.text(path))
        return self._sources[path]

    def c_sources(self, *under):
        """All C files and headers, or those below some folders."""
        for path in self.paths:
            if path.endswith((".c", ".h")) and (not under or path.startswith(under)):
                yield self.source(path)

    def scripts(self):
        """Programs in text that are not C: Python and shell."""
        for path in self.paths:
            if path.endswith((".py", ".sh")) or self._has_interpreter(path):
                yield self.text(path)

    def _has_interpreter(self, path):
        if "." in os.path.basename(path):
            return False
        with open(os.path.join(self.root, path), "rb") as file:
            return file.read(2) == b"#!"

    def is_excused(self, rule, finding):
        """Whether a comment at the line, or right above it, allows it with a reason."""
        if finding.line < 1 or finding.path not in self.paths:
            return False
        lines = self.text(finding.path).lines
        index = min(finding.line, len(lines)) - 1
        near = [lines[index]] if lines else []
        above = index - 1
        while above >= 0 and lines[above].strip().startswith(("/*", "*", "#", "//")):
            near.append(lines[above])
            above -= 1
        for line in near:
            match = EXCUSE.search(line)
            if match and match.group(1) == rule:
                self.excused.add((finding.path, finding.line, rule))
                return True
        return False
