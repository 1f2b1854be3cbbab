# SPDX-License-Identifier: BSD-3-Clause
"""Comparisons that the proof is made of: what was sent against what arrived or was recorded.

All clocks are one machine's, so times of different captures can be compared.
"""

from typing import NamedTuple

import g711

REACH_S = 1.0           # a packet that arrives later than this after it was sent did not arrive
CLOCK_S = 0.001         # between two capture points, a packet may seem to arrive this much earlier
WAV_NEAR_S = 0.2        # a packet's samples lie this close to the time when it came
WAV_CLOCK_S = 2.0       # a timestamp further off its arrival than this begins a new clock
RATE_HZ = 8000


class Alignment(NamedTuple):
    arrived: set        # indices into sent
    foreign: list       # indices into got: packets that nobody sent, or sent twice, or out of order


def align(sent, got):
    """Find the payloads of got, in order, in sent. Both are in the order of their capture.

    Each packet that arrived is matched with the first unmatched packet of the same payload that was
    sent within REACH_S before; packets passed over are lost. One that was overtaken counts as lost
    and, when it comes at last, as foreign: so order is checked too.
    """
    arrived, foreign, first = set(), [], 0
    for index, packet in enumerate(got):
        while first < len(sent) and sent[first].time < packet.time - REACH_S:
            first += 1
        at = first
        while at < len(sent) and sent[at].time <= packet.time + CLOCK_S:
            if sent[at].payload == packet.payload:
                break
            at += 1
        else:
            at = len(sent)
        if at < len(sent):
            arrived.add(at)
            first = at + 1
        else:
            foreign.append(index)
    return Alignment(arrived, foreign)


def first_difference(sent, recorded, begin, end):
    """The recording must hold exactly what was sent, packet by packet, from the first packet that
    was sent after begin to the last one sent before end; at both edges it may hold more.

    Returns None, or what is wrong, in words.
    """
    must = [i for i, packet in enumerate(sent) if begin <= packet.time <= end]
    low = must[0] if must else len(sent)
    high = must[-1] + 1 if must else low
    # How many of the packets before begin are there? The recording says it by its length and start.
    for start in range(low, -1, -1):
        part = sent[start:start + len(recorded)]
        if [p.payload for p in part] == [p.payload for p in recorded]:
            if start + len(recorded) >= high:
                return None
            return f"the last {high - start - len(recorded)} of {high - low} packets are missing"
    start = _start_of(sent, recorded, low)
    for i, packet in enumerate(recorded):
        if start + i >= len(sent):
            return f"{len(recorded) - i} packets more than were sent"
        if packet.payload != sent[start + i].payload:
            return f"packet {i + 1} of {high - start} is not the one that was sent"
    return f"{len(recorded)} packets instead of {high - start}"


def _start_of(sent, recorded, low):
    """Where the recording seems to begin in sent, for a message that helps."""
    for start in range(low, -1, -1):
        if recorded and start < len(sent) and sent[start].payload == recorded[0].payload:
            return start
    return low


def wav_difference(channel, packets, origin):
    """Each G.711 packet's samples must stand in the channel, in order, near the time it came.

    A sender that pauses without moving its timestamp on is late by the pause from then on, against
    a recording that goes by timestamps. So near is not before the earlier of both times: that of
    arrival, and that of the sender's clock, which begins anew where it jumps.
    The last packet may be left out when its time does not continue the one before: a recorder can
    only tell a sender's new clock from a stray packet by the packet after it.
    origin is the time of sample 0. Returns None, or what is wrong, in words.
    """
    data = channel.tobytes()
    if len(packets) > 1 and not _continues(packets[-2], packets[-1]):
        packets = packets[:-1]
    after = 0
    clock = None
    for number, packet in enumerate(packets, 1):
        clock, early = _by_clock(clock, packet)
        want = g711.decode(packet.payload_type, packet.payload).tobytes()
        expected = (packet.time - origin) * RATE_HZ
        low = max(after, int(expected - (early + WAV_NEAR_S) * RATE_HZ), 0)
        high = int(expected + WAV_NEAR_S * RATE_HZ) + len(want) // 2
        at = find_samples(data, want, low, high)
        if at < 0:
            return (f"the samples of packet {number} of {len(packets)} are not within"
                    f" {WAV_NEAR_S * 1000:.0f} ms of {expected / RATE_HZ:.3f} s")
        after = at + len(want) // 2
    return None


def _by_clock(clock, packet):
    """The packet from which the sender's clock counts, and how long before its arrival this one is due."""
    if clock and clock.ssrc == packet.ssrc:
        step = (packet.timestamp - clock.timestamp + 2**31) % 2**32 - 2**31
        early = packet.time - clock.time - step / RATE_HZ
        if abs(early) <= WAV_CLOCK_S:
            return clock, max(early, 0)
    return packet, 0


def _continues(before, packet):
    step = (packet.timestamp - before.timestamp) % 2**32
    return packet.ssrc == before.ssrc and step < REACH_S * RATE_HZ


def find_samples(data, want, low, high):
    """First sample index from low on where want (16-bit samples as bytes) stands; -1 for none."""
    at = data.find(want, 2 * low, 2 * high)
    while at >= 0 and at % 2:
        at = data.find(want, at + 1, 2 * high)
    return at // 2 if at >= 0 else -1


def wav_origin(channel, packets):
    """The time of sample 0, from the first packet that is no silence: None when all are."""
    data = channel.tobytes()
    for packet in packets:
        if len(set(packet.payload)) > 8:
            want = g711.decode(packet.payload_type, packet.payload).tobytes()
            at = find_samples(data, want, 0, len(channel))
            return packet.time - at / RATE_HZ if at >= 0 else None
    return None


def digits_in(packets, payload_type):
    """Digits pressed, in order: RFC 4733, a new digit is a new RTP timestamp."""
    digits, last = "", None
    for packet in packets:
        if packet.payload_type == payload_type and packet.payload:
            if packet.timestamp != last:
                digits += "0123456789*#ABCD"[packet.payload[0] & 15]
            last = packet.timestamp
    return digits
