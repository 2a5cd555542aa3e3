"""Workers are killed while messages flow through a proxy's pool."""

import os
import random
import signal
import time
from typing import NamedTuple

import inspection
import verdict
from stage import Stage
from support.processes import wait_until

# How long sessions are looked for that have to end by themselves, in seconds: those whose creation was repeated.
PATIENCE, INACTIVITY = 60, 10


class Plan(NamedTuple):
    """`rate`: messages a second. The sessions are halved: one half sends to itself, the other half in a ring."""
    sessions: int
    seconds: int
    kills: int
    rate: int
    workers: int
    warm_up: int


def loads(stage, sessions, rate, seconds, *others):
    """The two load generators. `others`: arguments of both."""
    half = sessions // 2
    common = ["--mode", "paced", "--sessions", half, "--rate", rate // 2, "--seconds", seconds, "--sessions-may-end", *others]
    return [stage.load(*common, "--to", "self"), stage.load(*common, "--to", "next")]


def rest(stage):
    """Ends the proxy, whose connections are not counted, and waits until no session is left; then each process at rest."""
    holdfast = stage.holdfast
    stage.proxy.stop()
    wait_until(lambda: not sum(holdfast.sessions().values()), "the end of all sessions", PATIENCE)
    # Descriptors on their way between workers, and buffers that are given back after a while.
    time.sleep(3)
    return {pid: holdfast.at_rest(pid) for pid in holdfast.pids()}


def kill(holdfast, victim):
    """Kills a worker; how many sessions it had."""
    had = inspection.streams([victim], holdfast.upstream)[victim]
    os.kill(victim, signal.SIGKILL)
    return had


def kept(holdfast, before, any_worker, after):
    """What processes at rest have kept, in words, and by how many bytes one has grown at most. `any_worker`: with what a
    worker is compared that was not there before."""
    faults, grown = [], []
    for pid, process in after.items():
        name = "the supervisor" if pid == holdfast.pid else f"worker {pid}"
        earlier = before.get(pid, any_worker)
        faults += verdict.at_rest(name, earlier, process)
        grown.append(process.memory - earlier.memory)
    return faults + [f"process {pid} was not waited for" for pid in inspection.zombies(holdfast.pid)], max(grown)


def run(given, proxy, plan, say):
    """One run through nginx or HAProxy; what was counted, and what is wrong."""
    stage = Stage(given, plan.workers, proxy, INACTIVITY)
    try:
        return play(stage, plan, random.Random(given.seed), say)
    finally:
        stage.stop()


def play(stage, plan, chance, say):
    holdfast = stage.holdfast
    # What processes load, build or keep for any sessions at all is not counted as growth.
    for load in loads(stage, plan.sessions, plan.rate, plan.warm_up):
        load.report()
    before = rest(stage)
    stage.proxy.start()
    first = set(holdfast.workers())

    running = loads(stage, plan.sessions, plan.rate, plan.seconds)
    for load in running:
        load.ready()
    counts = sorted(holdfast.sessions().values())
    faults = verdict.spread(counts)
    began, victims = time.monotonic(), []
    # One worker is spared, so that its descriptors and memory can be compared.
    spared = chance.choice(sorted(first))
    for number in range(plan.kills):
        due = began + plan.seconds * (number + 0.5) / (plan.kills + 0.5)
        time.sleep(max(0, due - time.monotonic()))
        wait_until(lambda: len(holdfast.workers()) == plan.workers, "another worker in place of the dead one")
        victim = chance.choice([pid for pid in holdfast.workers() if plan.workers == 1 or pid != spared])
        victims.append(kill(holdfast, victim))
        say(f"    {time.monotonic() - began:5.1f} s: killed a worker with {victims[-1]} sessions")
    reports = [load.report() for load in running]
    report = verdict.sums(reports)
    faults += verdict.traffic(report, victims)

    moves = holdfast.statistics()["http"]
    if moves["moves_refused"]:
        faults.append(f"{moves['moves_refused']} hand-overs were refused")
    after = rest(stage)
    if len(holdfast.workers()) != plan.workers:
        faults.append(f"{len(holdfast.workers())} workers at the end")
    leaks, grown = kept(holdfast, before, before[spared], after)
    faults += leaks + holdfast.end()
    return {**report, "victims": victims, "spread": counts, "grown": grown, "moved": moves["moved_in"],
            "p99_ms": max(each["p99_ms"] for each in reports), "max_ms": max(each["max_ms"] for each in reports)}, faults


HEADINGS = ["through", "sessions, by worker", "killed had", "sessions ended", "messages", "lost / doubled / out of order",
            "requests repeated: no response / 502 / 503 / 504", "most for one", "hand-overs", "p99 / max ms", "growth at rest"]


def row(proxy, found):
    """Of the table that the command prints."""
    def counted(*names):
        return " / ".join(str(found[name]) for name in names)
    return [proxy, "+".join(map(str, found["spread"])), "+".join(map(str, found["victims"])), str(found["ended_sessions"]),
            str(found["received"] + found["ended_received"]), counted("lost", "doubled", "out_of_order"),
            counted("connection_losses", "repeats_502", "repeats_503", "repeats_504"), counted("most_repeats_in_turn"),
            str(found["moved"]), f"{found['p99_ms']:.1f} / {found['max_ms']:.1f}", f"{found['grown'] / 1024:.0f} KiB"]
