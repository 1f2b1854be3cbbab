# SPDX-License-Identifier: BSD-3-Clause
"""The verdict: one object of numbers, and the list of what does not hold."""

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
        "rtp_bad_checksums": sum(c.bad_checksums for c in calls),
        "recordings": sum(bool(c.record.get("recording")) for c in calls),
        "recordings_verified": sum(c.recording_correct for c in calls),
        "wav_verified": sum(c.wav_correct for c in calls),
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
    planned, impatient = len(run.customers), sum(c.rounds == 0 for c in run.customers)
    wrong = list(run.wrong)

    def hold(condition, text):
        if not condition:
            wrong.append(text)

    hold(summary["calls_answered"] >= planned - impatient,
         f"calls_answered is {summary['calls_answered']}, should be {planned - impatient}")
    hold(summary["calls_answered"] + summary["calls_abandoned"] == planned,
         "calls_answered and calls_abandoned do not add up to the calls")
    for name, want in (("calls_offered", planned), ("recordings", planned),
                       ("recordings_verified", planned), ("wav_verified", planned),
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
    return wrong


def show(summary, wrong, work):
    s = summary
    rows = [
        ("calls", f"{s['calls_offered']} offered, {s['calls_answered']} answered,"
                  f" {s['calls_abandoned']} abandoned; service level (20 s)"
                  f" {100 * s['service_level_20']:.1f} %"),
        ("hung up", f"{s['hangups']['caller']} by the caller, {s['hangups']['agent']} by the"
                    f" agent; {s['fell_through']} fell through to a next agent"),
        ("RTP", f"{s['rtp_relayed']} packets relayed, {s['rtp_lost']} lost,"
                f" {s['rtp_foreign']} that nobody sent"),
        ("recordings", f"{s['recordings_verified']} of {s['recordings']} hold byte for byte what"
                       f" the phones sent; {s['wav_verified']} WAV files agree"),
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
