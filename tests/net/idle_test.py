#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Workers that idle, and several of them, on real kernel interfaces in network namespaces.

Usage: idle_test.py PATH-OF-NET-RELAY [unittest options]

Two namespaces, one veth pair: `caller` (10.79.0.1), where both parties live, and `switch`
(10.79.0.2), where net-relay owns UDP ports 20000 to 20099. Needs root; ends with 77 (skipped)
without.
"""

import contextlib
import ctypes
import os
import struct
import sys
import time
import unittest

from network import (PREFIX, Program, ip, libc, main, make_link, make_namespace,
                     remove_namespaces, udp)

RELAY = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else sys.exit(__doc__)
CALLER, SWITCH = PREFIX + "c", PREFIX + "s"
CALLER_IP, SWITCH_IP = "10.79.0.1", "10.79.0.2"
FIRST, LAST = 20000, 20099
STREAM_PACKETS = 60
WATCH_S = 1
FLOOD_PACKETS = 6000
WAITING = 4
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT, WAIT_ALL = 17, 0x4206, 0x4207, 0x40000000


def make_network(queues=1):
    make_namespace(CALLER)
    make_namespace(SWITCH)
    make_link((CALLER, "caller"), (SWITCH, "switch"), queues)
    ip(CALLER, "addr", "add", CALLER_IP + "/24", "dev", "caller")
    ip(SWITCH, "addr", "add", SWITCH_IP + "/24", "dev", "switch")


class Relay(Program):
    """net-relay in the switch's namespace; see relay.c for what it understands."""

    NAMES = ("state", "received", "sleeps", "waits", "wakes", "age_ns")

    def __init__(self, kind, idle, workers=1):
        super().__init__(SWITCH, RELAY, kind, "switch", SWITCH_IP, FIRST, LAST, idle, workers)

    def workers(self):
        """CPU time of the process in seconds, and a dictionary for each worker."""
        words = list(map(int, self.ask("workers")))
        each = len(self.NAMES)
        return words[0] / 1e9, [dict(zip(self.NAMES, words[i:i + each]))
                                for i in range(1, len(words), each)]

    def plane(self):
        """Packets received, verdicts, relayed, missed."""
        return dict(zip(("received", "verdicts", "relayed", "missed"),
                        map(int, self.ask("stats")[-4:])))

    def worker_thread(self):
        tasks = f"/proc/{self.process.pid}/task"
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/comm") as name:
                if name.read().startswith("rte-worker"):
                    return int(task)
        raise AssertionError("no worker thread")


@contextlib.contextmanager
def stopped(thread):
    """One thread of another process, wherever it is; the others run on."""
    if libc.ptrace(PTRACE_SEIZE, thread, None, None) or \
       libc.ptrace(PTRACE_INTERRUPT, thread, None, None):
        raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(thread, WAIT_ALL)
    try:
        yield
    finally:
        libc.ptrace(PTRACE_DETACH, thread, None, None)


def rtp(sequence):
    header = struct.pack("!BBHII", 0x80, 0, sequence & 0xffff, sequence * 160, 4711)
    return header + struct.pack("!I", sequence) * 40


class IdleTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(remove_namespaces, CALLER, SWITCH)
        make_network()

    def start(self, kind, idle, workers=1):
        relay = Relay(kind, idle, workers)
        self.addCleanup(relay.log.close)
        self.addCleanup(relay.quit)
        self.assertEqual(relay.hello[0], "ready", relay.lines())
        parties = [udp(CALLER, remote=(SWITCH_IP, int(port))) for port in relay.hello[2:4]]
        for party in parties:
            self.addCleanup(party.close)
        self.connect(parties, relay)
        return relay, parties

    def connect(self, parties, relay):
        """Each side is heard by the other; then nothing is under way any more."""
        for _ in range(100):
            for party in parties:
                party.send(rtp(0))
            try:
                for party in parties:
                    party.settimeout(0.05)
                    party.recv(2048)
                break
            except TimeoutError:
                continue
        else:
            self.fail(relay.lines())
        for party in parties:
            try:
                while True:
                    party.recv(2048)
            except TimeoutError:
                party.settimeout(5)

    def cpu_share(self, relay, seconds=WATCH_S):
        began, cpu = time.monotonic(), relay.workers()[0]
        time.sleep(seconds)
        return (relay.workers()[0] - cpu) / (time.monotonic() - began)

    def slow_stream_is_relayed(self, parties):
        """One packet at a time, each with a pause before it in which the worker begins to wait."""
        for sequence in range(1, STREAM_PACKETS + 1):
            time.sleep(0.01)
            parties[0].send(rtp(sequence))
            self.assertEqual(parties[1].recv(2048)[12:], rtp(sequence)[12:])

    def idles(self, kind):
        busy, _ = self.start(kind, "poll")
        polling = self.cpu_share(busy)
        self.assertEqual(busy.workers()[1][0]["sleeps"], 0)
        self.assertEqual(busy.quit(), 0, busy.lines())
        relay, parties = self.start(kind, "adaptive")
        time.sleep(0.1)
        waiting = self.cpu_share(relay)
        self.assertLess(waiting, polling / 4, f"CPU: waiting {waiting}, polling {polling}")
        before = relay.workers()[1][0]
        self.assertEqual(before["state"], WAITING)
        self.slow_stream_is_relayed(parties)
        after = relay.workers()[1][0]
        self.assertGreater(after["wakes"] - before["wakes"], STREAM_PACKETS / 2,
                           "woken by the packets, not by the time")
        self.assertEqual(relay.quit(), 0, relay.lines())

    def test_native_xdp(self):
        self.idles("xdp-native")

    def test_af_packet(self):
        self.idles("af_packet")

    def test_stopped_worker_is_seen_and_harms_nobody_for_longer(self):
        relay, parties = self.start("xdp-native", "poll")
        self.assertEqual(relay.plane()["missed"], 0)
        with stopped(relay.worker_thread()):
            ages = [relay.workers()[1][0]["age_ns"]]
            for sequence in range(FLOOD_PACKETS):  # more than a receive queue holds
                parties[0].send(rtp(sequence))
            time.sleep(0.2)
            ages.append(relay.workers()[1][0]["age_ns"])
            self.assertGreater(ages[1] - ages[0], 0.2e9)
            self.assertGreater(relay.plane()["missed"], 0, "dropped by the queue, and counted")
        parties[1].settimeout(1)
        with contextlib.suppress(TimeoutError):
            while True:
                parties[1].recv(2048)
        parties[1].settimeout(5)
        self.slow_stream_is_relayed(parties)
        time.sleep(0.05)
        plane = relay.plane()
        self.assertEqual(plane["received"], plane["verdicts"])
        self.assertLess(relay.workers()[1][0]["age_ns"], ages[1] - ages[0])
        self.assertEqual(relay.quit(), 0, relay.lines())

    def test_two_workers_share_two_queues(self):
        remove_namespaces(CALLER, SWITCH)
        make_network(queues=2)
        for kind in ("xdp-native", "af_packet"):
            relay, parties = self.start(kind, "adaptive", workers=2)
            self.slow_stream_is_relayed(parties)
            self.slow_stream_is_relayed(parties[::-1])
            workers = relay.workers()[1]
            self.assertEqual(len(workers), 2)
            self.assertGreaterEqual(sum(worker["received"] for worker in workers),
                                    2 * STREAM_PACKETS)
            self.assertEqual(relay.quit(), 0, relay.lines())


if __name__ == "__main__":
    main()
