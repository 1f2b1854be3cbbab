#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the Spin models of the engine to completion, and their mutations to an error.

  models_test.py MODEL...    the models' files

A model passes when Spin has visited every state without an error; a mutation (a -DMUTATE_... that the
model's opening comment names) passes when Spin finds an error. STW_SOAK=1 takes the larger sizes, which
need up to 10 GB of memory and some minutes.
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import time

SOAK = bool(os.environ.get("STW_SOAK"))
MEMORY_MB = 12000 if SOAK else 3000
DEPTH_MAX = 1000000

# Sizes by model: always, and for the soak.
SIZES = {
    "claim": ([["-DOPS_OTHERS=1"], ["-DOPS=1", "-DOPS_OTHERS=2"]], [[]]),
    "ring": ([["-DCALLS"], ["-DBEGUN", "-DSTOP=0"]], [[], ["-DBEGUN"]]),
    "seats": ([[], ["-DSEATS=2"], ["-DGROW"]], []),
    "tree": ([["-DSEARCHES=1"]], [["-DSEARCHES=2"], ["-DSEARCHES=1", "-DTWO"]]),
}


def build(model, defines, folder):
    """The verifier of a model as a program. Its one huge function takes gcc minutes to optimise."""
    subprocess.run(["spin", "-a", *defines, os.path.abspath(model)], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["gcc", "-O0", "-w", "-DSAFETY", "-DCOLLAPSE", f"-DMEMLIM={MEMORY_MB}",
                    "-o", "pan", "pan.c"], cwd=folder, check=True)


def verify(model, defines):
    """How many errors Spin found (at most one is looked for), the number of states, whether it saw all."""
    with tempfile.TemporaryDirectory(prefix="stw-model-") as folder:
        build(model, defines, folder)
        text = subprocess.run(["./pan", f"-m{DEPTH_MAX}"], cwd=folder, check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    errors = re.search(r"errors: (\d+)", text)
    states = re.search(r"([0-9.e+]+) states, stored", text)
    whole = not re.search(r"Search not completed|out of memory|max search depth too small", text)
    if not errors or not states:
        return None, 0, False
    return int(errors.group(1)), float(states.group(1)), whole


def mutations(model):
    """The mutations that a model knows."""
    with open(model, encoding="utf-8") as file:
        return sorted(set(re.findall(r"^#ifn?def (MUTATE_\w+)", file.read(), re.MULTILINE)))


def cases(model):
    """What to do with a model: defines, and whether an error is wanted."""
    small, large = SIZES.get(os.path.basename(model).split(".")[0], ([[]], []))
    for defines in small + (large if SOAK else []):
        yield defines, False
    for mutation in mutations(model):
        yield small[0] + ["-D" + mutation], True


def judge(case):
    """Whether Spin said of a case what is wanted, and the line about it."""
    model, defines, wanted = case
    began = time.monotonic()
    errors, states, whole = verify(model, defines)
    good = errors == 1 if wanted else errors == 0 and whole
    found = "an error" if errors else "no error" if errors == 0 else "did not run"
    return good, (f"{'ok  ' if good else 'FAIL'} {os.path.basename(model)} {' '.join(defines)}: {found}"
                  f"{'' if wanted or whole else ', not all states'}, {states:.0f} states, "
                  f"{time.monotonic() - began:.1f} s")


def main():
    """Ends with the line that tests/run counts. As many at one time as there are CPUs; large ones fill the memory."""
    tested = failing = 0
    todo = [(model, *case) for model in sys.argv[1:] for case in cases(model)]
    with concurrent.futures.ThreadPoolExecutor(1 if SOAK else os.cpu_count()) as pool:
        for good, line in pool.map(judge, todo):
            tested += 1
            failing += not good
            print(line, flush=True)
    print(f"[====] Synthesis: Tested: {tested} | Passing: {tested - failing} | "
          f"Failing: {failing} | Crashing: 0 ", flush=True)
    sys.exit(1 if failing or not tested else 0)


if __name__ == "__main__":
    main()
