"""Holdfast is reloaded, upgraded and killed while messages flow through a proxy's pool."""

import random
import time
from typing import NamedTuple

import kills
import verdict
from kills import INACTIVITY, kept, kill, loads, rest
from renewable import Fault, Renewable
from stage import Stage
from support.processes import wait_until

# So many sessions begin with each reload, which sends messages at this rate in all. They end with all others.
LATE, LATE_RATE = 20, 20
# How long after a step its effects on forwarding are looked for, in seconds.
AFTER = 1
# What happens, in this order.
STEPS = ("reload", "kill", "upgrade", "reload", "bad reload", "kill", "reload", "supervisor", "reload", "kill", "bad upgrade",
         "upgrade", "reload", "reload", "kill", "reload", "upgrade", "reload", "reload", "kill", "reload")
FEW_STEPS = ("reload", "kill", "supervisor in a reload", "bad reload", "supervisor", "bad upgrade", "upgrade", "reload")
# By when in a reload the supervisor is killed at the latest, in seconds: about when new workers serve.
RELOADING = 0.06


class Plan(NamedTuple):
    """`rate`: messages a second. `most`: the bound of the 99th percentile of forwarding during a reload in milliseconds;
    None for no bound."""
    sessions: int
    seconds: int
    steps: tuple
    rate: int
    workers: int
    warm_up: int
    most: float | None


def run(given, proxy, plan, say):
    """One run through nginx or HAProxy; what was counted, and what is wrong."""
    stage = Stage(given, plan.workers, proxy, INACTIVITY, Renewable)
    try:
        return Run(stage, plan, random.Random(given.seed), say).play()
    finally:
        stage.stop()


class Run:
    """One run."""

    def __init__(self, stage, plan, chance, say):
        self._holdfast, self._stage, self._plan, self._chance, self._say = stage.holdfast, stage, plan, chance, say
        self._running, self._faults = [], []
        # When workers were killed, and how many sessions they had.
        self._deaths, self._victims = [], []
        # By the kind of step: when each began, and when its effects on forwarding were over.
        self._spans = {}
        # Workers that are not killed, so that somebody still listens where the next generation does not.
        self._spared = set()
        self._most_workers = 0

    def play(self):
        """All of it; what was counted, and what is wrong."""
        stage, plan, holdfast = self._stage, self._plan, self._holdfast
        # What processes load, build or keep for any sessions at all is not counted as growth.
        self._warm_up()
        before = rest(stage)
        stage.proxy.start()
        supervisor, worker = before.pop(holdfast.pid), next(iter(before.values()))
        self._running = loads(stage, plan.sessions, plan.rate, plan.seconds, "--journal")
        for load in self._running:
            load.ready()
        counts = sorted(holdfast.sessions().values())
        self._faults += verdict.spread(counts)
        self._go_through(time.monotonic())
        reports = [load.report() for load in self._running]
        report = verdict.sums(reports)
        moves = holdfast.statistics()["http"]
        late = self._judge(report, moves)

        # The last generation serves as many sessions as the first one had served before.
        self._warm_up()
        wait_until(lambda: len(holdfast.workers()) == plan.workers, "the end of all old workers")
        after = rest(stage)
        leaks, grown = kept(holdfast, {holdfast.pid: supervisor}, worker, after)
        self._faults += [f"process {pid} is left" for pid in holdfast.processes() if pid not in after]
        self._faults += leaks + holdfast.end()
        return {**report, "victims": self._victims, "spread": counts, "moved": moves["moved_in"], "late": late,
                "grown": grown, "most_workers": self._most_workers, "p99_ms": max(each["p99_ms"] for each in reports),
                "max_ms": max(each["max_ms"] for each in reports)}, self._faults

    def _warm_up(self):
        for load in loads(self._stage, self._plan.sessions, self._plan.rate, self._plan.warm_up):
            load.report()

    def _judge(self, report, moves):
        """Notes what was wrong while messages flowed. By the kind of step: the slowest 99th percentile of forwarding."""
        events = [verdict.event(line) for load in self._running for line in load.journal]
        late = {kind: verdict.slowest(events, spans) for kind, spans in self._spans.items()}
        self._faults += verdict.traffic(report, self._victims) + verdict.misplaced(events, self._deaths)
        if self._plan.most is not None and late["reload"] >= self._plan.most:
            self._faults.append(f"the 99th percentile of forwarding during a reload was {late['reload']:.1f} ms")
        if moves["moves_refused"]:
            self._faults.append(f"{moves['moves_refused']} hand-overs were refused")
        return late

    # The steps

    def _go_through(self, began):
        steps = {"reload": self._reload, "kill": self._kill, "upgrade": self._holdfast.upgrade,
                 "bad reload": self._holdfast.fail_to_reload, "bad upgrade": self._holdfast.fail_to_upgrade,
                 "supervisor": self._holdfast.lose_supervisor,
                 "supervisor in a reload": lambda: self._holdfast.lose_supervisor(self._chance.uniform(0, RELOADING))}
        self._ends = began + self._plan.seconds
        for number, kind in enumerate(self._plan.steps):
            due = began + self._plan.seconds * (number + 0.5) / (len(self._plan.steps) + 0.5)
            time.sleep(max(0, due - time.monotonic()))
            start = time.monotonic()
            try:
                detail = steps[kind]() or ""
            except Fault as fault:
                self._faults.append(f"{kind}: {fault}")
                detail = f": {fault}"
            done = time.monotonic()
            self._spans.setdefault(kind, []).append((start, done + AFTER))
            workers = self._holdfast.workers()
            self._most_workers = max(self._most_workers, len(workers))
            self._say(f"    {start - began:5.1f} s: {kind}{detail}; {(done - start) * 1000:.0f} ms, {len(workers)} workers now")

    def _reload(self):
        new = self._holdfast.reload()
        port = None
        if self._holdfast.listens_twice:
            port = self._holdfast.second_port
            self._spared.add(min(new))
        seconds = max(1, int(self._ends - time.monotonic()) - 1)
        load = self._stage.load("--mode", "paced", "--sessions", LATE, "--rate", LATE_RATE, "--seconds", seconds,
                                "--sessions-may-end", "--journal", port=port)
        self._running.append(load)

    def _kill(self):
        sessions = {pid: count for pid, count in self._holdfast.sessions().items() if pid not in self._spared}
        # One that has many is likelier.
        (victim,) = self._chance.choices(list(sessions), list(sessions.values()))
        self._deaths.append(time.monotonic())
        self._victims.append(kill(self._holdfast, victim))
        return f" of a worker with {self._victims[-1]} sessions"


HEADINGS = ["through", "sessions, by worker", "most workers at once", "killed had", "sessions ended", "messages",
            "lost / doubled / out of order", "requests repeated: no response / 502 / 503 / 504", "most for one", "hand-overs",
            "p99 ms: at a reload / upgrade / new supervisor", "p99 / max ms of all", "growth at rest"]


def row(proxy, found):
    """Of the table that the command prints."""
    cells = kills.row(proxy, found)
    late = " / ".join(f"{found['late'][kind]:.1f}" for kind in ("reload", "upgrade", "supervisor"))
    return [*cells[:2], str(found["most_workers"]), *cells[2:9], late, *cells[9:]]
