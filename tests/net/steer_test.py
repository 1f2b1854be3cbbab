#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Who gets which packets of an interface that XDP steers, and who after whom.

Usage: steer_test.py PATH-OF-NET-RELAY PATH-OF-NET-ECHO [unittest options]

Two namespaces, one veth pair or two: `caller` (10.80.0.1, 10.80.1.1), where both parties live, and `switch`
(10.80.0.2, 10.80.1.2), where net-relay or net-echo owns UDP ports 20000 to 20099.
TAKEOVERS in the environment: how many take-overs of each kind; half of them must lose less than 50 ms, 20 ms more
with a second queue. Without it as many, up to 6, as it takes to see two below ten times that: other programs that
make and remove namespaces hold the kernel's locks for long. The gaps are printed.
Needs root; ends with 77 (skipped) without.
"""

import contextlib
import ctypes
import os
import platform
import re
import socket
import struct
import sys
import threading
import time
import unittest

from network import (PREFIX, Inside, Program, ip, libc, link_is_clean, main, make_link,
                     make_namespace, remove_namespaces, run, udp, unreachables, wait_for)

if len(sys.argv) < 3:
    sys.exit(__doc__)
RELAY, ECHO = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
CALLER, SWITCH = PREFIX + "c", PREFIX + "s"
CALLER_IP, SWITCH_IP = "10.80.0.1", "10.80.0.2"
FIRST, LAST = 20000, 20099
TAKEOVERS, TAKEOVERS_MAX = int(os.environ.get("TAKEOVERS", "0")), 6
CALLER_IP6, SWITCH_IP6 = "2001:db8:80::1", "2001:db8:80::2"
VLAN, VLAN_IP, VLAN_IP6 = 7, "10.80.7.2", "2001:db8:87::2"
SECOND_IP = "10.80.0.22"
NATIVE, GENERIC = "2", "3"
BUSY = ["error", "-16"]
BPF_CALL = {"x86_64": 321, "aarch64": 280}.get(platform.machine())
BPF_PROG_LOAD, BPF_LINK_CREATE, BPF_PROG_TYPE_XDP, BPF_XDP, XDP_GENERIC = 5, 28, 6, 37, 2
GAP_S_MAX = 0.05
GAP_S_QUEUE = 0.02  # the kernel closes the sockets of further queues one after the other
GAPS_BOUND = 10
STEP_S = 0.001


def make_network(queues=1):
    make_namespace(CALLER)
    make_namespace(SWITCH)
    make_link((CALLER, "caller"), (SWITCH, "switch"), queues)
    ip(CALLER, "addr", "add", CALLER_IP + "/24", "dev", "caller")
    ip(SWITCH, "addr", "add", SWITCH_IP + "/24", "dev", "switch")
    ip(CALLER, "addr", "add", CALLER_IP6 + "/64", "dev", "caller", "nodad")
    ip(SWITCH, "addr", "add", SWITCH_IP6 + "/64", "dev", "switch", "nodad")


def bpf(command, attributes):
    """BPF(2): a descriptor."""
    room = ctypes.create_string_buffer(attributes, 128)
    fd = libc.syscall(BPF_CALL, command, room, len(room))
    if fd < 0:
        raise OSError(ctypes.get_errno(), "bpf")
    return fd


@contextlib.contextmanager
def stranger(name):
    """Somebody's XDP program on the switch's interface: it passes everything."""
    code = ctypes.create_string_buffer(struct.pack("<QQ", 0x2000000b7, 0x95))  # r0 = 2; exit
    licence = ctypes.create_string_buffer(b"GPL")
    program = bpf(BPF_PROG_LOAD, struct.pack(
        "=IIQQIIQII16s", BPF_PROG_TYPE_XDP, 2, ctypes.addressof(code),
        ctypes.addressof(licence), 0, 0, 0, 0, 0, name.encode()))
    with Inside(SWITCH):
        link = bpf(BPF_LINK_CREATE, struct.pack("=IIII", program, socket.if_nametoindex("switch"),
                                                BPF_XDP, XDP_GENERIC))
    try:
        yield
    finally:
        os.close(link)
        os.close(program)


def program_id(name):
    return re.search(r"prog/xdp id (\d+)", ip(SWITCH, "link", "show", name)).group(1)


def link_address(namespace, name):
    text = re.search(r"link/ether (\S+)", ip(namespace, "link", "show", name)).group(1)
    return bytes.fromhex(text.replace(":", ""))


def tagged(address, port):
    """A frame to the switch, in the VLAN; without checksums, which nobody looks at here."""
    datagram = struct.pack("!HHHH", 40000, port, 28, 0) + bytes(20)
    if ":" in address:
        packet = struct.pack("!IHBB", 0x60000000, len(datagram), 17, 64) + \
            socket.inet_pton(socket.AF_INET6, CALLER_IP6) + \
            socket.inet_pton(socket.AF_INET6, address)
    else:
        packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0) + \
            socket.inet_aton(CALLER_IP) + socket.inet_aton(address)
    return link_address(SWITCH, "switch") + link_address(CALLER, "caller") + \
        struct.pack("!HHH", 0x8100, VLAN, 0x86dd if ":" in address else 0x0800) + packet + datagram


class Stream(threading.Thread):
    """Numbered RTP from one party to the other, each STEP_S; what arrived, and what of it is missing."""

    def __init__(self, source, target):
        super().__init__(daemon=True)
        self.source, self.target = source, target
        self.sent, self.heard, self.refused = [], set(), 0
        self.over = threading.Event()

    def run(self):
        listener = threading.Thread(target=self.listen, daemon=True)
        listener.start()
        begin = time.monotonic()
        for i in range(1 << 16):
            if self.over.is_set():
                break
            wait = begin + i * STEP_S - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self.sent.append(time.monotonic())
            try:
                self.source.send(rtp(i))
            except OSError:  # an ICMP message: the kernel has answered
                self.refused += 1
        listener.join()

    def listen(self):
        self.target.settimeout(0.1)
        while True:
            try:
                packet = self.target.recv(2048)
            except TimeoutError:
                if self.over.is_set():
                    return
                continue
            except OSError:
                self.refused += 1
                continue
            self.heard.add(struct.unpack("!I", packet[12:16])[0])

    def end(self):
        self.over.set()
        self.join()

    def gaps(self):
        """Seconds between the packets around each run of missing ones."""
        heard = sorted(self.heard)
        return [self.sent[after] - self.sent[before]
                for before, after in zip(heard, heard[1:]) if after != before + 1]


def rtp(number):
    return struct.pack("!BBHII", 0x80, 0, number & 0xffff, number * 4, 4711) + \
        struct.pack("!I", number) * 40


class SteerTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(remove_namespaces, CALLER, SWITCH)

    def start(self, program, *words, greet=True):
        started = Program(SWITCH, program, *words, greet=greet)
        self.addCleanup(started.log.close)
        self.addCleanup(started.quit)
        return started

    def relay(self, kind, workers=1):
        return self.start(RELAY, kind, "switch", SWITCH_IP, FIRST, LAST, "adaptive", workers)

    def successor(self, kind, workers=1, wait_ms=20000):
        """One that has prepared all that it can."""
        new = self.start(RELAY, f"takeover={wait_ms}", kind, "switch", SWITCH_IP, FIRST, LAST,
                         "adaptive", workers, greet=False)
        self.assertTrue(wait_for(lambda: "XDP-WAIT interface=switch" in new.lines()), new.lines())
        return new

    def connect(self, relay, addresses=(SWITCH_IP, SWITCH_IP)):
        """The parties of its call, of whom each hears the other."""
        self.assertEqual(relay.hello[0], "ready", relay.lines())
        parties = [udp(CALLER, remote=(address, int(port)))
                   for address, port in zip(addresses, relay.hello[2:4])]
        for party in parties:
            self.addCleanup(party.close)
        for _ in range(100):
            heard = 0
            for party in parties:
                party.send(rtp(0))
                party.settimeout(0.05)
            for party in parties:
                try:
                    party.recv(2048)
                    heard += 1
                except TimeoutError:
                    pass
            if heard == 2:
                return parties
        return self.fail(relay.lines())


class SteeringTest(SteerTest):
    NAMES = ("echoed", "echoed_by_1", "other", "steered", "passed", "unserved", "fragments",
             "missed")

    def echo(self, kind, workers=1):
        echo = self.start(ECHO, kind, "switch", SWITCH_IP, FIRST, LAST, workers)
        self.assertEqual(echo.hello[0], "ready", echo.lines())
        return echo

    def counts(self, echo):
        return dict(zip(self.NAMES, map(int, echo.ask("counts"))))

    def speak_tcp(self, address):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with Inside(SWITCH):
            server = socket.create_server((address, FIRST), family=family)
        with Inside(CALLER):
            client = socket.create_connection((address, FIRST), 5)
        with server, client:
            peer, _ = server.accept()
            with peer:
                peer.sendall(b"x" * 5000)
                self.assertEqual(client.recv(5000, socket.MSG_WAITALL), b"x" * 5000)

    def speak_udp(self, address):
        """On a port beside the owned ones."""
        with udp(SWITCH, local=(address, LAST + 1)) as server, \
             udp(CALLER, remote=(address, LAST + 1)) as client:
            client.send(b"OPTIONS")
            _, source = server.recvfrom(100)
            server.sendto(b"OK", source)
            self.assertEqual(client.recv(100), b"OK")

    def steers(self, kind):
        """IPv4 and IPv6, in a VLAN and not, to the worker's socket; all else of them to the kernel."""
        make_network()
        # A veth carries tags beside the frames, where XDP does not see them.
        run("ip", "netns", "exec", CALLER, "ethtool", "-K", "caller", "txvlan", "off")
        echo = self.echo(kind)
        for address, vlan in ((SWITCH_IP6, 0), (VLAN_IP, VLAN), (VLAN_IP6, VLAN)):
            self.assertEqual(echo.ask(f"own {address} {vlan} {FIRST} {LAST}"), ["0"])
        for address in (SWITCH_IP, SWITCH_IP6):
            self.speak_tcp(address)
            self.speak_udp(address)
            run("ip", "netns", "exec", CALLER, "ping", "-c", "1", "-W", "2", address)
        before = self.counts(echo)
        self.assertEqual((before["steered"], before["unserved"]), (0, 0))
        with Inside(CALLER):
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        with wire:
            wire.bind(("caller", 0))
            for number, address in enumerate((SWITCH_IP, SWITCH_IP6, VLAN_IP, VLAN_IP6), 1):
                for port in (FIRST, LAST, LAST + 1):
                    if address in (VLAN_IP, VLAN_IP6):
                        wire.send(tagged(address, port))
                    else:
                        with udp(CALLER, remote=(address, port)) as peer:
                            peer.send(b"x" * 100)
                self.assertTrue(wait_for(lambda: self.counts(echo)["steered"] == 2 * number),
                                f"{address}: {self.counts(echo)}")
        after = self.counts(echo)
        self.assertEqual((after["echoed"], after["other"]), (2, 6), "all reached the worker")
        self.assertEqual((after["unserved"], after["missed"]), (0, 0))
        self.assertEqual(echo.quit(), 0, echo.lines())

    def test_both_versions_of_ip_with_and_without_vlan_natively(self):
        self.steers("xdp-native")

    def test_both_versions_of_ip_with_and_without_vlan_generically(self):
        self.steers("xdp-generic")

    def test_ranges_change_while_packets_flow(self):
        make_network()
        ip(SWITCH, "addr", "add", SECOND_IP + "/24", "dev", "switch")
        echo = self.echo("xdp-native")
        program = program_id("switch")
        with udp(CALLER, remote=(SWITCH_IP, FIRST)) as peer, \
             udp(CALLER, remote=(SECOND_IP, FIRST)) as other, \
             udp(SWITCH, local=(SECOND_IP, FIRST)) as kernels:
            stream = Stream(peer, peer)
            stream.start()
            time.sleep(0.05)
            for i in range(100):
                own = f"own {SECOND_IP} 0 {FIRST} {FIRST + i}" if i % 2 else f"disown {SECOND_IP} 0"
                self.assertEqual(echo.ask(own), ["0" if i else "-2"], own)
                before = self.counts(echo)["other"]
                other.send(b"x")
                if i % 2:
                    self.assertTrue(wait_for(lambda: self.counts(echo)["other"] == before + 1))
                else:
                    self.assertEqual(kernels.recv(100), b"x")
            stream.end()
        self.assertEqual((stream.gaps(), stream.refused), ([], 0))
        self.assertEqual(sorted(stream.heard), list(range(len(stream.sent))))
        self.assertEqual(program_id("switch"), program, "not loaded again")

    def test_each_of_two_interfaces_has_its_program_and_mode(self):
        make_network()
        make_link((CALLER, "caller1"), (SWITCH, "below"))
        ip(CALLER, "addr", "add", "10.80.1.1/24", "dev", "caller1")
        ip(SWITCH, "link", "add", "bridge", "type", "bridge")  # its driver has no XDP
        ip(SWITCH, "link", "set", "below", "master", "bridge")
        ip(SWITCH, "link", "set", "bridge", "up")
        ip(SWITCH, "addr", "add", "10.80.1.2/24", "dev", "bridge")
        relay = self.start(RELAY, "xdp-auto", "switch,bridge", SWITCH_IP, FIRST, LAST, "10.80.1.2",
                           0)
        self.assertEqual(relay.hello[:2], ["ready", NATIVE], relay.lines())
        self.assertEqual(relay.ask("modes"), [NATIVE, GENERIC])
        for line in ("XDP-ATTACHED interface=switch mode=native",
                     "XDP-ATTACHED interface=bridge mode=generic",
                     "XDP-GENERIC interface=bridge native_errno="):
            self.assertIn(line, relay.lines())
        parties = self.connect(relay, (SWITCH_IP, "10.80.1.2"))
        streams = [Stream(*parties), Stream(*parties[::-1])]
        for stream in streams:
            stream.start()
        time.sleep(0.3)
        for stream in streams:
            stream.end()
            self.assertGreater(len(stream.heard), 50)
            self.assertEqual((stream.gaps(), stream.refused), ([], 0))
        self.assertEqual(relay.quit(), 0, relay.lines())
        for name in ("switch", "bridge"):
            self.assertTrue(link_is_clean(SWITCH, name), name)

    @unittest.skipUnless(BPF_CALL, "the number of bpf(2) is not known here")
    def test_program_of_a_stranger_is_refused_by_name(self):
        make_network()
        for name in ("stranger", "xsk_def_prog"):  # the latter is what libxdp names its own
            with stranger(name):
                for front in ((), ("takeover=20000",)):
                    began = time.monotonic()
                    relay = self.start(RELAY, *front, "xdp-auto", "switch", SWITCH_IP, FIRST, LAST)
                    self.assertEqual(relay.hello, BUSY, relay.lines())
                    self.assertLess(time.monotonic() - began, 10, "not waited for")
                    self.assertRegex(relay.lines(), f"XDP-BUSY interface=switch program={name} id=")
                self.assertIn("xdpgeneric", ip(SWITCH, "link", "show", "switch"), "left alone")
        self.assertTrue(link_is_clean(SWITCH, "switch"))


class TakeoverTest(SteerTest):
    def takes_over(self, kind, kill, queues=1):
        make_network(queues)
        gaps, gap_max = [], (GAP_S_MAX + GAP_S_QUEUE * (queues - 1)) * (1 if TAKEOVERS else GAPS_BOUND)
        enough = TAKEOVERS or 4  # gaps; a take-over has two, one in each direction
        old = self.relay(kind, workers=queues)
        parties = self.connect(old)
        before = unreachables(SWITCH)
        for _ in range(TAKEOVERS or TAKEOVERS_MAX):
            if not TAKEOVERS and len(gaps) >= enough and sorted(gaps)[enough - 1] < gap_max:
                break
            new = self.successor(kind, queues)
            streams = [Stream(*parties), Stream(*parties[::-1])]
            for stream in streams:
                stream.start()
            time.sleep(0.3)
            if kill:
                old.kill()
            else:
                self.assertEqual(old.quit(), 0, old.lines())
            self.assertEqual(new.greet().hello, old.hello, "the same UDP ports\n" + new.lines())
            old = new
            began = [len(stream.sent) for stream in streams]
            flows = wait_for(lambda: all(max(stream.heard) > number
                                         for stream, number in zip(streams, began)))
            self.assertTrue(flows, f"{old.ask('stats')}\n{old.lines()}")
            for stream in streams:
                stream.end()
                gap = stream.gaps()
                self.assertEqual(stream.refused, 0, "the kernel answered an owned port")
                gaps.append(max(gap, default=0))
        self.assertEqual(unreachables(SWITCH), before, "the kernel answered an owned port")
        print(f"{kind}, {queues} queues, {'killed' if kill else 'ended'}: gaps in ms",
              *sorted(round(gap * 1e3, 1) for gap in gaps), file=sys.stderr)
        # How long the kernel takes to free a queue is the machine's; that nobody begins anew is ours.
        self.assertLess(sorted(gaps)[enough - 1], gap_max)
        self.assertEqual(old.quit(), 0, old.lines())
        self.assertTrue(link_is_clean(SWITCH, "switch"))

    def test_owner_that_stays_is_not_harmed(self):
        make_network()
        old = self.relay("xdp-native")
        parties = self.connect(old)
        new = self.successor("xdp-native", wait_ms=300)
        stream = Stream(*parties)
        stream.start()
        self.assertEqual(new.greet().hello, BUSY, new.lines())
        self.assertIn("XDP-BUSY interface=switch program=xsk_def_prog id=", new.lines())
        time.sleep(0.1)
        stream.end()
        self.assertEqual((stream.gaps(), stream.refused), ([], 0))
        self.assertEqual(old.quit(), 0, old.lines())
        self.assertTrue(link_is_clean(SWITCH, "switch"))

    def test_successor_may_have_another_mode(self):
        make_network()
        old = self.relay("xdp-generic")
        self.connect(old)
        new = self.successor("xdp-native")
        old.kill()
        self.assertEqual(new.greet().hello[:2], ["ready", NATIVE], new.lines())
        self.connect(new)
        new.kill()
        self.assertTrue(link_is_clean(SWITCH, "switch"))

    def test_process_that_ends_is_succeeded(self):
        self.takes_over("xdp-native", kill=False)

    def test_killed_process_is_succeeded_on_two_queues(self):
        self.takes_over("xdp-native", kill=True, queues=2)

    def test_killed_process_is_succeeded(self):
        self.takes_over("xdp-native", kill=True)


if __name__ == "__main__":
    main()
