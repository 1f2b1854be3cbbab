#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Bench relay-veth: our relay on AF_XDP beside Debian's rtpengine in user space, in turns, on one
topology (two namespaces joined by a veth pair) with one generator on the other core.

Metrics, ours and theirs:
  lossfree          highest rate at which every packet of a trial came back, packets a second
  cpu-RATE          CPU time of the relay's threads at a rate, with the interrupts that come while they run (not
                    those that come while the core idles), idle floor taken off, microseconds a packet
  latency-WHAT      from the sender's call to the receiver's, through the relay, at 10,000 packets a second
  memory, setup     resident bytes and CPU microseconds a call
  recorded-...      the same with one recording of both sides of each call
"""
import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "veth"), os.path.join(os.path.dirname(HERE), "tests", "net")]

import network  # noqa: E402
from ours import Ours  # noqa: E402
from rtpengine import PROGRAM, Rtpengine  # noqa: E402

BENCH = "relay-veth"
RELAY, PARTY = "10.123.1.1", ("10.123.1.2", 7000, 7002)
RATES = (10000, 50000, 100000)
RATE_MAX = 1000000
LATE_PPM = 20000    # beyond, the generator did not keep the rate


def busy_us(pid):
    """CPU time of a process' threads, exact: the times of /proc/stat are sampled by ticks, which miss short turns."""
    total_ns = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total_ns += int(file.read().split()[0])
    return total_ns / 1000


def resident_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
    return 0


class Trial:
    """What the generator says of one."""

    def __init__(self, words):
        self.sent, self.received, self.doubled, self.overtaken, self.late_ppm = map(int, words[:5])
        self.latency = [float(word) for word in words[5:8]]
        self.streams_short = int(words[8])

    def is_whole(self):
        return self.received - self.doubled == self.sent


class Bench:
    def __init__(self, arguments, folder):
        self.arguments = arguments
        self.folder = folder
        self.calls = 100 if arguments.quick else 1000
        self.trial_ms = 300 if arguments.quick else 2000
        self.spaces = (f"{network.PREFIX}g", f"{network.PREFIX}r")
        cpus = sorted(os.sched_getaffinity(0))
        self.relay_cpu, self.generator_cpu = cpus[0], cpus[-1]
        self.notes = set()

    def note(self, text):
        if text not in self.notes:
            self.notes.add(text)
            print(json.dumps({"bench": BENCH, "note": text}), flush=True)

    def open(self):
        for space in self.spaces:
            network.make_namespace(space)
        network.make_link((self.spaces[0], "gen"), (self.spaces[1], "relay"))
        network.ip(self.spaces[0], "addr", "add", PARTY[0] + "/24", "dev", "gen")
        network.ip(self.spaces[1], "addr", "add", RELAY + "/24", "dev", "relay")
        # A NAPI of its own takes what the relay sends: native XDP on the one end wants it on the other.
        network.run("ip", "netns", "exec", self.spaces[0], "ethtool", "-K", "gen", "gro", "on", check=False)
        self.generator = network.Program(self.spaces[0], self.program("generator"), *PARTY, self.generator_cpu)
        for space in self.spaces:
            network.run("ip", "netns", "exec", space, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0",
                        check=False)
        # Both ends learn each other's link address before the first trial.
        network.run("ip", "netns", "exec", self.spaces[0], "ping", "-c1", "-W2", RELAY)

    def program(self, name):
        return os.path.join(self.arguments.build, "bench", f"bench-veth-{name}")

    def close(self):
        with contextlib.suppress(AttributeError):
            self.generator.quit()
        network.remove_namespaces(*self.spaces)

    def make(self, side, mode):
        if side == "ours":
            return Ours(network, self.spaces[1], self.folder, self.program("relay"), "relay", RELAY, PARTY,
                        self.relay_cpu, mode)
        return Rtpengine(network, self.spaces[1], self.folder, RELAY, PARTY, self.relay_cpu)

    def set_up(self, relay, recorded):
        """Calls, known to the generator and latched; CPU and memory for each."""
        path = os.path.join(self.folder, "ports")
        before = resident_bytes(relay.pid())
        used_us = relay.add_calls(self.calls, path, recorded)
        grown = resident_bytes(relay.pid()) - before
        self.generator.ask(f"calls {RELAY} {path}")
        self.generator.ask("latch")
        return {"setup": used_us / self.calls, "memory": max(grown, 1) / self.calls}

    def trial(self, rate):
        return Trial(self.generator.ask(f"run {rate:.0f} {self.trial_ms}"))

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
        good, rate, step = 0, 20000, 1.4
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

    def cpu(self, relay, rate, floor_us):
        """Microseconds of the relay's threads a packet, without what it takes when nothing comes."""
        before, begun = busy_us(relay.pid()), time.monotonic()
        trial = self.trial(rate)
        took = time.monotonic() - begun
        used = busy_us(relay.pid()) - before - floor_us * took
        if not trial.is_whole():
            self.note(f"{trial.sent - trial.received} of {trial.sent} packets lost at {rate} packets/s")
        return max(used, 1) / max(trial.received, 1), trial

    def floor(self, relay):
        """Microseconds a second that its threads take while the relay has nothing to do."""
        seconds = 0.3 if self.arguments.quick else 2
        before, begun = busy_us(relay.pid()), time.monotonic()
        time.sleep(seconds)
        return (busy_us(relay.pid()) - before) / (time.monotonic() - begun)

    def costs(self, side, recorded):
        """CPU and latency, with a relay that idles."""
        relay = self.make(side, self.arguments.mode)
        try:
            figures = self.set_up(relay, recorded)
            floor_us = self.floor(relay)
            for rate in RATES[1:2] if recorded else RATES:
                figures[f"cpu-{rate}"], trial = self.cpu(relay, rate, floor_us)
                if rate == RATES[0]:
                    for name, value in zip(("p50", "p99", "p99.9"), trial.latency):
                        figures[f"latency-{name}"] = value
        finally:
            relay.quit()
        return figures

    def figures(self, side):
        """All that is measured of one side in one turn."""
        figures = self.costs(side, False)
        figures.update({f"recorded-{name}": value for name, value in self.costs(side, True).items()
                        if name.startswith("cpu")})
        for prefix, recorded in (("", False), ("recorded-", True)):
            relay = self.make(side, "busy")
            try:
                self.set_up(relay, recorded)
                figures[prefix + "lossfree"] = self.lossfree(side)
            finally:
                relay.quit()
            shutil.rmtree(os.path.join(self.folder, "recordings"), ignore_errors=True)
        return figures

    def round(self, index):
        sides = ("ours", "theirs") if index % 2 == 0 else ("theirs", "ours")
        figures = {side: self.figures(side) for side in sides}
        for metric in figures["ours"]:
            unit, better = unit_of(metric)
            print(json.dumps({"bench": BENCH, "rival": "rtpengine", "metric": metric, "unit": unit,
                              "better": better, "round": index, "ours": figures["ours"][metric],
                              "theirs": figures["theirs"][metric]}), flush=True)


def unit_of(metric):
    if metric.endswith("lossfree"):
        return "packets/s", "higher"
    if metric == "memory":
        return "bytes/call", "lower"
    return {"setup": "us/call"}.get(metric, "us/packet" if "cpu" in metric else "us"), "lower"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="build directory")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1, help="nothing here is random; taken as all benches do")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--mode", default="adaptive", help="how our worker idles where CPU time is measured")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if os.geteuid() != 0:
        sys.exit(f"{BENCH}: network namespaces need root")
    if not os.path.exists(PROGRAM):
        sys.exit(f"{BENCH}: no {PROGRAM} (Debian: rtpengine-daemon)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="strowger-veth-", dir="/dev/shm") as folder:
        bench = Bench(arguments, folder)
        try:
            bench.open()
            for index in range(arguments.rounds):
                bench.round(index)
        finally:
            bench.close()


if __name__ == "__main__":
    main()
