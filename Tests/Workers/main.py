#!/usr/bin/env python3
"""Proves over sockets what several workers promise, and measures what they cost; `deploy/workers` calls it."""

import argparse
import os
import random
import resource
import signal
import sys

import stage  # noqa: F401, sets the path of the modules below
import idle
import kills
import speed
from support.processes import clean_up
from tables import aligned


def say(text):
    print(text, flush=True)


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="deploy/workers", description=__doc__)
    parser.add_argument("--holdfast", required=True, metavar="BINARY")
    parser.add_argument("--bench", required=True, metavar="BINARY", help="holdfast-bench")
    parser.add_argument("--short", action="store_true", help="300 sessions, 10 s, two kills, nginx only")
    parser.add_argument("--speed", action="store_true", help="processor time of a message and of a hand-over")
    parser.add_argument("--sessions", type=int, metavar="N", help="memory of so many idle sessions")
    parser.add_argument("--workers", type=int, metavar="N", help="how many (3; 2 with --speed and --sessions)")
    parser.add_argument("--proxy", choices=("nginx", "haproxy"), help="only this one")
    parser.add_argument("--seconds", type=int, metavar="S", help="how long messages flow")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of --speed (5)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="chooses the workers that are killed")
    return parser.parse_args()


def kill_workers(given):
    """The proof; the exit status."""
    if given.short:
        plan = kills.Plan(sessions=300, seconds=given.seconds or 10, kills=2, rate=300, workers=given.workers or 3, warm_up=2)
    else:
        plan = kills.Plan(sessions=2000, seconds=given.seconds or 120, kills=5, rate=600, workers=given.workers or 3, warm_up=10)
    proxies = [given.proxy] if given.proxy else ["nginx"] if given.short else ["nginx", "haproxy"]
    rows, failed = [kills.HEADINGS], False
    say(f"{plan.sessions} sessions on {plan.workers} workers, {plan.kills} of which are killed within {plan.seconds} s; "
        f"--seed {given.seed}")
    for proxy in proxies:
        say(f"  through {proxy} ...")
        found, faults = kills.run(given, proxy, plan, say)
        rows.append(kills.row(proxy, found))
        for fault in faults:
            say(f"  FAILED: {fault}")
            failed = True
    say("\n" + aligned(rows))
    say("\nfailed" if failed else "\nNothing was lost, doubled, reordered or left.")
    return 1 if failed else 0


def main():
    given = arguments()
    given.holdfast, given.bench = os.path.abspath(given.holdfast), os.path.abspath(given.bench)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if given.speed:
            return speed.run(given, say)
        if given.sessions:
            return idle.run(given, say)
        return kill_workers(given)
    except KeyboardInterrupt:
        return 130
    finally:
        clean_up()


if __name__ == "__main__":
    sys.exit(main())
