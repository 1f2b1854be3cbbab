# SPDX-License-Identifier: BSD-3-Clause
"""What the switch plays: a menu prompt and music on hold, made from a few notes; and what the
baresip agent says: the recorded speech of sip-tester's capture, as a WAV file."""

import math
import wave
from array import array

import g711
from reader import read_rtp

RATE_HZ = 8000
NOTES_HZ = {"c": 261.6, "d": 293.7, "e": 329.6, "f": 349.2, "g": 392.0, "a": 440.0, "h": 493.9,
            "C": 523.3, "D": 587.3, "E": 659.3, "-": 0.0}
MENU = "cegC--EC--EC----"
MUSIC = "c-e-g-e-f-a-C-a-g-h-D-h-C-g-e-c-a-f-d-f-e-g-C-g-f-d-h-d-c-g-c---"


def tune(notes, note_s):
    """Each note is struck and fades, with its octave for colour."""
    samples = array("h")
    for note in notes:
        step = 2 * math.pi * NOTES_HZ[note] / RATE_HZ
        count = int(RATE_HZ * note_s)
        for i in range(count):
            loud = 9000 * math.exp(-4 * i / count) * min(1, i / 40)
            samples.append(int(loud * (math.sin(step * i) + 0.4 * math.sin(2 * step * i))))
    return samples


def write_wav(path, samples):
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(samples.tobytes())


def write_menu(path):
    write_wav(path, tune(MENU, 0.15))


def write_music(path):
    write_wav(path, tune(MUSIC, 0.2))


def write_speech(path, capture, seconds):
    """The speech of a capture, over and over."""
    packets = [p for p in read_rtp(capture, "0-65535") if p.payload_type == g711.PCMA]
    once = array("h")
    for packet in packets:
        once.extend(g711.decode(g711.PCMA, packet.payload))
    times = -(-seconds * RATE_HZ // len(once))
    write_wav(path, once * times)
