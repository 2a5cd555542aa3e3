#!/usr/bin/env python3
"""Measures Holdfast beside the servers' own BOSH and WebSocket and nginx: what `deploy/bench --peers` runs."""

import argparse
import json
import os
import platform
import resource
import signal
import sys
import time

import document
import figures
import loads
import tables
import targets
from support import processes

# What of a core other work may have, for figures to keep.
QUIET = 0.2


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="deploy/bench --peers", description=__doc__)
    parser.add_argument("--holdfast", required=True, metavar="BINARY")
    parser.add_argument("--bench", required=True, metavar="BINARY", help="holdfast-bench")
    parser.add_argument("--rounds", type=int, default=5, help="how often each load is put on each target (5)")
    parser.add_argument("--seconds", type=int, default=10, help="how long messages flow in each (10)")
    parser.add_argument("--loads", default=",".join(loads.LOADS), help="which of " + ", ".join(loads.LOADS))
    parser.add_argument("--doors", default=",".join(targets.DOORS), help="which of " + ", ".join(targets.DOORS))
    parser.add_argument("--json", metavar="FILE", help="also keep all figures there")
    parser.add_argument("--write", action="store_true", help="put the figures into README.md and docs/")
    given = parser.parse_args()
    for option, known in (("loads", loads.LOADS), ("doors", targets.DOORS)):
        wanted = getattr(given, option).split(",")
        setattr(given, option, wanted)
        for word in wanted:
            if word not in known:
                parser.error(f"--{option}: '{word}' is none of {', '.join(known)}")
    if given.rounds < 1 or given.seconds < 1:
        parser.error("--rounds and --seconds: 1 or more")
    everything = set(given.loads) == set(loads.LOADS) and set(given.doors) == set(targets.DOORS)
    if given.write and (given.rounds < 5 or not everything):
        parser.error("--write: figures to keep have five rounds or more, all loads and all doors")
    return given


def order(load, number, doors=targets.DOORS):
    """The targets of a load in round `number`: each round begins with another, so that none is always the first."""
    known = targets.TARGETS + targets.WEBSOCKET_TARGETS + (targets.TLS_TARGETS if load == "idle" else [])
    chosen = [target for target in known
              if target.door in doors and (target.door == targets.BOSH or load not in loads.BOSH_LOADS)]
    first = number % max(len(chosen), 1)
    return chosen[first:] + chosen[:first]


def measure(load, target, given, plan):
    stage = targets.Stage(target, given.bench)
    try:
        return loads.run(load, stage, given.bench, plan)
    finally:
        stage.stop()


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "unknown processor")
    return {"processor": model, "cores": os.cpu_count(), "kernel": platform.release().partition("-")[0]}


def sit(given):
    """All rounds."""
    plan = loads.Plan(given.rounds, given.seconds)
    sitting = {"when": time.strftime("%Y-%m-%d", time.gmtime()), "versions": targets.versions(given.holdfast), **machine(),
               "plan": plan._asdict(), "runs": [], "failed": []}
    for number in range(plan.rounds):
        for load in given.loads:
            for target in order(load, number, given.doors):
                name = f"round {number + 1}  {load:6}  {target.name:27}"
                try:
                    run = measure(load, target, given, plan)
                except (AssertionError, RuntimeError) as error:  # it did not start, or nobody could log in
                    sitting["failed"].append(name)
                    print(f"{name}  FAILED: {error}", file=sys.stderr, flush=True)
                    continue
                sitting["runs"].append({"round": number, "load": load, "target": target.name, **run})
                used = ", ".join(f"{part} {seconds:.2f} s" for part, seconds in run["processor"].items())
                print(f"{name}  {used}", file=sys.stderr, flush=True)
    return sitting


def main():
    given = arguments()
    targets.gateway.binary = os.path.abspath(given.holdfast)
    given.bench = os.path.abspath(given.bench)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sitting = sit(given)
    except KeyboardInterrupt:
        return 130
    finally:
        processes.clean_up()
    kept = json.dumps(sitting, indent=1) + "\n"
    if not sitting["runs"]:
        return 1
    for path in [given.json] * bool(given.json) + [document.SITTING] * given.write:
        with open(path, "w", encoding="utf-8") as file:
            file.write(kept)
    print(tables.report(sitting))
    if given.write:
        document.main([])
    if figures.others(sitting) > QUIET:
        print(f"other work had {figures.others(sitting) * 100:.0f} % of a core: these figures are not for keeping", file=sys.stderr)
    found = figures.faults(sitting, [target.name for target in targets.TARGETS + targets.WEBSOCKET_TARGETS + targets.TLS_TARGETS
                                     if target.manager == targets.HOLDFAST])
    for words in found:
        print(words, file=sys.stderr)
    return 1 if found or sitting["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
