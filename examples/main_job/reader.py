# SPDX-License-Identifier: BSD-3-Clause
"""The independent reader: tshark takes captures and recordings apart, we only sort its fields."""

import re
from typing import NamedTuple

from process import command

RTP_FIELDS = ("frame.time_epoch", "ip.src", "udp.srcport", "ip.dst", "udp.dstport",
              "udp.checksum.status", "rtp.p_type", "rtp.seq", "rtp.timestamp", "rtp.ssrc",
              "rtp.payload")
SIP_FIELDS = ("frame.time_epoch", "ip.src", "ip.dst", "sip.Call-ID", "sip.Method",
              "sip.Status-Code", "sip.CSeq.method", "sip.CSeq.seq", "sip.from.user", "sdp.media.port", "sip.msg_hdr")
CHECKSUM_BAD = "0"


class Packet(NamedTuple):
    time: float
    source: tuple       # (address, port)
    target: tuple
    checksum_bad: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: str
    payload: bytes


class Message(NamedTuple):
    time: float
    source: str
    target: str
    call_id: str
    method: str         # of the request, or of the request that is answered
    status: int         # 0: a request
    caller: str
    media_port: int     # 0: no session description
    number: int = 0     # CSeq
    record: str = ""    # "on" or "off": what it says of recording


def _tshark(path, what, fields, *options):
    argv = ["tshark", "-n", "-r", path, *options, "-Y", what, "-T", "fields",
            "-E", "separator=/t", "-E", "occurrence=f"]
    for field in fields:
        argv += ["-e", field]
    for line in command(*argv).splitlines():
        yield dict(zip(fields, line.split("\t")))


def read_rtp(path, ports):
    """All RTP packets to or from the UDP ports "first-last", in the order of the file. RTCP has
    the payload types 64-95 when it is taken for RTP (RFC 5761 4), which no RTP packet may have."""
    rows = _tshark(path, "rtp and not icmp and not (rtp.p_type >= 64 and rtp.p_type <= 95)",
                   RTP_FIELDS, "-d", f"udp.port=={ports},rtp", "-o", "udp.check_checksum:TRUE",
                   "--disable-protocol", "rtpevent")
    return [Packet(time=float(row["frame.time_epoch"]),
                   source=(row["ip.src"], int(row["udp.srcport"])),
                   target=(row["ip.dst"], int(row["udp.dstport"])),
                   checksum_bad=row["udp.checksum.status"] == CHECKSUM_BAD,
                   payload_type=int(row["rtp.p_type"]),
                   sequence=int(row["rtp.seq"]),
                   timestamp=int(row["rtp.timestamp"]),
                   ssrc=row["rtp.ssrc"],
                   payload=bytes.fromhex(row["rtp.payload"].replace(":", "")))
            for row in rows]


def read_sip(path):
    rows = _tshark(path, "sip and not icmp", SIP_FIELDS)
    return [Message(time=float(row["frame.time_epoch"]), source=row["ip.src"],
                    target=row["ip.dst"], call_id=row["sip.Call-ID"],
                    method=row["sip.Method"] or row["sip.CSeq.method"],
                    status=int(row["sip.Status-Code"] or 0), caller=row["sip.from.user"],
                    media_port=int(row["sdp.media.port"] or 0),
                    number=int(row["sip.CSeq.seq"] or 0),
                    record=_record_header(row["sip.msg_hdr"]))
            for row in rows]


def _record_header(headers):
    match = re.search(r"(?:^|\\n|\n)Record: *(on|off)\b", headers)
    return match[1] if match else ""
