# SPDX-License-Identifier: BSD-3-Clause
"""Huge pages of 2 MiB for the packet memory: asked for, used if given, given back at the end."""

import os
import re

from process import command

COUNT = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
PAGES = 96          # 192 MiB: the switch's 128 MiB of packet memory and what EAL adds to it
PAGES_ENOUGH = 80


class HugePages:
    def __init__(self, directory):
        self.directory = directory
        self.before = None
        self.got = 0
        self.mounted = False

    def __enter__(self):
        try:
            self.before = reserved()
            reserve(self.before + PAGES)
            self.got = reserved() - self.before
            if self.got:
                # The mount's name tells the next run what to give back, should we be killed.
                os.makedirs(self.directory)
                command("mount", "-t", "hugetlbfs", "-o", "pagesize=2M",
                        f"strowger-{os.getpid()}-{self.got}", self.directory)
                self.mounted = True
        except Exception:           # a machine that refuses is no failure: we work without
            self._give_back()
            self.got = 0
        except BaseException:
            self._give_back()
            raise
        return self

    def enough(self):
        return self.got >= PAGES_ENOUGH

    def __str__(self):
        if self.enough():
            return f"{self.got} pages of 2 MiB reserved for the run"
        return f"none ({self.got} of {PAGES} pages to be had); the switch takes ordinary memory"

    def _give_back(self):
        if self.mounted:
            command("umount", self.directory, check=False)
            self.mounted = False
        if self.before is not None:
            try:
                reserve(self.before)
            except OSError:
                pass

    def __exit__(self, *_):
        self._give_back()


def reserved():
    with open(COUNT) as count:
        return int(count.read())


def reserve(pages):
    with open(COUNT, "w") as count:
        count.write(str(pages))


def remove_stale():
    """Give back what runs that were killed had reserved."""
    with open("/proc/mounts") as mounts:
        found = re.findall(r"^strowger-(\d+)-(\d+) (\S+) hugetlbfs", mounts.read(), re.MULTILINE)
    for run_id, pages, directory in found:
        if not os.path.exists(f"/proc/{run_id}"):
            command("umount", directory, check=False)
            reserve(max(0, reserved() - int(pages)))
