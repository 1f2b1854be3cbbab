# SPDX-License-Identifier: BSD-3-Clause
"""Relays made of nftables rules in a namespace: stateless rewriting as packets come in, and NAT with
connection tracking. Everything is known to the rules beforehand; nothing is learnt, guarded or counted."""
import os

import network
import stage

PROGRAM = "/usr/sbin/nft"
PORT_FIRST = 10000
TABLE = "bench"
NAT_SETTINGS = ("net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0",
                "net.netfilter.nf_conntrack_udp_timeout=3600", "net.netfilter.nf_conntrack_udp_timeout_stream=3600")


def elements_of(pairs):
    return ",\n".join(f"{key} : {value}" for key, value in pairs)


def link_address(namespace, interface):
    return network.run("ip", "netns", "exec", namespace, "cat", f"/sys/class/net/{interface}/address").strip()


class Nft:
    """Calls as rules; rules_of() of a kind makes them."""

    settings = ()

    def __init__(self, stand):
        self.stand = stand
        self.folder = stand.folder
        self.settings_before = []
        for setting in self.settings:
            name = setting.split("=")[0]
            self.settings_before.append(name + "=" + stand.run_inside("sysctl", "-n", name).strip())
            stand.run_inside("sysctl", "-qw", setting)
        # The device of that name that a rule sends to has no address of its own.
        stand.run_inside("sysctl", "-qw", f"net.ipv4.conf.{stand.interface}.send_redirects=0")

    def legs_of(self, count):
        """Two a call: a local address and port, those of the other leg, and the port of its party."""
        relays = self.stand.relays
        for call in range(count):
            address = relays[call % len(relays)]
            first = PORT_FIRST + call // len(relays) * 4
            yield (address, first), first + 2, stage.PARTY[2]
            yield (address, first + 2), first, stage.PARTY[1]

    def add_calls(self, count, path, _recorded):
        """Their ports go to a file."""
        script = os.path.join(self.folder, "rules.nft")
        legs = list(self.legs_of(count))
        with open(script, "w", encoding="ascii") as file:
            file.write(self.rules_of(legs))
        self.stand.run_inside(PROGRAM, "-f", script)
        with open(path, "w", encoding="ascii") as file:
            for caller, agent in zip(legs[::2], legs[1::2]):
                file.write("%s %u %s %u\n" % (*caller[0], *agent[0]))

    def settle(self, _nudge):
        """Nothing moves."""

    def pid(self):
        """There is no process."""

    def quit(self):
        self.stand.run_inside(PROGRAM, "delete", "table", self.family, TABLE, check=False)
        for setting in self.settings_before:
            self.stand.run_inside("sysctl", "-qw", setting)


class NftStateless(Nft):
    """Rewritten where packets come in, and sent out again from there. In its favour the party's address and both
    link addresses are constants; what differs from leg to leg are two ports."""

    family = "netdev"

    def rules_of(self, legs):
        inside, outside = link_address(self.stand.spaces[1], self.stand.interface), \
            link_address(self.stand.spaces[0], "gen")
        from_port = elements_of((f"{address} . {port}", peer) for (address, port), peer, _ in legs)
        to_port = elements_of((f"{address} . {port}", party) for (address, port), _, party in legs)
        size = f"size {len(legs)};"     # a hash table of fixed size is the faster one
        relays = self.stand.relays
        source = relays[0] if len(relays) == 1 else \
            "ip daddr map { " + ", ".join(f"{address} : {address}" for address in relays) + " }"
        return f"""
table netdev {TABLE} {{
	map from {{ type ipv4_addr . inet_service : inet_service; {size} elements = {{ {from_port} }} }}
	map to {{ type ipv4_addr . inet_service : inet_service; {size} elements = {{ {to_port} }} }}
	chain relay {{
		type filter hook ingress device "{self.stand.interface}" priority 0;
		udp dport >= {PORT_FIRST} udp sport set ip daddr . udp dport map @from \\
			udp dport set ip daddr . udp dport map @to ip saddr set {source} \\
			ip daddr set {stage.PARTY[0]} ether saddr set {inside} ether daddr set {outside} \\
			fwd to "{self.stand.interface}"
	}}
}}
"""


class NftNat(Nft):
    """Destination and source NAT: an entry of connection tracking per call, made by its first packet."""

    family = "ip"
    settings = NAT_SETTINGS

    def rules_of(self, legs):
        party = stage.PARTY[0]
        to_party = elements_of((f"{address} . {port}", f"{party} . {to}") for (address, port), _, to in legs)
        from_peer = elements_of((f"{address} . {port}", f"{address} . {peer}") for (address, port), peer, _ in legs)
        pair = "type ipv4_addr . inet_service : ipv4_addr . inet_service"
        return f"""
table ip {TABLE} {{
	map to {{ {pair}; elements = {{ {to_party} }} }}
	map from {{ {pair}; elements = {{ {from_peer} }} }}
	chain in {{
		type nat hook prerouting priority dstnat;
		udp dport >= {PORT_FIRST} dnat to ip daddr . udp dport map @to
	}}
	chain out {{
		type nat hook postrouting priority srcnat;
		meta l4proto udp snat to ct original ip daddr . ct original proto-dst map @from
	}}
}}
"""
