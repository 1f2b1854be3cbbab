# SPDX-License-Identifier: BSD-3-Clause
"""The main job, end to end: real calls through the switch, and the proof that all of it happened.
Started by examples/run, which has installed and built what is needed."""

import argparse
import json
import os
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import hugepages
import network as town
import plan
import sounds
import summary as verdict
from agents import Agents
from callers import Callers
from capture import Capture
from hugepages import HugePages
from leaks import Belongings
from network import HOST, SWITCH, Network
from process import Failed, command
from proof import RTP_PORTS, Wire, files_unnamed, prove, read_records
from reader import read_rtp, read_sip
from switch import Switch
from table import Table

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUNS = os.path.join(TOP, "build", "runs")
SPEECH = "/usr/share/sip-tester/g711a.pcap"


class Stopped(BaseException):
    """Ctrl-C or a polite kill."""


@dataclass
class Outcome:
    """What a run has brought together for its verdict."""
    customers: list
    agents: list
    relay: str
    wrong: list = field(default_factory=list)
    proof: list = field(default_factory=list)
    unnamed: list = field(default_factory=list)
    offered: int = 0
    switch_summary: dict = field(default_factory=dict)
    capture_dropped: int = 0
    huge_pages: int = 0
    left: dict = field(default_factory=dict)
    seconds: float = 0.0


def options():
    parser = argparse.ArgumentParser(
        prog="examples/run", description="Runs the reference switch on real SIP calls and proves "
        "call by call that nothing was lost. Needs root. Exit status 0: everything holds.",
        epilog="What is proved: see examples/main_job/proof.py. In short: captures at the phones' "
        "own ends say what was sent; tshark reads them and the recordings; every packet of a talk "
        "must have arrived, in order, unchanged, and be in the recording, byte for byte.")
    parser.add_argument("--calls", metavar="N", type=int, default=20, help="number of calls (20)")
    parser.add_argument("--agents", metavar="N", type=int, default=4, help="number of agents (4)")
    parser.add_argument("--impatient", metavar="N", type=int, default=0,
                        help="how many of the calls hang up before they are answered (0)")
    parser.add_argument("--json", metavar="FILE", help="write the summary there, too")
    parser.add_argument("--keep", action="store_true",
                        help="stay up after the calls, for your own softphone, until Ctrl-C")
    parser.add_argument("--driver", default="auto",
                        choices=("auto", "xdp-native", "xdp-generic", "af-packet"),
                        help="how the switch gets its packets (auto: the first that works)")
    parser.add_argument("--relay", default="worker", choices=("worker", "kernel", "auto"),
                        help="who relays plain calls (worker); kernel and auto: the XDP program, of"
                        " calls to queues that record nothing or what the agent asks for, while it"
                        " is not asked for; the run fails if kernel is asked for and carries none")
    parser.add_argument("--no-huge", action="store_true", help="work without huge pages")
    parser.add_argument("--switch", metavar="PROGRAM", help="another build of the switch",
                        default=f"{TOP}/build/release/examples/switch/strowger-switch")
    parser.add_argument("--work", metavar="DIR", help="new directory for logs and recordings "
                        "(build/runs/DATE-PID)", default=f"{RUNS}/{time.strftime('%Y%m%d-%H%M%S')}-"
                        f"{os.getpid()}")
    args = parser.parse_args()
    args.work = os.path.abspath(args.work)
    if args.calls < 0 or args.agents < 1 or not 0 <= args.impatient <= args.calls:
        parser.error("--calls and --impatient count from 0, --agents from 1")
    if args.relay == "kernel" and args.driver == "af-packet":
        parser.error("the kernel relays by XDP, which --driver af-packet is without")
    if args.calls > 500 or args.agents > 100:
        parser.error("at most 500 calls and 100 agents: this is a proof, not a load test")
    return args


def say(text):
    print(text, flush=True)


def catch_signals():
    """The first signal stops the run; later ones must not disturb its cleaning up."""
    def stop(number, _):
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, stop)


def start_switch(args, stack, network, outcome):
    """Config, sounds and the switch itself, until it takes calls."""
    pages = 0
    if not args.no_huge:
        huge = stack.enter_context(HugePages(os.path.join(args.work, "huge")))
        say(f"Huge pages: {huge}.")
        pages = huge.got if huge.enough() else 0
    outcome.huge_pages = pages
    sounds.write_menu(os.path.join(args.work, "menu.wav"))
    sounds.write_music(os.path.join(args.work, "music.wav"))
    sounds.write_speech(os.path.join(args.work, "speech.wav"), SPEECH, plan.SPEECH_S)
    config = plan.write_config(args.work, outcome.agents, pages > 0, args.driver, args.relay)
    switch = Switch(args.switch, config, args.work, network.name("switch"))
    stack.callback(switch.child.stop)
    switch.wait_ready()
    mode = switch.ready.get("xdp")
    say(f"Switch: takes calls at sip:menu@{SWITCH}, packets by {switch.ready.get('driver')}, "
        f"XDP {mode}, relay by the {switch.ready.get('relay')}.")
    if args.relay == "auto" and switch.ready.get("relay") != "kernel":
        say(f"  The kernel cannot relay; the reason is in {switch.child.log}.")
    if args.driver == "auto" and mode != "native":
        say(f"  Native XDP was not to be had, so it fell back; the reason is in "
            f"{switch.child.log}.")
    return switch


def watch(args, switch, agents, callers):
    """The live table, until all calls are over; a dead process ends the run at once."""
    table = Table(args.calls)
    limit_s = 90 + 40 * args.calls / args.agents
    end = time.monotonic() + limit_s
    while not callers.done():
        table.show(switch.status())
        switch.alive()
        agents.alive()
        if time.monotonic() > end:
            raise callers.child.failed(f"has not finished in {limit_s:.0f} s")
        time.sleep(0.5)
    time.sleep(2.5)     # wrap-up ends, records are written, the status is renewed
    table.said_at = 0.0
    table.show(switch.status())
    if callers.child.code() != 0:
        return [f"some calls did not end as they should; see {args.work}/callers.err"]
    return []


def keep(network, agents):
    """Stay up for somebody's own softphone."""
    network.open_to_host()
    say(f"\nKept running. From this machine ({HOST}) call sip:menu@{SWITCH} (press 1, 2 or 3) or "
        f"sip:sales@{SWITCH} with any softphone that binds to {HOST}.\n"
        f"To be an agent yourself, register as sip:you@{SWITCH}, password strowger.\n"
        f"Agents: {', '.join(a.name for a in agents)}. Ctrl-C ends it.")
    try:
        while True:
            signal.pause()
    except Stopped:
        catch_signals()
        say("\nStopping.")


def take_calls(args, outcome):
    """Everything that runs; on return all of it is gone again and the files speak."""
    with ExitStack() as stack:
        network = stack.enter_context(Network(os.getpid()))
        captures = [Capture(place, args.work, network.name(place))
                    for place in ("callers", "agents")]
        for capture in captures:
            stack.callback(capture.stop)
        switch = start_switch(args, stack, network, outcome)
        here = [a for a in outcome.agents if a.phone != "guest"]
        agents = Agents(here, args.work, network.name("agents"), plan.plan_record(args.relay))
        stack.callback(agents.stop)
        agents.start()
        say(f"Agents: {', '.join(f'{a.name} ({a.phone})' for a in here)}, logged in.")
        if args.calls:
            callers = Callers(outcome.customers, args.agents, args.work, network.name("callers"))
            stack.callback(callers.child.stop)
            outcome.wrong += watch(args, switch, agents, callers)
        if args.keep:
            keep(network, here)
        agents.log_out()
        outcome.switch_summary = switch.finish()
        for capture in captures:
            capture.stop()
            outcome.capture_dropped += capture.dropped()


def judge(args, outcome):
    """Read all captures and recordings, and prove each call."""
    say("Reading captures and recordings with tshark ...")
    paths = [os.path.join(args.work, f"{place}.pcapng") for place in ("callers", "agents")]
    wire = Wire(*[(read_rtp(path, RTP_PORTS), read_sip(path)) for path in paths])
    outcome.offered = len(wire.offered())
    records = read_records(os.path.join(args.work, "cdr.jsonl"))
    outcome.proof, wrong = prove(records, outcome.customers, wire, plan.plan_record(args.relay))
    for call in outcome.proof:
        outcome.wrong += call.wrong
    outcome.unnamed = files_unnamed(os.path.join(args.work, "rec"), records)
    outcome.wrong += wrong


def write_json(args, result):
    if args.json:
        with open(args.json, "w") as out:
            json.dump(result, out, indent=1)
            out.write("\n")


def give_to_owner(args):
    """What root has written belongs to whoever owns the tree."""
    owner = os.stat(TOP)
    paths = [args.work] + ([args.json] if args.json else [])
    command("chown", "-R", f"{owner.st_uid}:{owner.st_gid}", *paths, check=False)
    if os.path.dirname(args.work) == RUNS:
        command("chown", f"{owner.st_uid}:{owner.st_gid}", RUNS, check=False)


def run(args):
    if os.geteuid() != 0:
        say("examples/run: needs root, for network namespaces and XDP: sudo ./examples/run")
        return 1
    catch_signals()
    begun = time.monotonic()
    outcome = Outcome(plan.plan_customers(args.calls, args.impatient),
                      plan.plan_agents(args.agents, args.keep), args.relay)
    try:
        os.makedirs(args.work)
        town.remove_stale()
        hugepages.remove_stale()
        before = Belongings()
        try:
            take_calls(args, outcome)
        finally:
            outcome.left = Belongings().left_since(before)
        if args.calls:
            judge(args, outcome)
    except Stopped:
        left = {kind: count for kind, count in outcome.left.items() if count}
        say(f"\nStopped; {f'left behind: {left}' if left else 'everything is cleaned up'}. "
            f"Logs: {args.work}")
        return 130
    except (Failed, OSError) as error:
        say(f"\nFAILED: {error}\nLogs: {args.work}")
        write_json(args, {"wrong": [str(error)]})
        return 1
    outcome.seconds = time.monotonic() - begun
    result = verdict.summarise(outcome)
    wrong = verdict.failures(result, outcome)
    verdict.show(result, wrong, args.work)
    write_json(args, dict(result, wrong=wrong))
    return 1 if wrong else 0


def main():
    args = options()
    try:
        return run(args)
    finally:
        give_to_owner(args)


sys.exit(main())
