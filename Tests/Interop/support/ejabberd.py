"""A private ejabberd with the hosts, accounts and ports of support/prosody.py. It is one Erlang node without a name:
no distribution, so no epmd and no cookie, and `ejabberdctl` cannot reach it."""

import os
import pwd
import shutil
import subprocess

from .processes import ROOT, Child, free_ports, wait_until
from .prosody import ACCOUNTS, ANONYMOUS, USERS, WRONG_NAME

PASSWORD = "montague"

ANYBODY = "{auth_method: [anonymous], anonymous_protocol: sasl_anon, allow_multiple_connections: true}"

CONFIGURATION = """
hosts: [{anonymous}, {accounts}, {wrong_name}{more_names}]
loglevel: info
log_rotate_count: 0
certfiles:
  - {tls}/server.crt
  - {tls}/server.key
  - {tls}/elsewhere.crt
  - {tls}/elsewhere.key
{more_files}auth_password_format: plain
host_config:
  {anonymous}: {anybody}
  {wrong_name}: {anybody}
  {accounts}: {{auth_method: [mnesia]}}
{more_hosts}listen:
  - {{port: {plain}, ip: 127.0.0.1, module: ejabberd_c2s, starttls: true, backlog: 1024, max_stanza_size: 1048576}}
  - {{port: {direct}, ip: 127.0.0.1, module: ejabberd_c2s, tls: true, backlog: 1024, max_stanza_size: 1048576}}
  - port: {http}
    ip: 127.0.0.1
    module: ejabberd_http
    backlog: 1024
    request_handlers: {{/http-bind: mod_bosh, /xmpp-websocket: ejabberd_http_ws}}
{more_listeners}modules:
  mod_bosh: {{max_inactivity: 60}}
  mod_carboncopy: {{}}
  mod_disco: {{}}
  mod_legacy_auth: {{}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_roster: {{}}
  mod_stream_mgmt: {{resend_on_timeout: if_offline, resume_timeout: {resume} s}}
"""


class Ejabberd:
    # How long the server keeps a stream with XEP-0198 for its client to resume, in seconds. (Prosody: PROSODY_RESUME.)
    RESUME = 6

    def __init__(self, directory, hosts=None, listeners=None):
        """`hosts`: further virtual hosts, each with its certificate and key. `listeners`: further client ports, by name, each
        with its options; their numbers are in `ports`."""
        self.ports = dict(zip(listeners or {}, free_ports(len(listeners or {}))))
        self.plain_port, self.direct_port, self.http_port = free_ports(3)
        self.password = PASSWORD
        tls = os.path.join(directory, "tls")
        os.mkdir(tls)
        self._certificates(tls)
        self.authority, self.other_authority = os.path.join(tls, "ca.crt"), os.path.join(tls, "stranger.crt")
        configuration = os.path.join(directory, "ejabberd.yml")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(
                anonymous=ANONYMOUS, accounts=ACCOUNTS, wrong_name=WRONG_NAME, anybody=ANYBODY, tls=tls, plain=self.plain_port,
                direct=self.direct_port, http=self.http_port, resume=self.RESUME,
                more_names="".join(f", \"{name}\"" for name in hosts or {}),
                more_files="".join(f"  - {path}\n" for paths in (hosts or {}).values() for path in paths),
                more_hosts="".join(f"  \"{name}\": {ANYBODY}\n" for name in hosts or {}),
                more_listeners="".join(
                    f"  - {{port: {self.ports[name]}, ip: 127.0.0.1, module: ejabberd_c2s, {options}}}\n"
                    for name, options in (listeners or {}).items())))
        self._log = os.path.join(directory, "ejabberd.log")
        data = os.path.join(directory, "data")
        os.mkdir(data)
        as_user = self._give_away(directory, (tls, data))
        register = "".join(f'ok=ejabberd_auth:try_register(<<"{user}">>,<<"{ACCOUNTS}">>,<<"{PASSWORD}">>),' for user in USERS)
        (libraries,) = {os.path.dirname(os.path.dirname(os.path.dirname(path))) for path in self._packaged() if path.endswith("/ejabberd.app")}
        environment = dict(
            os.environ, HOME=data, ERL_LIBS=libraries, EJABBERD_CONFIG_PATH=configuration,
            EJABBERD_LOG_PATH=self._log,
            ERL_CRASH_DUMP=os.path.join(directory, "erl_crash.dump"))
        self.child = Child(
            as_user + ["erl", "-noinput", "+sbwt", "none", "-mnesia", "dir", f'"{data}"', "-s", "ejabberd",
                       "-eval", register + 'io:format("accounts are there~n").'],
            os.path.join(directory, "output"), env=environment, cwd=data)
        for port in (self.plain_port, self.direct_port, self.http_port, *self.ports.values()):
            self.child.wait_for_port(port)
        wait_until(lambda: "accounts are there" in self.child.output() or not self.child.check_alive(), "the accounts")

    @staticmethod
    def _certificates(tls):
        library = os.path.join(ROOT, "deploy", "lib")
        script = """set -euo pipefail; . "$1/prosody.sh"
            issue_authority "$2" ca; issue_authority "$2" stranger
            issue_certificate "$2" server DNS:$3,DNS:$4; issue_certificate "$2" elsewhere DNS:elsewhere.example"""
        subprocess.run(["bash", "-c", script, "ejabberd", library, tls, ANONYMOUS, ACCOUNTS], check=True)

    @staticmethod
    def _packaged():
        """Where Debian has put its Erlang applications (a directory of the machine's architecture)."""
        return subprocess.run(["dpkg-query", "-L", "ejabberd"], check=True, capture_output=True, text=True).stdout.split("\n")

    @staticmethod
    def _give_away(directory, readable):
        """Like Prosody it does not run as root. The beginning of its command line."""
        if os.geteuid() != 0:
            return []
        owner = pwd.getpwnam("ejabberd")
        shutil.chown(directory, owner.pw_uid, owner.pw_gid)
        for path in readable:
            for parent, _, files in os.walk(path):
                for name in (parent, *(os.path.join(parent, file) for file in files)):
                    os.chown(name, owner.pw_uid, owner.pw_gid)
            os.chmod(path, 0o711)
        os.chmod(directory, 0o711)
        return ["setpriv", "--reuid=ejabberd", "--regid=ejabberd", "--init-groups"]

    def log(self):
        """What the server has logged so far."""
        with open(self._log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        self.child.stop()
