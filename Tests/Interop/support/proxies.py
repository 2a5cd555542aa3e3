"""Private proxies with the configurations that deploy/ has for them; only addresses and times differ."""

import os
import re
import subprocess

from .processes import ROOT, Child, free_ports


def sample(path, *changes):
    """A file of deploy/ with some texts replaced, each of which it has once."""
    with open(os.path.join(ROOT, "deploy", path), encoding="utf-8") as file:
        text = file.read()
    for old, new in changes:
        assert text.count(old) == 1, f"deploy/{path} has no single '{old}'"
        text = text.replace(old, new)
    return text


def shortened(text, seconds):
    """The same with the time for silence cut, so that a test need not wait for a minute."""
    return text if seconds is None else re.sub(r"\b75(s?)\b", rf"{seconds}\1", text)


class Proxy:
    """`service`: what stands behind it, with its `port` and `admin_port`; `silence`: the seconds after which it cuts what is
    silent, instead of those of the sample."""

    def __init__(self, directory, service, silence=None):
        self.directory = directory
        (self.port,) = free_ports(1)
        self.file = os.path.join(directory, "configuration")
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(self.configuration(service, silence))
        self.child = Child(self.command(), os.path.join(directory, "output"), env=self.environment())
        self.child.wait_for_port(self.port)

    def environment(self):
        return None

    def url(self, path, scheme="http"):
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def stop(self):
        self.child.stop()


class Nginx(Proxy):
    def configuration(self, service, silence):
        text = sample("nginx/holdfast.conf", ("127.0.0.1:5280;", f"127.0.0.1:{service.port};"),
                      ("listen 80;", f"listen 127.0.0.1:{self.port};"))
        paths = "".join(f"{name}_temp_path {self.directory}/{name};\n"
                        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user www-data;\n" if os.geteuid() == 0 else ""
        return (f"{user}worker_processes 1;\ndaemon off;\npid {self.directory}/nginx.pid;\n"
                f"error_log {self.directory}/error.log;\nevents {{ worker_connections 1024; }}\n"
                f"http {{\naccess_log {self.directory}/access.log;\n{paths}{shortened(text, silence)}}}\n")

    def command(self):
        return ["nginx", "-p", self.directory, "-e", f"{self.directory}/error.log", "-c", self.file]

    def reload(self):
        subprocess.run(self.command() + ["-s", "reload"], check=True, stdin=subprocess.DEVNULL)


class HAProxy(Proxy):
    def configuration(self, service, silence):
        text = sample("haproxy/haproxy.cfg", ("127.0.0.1:5280 check port 5281",
                      f"127.0.0.1:{service.port} check port {service.admin_port}"),
                      ("bind :80", f"bind 127.0.0.1:{self.port}"), ("inter 2s", "inter 100ms"))
        return shortened(text, silence)

    def command(self):
        return ["haproxy", "-W", "-db", "-f", self.file]

    def reload(self):
        # The master process starts a new worker, and the old one serves its connections to their end.
        os.kill(self.child.pid, 12)


class Apache(Proxy):
    MODULES = ("mpm_event", "authz_core", "proxy", "proxy_http")

    def configuration(self, service, silence):
        text = sample("apache/holdfast.conf", ("*:80", f"127.0.0.1:{self.port}")).replace("127.0.0.1:5280", f"127.0.0.1:{service.port}")
        modules = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in self.MODULES)
        user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        return (f"ServerRoot {self.directory}\nServerName localhost\nListen 127.0.0.1:{self.port}\n{user}"
                f"PidFile {self.directory}/pid\nErrorLog {self.directory}/error.log\nDefaultRuntimeDir {self.directory}\n{modules}"
                f"{shortened(text, silence)}")

    def command(self):
        return ["/usr/sbin/apache2", "-DFOREGROUND", "-f", self.file]

    def reload(self):
        os.kill(self.child.pid, 10)


class Caddy(Proxy):
    def configuration(self, service, silence):
        text = sample("caddy/Caddyfile", ("127.0.0.1:5280 {", f"127.0.0.1:{service.port} {{"),
                      (":80 {", f"http://127.0.0.1:{self.port} {{"))
        return "{\n\tadmin off\n\tauto_https off\n}\n" + shortened(text, silence)

    def environment(self):
        return {**os.environ, "XDG_DATA_HOME": self.directory, "XDG_CONFIG_HOME": self.directory, "HOME": self.directory}

    def command(self):
        return ["caddy", "run", "--adapter", "caddyfile", "--config", self.file]


ALL = {"nginx": Nginx, "haproxy": HAProxy, "apache": Apache, "caddy": Caddy}
