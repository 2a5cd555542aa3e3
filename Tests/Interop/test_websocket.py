"""WebSocket (RFC 7395): honest clients that others wrote, in front of both servers."""

import asyncio
import json
import urllib.request
from xml.sax.saxutils import quoteattr

import websockets

from support import gateway, websocket
from support.case import Case, fails_in_control, holdfast_only
from support.prosody import ACCOUNTS, ANONYMOUS
from support.processes import PATIENCE, wait_until
from support.websocket import FRAMING, SM, STREAMS
from support.xmpp import chat

FILLING = "wherefore art thou " * 20
COUNT = 200


class WebSockets(Case):
    every_upstream = True

    async def client(self, user=None, **options):
        session = websocket.Session(self.service.websocket, ANONYMOUS if user is None else ACCOUNTS)
        await session.open(**options)
        self.addAsyncCleanup(session.close)
        await session.login(user, self.server.password)
        return session

    async def test_chat(self):
        """Both ways, each message once and in order; then an end in order."""
        session, peer = await self.client("romeo"), await self.peer("mercutio")
        for number in range(COUNT):
            await session.send(chat(peer.jid, f"out {number} {FILLING}"))
            peer.write(chat(session.jid, f"in {number} {FILLING}"))
        for number in range(COUNT):
            self.assertEqual(await peer.message(), f"out {number} {FILLING}")
            self.assertEqual(await session.message(), f"in {number} {FILLING}")
        self.assertEqual(await session.end(), 1000)

    @fails_in_control("prosody", "refuses messages in several frames")
    async def test_large_and_fragmented(self):
        """A message in frames, as Chromium sends long ones, and one that takes several steps to read."""
        session, peer = await self.client("romeo"), await self.peer("mercutio")
        text = chat(peer.jid, "long " * 40_000)
        await session.socket.send([text[start:start + 60_000] for start in range(0, len(text), 60_000)])
        self.assertEqual(await peer.message(), "long " * 40_000)
        await session.send(chat(peer.jid, "behind"))
        self.assertEqual(await peer.message(), "behind")

    async def test_ping(self):
        session = await self.client()
        await asyncio.wait_for(await session.socket.ping(b"are you there"), PATIENCE)

    async def test_unknown_domain(self):
        session = await websocket.Session(self.service.websocket, "nowhere.example").open()
        self.addAsyncCleanup(session.close)
        await session.send(f"<open xmlns='{FRAMING}' to='nowhere.example' version='1.0'/>")
        tags = [(await session.element()).tag for _ in range(3)]
        self.assertEqual(tags, [f"{{{FRAMING}}}open", f"{{{STREAMS}}}error", f"{{{FRAMING}}}close"])
        self.assertEqual(await session.closed(), 1000)

    @holdfast_only
    async def test_a_stream_is_resumed(self):
        """W-12, W-50: the socket is cut; what came meanwhile waits at the server for the client that resumes."""
        session, peer = await self.client("romeo"), await self.peer("mercutio")
        await session.send(f"<enable xmlns='{SM}' resume='true'/>")
        while (enabled := await session.element()).tag != f"{{{SM}}}enabled":
            pass
        session.socket.transport.abort()
        streams = lambda: self.service.statistics()["upstream"]["streams_now"]
        await asyncio.to_thread(wait_until, lambda: streams() == 0, "the end of the stream")
        peer.write(chat(session.jid, "while it was away"))
        await peer.synchronise()
        again = await websocket.Session(self.service.websocket, ACCOUNTS).open()
        self.addAsyncCleanup(again.close)
        await again.login("romeo", self.server.password, bind=False)
        await again.send(f"<resume xmlns='{SM}' h='0' previd={quoteattr(enabled.get('id'))}/>")
        self.assertEqual((await again.element()).tag, f"{{{SM}}}resumed")
        self.assertEqual(await again.message(), "while it was away")
        # Nothing but the address of what the server sends says whose stream it is.
        query = f"http://127.0.0.1:{self.service.admin_port}/sessions?state=live&user=romeo"
        with await asyncio.to_thread(urllib.request.urlopen, query, timeout=60) as answer:
            self.assertEqual({row["user"] for row in json.load(answer)["sessions"]}, {f"romeo@{ACCOUNTS}"})
        statistics = self.service.statistics()["websockets"]
        self.assertEqual(statistics["dropped_for_resumption"], 1)
        # It is resumable again, and so it is dropped again.
        again.socket.transport.abort()
        await asyncio.to_thread(
            wait_until, lambda: self.service.statistics()["websockets"]["dropped_for_resumption"] == 2, "the second drop")

    @holdfast_only
    async def test_subprotocol(self):
        """W-01: without the subprotocol there is no socket."""
        with self.assertRaises(websockets.exceptions.InvalidStatusCode) as refused:
            await websockets.connect(self.service.websocket)
        self.assertEqual(refused.exception.status_code, 400)

    @holdfast_only
    async def test_compression_is_declined(self):
        """W-33: the client offers it, as all do."""
        session = await self.client()
        self.assertEqual(session.socket.extensions, [])
