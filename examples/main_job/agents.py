# SPDX-License-Identifier: BSD-3-Clause
"""The agents' phones: SIPp that says everything back (-rtp_echo), and a headless baresip that says
recorded speech. Each is a process with a port, a password and a log of its own."""

import os
import signal
import time

import network
from callers import SCENARIOS
from process import Child, wait_for

BARESIP_CONFIG = """\
sip_listen {address}:{sip_port}
call_max_calls 4
call_local_timeout 120
rtp_ports {rtp_port}-{rtp_last}
rtcp_mux no
audio_source aufile,{work}/speech.wav
audio_player aubridge,nil
ausrc_srate 8000
ausrc_channels 1
auplay_srate 8000
auplay_channels 1
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_app account.so
module_app menu.so
snd_path {directory}
"""
BARESIP_ACCOUNT = ("<sip:{name}@{switch}>;auth_user={name};auth_pass={password};answermode=auto;"
                   "audio_codecs=PCMA/8000/1;regint=3600\n")


class Agents:
    def __init__(self, agents, work, namespace, record):
        """record: what each queue records; SIPp's agents ask for it where it is theirs to ask."""
        self.agents = agents
        self.records = "".join(queue for queue, what in record.items() if what == "on_demand")
        self.work = work
        self.namespace = namespace
        self.children = []

    def start(self):
        """Phones first, then they log in: an offer may come with the answer to REGISTER."""
        for agent in self._sipp():
            self._start_sipp(agent)
        time.sleep(0.3)
        # Who misses the first offer logs in before all others, so that it is his: longest idle.
        for late in (True, False):
            self._register(3600, [a for a in self._sipp() if bool(a.misses) == late])
        for agent in self.agents:
            if agent.phone == "baresip":
                self._start_baresip(agent)

    def _start_sipp(self, agent):
        base = os.path.join(self.work, f"agent-{agent.name}")
        self.children.append(Child(
            f"agent {agent.name} (sipp)",
            ["sipp", "-sf", os.path.join(SCENARIOS, "agent.xml"), "-i", network.AGENTS,
             "-p", str(agent.sip_port), "-mi", network.AGENTS, "-mp", str(agent.rtp_port),
             "-rtp_echo", "-set", "misses", str(agent.misses),
             "-set", "hangs_up", "yes" if agent.hangs_up else "no",
             "-set", "records", self.records or "none", "-nostdin",
             "-trace_err", "-error_file", base + ".err"], base + ".log", self.namespace,
            self.work))

    def _start_baresip(self, agent):
        directory = os.path.join(self.work, f"agent-{agent.name}")
        os.makedirs(directory)
        values = dict(agent._asdict(), work=self.work, directory=directory,
                      address=network.AGENTS, switch=network.SWITCH, rtp_last=agent.rtp_port + 8)
        for name, text in (("config", BARESIP_CONFIG), ("accounts", BARESIP_ACCOUNT),
                           ("contacts", "")):
            with open(os.path.join(directory, name), "w") as out:
                out.write(text.format(**values))
        child = Child(f"agent {agent.name} (baresip)",
                      ["baresip", "-4", "-n", network.AGENTS, "-f", directory],
                      directory + ".log", self.namespace, self.work)
        self.children.append(child)

        def registered():
            with open(child.log, errors="replace") as log:
                return "200 OK" in log.read()
        wait_for(registered, 10, child, "registered")

    def _sipp(self):
        return [agent for agent in self.agents if agent.phone == "sipp"]

    def _register(self, expires, agents):
        """These agents at the same time, by a SIPp each, as it takes one password a process."""
        clerks = []
        for agent in agents:
            base = os.path.join(self.work, f"register-{agent.name}")
            clerks.append(Child(
                f"registration of {agent.name} (sipp)",
                ["sipp", f"{network.SWITCH}:5060", "-sf", os.path.join(SCENARIOS, "register.xml"),
                 "-i", network.AGENTS, "-p", str(agent.sip_port + 1), "-m", "1", "-nostdin",
                 "-key", "user", agent.name, "-key", "contact_port", str(agent.sip_port),
                 "-key", "expires", str(expires), "-au", agent.name, "-ap", agent.password,
                 "-timeout", "10", "-timeout_error", "-trace_err", "-error_file", base + ".err"],
                base + ".log", self.namespace, self.work))
        try:
            for clerk in clerks:
                if clerk.wait(15) != 0:
                    raise clerk.failed("was refused")
        finally:
            for clerk in clerks:
                clerk.stop()

    def alive(self):
        for child in self.children:
            if child.code() is not None:
                raise child.failed(f"ended with status {child.code()} in mid-run")

    def log_out(self):
        """SIPp's agents by REGISTER with Expires 0; baresip does it by itself when it ends."""
        self._register(0, self._sipp())
        for child in self.children:
            if "baresip" in child.name and child.stop(signal.SIGTERM) is None:
                raise child.failed("did not stop")

    def stop(self):
        for child in self.children:
            child.stop(signal.SIGKILL if "sipp" in child.name else signal.SIGTERM)
