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

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..",
                                "examples", "main_job"))

import compare  # noqa: E402
import g711  # noqa: E402
import proof  # noqa: E402
from plan import Customer  # noqa: E402
from reader import Message, Packet  # noqa: E402

CALLER, AGENT, SWITCH = "10.77.0.2", "10.77.0.3", "10.77.0.1"
CALLER_PHONE, CALLER_PORT = (CALLER, 6000), (SWITCH, 20000)
AGENT_PHONE, AGENT_PORT = (AGENT, 30000), (SWITCH, 20002)
ANSWERED, TALK, END = 1000.0, 1003.0, 1006.0


def speech(begin, end, source, target, seed):
    """A packet of 20 ms each 20 ms, with payloads of its own."""
    rng = random.Random(seed)
    count = int((end - begin) * 50)
    return [Packet(begin + i * 0.02, source, target, False, g711.PCMA, i, i * 160, "0x1",
                   rng.randbytes(160)) for i in range(count)]


def arrives(packets, source, target):
    return [p._replace(time=p.time + 0.0005, source=source, target=target) for p in packets]


def digit(time, event):
    return [Packet(time + i * 0.02, CALLER_PHONE, CALLER_PORT, False, 101, i, 9000, "0x2",
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
        self.at_agent = arrives(talked, AGENT_PORT, AGENT_PHONE)
        self.at_caller = music + arrives(self.agent, CALLER_PORT, CALLER_PHONE)
        self.recorded = sorted(self.caller + self.agent)
        self.sides = [[p for p in self.caller if p.payload_type == g711.PCMA], self.agent]
        self.record = {
            "call_id": "c1", "caller": "100001", "digits": "1", "queue": "sales",
            "agent": "alice", "offers": [{"agent": "alice", "result": "accepted"}],
            "wait_ms": 2050, "result": "answered", "hangup_by": "agent",
            "recording": {"pcapng": self.pcapng, "wav": self.wav},
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
        both = array("h", bytes(4 * int((END - ANSWERED) * 8000)))
        for side, packets in enumerate(self.sides):
            for packet in packets:
                at = round((packet.time - ANSWERED) * 8000)
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
        return callers, agents

    def prove(self):
        self.write_recording()
        self.write_wav()
        callers, agents = self.sip()
        wire = proof.Wire((self.caller + self.at_caller, callers), (self.agent + self.at_agent,
                                                                    agents))
        calls, wrong = proof.prove([self.record], [Customer("100001", "1", "-", 2)], wire)
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
        self.assertTrue(call.recording_correct and call.wav_correct and call.digits_correct
                        and call.record_correct)
        self.assertEqual(call.relayed, len(self.scene.at_agent) + len(self.scene.agent))

    def test_changed_byte_in_recording_is_found(self):
        at = len(self.scene.recorded) // 2
        self.scene.recorded[at] = changed(self.scene.recorded[at])
        self.assertFalse(self.found("the recording of").recording_correct)

    def test_packet_missing_in_recording_is_found(self):
        del self.scene.recorded[len(self.scene.recorded) // 2]
        self.assertFalse(self.found("the recording of").recording_correct)

    def test_first_packet_missing_in_recording_is_found(self):
        self.scene.recorded.remove(self.scene.caller[0])
        self.assertFalse(self.found("the recording of the caller").recording_correct)

    def test_last_packet_missing_in_recording_is_found(self):
        self.scene.recorded.remove(self.scene.agent[-1])
        self.assertFalse(self.found("the last 1 of").recording_correct)

    def test_packet_twice_in_recording_is_found(self):
        self.scene.recorded.insert(60, self.scene.recorded[60])
        self.assertFalse(self.found("the recording of").recording_correct)

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
        self.assertFalse(self.found("the WAV's channel of the caller").wav_correct)

    def test_swapped_channels_in_wav_are_found(self):
        self.scene.sides.reverse()
        self.assertFalse(self.found("the WAV").wav_correct)

    def test_late_channel_in_wav_is_found(self):
        self.scene.sides[1] = [p._replace(time=p.time - 0.5) for p in self.scene.sides[1]]
        self.assertFalse(self.found("the WAV's channel of the agent").wav_correct)

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

    def test_call_without_record_is_found(self):
        self.scene.record["call_id"] = "another"
        callers, agents = self.scene.sip()
        wire = proof.Wire((self.scene.caller, callers), (self.scene.agent, agents))
        calls, wrong = proof.prove([self.scene.record], [Customer("100001", "1", "-", 2)], wire)
        self.assertEqual((calls, len(wrong)), ([], 1))

    def test_digit_is_counted_once_however_often_it_is_sent(self):
        self.assertEqual(compare.digits_in(digit(1.0, 11) + digit(2.0, 11), 101), "#")

    def test_g711_has_the_values_of_the_standard(self):
        self.assertEqual(list(g711.decode(g711.PCMA, b"\xd5\x55\xaa\x2a\x80")),
                         [8, -8, 32256, -32256, 5504])
        self.assertEqual(list(g711.decode(g711.PCMU, b"\xff\x7f\x80\x00")),
                         [0, 0, 32124, -32124])


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
