"""BOSH and WebSocket through each proxy, with the configurations of deploy/."""

import asyncio
import socket

import websockets

from support import proxies, websocket
from support.case import Case, holdfast_only
from support.processes import wait_until
from support.prosody import ACCOUNTS
from support.xmpp import chat


@holdfast_only
class Proxies(Case):
    # So short that a silent WebSocket would be cut within the test.
    options = ("--websocket-path", "/xmpp-websocket")
    SILENCE = 3

    def proxy(self, name, **options):
        proxy = proxies.ALL[name](self.scratch.sub(f"{name}-{self.id().split('.')[-1]}"), self.service, **options)
        self.addCleanup(proxy.stop)
        return proxy

    async def socket(self, proxy, user="romeo"):
        session = await websocket.Session(proxy.url("/xmpp-websocket", "ws"), ACCOUNTS).open()
        self.addAsyncCleanup(session.close)
        return await session.login(user, self.server.password)

    async def each(self, check, **options):
        for name in proxies.ALL:
            with self.subTest(proxy=name):
                await check(self.proxy(name, **options))

    async def converse(self, proxy):
        """Messages both ways, over both doors at the same time."""
        peer = await self.peer("mercutio")
        over_socket = await self.socket(proxy)
        over_polls = await self.session("juliet", port=proxy.port)
        for number in range(50):
            await over_socket.send(chat(peer.jid, f"socket {number}"))
            over_polls.send(chat(over_socket.jid, f"poll {number}"))
        for number in range(50):
            self.assertEqual(await peer.message(), f"socket {number}")
            self.assertEqual(await over_socket.message(), f"poll {number}")
        self.assertEqual(await over_socket.end(), 1000)
        await over_polls.terminate()

    async def test_messages_go_both_ways(self):
        await self.each(self.converse)

    async def leave(self, proxy):
        """The end of a client's socket is the end of its stream, at once."""
        session = await self.socket(proxy)
        streams = self.service.statistics()["upstream"]["streams_now"]
        session.socket.transport.abort()
        await asyncio.to_thread(
            wait_until, lambda: self.service.statistics()["upstream"]["streams_now"] == streams - 1, "the end of the stream")

    async def test_a_lost_client_is_noticed(self):
        await self.each(self.leave)


@holdfast_only
class SilentSockets(Proxies):
    """W-36, W-59: the ping keeps a silent WebSocket open, although the proxy cuts what is silent."""

    # Not those of the class above.
    test_messages_go_both_ways = test_a_lost_client_is_noticed = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service.stop()
        from support import gateway
        cls.service = gateway.Configured(
            cls.scratch.path, {"domain": [ACCOUNTS], "upstream": [f"127.0.0.1:{cls.server.plain_port}"],
                               "upstream-tls": "none", "websocket-ping": 1})
        cls.addClassCleanup(cls.service.stop)

    async def stay(self, proxy):
        session, peer = await self.socket(proxy), await self.peer("mercutio")
        await asyncio.sleep(2 * self.SILENCE)
        await session.send(chat(peer.jid, "still here"))
        self.assertEqual(await peer.message(), "still here")
        peer.write(chat(session.jid, "and here"))
        self.assertEqual(await session.message(), "and here")

    async def test_silence(self):
        await self.each(self.stay, silence=self.SILENCE)

    async def go_on(self, proxy):
        """A reload of the proxy leaves the sockets that are open."""
        if not hasattr(proxy, "reload"):
            return
        session, peer = await self.socket(proxy), await self.peer("mercutio")
        await asyncio.to_thread(proxy.reload)
        other = await self.socket(proxy, "juliet")
        await session.send(chat(other.jid, "over the old one"))
        self.assertEqual(await other.message(), "over the old one")
        await asyncio.sleep(1)
        await other.send(chat(session.jid, "over the new one"))
        self.assertEqual(await session.message(), "over the new one")

    async def test_reload(self):
        await self.each(self.go_on)
