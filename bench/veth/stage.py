# SPDX-License-Identifier: BSD-3-Clause
"""Two namespaces joined by a veth pair, the generator on the one side, a relay on the other; what the
benches on it share: trials, the search of a loss-free rate, arguments."""
import argparse
import contextlib
import json
import os
import signal
import sys
import tempfile

import network

PARTY = ("10.123.1.2", 7000, 7002)
RATE_FIRST = 20000
RATE_MAX = 1000000
LATE_PPM = 20000    # beyond, the generator did not keep the rate


def busy_us(pid):
    """CPU time of a process' threads, exact: the times of /proc/stat are sampled by ticks, which miss short turns."""
    total_ns = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total_ns += int(file.read().split()[0])
    return total_ns / 1000


class Trial:
    """What the generator says of one."""

    def __init__(self, words):
        self.sent, self.received, self.doubled, self.overtaken, self.late_ppm = map(int, words[:5])
        self.latency = [float(word) for word in words[5:8]]
        self.streams_short = int(words[8])

    def is_whole(self):
        return self.received - self.doubled == self.sent


class Stage:
    """A bench derives from it; relays[0] is the relay's address, with more beside it where one is too few."""

    name = None
    addresses = 1
    trial_ms = 2000

    def __init__(self, arguments, folder):
        self.arguments = arguments
        self.folder = folder
        self.relays = [f"10.123.1.{1 + index if index == 0 else 10 + index}" for index in range(self.addresses)]
        self.spaces = (f"{network.PREFIX}g", f"{network.PREFIX}r")
        # A name of its own: the kernel names threads after it.
        self.interface = f"r{os.getpid()}"
        cpus = sorted(os.sched_getaffinity(0))
        self.relay_cpu, self.generator_cpu = cpus[0], cpus[-1]
        self.notes = set()

    def note(self, text):
        if text not in self.notes:
            self.notes.add(text)
            print(json.dumps({"bench": self.name, "note": text}), flush=True)

    def say(self, rival, metric, unit, better, index, ours, theirs):
        print(json.dumps({"bench": self.name, "rival": rival, "metric": metric, "unit": unit, "better": better,
                          "round": index, "ours": ours, "theirs": theirs}), flush=True)

    def run_inside(self, *words, check=True):
        """A command in the relay's namespace."""
        return network.run("ip", "netns", "exec", self.spaces[1], *words, check=check)

    def open(self):
        for space in self.spaces:
            network.make_namespace(space)
        network.make_link((self.spaces[0], "gen"), (self.spaces[1], self.interface))
        network.ip(self.spaces[0], "addr", "add", PARTY[0] + "/24", "dev", "gen")
        for address in self.relays:
            network.ip(self.spaces[1], "addr", "add", address + "/24", "dev", self.interface)
        # A NAPI of its own takes what the relay sends: native XDP on the one end wants it on the other.
        network.run("ip", "netns", "exec", self.spaces[0], "ethtool", "-K", "gen", "gro", "on", check=False)
        self.generator = network.Program(self.spaces[0], self.program("generator"), *PARTY, self.generator_cpu)
        for space in self.spaces:
            network.run("ip", "netns", "exec", space, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0",
                        check=False)
        # Both ends learn each other's link address before the first trial.
        network.run("ip", "netns", "exec", self.spaces[0], "ping", "-c1", "-W2", self.relays[0])

    def close(self):
        with contextlib.suppress(AttributeError):
            self.generator.quit()
        network.remove_namespaces(*self.spaces)

    def program(self, name):
        return os.path.join(self.arguments.build, "bench", f"bench-veth-{name}")

    def trial(self, rate, word="run", ms=None):
        return Trial(self.generator.ask(f"{word} {rate:.0f} {ms or self.trial_ms}"))

    def is_lossfree(self, rate, side):
        """True when a trial was whole, in two tries; None when the generator was too slow."""
        for _ in range(2):
            trial = self.trial(rate)
            if trial.late_ppm > LATE_PPM:
                self.note(f"{side}: at {rate:.0f} packets/s the generator, not the relay, was the limit")
                return None
            if trial.is_whole():
                return True
        return False

    def lossfree(self, side):
        """Highest rate without loss, packets a second."""
        good, rate, step = 0, RATE_FIRST, 1.4
        while rate < RATE_MAX:
            if self.is_lossfree(rate, side):
                good = rate
                rate *= step
                continue
            if step < 1.03 or good == 0:
                break
            step = 1 + (step - 1) / 3
            rate = good * step
        return max(good, 1)

    def rounds(self):
        """Open, let the bench play its rounds, close."""
        try:
            self.open()
            for index in range(self.arguments.rounds):
                self.round(index)
        finally:
            self.close()


def parser_of(text):
    """What each of these benches is asked."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="build directory")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1, help="nothing here is random; taken as all benches do")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--mode", default="adaptive", help="how our worker idles where CPU time is measured")
    return parser


def play(bench_class, arguments):
    """Run a bench of this topology."""
    if os.geteuid() != 0:
        sys.exit(f"{bench_class.name}: network namespaces need root")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="strowger-veth-", dir="/dev/shm") as folder:
        bench_class(arguments, folder).rounds()
