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
import os
import shutil
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "veth"), os.path.join(os.path.dirname(HERE), "tests", "net")]

import network  # noqa: E402
import stage  # noqa: E402
from ours import Ours  # noqa: E402
from rtpengine import PROGRAM, Rtpengine  # noqa: E402
from stage import PARTY, busy_us  # noqa: E402

RATES = (10000, 50000, 100000)


def resident_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
    return 0


class Bench(stage.Stage):
    name = "relay-veth"

    def __init__(self, arguments, folder):
        super().__init__(arguments, folder)
        self.calls = 100 if arguments.quick else 1000
        self.trial_ms = 300 if arguments.quick else 2000

    def make(self, side, mode):
        if side == "ours":
            return Ours(network, self.spaces[1], self.folder, self.program("relay"), self.interface,
                        self.relays, PARTY, self.relay_cpu, mode)
        return Rtpengine(network, self.spaces[1], self.folder, self.relays, PARTY, self.relay_cpu)

    def set_up(self, relay, recorded):
        """Calls, known to the generator and latched; CPU and memory for each."""
        path = os.path.join(self.folder, "ports")
        before = resident_bytes(relay.pid())
        used_us = relay.add_calls(self.calls, path, recorded)
        grown = resident_bytes(relay.pid()) - before
        self.generator.ask(f"calls {path}")
        self.generator.ask("latch")
        return {"setup": used_us / self.calls, "memory": max(grown, 1) / self.calls}

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
            self.say("rtpengine", metric, *unit_of(metric), index, figures["ours"][metric],
                     figures["theirs"][metric])


def unit_of(metric):
    if metric.endswith("lossfree"):
        return "packets/s", "higher"
    if metric == "memory":
        return "bytes/call", "lower"
    return {"setup": "us/call"}.get(metric, "us/packet" if "cpu" in metric else "us"), "lower"


def main():
    arguments = stage.parser_of(__doc__).parse_args()
    if not os.path.exists(PROGRAM):
        sys.exit(f"{Bench.name}: no {PROGRAM} (Debian: rtpengine-daemon)")
    stage.play(Bench, arguments)


if __name__ == "__main__":
    main()
