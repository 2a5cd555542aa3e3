"""An XMPP server of a few lines on asyncio, for what real ones cannot be made to say."""

import asyncio
import re
import socket
import xml.etree.ElementTree as ElementTree

from .bosh import BIND, CLIENT, SASL
from .processes import PATIENCE

STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
MECHANISMS = f"<mechanisms xmlns='{SASL}'><mechanism>ANONYMOUS</mechanism></mechanisms>"


class Goodbye(Exception):
    """The client has ended its stream."""


class ScriptedServer:
    """Lets everybody in by SASL ANONYMOUS and throws stanzas away. `features` come with each header, `error` instead of
    any: the content of a stream error."""

    def __init__(self, features="", error=None):
        self.features, self.error = features, error
        # The first bytes of each connection, until its stream header is there.
        self.headers = []
        self.connections = 0
        # What all clients have sent after they were logged in.
        self.stanzas = b""
        self._news = asyncio.Event()
        self._server = None
        self._tasks = []

    async def heard(self, data):
        """Returns when a client has sent this."""
        while data not in self.stanzas:
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), PATIENCE)

    async def start(self, host="127.0.0.1", port=0):
        self._server = await asyncio.start_server(self._accept, host, port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self):
        self._server.close()
        await self._server.wait_closed()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader, writer):
        self.connections += 1
        self._tasks.append(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader, writer):
        try:
            await self._converse(reader, writer)
        except (Goodbye, asyncio.IncompleteReadError, ConnectionError, asyncio.TimeoutError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def _until(reader, end):
        """What comes until `end`, unless the client says goodbye first."""
        data = b""
        while end not in data:
            data += await asyncio.wait_for(reader.readuntil(b">"), PATIENCE)
            if b"</stream:stream>" in data:
                raise Goodbye
        return data

    async def _header(self, reader, writer, features):
        header = await self._until(reader, b"<stream:stream")
        to = re.search(rb"\bto=['\"]([^'\"]*)", header)[1].decode()
        writer.write((f"<?xml version='1.0'?><stream:stream xmlns='{CLIENT}' id='scripted' from='{to}' version='1.0' "
                      f"xmlns:stream='http://etherx.jabber.org/streams'>").encode())
        if self.error is not None:
            writer.write(f"<stream:error>{self.error}</stream:error></stream:stream>".encode())
        else:
            writer.write(f"<stream:features>{features}{self.features}</stream:features>".encode())
        return header

    async def _converse(self, reader, writer):
        self.headers.append(await self._header(reader, writer, MECHANISMS))
        if self.error is not None:
            return
        await self._until(reader, b"<auth")
        writer.write(f"<success xmlns='{SASL}'/>".encode())
        await self._header(reader, writer, f"<bind xmlns='{BIND}'/>")
        request = ElementTree.fromstring(await self._until(reader, b"</iq>"))
        writer.write(f"<iq type='result' id='{request.get('id')}'><bind xmlns='{BIND}'><jid>someone@scripted/x</jid></bind>"
                     f"</iq>".encode())
        while data := await reader.read(65536):
            self.stanzas += data
            self._news.set()
            if b"</stream:stream>" in data:
                return


class Sentinel:
    """A port that must not be connected to."""

    def __init__(self, address="127.0.0.1", port=0):
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(16)
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def was_connected(self):
        try:
            self.socket.accept()[0].close()
            return True
        except BlockingIOError:
            return False

    def stop(self):
        self.socket.close()


class BlackHole:
    """A port whose connections are neither accepted nor refused: its queue is full."""

    def __init__(self, address, port=0):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.sockets = [socket.socket(family)]
        self.sockets[0].bind((address, port))
        self.sockets[0].listen(0)
        self.port = self.sockets[0].getsockname()[1]
        for _ in range(16):
            client = socket.socket(family)
            self.sockets.append(client)
            client.settimeout(0.2)
            try:
                client.connect((address, self.port))
            except TimeoutError:
                return
        raise AssertionError("the queue of a listening socket is never full here")

    def stop(self):
        for each in self.sockets:
            each.close()
