# SPDX-License-Identifier: BSD-3-Clause
"""The proof, call by call: captures at the phones' own ends against records and recordings.

A call's talk begins when the agent's phone gets the ACK of its answer and ends with the first BYE
that is seen anywhere. Within it, but for SETTLE_S after the begin and EDGE_S before the end (a
packet may then be sent before, and arrive after, the switch has heard of the change), every packet
that one phone sends must arrive at the other, in order, unchanged, and nothing else may. The
caller's side of a recording begins with the switch's answer to the call, the agent's side with the
talk; edges are the same.

A recording that the agent asks for in mid-call holds what was sent from the switch's answer to that
(the INFO's 200) until it is asked to stop, and nothing from before or after.
"""

import json
import math
import os
from dataclasses import dataclass, field

import compare
import g711
import network
from compare import Span
from reader import read_rtp
from wavfile import BadWav, read_wav

RTP_PORTS = "20000-29999"
DIGIT_TYPE = 101
SETTLE_S = 0.2
EDGE_S = 0.02
BACK_S = 1.0            # after a recording has ended, the call is back in the kernel
EVER = math.inf
WAIT_NEAR_S = 0.5       # between the wait in the record and the one seen on the wire


@dataclass
class Call:
    """What the wire says of a call, and what was found wrong with what the switch says."""
    record: dict
    customer: object
    wrong: list = field(default_factory=list)
    answered_at: float = 0.0        # 200 to the caller
    talk_at: float = 0.0            # ACK to the agent; 0: never
    end_at: float = 0.0             # first BYE
    ended_by: str = ""
    sent: dict = field(default_factory=dict)        # by side: packets of that phone
    got: dict = field(default_factory=dict)
    relayed: int = 0
    lost: int = 0
    foreign: int = 0
    misnumbered: int = 0
    plain: int = 0                  # of those relayed: sent while nothing was recorded
    record_policy: str = "all"      # of its queue
    asked: list = field(default_factory=list)       # INFOs about recording: (request, answer)
    bad_checksums: int = 0
    digits_correct: bool = False
    recordings: int = 0
    recordings_correct: int = 0
    wavs_correct: int = 0
    record_correct: bool = False

    def say(self, what):
        self.wrong.append(f"call of {self.customer.number}: {what}")


class Wire:
    """Both captures, sorted for look-up."""

    def __init__(self, callers, agents):
        self.streams = {"caller": self._streams(callers[0]), "agent": self._streams(agents[0])}
        self.callers_sip = self._dialogs(callers[1])
        self.agents_sip = self._dialogs(agents[1])

    @staticmethod
    def _streams(packets):
        streams = {}
        for packet in packets:
            streams.setdefault((packet.source, packet.target), []).append(packet)
        return streams

    @staticmethod
    def _dialogs(messages):
        dialogs = {}
        for message in messages:
            dialogs.setdefault(message.call_id, []).append(message)
        return dialogs

    def offered(self):
        """Call-IDs that the callers have called with."""
        return [call_id for call_id, messages in self.callers_sip.items()
                if messages[0].method == "INVITE" and messages[0].source == network.CALLERS]

    def between(self, side, phone, port, begin, end):
        """What the phone sent to that port of the switch, and got from it, in that time."""
        switch = (network.SWITCH, port)
        streams = self.streams[side]
        return tuple([p for p in streams.get(key, []) if begin <= p.time <= end]
                     for key in ((phone, switch), (switch, phone)))


def read_records(path):
    """The call detail records; file names in them may be relative to theirs."""
    with open(path) as lines:
        records = [json.loads(line) for line in lines if line.strip()]
    for record in records:
        for recording in record.get("recordings") or []:
            for kind in ("pcapng", "wav"):
                recording[kind] = os.path.join(os.path.dirname(path), recording.get(kind) or "")
    return records


def _first(messages, method, status=0, source=None):
    for message in messages:
        if message.method == method and message.status == status \
                and source in (None, message.source):
            return message
    return None


def _agent_dialog(wire, call, port):
    """The agent's dialog: the INVITE that the switch sent during this call with this media port."""
    for messages in wire.agents_sip.values():
        invite = messages[0]
        if invite.method == "INVITE" and invite.media_port == port \
                and call.answered_at <= invite.time <= call.end_at:
            return messages
    return []


def _see_dialogs(wire, call):
    """Times and ends of the call from the SIP on both wires; False when they cannot be had."""
    record = call.record
    dialog = wire.callers_sip[record["call_id"]]
    answer = _first(dialog, "INVITE", 200, network.SWITCH)
    bye = _first(dialog, "BYE")
    if not answer or not bye:
        call.say("was never answered by the switch" if not answer else "nobody has hung up")
        return False
    call.answered_at, call.end_at = answer.time, bye.time
    call.ended_by = "caller" if bye.source == network.CALLERS else "switch"
    caller_phone = (network.CALLERS, dialog[0].media_port)
    call.sent["caller"], call.got["caller"] = wire.between(
        "caller", caller_phone, answer.media_port, answer.time - 1, bye.time + 2)
    if record.get("caller_rtp", {}).get("local_port") != answer.media_port:
        call.say("the record's caller_rtp is not the port that the caller was told")
    _see_agent(wire, call)
    return True


def _see_agent(wire, call):
    rtp = call.record.get("agent_rtp") or {}
    dialog = _agent_dialog(wire, call, rtp.get("local_port"))
    ack = _first(dialog, "ACK", source=network.SWITCH)
    answer = _first(dialog, "INVITE", 200)
    if not ack or not answer:
        return
    call.talk_at = ack.time
    bye = _first(dialog, "BYE")
    call.asked = _asked(dialog)
    if bye and bye.time < call.end_at:
        call.end_at = bye.time
        call.ended_by = "agent" if bye.source == network.AGENTS else "switch"
    call.sent["agent"], call.got["agent"] = wire.between(
        "agent", (network.AGENTS, answer.media_port), rtp["local_port"],
        dialog[0].time, call.end_at + 2)


def _asked(dialog):
    """The agent's INFOs that the switch has agreed to, each with its answer. Either may be on the wire
    more than once; the first counts."""
    asked, answers = {}, {}
    for message in dialog:
        if message.method == "INFO" and message.record:
            asked.setdefault(message.number, message)
        elif message.method == "INFO" and message.status == 200:
            answers.setdefault(message.number, message)
    return [(asked[number], answers[number]) for number in asked if number in answers]


def spans(call):
    """What must be recorded of this call: a list of spans by side."""
    if call.record_policy == "none":
        return []
    if call.record_policy == "all":
        return [{side: Span(begin + SETTLE_S, call.end_at - EDGE_S, -EVER, EVER)
                 for side, begin in (("caller", call.answered_at), ("agent", call.talk_at))}]
    wanted = []
    for number, (request, answer) in enumerate(call.asked):
        if request.record == "off":
            continue
        off = call.asked[number + 1] if number + 1 < len(call.asked) else None
        # What is on the way to the worker when the agent asks may or may not be in it.
        span = Span(answer.time + EDGE_S, off[0].time - SETTLE_S if off else call.end_at - EDGE_S,
                    request.time - SETTLE_S, off[1].time + EDGE_S if off else EVER)
        wanted.append({"caller": span, "agent": span})
    return wanted


def check_relay(call):
    """Both directions; fills relayed, plain, lost, foreign, misnumbered, bad_checksums."""
    wanted = [span["caller"] for span in spans(call)]
    begin, end = call.talk_at + SETTLE_S, call.end_at - EDGE_S
    for side, other in (("caller", "agent"), ("agent", "caller")):
        sent, got = call.sent[side], call.got[other]
        found = compare.align(sent, got)
        arrived = found.arrived()
        due = [i for i, packet in enumerate(sent) if begin <= packet.time <= end]
        lost = sum(i not in arrived for i in due)
        foreign = sum(begin <= got[i].time <= end for i in found.foreign)
        call.relayed += len(arrived)
        call.plain += sum(not any(s.begin <= sent[i].time <= s.end for s in wanted)
                          for i in arrived)
        call.lost += lost
        call.foreign += foreign
        wrong = compare.misnumbered(sent, got, found.pairs)
        call.misnumbered += len(wrong)
        if wrong:
            first = got[wrong[0]]
            call.say(f"{len(wrong)} packets that the {other} got do not continue the one before;"
                     f" the first came at {first.time - call.talk_at:.3f} s of the talk, number"
                     f" {first.sequence} after {got[wrong[0] - 1].sequence}")
        if lost:
            call.say(f"{lost} of {len(due)} packets that the {side} sent have not arrived")
        if foreign:
            call.say(f"{foreign} packets reached the {other} that the {side} had not sent")
        if not due and end - begin > 1:
            call.say(f"the {side} sent nothing in {end - begin:.1f} s of talk")
    call.bad_checksums = sum(p.checksum_bad for packets in call.got.values() for p in packets)
    if call.bad_checksums:
        call.say(f"{call.bad_checksums} packets from the switch had wrong checksums")


def check_digits(call):
    """The record's digits, the plan's and the wire's must be one."""
    pressed = compare.digits_in([p for p in call.sent["caller"] if p.time <= call.end_at],
                                DIGIT_TYPE)
    heard = call.record.get("digits")
    # Whoever is hung up on before the second digit has not pressed it.
    call.digits_correct = heard == pressed and call.customer.digits().startswith(pressed) \
        and pressed != ""
    if not call.digits_correct:
        call.say(f"pressed {pressed!r} of {call.customer.digits()!r}, the record says {heard!r}")


def check_record(call):
    """What the record says of the call's course must be what the wire saw."""
    record, wrong = call.record, []
    result = "answered" if call.talk_at else "abandoned"
    if record.get("result") != result:
        wrong.append(f"the record says {record.get('result')}, the wire says {result}")
    if record.get("hangup_by") != call.ended_by:
        wrong.append(f"hung up by the {call.ended_by}, the record says {record.get('hangup_by')}")
    if record.get("caller") != call.customer.number:
        wrong.append(f"the record names the caller {record.get('caller')}")
    if record.get("queue") != call.customer.queue():
        wrong.append(f"{call.customer.digit} was pressed, the record says {record.get('queue')}")
    digit = next((p.time for p in call.sent["caller"] if p.payload_type == DIGIT_TYPE), None)
    if digit and call.talk_at:
        waited = call.talk_at - digit
        if abs(waited - record.get("wait_ms", -1e6) / 1000) > WAIT_NEAR_S:
            wrong.append(f"waited {waited:.1f} s, the record says {record.get('wait_ms')} ms")
    wrong += _counters(call)
    for what in wrong:
        call.say(what)
    call.record_correct = not wrong


def _counters(call):
    """The packets that the record counts must be those on the wire; what is under way when the call
    ends may be counted or not."""
    for side in call.sent:
        rtp = call.record.get(f"{side}_rtp") or {}
        for name, packets in (("packets_received", call.sent[side]),
                              ("packets_sent", call.got[side])):
            least = sum(p.time <= call.end_at - EDGE_S for p in packets)
            if not least <= rtp.get(name, -1) <= len(packets):
                yield (f"the record's {side}_rtp.{name} is {rtp.get(name)}, the wire had"
                       f" {least} to {len(packets)}")


def check_recordings(call):
    """There are as many recordings as must be, and each is right."""
    wanted, there = spans(call), call.record.get("recordings") or []
    if len(there) != len(wanted):
        call.say(f"{len(wanted)} recordings were to be made, the record names {len(there)}")
        return
    call.recordings = len(there)
    for files, span in zip(there, wanted):
        check_recording(call, files, span)


def check_recording(call, files, span):
    """The pcapng holds what the phones sent; the WAV holds what the pcapng does."""
    try:
        packets = read_rtp(files["pcapng"], RTP_PORTS)
    except Exception as error:
        call.say(f"its recording cannot be read: {error}")
        return
    sides, wrong = {}, []
    for side in ("caller", "agent"):
        rtp = call.record.get(f"{side}_rtp") or {}
        port = (network.SWITCH, rtp.get("local_port"))
        sides[side] = [p for p in packets if p.target == port]
        different = compare.first_difference(call.sent.get(side, []), sides[side], span[side])
        if different:
            wrong.append(f"the recording of the {side}: {different}")
    if not packets:
        wrong.append("the recording is empty")
    for what in wrong:
        call.say(what)
    call.recordings_correct += not wrong
    seconds_max = min(span["caller"].latest, call.end_at) - \
        max(span["caller"].earliest, call.answered_at) + 1
    check_wav(call, files.get("wav"), sides, seconds_max)


def check_wav(call, path, sides, seconds_max):
    try:
        wav = read_wav(path)
    except (OSError, TypeError, BadWav) as error:
        call.say(f"its WAV cannot be read: {error}")
        return
    if wav.rate_hz != compare.RATE_HZ or len(wav.channels) != 2:
        call.say(f"its WAV has {len(wav.channels)} channels of {wav.rate_hz} Hz")
        return
    wrong, origin = [], None
    for channel, side in enumerate(("caller", "agent")):
        audio = [p for p in sides[side] if p.payload_type in g711.TABLES]
        origin = origin or compare.wav_origin(wav.channels[channel], audio)
        if audio and origin is None:
            wrong.append(f"the WAV has nothing that the {side} said")
        elif audio:
            different = compare.wav_difference(wav.channels[channel], audio, origin)
            if different:
                wrong.append(f"the WAV's channel of the {side}: {different}")
    seconds = len(wav.channels[0]) / compare.RATE_HZ
    if seconds > seconds_max:
        wrong.append(f"the WAV is {seconds:.1f} s long")
    for what in wrong:
        call.say(what)
    call.wavs_correct += not wrong


def check_kernel(call):
    """The kernel relays nothing of what is being recorded: what the record says of it must be possible."""
    recorded = call.record_policy == "all" or (call.asked and call.asked[-1][0].record == "on")
    if recorded and call.record.get("kernel_legs"):
        call.say("it was recorded to its end, and the kernel relayed it then")
    if call.record_policy == "all" and any(r.get("kernel_legs")
                                           for r in call.record.get("recordings") or []):
        call.say("the kernel relayed it before it had begun")


def moves(calls):
    """What the records say of calls between kernel and worker: (how many did, of how many that could)."""
    talks = [c for c in calls if c.talk_at]
    plain = [c for c in talks if c.record_policy == "none"]
    asked = [c for c in talks if c.asked]
    ended = [c for c in asked
             if c.asked[-1][0].record == "off" and c.end_at - c.asked[-1][1].time > BACK_S]
    return {
        "stayed": (sum(c.record.get("kernel_legs", 0) > 0 for c in plain), len(plain)),
        "taken": (sum(bool(c.record["recordings"]) and c.record["recordings"][0]["kernel_legs"] > 0
                      for c in asked), len(asked)),
        "back": (sum(c.record.get("kernel_legs", 0) > 0 for c in ended), len(ended))}


def files_unnamed(directory, records):
    """What lies among the recordings, but is in no record: what was to be deleted, or never made."""
    named = {os.path.basename(recording[kind]) for record in records
             for recording in record.get("recordings") or [] for kind in ("pcapng", "wav")}
    there = os.listdir(directory) if os.path.isdir(directory) else []
    return sorted(set(there) - named)


def prove(records, customers, wire, record_policies):
    """One Call for each call that the callers made; others (one's own softphone) are left out.
    record_policies: what each queue records."""
    by_id = {record["call_id"]: record for record in records}
    by_number = {customer.number: customer for customer in customers}
    calls, wrong = [], []
    for call_id in wire.offered():
        customer = by_number.get(wire.callers_sip[call_id][0].caller)
        record = by_id.get(call_id)
        if not customer or not record:
            wrong.append(f"the switch has no record of the call {call_id}")
            continue
        call = Call(record, customer, record_policy=record_policies[customer.queue()])
        calls.append(call)
        if _see_dialogs(wire, call):
            if call.talk_at:
                check_relay(call)
            check_digits(call)
            check_record(call)
            check_recordings(call)
            check_kernel(call)
    return calls, wrong
