# SPDX-License-Identifier: BSD-3-Clause
"""Our relay, in a namespace, on AF_XDP."""
import os
import time

PLACE_SECONDS_MAX = 30


class Ours:
    """The program bench-veth-relay with one worker on a CPU."""

    name = "ours"

    def __init__(self, network, namespace, folder, program, interface, addresses, party, cpu, mode, place="worker"):
        self.folder = folder
        self.place = place
        self.program = network.Program(namespace, program, interface, ",".join(addresses), party[0], party[1],
                                       party[2], cpu, mode, place)
        if self.program.hello[:1] != ["ready"]:
            raise OSError(f"our relay: {self.program.lines()}")

    def add_calls(self, count, path, recorded):
        """Add calls, their ports to a file; microseconds of the control thread's CPU for it."""
        words = f"calls {count} {path}"
        if recorded:
            folder = os.path.join(self.folder, "forks")
            os.makedirs(folder, exist_ok=True)
            for name in os.listdir(folder):
                os.unlink(os.path.join(folder, name))
            words += f" {folder}"
        return float(self.program.ask(words)[1])

    def pid(self):
        """The relay's own: `ip netns exec` becomes the program."""
        return self.program.process.pid

    def settle(self, nudge):
        """Wait until all legs are where they shall be; after loss or a pause they need some packets for it."""
        deadline = time.monotonic() + PLACE_SECONDS_MAX
        while self.place == "kernel":
            legs, inside, reasons = self.program.ask("place")
            if legs == inside:
                return
            if time.monotonic() > deadline:
                raise OSError(f"of {legs} legs {inside} are inside the kernel: reasons {reasons}")
            nudge()
            time.sleep(0.1)

    def stats(self):
        return [int(word) for word in self.program.ask("stats")]

    def quit(self):
        self.program.quit()
