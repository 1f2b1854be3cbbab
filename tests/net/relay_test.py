#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A relayed call between kernel sockets in network namespaces, on the public interface.

Usage: relay_test.py PATH-OF-NET-RELAY [unittest options]

Four namespaces: `caller` (10.78.0.1), `agent` (10.78.0.3) and `switch` (10.78.0.2) on a bridge in
`net`. net-relay owns UDP ports 20000 to 20099 of the switch's address; its kernel keeps the rest.
Needs root; ends with 77 (skipped) without.
"""

import os
import struct
import sys
import time
import unittest

from network import (PREFIX, Program, ip, link_is_clean, main, make_link, make_namespace,
                     remove_namespaces, run, udp, unreachables)

RELAY = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else sys.exit(__doc__)
CALLER, AGENT, SWITCH, NET = (PREFIX + letter for letter in "casn")
IPS = {CALLER: "10.78.0.1", SWITCH: "10.78.0.2", AGENT: "10.78.0.3"}
FIRST, LAST, SIP = 20000, 20099, 5060
MODES = {"none": 0, "native": 2, "generic": 3}
PACKETS = 500
PACKETS_AHEAD = 20


def make_network():
    for namespace in (NET, *IPS):
        make_namespace(namespace)
    ip(NET, "link", "add", "bridge", "type", "bridge")
    ip(NET, "link", "set", "bridge", "up")
    for namespace, address in IPS.items():
        name = "to" + namespace[-1]
        make_link((namespace, "eth"), (NET, name))
        ip(namespace, "addr", "add", address + "/24", "dev", "eth")
        ip(NET, "link", "set", name, "master", "bridge")


class Relay(Program):
    """net-relay in the switch's namespace; see relay.c for what it understands."""

    NAMES = ("caller_received", "caller_sent", "caller_foreign", "caller_lost", "agent_received",
             "agent_sent", "agent_foreign", "agent_lost", "received", "verdicts", "relayed",
             "missed")

    def __init__(self, kind):
        super().__init__(SWITCH, RELAY, kind, "eth", IPS[SWITCH], FIRST, LAST)

    def stats(self):
        return dict(zip(self.NAMES, map(int, self.ask("stats"))))


class Party:
    """A phone: numbered RTP packets with random payloads out, payloads in."""

    def __init__(self, namespace, port):
        self.socket = udp(namespace, remote=(IPS[SWITCH], port))
        self.ssrc = os.urandom(4)
        self.sequence = 1000
        self.sent = []
        self.heard = []

    def send(self):
        payload = os.urandom(160)
        header = struct.pack("!BBHI", 0x80, 0, self.sequence & 0xffff, self.sequence * 160)
        self.sequence += 1
        self.socket.send(header + self.ssrc + payload)
        self.sent.append(payload)

    def hear(self, seconds=1):
        self.socket.settimeout(seconds)
        try:
            packet = self.socket.recv(2048)
        except TimeoutError:
            return False
        if packet[0] != 0x80 or packet[1] & 0x7f != 0:
            raise AssertionError(f"not the RTP that was sent: {packet[:12].hex()}")
        self.heard.append(packet[12:])
        return True


class RelayTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(remove_namespaces, NET, *IPS)
        make_network()

    def start(self, kind, mode):
        relay = Relay(kind)
        self.addCleanup(relay.log.close)
        self.addCleanup(relay.quit)
        self.assertEqual(relay.hello[:2], ["ready", str(MODES[mode])], relay.lines())
        caller, agent = Party(CALLER, int(relay.hello[2])), Party(AGENT, int(relay.hello[3]))
        self.addCleanup(caller.socket.close)
        self.addCleanup(agent.socket.close)
        return relay, caller, agent

    def connect(self, relay, caller, agent):
        """Each side is heard by the other: sources are latched, next hops known."""
        for _ in range(100):
            caller.send()
            agent.send()
            if agent.hear(0.02) and caller.hear(0.02):
                break
        else:
            self.fail(f"no audio: {relay.stats()}\n{relay.lines()}")
        while agent.hear(0.1) or caller.hear(0.1):
            pass
        for party in (caller, agent):
            party.sent.clear()
            party.heard.clear()

    def talk(self, caller, agent):
        """Both at once, at most PACKETS_AHEAD packets under way on each side."""
        for i in range(PACKETS):
            caller.send()
            agent.send()
            if i >= PACKETS_AHEAD:
                agent.hear()
                caller.hear()
        for _ in range(PACKETS_AHEAD):
            agent.hear()
            caller.hear()
        self.assertEqual(agent.heard, caller.sent)
        self.assertEqual(caller.heard, agent.sent)

    def kernel_keeps_the_rest(self):
        with udp(SWITCH, local=(IPS[SWITCH], SIP)) as server, \
             udp(CALLER, remote=(IPS[SWITCH], SIP)) as client:
            client.send(b"OPTIONS")
            request, source = server.recvfrom(2048)
            self.assertEqual(request, b"OPTIONS")
            server.sendto(b"200 OK", source)
            self.assertEqual(client.recv(2048), b"200 OK")
        run("ip", "netns", "exec", CALLER, "ping", "-c", "2", "-i", "0.2", "-W", "1", IPS[SWITCH])

    def stranger_is_not_heard(self, relay, caller, agent):
        before = relay.stats()["caller_foreign"]
        stranger = Party(CALLER, int(relay.hello[2]))
        with stranger.socket:
            for _ in range(10):
                stranger.send()
            self.assertFalse(agent.hear(0.2), "a stranger's packet was relayed")
        self.assertEqual(relay.stats()["caller_foreign"] - before, 10)

    def relays(self, kind, mode):
        relay, caller, agent = self.start(kind, mode)
        self.connect(relay, caller, agent)
        before = relay.stats()
        silent = unreachables(SWITCH)
        self.talk(caller, agent)
        time.sleep(0.05)  # a worker publishes its numbers between bursts
        after = relay.stats()
        for name in ("caller_received", "caller_sent", "agent_received", "agent_sent"):
            self.assertEqual(after[name] - before[name], PACKETS, name)
        self.assertEqual(after["relayed"] - before["relayed"], 2 * PACKETS)
        self.stranger_is_not_heard(relay, caller, agent)
        self.kernel_keeps_the_rest()
        self.assertEqual(unreachables(SWITCH), silent, "the kernel answered an owned port")
        time.sleep(0.1)
        end = relay.stats()
        self.assertEqual(end["received"], end["verdicts"], "each packet has one verdict")
        self.assertEqual((end["caller_lost"], end["agent_lost"], end["missed"]), (0, 0, 0))
        self.assertEqual(relay.quit(), 0, relay.lines())
        self.assertTrue(link_is_clean(SWITCH, "eth"))

    def test_call_over_native_xdp(self):
        self.relays("xdp-native", "native")

    def test_call_over_generic_xdp(self):
        self.relays("xdp-generic", "generic")

    def test_call_over_af_packet(self):
        self.relays("af_packet", "none")


if __name__ == "__main__":
    main()
