"""Memory of many idle sessions over several workers."""

import time

import inspection
import verdict
from stage import Stage
from tables import aligned

# Buffers of the log-ins are given back by then, in seconds.
SETTLED = 8
KIB, MIB = 1 << 10, 1 << 20
# What one load generator has: it needs two descriptors for each when sessions end.
MOST = 6000


def parts(wanted):
    """How many sessions each of the load generators has."""
    count = -(-wanted // MOST)
    return [(wanted + number) // count for number in range(count)]


def run(given, say):
    """Prints the table; the exit status."""
    wanted = given.sessions
    stage = Stage(given, given.workers or 2)
    try:
        holdfast = stage.holdfast
        # What the first sessions of a worker make it load or build belongs to none of them.
        stage.load("--mode", "idle", "--seconds", 0, "--sessions", 100).report()
        time.sleep(3)
        before = {pid: inspection.memory(pid) for pid in holdfast.pids()}
        say(f"{wanted} idle sessions on {len(holdfast.workers())} workers ...")
        loads = [stage.load("--mode", "idle", "--seconds", 0, "--sessions", count) for count in parts(wanted)]
        ready = sum(load.ready() for load in loads)
        time.sleep(SETTLED)
        after = {pid: inspection.memory(pid) for pid in holdfast.pids()}
        sessions = holdfast.sessions()
        # One after the other: a session that ends needs another port of this machine for its second connection.
        report = verdict.sums([load.report() for load in loads])
        faults = verdict.spread(list(sessions.values())) + [f"{name} {report[name]}" for name in verdict.FAULTS if report[name]]
        if ready != wanted:
            faults.append(f"{ready} sessions logged in")
        faults += holdfast.end()
        say(aligned(table(holdfast.pid, sessions, before, after)))
        for fault in faults:
            say(f"FAILED: {fault}")
        return 1 if faults else 0
    finally:
        stage.stop()


def table(supervisor, sessions, before, after):
    """One row a process, and their sum. Memory as (resident, its own)."""
    rows = [["process", "sessions", "resident", "its own", "its own, a session"]]
    for number, (pid, (resident, own)) in enumerate(after.items()):
        name = "supervisor" if pid == supervisor and len(after) > 1 else f"worker {number}"
        rows.append([name, *cells(sessions.get(pid, 0), resident, own, before[pid][1])])
    rows.append(["all", *cells(sum(sessions.values()), sum(each[0] for each in after.values()),
                               sum(each[1] for each in after.values()), sum(each[1] for each in before.values()))])
    return rows


def cells(count, resident, own, own_before):
    each = f"{(own - own_before) / count / KIB:.2f} KiB" if count else "-"
    return [str(count), f"{resident / MIB:.1f} MiB", f"{own / MIB:.1f} MiB", each]
