"""A proxy for HTTP polling that loses answers, as bad networks do."""

import asyncio
import contextlib
import random
import socket
import struct

# What becomes of an exchange. PASS: nothing happens to it. LOSE: the answer comes, and the client's connection is closed in its
# place. HALVE: half of the answer is passed on. RESET: the request is passed on, and soon both connections are reset, before the
# answer comes if the service still waits with it.
PASS, LOSE, HALVE, RESET = "pass", "lose", "halve", "reset"
# Of the service's answers to requests with XML none comes sooner than after 20 ms.
SOON = 0.005


class LosingProxy:
    """Stands before the service at `port` and loses a `share` of the answers in one of the `ways`; the `seed` decides about each.

    Equal requests that follow each other are repeats, of which at most `most` are lost in a row. With `only_content` a request
    without XML is never lost. `lost` counts by the way.
    """

    def __init__(self, port, ways, seed, share=0.3, most=2, only_content=False):
        self._service, self._ways, self._share, self._most = port, ways, share, most
        self._only_content = only_content
        self._draw = random.Random(seed)
        self._last, self._in_a_row = None, 0
        self.lost = dict.fromkeys(ways, 0)
        self._server = None

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
        is_spared = self._only_content and not body.partition(b",")[2].strip()
        if is_spared or self._in_a_row == self._most or self._draw.random() >= self._share:
            return PASS
        self._in_a_row += 1
        return self._draw.choice(self._ways)

    async def _exchange(self, request, fate, client):
        reader, writer = await asyncio.open_connection("127.0.0.1", self._service)
        try:
            writer.write(request)
            if fate == RESET:
                await asyncio.sleep(SOON)
                if not self._has_come(writer):
                    self.lost[fate] += 1
                    for each in (writer, client):
                        each.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        each.transport.abort()
                    return
            # Each answer ends its connection.
            answer = await reader.read(-1)
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
    def _has_come(writer):
        """Whether something of the answer is there, although the loop may not have read it yet."""
        descriptor = writer.get_extra_info("socket").fileno()
        with socket.socket(fileno=descriptor) as peeking:
            try:
                return peeking.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
            except BlockingIOError:
                return False
            finally:
                peeking.detach()
