# SPDX-License-Identifier: BSD-3-Clause
"""G.711 to 16-bit samples, by table (ITU-T G.711, tables 1 and 2). Written for the checker alone,
so that it shares nothing with the library whose recordings it judges."""

from array import array

PCMU = 0
PCMA = 8


def _alaw(code):
    code ^= 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = (mantissa << 4) + 8
    if exponent:
        magnitude = (magnitude + 256) << (exponent - 1)
    return magnitude if code & 0x80 else -magnitude


def _ulaw(code):
    code ^= 0xFF
    magnitude = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132
    return -magnitude if code & 0x80 else magnitude


TABLES = {PCMA: [_alaw(code) for code in range(256)], PCMU: [_ulaw(code) for code in range(256)]}


def decode(payload_type, payload):
    table = TABLES[payload_type]
    return array("h", [table[code] for code in payload])
