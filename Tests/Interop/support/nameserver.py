"""A private unbound on loopback that knows the records it is given and nothing else, and counts what it is asked."""

import os
import re
import socket

from .processes import Child, free_ports

CONFIGURATION = """
server:
  interface: 127.0.0.1@{port}
  port: {port}
  do-ip6: no
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "{directory}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  log-queries: yes
  num-threads: 1
  module-config: "iterator"
  access-control: 127.0.0.0/8 allow
  local-zone: "." static
  local-zone: "localhost." static
  local-zone: "test." static
  local-data: "test. 3600 IN SOA ns.test. hostmaster.test. 1 3600 3600 3600 3600"
  local-data: "localhost. 3600 IN SOA ns.test. hostmaster.test. 1 3600 3600 3600 3600"
{records}
remote-control:
  control-enable: no
"""


class NameServer:
    """`records`: lines such as `example.test. 60 IN A 127.0.0.1`. All else below test. and localhost. does not exist."""

    def __init__(self, directory, records):
        (self.port,) = free_ports(1)
        path = os.path.join(directory, "unbound.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(
                port=self.port, directory=directory,
                records="\n".join(f'  local-data: "{record}"' for record in records)))
        self.child = Child(["/usr/sbin/unbound", "-d", "-c", path], os.path.join(directory, "output"))
        self.child.wait_for_port(self.port)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def queries(self, name, kind):
        """How often `name` has been asked for records of this kind so far."""
        line = re.compile(rf" info: 127\.0\.0\.1 {re.escape(name)}\.? {kind} IN$", re.MULTILINE | re.IGNORECASE)
        return len(line.findall(self.child.output()))

    def stop(self):
        self.child.stop()


class SilentNameServer:
    """A port that takes questions and never answers one."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def was_asked(self):
        """Whether a question has come since the last call."""
        try:
            return len(self.socket.recv(512)) > 0
        except BlockingIOError:
            return False

    def stop(self):
        self.socket.close()
