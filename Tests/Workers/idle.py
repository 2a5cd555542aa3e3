"""Memory of many idle sessions over several workers."""

import functools
import time

import inspection
import verdict
from stage import Holdfast, Stage
from support.processes import Scratch, free_ports
from tables import aligned
from targets import NullServer

# Buffers of the log-ins are given back by then, in seconds.
SETTLED = 8
KIB, MIB = 1 << 10, 1 << 20
# What one load generator has. Its sessions end in the same moment, each over a second connection, and then the workers need room for
# as many descriptors more; who finds none gets 503.
MOST = 1000
# What goes through one listener to one null server: the server has a descriptor for each, and each connection to one address and
# port takes a port of this machine.
SERVED = 18_000


class Wide(Holdfast):
    """Holdfast before several null servers, with as many listeners. `others`: the ports of all null servers but one."""

    def __init__(self, others, *given):
        self.others, self.ports = others, free_ports(len(others))
        super().__init__(*given)

    def arguments(self):
        arguments = super().arguments()
        # Without weights the first server gets all of them.
        first = arguments.index("--upstream") + 1
        arguments[first] += " weight=1"
        for listener, upstream in zip(self.ports, self.others):
            arguments += ["--listen", f"127.0.0.1:{listener}", "--upstream", f"127.0.0.1:{upstream} weight=1"]
        return arguments

    def sessions(self):
        counts = [inspection.streams(self.workers(), upstream) for upstream in [self.upstream, *self.others]]
        return {pid: sum(count[pid] for count in counts) for pid in counts[0]}


def listener(number, ports):
    """Where the load generator with this number connects, of so many ports."""
    return ports[number * MOST // SERVED % len(ports)]


def parts(wanted):
    """How many sessions each of the load generators has."""
    count = -(-wanted // MOST)
    return [(wanted + number) // count for number in range(count)]


def run(given, say):
    """Prints the table; the exit status."""
    wanted = given.sessions
    scratch = Scratch()
    others = [NullServer(scratch.sub(f"null-{number}"), given.bench) for number in range((wanted - 1) // SERVED)]
    stage = None
    try:
        kind = functools.partial(Wide, [server.plain_port for server in others])
        stage = Stage(given, given.workers or 2, kind=kind)
        holdfast = stage.holdfast
        ports = [holdfast.port, *holdfast.ports]
        # What the first sessions of a worker make it load or build belongs to none of them.
        warm_up = stage.load("--mode", "idle", "--seconds", 0, "--sessions", 100)
        warm_up.ready()
        warm_up.report()
        time.sleep(3)
        before = {pid: inspection.memory(pid) for pid in holdfast.pids()}
        say(f"{wanted} idle sessions on {len(holdfast.workers())} workers ...")
        loads, ready = [], 0
        for number, count in enumerate(parts(wanted)):
            # One after the other: what many log-ins at once take is another question.
            loads.append(stage.load("--mode", "idle", "--seconds", 0, "--sessions", count, port=listener(number, ports)))
            ready += loads[-1].ready()
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
        if stage:
            stage.stop()
        for server in others:
            server.stop()
        scratch.remove()


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
