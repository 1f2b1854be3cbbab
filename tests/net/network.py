# SPDX-License-Identifier: BSD-3-Clause
"""Network namespaces, links and sockets in them, for the tests of this folder.

All names carry the process id; remove_namespaces() removes all, links included.
"""

import contextlib
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

PREFIX = f"stwn{os.getpid()}"
CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def run(*words, check=True):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode != 0:
        raise OSError(f"{' '.join(words)}: {done.stdout}")
    return done.stdout


def ip(namespace, *words):
    return run("ip", "-n", namespace, *words)


def make_namespace(namespace):
    run("ip", "netns", "add", namespace)
    ip(namespace, "link", "set", "lo", "up")


def remove_namespaces(*namespaces):
    for namespace in namespaces:
        run("ip", "netns", "del", namespace, check=False)


def make_link(end, other, queues=1):
    """A veth pair; an end is (namespace, name)."""
    of_each = ("numrxqueues", str(queues), "numtxqueues", str(queues))
    run("ip", "link", "add", "name", end[1], "netns", end[0], *of_each, "type", "veth",
        "peer", "name", other[1], "netns", other[0], *of_each)
    for namespace, name in (end, other):
        ip(namespace, "link", "set", name, "up")
        # A veth leaves checksums to a device that is not there.
        run("ip", "netns", "exec", namespace, "ethtool", "-K", name, "tx", "off")


class Inside:
    """What is opened here belongs to the namespace."""

    def __init__(self, namespace):
        self.path = "/run/netns/" + namespace

    def enter(self, path):
        fd = os.open(path, os.O_RDONLY)
        try:
            if libc.setns(fd, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(fd)

    def __enter__(self):
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.enter(self.path)

    def __exit__(self, *_):
        if libc.setns(self.home, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        os.close(self.home)


def udp(namespace, local=None, remote=None):
    family = socket.AF_INET6 if ":" in (local or remote)[0] else socket.AF_INET
    with Inside(namespace):
        peer = socket.socket(family, socket.SOCK_DGRAM)
    peer.settimeout(1)
    if local:
        peer.bind(local)
    if remote:
        peer.connect(remote)
    return peer


class Program:
    """One of this folder's programs in a namespace: a word on its stdin, a line as its answer."""

    def __init__(self, namespace, *words, greet=True):
        if not os.path.exists(words[0]):
            raise FileNotFoundError(words[0])
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *map(str, words)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1)
        self.hello = []
        if greet:
            self.greet()

    def greet(self):
        """Wait for its first line."""
        self.hello = self.process.stdout.readline().split()
        return self

    def ask(self, word):
        self.process.stdin.write(word + "\n")
        answer = self.process.stdout.readline().split()
        if not answer or answer[0] != word.split()[0]:
            raise AssertionError(f"{word}: {answer}\n{self.lines()}")
        return answer[1:]

    def lines(self):
        self.log.seek(0)
        return self.log.read()

    def quit(self):
        """Its exit status."""
        ended = contextlib.suppress(BrokenPipeError, ValueError)
        with ended:
            self.process.stdin.write("quit\n")
        with ended:
            self.process.stdin.close()
        status = self.process.wait(10)
        self.process.stdout.close()
        return status

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


def wait_for(what, seconds=5):
    """Until it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.005)
    return False


def link_is_clean(namespace, name):
    """No XDP program on it, at the latest after a second."""
    for _ in range(50):
        if "xdp" not in ip(namespace, "link", "show", name):
            return True
        time.sleep(0.02)
    return False


def unreachables(namespace):
    """ICMP and ICMPv6 "unreachable" messages that the namespace's kernel has sent."""
    text = run("ip", "netns", "exec", namespace, "cat", "/proc/net/snmp", "/proc/net/snmp6")
    names, values = re.findall(r"^Icmp: (.*)$", text, re.M)
    of_ipv6 = re.search(r"^Icmp6OutDestUnreachs\s+(\d+)$", text, re.M)
    return int(dict(zip(names.split(), values.split()))["OutDestUnreachs"]) + int(of_ipv6[1])


def closing_line(tested, failing):
    """As Criterion's, which the runner adds up."""
    print(f"[====] Synthesis: Tested: {tested} | Passing: {tested - failing} | "
          f"Failing: {failing} | Crashing: 0", flush=True)


def main():
    if os.geteuid() != 0:
        print("skipped: network namespaces need root")
        closing_line(0, 0)
        sys.exit(77)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    result = unittest.main(module="__main__", verbosity=2, exit=False).result
    failing = len({test.id() for test, _ in result.failures + result.errors})
    closing_line(result.testsRun, failing)
    sys.exit(1 if failing else 0)
