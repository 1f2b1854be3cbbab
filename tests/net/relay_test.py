#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A relayed call between kernel sockets in network namespaces, on the public interface.

Usage: relay_test.py PATH-OF-NET-RELAY [unittest options]

Four namespaces: `caller` (10.78.0.1), `agent` (10.78.0.3) and `switch` (10.78.0.2) on a bridge in
`net`, each with an IPv6 address, too. net-relay owns UDP ports 20000 to 20099 of the switch's addresses; its
kernel keeps the rest. In VLAN 7 the agent is a packet socket: so no kernel needs to have VLANs. Where DPDK owns
the interface, the kernel of a fifth namespace, `host`, has the switch's addresses, behind the exception
interface: the switch's own kernel has none, so nobody else can answer.
Needs root; ends with 77 (skipped) without.
"""

import os
import re
import socket
import struct
import sys
import time
import unittest

from network import (PREFIX, Inside, Program, ip, link_is_clean, main, make_link, make_namespace,
                     remove_namespaces, run, udp, unreachables)

RELAY = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else sys.exit(__doc__)
CALLER, AGENT, SWITCH, NET, HOST = (PREFIX + letter for letter in "casnh")
IPS = {CALLER: "10.78.0.1", SWITCH: "10.78.0.2", AGENT: "10.78.0.3"}
FIRST, LAST, SIP = 20000, 20099, 5060
V4, V6 = 4, 6  # what the parties of a call speak
VLAN, VLAN_SWITCH, VLAN_AGENT = 7, "10.79.0.2", "10.79.0.3"
SOL_PACKET, PACKET_AUXDATA = 263, 8  # linux/if_packet.h
MODES = {"none": 0, "native": 2, "generic": 3}
PACKETS = 500
PACKETS_AHEAD = 20
KERNEL_IP = "10.78.0.22"  # of the host's kernel alone
TCP_BYTES = 200000


def address(namespace, kind):
    """Of a namespace, by what it speaks."""
    return IPS[namespace] if kind == V4 else "2001:db8::" + IPS[namespace].split(".")[-1]


def make_network():
    for namespace in (NET, *IPS):
        make_namespace(namespace)
    ip(NET, "link", "add", "bridge", "type", "bridge")
    ip(NET, "link", "set", "bridge", "up")
    for namespace, plain in IPS.items():
        name = "to" + namespace[-1]
        make_link((namespace, "eth"), (NET, name))
        ip(namespace, "addr", "add", plain + "/24", "dev", "eth")
        ip(namespace, "addr", "add", address(namespace, V6) + "/64", "dev", "eth", "nodad")
        ip(NET, "link", "set", name, "master", "bridge")
        # A veth carries tags beside the frames, where XDP does not see them.
        run("ip", "netns", "exec", NET, "ethtool", "-K", name, "txvlan", "off")


class Relay(Program):
    """net-relay in the switch's namespace; see relay.c for what it understands."""

    NAMES = ("caller_received", "caller_sent", "caller_foreign", "caller_lost", "agent_received",
             "agent_sent", "agent_foreign", "agent_lost", "received", "verdicts", "relayed",
             "missed")

    def __init__(self, kind, caller, agent, vlan=0):
        second = () if caller == agent and not vlan else (address(SWITCH, agent), 0)
        second = (VLAN_SWITCH, vlan) if vlan else second
        super().__init__(SWITCH, RELAY, kind, "eth", address(SWITCH, caller), FIRST, LAST, *second)

    def stats(self):
        return dict(zip(self.NAMES, map(int, self.ask("stats"))))


class Party:
    """A phone: numbered RTP packets with random payloads out, payloads in."""

    def __init__(self, namespace, port, kind=V4):
        self.namespace, self.port, self.kind = namespace, port, kind
        self.socket = udp(namespace, remote=(address(SWITCH, kind), port))
        self.ssrc = os.urandom(4)
        self.sequence = 1000
        self.sent = []
        self.heard = []

    def send(self):
        payload = os.urandom(160)
        header = struct.pack("!BBHI", 0x80, 0, self.sequence & 0xffff, self.sequence * 160)
        self.sequence += 1
        self.socket.send(self.wrap(header + self.ssrc + payload))
        self.sent.append(payload)

    def wrap(self, rtp):
        return rtp

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


class Tagged(Party):
    """A phone in a VLAN: IPv4 without UDP checksum, tag by tag."""

    def __init__(self, namespace, port):
        super().__init__(namespace, port)
        self.socket.close()
        with Inside(namespace):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.socket.bind(("eth", 0))
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.frame = b"".join(self.link_address(of) for of in (SWITCH, namespace))

    @staticmethod
    def link_address(namespace):
        text = re.search(r"link/ether (\S+)", ip(namespace, "link", "show", "eth")).group(1)
        return bytes.fromhex(text.replace(":", ""))

    def wrap(self, rtp):
        ips = socket.inet_aton(VLAN_AGENT) + socket.inet_aton(VLAN_SWITCH)
        header = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(rtp), 0, 0x4000, 64, 17, 0) + ips
        total = sum(struct.unpack("!10H", header))
        total = (total & 0xffff) + (total >> 16)
        checksum = struct.pack("!H", ~((total & 0xffff) + (total >> 16)) & 0xffff)
        return (self.frame + struct.pack("!HHH", 0x8100, VLAN, 0x0800) + header[:10] + checksum +
                header[12:] + struct.pack("!HHHH", 40000, self.port, 8 + len(rtp), 0) + rtp)

    def hear(self, seconds=1):
        self.socket.settimeout(seconds)
        try:
            while True:
                frame, beside, _, _ = self.socket.recvmsg(2048, 64)
                if frame[12:14] == b"\x08\x00" and frame[30:34] == socket.inet_aton(VLAN_AGENT):
                    break
        except TimeoutError:
            return False
        tag = struct.unpack("IIIHHHH", beside[0][2][:20])[5]
        if tag & 0xfff != VLAN or frame[26:30] != socket.inet_aton(VLAN_SWITCH):
            raise AssertionError(f"tag {tag}, frame {frame[:42].hex()}")
        self.heard.append(frame[54:])
        return True


class RelayTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(remove_namespaces, NET, HOST, *IPS)
        make_network()
        self.kernel = SWITCH

    def start(self, kind, mode, of_caller, of_agent):
        relay = Relay(kind, of_caller, of_agent)
        self.addCleanup(relay.log.close)
        self.addCleanup(relay.quit)
        self.assertEqual(relay.hello[:2], ["ready", str(MODES[mode])], relay.lines())
        caller = Party(CALLER, int(relay.hello[2]), of_caller)
        agent = Party(AGENT, int(relay.hello[3]), of_agent)
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

    def kernel_keeps_the_rest(self, party):
        own = address(SWITCH, party.kind)
        with udp(self.kernel, local=(own, SIP)) as server, \
             udp(party.namespace, remote=(own, SIP)) as client:
            client.send(b"OPTIONS")
            request, source = server.recvfrom(2048)
            self.assertEqual(request, b"OPTIONS")
            server.sendto(b"200 OK", source)
            self.assertEqual(client.recv(2048), b"200 OK")
        run("ip", "netns", "exec", party.namespace, "ping", "-c", "2", "-i", "0.2", "-W", "1", own)

    def stranger_is_not_heard(self, relay, caller, agent):
        before = relay.stats()["caller_foreign"]
        stranger = Party(CALLER, caller.port, caller.kind)
        with stranger.socket:
            for _ in range(10):
                stranger.send()
            self.assertFalse(agent.hear(0.2), "a stranger's packet was relayed")
        self.assertEqual(relay.stats()["caller_foreign"] - before, 10)

    def relays(self, kind, mode, of_caller=V4, of_agent=V4):
        relay, caller, agent = self.start(kind, mode, of_caller, of_agent)
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
        for party in (caller, agent):
            self.kernel_keeps_the_rest(party)
        self.assertEqual(unreachables(SWITCH), silent, "the kernel answered an owned port")
        time.sleep(0.1)
        end = relay.stats()
        self.assertEqual(end["received"], end["verdicts"], "each packet has one verdict")
        self.assertEqual((end["caller_lost"], end["agent_lost"], end["missed"]), (0, 0, 0))
        self.assertEqual(relay.quit(), 0, relay.lines())
        self.assertTrue(link_is_clean(SWITCH, "eth"))

    def tagged(self, kind, mode):
        relay = Relay(kind, V6, V4, VLAN)
        self.addCleanup(relay.log.close)
        self.addCleanup(relay.quit)
        self.assertEqual(relay.hello[:2], ["ready", str(MODES[mode])], relay.lines())
        caller = Party(CALLER, int(relay.hello[2]), V6)
        agent = Tagged(AGENT, int(relay.hello[3]))
        self.addCleanup(caller.socket.close)
        self.addCleanup(agent.socket.close)
        self.connect(relay, caller, agent)
        self.talk(caller, agent)
        self.assertEqual(relay.quit(), 0, relay.lines())

    def give_to_dpdk(self):
        """The switch's interface, without its addresses."""
        ip(SWITCH, "addr", "flush", "dev", "eth")
        run("ip", "netns", "exec", SWITCH, "sysctl", "-qw", "net.ipv6.conf.eth.disable_ipv6=1")

    def give_to_host(self):
        """The exception interface, with the switch's addresses and another one."""
        make_namespace(HOST)
        mac = ip(SWITCH, "link", "show", "eth").split("link/ether ")[1].split()[0]
        self.assertIn(mac, ip(SWITCH, "link", "show", "stw0"), "the port's link address")
        ip(SWITCH, "link", "set", "stw0", "netns", HOST)
        ip(HOST, "link", "set", "stw0", "up")
        for plain in (address(SWITCH, V4), KERNEL_IP):
            ip(HOST, "addr", "add", plain + "/24", "dev", "stw0")
        ip(HOST, "addr", "add", address(SWITCH, V6) + "/64", "dev", "stw0", "nodad")
        self.kernel = HOST

    def ping(self, namespace, target, *words):
        run("ip", "netns", "exec", namespace, "ping", "-c", "3", "-i", "0.2", "-W", "2", *words, target)

    def kernel_speaks_tcp(self):
        data = os.urandom(TCP_BYTES)
        with Inside(HOST):
            server = socket.create_server((KERNEL_IP, SIP))
        with Inside(CALLER):
            client = socket.create_connection((KERNEL_IP, SIP), 5)
        with server, client:
            peer, _ = server.accept()
            with peer:
                peer.settimeout(5)
                client.settimeout(5)
                for sender, receiver in ((client, peer), (peer, client)):
                    heard = b""
                    for i in range(0, TCP_BYTES, 10000):
                        sender.sendall(data[i:i + 10000])
                        while len(heard) < i + 10000:
                            heard += receiver.recv(65536)
                    self.assertEqual(heard, data)

    def test_port_of_dpdks_own_without_kernel(self):
        self.give_to_dpdk()
        relay, caller, agent = self.start("owned", "none", V4, V6)
        for kind in (V4, V6):
            self.ping(CALLER, address(SWITCH, kind))
        self.connect(relay, caller, agent)
        self.talk(caller, agent)
        self.assertEqual(relay.quit(), 0, relay.lines())

    def test_agent_in_a_vlan_over_native_xdp(self):
        self.tagged("xdp-native", "native")

    def test_agent_in_a_vlan_over_generic_xdp(self):
        self.tagged("xdp-generic", "generic")

    def test_agent_in_a_vlan_over_af_packet(self):
        self.tagged("af_packet", "none")

    def test_port_of_dpdks_own_gives_the_kernel_the_rest(self):
        self.give_to_dpdk()
        relay, caller, agent = self.start("owned", "none", V4, V6)
        self.give_to_host()
        self.connect(relay, caller, agent)
        for party in (caller, agent):
            self.kernel_keeps_the_rest(party)
        self.ping(CALLER, KERNEL_IP)
        # Fragments; those of IPv4 are put together before net_af_packet sees them.
        self.ping(AGENT, address(SWITCH, V6), "-s", "4000")
        self.ping(HOST, IPS[AGENT])
        self.kernel_speaks_tcp()
        self.talk(caller, agent)
        self.assertEqual(relay.quit(), 0, relay.lines())
        self.assertNotIn("stw0", ip(HOST, "link", "show"), "gone with the process")

    def test_call_of_ipv6_over_native_xdp(self):
        self.relays("xdp-native", "native", V6, V6)

    def test_call_of_ipv6_over_generic_xdp(self):
        self.relays("xdp-generic", "generic", V6, V6)

    def test_call_of_ipv6_over_af_packet(self):
        self.relays("af_packet", "none", V6, V6)

    def test_caller_of_ipv4_and_agent_of_ipv6(self):
        self.relays("xdp-native", "native", V4, V6)

    def test_caller_of_ipv6_and_agent_of_ipv4_over_af_packet(self):
        self.relays("af_packet", "none", V6, V4)

    def test_call_over_native_xdp(self):
        self.relays("xdp-native", "native")

    def test_call_over_generic_xdp(self):
        self.relays("xdp-generic", "generic")

    def test_call_over_af_packet(self):
        self.relays("af_packet", "none")


if __name__ == "__main__":
    main()
