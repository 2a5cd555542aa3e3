"""A private Prosody, set up by deploy/lib/prosody.sh like the one of deploy/quickstart."""

import os
import subprocess

from .processes import ROOT, Child

ANONYMOUS = "anon.localhost"
ACCOUNTS = "accounts.localhost"
WRONG_NAME = "wrongname.localhost"
USERS = ["romeo", "juliet", "mercutio", "benvolio"]


class Prosody:
    """`hosts`: further virtual hosts, each with its certificate and key; `tables`: Lua for the TLS of one of them."""

    def __init__(self, directory, hosts=None, tables=None):
        library = os.path.join(ROOT, "deploy", "lib")
        script = 'set -euo pipefail; DEPLOY_LIB=$1; . "$1/common.sh"; . "$1/prosody.sh"; "prosody_$2" "${@:3}"'
        shell = ["bash", "-c", script, "prosody", library]
        subprocess.run(shell + ["prepare", directory, "open"], check=True, stdin=subprocess.DEVNULL)
        with open(os.path.join(directory, "prosody.cfg.lua"), "a", encoding="utf-8") as file:
            for name, (certificate, key) in (hosts or {}).items():
                table = f'certificate = "{certificate}"; key = "{key}"; {(tables or {}).get(name, "")}'
                file.write(f'VirtualHost "{name}"\nauthentication = "anonymous"\nssl = {{ {table} }}\n'
                           f'c2s_direct_tls_ssl = {{ {table} }}\n')
        with open(os.path.join(directory, "env"), encoding="ascii") as file:
            values = dict(line.rstrip("\n").split("=", 1) for line in file)
        self.plain_port = int(values["PROSODY_C2S_PORT"])
        self.direct_port = int(values["PROSODY_DIRECT_TLS_PORT"])
        self.http_port = int(values["PROSODY_HTTP_PORT"])
        self.authority = values["PROSODY_CA"]
        self.other_authority = values["PROSODY_STRANGER_CA"]
        self.password = values["PROSODY_PASSWORD"]
        self.child = Child(shell + ["exec", directory], os.path.join(directory, "output"))
        for port in (self.plain_port, self.direct_port, self.http_port):
            self.child.wait_for_port(port)

    def stop(self):
        self.child.stop()
