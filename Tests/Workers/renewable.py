"""Holdfast with a configuration file and a place for commands: it can be reloaded, upgraded, and taken over."""

import os
import shutil
import signal
import subprocess
import time

import inspection
from stage import DOMAIN, Holdfast
from support.processes import PATIENCE, free_ports, wait_until

FILE = """listen = [{listen}]
admin = "127.0.0.1:{admin}"
control = "unix:{control}"
workers = {workers}
generations = 32
inactivity = {inactivity}
max-wait = {wait}
log-level = "notice"

[domains."{domain}"]
upstream = "127.0.0.1:{upstream}"
upstream-tls = "none"
"""
# Which the file has in turn, so that each reload changes something.
WAITS = (60, 55)
# Neither is anything that could serve.
BAD_FILE = "max-wiat = 60\n"
BAD_PROGRAM = "#!/bin/sh\nexit 1\n"
# How long workers have no supervisor after it was killed, and how long they may take to be gone, in seconds.
ALONE, MOMENT = 1, 30


class Fault(Exception):
    """It did not do what it was asked for."""


def file_text(port, others, admin, control, workers, inactivity, wait, upstream):
    """A configuration. `others`: what it listens on besides the port, as it stands in the file."""
    listen = ", ".join(f'"{place}"' for place in [f"127.0.0.1:{port}", *others])
    return FILE.format(listen=listen, admin=admin, control=control, workers=workers, inactivity=inactivity, wait=wait,
                       upstream=upstream, domain=DOMAIN)


class Renewable(Holdfast):
    """`holdfast run` with a file. On its second port it listens only while `listens_twice`."""

    def prepare(self, scratch):
        folder = scratch.sub("installed")
        self._programs = [os.path.join(folder, name) for name in ("as-built", "stripped")]
        shutil.copy(self.binary, self._programs[0])
        subprocess.run(["strip", "-o", self._programs[1], self.binary], check=True)
        self.binary, self.file = os.path.join(folder, "holdfast"), os.path.join(folder, "holdfast.toml")
        self.control = os.path.join(self.place, "control")
        (self.second_port,) = free_ports(1)
        self.listens_twice = False
        # The process groups in which its processes are.
        self._groups = set()
        self._changes = self._upgrades = 0
        self._install(self._programs[0])
        self._write()

    def arguments(self):
        return ["--config", self.file]

    def start(self):
        super().start()
        self._groups.add(self.pid)

    def workers(self):
        return inspection.workers_among(self.processes())

    def processes(self):
        """All living ones, those included that were adopted."""
        return inspection.living(self._groups)

    def left(self):
        """Nobody of this run can wait for the workers of a supervisor that was killed: they may need a moment longer."""
        def found():
            return sorted({*inspection.group(self.pid), *self.processes()})
        deadline = time.monotonic() + MOMENT
        while found() and time.monotonic() < deadline:
            time.sleep(0.02)
        return found()

    def stop(self):
        super().stop()
        # When the run is broken off while there is no supervisor, nobody else ends them.
        for pid in self.workers():
            os.kill(pid, signal.SIGKILL)

    # What it reads and executes

    def _write(self, text=None):
        others = [f"unix:{self.place}/socket", *([f"127.0.0.1:{self.second_port}"] if self.listens_twice else [])]
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text or file_text(self.port, others, self.admin_port, self.control, self.wanted, self.inactivity,
                                         WAITS[self._changes % len(WAITS)], self.upstream))

    def _install(self, program):
        """Puts a copy of a program in the place of the installed one, as package managers do."""
        new = f"{self.binary}.new"
        shutil.copy(program, new)
        os.rename(new, self.binary)

    # What is done to it

    def reload(self):
        """Changes the file and has it read again: each time the second port is added or taken away. The new workers."""
        self._changes += 1
        self.listens_twice = not self.listens_twice
        self._write()
        new = self._renewed("reload", signal.SIGHUP, self._changes)
        having = inspection.listening(new, self.second_port)
        if having != (new if self.listens_twice else set()):
            raise Fault(f"{len(having)} of the new workers listen on the second port")
        return new

    def upgrade(self):
        """Installs another program and has it take the place of the running one."""
        self._upgrades += 1
        process, old = self.pid, inspection.program(self.pid)
        self._install(self._programs[self._upgrades % len(self._programs)])
        new = self._renewed("upgrade", signal.SIGUSR2, self._upgrades)
        installed = os.stat(self.binary)
        for pid in (process, *sorted(new)):
            if inspection.program(pid) != (installed.st_dev, installed.st_ino):
                raise Fault(f"process {pid} does not execute the program that was installed")
        if inspection.program(process) == old or self.child.process.poll() is not None:
            raise Fault("the program was not replaced")

    def fail_to_reload(self):
        """Has it read a file that has a fault."""
        self._write(BAD_FILE)
        self._refused("reload", "there is no such setting")
        self._write()

    def fail_to_upgrade(self):
        """Has it try a program that cannot take its place."""
        good = f"{self.binary}.good"
        os.rename(self.binary, good)
        with open(self.binary, "w", encoding="utf-8") as file:
            file.write(BAD_PROGRAM)
        os.chmod(self.binary, 0o755)
        self._refused("upgrade", "ended without an answer")
        os.rename(good, self.binary)

    def lose_supervisor(self, reloading=None):
        """Kills the supervisor, and starts another one. `reloading`: so many seconds after the start of a reload, whose
        workers may serve by then or not."""
        before = set(self.workers())
        if reloading is not None:
            os.kill(self.pid, signal.SIGHUP)
            time.sleep(reloading)
        os.kill(self.pid, signal.SIGKILL)
        self.child.process.wait()
        self.child.stop()
        time.sleep(ALONE)
        left = set(self.workers())
        if not before <= left or (reloading is None and left != before):
            raise Fault("workers have ended with their supervisor")
        adopted = self.count("adopted")
        self.start()
        self._await_generation(left)
        adopted = self.count("adopted") - adopted
        if adopted != len(left):
            raise Fault(f"{adopted} of {len(left)} workers were taken over")

    def _renewed(self, command, number, times):
        """Gives it a command by a signal, and the next time by the program. Waits until a new generation serves; its
        workers."""
        before, process, counter = set(self.workers()), self.pid, f"{command}s"
        count = self.count(counter)
        if times % 2:
            os.kill(process, number)
        else:
            done = self._ask(command)
            if done.returncode != 0:
                raise Fault(f"'{command}' failed: {done.stdout}{done.stderr}")
        wait_until(lambda: self.count(counter) > count, f"the end of '{command}'")
        if self.count(counter) != count + 1:
            raise Fault(f"there were {self.count(counter) - count} {counter}, not one")
        return self._await_generation(before)

    def _await_generation(self, before):
        def new():
            return set(self.workers()) - before
        wait_until(lambda: len(new()) == self.wanted, "new workers")
        return new()

    def _refused(self, command, reason):
        """Gives it a command that fails and changes nothing."""
        before, program, counter = set(self.workers()), inspection.program(self.pid), f"{command}s_failed"
        count = self.count(counter)
        done = self._ask(command)
        if done.returncode == 0 or reason not in done.stdout + done.stderr:
            raise Fault(f"'{command}' was to be refused and ended with {done.returncode}: {done.stdout}{done.stderr}")
        if self.count(counter) != count + 1:
            raise Fault(f"the refused '{command}' was not counted")
        # An old worker may end meanwhile, when its last session does.
        if not set(self.workers()) <= before or inspection.program(self.pid) != program:
            raise Fault(f"the refused '{command}' has changed the processes")

    def _ask(self, command):
        return subprocess.run([self._programs[0], command, "--control", f"unix:{self.control}"], capture_output=True,
                              text=True, timeout=PATIENCE)

    def count(self, name):
        """Of the supervisor's counters."""
        return self.statistics()["supervisor"][name]
