#!/usr/bin/env python3
"""Proves over sockets what several workers promise, and measures what they cost; `deploy/workers` calls it."""

import sys

import command
import idle
import kills
import speed


def arguments():
    """The command line."""
    parser = command.parser("deploy/workers", __doc__, "300 sessions, 10 s, two kills, nginx only")
    parser.add_argument("--speed", action="store_true", help="what a second worker costs and brings, and what a hand-over takes")
    parser.add_argument("--sessions", type=int, metavar="N", help="memory of so many idle sessions")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of --speed (5)")
    return parser.parse_args()


def act(given):
    """The exit status."""
    if given.speed:
        return speed.run(given, command.say)
    if given.sessions:
        return idle.run(given, command.say)
    if given.short:
        plan = kills.Plan(sessions=300, seconds=given.seconds or 10, kills=2, rate=300, workers=given.workers or 3, warm_up=2)
    else:
        plan = kills.Plan(sessions=2000, seconds=given.seconds or 120, kills=5, rate=600, workers=given.workers or 3, warm_up=10)
    command.say(f"{plan.sessions} sessions on {plan.workers} workers, {plan.kills} of which are killed within {plan.seconds} s; "
                f"--seed {given.seed}")
    return command.prove(given, kills, plan, "Nothing was lost, doubled, reordered or left.")


if __name__ == "__main__":
    sys.exit(command.main(arguments(), act))
