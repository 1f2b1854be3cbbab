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
AGREE_MAX = 100         # packets looked at to tell where in a silence one belongs
TICKS_NEAR = 40         # by which the relay's times of a stream that begins anew may differ
RATE_HZ = 8000
DROPOUT_MAX = 3000      # RFC 3550 A.1: numbers further on than this are a new beginning


class Span(NamedTuple):
    begin: float        # what was sent from here on
    end: float          # to here must be in a recording,
    earliest: float     # nothing from before this
    latest: float       # or after this may be


class Alignment(NamedTuple):
    pairs: dict         # index into got -> index into sent, of packets that arrived
    foreign: list       # indices into got: packets that nobody sent, or sent twice, or out of order

    def arrived(self):
        return set(self.pairs.values())


def align(sent, got):
    """Find the payloads of got, in order, in sent. Both are in the order of their capture.

    Each packet that arrived is matched with an unmatched packet of the same payload that was sent within
    REACH_S before; packets passed over are lost. One that was overtaken counts as lost and, when it
    comes at last, as foreign: so order is checked too. Silence is the same payload again and again:
    of several candidates it is the one as far from the packet before, in time, as the sender had it,
    else the one after which most packets agree, the first of those.
    """
    pairs, foreign, first = {}, [], 0
    for index, packet in enumerate(got):
        while first < len(sent) and sent[first].time < packet.time - REACH_S:
            first += 1
        candidates, at = [], first
        while at < len(sent) and sent[at].time <= packet.time + CLOCK_S:
            if sent[at].payload == packet.payload:
                candidates.append(at)
            at += 1
        if candidates:
            at = _likely(sent, got, index, candidates, pairs)
            pairs[index] = at
            first = at + 1
        else:
            foreign.append(index)
    return Alignment(pairs, foreign)


def _likely(sent, got, index, candidates, pairs):
    """Which of them it is."""
    if len(candidates) == 1:
        return candidates[0]
    if index - 1 in pairs:
        before = sent[pairs[index - 1]]
        ticks = (got[index].timestamp - got[index - 1].timestamp) % 2**32
        for at in candidates:
            if sent[at].ssrc == before.ssrc and \
                    (sent[at].timestamp - before.timestamp) % 2**32 == ticks:
                return at

    def agree(at):
        count, other = 0, at
        for packet in got[index:index + AGREE_MAX]:
            ticks = (packet.timestamp - got[index].timestamp) % 2**32
            while other < len(sent) and sent[other].ssrc == sent[at].ssrc and \
                    (sent[other].timestamp - sent[at].timestamp) % 2**32 < ticks - TICKS_NEAR:
                other += 1
            if other == len(sent) or sent[other].payload != packet.payload:
                break
            count += 1
        return count
    return max(candidates, key=agree)       # the first of equals


def misnumbered(sent, got, pairs):
    """Indices into got of packets that do not continue the one before: a phone gets one stream, with one
    SSRC, whose numbers go on by one, whoever relays. Only what the other phone itself has numbered
    otherwise (the end of a digit is sent three times) keeps its distance, in number and time; in time
    from the second packet on after a jump, as it takes two to tell a jump from a stray (RFC 3550 A.1).
    """
    wrong, settled = [], False
    for index in range(1, len(got)):
        step = (got[index].sequence - got[index - 1].sequence) % 2**16
        due, ticks_due, continues = 1, None, False
        if index in pairs and index - 1 in pairs:
            before, after = sent[pairs[index - 1]], sent[pairs[index]]
            own = (after.sequence - before.sequence) % 2**16
            continues = after.ssrc == before.ssrc and own < DROPOUT_MAX
            if continues:
                due = own
                ticks_due = (after.timestamp - before.timestamp) % 2**32 if settled else None
        ticks = (got[index].timestamp - got[index - 1].timestamp) % 2**32
        if step != due or ticks_due not in (None, ticks) or got[index].ssrc != got[0].ssrc:
            wrong.append(index)
        settled = continues
    return wrong


def as_sent(packet):
    """All of the packet that a recording keeps: numbers, source and payload."""
    return packet[4:]


def first_difference(sent, recorded, span):
    """The recording must hold exactly what was sent, packet by packet, from the first packet that
    was sent after span.begin to the last one sent before span.end; at both edges it may hold more, but
    nothing that was sent before span.earliest or after span.latest.

    Returns None, or what is wrong, in words.
    """
    begin, end = span.begin, span.end
    must = [i for i, packet in enumerate(sent) if begin <= packet.time <= end]
    low = must[0] if must else len(sent)
    high = must[-1] + 1 if must else low
    # How many of the packets before begin are there? The recording says it by its length and start.
    for start in range(low, -1, -1):
        part = sent[start:start + len(recorded)]
        if [as_sent(p) for p in part] == [as_sent(p) for p in recorded]:
            if start + len(recorded) >= high:
                return _beyond(part, span)
            return f"the last {high - start - len(recorded)} of {high - low} packets are missing"
    start = _start_of(sent, recorded, low)
    for i, packet in enumerate(recorded):
        if start + i >= len(sent):
            return f"{len(recorded) - i} packets more than were sent"
        if as_sent(packet) != as_sent(sent[start + i]):
            return f"packet {i + 1} of {high - start} is not the one that was sent"
    return f"{len(recorded)} packets instead of {high - start}"


def _beyond(part, span):
    early = sum(p.time < span.earliest for p in part)
    late = sum(p.time > span.latest for p in part)
    if early:
        return f"it holds {early} packets from before it was asked for"
    return f"it holds {late} packets from after it was to end" if late else None


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
    Where a packet's time begins before the one before it ends, that one's last samples are overwritten: the
    relay may number the first packets of a stream that begins anew a quarter of a millisecond short.
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
        if number < len(packets):
            want = want[:2 * _ticks_kept(packet, packets[number], len(want) // 2)]
        expected = (packet.time - origin) * RATE_HZ
        low = max(after, int(expected - (early + WAV_NEAR_S) * RATE_HZ), 0)
        high = int(expected + WAV_NEAR_S * RATE_HZ) + len(want) // 2
        at = find_samples(data, want, low, high)
        if at < 0:
            return (f"the samples of packet {number} of {len(packets)} are not within"
                    f" {WAV_NEAR_S * 1000:.0f} ms of {expected / RATE_HZ:.3f} s")
        after = at + len(want) // 2
    return None


def _ticks_kept(packet, following, samples):
    """How many of a packet's samples the next one leaves."""
    step = (following.timestamp - packet.timestamp) % 2**32
    return step if following.ssrc == packet.ssrc and 0 < step < samples else samples


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
