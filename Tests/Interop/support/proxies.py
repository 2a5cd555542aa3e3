"""Private proxies with exactly what `holdfast print-proxy-config` prints; only ports, the certificate, and times are filled in."""

import os
import re
import shutil
import ssl
import subprocess

from .certificates import openssl
from .processes import Child, free_ports

# The addresses of the nodes in what is printed for several of them.
NODES = {"n1": "192.0.2.11", "n2": "192.0.2.12", "n3": "192.0.2.13"}


def changed(text, *changes):
    """The text with some parts replaced, each of which it has once or more often."""
    for old, new in changes:
        assert old in text, f"'{old}' is not in what is printed"
        text = text.replace(old, new)
    return text


def shortened(text, seconds):
    """The same with the time for silence cut, so that a test need not wait for a minute."""
    return text if seconds is None else re.sub(r"\b75(s?)\b", rf"{seconds}\1", text)


class Proxy:
    """`service`: what stands behind it; `silence`: the seconds after which it cuts what is silent, instead of those that are
    printed; `nodes`: services by the name of their node, for what is printed for several."""

    # Whether the end of a client's connection ends its poll at Holdfast.
    passes_aborts = True
    # What a client gets that waits longer than the proxy.
    timeout_status = 504
    # Whether a WebSocket survives a reload.
    keeps_sockets = True

    def __init__(self, directory, service, silence=None, nodes=None):
        self.directory = directory
        (self.port,) = free_ports(1)
        self.certificate, self.key, self.both = (f"{directory}/{name}.pem" for name in ("certificate", "key", "both"))
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", self.key, "-out",
                self.certificate)
        with open(self.both, "wb") as both:
            for part in (self.certificate, self.key):
                with open(part, "rb") as file:
                    shutil.copyfileobj(file, both)
        self.tls = ssl.create_default_context(cafile=self.certificate)
        self.file = os.path.join(directory, "configuration")
        printed = service.proxy_configuration(self.kind, *(["--multi"] if nodes else []))
        for name, node in (nodes or {}).items():
            printed = self.with_node(printed, NODES[name], node, service)
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(self.around(shortened(self.filled(printed), silence)))
        self.child = Child(self.command(), os.path.join(directory, "output"), env=self.environment())
        self.child.wait_for_port(self.port)

    def with_node(self, text, address, node, service):
        """The text with the address of a node in the place of that of an example."""
        return changed(text, (f"{address}:{service.port}", f"127.0.0.1:{node.port}"))

    def with_certificate(self, text):
        text, count = re.subn(r"/etc/ssl/[^/ ]+/fullchain\.pem", self.certificate, text)
        assert count == 1
        text, count = re.subn(r"/etc/ssl/[^/ ]+/privkey\.pem", self.key, text)
        assert count == 1
        return text

    def around(self, text):
        return text

    def environment(self):
        return None

    def url(self, path, scheme="https"):
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def stop(self):
        self.child.stop()


class Nginx(Proxy):
    kind = "nginx"

    def filled(self, text):
        script = re.findall(r"^#     ((?:var|function|    |\}|export).*)$", text, re.MULTILINE)
        if script:
            with open(f"{self.directory}/holdfast.js", "w", encoding="utf-8") as file:
                file.write("\n".join(script) + "\n")
            text = changed(text, ("/etc/nginx/holdfast.js;", f"{self.directory}/holdfast.js;"))
        return changed(self.with_certificate(text), ("    listen [::]:443 ssl http2;\n", ""),
                       ("listen 443 ", f"listen 127.0.0.1:{self.port} "))

    def around(self, text):
        paths = "".join(f"{name}_temp_path {self.directory}/{name};\n"
                        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user www-data;\n" if os.geteuid() == 0 else ""
        script = "load_module /usr/lib/nginx/modules/ngx_http_js_module.so;\n" if "js_import" in text else ""
        return (f"{script}{user}worker_processes 1;\ndaemon off;\npid {self.directory}/nginx.pid;\n"
                f"error_log {self.directory}/error.log;\nevents {{ worker_connections 1024; }}\n"
                f"http {{\naccess_log {self.directory}/access.log;\n{paths}{text}}}\n")

    def command(self):
        return ["nginx", "-p", self.directory, "-e", f"{self.directory}/error.log", "-c", self.file]

    def reload(self):
        subprocess.run(self.command() + ["-s", "reload"], check=True, stdin=subprocess.DEVNULL)


class HAProxy(Proxy):
    kind = "haproxy"
    # How often it checks the nodes, instead of every two seconds.
    checks = "100ms"

    def filled(self, text):
        text = re.sub(r"    bind :::443 .*\n", "", text)
        text = re.sub(r"ssl crt \S+", f"ssl crt {self.both}", text)
        return changed(text, ("bind :443 ", f"bind 127.0.0.1:{self.port} "), ("inter 2s", f"inter {self.checks}"))

    def with_node(self, text, address, node, service):
        text = super().with_node(text, address, node, service)
        line = next(line for line in text.splitlines() if f"127.0.0.1:{node.port} " in line)
        return text.replace(line, re.sub(r"port \d+$", f"port {node.admin_port}", line))

    def command(self):
        return ["haproxy", "-W", "-db", "-f", self.file]

    def reload(self):
        # The master process starts a new worker, and the old one serves its connections to their end.
        os.kill(self.child.pid, 12)


class Apache(Proxy):
    kind = "apache"
    passes_aborts = False
    timeout_status = 502
    MODULES = ("mpm_event", "authz_core", "ssl", "socache_shmcb", "headers", "setenvif", "proxy", "proxy_http")

    def filled(self, text):
        return changed(self.with_certificate(text), ("*:443", f"127.0.0.1:{self.port}"))

    def around(self, text):
        modules = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in self.MODULES)
        user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        return (f"ServerRoot {self.directory}\nServerName localhost\nListen 127.0.0.1:{self.port}\n{user}"
                f"PidFile {self.directory}/pid\nErrorLog {self.directory}/error.log\nDefaultRuntimeDir {self.directory}\n{modules}"
                f"{text}")

    def command(self):
        return ["/usr/sbin/apache2", "-DFOREGROUND", "-f", self.file]

    def reload(self):
        os.kill(self.child.pid, 10)


class Caddy(Proxy):
    kind = "caddy"
    keeps_sockets = False

    def filled(self, text):
        text, count = re.subn(r"^[a-z][^ \n]* \{$", f"https://127.0.0.1:{self.port} {{", text, flags=re.MULTILINE)
        assert count == 1
        return self.with_certificate(text).replace("health_interval 5s", "health_interval 200ms")

    def around(self, text):
        (self.admin,) = free_ports(1)
        # A client that connects by address names no server.
        return f"{{\n\tadmin 127.0.0.1:{self.admin}\n\tauto_https off\n\tdefault_sni 127.0.0.1\n}}\n{text}"

    def environment(self):
        return {**os.environ, "XDG_DATA_HOME": self.directory, "XDG_CONFIG_HOME": self.directory, "HOME": self.directory}

    def command(self):
        return ["caddy", "run", "--adapter", "caddyfile", "--config", self.file]

    def reload(self):
        # Without `--force` the same configuration is no reload.
        subprocess.run(["caddy", "reload", "--force", "--adapter", "caddyfile", "--config", self.file, "--address",
                        f"127.0.0.1:{self.admin}"], check=True, capture_output=True, env=self.environment())


ALL = {"nginx": Nginx, "haproxy": HAProxy, "apache": Apache, "caddy": Caddy}
