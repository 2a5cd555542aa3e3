"""A proxy for HTTP polling that loses answers, as bad networks do."""

import asyncio
import contextlib
import itertools
import random
import socket
import struct

from .processes import PATIENCE

# What becomes of an exchange. PASS: nothing happens to it. LOSE: the answer comes, and the client's connection is closed in its
# place. HALVE: half of the answer is passed on. RESET: the request is passed on, and soon both connections are reset,
# mostly before the answer has come.
PASS, LOSE, HALVE, RESET = "pass", "lose", "halve", "reset"
# By then, in seconds, the service has read the request.
SOON = 0.005


class LosingProxy:
    """Stands before the service at `port` and loses a `share` of the answers in the `ways`, in turn; the `seed` decides which.

    Equal requests that follow each other are repeats, of which at most `most` are lost in a row. `lost` counts by the way.
    `careful`: a request without XML is never lost, and a connection is reset only when a test has called `processed` meanwhile.
    """

    def __init__(self, port, ways, seed, share=0.3, most=2, careful=False):
        self._service, self.share, self._most = port, share, most
        self._ways = itertools.cycle(ways)
        self._careful = careful
        self._draw = random.Random(seed)
        self._last, self._in_a_row = None, 0
        self.lost = dict.fromkeys(ways, 0)
        self._calm, self._processed = asyncio.Event(), asyncio.Event()
        self._calm.set()
        self._server = None

    def processed(self):
        """The service has processed the last request, as its effect shows."""
        self._processed.set()

    async def calm(self):
        """Returns when the last request that came is one that is not lost."""
        await asyncio.wait_for(self._calm.wait(), PATIENCE)

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self):
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            body = await reader.readexactly(length)
            await self._exchange(head + body, self._fate(body), writer)
        writer.close()

    def _fate(self, body):
        if body != self._last:
            self._last, self._in_a_row = body, 0
        is_spared = self._careful and not body.partition(b",")[2].strip()
        if is_spared or self._in_a_row == self._most or self._draw.random() >= self.share:
            return PASS
        self._in_a_row += 1
        return next(self._ways)

    async def _exchange(self, request, fate, client):
        if fate != PASS:
            self._calm.clear()
            self._processed.clear()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._service)
        try:
            writer.write(request)
            first = b""
            if fate == RESET and self._careful:
                # An answer that has come by then is not lost.
                reading, waiting = (asyncio.ensure_future(each) for each in (reader.read(1), self._processed.wait()))
                await asyncio.wait((reading, waiting), return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                if reading.done():
                    first, fate = reading.result(), PASS
                else:
                    reading.cancel()
            elif fate == RESET:
                await asyncio.sleep(SOON)
            if fate == RESET:
                self.lost[fate] += 1
                self._reset(writer, client)
                return
            if fate == PASS:
                self._calm.set()
            # Each answer ends its connection.
            answer = first + await reader.read(-1)
            if fate == LOSE:
                self.lost[fate] += 1
                return
            if fate == HALVE:
                self.lost[fate] += 1
                answer = answer[:len(answer) // 2]
            client.write(answer)
            await client.drain()
        finally:
            writer.close()

    @staticmethod
    def _reset(*writers):
        for writer in writers:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
