# SPDX-License-Identifier: BSD-3-Clause
"""Debian's rtpengine, in user space: started in a namespace and told of calls over its ng protocol."""
import contextlib
import os
import re
import resource
import socket
import subprocess
import time

from stage import busy_us

PROGRAM = "/usr/bin/rtpengine"
CONTROL_PORT = 22222
FILES_WANTED = 300000
FILES_A_CALL = 4
SDP = ("v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
       "m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n")


def bencode(value):
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    return b"d" + b"".join(bencode(key) + bencode(value[key]) for key in value) + b"e"


def take_all_files():
    """As many as may be had: more than the limit with the right to raise it, else up to it."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(most, FILES_WANTED),) * 2)
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Rtpengine:
    """One process with one worker thread, pinned to a CPU."""

    name = "rtpengine"

    def __init__(self, network, namespace, folder, addresses, party, cpu):
        self.interfaces = [f"r{index}" for index in range(len(addresses))]
        self.party = party
        self.serial = 0
        self.calls = []
        self.folder = folder
        os.makedirs(os.path.join(folder, "recordings"), exist_ok=True)
        self.log = open(os.path.join(folder, "rtpengine.log"), "ab")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, "prlimit", "--core=0", "taskset", "-c", str(cpu),
             PROGRAM, "--config-file=none", "--foreground", "--log-stderr", "--log-level=2", "--table=-1",
             *(f"--interface={name}/{address}" for name, address in zip(self.interfaces, addresses)),
             f"--listen-ng=127.0.0.1:{CONTROL_PORT}", "--num-threads=1",
             "--port-min=10000", "--port-max=60000", "--timeout=3600", "--silent-timeout=3600",
             "--delete-delay=0", f"--pidfile={folder}/rtpengine.pid", f"--recording-dir={folder}/recordings",
             "--recording-method=pcap", "--recording-format=eth"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, preexec_fn=take_all_files)
        self.control = network.udp(namespace, remote=("127.0.0.1", CONTROL_PORT))
        self.control.settimeout(0.2)
        self.wait_until_it_answers()

    def wait_until_it_answers(self):
        for _ in range(300):
            if self.process.poll() is not None:
                break
            try:
                if b"pong" in self.ask({"command": "ping"}):
                    return
            except OSError:
                time.sleep(0.05)
        with open(os.path.join(self.folder, "rtpengine.log"), encoding="utf-8", errors="replace") as file:
            raise OSError(f"rtpengine does not start: {file.read()[-2000:]}")

    def ask(self, message):
        self.serial += 1
        cookie = b"c%d" % self.serial
        for _ in range(20):
            self.control.send(cookie + b" " + bencode(message))
            try:
                while True:
                    answer = self.control.recv(65536)
                    if answer.startswith(cookie + b" "):
                        return answer
            except socket.timeout:
                pass
        raise OSError("rtpengine does not answer")

    def describe(self, command, call, side, more):
        """Tell it of one side of a call; its address and port for the other."""
        interface = self.interfaces[len(self.calls) % len(self.interfaces)]
        message = {"ICE": "remove", "call-id": call, "command": command,
                   "direction": [interface, interface], "from-tag": "a",
                   **({"record call": "yes"} if more else {}),
                   "sdp": SDP.format(address=self.party[0], port=self.party[1 + side]),
                   **({"to-tag": "b"} if command == "answer" else {})}
        answer = self.ask(message)
        found = re.search(rb"c=IN IP4 (\S+).*m=audio (\d+)", answer, re.S)
        if not found:
            raise OSError(f"rtpengine: {answer[:300]}")
        return f"{found[1].decode()} {int(found[2])}"

    def add_calls(self, count, path, recorded):
        """Add calls, their ports to a file; microseconds of the process' CPU for it."""
        files = resource.prlimit(self.pid(), resource.RLIMIT_NOFILE)[0]
        if (len(self.calls) + count) * FILES_A_CALL > files:
            raise OSError(f"{count} calls need {count * FILES_A_CALL} sockets, and the limit of open files is {files}")
        before = busy_us(self.pid())
        with open(path, "w", encoding="ascii") as file:
            for _ in range(count):
                call = f"call-{len(self.calls)}"
                agent = self.describe("offer", call, 0, recorded)
                caller = self.describe("answer", call, 1, recorded)
                file.write(f"{caller} {agent}\n")
                self.calls.append(call)
        return busy_us(self.pid()) - before

    def settle(self, _nudge):
        """Nothing moves."""

    def pid(self):
        return self.process.pid

    def quit(self):
        self.control.close()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
