# SPDX-License-Identifier: BSD-3-Clause
"""The verdict: one object of numbers, and the list of what does not hold."""

from proof import moves, spans

SERVICE_LEVEL_MS = 20000


def summarise(run):
    """run: see Outcome in __main__. The numbers come from the wire and the records; the switch's
    own counters appear only where nobody else can know."""
    calls, theirs = run.proof, run.switch_summary
    answered = [c for c in calls if c.talk_at]
    in_time = [c for c in answered if c.record.get("wait_ms", 1e9) <= SERVICE_LEVEL_MS]
    leaks = {kind: theirs.get("leaks", {}).get(kind) for kind in
             ("ports", "sessions", "mbufs", "contacts", "bpf_programs")}
    # Two witnesses for one fact: what the switch says, and what the machine shows.
    if theirs.get("kernel"):
        leaks["kernel_legs"] = theirs.get("leaks", {}).get("kernel_legs")
    for kind, count in run.left.items():
        leaks[kind] = max(leaks.get(kind) or 0, count)
    return {
        "calls_offered": run.offered,
        "calls_answered": len(answered),
        "calls_abandoned": sum(c.record.get("result") == "abandoned" for c in calls),
        "service_level_20": round(len(in_time) / run.offered, 4) if run.offered else 0.0,
        "rtp_relayed": sum(c.relayed for c in calls),
        "rtp_lost": sum(c.lost for c in calls),
        "rtp_foreign": sum(c.foreign for c in calls),
        "rtp_misnumbered": sum(c.misnumbered for c in calls),
        "rtp_plain": sum(c.plain for c in calls),
        "rtp_bad_checksums": sum(c.bad_checksums for c in calls),
        "relay": run.relay,
        "kernel": theirs.get("kernel"),
        "kernel_calls": moves(calls),
        "recordings": sum(c.recordings for c in calls),
        "recordings_verified": sum(c.recordings_correct for c in calls),
        "recordings_due": sum(len(spans(c)) for c in calls),
        "recordings_unnamed": len(run.unnamed),
        "recorded": {policy: sum(c.record_policy == policy and c.recordings > 0 for c in calls)
                     for policy in ("all", "none", "on_demand")},
        "wav_verified": sum(c.wavs_correct for c in calls),
        "dtmf_correct": sum(c.digits_correct for c in calls),
        "records_correct": sum(c.record_correct for c in calls),
        "hangups": {who: sum(c.ended_by == who for c in calls)
                    for who in ("caller", "agent", "switch")},
        "fell_through": fell_through(calls),
        "driver": theirs.get("driver"),
        "xdp_mode": theirs.get("xdp_mode"),
        "counters_add_up": theirs.get("counters_add_up"),
        "capture_dropped": run.capture_dropped,
        "huge_pages": run.huge_pages,
        "leaks": leaks,
        "seconds": round(run.seconds, 1),
    }


def fell_through(calls):
    """Calls that one agent let ring out and another agent took."""
    count = 0
    for call in calls:
        offers = call.record.get("offers", [])
        missed = {o["agent"] for o in offers if o["result"] == "timed_out"}
        took = {o["agent"] for o in offers if o["result"] == "accepted"}
        count += bool(missed and took and not took & missed)
    return count


def failures(summary, run):
    """What does not hold, in words; empty when everything does."""
    due = summary["recordings_due"]
    planned, impatient = len(run.customers), sum(c.rounds == 0 for c in run.customers)
    wrong = list(run.wrong)

    def hold(condition, text):
        if not condition:
            wrong.append(text)

    hold(summary["calls_answered"] >= planned - impatient,
         f"calls_answered is {summary['calls_answered']}, should be {planned - impatient}")
    hold(summary["calls_answered"] + summary["calls_abandoned"] == planned,
         "calls_answered and calls_abandoned do not add up to the calls")
    for name, want in (("calls_offered", planned), ("recordings", due),
                       ("recordings_verified", due), ("wav_verified", due),
                       ("recordings_unnamed", 0), ("rtp_misnumbered", 0),
                       ("dtmf_correct", planned), ("records_correct", planned),
                       ("rtp_lost", 0), ("rtp_foreign", 0), ("rtp_bad_checksums", 0),
                       ("capture_dropped", 0), ("counters_add_up", True)):
        hold(summary[name] == want and summary[name] is not None,
             f"{name} is {summary[name]}, should be {want}")
    hold(summary["rtp_relayed"] > 0 or planned == impatient, "no RTP was relayed")
    for kind, count in summary["leaks"].items():
        hold(count == 0, f"leaks.{kind} is {count}, should be 0")
    talked = planned - impatient
    if talked and any(a.misses for a in run.agents):
        hold(summary["fell_through"] > 0, "no call fell through from an agent who let it ring")
    if talked >= 2 * len(run.agents) > 2:
        for who in ("caller", "agent"):
            hold(summary["hangups"][who] > 0, f"no call was hung up by the {who}")
    return wrong + kernel_failures(summary, run)


def kernel_failures(summary, run):
    """What does not hold of the relay inside the kernel: it carries what it may, and nothing else."""
    kernel, wrong = summary["kernel"], []
    if run.relay == "worker" or (run.relay == "auto" and not kernel):
        return ["the kernel relays, though it was not to"] if kernel else []
    if not kernel:
        return ["the switch says nothing of a relay inside the kernel"]
    if summary["rtp_plain"] and not kernel["packets"]:
        wrong.append("the kernel has relayed nothing")
    if kernel["packets"] > summary["rtp_plain"]:
        wrong.append(f"the kernel has relayed {kernel['packets']} packets, of which only"
                     f" {summary['rtp_plain']} belong to no recording")
    if kernel["packets_dropped"]:
        wrong.append(f"the kernel has dropped {kernel['packets_dropped']} packets")
    if kernel["entered"] != kernel["left"]:
        wrong.append(f"legs were given to the kernel {kernel['entered']} times, and taken back"
                     f" {kernel['left']} times")
    for name, what in (("stayed", "no call that nothing is recorded of was there at its end"),
                       ("taken", "no call was there when its agent asked for a recording"),
                       ("back", "no call was there again after its recording")):
        did, could = summary["kernel_calls"][name]
        if could and not did:
            wrong.append(f"the kernel: {what}, of {could}")
    asked = sum(c.record_policy == "on_demand" and c.talk_at > 0 for c in run.proof)
    if asked > 2 and not summary["recorded"]["on_demand"]:
        wrong.append("no agent has asked for a recording")
    return wrong


def relayed_text(summary):
    kernel = summary["kernel"]
    if not kernel:
        return "by the worker alone"
    share = 100 * kernel["packets"] / max(1, summary["rtp_plain"])
    return (f"{kernel['packets']} packets inside the kernel, {share:.1f} % of the"
            f" {summary['rtp_plain']} that no recording needs; a leg went there"
            f" {kernel['entered']} times and came back {kernel['left']} times")


def moved_text(summary):
    """Of calls, by what their records say."""
    def of(name):
        did, could = summary["kernel_calls"][name]
        return f"{did} of {could}"
    return (f"at the end {of('stayed')} that are never recorded; {of('taken')} when the agent asked,"
            f" {of('back')} again after that")


def show(summary, wrong, work):
    s = summary
    rows = [
        ("calls", f"{s['calls_offered']} offered, {s['calls_answered']} answered,"
                  f" {s['calls_abandoned']} abandoned; service level (20 s)"
                  f" {100 * s['service_level_20']:.1f} %"),
        ("hung up", f"{s['hangups']['caller']} by the caller, {s['hangups']['agent']} by the"
                    f" agent; {s['fell_through']} fell through to a next agent"),
        ("RTP", f"{s['rtp_relayed']} packets relayed, {s['rtp_lost']} lost,"
                f" {s['rtp_foreign']} that nobody sent, {s['rtp_misnumbered']} out of sequence"),
        ("relayed", relayed_text(s)),
        *([("in kernel", moved_text(s))] if s["kernel"] else []),
        ("recordings", f"{s['recordings_verified']} of {s['recordings_due']} hold byte for byte what"
                       f" the phones sent; {s['wav_verified']} WAV files agree"),
        ("recorded", f"{s['recorded']['all']} calls whole, {s['recorded']['on_demand']} when the"
                     f" agent asked; of the others nothing is kept"),
        ("digits", f"{s['dtmf_correct']} of {s['calls_offered']} calls correct"),
        ("records", f"{s['records_correct']} of {s['calls_offered']} say what the wire says"),
        ("packets by", f"{s['driver']}, XDP {s['xdp_mode']}; counters"
                       f" {'add up' if s['counters_add_up'] else 'DO NOT add up'}"),
        ("left behind", ", ".join(f"{count} {kind}" for kind, count in s["leaks"].items()
                                  if count != 0) or "nothing"),
        ("time", f"{s['seconds']} s"),
    ]
    print()
    for name, text in rows:
        print(f"  {name:<12}{text}")
    print()
    if wrong:
        print(f"FAILED: {len(wrong)} {'thing does' if len(wrong) == 1 else 'things do'} not hold")
        for text in wrong[:30]:
            print(f"  - {text}")
        if len(wrong) > 30:
            print(f"  ... and {len(wrong) - 30} more")
        print(f"Logs, captures and recordings: {work}")
    else:
        print(f"Everything holds. Recordings, records and captures: {work}")
