# SPDX-License-Identifier: BSD-3-Clause
"""What a run must not leave behind, looked at from outside, before and after."""

import json

import hugepages
import network
from process import command


def _xdp_ids(kind):
    found = json.loads(command("bpftool", "-j", kind, "show") or "[]")
    return {row["id"] for row in found if row.get("type") == "xdp"}


class Belongings:
    """Other programs come and go on the machine, so only what can be ours is compared: XDP programs
    and links of any name, our namespaces, our links, 2 MiB pages."""

    def __init__(self):
        self.programs = _xdp_ids("prog")
        self.bpf_links = _xdp_ids("link")
        self.namespaces = {n for n in network.namespaces() if n.startswith("strowger-")}
        self.links = {row["ifname"] for row in json.loads(command("ip", "-j", "link"))
                      if row["ifname"].startswith("stw")}
        try:
            self.huge_pages = hugepages.reserved()
        except OSError:
            self.huge_pages = 0

    def left_since(self, before):
        """Counts by kind; all 0 when the run is as if it had never been."""
        return {"bpf_programs": len(self.programs - before.programs),
                "bpf_links": len(self.bpf_links - before.bpf_links),
                "namespaces": len(self.namespaces - before.namespaces),
                "links": len(self.links - before.links),
                "huge_pages": max(0, self.huge_pages - before.huge_pages)}
