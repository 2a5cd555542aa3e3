"""The BOSH service under test: a Holdfast process, or the XMPP server's own mod_bosh as the control."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import urllib.request

from .processes import PATIENCE, ROOT, Child, connections, free_ports, wait_until
from .ejabberd import Ejabberd
from .prosody import ACCOUNTS, ANONYMOUS, Prosody

SERVERS = {"prosody": Prosody, "ejabberd": Ejabberd}

# Set by run.py: the path of the holdfast binary, or None to run against the server's mod_bosh.
binary = None
# And which of the servers is there.
upstream = "prosody"

PATH = "/http-bind"

# What Holdfast prints for its default settings.
SAMPLES = {"nginx": "nginx/holdfast.conf", "haproxy": "haproxy/haproxy.cfg", "apache": "apache/holdfast.conf",
           "caddy": "caddy/Caddyfile"}


class Holdfast:
    """`holdfast run` in front of an XMPP server."""

    def __init__(self, directory, server, tls="none", authority=None, domains=(ANONYMOUS, ACCOUNTS),
                 upstream=None, options=()):
        self.port, self.admin_port = free_ports(2)
        upstream = upstream or (server.direct_port if tls == "direct" else server.plain_port)
        arguments = [binary, "run", "--listen", f"127.0.0.1:{self.port}", "--admin", f"127.0.0.1:{self.admin_port}"]
        for domain in domains:
            arguments += ["--domain", domain]
        arguments += ["--upstream", f"127.0.0.1:{upstream}", "--upstream-tls", tls]
        if authority is not None:
            arguments += ["--upstream-ca", authority]
        arguments += options
        self.settings = arguments[2:]
        self.child = Child(arguments, os.path.join(directory, f"holdfast-{self.port}.log"))
        self.child.wait_for_port(self.port)

    def proxy_configuration(self, kind, *options):
        """What it prints for a proxy in front of it."""
        command = [binary, "print-proxy-config", kind, *options, *self.settings]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    @property
    def websocket(self):
        return f"ws://127.0.0.1:{self.port}/xmpp-websocket"

    def aborted_polls(self):
        """How many polls their clients have left."""
        return self.statistics()["sessions"]["aborted_polls"]

    def held_polls(self):
        """How many requests wait for an answer."""
        return self.statistics()["sessions"]["held_requests"]

    def statistics(self):
        """The admin listener's /stats."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/stats", timeout=PATIENCE) as answer:
            return json.load(answer)

    def stop(self):
        self.child.stop()


class Configured:
    """`holdfast run --config`: settings for all domains, and the tables of the domains with theirs."""

    def __init__(self, directory, own, domains=None):
        self.port, self.admin_port = free_ports(2)
        settings = {"listen": f"127.0.0.1:{self.port}", "admin": f"127.0.0.1:{self.admin_port}", **own}
        lines = [f"{name} = {toml(value)}" for name, value in settings.items()]
        for domain, table in (domains or {}).items():
            lines += [f"[domains.{toml(domain)}]", *(f"{name} = {toml(value)}" for name, value in table.items())]
        self.file = os.path.join(directory, f"holdfast-{self.port}.toml")
        with open(self.file, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        self.settings = ["--config", self.file]
        self.child = Child([binary, "run", *self.settings], os.path.join(directory, f"holdfast-{self.port}.log"))
        for port in (self.admin_port, *([] if "listen" in own else [self.port])):
            self.child.wait_for_port(port)

    statistics = Holdfast.statistics
    proxy_configuration = Holdfast.proxy_configuration

    def log(self):
        """What it has logged so far."""
        return self.child.output()

    def stop(self):
        self.child.stop()


class Renewable:
    """Two workers whose configuration, program and supervisor a test replaces while clients are connected."""

    def __init__(self, scratch, server):
        self.port, self.admin_port = free_ports(2)
        self.place = scratch.sub(f"renewable-{self.port}")
        self.program = os.path.join(self.place, "holdfast")
        self.file = os.path.join(self.place, "holdfast.toml")
        self.control = f"unix:{self.place}/control"
        self.server = server
        self.waits = 55
        self.configure()
        self.install()
        self.start()

    def configure(self):
        """Writes a configuration that differs from the last one."""
        self.waits += 1
        settings = {
            "listen": f"127.0.0.1:{self.port}", "admin": f"127.0.0.1:{self.admin_port}", "control": self.control,
            "workers": 2, "domain": [ANONYMOUS, ACCOUNTS], "upstream": f"127.0.0.1:{self.server.plain_port}",
            "upstream-tls": "none", "max-wait": self.waits,
        }
        with open(self.file, "w", encoding="utf-8") as file:
            file.writelines(f"{name} = {toml(value)}\n" for name, value in settings.items())

    def install(self):
        """Puts a new file in the place of the program."""
        shutil.copy(binary, f"{self.program}.new")
        os.rename(f"{self.program}.new", self.program)

    def start(self):
        # A variable would count more than the file.
        variables = {name: value for name, value in os.environ.items() if name != "HOLDFAST_WORKERS"}
        self.child = Child([self.program, "run", "--config", self.file], os.path.join(self.place, "log"), env=variables)
        self.child.wait_for_port(self.admin_port)
        wait_until(lambda: self.child.check_alive() and self.statistics(), "the program serving")

    statistics = Holdfast.statistics

    def command(self, name):
        subprocess.run([self.program, name, "--control", self.control], check=True, capture_output=True, timeout=60)

    def reload(self):
        self.configure()
        self.command("reload")

    def upgrade(self):
        self.install()
        self.command("upgrade")

    def lose_supervisor(self):
        os.kill(self.child.pid, signal.SIGKILL)
        self.child.wait()
        self.child.stop()

    def changes(self):
        """What befalls the program one after the other, each with its name."""
        return [
            ("reload", self.reload), ("upgrade", self.upgrade), ("no supervisor", self.lose_supervisor),
            ("another supervisor", self.start), ("another upgrade", self.upgrade), ("another reload", self.reload),
        ]

    def stop(self):
        """Also ends the workers of a supervisor that a failed test has left dead."""
        self.child.stop()
        for process in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{process}/exe").startswith(self.place):
                    os.kill(int(process), signal.SIGKILL)


def toml(value):
    """Text, numbers and lists of them as TOML writes them: the same as JSON."""
    return json.dumps(value, ensure_ascii=False)


class ModBosh:
    """The server's own BOSH and WebSocket: what the tests themselves are checked against."""

    def __init__(self, server):
        self.port = server.http_port
        self.websocket = f"ws://127.0.0.1:{self.port}/xmpp-websocket"
        self.child = server.child

    def aborted_polls(self):
        """A number that grows when a client leaves its poll: it does not count these, but the connection ends."""
        return -connections(self.port)

    def held_polls(self):
        """At least one while a client waits: it does not count these, but the connections."""
        return connections(self.port)

    def proxy_configuration(self, kind, *options):
        """The sample, which is what Holdfast prints for its default settings."""
        with open(os.path.join(ROOT, "deploy", SAMPLES[kind]), encoding="utf-8") as file:
            return file.read().replace("127.0.0.1:5280", f"127.0.0.1:{self.port}")

    def stop(self):
        pass


def start_server(scratch, **options):
    """The private XMPP server of this run."""
    return SERVERS[upstream](scratch.sub(upstream), **options)


def start(directory, server, **options):
    """The service under test with a plain upstream."""
    return ModBosh(server) if binary is None else Holdfast(directory, server, **options)
