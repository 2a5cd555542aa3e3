"""The processes of one run on loopback: null server, Holdfast with its workers, and a proxy with a pool of few connections."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

FOLDER = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(FOLDER)
sys.path[1:1] = [os.path.join(TESTS, "Peers"), os.path.join(TESTS, "Interop")]

import inspection  # noqa: E402
import verdict  # noqa: E402
from support.processes import PATIENCE, Child, Scratch, free_ports, wait_until  # noqa: E402
from targets import NullServer  # noqa: E402

DOMAIN = "bench.test"
# Idle connections that a proxy keeps: so few that they all carry requests of all sessions.
POOL = 16


def filled(template, ports, backends, **values):
    """A proxy's configuration with its values. What stands between the lines "each" and "end" is repeated for each port, with
    the backend behind it."""
    def fill(text, port, backend):
        for place, value in {**values, "port": port, "backend": backend}.items():
            text = text.replace(f"@{place.upper()}@", str(value))
        return text
    before, each, after = re.fullmatch(r"(.*?)(?:    # each\n(.*)    # end\n(.*))?", template, re.DOTALL).groups("")
    repeated = [fill(each, port, backend) for port, backend in zip(ports, backends)]
    return fill(before, ports[0], backends[0]) + "".join(repeated) + fill(after, ports[0], backends[0])


class Proxy:
    """nginx or HAProxy that mixes all sessions on the connections of its pool. nginx has a port for each backend, with its part
    of the pool."""

    COMMANDS = {
        "nginx": lambda file, log: ["nginx", "-c", file, "-e", log],
        "haproxy": lambda file, _: ["haproxy", "-db", "-f", file],
    }

    def __init__(self, name, directory, *backends, pool=POOL):
        self.ports = free_ports(len(backends))
        self.port = self.ports[0]
        file = os.path.join(directory, f"{name}.conf")
        with open(os.path.join(FOLDER, f"{name}.conf"), encoding="utf-8") as template:
            text = filled(template.read(), self.ports, backends, directory=directory, pool=pool // len(backends))
        with open(file, "w", encoding="utf-8") as written:
            written.write(text)
        self._command = self.COMMANDS[name](file, os.path.join(directory, f"{name}.log"))
        self._output = os.path.join(directory, "output")
        self.start()

    def start(self):
        self.child = Child(self._command, self._output)
        self.child.wait_for_port(self.port)

    def stop(self):
        self.child.stop()


class Holdfast:
    """`holdfast run` with some workers. It listens on TCP and on a Unix socket, in a directory of its own."""

    def __init__(self, binary, scratch, upstream, workers, inactivity):
        self.port, self.admin_port = free_ports(2)
        self.binary, self.upstream, self.wanted, self.inactivity = binary, upstream, workers, inactivity
        self.place = scratch.sub("holdfast")
        self.log = os.path.join(scratch.path, "holdfast.log")
        self.prepare(scratch)
        self.start()
        wait_until(lambda: len(self.workers()) == workers or not self.child.check_alive(), f"{workers} workers")

    def prepare(self, scratch):
        """What a kind of it needs besides."""

    def arguments(self):
        """Of `holdfast run`."""
        return ["--listen", f"127.0.0.1:{self.port}", "--listen", f"unix:{self.place}/socket",
                "--admin", f"127.0.0.1:{self.admin_port}", "--domain", DOMAIN, "--upstream", f"127.0.0.1:{self.upstream}",
                "--upstream-tls", "none", "--inactivity", str(self.inactivity), "--workers", str(self.wanted),
                "--log-level", "warning"]

    def start(self):
        """Starts the program, and waits until it listens."""
        self.child = Child([self.binary, "run", *self.arguments()], self.log, env={**os.environ, "TMPDIR": self.place})
        self.child.wait_for_port(self.port)

    @property
    def pid(self):
        return self.child.pid

    def workers(self):
        return inspection.workers(self.pid)

    def pids(self):
        """All its processes."""
        return sorted({self.pid, *self.workers()})

    def sessions(self):
        """By worker process."""
        return inspection.streams(self.workers(), self.upstream)

    def at_rest(self, pid):
        return verdict.Process(inspection.kinds(pid), inspection.memory(pid)[1])

    def statistics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/stats", timeout=PATIENCE) as answer:
            return json.load(answer)

    def end(self):
        """SIGTERM, and what is left afterwards, in words."""
        self.child.process.terminate()
        try:
            status = self.child.process.wait(30)
        except subprocess.TimeoutExpired:
            return ["it did not end within 30 s of SIGTERM"]
        faults = [] if status == 0 else [f"it ended with {status}"]
        faults += [f"process {pid} is left: {inspection.command(pid)}" for pid in self.left()]
        return faults + [f"{path} is left" for path in inspection.remains(self.place)]

    def left(self):
        """Its processes that exist although the one that was started has ended."""
        return inspection.group(self.pid)

    def stop(self):
        self.child.stop()


class Stage:
    """All of them; `port` is where clients connect. `inactivity`: the setting, in seconds. `kind`: how Holdfast runs."""

    def __init__(self, given, workers, proxy=None, inactivity=60, kind=Holdfast):
        self.given = given
        self.scratch = Scratch()
        self._started = []
        try:
            self.server = self._start(NullServer(self.scratch.sub("null"), given.bench))
            self.holdfast = self._start(kind(given.holdfast, self.scratch, self.server.plain_port, workers, inactivity))
            self.port = self.holdfast.port
            self.proxy = None
            if proxy:
                self.proxy = self._start(Proxy(proxy, self.scratch.sub(proxy), self.holdfast.port))
                self.port = self.proxy.port
        except BaseException:
            self.stop()
            raise

    def _start(self, thing):
        self._started.append(thing)
        return thing

    def load(self, *arguments, port=None):
        """Starts a load generator. `port`: where it connects, if not where clients usually do."""
        return Load(self.given, self.scratch, port or self.port, *arguments)

    def stop(self):
        for thing in reversed(self._started):
            thing.stop()
        self.scratch.remove()


class Load:
    """A running load generator. `journal`: what it has written with --journal, in lines, once there is a report."""

    _count = 0

    def __init__(self, given, scratch, port, *arguments):
        Load._count += 1
        self.journal = []
        command = [given.bench, "load", "--json", "--connect", f"127.0.0.1:{port}", "--domain", DOMAIN, *map(str, arguments)]
        self.log = os.path.join(scratch.path, f"load-{Load._count}")
        self.child = Child(command, self.log, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def line(self, beginning):
        """Waits for the line that begins so."""
        for line in self.child.process.stdout:
            if line.startswith(beginning):
                return line
            if line.startswith("at "):
                self.journal.append(line)
        raise RuntimeError(f"the load generator ended: {self.child.output()[-1000:]}")

    def ready(self):
        return int(re.match(r"ready (\d+)", self.line("ready"))[1])

    def pause(self):
        """Has it stand still."""
        os.kill(self.child.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.child.pid, signal.SIGCONT)

    def done(self):
        self.line("done")

    def report(self):
        """What it found out. Its standard input is closed, which ends idle sessions."""
        self.child.process.stdin.close()
        report = json.loads(self.line("{"))
        self.child.wait()
        self.child.process.stdout.close()
        self.child.stop()
        return report
