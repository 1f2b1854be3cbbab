#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Bench relay-kernel: our relay inside the kernel beside our worker on AF_XDP, stateless nftables rewriting,
nftables NAT and Debian's rtpengine in user space, in turns, on one topology (two namespaces joined by a veth
pair) with one generator.

Metrics, each after "sessions-N-":
  lossfree          highest rate at which every packet of a trial came back, packets a second, the relay on a core
                    of its own: a thread of ours or rtpengine's there, or the kernel's NAPI thread of the interface
  lossfree-inline   the same of those inside the kernel as a veth has them: a packet is relayed in the softirq that
                    follows its being sent, on the sender's core, so that one core bears generator and relay
  cpu-RATE          CPU time at a rate, of all that the machine does on both cores, softirqs included, less what it
                    does when the generator sends to itself over the same link; microseconds a packet. Those
                    inside the kernel work inline; so the second crossing of the link is in it, for all alike
  cpu-threads-RATE  the same by the scheduler's accounts of the generator's and the relay's threads and ksoftirqd:
                    without interrupts and softirqs of a core that idles, but true beside other programs as well
  latency-WHAT      from the sender's call to the receiver's, through the relay, at 10,000 packets a second, inline
  program-ns        the XDP program alone, run again and again without packets (BPF_PROG_TEST_RUN), with 1, 1,000
                    and 200,000 sessions in random order, nanoseconds a packet; limit: what was promised
  program-live-ns   the same by the kernel's bpf_stats while packets come, its two clock readings a packet included
and without that
  soaker            what the measure of CPU time says of a known load; rival: that load by its own clock
"""
import contextlib
import json
import os
import shutil
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "veth"), os.path.join(os.path.dirname(HERE), "tests", "net")]

import network  # noqa: E402
import nft  # noqa: E402
import rtpengine  # noqa: E402
import stage  # noqa: E402
from ours import Ours  # noqa: E402
from stage import PARTY  # noqa: E402

RATES = (10000, 50000, 100000)
LATENCY_RATE = 10000
PROGRAM_RATE = 50000
PROGRAM_NS_MAX = 100
AUTOGROUP = "kernel.sched_autogroup_enabled"
LATCH_SECONDS_MAX = 4
INLINE = ("kernel", "nft-stateless", "nft-nat")
RIVALS = {
    "worker": (None, None),
    "nft-stateless": (nft.PROGRAM, "nftables"),
    "nft-nat": (nft.PROGRAM, "nftables"),
    "rtpengine": (rtpengine.PROGRAM, "rtpengine-daemon"),
}
BUSY_SHARE_MAX = 0.03   # of a core, by others while nothing of ours runs


class Bench(stage.Stage):
    name = "relay-kernel"
    addresses = 8   # 100,000 pairs of ports

    def __init__(self, arguments, folder):
        super().__init__(arguments, folder)
        self.counts = arguments.sessions or ([100, 1000] if arguments.quick else [100, 1000, 50000])
        self.trial_ms = 300 if arguments.quick else 1000
        self.cpu_ms = 300 if arguments.quick else 2000
        self.ours = arguments.place
        self.generator_rates = {}
        self.softirq_pids = pids_named("ksoftirqd/")
        self.rivals = [name for name, wanted in RIVALS.items() if name != self.ours and self.has(name, *wanted)]

    def has(self, rival, program, package):
        if self.arguments.rival and rival not in self.arguments.rival:
            return False
        if program and not os.path.exists(program):
            self.note(f"{rival} is not compared with: no {program} (Debian: {package})")
            return False
        return True

    def open(self):
        # Threads of the lowest priority yield at once only to those of their own scheduling group.
        self.autogroup_before = setting(AUTOGROUP)
        set_setting(AUTOGROUP, "0")
        super().open()
        self.soaker = network.Program(self.spaces[0], self.program("soaker"), self.relay_cpu, self.generator_cpu)

    def close(self):
        with contextlib.suppress(AttributeError):
            self.soaker.quit()
        super().close()
        set_setting(AUTOGROUP, self.autogroup_before)

    def make(self, side):
        if side in ("kernel", "worker"):
            return Ours(network, self.spaces[1], self.folder, self.program("relay"), self.interface,
                        self.relays, PARTY, self.relay_cpu, self.arguments.mode, side)
        if side == "rtpengine":
            return rtpengine.Rtpengine(network, self.spaces[1], self.folder, self.relays, PARTY, self.relay_cpu)
        return {"nft-stateless": nft.NftStateless, "nft-nat": nft.NftNat}[side](self)

    def nudge(self):
        """Two packets of each party."""
        self.generator.ask(f"latch {self.latch_rate:.0f}")

    def set_up(self, relay, count):
        path = os.path.join(self.folder, "ports")
        relay.add_calls(count, path, False)
        self.generator.ask(f"calls {path}")
        self.latch_rate = max(10000, 2 * count / LATCH_SECONDS_MAX)
        self.nudge()

    def own_core(self, on):
        """Whether a thread of the kernel, on the relay's core, polls the relay's interface, or the sender does."""
        steps = [("ethtool", "-K", self.interface, "gro", "on" if on else "off"),
                 ("sh", "-c", f"echo {int(on)} >/sys/class/net/{self.interface}/threaded")]
        for step in steps if on else reversed(steps):
            self.run_inside(*step)
        pollers = pids_named(f"napi/{self.interface}") if on else []
        for pid in pollers:
            os.sched_setaffinity(pid, {self.relay_cpu})
            os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0))    # as a relay in user space
        if on and not pollers:
            self.note("the kernel made no thread that polls the interface; lossfree is inline, too")

    def soak(self, work):
        """Nanoseconds that were taken of all cores during some work, how long that was, and its result."""
        begun = time.monotonic()
        self.soaker.ask("begin")
        result = work()
        words = [int(word) for word in self.soaker.ask("end")]
        return sum(words[::2]), (time.monotonic() - begun) * 1e9, result

    def accounted_ns(self, relay):
        """What the scheduler knows of those who work for us."""
        pids = [self.generator.process.pid, *self.softirq_pids, *([relay.pid()] if relay and relay.pid() else [])]
        return sum(stage.busy_us(pid) for pid in pids) * 1000

    def soaked_trial(self, rate, relay=None):
        """CPU time of a trial: what was taken, and what the scheduler accounts for; and the trial."""
        before_ns = self.accounted_ns(relay)
        taken_ns, _, trial = self.soak(lambda: self.trial(rate, "pace", self.cpu_ms))
        accounted_ns = self.accounted_ns(relay) - before_ns
        if trial.late_ppm > stage.LATE_PPM:
            self.note(f"at {rate} packets/s the generator was late where CPU time is measured")
        return (taken_ns, accounted_ns), trial

    def check_soaker(self, index):
        """What it says of a known load, less what it says of none."""
        ms = 200 if self.arguments.quick else 1000
        floor_ns, elapsed_ns, _ = self.soak(lambda: time.sleep(ms / 1000))
        if floor_ns > BUSY_SHARE_MAX * elapsed_ns:
            self.note(f"the machine was not idle: others took {floor_ns / elapsed_ns:.0%} of a core")
        taken_ns, took_ns, words = self.soak(lambda: self.soaker.ask(f"load {ms}"))
        known_ns = sum(map(int, words))
        self.say("known-load", "soaker", "us", "lower", index,
                 (taken_ns - floor_ns * took_ns / elapsed_ns) / 1000, known_ns / 1000)

    def straight(self, count):
        """Nanoseconds for each rate without a relay."""
        self.generator.ask(f"straight {count} {self.spaces[1]} {self.relays[0]}")
        if count not in self.generator_rates:
            self.generator_rates[count] = self.lossfree("no relay")
            self.note(f"without a relay the generator carries {self.generator_rates[count]:.0f} packets/s to {count} "
                      "sessions")
        return {rate: self.soaked_trial(rate)[0] for rate in RATES}

    def cpu(self, relay, side, straight):
        figures = {}
        for rate in RATES:
            relay.settle(self.nudge)
            times_ns, trial = self.soaked_trial(rate, relay)
            if not trial.is_whole():
                self.note(f"{side}: {trial.sent - trial.received} of {trial.sent} packets lost at {rate} packets/s")
            for name, with_ns, without_ns in zip(("cpu", "cpu-threads"), times_ns, straight[rate]):
                cost_us = (with_ns - without_ns) / 1000 / max(trial.received, 1)
                if cost_us <= 0:
                    self.note(f"{side}: {name}-{rate} saw no CPU time; others used the machine")
                figures[f"{name}-{rate}"] = max(cost_us, 0.001)
        return figures

    def figures(self, side, count, straight):
        """All that is measured of one side with so many sessions."""
        relay = self.make(side)
        try:
            self.set_up(relay, count)
            figures = self.cpu(relay, side, straight)
            relay.settle(self.nudge)
            trial = self.trial(LATENCY_RATE)
            for name, value in zip(("p50", "p99", "p99.9"), trial.latency):
                figures[f"latency-{name}"] = value
            if side == "kernel" and self.has_bpftool():
                figures["program-live-ns"] = self.program_live()
            if side in INLINE:
                figures["lossfree-inline"] = self.lossfree(f"{side} inline, as wanted")
                self.own_core(True)
            relay.settle(self.nudge)
            figures["lossfree"] = self.lossfree(side)
        finally:
            relay.quit()
            if side in INLINE:
                self.own_core(False)
        return figures

    def has_bpftool(self):
        if shutil.which("bpftool"):
            return True
        self.note("the program's own time is not measured: no bpftool (Debian: bpftool)")
        return False

    def program_live(self):
        """Nanoseconds a run of the interface's XDP program takes while packets come."""
        before = setting("kernel.bpf_stats_enabled")
        set_setting("kernel.bpf_stats_enabled", "1")
        try:
            first = self.program_runs()
            self.trial(PROGRAM_RATE, "pace", self.cpu_ms)
            last = self.program_runs()
        finally:
            set_setting("kernel.bpf_stats_enabled", before)
        return (last[0] - first[0]) / max(last[1] - first[1], 1)

    def program_alone(self, index):
        """What bench-program-ns says, which runs ours without packets: a line for each number of legs."""
        path = os.path.join(self.arguments.build, "bench", "bench-program-ns")
        if not os.path.exists(path):
            self.note("program-ns is not measured: bench-program-ns is not built")
            return
        quick = ["--quick"] if self.arguments.quick else []
        for line in network.run(path, "--seed", str(self.arguments.seed + index), *quick).splitlines():
            if not line.startswith("program-ns "):
                continue
            said = dict(word.split("=") for word in line.split()[1:])
            self.say_program(said["legs"], "program-ns", index, float(said["median"]))

    def say_program(self, count, metric, index, taken_ns):
        self.say("promised", f"sessions-{count}-{metric}", *unit_of(metric), index, taken_ns, PROGRAM_NS_MAX)

    def program_runs(self):
        link = json.loads(network.run("ip", "-n", self.spaces[1], "-j", "link", "show", self.interface))[0]
        program = json.loads(network.run("bpftool", "-j", "prog", "show", "id", str(link["xdp"]["prog"]["id"])))
        return program.get("run_time_ns", 0), program.get("run_cnt", 0)

    def round(self, index):
        self.check_soaker(index)
        if self.ours == "kernel":
            self.program_alone(index)
        sides = [self.ours, *self.rivals]
        sides = sides[index % len(sides):] + sides[:index % len(sides)]
        for count in self.counts:
            straight = self.straight(count)
            figures = {}
            for side in sides:
                try:
                    figures[side] = self.figures(side, count, straight)
                except OSError as error:
                    if side == self.ours:
                        raise
                    self.note(f"{side} does not carry {count} sessions: {str(error)[:200]}")
            self.tell(figures, count, index)

    def tell(self, figures, count, index):
        ours = figures.pop(self.ours)
        for rival, theirs in figures.items():
            for metric in filter(theirs.__contains__, ours):
                self.say(rival, f"sessions-{count}-{metric}", *unit_of(metric), index, ours[metric], theirs[metric])
        if "program-live-ns" in ours:
            self.say_program(count, "program-live-ns", index, ours["program-live-ns"])


def setting(name):
    return network.run("sysctl", "-n", name, check=False).strip()


def set_setting(name, value):
    """A kernel that has no such setting needs none."""
    network.run("sysctl", "-qw", f"{name}={value}", check=False)


def pids_named(start):
    """Threads of the kernel whose names begin so."""
    found = []
    for task in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{task}/comm", encoding="utf-8") as file:
            if file.read().startswith(start):
                found.append(int(task))
    return found


def unit_of(metric):
    if metric.startswith("lossfree"):
        return "packets/s", "higher"
    return "ns/packet" if metric.endswith("-ns") else "us/packet" if metric.startswith("cpu") else "us", "lower"


def main():
    parser = stage.parser_of(__doc__)
    parser.add_argument("--sessions", type=int, nargs="+", metavar="N", help="instead of 100, 1,000 and 50,000")
    parser.add_argument("--rival", action="append", choices=RIVALS, help="only this one (may be repeated)")
    parser.add_argument("--place", default="kernel", choices=("kernel", "worker"), help="where our sessions are")
    stage.play(Bench, parser.parse_args())


if __name__ == "__main__":
    main()
