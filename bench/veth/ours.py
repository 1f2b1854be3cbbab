# SPDX-License-Identifier: BSD-3-Clause
"""Our relay, in a namespace, on AF_XDP."""
import os


class Ours:
    """The program bench-veth-relay with one worker on a CPU."""

    name = "ours"

    def __init__(self, network, namespace, folder, program, interface, address, party, cpu, mode):
        self.folder = folder
        self.program = network.Program(namespace, program, interface, address, party[0], party[1], party[2],
                                       cpu, mode)
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

    def stats(self):
        return [int(word) for word in self.program.ask("stats")]

    def quit(self):
        self.program.quit()
