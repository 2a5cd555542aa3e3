"""What a second worker costs and brings, and what a hand-over takes."""

import os
import re
import shutil
import socket
import subprocess
import time
from statistics import median

import sharing
from loads import processor
from quota import Unavailable
from stage import DOMAIN, FOLDER, Stage
from support.processes import Scratch
from tables import aligned

REQUESTS, TAKING_PART = 10_000, 64


def used(holdfast):
    """Seconds of processor time of all its processes so far."""
    return sum(map(processor, holdfast.pids()))


class Client:
    """A BOSH session whose requests go over a connection that it shares with others. Each message goes to itself, so its
    response brings it."""

    def __init__(self, connection):
        self._connection = connection
        self._rid = 1000
        self._sid = ""
        creation = self._ask(f"to='{DOMAIN}' wait='60' hold='1' ver='1.6' xml:lang='en' xmpp:version='1.0' "
                             "xmlns:xmpp='urn:xmpp:xbosh'")
        self._sid = re.search(r"sid='([^']*)'", creation)[1]
        self.worker = self._sid.split(".")[1]
        self._ask("", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>")
        self._ask(f"to='{DOMAIN}' xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'")
        bound = self._ask("", "<iq xmlns='jabber:client' type='set' id='b'>"
                              "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        jid = re.search(r"<jid>([^<]*)</jid>", bound)[1]
        self._message = f"<message xmlns='jabber:client' type='chat' to='{jid}'><body>{'x' * 100}</body></message>"

    def send(self):
        """A message to itself."""
        if "<message" not in self._ask("", self._message):
            raise AssertionError("a response without the message")

    def end(self):
        self._ask("type='terminate'")

    def _ask(self, attributes, payload=""):
        sid = f"sid='{self._sid}' " if self._sid else ""
        body = (f"<body xmlns='http://jabber.org/protocol/httpbind' rid='{self._rid}' {sid}{attributes}>{payload}</body>")
        self._rid += 1
        return self._connection.ask(body)


class Connection:
    """One HTTP connection."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def ask(self, body):
        self._socket.sendall(b"POST /http-bind HTTP/1.1\r\nHost: h\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%b"
                             % (len(body), body.encode()))
        while b"\r\n\r\n" not in self._buffer:
            self._receive()
        head, _, rest = self._buffer.partition(b"\r\n\r\n")
        length = int(re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)[1])
        self._buffer = rest
        while len(self._buffer) < length:
            self._receive()
        content, self._buffer = self._buffer[:length], self._buffer[length:]
        return content.decode()

    def _receive(self):
        received = self._socket.recv(65536)
        if not received:
            raise AssertionError("Holdfast closed the connection")
        self._buffer += received

    def close(self):
        self._socket.close()


def orders(clients, requests):
    """Two orders of the same requests: in one nearly all of them follow one to the same worker, in the other none does. Many
    sessions take part, because the requests of each are limited."""
    by_worker = {}
    for client in clients:
        by_worker.setdefault(client.worker, []).append(client)
    if len(by_worker) != 2:
        raise AssertionError(f"the sessions are on the workers {sorted(by_worker)}, not on two")
    halves = [[its[number % len(its)] for number in range(requests // 2)] for its in by_worker.values()]
    return halves[0] + halves[1], [client for two in zip(*halves) for client in two]


def handover(given, rounds, requests):
    """By round: microseconds of processor time and of waiting that a request takes without and with a hand-over."""
    stage = Stage(given, 2)
    try:
        connection = Connection(stage.port)
        clients = [Client(connection) for _ in range(TAKING_PART)]
        found = []
        for _ in range(rounds):
            times = []
            for order in orders(clients, requests):
                before, began = used(stage.holdfast), time.monotonic()
                for client in order:
                    client.send()
                times.append(((used(stage.holdfast) - before) / requests * 1e6, (time.monotonic() - began) / requests * 1e6))
            found.append(times)
        for client in clients:
            client.end()
        connection.close()
        return found
    finally:
        stage.stop()


def floor():
    """Microseconds of processor time that the kernel takes for a hand-over: when each wakes up the receiver, and of many at once.
    None without a C compiler."""
    compiler = shutil.which("clang") or shutil.which("cc")
    if not compiler:
        return None
    scratch = Scratch()
    try:
        program = os.path.join(scratch.path, "floor")
        subprocess.run([compiler, "-O2", "-o", program, os.path.join(FOLDER, "floor.c")], check=True)
        return subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    finally:
        scratch.remove()


def run(given, say):
    """Prints the tables; the exit status."""
    turns = given.seconds or 8
    try:
        free, bounded = sharing.rounds(given, given.rounds, turns, say, [None, sharing.SHARE])
    except Unavailable as error:
        say(f"no verdict, because no worker can be the bottleneck here: {error}")
        [free] = sharing.rounds(given, given.rounds, turns, say, [None])
        is_good = False
    else:
        cost = sharing.ratio(bounded, sharing.TOGETHER, sharing.ONE, lambda one: one.cost)
        carried = sharing.ratio(bounded, sharing.TOGETHER, sharing.ONE, lambda one: one.rate)
        say(f"\n{sharing.SESSIONS} sessions in a closed loop through nginx's pools, when each worker gets {sharing.SHARE:.0%} of a core\n\n"
            f"{aligned(sharing.table(bounded))}\n\n"
            f"two that share all cost {cost:.2f} of one (at most {sharing.MOST}), and carry {carried:.2f} of it (at least {sharing.LEAST})\n")
        is_good = cost <= sharing.MOST and carried >= sharing.LEAST
    shared = sharing.ratio(free, sharing.TOGETHER, sharing.APART, lambda one: one.cost)
    say(f"\nthe same, when all processes share all cores\n\n{aligned(sharing.table(free))}\n\n"
        f"two that share all cost {shared:.2f} of two that share nothing, so a hand-over takes {sharing.handover(free):.1f} us\n")
    rows = [["round", "no hand-over, us a request", "each handed over", "a hand-over", "waiting: no hand-over",
             "each handed over"]]
    costs = []
    for number, ((stayed, waited), (moved, waited_more)) in enumerate(handover(given, given.rounds, REQUESTS)):
        costs.append(moved - stayed)
        rows.append([str(number + 1), f"{stayed:.1f}", f"{moved:.1f}", f"{costs[-1]:.1f}", f"{waited:.0f}", f"{waited_more:.0f}"])
    say(f"Requests of sessions of two workers on one connection, one after the other\n\n{aligned(rows)}\n\n"
        f"median of a hand-over: {median(costs):.1f} us")
    if least := floor():
        say(f"the kernel's calls alone, without Holdfast: {least[0]} us if each wakes up the receiver, {least[1]} us of many at once")
    return 0 if is_good else 1
