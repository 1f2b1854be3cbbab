# SPDX-License-Identifier: BSD-3-Clause
"""Who takes part: the queues, the agents, the customers and what each of them will do, all of it
decided before the first call, so that the proof at the end knows what should have happened."""

import os
import secrets
from typing import NamedTuple

import network
from process import last_cpu

QUEUES = ("sales", "support", "billing")
RECORD_ALL = {name: "all" for name in QUEUES}
# What is recorded where plain calls are relayed inside the kernel: there are calls that never leave it,
# calls that never get there, and calls that go to the worker for the recording and back.
RECORD_SOME = {"sales": "all", "support": "none", "billing": "on_demand"}
NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi")
LATER_DIGITS = ("-", "5", "#")      # pressed after the first round of speech; "-" is none
ROUNDS = 2                          # of 7 s of speech, before a customer hangs up
OFFER_TIMEOUT_S = 3
SPEECH_S = 60                       # of the WAV that the baresip agent says


class Agent(NamedTuple):
    name: str
    password: str
    skills: tuple
    phone: str          # "sipp", "baresip" or "guest" (no phone of ours)
    hangs_up: bool      # or waits for the customer to do so
    misses: int         # offers that ring out before the first one is answered
    sip_port: int
    rtp_port: int


class Customer(NamedTuple):
    number: str
    digit: str          # pressed at the menu
    later_digit: str
    rounds: int

    def queue(self):
        return QUEUES[int(self.digit) - 1]

    def digits(self):
        """All digits that the switch must have heard, in order."""
        said_later = self.later_digit if self.later_digit != "-" and self.rounds > 1 else ""
        return self.digit + said_later


def plan_agents(count, guest=False):
    """The last of two or more is a baresip. One that can take the first call lets it ring out.
    Every second SIPp hangs up after talking, the others leave it to the customer.
    A guest is known to the switch, but logs in by himself (--keep)."""
    agents = []
    for i in range(count):
        skills = {i % 3, (i + 1) % 3} if count > 2 else {0, 1, 2}
        baresip = count > 1 and i == count - 1
        agents.append(Agent(
            name=NAMES[i] if i < len(NAMES) else f"agent{i + 1}",
            password=secrets.token_hex(8),
            skills=tuple(QUEUES[s] for s in sorted(skills)),
            phone="baresip" if baresip else "sipp",
            hangs_up=not baresip and i % 2 == 0,
            misses=1 if count > 2 and i == (2 if count > 3 else 0) else 0,
            sip_port=5100 + 2 * i, rtp_port=30000 + 10 * i))
    if guest:
        agents.append(Agent("you", "strowger", QUEUES, "guest", False, 0, 0, 0))
    return agents


def plan_customers(count, impatient):
    """The impatient ones, spread over the run, hang up half a second after the digit, while the
    agent's phone rings; baresip, who does not let it ring, may have answered by then."""
    leaves_early = {(i + 1) * count // impatient - 1 for i in range(impatient)}
    return [Customer(number=str(100001 + i), digit=str(1 + i % len(QUEUES)),
                     later_digit=LATER_DIGITS[i // 3 % 3],
                     rounds=0 if i in leaves_early else ROUNDS)
            for i in range(count)]


def plan_record(relay):
    """What each queue records."""
    return RECORD_ALL if relay == "worker" else RECORD_SOME


def switch_config(work, agents, huge_pages, driver, relay):
    """The switch's configuration file, as text."""
    def skills(names, level):
        return ", ".join(f"{{name: {name}, level: {level}}}" for name in names)

    record = plan_record(relay)
    choices = ", ".join(f'{{digit: "{i + 1}", queue: {name}}}' for i, name in enumerate(QUEUES))
    lines = [
        "# Written by examples/run.",
        "listen:", f"  address: {network.SWITCH}", "  sip_port: 5060",
        "media:", f"  interface: {network.SWITCH_LINK}", f"  driver: {driver}",
        "  rtp_ports: { first: 20000, last: 29999 }", f"  worker_core: {last_cpu()}",
        f"  relay: {relay}",
        f"  huge_pages: {'auto' if huge_pages else 'no'}", "  memory_mib: 128",
        f"recording: {{ directory: {work}/rec, pcapng: true, wav: true }}",
        f"files: {{ cdr: {work}/cdr.jsonl, status: {work}/status.json }}",
        f"menu: {{ prompt: {work}/menu.wav, timeout_s: 10, choices: [ {choices} ],"
        f" default_queue: {QUEUES[0]} }}",
        "queues:"]
    for name in QUEUES:
        lines.append(
            f"  - {{ name: {name}, music: {work}/music.wav, skills: [ {skills([name], 1)} ],"
            f" offer_timeout_s: {OFFER_TIMEOUT_S}, wrap_up_s: 1, service_level_s: 20, target_s: 20,"
            f" length_max: 1000, record: {record[name]} }}")
    lines.append("agents:")
    for agent in agents:
        lines.append(f"  - {{ name: {agent.name}, password: {agent.password},"
                     f" skills: [ {skills(agent.skills, 5)} ] }}")
    return "\n".join(lines) + "\n"


def write_config(work, agents, huge_pages, driver, relay):
    path = os.path.join(work, "switch.yaml")
    with open(path, "w") as out:
        out.write(switch_config(work, agents, huge_pages, driver, relay))
    return path
