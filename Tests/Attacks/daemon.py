"""The Holdfast under attack: its settings, its processor time and its memory."""

import json
import os
import resource
import signal
import subprocess
import urllib.request

from support.gateway import toml
from support.processes import Child, Scratch, free_ports
from urgency import go_first

MIB = 1 << 20


class Holdfast:
    """`holdfast run --config` with the default settings, except those that are given."""

    # The settings that a binary knows; asked once for each binary.
    _known = {}

    def __init__(self, binary, settings, domains, wishes=None, descriptors=None):
        """`wishes` are settings that are left out if the binary does not know them."""
        self.binary = binary
        self.scratch = Scratch()
        self.port, self.admin_port = free_ports(2)
        settings = dict(settings)
        for name, value in (wishes or {}).items():
            if self.knows(name, value):
                settings[name] = value
        self.settings = settings
        own = {"listen": f"127.0.0.1:{self.port}", "admin": f"127.0.0.1:{self.admin_port}", **settings}
        path = os.path.join(self.scratch.path, "holdfast.toml")
        write(path, own, domains)

        def prepare():
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            if descriptors is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
            go_first()

        self.log = os.path.join(self.scratch.path, "holdfast.log")
        self.child = Child([binary, "run", "--config", path], self.log, preexec_fn=prepare)
        self.child.wait_for_port(self.admin_port)
        self.child.wait_for_port(self.port)
        self.pid = self.child.pid

    def knows(self, name, value):
        """Whether the binary has this setting."""
        key = (self.binary, name)
        if key not in self._known:
            path = os.path.join(self.scratch.path, "check.toml")
            write(path, {name: value, "domain": "check.test", "upstream": "127.0.0.1:5222"}, {})
            done = subprocess.run([self.binary, "run", "--config", path, "--check-config"], capture_output=True)
            self._known[key] = done.returncode == 0
        return self._known[key]

    @property
    def is_running(self):
        return self.child.process.poll() is None

    def processor_time(self):
        """The seconds of processor time that the process has used; exact while it sleeps."""
        try:
            with open(f"/proc/{self.pid}/schedstat", encoding="ascii") as file:
                return int(file.read().split()[0]) / 1e9
        except (OSError, IndexError):
            return 0.0

    def memory(self):
        """The resident bytes, now and their maximum since `forget_peak`."""
        now = peak = 0
        try:
            with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
                for line in file:
                    if line.startswith("VmHWM:"):
                        peak = int(line.split()[1]) * 1024
                    elif line.startswith("VmRSS:"):
                        now = int(line.split()[1]) * 1024
        except OSError:
            pass
        return now, peak

    def forget_peak(self):
        """Lets the peak start again at the present resident size."""
        try:
            with open(f"/proc/{self.pid}/clear_refs", "w", encoding="ascii") as file:
                file.write("5")
        except OSError:
            pass

    def is_asleep(self):
        """Whether the process waits for an event."""
        try:
            with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
                return file.read().rpartition(")")[2].split()[0] == "S"
        except OSError:
            return True

    def statistics(self, patience=2.0):
        """The admin listener's /stats; None when it does not come in time."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/stats", timeout=patience) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None

    def log_bytes(self):
        try:
            return os.path.getsize(self.log)
        except OSError:
            return 0

    def stop(self):
        """Kills the process: one that is busy for minutes would not react to a milder signal."""
        if self.is_running:
            self.child.process.kill()
            self.child.process.wait()
        self.child.stop()
        self.scratch.remove()


def write(path, own, domains):
    """A configuration file."""
    lines = [f"{name} = {toml(value)}" for name, value in own.items()]
    for domain, table in domains.items():
        lines += [f"[domains.{toml(domain)}]", *(f"{name} = {toml(value)}" for name, value in table.items())]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
