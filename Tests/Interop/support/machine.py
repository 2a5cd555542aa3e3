"""XMPP over WebSocket with the state machine of `wsproto`, which nobody here wrote: each frame is in the hands of the test."""

import asyncio
import collections
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import AcceptConnection, CloseConnection, Ping, Pong, Request, TextMessage

from . import websocket
from .processes import PATIENCE


class Session(websocket.Session):
    """One client: a plain socket, the machine, and one XMPP stream. It reads only while a test waits for something."""

    async def open(self, extensions=()):
        place = urlsplit(self.url)
        self.reader, self.writer = await asyncio.open_connection(place.hostname, place.port)
        self.machine = WSConnection(ConnectionType.CLIENT)
        self.accepted = None
        # Whole messages, the payloads of pongs, and how many pings came behind the last message.
        self.messages, self.pongs, self.pings_behind = collections.deque(), [], 0
        self._part = ""
        # The code of the other side's Close frame, and whether it has closed the connection.
        self.close_code, self.is_over = None, False
        self.put(Request(host=place.netloc, target=place.path, subprotocols=["xmpp"], extensions=list(extensions)))
        await self.until(lambda: self.accepted)
        assert self.accepted.subprotocol == "xmpp", self.accepted
        return self

    def put(self, event):
        """Sends what the machine makes of an event."""
        self.writer.write(self.machine.send(event))

    async def until(self, condition):
        """Reads until the condition holds; ConnectionError when the connection ends first."""
        while not condition():
            if self.is_over:
                raise ConnectionError(f"the connection has ended, Close {self.close_code}")
            data = await asyncio.wait_for(self.reader.read(65536), PATIENCE)
            if not data:
                self.is_over = True
                continue
            self.machine.receive_data(data)
            for event in self.machine.events():
                self._take(event)

    def _take(self, event):
        match event:
            case AcceptConnection():
                self.accepted = event
            case TextMessage():
                self._part += event.data
                if event.message_finished:
                    self.messages.append(self._part)
                    self._part = ""
                    self.pings_behind = 0
            case Ping():
                self.pings_behind += 1
                self.put(event.response())
            case Pong():
                self.pongs.append(bytes(event.payload))
            case CloseConnection():
                self.close_code = event.code
                if self.machine.state is ConnectionState.REMOTE_CLOSING:
                    self.put(event.response())
            case _:
                raise AssertionError(f"unexpected: {event}")

    async def send(self, text):
        self.put(TextMessage(text))

    async def text(self):
        await self.until(lambda: self.messages)
        return self.messages.popleft()

    async def closed(self):
        await self.until(lambda: self.is_over)
        return self.close_code

    async def close(self):
        self.writer.close()
