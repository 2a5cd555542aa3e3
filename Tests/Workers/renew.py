#!/usr/bin/env python3
"""Proves over sockets that sessions survive reloads, upgrades and the supervisor's death; `deploy/renewals` calls it."""

import sys

import command
import renewals


def act(given):
    """The exit status."""
    workers = given.workers or 3
    if given.short:
        plan = renewals.Plan(sessions=300, seconds=given.seconds or 17, steps=renewals.FEW_STEPS, rate=300, workers=workers,
                             warm_up=2, most=None)
    else:
        plan = renewals.Plan(sessions=2000, seconds=given.seconds or 120, steps=renewals.STEPS, rate=600, workers=workers,
                             warm_up=10, most=50)
    command.say(f"{plan.sessions} sessions on {plan.workers} workers, {len(plan.steps)} changes within {plan.seconds} s; "
                f"--seed {given.seed}")
    return command.prove(given, renewals, plan, "Nothing was lost, doubled, reordered, refused or left.")


if __name__ == "__main__":
    short = "300 sessions, 17 s, few changes, nginx only, no bound of the time of forwarding"
    sys.exit(command.main(command.parser("deploy/renewals", __doc__, short).parse_args(), act))
