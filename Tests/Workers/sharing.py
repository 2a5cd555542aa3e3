"""What it costs that two workers share all sessions, and what it brings.

Two halves of the sessions go over a port of nginx each, and what stands behind the ports is one Holdfast with one worker, a
Holdfast with one worker for each half, or one with two workers that share all sessions. The other processes are the same. So the
second case shows what any two processes cost this machine in place of one, and the third what the sharing costs besides."""

import time
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from loads import processor
from quota import Quota
from stage import Holdfast, Load, Proxy
from support.processes import Scratch
from tables import aligned
from targets import NullServer

# What a message may cost over two workers that share all sessions and get a part of a core each, in units of what it costs with one.
MOST = 1.1
# How many times as many messages they have to carry.
LEAST = 1.8
SESSIONS = 100
# The part of a core for each worker that is to be the only bound: the other processes have the rest of two cores. With less of a
# core a worker begins each of its short turns with cold caches, which a worker that has a core does not.
SHARE = 0.25


class Case(NamedTuple):
    name: str
    holdfasts: int
    workers: int


ONE = Case("one worker", 1, 1)
APART = Case("two that share nothing", 2, 1)
TOGETHER = Case("two that share all", 1, 2)
CASES = (ONE, APART, TOGETHER)


class Found(NamedTuple):
    """Microseconds of processor time a message, messages a second, and hand-overs a message."""
    cost: float
    rate: float
    moved: float


def measure(given, case, seconds, share=None):
    """One case in a closed loop. `share`: the part of a core that each worker gets; None for all of it."""
    with ExitStack() as stack:
        def start(thing):
            stack.callback(thing.stop)
            return thing
        scratches = [start(Scratch()) for _ in range(case.holdfasts + 1)]
        given_scratch = scratches[0]
        server = start(NullServer(given_scratch.sub("null"), given.bench))
        holdfasts = [start(Holdfast(given.holdfast, scratch, server.plain_port, case.workers, 60)) for scratch in scratches[1:]]
        proxy = start(Proxy("nginx", given_scratch.sub("nginx"), holdfasts[0].port, holdfasts[-1].port))
        if share:
            workers = [pid for holdfast in holdfasts for pid in holdfast.workers()]
            stack.callback(Quota(workers, share).lift)
        loads = [Load(given, given_scratch, port, "--mode", "closed", "--sessions", SESSIONS // 2, "--seconds", seconds)
                 for port in proxy.ports]
        for load in loads:
            load.ready()
        time.sleep(0.5)

        def used():
            return sum(processor(pid) for holdfast in holdfasts for pid in holdfast.pids())

        def moved():
            return sum(holdfast.statistics()["http"]["moved_in"] for holdfast in holdfasts)
        before, moved_before = used(), moved()
        for load in loads:
            load.done()
        spent, went = used() - before, moved() - moved_before
        reports = [load.report() for load in loads]
        for report in reports:
            if report["lost"] or report["doubled"] or report["out_of_order"] or report["failed_sessions"]:
                raise AssertionError(f"messages went wrong: {report}")
        messages = sum(report["received"] for report in reports)
        return Found(spent / messages * 1e6, sum(report["messages_per_second"] for report in reports), went / messages)


def rounds(given, count, seconds, say, share=None):
    """All cases in each round; the order changes, so that no case always comes first."""
    found = []
    for number in range(count):
        order = CASES if number % 2 == 0 else CASES[::-1]
        by_case = {case: measure(given, case, seconds, share) for case in order}
        found.append([by_case[case] for case in CASES])
        say(f"round {number + 1}: " + ", ".join(f"{each.cost:.1f} us {each.rate:.0f}/s" for each in found[-1]))
    return found


def ratio(found, above, below, of):
    """The median of the rounds' ratios of one case to another."""
    places = CASES.index(above), CASES.index(below)
    return median(of(each[places[0]]) / of(each[places[1]]) for each in found)


def table(found):
    """One row a case, with the medians of all rounds."""
    rows = [["", "processor time of a message", "x one worker", "messages/s", "x one worker", "hand-overs a message"]]
    for place, case in enumerate(CASES):
        each = [row[place] for row in found]
        rows.append([case.name, f"{median(one.cost for one in each):.1f} us", f"{ratio(found, case, ONE, lambda one: one.cost):.2f}",
                     f"{median(one.rate for one in each):.0f}", f"{ratio(found, case, ONE, lambda one: one.rate):.2f}",
                     f"{median(one.moved for one in each):.2f}"])
    return rows
