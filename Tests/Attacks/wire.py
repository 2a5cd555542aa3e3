"""The bytes of HTTP and BOSH: requests built in advance, answers split in order, and a session that logs in."""

import gzip
import random
import re
import select
import socket
import time
import zlib

PATH = "/http-bind"
BOSH = "http://jabber.org/protocol/httpbind"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"

CONDITION = re.compile(rb"condition=['\"]([^'\"]*)")
SID = re.compile(rb"\bsid=['\"]([^'\"]*)")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Ended(Exception):
    """The session or the connection has ended, or the time is up; the text says which."""


def packed(data, bits, ratio):
    """Compresses, but not more than `ratio` times, by putting empty blocks in front: just below a limit on expansion. 31 bits
    mean gzip, 15 deflate."""
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    start = packer.compress(data[:1]) + packer.flush(zlib.Z_SYNC_FLUSH)
    rest = packer.compress(data[1:]) + packer.flush()
    missing = int(len(data) / ratio) - len(start) - len(rest)
    return start + b"\0\0\0\xff\xff" * max(0, missing // 5 + 1) + rest


def post(body, coding=None, fields="", chunked=False):
    """A whole POST request with this body; `coding` is gzip, deflate, "gzip, almost five times" or None."""
    if isinstance(body, str):
        body = body.encode()
    if coding == "gzip":
        body = gzip.compress(body, 9, mtime=0)
    elif coding == "deflate":
        body = zlib.compress(body, 9)
    elif coding == "gzip, almost five times":
        body, coding = packed(body, 31, 4.7), "gzip"
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n{fields}"
    if coding is not None:
        head += f"Content-Encoding: {coding}\r\n"
    if chunked:
        pieces = [b"%x\r\n%b\r\n" % (len(body[at:at + 4096]), body[at:at + 4096]) for at in range(0, len(body), 4096)]
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + b"".join(pieces) + b"0\r\n\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def creation(domain, rid=1000, extra="", payload=b"", hold=1):
    """The body of a request that opens a session."""
    return (f"<body xmlns='{BOSH}' rid='{rid}' to='{domain}' ver='1.6' wait='55' hold='{hold}' xml:lang='en' "
            f"xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh' {extra}>").encode() + payload + b"</body>"


def request(sid, rid, payload=b"", extra=""):
    """The body of a request of a session."""
    return f"<body xmlns='{BOSH}' rid='{rid}' sid='{sid}' {extra}>".encode() + payload + b"</body>"


class Answers:
    """Splits the input of one connection into answers."""

    def __init__(self):
        self._data = bytearray()

    def feed(self, data):
        """Takes bytes and returns the answers that are now complete, each as (status, body)."""
        self._data += data
        done = []
        while True:
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return done
            head = bytes(self._data[:end])
            length = LENGTH.search(head)
            total = end + 4 + (int(length[1]) if length else 0)
            if len(self._data) < total:
                return done
            done.append((int(head[9:12]), bytes(self._data[end + 4:total])))
            del self._data[:total]


def connect(port, source=None, timeout=10.0, receive_buffer=None):
    """A connection from the loopback address `source`, or from one of several."""
    if isinstance(source, list):
        source = random.choice(source)
    connection = socket.socket()
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(timeout)
    if source is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind((source, 0))
    connection.connect(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Line:
    """One connection that waits for its answers."""

    def __init__(self, port, source=None, timeout=10.0):
        self.port, self.source, self.timeout = port, source, timeout
        self.socket = None
        self.sent = 0
        self.waiting = []
        self.pending = 0

    def send(self, data):
        """Writes a request, over a new connection when there is none."""
        if self.socket is None:
            self.socket, self.answers, self.waiting = connect(self.port, self.source, self.timeout), Answers(), []
            self.pending = 0
        self.socket.sendall(data)
        self.sent += len(data)
        self.pending += 1

    def receive(self, patience):
        """Reads once; complete answers are in `waiting`."""
        self.socket.settimeout(max(patience, 0.001))
        try:
            data = self.socket.recv(1 << 18)
        except TimeoutError:
            raise Ended("no answer in time") from None
        except OSError as error:
            self.close()
            raise Ended(f"connection lost: {error}") from None
        if not data:
            self.close()
            raise Ended("connection closed")
        done = self.answers.feed(data)
        self.pending -= len(done)
        self.waiting += done

    def answer(self, patience=None):
        """The next answer as (status, body)."""
        deadline = time.monotonic() + (self.timeout if patience is None else patience)
        while not self.waiting:
            if self.socket is None:
                raise Ended("connection closed")
            self.receive(deadline - time.monotonic())
        return self.waiting.pop(0)

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class Session:
    """A BOSH session over two connections, with one request held. It blocks, with a timeout."""

    def __init__(self, port, domain, user="anonymous", source=None, timeout=10.0, fields="", hold=1,
                 extra=""):
        self.lines = [Line(port, source, timeout), Line(port, source, timeout)]
        self.domain, self.user, self.timeout, self.fields, self.hold = domain, user, timeout, fields, hold
        self.extra = extra
        self.rid = self.first = random.randrange(1, 1 << 40)
        self.sid = None

    @property
    def sent(self):
        """The bytes that were sent for the session."""
        return sum(line.sent for line in self.lines)

    def body(self, payload=b"", extra=""):
        """The body of the next request; advances the rid."""
        self.rid += 1
        return request(self.sid, self.rid, payload, extra)

    def exchange(self, payload=b"", extra=""):
        """Sends a request and waits for its own answer."""
        self.lines[0].send(post(self.body(payload, extra), fields=self.fields))
        return self.take(self.lines[0].answer())

    @staticmethod
    def take(answer):
        """The body of an answer; raises `Ended` when it ends the session."""
        status, body = answer
        if status != 200:
            raise Ended(f"HTTP {status}")
        if b"type='terminate'" in body[:400] or b'type="terminate"' in body[:400]:
            condition = CONDITION.search(body[:600])
            raise Ended(condition[1].decode() if condition else "terminate")
        return body

    def create(self):
        """Opens the session; the answer contains the server's features."""
        self.lines[0].send(post(creation(self.domain, self.rid, self.extra, hold=self.hold), fields=self.fields))
        body = self.take(self.lines[0].answer())
        found = SID.search(body)
        if found is None:
            raise Ended("no sid")
        self.sid = found[1].decode()
        return body

    def _until(self, wanted, payload=b"", extra=""):
        body = self.exchange(payload, extra)
        deadline = time.monotonic() + self.timeout
        while wanted not in body:
            if time.monotonic() > deadline:
                raise Ended(f"no {wanted.decode()} in time")
            body = self.exchange()
        return body

    def login(self):
        """Everything up to the bound resource."""
        import base64
        if b"mechanisms" not in self.create():
            self._until(b"mechanisms")
        word = base64.b64encode(f"\0{self.user}\0secret".encode())
        self._until(b"<success", b"<auth xmlns='%b' mechanism='PLAIN'>%b</auth>" % (SASL.encode(), word))
        self._until(b"<bind", extra=f"xmpp:restart='true' to='{self.domain}' xmlns:xmpp='urn:xmpp:xbosh'")
        self._until(b"<jid>", b"<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='%b'/></iq>" % BIND.encode())
        return self

    def send(self, payload=b""):
        """Sends over the connection without an open request, without waiting. This releases the request of the other
        connection."""
        line = min(self.lines, key=lambda each: each.pending if each.socket is not None else 0)
        if line.pending > 0 and line.socket is not None:
            raise Ended("both connections wait")
        line.send(post(self.body(payload), fields=self.fields))

    def collect(self, patience):
        """The answers that come within `patience`: at least one, or `Ended`."""
        deadline = time.monotonic() + patience
        while True:
            done = []
            for line in self.lines:
                done += [self.take(answer) for answer in line.waiting]
                line.waiting = []
            if done:
                return done
            open_lines = [line for line in self.lines if line.socket is not None]
            left = deadline - time.monotonic()
            if left <= 0 or not open_lines:
                raise Ended("no answer in time")
            for ready in select.select([line.socket for line in open_lines], [], [], left)[0]:
                next(line for line in open_lines if line.socket is ready).receive(left)

    def terminate(self):
        """Ends the session as far as that is possible."""
        try:
            if self.sid is not None:
                line = min(self.lines, key=lambda each: each.pending)
                line.send(post(self.body(extra="type='terminate'")))
                line.answer(2)
        except (Ended, OSError):
            pass
        self.close()

    def close(self):
        for line in self.lines:
            line.close()
