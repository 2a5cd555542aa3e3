"""The BOSH service under test: a Holdfast process, or Prosody's own mod_bosh as the control."""

import json
import os
import urllib.request

from .processes import Child, free_ports
from .prosody import ACCOUNTS, ANONYMOUS

# Set by run.py: the path of the holdfast binary, or None to run against Prosody's mod_bosh.
binary = None

PATH = "/http-bind"


class Holdfast:
    """`holdfast run` in front of a Prosody."""

    def __init__(self, directory, prosody, tls="none", authority=None, domains=(ANONYMOUS, ACCOUNTS),
                 upstream=None, options=()):
        self.port, self.admin_port = free_ports(2)
        upstream = upstream or (prosody.direct_port if tls == "direct" else prosody.plain_port)
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


class ModBosh:
    """Prosody's own BOSH: what the tests themselves are checked against."""

    def __init__(self, prosody):
        self.port = prosody.http_port
        self.child = prosody.child

    def stop(self):
        pass


def start(directory, prosody, **options):
    """The service under test with a plain upstream."""
    return ModBosh(prosody) if binary is None else Holdfast(directory, prosody, **options)
