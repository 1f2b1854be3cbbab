# SPDX-License-Identifier: BSD-3-Clause
"""The town: callers, agents and the switch, each in a network namespace, joined by a bridge.

    callers 10.77.0.2 ---.
    agents  10.77.0.3 ---+--- bridge, in a namespace of its own
    switch  10.77.0.1 ---'    (sw0: SIP and RTP share this interface and address)

The bridge lives in a namespace too, so that nothing of the run shows up in the machine's own
network, its firewall and its routes; only --keep adds one veth there. Each namespace has its own
capture point, which is what makes the proof independent of the switch.
"""

import os
import re

from process import Failed, command

SWITCH = "10.77.0.1"
CALLERS = "10.77.0.2"
AGENTS = "10.77.0.3"
HOST = "10.77.0.254"
PREFIX_BITS = 24
SWITCH_LINK = "sw0"
PHONE_LINK = "ph0"

PLACES = {"switch": (SWITCH_LINK, SWITCH), "callers": (PHONE_LINK, CALLERS),
          "agents": (PHONE_LINK, AGENTS)}


class Network:
    def __init__(self, run_id):
        self.run_id = run_id
        self.host_link = None

    def name(self, place):
        return f"strowger-{self.run_id}-{place}"

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self):
        for place in ("bridge", *PLACES):
            command("ip", "netns", "add", self.name(place))
            command("ip", "-n", self.name(place), "link", "set", "lo", "up")
            # Nobody here speaks IPv6; its neighbour discovery would only blur the counters.
            command("ip", "netns", "exec", self.name(place), "sysctl", "-q", "-w",
                    "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        bridge = self.name("bridge")
        command("ip", "-n", bridge, "link", "add", "br0", "type", "bridge",
                "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0")
        command("ip", "-n", bridge, "link", "set", "br0", "up")
        for place, (link, address) in PLACES.items():
            self._join(place, link, address)

    def _join(self, place, link, address):
        bridge, namespace = self.name("bridge"), self.name(place)
        # One queue: the switch binds its AF_XDP socket to queue 0, where all packets must arrive.
        command("ip", "-n", bridge, "link", "add", "name", place, "numrxqueues", "1",
                "numtxqueues", "1", "type", "veth", "peer", "name", link, "numrxqueues", "1",
                "numtxqueues", "1", "netns", namespace)
        # Without this the kernel leaves checksums to a card that does not exist, and a program
        # below the kernel's stack (AF_XDP) gets and passes on packets with wrong ones.
        for where, name in ((bridge, place), (namespace, link)):
            command("ip", "netns", "exec", where, "ethtool", "-K", name, "tx", "off", "rx", "off")
        # What the switch's XDP program sends back itself, a veth takes only if its other end polls, which
        # it does for GRO; without, the kernel drops it and tells nobody.
        command("ip", "netns", "exec", bridge, "ethtool", "-K", place, "gro", "on")
        command("ip", "-n", bridge, "link", "set", place, "master", "br0", "up")
        command("ip", "-n", namespace, "addr", "add", f"{address}/{PREFIX_BITS}", "dev", link)
        command("ip", "-n", namespace, "link", "set", link, "up")

    def open_to_host(self):
        """--keep: a veth from the bridge to the machine's own network, for one's own softphone."""
        if re.search(r"\b10\.77\.0\.", command("ip", "-4", "addr", "show")):
            raise Failed("this machine uses 10.77.0.0/24 itself, so --keep cannot join the switch "
                         "to it")
        self.host_link = f"stw{self.run_id}"
        command("ip", "-n", self.name("bridge"), "link", "add", "name", "host", "type", "veth",
                "peer", "name", self.host_link, "netns", str(os.getpid()))
        command("ip", "netns", "exec", self.name("bridge"), "ethtool", "-K", "host",
                "tx", "off", "rx", "off")
        command("ethtool", "-K", self.host_link, "tx", "off", "rx", "off")
        command("ip", "-n", self.name("bridge"), "link", "set", "host", "master", "br0", "up")
        command("ip", "addr", "add", f"{HOST}/{PREFIX_BITS}", "dev", self.host_link)
        command("ip", "link", "set", self.host_link, "up")

    def __exit__(self, *_):
        """A veth goes with its namespace; the bridge and the switch's link with theirs."""
        if self.host_link:
            command("ip", "link", "del", self.host_link, check=False)
        there = namespaces()
        for place in (*PLACES, "bridge"):
            if self.name(place) in there:
                command("ip", "netns", "del", self.name(place), check=False)


def namespaces():
    return {line.split()[0] for line in command("ip", "netns", "list").splitlines() if line}


def remove_stale():
    """Namespaces of runs that were killed: their run's process is gone, so are its children."""
    for name in namespaces():
        match = re.fullmatch(r"strowger-(\d+)-\w+", name)
        if match and not os.path.exists(f"/proc/{match[1]}"):
            command("ip", "netns", "del", name, check=False)
