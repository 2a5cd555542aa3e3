"""What is measured: the server's own BOSH and WebSocket, Holdfast in front of it, and Holdfast and nginx by themselves."""

import os
import subprocess
import sys
from typing import NamedTuple

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "Interop"))

from support import gateway  # noqa: E402
from support.processes import ROOT, Child, Scratch, free_ports  # noqa: E402
from support.prosody import ANONYMOUS  # noqa: E402

OWN, HOLDFAST = "own", "holdfast"
# As `holdfast-bench load --door` knows them. All of them have the WebSocket at the path that it takes for granted.
BOSH, WEBSOCKET = DOORS = "bosh", "websocket"


class Target(NamedTuple):
    """`server`: prosody, ejabberd or null. `manager`: whose BOSH or WebSocket it is. `tls`: the setting upstream-tls. With `proxy`
    nginx passes everything through to Holdfast. `door`: what the clients speak."""
    name: str
    server: str
    manager: str
    tls: str = "none"
    proxy: bool = False
    door: str = BOSH


# In the order of the tables.
TARGETS = [
    Target("prosody", "prosody", OWN),
    Target("holdfast-prosody", "prosody", HOLDFAST),
    Target("ejabberd", "ejabberd", OWN),
    Target("holdfast-ejabberd", "ejabberd", HOLDFAST),
    Target("holdfast", "null", HOLDFAST),
    Target("nginx", "null", HOLDFAST, proxy=True),
]
# The same over WebSocket.
WEBSOCKET_TARGETS = [target._replace(name=f"{target.name}-websocket", door=WEBSOCKET) for target in TARGETS if not target.proxy]
# Only their memory is measured: what TLS towards the server adds to a session in Holdfast.
TLS_TARGETS = [
    Target("holdfast-starttls", "prosody", HOLDFAST, tls="starttls"),
    Target("holdfast-direct", "prosody", HOLDFAST, tls="direct"),
]


class NullServer:
    """`holdfast-bench null-server` with the interface of support/prosody.py."""

    def __init__(self, directory, bench):
        (self.plain_port,) = free_ports(1)
        self.child = Child([bench, "null-server", "--listen", f"127.0.0.1:{self.plain_port}", "--domain", ANONYMOUS],
                           os.path.join(directory, "output"))
        self.child.wait_for_port(self.plain_port)

    def stop(self):
        self.child.stop()


class Nginx:
    """nginx passing through, as one process, with the configuration that deploy/bench has too."""

    def __init__(self, directory, backend):
        (self.port,) = free_ports(1)
        configuration = os.path.join(directory, "nginx.conf")
        with open(os.path.join(ROOT, "deploy", "lib", "bench-nginx.conf"), encoding="utf-8") as file:
            text = file.read()
        for place, value in (("@DIRECTORY@", directory), ("@PORT@", self.port), ("@BACKEND@", backend)):
            text = text.replace(place, str(value))
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(text)
        self.child = Child(["nginx", "-c", configuration, "-e", os.path.join(directory, "nginx.log")],
                           os.path.join(directory, "output"))
        self.child.wait_for_port(self.port)

    def stop(self):
        self.child.stop()


class Stage:
    """A target with fresh processes. `door`: what its clients speak. `port` is where clients connect, `pids` are the processes by their part: server,
    manager, proxy."""

    def __init__(self, target, bench):
        self.scratch = Scratch()
        self._started = []
        self.pids = {}
        self.door = target.door
        try:
            self._set_up(target, bench)
        except BaseException:
            self.stop()
            raise

    def _set_up(self, target, bench):
        directory = self.scratch.sub(target.server)
        server = self._start("server", NullServer(directory, bench) if target.server == "null"
                             else gateway.SERVERS[target.server](directory))
        if target.manager == OWN:
            self.port = server.http_port
            return
        authority = None if target.tls == "none" else server.authority
        self.port = self._start("manager", gateway.Holdfast(
            self.scratch.path, server, tls=target.tls, authority=authority, domains=[ANONYMOUS])).port
        if target.proxy:
            self.port = self._start("proxy", Nginx(self.scratch.sub("nginx"), self.port)).port

    def _start(self, part, thing):
        self._started.append(thing)
        self.pids[part] = thing.child.pid
        return thing

    def check_alive(self):
        for thing in self._started:
            thing.child.check_alive()

    def stop(self):
        for thing in reversed(self._started):
            thing.stop()
        self.scratch.remove()


def versions(holdfast):
    """The versions of what is measured, by name."""
    own = subprocess.run([holdfast, "--version"], check=True, capture_output=True, text=True).stdout
    packages = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "prosody", "ejabberd", "nginx"],
                              check=True, capture_output=True, text=True).stdout
    found = dict(line.split(" ") for line in packages.splitlines())
    # Without what Debian has appended to the version: 0.12.3-1+deb12u1.
    return {"holdfast": own.split()[-1]} | {name: version.partition("-")[0] for name, version in found.items()}
