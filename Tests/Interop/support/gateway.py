"""The BOSH service under test: a Holdfast process, or the XMPP server's own mod_bosh as the control."""

import json
import os
import urllib.request

from .processes import Child, free_ports
from .ejabberd import Ejabberd
from .prosody import ACCOUNTS, ANONYMOUS, Prosody

SERVERS = {"prosody": Prosody, "ejabberd": Ejabberd}

# Set by run.py: the path of the holdfast binary, or None to run against the server's mod_bosh.
binary = None
# And which of the servers is there.
upstream = "prosody"

PATH = "/http-bind"


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
        self.child = Child(arguments + list(options), os.path.join(directory, f"holdfast-{self.port}.log"))
        self.child.wait_for_port(self.port)

    def statistics(self):
        """The admin listener's /stats."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/stats", timeout=10) as answer:
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
        self.child = Child([binary, "run", "--config", self.file], os.path.join(directory, f"holdfast-{self.port}.log"))
        for port in (self.admin_port, *([] if "listen" in own else [self.port])):
            self.child.wait_for_port(port)

    statistics = Holdfast.statistics

    def log(self):
        """What it has logged so far."""
        return self.child.output()

    def stop(self):
        self.child.stop()


def toml(value):
    """Text, numbers and lists of them as TOML writes them: the same as JSON."""
    return json.dumps(value, ensure_ascii=False)


class ModBosh:
    """The server's own BOSH: what the tests themselves are checked against."""

    def __init__(self, server):
        self.port = server.http_port
        self.child = server.child

    def stop(self):
        pass


def start_server(scratch, **options):
    """The private XMPP server of this run."""
    return SERVERS[upstream](scratch.sub(upstream), **options)


def start(directory, server, **options):
    """The service under test with a plain upstream."""
    return ModBosh(server) if binary is None else Holdfast(directory, server, **options)
