#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Make the corpus of the target `frame`: python3 make_frames.py corpus/frame

A file is a first byte as frame_fuzz.c has it, and a frame or what UDP carries. UDP port 2 n stands for leg n
there. Sources: RFC 768, 791, 792, 826, 3550, 4443, 4733, 4861, 5389, 6347, 8200; IEEE 802.1Q.
"""
import ipaddress
import pathlib
import struct
import sys

UDP, FOREIGN, RTCP, PORT, CUT = 0x80, 0x10, 0x20, 0x01, 0x02


def sum16(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ether(kind, payload, tags=(), to=b"\xfe" * 6, source=b"\2\0\0\0\0\1"):
    head = to + source
    for protocol, tag in tags:
        head += struct.pack(">HH", protocol, tag)
    return head + struct.pack(">H", kind) + payload


def ip4(payload, protocol=17, source="10.0.0.51", to="10.0.0.1", options=b"", fragment=0):
    head = struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, 20 + len(options) + len(payload), 1,
                       fragment, 64, protocol, 0, ipaddress.ip_address(source).packed,
                       ipaddress.ip_address(to).packed) + options
    return head[:10] + struct.pack(">H", sum16(head)) + head[12:] + payload


def ip6(payload, following=17, source="2001:db8::35", to="2001:db8::1", hops=255):
    return struct.pack(">IHBB", 6 << 28, len(payload), following, hops) + \
        ipaddress.ip_address(source).packed + ipaddress.ip_address(to).packed + payload


def udp(payload, to, source=40002):
    return struct.pack(">HHHH", source, to, 8 + len(payload), 0) + payload


def icmp6(body, source, to):
    pseudo = ipaddress.ip_address(source).packed + ipaddress.ip_address(to).packed + \
        struct.pack(">II", len(body), 58)
    body = body[:2] + struct.pack(">H", sum16(pseudo + body)) + body[4:]
    return ether(0x86DD, ip6(body, 58, source, to))


def rtp(kind=0, sequence=1, payload=b"\xff" * 40, first=0x80, rest=b""):
    return struct.pack(">BBHII", first, kind, sequence, 160 * sequence, 0x1234) + rest + payload


def rtcp(count, kind, body):
    return struct.pack(">BBH", 0x80 | count, kind, len(body) // 4) + body


def arp(operation, to="10.0.0.1"):
    return ether(0x0806, struct.pack(">HHBBH6s4s6s4s", 1, 0x0800, 6, 4, operation, b"\2\0\0\0\0\1",
                                     ipaddress.ip_address("10.0.0.51").packed, b"\0" * 6,
                                     ipaddress.ip_address(to).packed))


def icmp(kind, body=b"\0\1\0\2data"):
    message = struct.pack(">BBH", kind, 0, 0) + body
    return ether(0x0800, ip4(message[:2] + struct.pack(">H", sum16(message)) + message[4:], 1))


REPORT = struct.pack(">I", 0x1234) + struct.pack(">IIIII", 1, 2, 3, 4, 5)
BLOCK = struct.pack(">IIIIII", 0x99, 0x10000002, 7, 8, 9, 10)
STUN = struct.pack(">HHI", 1, 8, 0x2112A442) + b"transaction!" + struct.pack(">HHI", 0x8028, 4, 0)
DTLS = struct.pack(">BHHIHH", 22, 0xFEFD, 0, 0, 1, 12) + b"\1" + b"\0" * 11
V6 = ("2001:db8::35", "2001:db8::1")


def frames():
    """Whole frames, by name: those for port 0."""
    yield "arp-ask", arp(1)
    yield "arp-answer", arp(2)
    yield "arp-other", arp(1, "10.0.0.9")
    yield "icmp-echo", icmp(8)
    yield "icmp-unreachable", icmp(3, b"\0\0\0\0" + ip4(udp(b"", 0)))
    target = ipaddress.ip_address(V6[1]).packed
    yield "nd-ask", icmp6(b"\x87\0\0\0\0\0\0\0" + target + b"\1\1\2\0\0\0\0\1", V6[0], "ff02::1:ff00:1")
    yield "nd-answer", icmp6(b"\x88\0\0\0\x60\0\0\0" + target + b"\2\1\2\0\0\0\0\1", *V6)
    yield "nd-option-0", icmp6(b"\x87\0\0\0\0\0\0\0" + target + b"\1\0\2\0\0\0\0\1", *V6)
    yield "icmp6-echo", icmp6(b"\x80\0\0\0\0\1\0\2data", *V6)
    yield "ip4-options", ether(0x0800, ip4(udp(rtp(), 0), options=b"\1\1\x83\3\4\0\0\0"))
    yield "ip4-first-fragment", ether(0x0800, ip4(udp(rtp(), 0), fragment=0x2000))
    yield "ip4-last-fragment", ether(0x0800, ip4(b"\0" * 16, fragment=0x0010))
    yield "ip4-short", ether(0x0800, ip4(udp(rtp(), 0))[:30])
    yield "ip4-padded", ether(0x0800, ip4(udp(b"", 0)) + b"\0" * 18)
    yield "ip4-tcp", ether(0x0800, ip4(b"\0" * 20, 6))
    yield "ip4-version-5", ether(0x0800, b"\x55" + ip4(udp(rtp(), 0))[1:])
    yield "vlan", ether(0x0800, ip4(udp(rtp(), 8), source="10.0.2.55", to="10.0.2.1"), [(0x8100, 7)])
    yield "vlan-other", ether(0x0800, ip4(udp(rtp(), 8), source="10.0.2.55", to="10.0.2.1"), [(0x8100, 9)])
    yield "vlan-priority", ether(0x0800, ip4(udp(rtp(), 0)), [(0x8100, 0xE000)])
    yield "qinq", ether(0x0800, ip4(udp(rtp(), 0)), [(0x88A8, 7), (0x8100, 8)])
    yield "vlan-cut", ether(0x0800, b"", [(0x8100, 7)])
    yield "ip6", ether(0x86DD, ip6(udp(rtp(), 4)))
    yield "ip6-options", ether(0x86DD, ip6(b"\x11\0\1\4\0\0\0\0" + udp(rtp(), 4), 0))
    yield "ip6-routing", ether(0x86DD, ip6(b"\x11\0\0\1\0\0\0\0" + udp(rtp(), 4), 43))
    yield "ip6-chain", ether(0x86DD, ip6(b"\x3c\0\1\4\0\0\0\0" + b"\x11\0\1\4\0\0\0\0" + udp(rtp(), 4), 0))
    yield "ip6-fragment", ether(0x86DD, ip6(b"\x11\0\0\1\0\0\0\1" + udp(rtp(), 4), 44))
    yield "ip6-long-option", ether(0x86DD, ip6(b"\x11\xff\1\4\0\0\0\0" + udp(rtp(), 4), 0))
    yield "ip6-jumbo", ether(0x86DD, ip6(b"\x11\0\xc2\4\0\1\0\0", 0))
    yield "ip6-none", ether(0x86DD, ip6(b"", 59))
    yield "llc", ether(0x0026, b"\x42\x42\3" + b"\0" * 35)
    yield "tiny", b"\xfe" * 10


def payloads():
    """What UDP carries, by name, with the first byte's bits beside the leg's."""
    yield "rtp", 0, rtp()
    yield "rtp-foreign", FOREIGN, rtp()
    yield "rtp-sources", 0, rtp(first=0x83, rest=b"\0\0\0\1" * 3)
    yield "rtp-extension", 0, rtp(first=0x90, rest=b"\xbe\xde\0\1\x10\x80\0\0")
    yield "rtp-padding", 0, rtp(first=0xA0, payload=b"\xff" * 20 + b"\0\0\0\4")
    yield "event", 0, rtp(101, 2, b"\5\x8a\3\x20")
    yield "comfort", 0, rtp(13, 3, b"\x40")
    yield "report", RTCP, rtcp(1, 200, REPORT + BLOCK) + rtcp(1, 202, b"\0\0\x12\x34\1\4name\0\0")
    yield "goodbye", RTCP, rtcp(0, 201, b"\0\0\x12\x34") + rtcp(1, 203, b"\0\0\x12\x34\5later\0\0")
    yield "feedback", RTCP, rtcp(1, 205, b"\0\0\x12\x34\0\0\x56\x78\0\7\0\xff")
    yield "metrics", RTCP, rtcp(0, 207, b"\0\0\x12\x34\7\0\0\x08" + b"\1" * 32)
    yield "mux", 0, rtcp(1, 201, b"\0\0\x12\x34" + BLOCK)
    yield "stun", 0, STUN
    yield "dtls", 0, DTLS


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames():
        (folder / name).write_bytes(bytes([CUT if name == "ip6-chain" else 0]) + frame)
    far = ether(0x0800, ip4(udp(rtp(), 2), source="10.0.1.52", to="10.0.1.1"))
    (folder / "ip4-far").write_bytes(bytes([PORT | CUT]) + far)
    for name, bits, payload in payloads():
        (folder / name).write_bytes(bytes([UDP | bits]) + payload)
    for leg in (1, 2, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14):
        (folder / f"rtp-{leg}").write_bytes(bytes([UDP | leg]) + rtp(8 if leg == 9 else 0, leg))
    for leg in (3, 7, 11):
        (folder / f"rtcp-{leg}").write_bytes(bytes([UDP | leg | (0 if leg == 11 else RTCP)]) +
                                             rtcp(1, 200, REPORT + BLOCK))


main()
