"""A server that vanishes: run in a network namespace of its own (`unshare -n`), as root, with Holdfast's path.

    vanishing.py HOLDFAST PATIENCE

The server stands in a second namespace; its end of the only link goes down, so that nobody says FIN or RST. Prints one line of
JSON: how many messages were answered after that, the condition at the end, and what the log says.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time

SERVER = """
import socket
listener = socket.create_server(("10.99.0.2", 5222))
print("ready", flush=True)
peer, _ = listener.accept()
peer.recv(4096)
peer.sendall(b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
             b"id='s' version='1.0' from='example.org'><stream:features><a xmlns='b'/></stream:features>")
while peer.recv(65536):
    pass
"""


def run(*command):
    subprocess.run(command, check=True)


def main(binary, patience):
    run("ip", "link", "set", "lo", "up")
    # Each of these is in the second namespace, and ends with its standard input.
    other = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo ready; cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    other.stdout.readline()
    inside = ["nsenter", "-t", str(other.pid), "-n"]
    run("ip", "link", "add", "here", "type", "veth", "peer", "name", "there")
    run("ip", "link", "set", "there", "netns", str(other.pid))
    run("ip", "address", "add", "10.99.0.1/24", "dev", "here")
    run("ip", "link", "set", "here", "up")
    run(*inside, "ip", "address", "add", "10.99.0.2/24", "dev", "there")
    run(*inside, "ip", "link", "set", "there", "up")
    server = subprocess.Popen([*inside, sys.executable, "-c", SERVER], stdout=subprocess.PIPE)
    server.stdout.readline()
    with tempfile.TemporaryFile() as log:
        service = subprocess.Popen(
            [binary, "run", "--listen", "127.0.0.1:5280", "--admin", "off", "--domain", "example.org", "--upstream",
             "10.99.0.2:5222", "--upstream-tls", "none"],
            stdout=subprocess.DEVNULL, stderr=log, env=dict(os.environ, HOLDFAST_UPSTREAM_WRITE_TIMEOUT="2"))
        try:
            print(json.dumps(dict(talk(inside, patience), log=output(log))))
        finally:
            for process in (service, server, other):
                process.kill()
                process.wait()


def output(log):
    log.seek(0)
    return log.read().decode()


def talk(inside, patience):
    limit = time.monotonic() + patience
    while True:
        try:
            created = post("rid='1' to='example.org' wait='1' hold='1' ver='1.6' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'")
            break
        except OSError:
            if time.monotonic() > limit:
                raise
            time.sleep(0.05)
    sid = re.search(r"\bsid='([^']*)'", created).group(1)
    post(f"sid='{sid}' rid='2'", "<message xmlns='jabber:client'/>")
    run(*inside, "ip", "link", "set", "there", "down")
    answered = 0
    while time.monotonic() < limit:
        answer = post(f"sid='{sid}' rid='{3 + answered}'", "<message xmlns='jabber:client'/>")
        if "type='terminate'" in answer:
            condition = re.search(r"condition='([^']*)'", answer)
            return {"answered": answered, "condition": condition and condition.group(1)}
        answered += 1
    return {"answered": answered, "condition": None}


def post(attributes, payload=""):
    connection = http.client.HTTPConnection("127.0.0.1", 5280, timeout=60)
    connection.request("POST", "/http-bind", f"<body xmlns='http://jabber.org/protocol/httpbind' {attributes}>{payload}</body>")
    answer = connection.getresponse().read().decode()
    connection.close()
    return answer


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
