"""A private nginx with the configuration that the README recommends (deploy/nginx/holdfast.conf)."""

import os
import subprocess

from .processes import ROOT, Child, free_ports


class Nginx:
    def __init__(self, directory, backend):
        (self.port,) = free_ports(1)
        with open(os.path.join(ROOT, "deploy", "nginx", "holdfast.conf"), encoding="utf-8") as file:
            snippet = file.read()
        # Only the addresses differ from what is recommended.
        for old, new in (("127.0.0.1:5280;", f"127.0.0.1:{backend};"), ("listen 80;", f"listen 127.0.0.1:{self.port};")):
            assert snippet.count(old) == 1, f"deploy/nginx/holdfast.conf has no single '{old}'"
            snippet = snippet.replace(old, new)
        paths = "".join(f"{name}_temp_path {directory}/{name};\n"
                        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user www-data;\n" if os.geteuid() == 0 else ""
        configuration = os.path.join(directory, "nginx.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(f"{user}worker_processes 1;\ndaemon off;\npid {directory}/nginx.pid;\nerror_log {directory}/error.log;\n"
                       f"events {{ worker_connections 1024; }}\n"
                       f"http {{\naccess_log {directory}/access.log;\n{paths}{snippet}}}\n")
        command = ["nginx", "-p", directory, "-e", f"{directory}/error.log", "-c", configuration]
        subprocess.run(command + ["-t", "-q"], check=True, stdin=subprocess.DEVNULL)
        self.child = Child(command, os.path.join(directory, "output"))
        self.child.wait_for_port(self.port)

    def stop(self):
        self.child.stop()
