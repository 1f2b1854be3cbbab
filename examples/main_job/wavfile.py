# SPDX-License-Identifier: BSD-3-Clause
"""RIFF WAVE files as samples: 16-bit PCM, A-law or mu-law, any number of channels."""

import struct
import sys
from array import array
from typing import NamedTuple

import g711

PCM, ALAW, MULAW = 1, 6, 7


class Wav(NamedTuple):
    rate_hz: int
    channels: list      # of array("h"), all of one length


class BadWav(Exception):
    pass


def _chunks(data):
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise BadWav("no RIFF WAVE header")
    if struct.unpack_from("<I", data, 4)[0] != len(data) - 8:
        raise BadWav("the RIFF length is not the file's")
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if at + 8 + size > len(data):
            raise BadWav(f"chunk {name!r} ends behind the file")
        yield name, data[at + 8:at + 8 + size]
        at += 8 + size + size % 2


def read_wav(path):
    with open(path, "rb") as source:
        chunks = dict(_chunks(source.read()))
    if b"fmt " not in chunks or b"data" not in chunks:
        raise BadWav("fmt or data chunk missing")
    coding, count, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", chunks[b"fmt "])
    data = chunks[b"data"]
    if coding == PCM and bits == 16:
        samples = array("h", data)
        if sys.byteorder == "big":
            samples.byteswap()
    elif coding in (ALAW, MULAW) and bits == 8:
        samples = g711.decode(g711.PCMA if coding == ALAW else g711.PCMU, data)
    else:
        raise BadWav(f"format {coding} with {bits} bits")
    if count == 0 or len(samples) % count:
        raise BadWav(f"{len(samples)} samples do not fill {count} channels")
    return Wav(rate_hz, [samples[i::count] for i in range(count)])
