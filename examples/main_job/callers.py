# SPDX-License-Identifier: BSD-3-Clause
"""The customers: one SIPp process calls for all of them, each call with a media port of its own."""

import os

import network
from process import Child

SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sipp")
MEDIA_PORT = 6000       # of the first call; SIPp's auto_media_port adds 4 for each next one


def write_calls(path, customers):
    with open(path, "w") as out:
        out.write("SEQUENTIAL\n")
        for customer in customers:
            out.write(f"{customer.number};{customer.digit};{customer.later_digit};"
                      f"{customer.rounds};menu\n")


class Callers:
    """At most one call more than agents is up, or an eighth of them: so there is always somebody
    waiting, and everybody is answered before the last round of speech is said. A new one comes
    every two seconds (for up to 7 agents): when the first one's offer has rung out, the next agent
    is still free."""

    def __init__(self, customers, agents, work, namespace):
        calls = os.path.join(work, "calls.csv")
        write_calls(calls, customers)
        self.child = Child("callers (sipp)", [
            "sipp", f"{network.SWITCH}:5060", "-sf", os.path.join(SCENARIOS, "caller.xml"),
            "-inf", calls, "-i", network.CALLERS, "-p", "5060", "-mi", network.CALLERS,
            "-mp", str(MEDIA_PORT), "-m", str(len(customers)),
            "-l", str(agents + max(1, agents // 8)), "-r", str(max(1, agents // 4)),
            "-rp", "2000", "-nostdin", "-trace_err",
            "-error_file", os.path.join(work, "callers.err")],
            os.path.join(work, "callers.log"), namespace, work)

    def done(self):
        return self.child.code() is not None
