#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Relay inside the kernel, between kernel sockets in two network namespaces, on the public interface.

Usage: kernel_test.py PATH-OF-NET-KERNEL-RELAY [unittest options]

`parties` (10.81.0.1) and `switch` (10.81.0.2) are joined by a veth pair and have an IPv6 address each, too.
The relay owns UDP ports 20000 to 20199 of the switch's addresses. Needs root; ends with 77 (skipped) without.
"""

import errno
import os
import struct
import sys
import threading
import time
import unittest

from network import (PREFIX, Inside, Program, ip, link_is_clean, main, make_link, make_namespace,
                     remove_namespaces, run, udp, unreachables)

RELAY = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else sys.exit(__doc__)
PARTIES, SWITCH = PREFIX + "p", PREFIX + "s"
IPS = {PARTIES: "10.81.0.1", SWITCH: "10.81.0.2"}
FIRST, LAST = 20000, 20199
V4, V6 = 4, 6
EVENT_PT = 101
FORKED, PLAYED, INSPECTED, NOT_ASKED = 16, 64, 128, 1  # enum stw_place_reason
RATE = 400          # packets a second and party while legs move
MOVE_MS = 1200
SETTLE_S = 5


def address(namespace, kind):
    plain = IPS[namespace]
    return plain if kind == V4 else "2001:db8::" + plain.split(".")[-1]


def make_network():
    for namespace in IPS:
        make_namespace(namespace)
    make_link((PARTIES, "eth"), (SWITCH, "eth"))
    for namespace in IPS:
        ip(namespace, "addr", "add", address(namespace, V4) + "/24", "dev", "eth")
        ip(namespace, "addr", "add", address(namespace, V6) + "/64", "dev", "eth", "nodad")
    # What XDP sends by a veth is taken by a driver that expects it.
    run("ip", "netns", "exec", PARTIES, "ethtool", "-K", "eth", "gro", "on", check=False)


class Relay(Program):
    """net-kernel-relay in the switch's namespace; see kernel_relay.c for what it understands."""

    STATS = ("entered", "left", "kernel", "worker", "dropped", "received", "verdicts", "missed", "copies",
             "legs_received", "legs_sent", "legs_foreign", "legs_lost")

    def __init__(self, mode, relay, sessions, callers, agents):
        second = () if callers == agents else (address(SWITCH, agents),)
        super().__init__(SWITCH, RELAY, mode, "eth", relay, sessions, FIRST, LAST, address(SWITCH, callers),
                         *second)

    def stats(self):
        return dict(zip(self.STATS, map(int, self.ask("stats"))))

    def place(self):
        return tuple(map(int, self.ask("place")))

    def move(self, kind, ms):
        return int(self.ask(f"move {kind} {ms}")[0])


class Party:
    """A phone: numbered RTP packets out; numbers and payloads in, in the order of arrival."""

    def __init__(self, port, kind):
        self.socket = udp(PARTIES, remote=(address(SWITCH, kind), port))
        self.socket.setsockopt(1, 33, 8 << 20)  # SO_RCVBUFFORCE
        self.socket.setblocking(False)
        self.ssrc = os.urandom(4)
        self.sequence = struct.unpack("!H", os.urandom(2))[0]
        self.sent, self.heard = [], []

    def send(self, payload_type=0, payload=None, marker=0):
        payload = payload if payload is not None else struct.pack("!I", len(self.sent)) + os.urandom(156)
        self.socket.send(struct.pack("!BBHI", 0x80, marker << 7 | payload_type, self.sequence,
                                     self.sequence * 160) + self.ssrc + payload)
        self.sequence = (self.sequence + 1) & 0xffff
        self.sent.append(payload)

    def drain(self):
        """Take what has come; how many."""
        count = 0
        while True:
            try:
                packet = self.socket.recv(2048)
            except BlockingIOError:
                return count
            self.heard.append((struct.unpack("!H", packet[2:4])[0], packet[8:12], packet[12:],
                               packet[1] & 0x7f))
            count += 1

    def clear(self):
        self.sent.clear()
        self.heard.clear()


def gaps_of(heard):
    """What is wrong in a row of sequence numbers: (place, before, after)."""
    numbers = [packet[0] for packet in heard]
    return [(i, one, two) for i, (one, two) in enumerate(zip(numbers, numbers[1:]))
            if (one + 1) & 0xffff != two]


class KernelTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(remove_namespaces, *IPS)
        make_network()

    def start(self, mode, sessions, callers=V4, agents=V4, relay="required"):
        self.relay = Relay(mode, relay, sessions, callers, agents)
        self.addCleanup(self.relay.log.close)
        self.addCleanup(self.relay.quit)
        self.assertEqual(self.relay.hello[0], "ready", self.relay.lines())
        ports = list(map(int, self.relay.hello[2:]))
        self.calls = [(Party(ports[i], callers), Party(ports[i + 1], agents)) for i in range(0, len(ports), 2)]
        self.parties = [party for call in self.calls for party in call]
        for party in self.parties:
            self.addCleanup(party.socket.close)
        # Sources are latched and next hops known when each side hears the other.
        self.wait(lambda: all(party.heard for party in self.parties), "audio")
        self.settle()

    def wait(self, condition, what):
        """Everybody talks until it is so."""
        end = time.monotonic() + SETTLE_S
        while not condition():
            for party in self.parties:
                party.send()
            time.sleep(0.02)
            for party in self.parties:
                party.drain()
            if time.monotonic() > end:
                self.fail(f"no {what}: {self.relay.stats()} {self.relay.place()}\n{self.relay.lines()}")

    def settle(self):
        time.sleep(0.05)
        while sum(party.drain() for party in self.parties):
            time.sleep(0.02)
        for party in self.parties:
            party.clear()

    def inside(self):
        self.wait(lambda: self.relay.place()[0] == len(self.parties), "leg inside the kernel")
        self.settle()

    def talk(self, count):
        for _ in range(count):
            for party in self.parties:
                party.send()
            for party in self.parties:
                party.drain()
        time.sleep(0.05)
        for party in self.parties:
            party.drain()

    def each_heard_the_other(self):
        for caller, agent in self.calls:
            for one, other in ((caller, agent), (agent, caller)):
                self.assertEqual([packet[2] for packet in one.heard], other.sent)
                self.assertEqual(gaps_of(one.heard), [])
                self.assertEqual(len({packet[1] for packet in one.heard}), 1, "one SSRC")

    def adds_up(self):
        time.sleep(0.1)
        stats = self.relay.stats()
        self.assertEqual(stats["received"], stats["verdicts"], "each packet has one verdict")
        self.assertEqual((stats["legs_lost"], stats["missed"]), (0, 0), stats)

    def relays(self, mode, callers=V4, agents=V4):
        self.start(mode, 2, callers, agents)
        self.inside()
        before = self.relay.stats()
        self.talk(200)
        after = self.relay.stats()
        self.each_heard_the_other()
        total = 200 * len(self.parties)
        self.assertEqual(after["kernel"] - before["kernel"], total, "relayed inside the kernel")
        self.assertEqual(after["worker"], before["worker"])
        self.assertEqual(after["legs_received"] - before["legs_received"], total)
        self.assertEqual(after["legs_sent"] - before["legs_sent"], total)
        self.adds_up()
        self.assertEqual(self.relay.quit(), 0, self.relay.lines())
        self.assertTrue(link_is_clean(SWITCH, "eth"))

    def moves(self, mode, kind, payloads):
        """Legs move all the time while everybody talks at a steady rate."""
        self.start(mode, 8)
        self.inside()
        before = self.relay.stats()
        stop = threading.Event()
        thread = threading.Thread(target=self.talk_steadily, args=(stop,))
        thread.start()
        moved = self.relay.move(kind, MOVE_MS)
        stop.set()
        thread.join()
        time.sleep(0.2)
        for party in self.parties:
            party.drain()
        after = self.relay.stats()
        text = f"{moved} moves, {after}"
        for party in self.parties:
            self.assertEqual(gaps_of(party.heard), [], text)
        if payloads:
            self.each_heard_the_other()
        self.assertGreater(after["kernel"] - before["kernel"], 100, text)
        self.assertGreater(after["worker"] - before["worker"], 100, text)
        print(f"{kind}, {mode}: {moved * 1000 // MOVE_MS} sessions moved out a second, "
              f"{(after['entered'] - before['entered'] + after['left'] - before['left']) * 1000 // MOVE_MS} "
              f"moves of legs, {after['kernel'] - before['kernel']} packets in the kernel, "
              f"{after['worker'] - before['worker']} by the worker", flush=True)
        self.assertGreater(moved, 50, text)
        self.adds_up()

    def talk_steadily(self, stop):
        due = time.monotonic()
        while not stop.is_set():
            for party in self.parties:
                party.send()
            for party in self.parties:
                party.drain()
            due += 1 / RATE
            time.sleep(max(0, due - time.monotonic()))

    def test_native(self):
        self.relays("native")

    def test_generic(self):
        self.relays("generic")

    def test_native_ip6(self):
        self.relays("native", V6, V6)

    def test_native_ip4_to_ip6(self):
        self.relays("native", V4, V6)

    def test_generic_ip6_to_ip4(self):
        self.relays("generic", V6, V4)

    def test_forks_move_legs(self):
        self.moves("native", "fork", True)
        self.assertGreater(self.relay.stats()["copies"], 0)

    def test_forks_move_legs_generic(self):
        self.moves("generic", "fork", True)

    def test_place_moves_legs(self):
        self.moves("native", "place", True)

    def test_suppression_moves_legs(self):
        self.moves("native", "suppress", True)

    def test_playouts_move_legs(self):
        self.moves("native", "playout", False)

    def test_mixes_move_legs(self):
        self.moves("native", "mix", False)

    def test_telephone_events_go_to_the_worker(self):
        self.start("native", 1)
        self.inside()
        caller, agent = self.calls[0]
        for _ in range(3):
            caller.send()
            caller.send(EVENT_PT, struct.pack("!BBH", 5, 0x0a, 160))
        time.sleep(0.05)
        agent.drain()
        self.assertEqual([packet[2] for packet in agent.heard], caller.sent)
        self.assertEqual([packet[3] for packet in agent.heard], [0, EVENT_PT] * 3)
        self.assertEqual(gaps_of(agent.heard), [])
        inside, legs, _ = self.relay.place()
        self.assertEqual((inside, legs), (1, 2), "the caller's leg has left")
        self.inside()

    def test_a_stranger_is_dropped_inside(self):
        self.start("native", 1)
        self.inside()
        before = self.relay.stats()
        stranger = Party(int(self.relay.hello[2]), V4)
        with stranger.socket:
            for _ in range(10):
                stranger.send()
            time.sleep(0.05)
        after = self.relay.stats()
        self.assertEqual(self.calls[0][1].drain(), 0, "a stranger was relayed")
        self.assertEqual(after["dropped"] - before["dropped"], 10)
        self.assertEqual(after["legs_foreign"] - before["legs_foreign"], 10)
        self.assertEqual(self.relay.place()[0], 2, "nobody has left")
        self.adds_up()

    def test_another_source_takes_its_turn(self):
        """A new SSRC goes to the worker; to its party it is one stream."""
        self.start("native", 1)
        self.inside()
        caller, agent = self.calls[0]
        self.talk(5)
        caller.ssrc, caller.sequence = os.urandom(4), (caller.sequence + 20000) & 0xffff
        self.talk(5)
        self.each_heard_the_other()

    def test_without_a_relay_all_is_the_workers(self):
        self.start("native", 1, relay="never")
        self.assertEqual(self.relay.hello[1], "0")
        self.talk(50)
        self.each_heard_the_other()
        self.assertEqual(self.relay.stats()["kernel"], 0)
        self.assertNotEqual(self.relay.ask("ask kernel"), ["0"], "refused")

    def test_a_driver_that_loses_what_is_redirected_gets_none(self):
        run("ip", "netns", "exec", PARTIES, "ethtool", "-K", "eth", "gro", "off")
        self.start("native", 1, relay="auto")
        self.assertEqual(self.relay.hello[1], "0", self.relay.lines())
        self.assertIn("KERNEL-RELAY-NONE port=eth reason=", self.relay.lines())
        self.talk(20)
        self.each_heard_the_other()
        self.assertEqual(self.relay.quit(), 0, self.relay.lines())
        refused = Relay("native", "required", 1, V4, V4)
        self.addCleanup(refused.log.close)
        self.assertEqual(refused.hello, ["error", str(-errno.ENOTSUP)])
        refused.quit()

    def test_the_neighbour_moves(self):
        """The next hop's link address is looked up again."""
        self.start("native", 1)
        self.inside()
        ip(PARTIES, "link", "set", "eth", "address", "02:00:00:00:00:77")
        ip(SWITCH, "neigh", "replace", address(PARTIES, V4), "lladdr", "02:00:00:00:00:77", "dev", "eth")
        time.sleep(1.2)
        self.settle()
        before = self.relay.stats()
        self.talk(20)
        self.assertEqual(self.relay.stats()["worker"], before["worker"])
        self.assertGreaterEqual(len(self.calls[0][1].heard), 19)


if __name__ == "__main__":
    main()
