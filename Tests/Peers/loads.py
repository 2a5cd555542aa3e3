"""The loads, each the same program (`holdfast-bench load`) for every target, and what the processes use meanwhile."""

import json
import os
import subprocess
import time
from typing import NamedTuple

from targets import ANONYMOUS, Child

# How long after the last log-in memory is read, in seconds: buffers of the log-ins are given back, the polls have come.
REST = 5
# The load generator says "ready" and sends nothing for a second.
AFTER_READY = 0.5
PATIENCE = 180


class Plan(NamedTuple):
    """How much of each load. Rates in messages a second, durations in seconds."""
    rounds: int
    seconds: int
    closed_sessions: int = 100
    paced_sessions: int = 300
    paced_rate: int = 100
    cuts: int = 50
    idle_sessions: int = 1000

    def arguments(self, load):
        """What the load generator is told."""
        paced = ["--mode", "paced", "--rate", self.paced_rate, "--sessions", self.paced_sessions, "--seconds", self.seconds]
        return [str(word) for word in {
            "closed": ["--mode", "closed", "--sessions", self.closed_sessions, "--seconds", self.seconds],
            "paced": paced,
            "cut": paced + ["--kill-connections", self.cuts],
            "idle": ["--mode", "idle", "--seconds", 0, "--sessions", self.idle_sessions],
        }[load]]


LOADS = ("closed", "paced", "cut", "idle")
# A session over WebSocket is its connection: nothing outlives a cut.
BOSH_LOADS = ("cut",)


def processor(pid):
    """Seconds of processor time that a process has used in all its threads, those that ended included. (The clock of
    clock_getcpuclockid(3); /proc/PID/schedstat has the same count, of one thread.)"""
    return time.clock_gettime((~pid << 3) | 2)


def memory(pid):
    """Bytes of memory that are the process's own: private and written to."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Private_Dirty:"))


def busy():
    """Seconds that the machine's processors have worked, for whatever."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(field) for field in file.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


class Meter:
    """Processor time of some processes from now on."""

    def __init__(self, pids, generator):
        self._pids, self._all = pids, [*pids.values(), generator]
        self._began = time.monotonic()
        self._before = {part: processor(pid) for part, pid in pids.items()}
        self._known, self._busy = sum(map(processor, self._all)), busy()

    def read(self):
        """By part, and the share of one core that other work on the machine had."""
        used = {part: processor(pid) - self._before[part] for part, pid in self._pids.items()}
        known = sum(map(processor, self._all)) - self._known
        others = max(0, busy() - self._busy - known) / (time.monotonic() - self._began)
        return {"processor": used, "others": others}


class Generator:
    """A running load generator."""

    def __init__(self, stage, bench, arguments):
        self._stage = stage
        command = [bench, "load", "--json", "--connect", f"127.0.0.1:{stage.port}", "--door", stage.door, "--domain", ANONYMOUS,
                   *arguments]
        self._log = os.path.join(stage.scratch.path, "load")
        self.child = Child(command, self._log, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def line(self, beginning):
        """Waits for the line that begins so and returns it."""
        for line in self.child.process.stdout:
            if line.startswith(beginning):
                return line
        self._stage.check_alive()
        with open(self._log, encoding="utf-8", errors="replace") as file:
            raise RuntimeError(f"the load generator ended: {file.read()[-1000:]}")

    def ready(self):
        """Waits until all have logged in, or could not. How many have."""
        return int(self.line("ready").split()[1])

    def report(self):
        """What it found out, from the JSON that it prints at its end."""
        report = json.loads(self.line("{"))
        self.child.wait(PATIENCE)
        return report

    def stop(self):
        self.child.stop()
        self.child.process.stdin.close()
        self.child.process.stdout.close()


def run(load, stage, bench, plan):
    """Puts one load on a target with fresh processes. The figures by name; processor time in seconds by part, memory in
    bytes by part."""
    return idle(stage, bench, plan) if load == "idle" else messages(stage, bench, plan.arguments(load))


def messages(stage, bench, arguments):
    generator = Generator(stage, bench, arguments)
    try:
        generator.ready()
        time.sleep(AFTER_READY)
        meter = Meter(stage.pids, generator.child.pid)
        generator.line("done")
        return meter.read() | generator.report()
    finally:
        generator.stop()


def idle(stage, bench, plan):
    # Whatever a process loads or builds for its first users belongs to no session.
    visit(stage, bench, ["--mode", "idle", "--seconds", "0", "--sessions", "50"])
    time.sleep(1)
    before = {part: memory(pid) for part, pid in stage.pids.items()}
    generator = Generator(stage, bench, plan.arguments("idle"))
    try:
        # Both have used nothing yet worth counting: the load generator has just been started.
        meter = Meter(stage.pids, generator.child.pid)
        ready = generator.ready()
        time.sleep(AFTER_READY)
        used = meter.read()
        time.sleep(REST - AFTER_READY)
        grown = {part: memory(pid) - before[part] for part, pid in stage.pids.items()}
        generator.child.process.stdin.close()
        return used | {"logged_in": ready, "memory": grown} | generator.report()
    finally:
        generator.stop()


def visit(stage, bench, arguments):
    generator = Generator(stage, bench, arguments)
    try:
        generator.ready()
        generator.child.process.stdin.close()
        generator.report()
    finally:
        generator.stop()
