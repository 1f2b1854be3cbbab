#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Ports on real kernel interfaces, with kernel peers, in network namespaces.

Usage: port_test.py PATH-OF-NET-ECHO [unittest options]

Two namespaces, one veth pair: `caller` (10.77.0.1, and 10.77.9.1 behind it) and `switch`
(10.77.0.2), where net-echo owns UDP ports 20000 to 20099 and a kernel socket has port 5060.
Needs root; ends with 77 (skipped) without.
"""

import os
import re
import sys
import time
import unittest

from network import (PREFIX, Program, ip, link_is_clean, main, make_link, make_namespace,
                     remove_namespaces, run, udp, unreachables)

ECHO = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else sys.exit(__doc__)
CALLER, SWITCH = PREFIX + "c", PREFIX + "s"
CALLER_IP, SWITCH_IP, FAR_IP = "10.77.0.1", "10.77.0.2", "10.77.9.1"
FIRST, LAST, SIP = 20000, 20099, 5060
CALLER_IP6, SWITCH_IP6, FAR_IP6 = "2001:db8:77::1", "2001:db8:77::2", "2001:db8:79::"
MODES = {"none": 0, "native": 2, "generic": 3}


def make_network(queues=1):
    make_namespace(CALLER)
    make_namespace(SWITCH)
    make_link((CALLER, "caller"), (SWITCH, "switch"), queues)
    ip(CALLER, "addr", "add", CALLER_IP + "/24", "dev", "caller")
    ip(SWITCH, "addr", "add", SWITCH_IP + "/24", "dev", "switch")
    # The address behind the caller does not answer ARP on the link: only the gateway does.
    run("ip", "netns", "exec", CALLER, "sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1")
    ip(CALLER, "addr", "add", FAR_IP + "/32", "dev", "lo")
    ip(SWITCH, "route", "add", "10.77.9.0/24", "via", CALLER_IP)
    ip(CALLER, "addr", "add", CALLER_IP6 + "/64", "dev", "caller", "nodad")
    ip(SWITCH, "addr", "add", SWITCH_IP6 + "/64", "dev", "switch", "nodad")
    ip(SWITCH, "route", "add", FAR_IP6 + "/64", "via", CALLER_IP6)


def remove_network():
    remove_namespaces(CALLER, SWITCH)


class Echo(Program):
    """net-echo in the switch's namespace; see echo.c for what it understands."""

    def __init__(self, kind, workers):
        super().__init__(SWITCH, ECHO, kind, "switch", SWITCH_IP, FIRST, LAST, workers)

    def counts(self):
        names = ("echoed", "echoed_by_1", "other", "steered", "passed", "unserved", "fragments",
                 "missed")
        return dict(zip(names, map(int, self.ask("counts"))))

    def neighbour(self, address):
        result, mac = self.ask("neighbour " + address)
        return int(result), mac.lower()


class PortTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(remove_network)
        make_network()

    def start(self, kind, workers=1):
        echo = Echo(kind, workers)
        self.addCleanup(echo.log.close)
        self.addCleanup(echo.quit)
        return echo

    def echoes(self, peer, payload):
        peer.send(payload)
        try:
            return peer.recv(2048) == payload
        except OSError:
            return False

    def owned_ports_reach_the_worker(self, echo):
        before = unreachables(SWITCH)
        sizes = (0, 1, 12, 172, 1000, 1472)
        for port in (FIRST, (FIRST + LAST) // 2, LAST):
            with udp(CALLER, remote=(SWITCH_IP, port)) as peer:
                for size in sizes:
                    self.assertTrue(self.echoes(peer, os.urandom(size)), f"{port}, {size} bytes")
        self.assertEqual(echo.counts()["echoed"], 3 * len(sizes))
        self.assertEqual(unreachables(SWITCH), before, "the kernel answered an owned port")

    def kernel_keeps_the_rest(self):
        with udp(SWITCH, local=(SWITCH_IP, SIP)) as server, \
             udp(CALLER, remote=(SWITCH_IP, SIP)) as client:
            client.send(b"OPTIONS")
            request, source = server.recvfrom(2048)
            self.assertEqual(request, b"OPTIONS")
            server.sendto(b"200 OK", source)
            self.assertEqual(client.recv(2048), b"200 OK")
        for port in (FIRST - 1, LAST + 1):
            with udp(CALLER, remote=(SWITCH_IP, port)) as peer:
                peer.send(b"x")
                with self.assertRaises(ConnectionRefusedError):
                    peer.recv(2048)
        run("ip", "netns", "exec", CALLER, "ping", "-c", "2", "-i", "0.2", "-W", "1", SWITCH_IP)

    def burst_is_complete(self, echo, count=2000, window=64):
        """Numbered packets, a window of them under way, all back and unchanged."""
        payloads = [i.to_bytes(4, "big") + os.urandom(168) for i in range(count)]
        back = set()
        with udp(CALLER, remote=(SWITCH_IP, FIRST + 2)) as peer:
            for start in range(0, count, window):
                chunk = payloads[start:start + window]
                for payload in chunk:
                    peer.send(payload)
                for _ in chunk:
                    back.add(peer.recv(2048))
        self.assertEqual(back, set(payloads))

    def works(self, kind, mode):
        echo = self.start(kind)
        self.assertEqual(echo.hello, ["ready", str(MODES[mode])], echo.lines())
        self.assertEqual(echo.ask("link"), ["1"])
        self.owned_ports_reach_the_worker(echo)
        self.kernel_keeps_the_rest()
        self.burst_is_complete(echo)
        self.assertEqual(echo.ask("reopen"), ["0"], echo.lines())
        with udp(CALLER, remote=(SWITCH_IP, FIRST)) as peer:
            self.assertTrue(self.echoes(peer, b"after reopening"))
        self.assertEqual(echo.ask("disown"), ["0"])
        with udp(CALLER, remote=(SWITCH_IP, FIRST)) as peer:
            peer.send(b"given up")
            if mode != "none":
                with self.assertRaises(ConnectionRefusedError):
                    peer.recv(2048)
        self.assertEqual(echo.quit(), 0, echo.lines())
        self.assertTrue(link_is_clean(SWITCH, "switch"))

    def test_native_xdp(self):
        self.works("xdp-native", "native")

    def test_generic_xdp(self):
        self.works("xdp-generic", "generic")

    def test_af_packet(self):
        self.works("af_packet", "none")

    def test_steering_is_counted(self):
        echo = self.start("xdp-native")
        with udp(CALLER, remote=(SWITCH_IP, FIRST)) as peer:
            for _ in range(10):
                self.assertTrue(self.echoes(peer, b"x" * 172))
        counts = echo.counts()
        self.assertEqual((counts["steered"], counts["unserved"], counts["other"]), (10, 0, 0))

    def test_fragments_go_to_the_kernel(self):
        echo = self.start("xdp-native")
        with udp(CALLER, remote=(SWITCH_IP, FIRST)) as peer:
            peer.send(b"x" * 4000)
            with self.assertRaises(ConnectionRefusedError):  # by the kernel, of the whole
                peer.recv(2048)
            self.assertTrue(self.echoes(peer, b"in one piece"))
        counts = echo.counts()
        self.assertEqual((counts["steered"], counts["fragments"]), (1, 3))

    def test_next_hops(self):
        echo = self.start("xdp-native")
        mac = re.search(r"link/ether (\S+)", ip(CALLER, "link", "show", "caller")).group(1)
        ip(SWITCH, "neigh", "flush", "all")
        for address in (CALLER_IP, FAR_IP, CALLER_IP6, FAR_IP6):
            result = (-11, "")
            # The kernel asks by IPv6 when its link-local address is known to be nobody else's, after seconds.
            for _ in range(2000):
                result = echo.neighbour(address)
                if result[0] != -11:
                    break
                time.sleep(0.01)
            self.assertEqual(result, (0, mac), address)
        self.assertEqual(echo.neighbour("10.77.0.99")[0], -11, "nobody has it")
        self.assertEqual(echo.neighbour("198.51.100.1")[0], -2, "no route")
        self.assertEqual(echo.neighbour(SWITCH_IP)[0], -2, "ourselves")
        self.assertEqual(echo.neighbour("2001:db8:77::99")[0], -11, "nobody has it")
        self.assertEqual(echo.neighbour("2001:db8:ffff::1")[0], -2, "no route")
        self.assertEqual(echo.neighbour(SWITCH_IP6)[0], -2, "ourselves")
        ip(SWITCH, "neigh", "replace", CALLER_IP, "lladdr", mac, "dev", "switch", "nud", "stale")
        self.assertEqual(echo.neighbour(CALLER_IP), (0, mac))
        for _ in range(100):
            if "STALE" not in ip(SWITCH, "neigh", "show", CALLER_IP):
                break
            time.sleep(0.01)
        self.assertNotIn("STALE", ip(SWITCH, "neigh", "show", CALLER_IP), "asking keeps it alive")

    def test_reopened_port_leaves_nothing(self):
        for kind in ("xdp-native", "af_packet"):
            echo = self.start(kind)
            held = []
            for _ in range(12):
                self.assertEqual(echo.ask("reopen"), ["0"], echo.lines())
                with open(f"/proc/{echo.process.pid}/maps") as maps:
                    held.append((len(os.listdir(f"/proc/{echo.process.pid}/fd")),
                                 len(maps.readlines())))
            self.assertEqual(held[-1], held[1], f"{kind}: descriptors, mappings: {held}")
            self.assertEqual(echo.quit(), 0, echo.lines())

    def test_killed_process_leaves_nothing(self):
        for kind in ("xdp-native", "xdp-generic", "af_packet"):
            echo = self.start(kind)
            self.assertEqual(echo.hello[0], "ready", echo.lines())
            echo.kill()
            self.assertTrue(link_is_clean(SWITCH, "switch"), kind)
        with udp(CALLER, remote=(SWITCH_IP, FIRST)) as peer:
            peer.send(b"x")
            with self.assertRaises(ConnectionRefusedError):
                peer.recv(2048)
        echo = self.start("xdp-native")
        self.assertEqual(echo.hello[0], "ready", echo.lines())

    def test_interface_in_use_is_refused_by_name(self):
        first = self.start("xdp-native")
        second = self.start("xdp-generic")
        self.assertEqual(second.hello, ["error", "-16"])
        self.assertRegex(second.lines(), r"XDP-BUSY interface=switch program=xsk_def_prog id=\d+")
        with udp(CALLER, remote=(SWITCH_IP, FIRST)) as peer:
            self.assertTrue(self.echoes(peer, b"still here"))
        self.assertEqual(first.quit(), 0)
        self.assertTrue(link_is_clean(SWITCH, "switch"))

    def test_auto_falls_back_to_generic_and_says_so(self):
        # veth refuses native XDP below a peer whose packets would not fit into a page.
        ip(CALLER, "link", "set", "caller", "mtu", "9000")
        native = self.start("xdp-native")
        self.assertEqual(native.hello, ["error", "-95"])
        auto = self.start("xdp-auto")
        self.assertEqual(auto.hello, ["ready", "3"], auto.lines())
        self.assertRegex(auto.lines(), r"1 XDP-GENERIC interface=switch native_errno=\d+")
        with udp(CALLER, remote=(SWITCH_IP, FIRST)) as peer:
            self.assertTrue(self.echoes(peer, b"x" * 172))

    def test_two_workers_share_an_interface_with_two_queues(self):
        remove_network()
        make_network(queues=2)
        one = self.start("xdp-native", workers=1)
        self.assertEqual(one.hello, ["error", "-19"], "the second queue would be lost")
        self.assertRegex(one.lines(), r"PORT-QUEUES port=switch receive_queues=2 workers=1")
        for kind in ("xdp-native", "xdp-generic", "af_packet"):
            echo = self.start(kind, workers=2)
            self.assertEqual(echo.hello[0], "ready", echo.lines())
            for _ in range(2):
                for port in range(FIRST, FIRST + 40):
                    with udp(CALLER, remote=(SWITCH_IP, port)) as peer:
                        self.assertTrue(self.echoes(peer, b"x" * 172))
                self.assertEqual(echo.ask("reopen"), ["0"], echo.lines())
            counts = echo.counts()
            self.assertEqual(counts["echoed"] + counts["echoed_by_1"], 80)
            self.assertGreater(counts["echoed"], 0)
            if kind == "xdp-native":  # in the generic path veth names no queue
                self.assertGreater(counts["echoed_by_1"], 0)
            self.assertEqual(echo.quit(), 0, echo.lines())

    def test_auto_prefers_native(self):
        echo = self.start("xdp-auto")
        self.assertEqual(echo.hello, ["ready", "2"], echo.lines())


if __name__ == "__main__":
    main()
