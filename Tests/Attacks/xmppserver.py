"""An XMPP server of a few lines in a process of its own: lets everybody in, echoes, and says what it is told to say.

How it behaves goes by the domain that a stream is opened to: `silent...` gets no answer at all, `error...` gets a stream
error with a huge condition, everything else a login. After that a message whose id begins with `h` comes back as it is,
and all else is thrown away. A connection that begins with `@` is not XMPP but the attacker's hand: a line of JSON
`@{"to": USER, "length": N, "times": K}` and N bytes, which are sent K times to the newest stream of that user.
"""

import base64
import json
import multiprocessing
import re
import selectors
import socket

from urgency import go_first
from wire import BIND, SASL

HEADER = re.compile(rb"<stream:stream\b[^>]*?\bto=['\"]([^'\"]*)['\"][^>]*>")
ECHO = b"<message id='h"
MECHANISMS = f"<mechanisms xmlns='{SASL}'><mechanism>ANONYMOUS</mechanism><mechanism>PLAIN</mechanism></mechanisms>"
HIGH_WATER = 8 << 20


def hostile_condition(length):
    """The name of a stream error's condition, made of combining marks in the order that is worst to sort."""
    return b"a" + ("\u0301" * (length // 4) + "\u0323" * (length // 4)).encode()


class Stream:
    """One connection."""

    def __init__(self, connection):
        self.socket = connection
        self.received = bytearray()
        self.sending = bytearray()
        self.again = []
        self.state = "header"
        self.user = None
        self.is_in = False


class Server:
    """The loop; it runs until its process is ended."""

    def __init__(self, listener, condition_length):
        self.listener, self.condition_length = listener, condition_length
        self.selector = selectors.DefaultSelector()
        listener.setblocking(False)
        self.selector.register(listener, selectors.EVENT_READ, None)
        self.users = {}

    def run(self):
        while True:
            for key, events in self.selector.select():
                if key.data is None:
                    self._accept()
                    continue
                try:
                    if key.data.state == "gone":
                        continue
                    if events & selectors.EVENT_READ:
                        data = key.data.socket.recv(1 << 18)
                        if not data:
                            raise ConnectionError
                        self._take(key.data, data)
                    self._flush(key.data)
                except OSError:
                    self._drop(key.data)

    def _accept(self):
        for _ in range(256):
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(connection, selectors.EVENT_READ, Stream(connection))

    def _drop(self, stream):
        if stream.state == "gone":
            return
        stream.state = "gone"
        self.selector.unregister(stream.socket)
        stream.socket.close()
        if self.users.get(stream.user) is stream:
            del self.users[stream.user]

    def _flush(self, stream):
        while stream.sending or stream.again:
            if not stream.sending:
                blob, times = stream.again[0]
                stream.sending += blob
                stream.again[0] = (blob, times - 1)
                if times <= 1:
                    stream.again.pop(0)
            try:
                del stream.sending[:stream.socket.send(memoryview(stream.sending)[:1 << 18])]
            except BlockingIOError:
                break
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if stream.sending else 0)
        if stream.state != "gone" and self.selector.get_key(stream.socket).events != wanted:
            self.selector.modify(stream.socket, wanted, stream)

    def _take(self, stream, data):
        if stream.state == "sink":
            return
        stream.received += data
        if stream.state == "header" and stream.received[:1] == b"@":
            stream.state = "hand"
        if stream.state == "hand":
            return self._obey(stream)
        if stream.state == "open":
            return self._echo(stream)
        while stream.state in ("header", "login") and self._negotiate(stream):
            pass

    def _negotiate(self, stream):
        """Handles one step of a login; returns whether there was one."""
        data = bytes(stream.received)
        found = HEADER.search(data)
        if found:
            domain = found[1]
            if domain.startswith(b"silent"):
                stream.state = "sink"
                return False
            del stream.received[:found.end()]
            stream.sending += (
                f"<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='s' from='{domain.decode()}' version='1.0' "
                f"xmlns:stream='http://etherx.jabber.org/streams'>").encode()
            if domain.startswith(b"error"):
                condition = hostile_condition(self.condition_length)
                stream.sending += (b"<stream:error><%b xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
                                   b"</stream:stream>" % condition)
                stream.state = "sink"
                return False
            features = f"<bind xmlns='{BIND}'/>" if stream.is_in else MECHANISMS
            stream.sending += f"<stream:features>{features}</stream:features>".encode()
            stream.state = "login"
            return True
        end = data.find(b"</auth>")
        if end >= 0:
            words = base64.b64decode(data[data.rfind(b">", 0, end) + 1:end] + b"==").split(b"\0")
            stream.user = words[1].decode() if len(words) > 1 else "anonymous"
            self.users[stream.user] = stream
            stream.is_in = True
            stream.sending += f"<success xmlns='{SASL}'/>".encode()
            del stream.received[:end + 7]
            return True
        end = data.find(b"</iq>")
        if end >= 0 and stream.is_in:
            stream.sending += (f"<iq type='result' id='b'><bind xmlns='{BIND}'><jid>{stream.user}@x/y</jid></bind>"
                               f"</iq>").encode()
            del stream.received[:end + 5]
            stream.state = "open"
            self._echo(stream)
        return False

    def _echo(self, stream):
        data = bytes(stream.received)
        if b"</stream:stream>" in data[-64:]:
            stream.sending += b"</stream:stream>"
            stream.state = "sink"
            return
        at = 0
        while True:
            begin = data.find(ECHO, at)
            if begin < 0:
                # Bytes that may be the beginning of an element stay.
                keep = data.rfind(b"<", max(at, len(data) - len(ECHO)))
                break
            end = data.find(b"</message>", begin)
            if end < 0:
                keep = begin
                break
            at = end + 10
            if len(stream.sending) < HIGH_WATER:
                stream.sending += data[begin:at]
        del stream.received[:keep if keep >= 0 else len(data)]

    def _obey(self, stream):
        line, newline, rest = bytes(stream.received).partition(b"\n")
        if not newline:
            return
        order = json.loads(line[1:])
        if len(rest) < order["length"]:
            return
        blob = rest[:order["length"]]
        stream.received = bytearray(rest[order["length"]:])
        target = self.users.get(order["to"])
        if target is not None:
            target.again.append((blob, order.get("times", 1)))
            try:
                self._flush(target)
            except OSError:
                self._drop(target)
        stream.sending += b"done\n" if target is not None else b"none\n"
        if stream.received:
            self._obey(stream)


def start(condition_length=65536, is_first=False):
    """A server on a free port, as (process, port)."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(4096)
    port = listener.getsockname()[1]

    def body():
        if is_first:
            go_first()
        Server(listener, condition_length).run()

    process = multiprocessing.Process(target=body, daemon=True)
    process.start()
    listener.close()
    return process, port


class Hand:
    """The attacker's connection to the server of a contact."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 20)

    def deliver(self, user, blob, times=1):
        """Makes the server send `blob` to a user this many times; returns False when there is no such user."""
        order = json.dumps({"to": user, "length": len(blob), "times": times})
        self.socket.sendall(b"@" + order.encode() + b"\n" + blob)
        return self.socket.recv(5) == b"done\n"
