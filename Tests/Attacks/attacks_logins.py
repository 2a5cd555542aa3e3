"""Attacks on shared resources: descriptors, logins, look-ups of names, the log, the operator's listener."""

import socket
import time

from catalogue import attack, judge_log
from flood import Flood
from wire import connect, creation, post

@attack("sessions-before-login", "957 creations in 0.36 s over one connection, again and again", 2_658, "5", descriptors=1024,
        quick=True, share=0.5)
def sessions_before_login(scene):
    flood = Flood(scene.port, scene.source, 1)
    blob = post(creation("hostile.test")) * 50
    count = 0
    scene.rate /= 50
    for _ in scene.strikes(flood.pump):
        if flood.connections[0].backlog == 0:
            flood.send(blob)
            count += 50
    return {"sent": flood.sent, "outcome": f"{count} creations: {flood.statuses or 'no answer'}"}


@attack("sessions-many-connections", "the same over 200 connections", 2_658, "5", descriptors=1024)
def sessions_many(scene):
    flood = Flood(scene.port, scene.source, 200)
    blob = post(creation("hostile.test")) * 5
    count = 0
    scene.rate /= 5
    for _ in scene.strikes(flood.pump):
        flood.send(blob)
        count += 5
    return {"sent": flood.sent, "outcome": f"{count} creations: {flood.statuses or 'no answer'}"}


@attack("log-of-dead-server", "creations (151 B) for a domain whose server is dead: bytes of log for each byte", 100, "11",
        judge=judge_log)
def log_of_dead_server(scene):
    flood = Flood(scene.port, scene.source, 4)
    blob = post("<body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='dead.test' ver='1.6'/>")
    number = 0
    for _ in scene.strikes(flood.pump):
        flood.send(blob)
        number += 1
    flood.pump(0.3)
    return {"sent": flood.sent, "outcome": f"{number} creations: {flood.statuses}"}


def ask(scene, host, fields=""):
    """The status of /stats for a request with this Host."""
    with socket.create_connection(("127.0.0.1", scene.admin_port), 5) as connection:
        connection.sendall(f"GET /stats HTTP/1.1\r\nHost: {host}\r\n{fields}Connection: close\r\n\r\n".encode())
        return connection.recv(4096)[9:12].decode(errors="replace")


def judge_admin(result):
    wrong = []
    for name, status in result["admin"].items():
        if (status == "200") != name.startswith("good"):
            wrong.append(f"{name}: {status}")
    return ", ".join(wrong) or None


@attack("admin-host", "/stats by a foreign Host, an Origin and a cross-site page", 1, "11", seconds=0.5, judge=judge_admin,
        quick=True)
def admin_host(scene):
    port = scene.admin_port
    seen = {
        "good: literal address": ask(scene, f"127.0.0.1:{port}"),
        "good: localhost": ask(scene, f"localhost:{port}"),
        "foreign Host": ask(scene, f"rebound.example:{port}"),
        "an Origin": ask(scene, f"127.0.0.1:{port}", "Origin: https://evil.example\r\n"),
        "a cross-site page": ask(scene, f"127.0.0.1:{port}", "Sec-Fetch-Site: cross-site\r\n"),
    }
    return {"sent": 500, "outcome": " ".join(f"{name} {status}," for name, status in seen.items()), "admin": seen}


def judge_names(result):
    if not result["other_answered"]:
        return "another stranger's names were never answered"
    slowest = result["other_lookup"]
    return None if slowest < 2 else f"another stranger's name took {slowest:.1f} s"


def silent_names():
    import nameserver
    return nameserver.start()


@attack("open-proxy-names", "an open proxy: silent names of one stranger, while another asks for names that answer", 30, "10",
        settings={"open-proxy": "on"}, beside=silent_names, judge=judge_names, seconds=8)
def open_proxy_names(scene):
    flood = Flood(scene.port, scene.source, 8)
    number = 0
    slowest, refused, asked = 0.0, {}, 0
    other = connect(scene.port, "127.0.0.31")
    other.setblocking(False)
    begun = None
    scene.go()

    def look():
        nonlocal begun, slowest, other, asked
        if begun is None:
            asked += 1
            begun = time.monotonic()
            other.sendall(post(creation(f"name{asked}.quick.example", rid=asked)))
            return
        try:
            data = other.recv(65536)
        except BlockingIOError:
            slowest = max(slowest, time.monotonic() - begun)
            return
        slowest = max(slowest, time.monotonic() - begun)
        found = data.partition(b"condition='")[2].partition(b"'")[0].decode() or data[9:12].decode()
        refused[found] = refused.get(found, 0) + 1
        begun = None
        if not data or b"onnection: close" in data:
            other.close()
            other = connect(scene.port, "127.0.0.31")
            other.setblocking(False)

    for _ in scene.strikes(lambda seconds: (flood.pump(min(seconds, 0.01)), look())):
        flood.send(post(creation(f"n{number}.silent.example", rid=number + 1)))
        number += 1
        look()
    return {"sent": flood.sent, "other_lookup": slowest, "other_answered": sum(refused.values()),
            "outcome": f"{number} silent names; the other's {asked}: slowest {slowest:.2f} s, {refused}"}
