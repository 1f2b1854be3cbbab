# SPDX-License-Identifier: BSD-3-Clause
"""What the phones really sent and received: a capture at their own end of the wire."""

import os
import re
import signal

import network
from process import Child, wait_for

BUFFER_MIB = 64


class Capture:
    def __init__(self, place, work, namespace):
        self.path = os.path.join(work, f"{place}.pcapng")
        self.child = Child(f"capture of the {place} (dumpcap)",
                           ["dumpcap", "-q", "-i", network.PHONE_LINK, "-f", "udp",
                            "-B", str(BUFFER_MIB), "-w", self.path],
                           os.path.join(work, f"{place}-capture.log"), namespace, work)
        # dumpcap names its file when the socket is bound and its filter set.
        wait_for(lambda: "File:" in self._said(), 10, self.child, "began")

    def _said(self):
        with open(self.child.log, errors="replace") as log:
            return log.read()

    def stop(self):
        self.child.stop(signal.SIGINT, 10)

    def dropped(self):
        """Packets that the kernel or dumpcap lost: with any, the capture proves nothing."""
        match = re.search(r"received/dropped on interface \S+: (\d+)/(\d+)", self._said())
        if not match:
            raise self.child.failed("did not say how many packets it lost")
        return int(match[2])
