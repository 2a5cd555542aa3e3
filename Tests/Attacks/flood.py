"""Many connections of the attacker: writes what it gets as fast as it is read, and drops the answers."""

import re
import selectors
import socket
import time

from wire import SID

STATUS = re.compile(rb"HTTP/1\.1 (\d\d\d)")
BACKLOG = 4 << 20


class Connection:
    """One of the connections; `pieces` are the requests that wait to be written."""

    def __init__(self, source, reads=True, keeps=False):
        self.socket, self.source = None, source
        self.pieces = []
        self.at = 0
        self.backlog = 0
        self.reads, self.keeps = reads, keeps
        self.tail = b""
        self.received = bytearray()
        self.events = 0


class Flood:
    """Connections to one port, from one address or from several in turn. Lost connections are opened again when there is
    something to write."""

    def __init__(self, port, source=None, count=1, reads=True, keeps=False, receive_buffer=None, reopens=True):
        self.port, self.receive_buffer, self.reopens = port, receive_buffer, reopens
        sources = source if isinstance(source, list) else [source]
        self.selector = selectors.DefaultSelector()
        self.connections = [Connection(sources[number % len(sources)], reads, keeps)
                            for number in range(count)]
        self.sent = self.lost = self.opened = self.refused = self.skipped = 0
        self.statuses = {}
        self._next = 0

    def open(self, connection):
        """Starts to connect, without waiting for the result."""
        new = socket.socket()
        new.setblocking(False)
        if self.receive_buffer is not None:
            new.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        if connection.source is not None:
            new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            new.bind((connection.source, 0))
        if new.connect_ex(("127.0.0.1", self.port)) not in (0, 115):
            new.close()
            self.refused += 1
            return
        new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.socket = new
        connection.at = 0
        self.opened += 1
        self._watch(connection)

    def _watch(self, connection):
        wanted = (selectors.EVENT_READ if connection.reads else 0) | (selectors.EVENT_WRITE if connection.pieces else 0)
        if wanted == connection.events:
            return
        if connection.events == 0:
            self.selector.register(connection.socket, wanted, connection)
        elif wanted == 0:
            self.selector.unregister(connection.socket)
        else:
            self.selector.modify(connection.socket, wanted, connection)
        connection.events = wanted

    def send(self, data, connection=None):
        """Queues bytes on one connection, by default on the next in turn. Bytes that the peer is too slow for are left
        out."""
        if connection is None:
            connection = self.connections[self._next]
            self._next = (self._next + 1) % len(self.connections)
        if connection.backlog > BACKLOG:
            self.skipped += 1
            return
        if connection.socket is None:
            if connection.pieces == [] or self.reopens:
                self.open(connection)
            if connection.socket is None:
                return
        connection.pieces.append(memoryview(data))
        connection.backlog += len(data)
        self._write(connection)

    def _write(self, connection):
        try:
            while connection.pieces:
                piece = connection.pieces[0]
                count = connection.socket.send(piece[connection.at:connection.at + (1 << 19)])
                self.sent += count
                connection.at += count
                if connection.at == len(piece):
                    connection.pieces.pop(0)
                    connection.backlog -= len(piece)
                    connection.at = 0
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            if error.errno != 107:  # not connected yet
                self._drop(connection)
                return
        if connection.socket is not None:
            self._watch(connection)

    def _drop(self, connection):
        self.lost += 1
        if connection.events:
            self.selector.unregister(connection.socket)
        connection.socket.close()
        connection.socket, connection.events = None, 0
        connection.pieces, connection.backlog, connection.at = [], 0, 0

    def _read(self, connection):
        try:
            data = connection.socket.recv(1 << 19)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        if connection.keeps:
            connection.received += data
        for status in STATUS.findall(connection.tail + data):
            self.statuses[status.decode()] = self.statuses.get(status.decode(), 0) + 1
        # A status line that is cut in two is counted when its rest comes; eleven bytes contain no whole one.
        connection.tail = data[-11:]

    def pump(self, seconds):
        """Writes and reads for this long."""
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            for key, events in self.selector.select(max(left, 0)):
                connection = key.data
                if events & selectors.EVENT_WRITE and connection.socket is not None:
                    self._write(connection)
                if events & selectors.EVENT_READ and connection.socket is not None:
                    self._read(connection)
            if left <= 0:
                return
            if not self.selector.get_map():
                time.sleep(max(0.0, min(0.01, left)))

    def sids(self):
        """The sids in the data that the connections kept."""
        return [match.decode() for connection in self.connections for match in SID.findall(bytes(connection.received))]

    def alive(self):
        """How many connections the other side has not closed."""
        return sum(1 for connection in self.connections if connection.socket is not None and not gone(connection.socket))

    def close(self):
        for connection in self.connections:
            if connection.socket is not None:
                if connection.events:
                    self.selector.unregister(connection.socket)
                connection.socket.close()
                connection.socket, connection.events = None, 0


def gone(connection):
    """Whether the other side has ended this connection."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except (BlockingIOError, InterruptedError):
        return False
    except OSError:
        return True
