#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The checker of examples/run must find what it is there to find: made-up captures and recordings
with one byte changed, one packet missing, two swapped, and the same without any of it."""

import os
import random
import struct
import sys
import tempfile
import unittest
import wave
from array import array
from typing import NamedTuple

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..",
                                "examples", "main_job"))

import compare  # noqa: E402
import g711  # noqa: E402
import plan  # noqa: E402
import proof  # noqa: E402
import reader  # noqa: E402
import summary  # noqa: E402
from plan import Customer  # noqa: E402
from reader import Message, Packet  # noqa: E402

CALLER, AGENT, SWITCH = "10.77.0.2", "10.77.0.3", "10.77.0.1"
CALLER_PHONE, CALLER_PORT = (CALLER, 6000), (SWITCH, 20000)
AGENT_PHONE, AGENT_PORT = (AGENT, 30000), (SWITCH, 20002)
ANSWERED, TALK, END = 1000.0, 1003.0, 1006.0
ON, OFF = 1004.0, 1005.0        # when the agent asks for a recording, where it is recorded on demand


def speech(begin, end, source, target, seed):
    """A packet of 20 ms each 20 ms, with payloads of its own."""
    rng = random.Random(seed)
    count = int((end - begin) * 50)
    return [Packet(begin + i * 0.02, source, target, False, g711.PCMA, i, i * 160, "0x00000001",
                   rng.randbytes(160)) for i in range(count)]


def arrives(packets, source, target):
    return [p._replace(time=p.time + 0.0005, source=source, target=target) for p in packets]


def one_stream(packets):
    """What a phone gets: one SSRC, and numbers that go on by one, whoever speaks."""
    return [p._replace(sequence=(65500 + i) % 65536, ssrc="0x7") for i, p in enumerate(packets)]


def digit(time, event):
    return [Packet(time + i * 0.02, CALLER_PHONE, CALLER_PORT, False, 101, i, 9000, "0x00000002",
                   bytes([event, 10, 0, i])) for i in range(3)]


class Scene:
    """One good call of six seconds: a digit, three seconds of waiting, three of talk."""

    def __init__(self, directory):
        self.pcapng = os.path.join(directory, "call.pcapng")
        self.wav = os.path.join(directory, "call.wav")
        self.caller = digit(1000.9, 1) + speech(1001.0, 1005.9, CALLER_PHONE, CALLER_PORT, 1)
        talked = [p for p in self.caller if p.time > TALK + 0.01]
        self.agent = speech(TALK + 0.1, 1005.9, AGENT_PHONE, AGENT_PORT, 2)
        music = speech(1000.1, TALK, CALLER_PORT, CALLER_PHONE, 3)
        self.at_agent = one_stream(arrives(talked, AGENT_PORT, AGENT_PHONE))
        self.at_caller = one_stream(music + arrives(self.agent, CALLER_PORT, CALLER_PHONE))
        self.recorded = sorted(self.caller + self.agent)
        self.sides = [[p for p in self.caller if p.payload_type == g711.PCMA], self.agent]
        self.wav_span = (ANSWERED, END)
        self.policies = dict(plan.RECORD_ALL)
        self.asks = []
        self.record = {
            "call_id": "c1", "caller": "100001", "digits": "1", "queue": "sales",
            "agent": "alice", "offers": [{"agent": "alice", "result": "accepted"}],
            "wait_ms": 2050, "result": "answered", "hangup_by": "agent",
            "recordings": [{"pcapng": self.pcapng, "wav": self.wav}],
            "caller_rtp": {"local_port": 20000, "packets_received": len(self.caller),
                           "packets_sent": len(self.at_caller)},
            "agent_rtp": {"local_port": 20002, "packets_received": len(self.agent),
                          "packets_sent": len(self.at_agent)}}

    def write_recording(self):
        with open(self.pcapng, "wb") as out:
            out.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
            out.write(block(1, struct.pack("<HHI", 1, 0, 65535)))
            for packet in self.recorded:
                out.write(enhanced_packet(packet))

    def write_wav(self):
        begin, end = self.wav_span
        both = array("h", bytes(4 * int((end - begin) * 8000)))
        for side, packets in enumerate(self.sides):
            for packet in packets:
                at = round((packet.time - begin) * 8000)
                samples = g711.decode(g711.PCMA, packet.payload)
                both[2 * at + side:2 * (at + len(samples)):2] = samples
        with wave.open(self.wav, "wb") as out:
            out.setnchannels(2)
            out.setsampwidth(2)
            out.setframerate(8000)
            out.writeframes(both.tobytes())

    def sip(self):
        def message(time, source, target, call_id, method, status=0, port=0):
            return Message(time, source, target, call_id, method, status, "100001", port)
        callers = [message(999.9, CALLER, SWITCH, "c1", "INVITE", 0, 6000),
                   message(ANSWERED, SWITCH, CALLER, "c1", "INVITE", 200, 20000),
                   message(END + 0.01, SWITCH, CALLER, "c1", "BYE")]
        agents = [message(1002.0, SWITCH, AGENT, "a1", "INVITE", 0, 20002),
                  message(TALK - 0.001, AGENT, SWITCH, "a1", "INVITE", 200, 30000),
                  message(TALK, SWITCH, AGENT, "a1", "ACK"),
                  message(END, AGENT, SWITCH, "a1", "BYE")]
        for number, (time, what) in enumerate(self.asks):
            ask = message(time, AGENT, SWITCH, "a1", "INFO")._replace(record=what, number=number)
            answer = message(time + 0.01, SWITCH, AGENT, "a1", "INFO", 200)._replace(number=number)
            agents += [ask, ask._replace(time=time + 0.005), answer]    # said again, answered once
        return callers, agents

    def on_demand(self, begin=ON + 0.005, end=OFF + 0.005):
        """The same call, of which the agent asks for a second; the recording is from begin to end."""
        def within(packets):
            return [p for p in packets if begin <= p.time <= end]
        self.policies["sales"] = "on_demand"
        self.asks = [(ON, "on"), (OFF, "off")]
        self.recorded = within(self.recorded)
        self.sides = [within(side) for side in self.sides]
        self.wav_span = (begin, end + 0.02)

    def prove(self):
        self.write_recording()
        self.write_wav()
        callers, agents = self.sip()
        wire = proof.Wire((self.caller + self.at_caller, callers), (self.agent + self.at_agent,
                                                                    agents))
        calls, wrong = proof.prove([self.record], [Customer("100001", "1", "-", 2)], wire,
                                   self.policies)
        return calls[0], wrong


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def enhanced_packet(packet):
    rtp = struct.pack(">BBHII", 0x80, packet.payload_type, packet.sequence, packet.timestamp,
                      int(packet.ssrc, 16)) + packet.payload
    udp = struct.pack(">HHHH", packet.source[1], packet.target[1], 8 + len(rtp), 0) + rtp
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
    ip += b"".join(bytes(map(int, end[0].split("."))) for end in (packet.source, packet.target))
    frame = bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]) + ip + udp
    stamp = round(packet.time * 1e6)
    return block(6, struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(frame),
                                len(frame)) + frame)


def changed(packet):
    """One bit of one byte in the middle of the payload."""
    middle = len(packet.payload) // 2
    payload = bytearray(packet.payload)
    payload[middle] ^= 1
    return packet._replace(payload=bytes(payload))


class Proof(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.scene = Scene(self.directory.name)

    def found(self, *words):
        """The call is found wrong, in these words."""
        call, _ = self.scene.prove()
        text = "\n".join(call.wrong)
        for word in words:
            self.assertIn(word, text)
        return call

    def test_good_call_has_nothing_wrong(self):
        call, wrong = self.scene.prove()
        self.assertEqual(call.wrong + wrong, [])
        self.assertTrue(call.digits_correct and call.record_correct)
        self.assertEqual((call.recordings, call.recordings_correct, call.wavs_correct), (1, 1, 1))
        self.assertEqual(call.relayed, len(self.scene.at_agent) + len(self.scene.agent))

    def test_changed_byte_in_recording_is_found(self):
        at = len(self.scene.recorded) // 2
        self.scene.recorded[at] = changed(self.scene.recorded[at])
        self.assertFalse(self.found("the recording of").recordings_correct)

    def test_packet_missing_in_recording_is_found(self):
        del self.scene.recorded[len(self.scene.recorded) // 2]
        self.assertFalse(self.found("the recording of").recordings_correct)

    def test_first_packet_missing_in_recording_is_found(self):
        self.scene.recorded.remove(self.scene.caller[0])
        self.assertFalse(self.found("the recording of the caller").recordings_correct)

    def test_last_packet_missing_in_recording_is_found(self):
        self.scene.recorded.remove(self.scene.agent[-1])
        self.assertFalse(self.found("the last 1 of").recordings_correct)

    def test_packet_twice_in_recording_is_found(self):
        self.scene.recorded.insert(60, self.scene.recorded[60])
        self.assertFalse(self.found("the recording of").recordings_correct)

    def test_changed_byte_at_the_agent_is_lost_and_foreign(self):
        self.scene.at_agent[50] = changed(self.scene.at_agent[50])
        call = self.found("1 of", "have not arrived", "had not sent")
        self.assertEqual((call.lost, call.foreign), (1, 1))

    def test_packet_missing_at_the_caller_is_found(self):
        del self.scene.at_caller[-50]
        self.assertEqual(self.found("that the agent sent have not arrived").lost, 1)

    def test_packets_out_of_order_are_found(self):
        got = self.scene.at_agent
        early, late = got[40], got[41]
        got[40], got[41] = (late._replace(time=late.time), early._replace(time=late.time + 0.001))
        call = self.found("have not arrived")
        self.assertEqual((call.lost, call.foreign), (1, 1))

    def test_number_that_is_left_out_is_found(self):
        got = self.scene.at_agent
        got[50:] = [p._replace(sequence=(p.sequence + 1) % 65536) for p in got[50:]]
        self.assertEqual(self.found("do not continue the one before").misnumbered, 1)

    def test_packet_that_comes_twice_is_found(self):
        got = self.scene.at_caller
        got.insert(-20, got[-20]._replace(time=got[-20].time + 0.0001))
        call = self.found("had not sent", "do not continue the one before")
        self.assertEqual((call.lost, call.foreign, call.misnumbered), (0, 1, 1))

    def test_stream_that_begins_anew_is_found(self):
        got = self.scene.at_agent
        got[70:] = [p._replace(ssrc="0x8") for p in got[70:]]
        self.found("do not continue the one before")

    def test_time_that_jumps_within_a_stream_is_found(self):
        got = self.scene.at_agent
        got[70:] = [p._replace(timestamp=p.timestamp + 160) for p in got[70:]]
        self.assertEqual(self.found("do not continue the one before").misnumbered, 1)

    def test_number_between_music_and_talk_that_is_left_out_is_found(self):
        got = self.scene.at_caller
        first = next(i for i, p in enumerate(got) if p.time > TALK)
        got[first:] = [p._replace(sequence=(p.sequence + 2) % 65536) for p in got[first:]]
        self.assertEqual(self.found("do not continue the one before").misnumbered, 1)

    def test_digit_that_is_sent_three_times_keeps_its_number(self):
        sent = [p._replace(sequence=7) for p in digit(TALK + 1, 5)]
        got = [p._replace(sequence=99, ssrc="0x7") for p in sent]
        self.assertEqual(compare.misnumbered(sent, got, {0: 0, 1: 1, 2: 2}), [])
        got[2] = got[2]._replace(sequence=100)
        self.assertEqual(compare.misnumbered(sent, got, {0: 0, 1: 1, 2: 2}), [2])

    def test_silence_before_the_talk_is_not_taken_for_silence_in_it(self):
        for name in ("caller", "at_agent"):
            packets = getattr(self.scene, name)
            packets[:] = [p._replace(payload=bytes(160)) if TALK - 0.5 < p.time < TALK + 0.5
                          and p.payload_type == g711.PCMA else p for p in packets]
        self.scene.recorded = sorted(self.scene.caller + self.scene.agent)
        self.scene.sides[0] = [p for p in self.scene.caller if p.payload_type == g711.PCMA]
        self.assertEqual(self.scene.prove()[0].wrong, [])
        lost = next(i for i, p in enumerate(self.scene.at_agent) if p.time > TALK + 0.3)
        del self.scene.at_agent[lost]
        self.assertEqual(self.found("1 of").lost, 1)

    def test_other_numbers_in_recording_are_found(self):
        at = len(self.scene.recorded) // 2
        other = self.scene.recorded[at]
        self.scene.recorded[at] = other._replace(sequence=other.sequence + 1)
        self.assertFalse(self.found("the recording of").recordings_correct)

    def test_recording_on_demand_has_nothing_wrong(self):
        self.scene.on_demand()
        call, wrong = self.scene.prove()
        self.assertEqual(call.wrong + wrong, [])
        self.assertEqual((call.recordings, call.recordings_correct, call.wavs_correct), (1, 1, 1))
        self.assertLess(call.plain, call.relayed - 50)
        self.assertGreater(call.plain, 150)

    def test_recording_that_begins_before_the_agent_asks_is_found(self):
        self.scene.on_demand(begin=ON - 0.5)
        self.assertFalse(self.found("from before it was asked for").recordings_correct)

    def test_recording_that_goes_on_after_its_end_is_found(self):
        self.scene.on_demand(end=OFF + 0.1)
        self.assertFalse(self.found("from after it was to end").recordings_correct)

    def test_recording_that_begins_late_is_found(self):
        self.scene.on_demand(begin=ON + 0.1)
        self.assertFalse(self.found("the recording of").recordings_correct)

    def test_recording_that_ends_early_is_found(self):
        self.scene.on_demand(end=OFF - 0.3)
        self.assertFalse(self.found("packets are missing").recordings_correct)

    def test_packet_missing_in_recording_on_demand_is_found(self):
        self.scene.on_demand()
        del self.scene.recorded[len(self.scene.recorded) // 2]
        self.assertFalse(self.found("the recording of").recordings_correct)

    def test_recording_that_nobody_asked_for_is_found(self):
        self.scene.on_demand()
        self.scene.asks = []
        self.found("0 recordings were to be made, the record names 1")
        self.scene.policies["sales"] = "none"
        self.found("0 recordings were to be made, the record names 1")

    def test_recording_that_was_asked_for_and_refused_is_none(self):
        self.scene.on_demand()
        self.scene.record["recordings"] = []
        self.found("1 recordings were to be made, the record names 0")
        callers, agents = self.scene.sip()
        refused = [m._replace(status=403) if m.status == 200 and m.method == "INFO" else m
                   for m in agents]
        self.scene.sip = lambda: (callers, refused)
        self.assertEqual(self.scene.prove()[0].wrong, [])

    def test_kernel_that_relays_what_is_recorded_is_found(self):
        self.scene.record["kernel_legs"] = 2
        self.found("it was recorded to its end")
        self.scene.on_demand()
        self.assertEqual(self.scene.prove()[0].wrong, [])
        self.scene.asks.pop()
        self.found("it was recorded to its end")

    def test_moves_are_counted(self):
        self.scene.on_demand()
        self.scene.asks = [(ON, "on"), (OFF - 0.2, "off")]
        self.scene.record["recordings"][0]["kernel_legs"] = 2
        call, _ = self.scene.prove()
        self.assertEqual(proof.moves([call]), {"stayed": (0, 0), "taken": (1, 1), "back": (0, 1)})
        self.scene.record["kernel_legs"] = 1
        self.assertEqual(proof.moves([call])["back"], (1, 1))
        call.record_policy, call.asked = "none", []
        self.assertEqual(proof.moves([call])["stayed"], (1, 1))

    def test_files_that_no_record_names_are_found(self):
        directory = self.directory.name
        open(os.path.join(directory, "call.pcapng"), "w").close()
        open(os.path.join(directory, "menu.wav"), "w").close()
        self.assertEqual(proof.files_unnamed(directory, [self.scene.record]), ["menu.wav"])
        self.assertEqual(proof.files_unnamed(os.path.join(directory, "none"), []), [])

    def test_what_a_phone_says_of_recording_is_read(self):
        for end in ("\\r\\n", "\r\n"):
            headers = end.join(("Via: x", "Record-Route: <sip:on>", "Record: off", ""))
            self.assertEqual(reader._record_header(headers), "off")
        self.assertEqual(reader._record_header("Via: x\\r\\nRecord-Route: <sip:on>"), "")

    def test_wrong_queue_in_the_record_is_found(self):
        self.scene.record["queue"] = "billing"
        self.assertFalse(self.found("1 was pressed").record_correct)

    def test_music_into_the_talk_is_found(self):
        self.scene.at_caller += speech(TALK + 1, TALK + 2, CALLER_PORT, CALLER_PHONE, 4)
        self.scene.at_caller.sort()
        self.assertEqual(self.found("had not sent").foreign, 50)

    def test_wrong_checksum_is_found(self):
        self.scene.at_agent[9] = self.scene.at_agent[9]._replace(checksum_bad=True)
        self.found("wrong checksums")

    def test_silent_agent_is_found(self):
        self.scene.agent.clear()
        self.scene.at_caller = [p for p in self.scene.at_caller if p.time < TALK]
        self.found("the agent sent nothing")

    def test_wrong_digits_are_found(self):
        self.scene.record["digits"] = "11"
        self.assertFalse(self.found("pressed '1'").digits_correct)

    def test_wrong_end_in_the_record_is_found(self):
        self.scene.record["hangup_by"] = "caller"
        self.assertFalse(self.found("hung up by the agent").record_correct)

    def test_wrong_wait_in_the_record_is_found(self):
        self.scene.record["wait_ms"] = 9000
        self.assertFalse(self.found("waited 2.1 s").record_correct)

    def test_miscounted_packets_in_the_record_are_found(self):
        self.scene.record["agent_rtp"]["packets_received"] += 1
        self.assertFalse(self.found("agent_rtp.packets_received").record_correct)

    def test_wrong_sample_in_wav_is_found(self):
        side = self.scene.sides[0]
        side[20] = changed(side[20])
        self.assertFalse(self.found("the WAV's channel of the caller").wavs_correct)

    def test_swapped_channels_in_wav_are_found(self):
        self.scene.sides.reverse()
        self.assertFalse(self.found("the WAV").wavs_correct)

    def test_late_channel_in_wav_is_found(self):
        self.scene.sides[1] = [p._replace(time=p.time - 0.5) for p in self.scene.sides[1]]
        self.assertFalse(self.found("the WAV's channel of the agent").wavs_correct)

    def test_wav_by_a_clock_that_stood_still_agrees(self):
        late = [p._replace(time=p.time + 0.5) if i > 9 else p
                for i, p in enumerate(self.scene.agent)]
        channel = array("h", bytes(2 * int((END + 1 - ANSWERED) * 8000)))
        for packet in self.scene.agent:
            at = round((packet.time - ANSWERED) * 8000)
            samples = g711.decode(g711.PCMA, packet.payload)
            channel[at:at + len(samples)] = samples
        self.assertIsNone(compare.wav_difference(channel, late, ANSWERED))
        moved_on = [p._replace(timestamp=p.timestamp + 4000) if i > 9 else p
                    for i, p in enumerate(late)]
        self.assertIn("packet 11 of", compare.wav_difference(channel, moved_on, ANSWERED))

    def test_wav_keeps_what_the_next_packet_does_not_overwrite(self):
        short = [p._replace(timestamp=p.timestamp - (2 if i > 9 else 0))
                 for i, p in enumerate(self.scene.agent)]
        channel = array("h", bytes(2 * int((END + 1 - ANSWERED) * 8000)))
        for packet in short:
            at = round((TALK + 0.1 - ANSWERED) * 8000) + packet.timestamp
            samples = g711.decode(g711.PCMA, packet.payload)
            channel[at:at + len(samples)] = samples
        self.assertIsNone(compare.wav_difference(channel, short, ANSWERED))
        self.assertIn("packet 10 of", compare.wav_difference(channel, self.scene.agent, ANSWERED))

    def test_call_without_record_is_found(self):
        self.scene.record["call_id"] = "another"
        callers, agents = self.scene.sip()
        wire = proof.Wire((self.scene.caller, callers), (self.scene.agent, agents))
        calls, wrong = proof.prove([self.scene.record], [Customer("100001", "1", "-", 2)], wire,
                                   plan.RECORD_ALL)
        self.assertEqual((calls, len(wrong)), ([], 1))

    def test_digit_is_counted_once_however_often_it_is_sent(self):
        self.assertEqual(compare.digits_in(digit(1.0, 11) + digit(2.0, 11), 101), "#")

    def test_g711_has_the_values_of_the_standard(self):
        self.assertEqual(list(g711.decode(g711.PCMA, b"\xd5\x55\xaa\x2a\x80")),
                         [8, -8, 32256, -32256, 5504])
        self.assertEqual(list(g711.decode(g711.PCMU, b"\xff\x7f\x80\x00")),
                         [0, 0, 32124, -32124])


class Kernel(unittest.TestCase):
    """What is said of the relay inside the kernel must be possible."""

    def failures(self, relay="kernel", plain=1000, moves={}, **numbers):
        kernel = dict({"legs": 0, "packets": 900, "packets_dropped": 0, "entered": 4, "left": 4},
                      **numbers)
        found = {"kernel": None if relay == "gone" else kernel, "rtp_plain": plain,
                 "recorded": {"on_demand": 0},
                 "kernel_calls": dict({"stayed": (1, 2), "taken": (2, 2), "back": (0, 0)}, **moves)}
        return summary.kernel_failures(found, Run("kernel" if relay == "gone" else relay, []))

    def test_good_numbers_have_nothing_wrong(self):
        self.assertEqual(self.failures(), [])

    def test_kernel_that_carries_nothing_is_found(self):
        self.assertIn("the kernel has relayed nothing", self.failures(packets=0))

    def test_kernel_that_carries_what_is_recorded_is_found(self):
        self.assertIn("only 1000 belong to no recording", self.failures(packets=1001)[0])

    def test_kernel_that_drops_or_keeps_legs_is_found(self):
        self.assertIn("dropped 1", self.failures(packets_dropped=1)[0])
        self.assertIn("4 times, and taken back 3", self.failures(left=3)[0])

    def test_calls_that_never_move_are_found(self):
        for name in ("stayed", "taken", "back"):
            self.assertEqual(len(self.failures(moves={name: (0, 2)})), 1)

    def test_relay_by_whom_it_was_not_asked_for_is_found(self):
        self.assertEqual(len(self.failures("gone")), 1)
        self.assertEqual(len(self.failures("worker")), 1)


class Run(NamedTuple):
    relay: str
    proof: list


def main():
    """Ends with the line that tests/run counts."""
    result = unittest.main(exit=False, verbosity=1).result
    failing, crashing = len(result.failures), len(result.errors)
    passing = result.testsRun - failing - crashing
    print(f"[====] Synthesis: Tested: {result.testsRun} | Passing: {passing} | "
          f"Failing: {failing} | Crashing: {crashing} ", flush=True)
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
