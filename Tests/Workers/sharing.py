"""What it costs that two workers share all sessions, and what it brings.

Two halves of the sessions go over a port of nginx each, and what stands behind the ports is one Holdfast with one worker, a
Holdfast with one worker for each half, or one with two workers that share all sessions. The other processes are the same. So the
second case shows what any two processes cost this machine in place of one, and the third what the sharing costs besides.

The speed of a machine changes from minute to minute. So the processes of all cases live at the same time, and the cases take
turns of a second, in which only the clients of one case send; those of the others stand still.

nginx keeps as many idle connections as there are sessions. With fewer it opens and closes many, how many depends on the case, and they
cost more than hand-overs do."""

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
# Seconds that the clients of a case send in a turn, and that the other processes get to answer the last requests.
TURN, REST = 1.0, 0.15


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


class Counts(NamedTuple):
    """What the processes of a case have done in its turns: seconds of processor time, messages, seconds, and hand-overs."""
    used: float = 0
    messages: int = 0
    seconds: float = 0
    moved: int = 0

    def plus(self, other):
        return Counts(*map(sum, zip(self, other)))

    def minus(self, other):
        return Counts(*(one - less for one, less in zip(self, other)))

    def found(self):
        return Found(self.used / self.messages * 1e6, self.messages / self.seconds, self.moved / self.messages)


class Running:
    """The processes of a case, whose clients send only in their turns."""

    def __init__(self, given, case):
        with ExitStack() as stack:
            def start(thing):
                stack.callback(thing.stop)
                return thing
            scratches = [Scratch() for _ in range(case.holdfasts + 1)]
            for each in scratches:
                stack.callback(each.remove)
            server = start(NullServer(scratches[0].sub("null"), given.bench))
            self._holdfasts = [start(Holdfast(given.holdfast, scratch, server.plain_port, case.workers, 60))
                               for scratch in scratches[1:]]
            proxy = start(Proxy("nginx", scratches[0].sub("nginx"), self._holdfasts[0].port, self._holdfasts[-1].port,
                                pool=2 * SESSIONS))
            self._loads = []
            # One after the other: sessions that begin at the same time over two ports are not mixed evenly, because new ones go
            # to the workers in turn. Then each port would have a worker of its own, and hardly any request would go elsewhere.
            for port in proxy.ports:
                load = Load(given, scratches[0], port, "--mode", "closed", "--sessions", SESSIONS // 2, "--seconds", 86_400)
                stack.callback(load.child.stop)
                self._loads.append(load)
                load.ready()
            time.sleep(1.5)
            self._rest()
            self._stack = stack.pop_all()

    def bound(self, share):
        """Gives each worker a part of a core from now on."""
        workers = [pid for holdfast in self._holdfasts for pid in holdfast.workers()]
        self._stack.callback(Quota(workers, share).lift)

    def turn(self):
        """Lets the clients send for a turn."""
        counts, used = self._counts(), self._used()
        began = time.monotonic()
        for load in self._loads:
            load.go_on()
        time.sleep(TURN)
        seconds = time.monotonic() - began
        self._rest()
        # Before the numbers are asked for, because the answers take processor time too.
        used = self._used() - used
        return self._counts().minus(counts)._replace(used=used, seconds=seconds)

    def end(self):
        """Fails if a message went wrong."""
        for load in self._loads:
            load.go_on()
            load.child.process.terminate()
        for load in self._loads:
            load.done()
            report = load.report()
            if report["lost"] or report["doubled"] or report["out_of_order"] or report["failed_sessions"]:
                raise AssertionError(f"messages went wrong: {report}")

    def stop(self):
        self._stack.close()

    def _rest(self):
        for load in self._loads:
            load.pause()
        time.sleep(REST)

    def _used(self):
        return sum(processor(pid) for holdfast in self._holdfasts for pid in holdfast.pids())

    def _counts(self):
        answers = [holdfast.statistics() for holdfast in self._holdfasts]
        return Counts(messages=sum(answer["upstream"]["stanzas_in"] for answer in answers),
                      moved=sum(answer["http"]["moved_in"] for answer in answers))


def measure(given, turns, shares):
    """All cases, with processes of their own: by share of a core for each worker (None for all of it), what was found by case."""
    with ExitStack() as stack:
        running = []
        for case in CASES:
            running.append(Running(given, case))
            stack.callback(running[-1].stop)
        by_share = []
        for share in shares:
            if share:
                for each in running:
                    each.bound(share)
            totals = [Counts()] * len(CASES)
            for number in range(turns):
                # The order changes, so that no case always comes first.
                for place in range(len(CASES)) if number % 2 == 0 else reversed(range(len(CASES))):
                    totals[place] = totals[place].plus(running[place].turn())
            by_share.append([total.found() for total in totals])
        for each in running:
            each.end()
        return by_share


def rounds(given, count, turns, say, shares):
    """Each round has processes of its own. By share, the rounds."""
    found = []
    for number in range(count):
        found.append(measure(given, turns, shares))
        for share, each in zip(shares, found[-1]):
            say(f"round {number + 1}, {f'{share:.0%} of a core each' if share else 'all cores'}: "
                + ", ".join(f"{one.cost:.1f} us {one.rate:.0f}/s" for one in each))
    return [list(each) for each in zip(*found)]


def ratio(found, above, below, of):
    """The median of the rounds' ratios of one case to another."""
    places = CASES.index(above), CASES.index(below)
    return median(of(each[places[0]]) / of(each[places[1]]) for each in found)


def handover(found):
    """Microseconds of a hand-over between workers at work: what two that share all need beyond two that share nothing."""
    apart, together = CASES.index(APART), CASES.index(TOGETHER)
    return median((each[together].cost - each[apart].cost) / each[together].moved for each in found)


def table(found):
    """One row a case, with the medians of all rounds."""
    rows = [["", "processor time of a message", "x one worker", "messages/s", "x one worker", "hand-overs a message"]]
    for place, case in enumerate(CASES):
        each = [row[place] for row in found]
        rows.append([case.name, f"{median(one.cost for one in each):.1f} us", f"{ratio(found, case, ONE, lambda one: one.cost):.2f}",
                     f"{median(one.rate for one in each):.0f}", f"{ratio(found, case, ONE, lambda one: one.rate):.2f}",
                     f"{median(one.moved for one in each):.2f}"])
    return rows
