# SPDX-License-Identifier: BSD-3-Clause
"""The switch under trial: started in its namespace, asked for its status, stopped cleanly."""

import json
import os
import re
import signal

from process import Child, Failed, wait_for


class Switch:
    def __init__(self, binary, config, work, namespace):
        self.summary_path = os.path.join(work, "switch-summary.json")
        self.status_path = os.path.join(work, "status.json")
        self.ready = {}
        self.child = Child("the switch", [binary, "--config", config, "--summary",
                                          self.summary_path],
                           os.path.join(work, "switch.log"), namespace, work)

    def wait_ready(self, seconds=30):
        """Until it takes calls; ready then says with which driver and XDP mode."""
        def said_ready():
            with open(self.child.log, errors="replace") as log:
                match = re.search(r"^READY (.*)$", log.read(), re.MULTILINE)
            if match:
                self.ready = dict(word.split("=", 1) for word in match[1].split() if "=" in word)
            return bool(match)
        wait_for(said_ready, seconds, self.child, "took calls")

    def status(self):
        """The newest status file; empty before the first one. It is replaced by rename."""
        try:
            with open(self.status_path) as status:
                return json.load(status)
        except (OSError, ValueError):
            return {}

    def alive(self):
        if self.child.code() is not None:
            raise self.child.failed(f"ended with status {self.child.code()} in mid-run")

    def finish(self):
        """Clean stop; its summary, which it writes after it has released everything."""
        status = self.child.stop(signal.SIGTERM, 15)
        if status != 0:
            raise self.child.failed("did not stop when asked and was killed" if status is None
                                    else f"stopped with status {status}")
        try:
            with open(self.summary_path) as summary:
                return json.load(summary)
        except (OSError, ValueError) as error:
            raise Failed(f"the switch left no readable summary: {error}") from error
