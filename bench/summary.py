# SPDX-License-Identifier: BSD-3-Clause
"""From raw lines, a round each, to one result for each rival and metric."""
import os
import platform
import statistics
import subprocess


def group(lines):
    """The rounds of each (bench, rival, metric), in the order they came."""
    groups = {}
    for line in lines:
        if "round" in line:
            groups.setdefault((line["bench"], line["rival"], line["metric"]), []).append(line)
    return groups


def ratio_of(line):
    """How many times better ours is than theirs in this round."""
    better, worse = line["ours"], line["theirs"]
    if line["better"] == "lower":
        better, worse = worse, better
    return better / worse


def summarise(lines):
    """Medians and spread; remarks of the bench go with each of its results."""
    for (bench, rival, metric), rounds in group(lines).items():
        ratios = [ratio_of(line) for line in rounds]
        notes = [line["note"] for line in lines if line["bench"] == bench and "note" in line]
        result = {
            "bench": bench, "rival": rival, "metric": metric, "unit": rounds[0]["unit"],
            "better": rounds[0]["better"],
            "ours": significant(statistics.median(line["ours"] for line in rounds)),
            "theirs": significant(statistics.median(line["theirs"] for line in rounds)),
            "ratio": significant(statistics.median(ratios)),
            "ratio_min": significant(min(ratios)), "ratio_max": significant(max(ratios)),
            "rounds": len(rounds),
        }
        if notes:
            result["notes"] = list(dict.fromkeys(notes))
        yield result


def significant(number):
    return float(f"{number:.4g}")


def describe_machine(root):
    """What stands beside each figure: the machine and the commit."""
    model = platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    machine = f"{model}, {os.cpu_count()} CPUs, Linux {platform.release()}"
    return {"machine": machine, "commit": describe_commit(root)}


def describe_commit(root):
    """The commit's short name, with '+' when the tree differs from it; 'none' outside of git."""
    git = ["git", "-c", f"safe.directory={root}", "-C", root]
    try:
        name = subprocess.run(git + ["rev-parse", "--short", "HEAD"], check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.strip()
        differs = subprocess.run(git + ["status", "--porcelain"], check=True, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return name + ("+" if differs else "")
