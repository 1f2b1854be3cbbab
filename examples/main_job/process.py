# SPDX-License-Identifier: BSD-3-Clause
"""Child processes: started in a namespace, each with its own log, stopped by its own id."""

import ctypes
import os
import signal
import subprocess
import time


class Failed(Exception):
    """Something that the run needs did not happen; the text is for the person at the terminal."""


def command(*argv, check=True, text=None):
    """Run a short command; its output, or Failed with what it said."""
    done = subprocess.run(argv, capture_output=True, text=True, input=text)
    if check and done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise Failed(f"`{' '.join(argv)}` failed ({done.returncode}): {said}")
    return done.stdout


def die_with_parent():
    """In the child: a killed run takes its children with it (PR_SET_PDEATHSIG is 1)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Child:
    def __init__(self, name, argv, log, namespace=None, cwd=None):
        if namespace:
            argv = ["ip", "netns", "exec", namespace, *argv]
        self.name = name
        self.log = log
        # A session of its own: Ctrl-C at the terminal reaches the run, which stops us in order.
        with open(log, "ab") as sink:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd=cwd,
                start_new_session=True, preexec_fn=die_with_parent)

    def code(self):
        """None while it runs; else its exit status (negative: the signal that ended it)."""
        return self.process.poll()

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, polite=signal.SIGTERM, seconds=5):
        """Ask, wait, then kill. Returns the exit status, None when it had to be killed."""
        if self.code() is not None:
            return self.code()
        self.process.send_signal(polite)
        if self.wait(seconds) is None:
            self.process.kill()
            self.process.wait()
            return None
        return self.code()

    def last_words(self, lines=5):
        with open(self.log, errors="replace") as log:
            tail = [line.rstrip() for line in log if line.strip()][-lines:]
        return "\n".join("    " + line for line in tail)

    def failed(self, what):
        words = self.last_words()
        return Failed(f"{self.name} {what}; its log is {self.log}, which "
                      + (f"ends with\n{words}" if words else "is empty"))


def wait_for(condition, seconds, child, what, step=0.05):
    """Wait until condition() is true; Failed when the child ends or the time is over. what: in
    the past tense, what the child does by then."""
    end = time.monotonic() + seconds
    while not condition():
        if child.code() is not None:
            raise child.failed(f"ended with status {child.code()} before it {what}")
        if time.monotonic() > end:
            raise child.failed(f"had {seconds} s and never {what}")
        time.sleep(step)


def last_cpu():
    """The CPU for the packet worker: the last that we may use; the first ones serve the rest."""
    return max(os.sched_getaffinity(0))
