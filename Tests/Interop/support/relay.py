"""A relay of TCP connections that a test cuts."""

import asyncio
import contextlib


class Relay:
    """Passes connections on to a loopback port. `port`: where it listens."""

    def __init__(self, target):
        self._target = target
        self._writers = set()

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader, writer):
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, other_writer}
        await asyncio.gather(self._pass(reader, other_writer), self._pass(other_reader, writer))
        self._writers -= {writer, other_writer}

    @staticmethod
    async def _pass(reader, writer):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self):
        """Ends all connections, at both ends, at once."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def stop(self):
        self.cut()
        self._server.close()
        await self._server.wait_closed()
