"""WebSocket (RFC 6455, RFC 7395): the state machine of `wsproto`, which shows each frame, in front of both servers."""

import asyncio

from wsproto.events import CloseConnection, Ping, TextMessage
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import LocalProtocolError

from support import machine
from support.case import Case, fails_in_control, holdfast_only
from support.processes import wait_until
from support.prosody import ACCOUNTS
from support.xmpp import chat

COUNT = 200


class StateMachine(Case):
    every_upstream = True

    async def client(self, user="romeo", **options):
        session = await machine.Session(self.service.websocket, ACCOUNTS).open(**options)
        self.addAsyncCleanup(session.close)
        return await session.login(user, self.server.password)

    async def test_messages_go_both_ways_in_order(self):
        """Many messages each way at once; then `<close/>`, the other side's Close frame, the answer to it, and its FIN."""
        session, peer = await self.client(), await self.peer("mercutio")
        for number in range(COUNT):
            await session.send(chat(peer.jid, f"out {number}"))
            peer.write(chat(session.jid, f"in {number}"))
        for number in range(COUNT):
            self.assertEqual(await peer.message(), f"out {number}")
            self.assertEqual(await session.message(), f"in {number}")
        self.assertEqual(await session.end(), 1000)

    @fails_in_control("prosody", "refuses messages in several frames")
    @fails_in_control("ejabberd", "closes at a ping between the frames of a message")
    async def test_pings_between_the_frames_of_a_message(self):
        """Each ping is answered before the message is whole, and the message comes whole (W-25, W-27)."""
        session, peer = await self.client(), await self.peer("mercutio")
        for turn in range(10):
            text = f"turn {turn} " + "ü€\U0001f600 " * 300
            stanza = chat(peer.jid, text)
            # The start tag in frames of one character, the rest in longer ones, and the last one is empty.
            rest = stanza[20:]
            pieces = [*stanza[:20], *(rest[start:start + 251] for start in range(0, len(rest), 251)), ""]
            for number, piece in enumerate(pieces):
                session.put(TextMessage(piece, message_finished=number == len(pieces) - 1))
                if number in (0, 7, len(pieces) - 2):
                    payload = f"{turn} {number}".encode() + b"\0" * (number % 100)
                    session.put(Ping(payload))
                    await session.until(lambda: payload in session.pongs)
            self.assertEqual(await peer.message(), text)
        self.assertEqual(len(session.pongs), 30)
        await session.send(chat(peer.jid, "behind"))
        self.assertEqual(await peer.message(), "behind")
        self.assertEqual(await session.end(), 1000)

    async def test_a_long_message_to_the_client(self):
        """One that needs eight bytes for its length, and others behind it."""
        session, peer = await self.client(), await self.peer("mercutio")
        peer.write(chat(session.jid, "long " * 30_000) + chat(session.jid, "behind"))
        self.assertEqual(await session.message(), "long " * 30_000)
        self.assertEqual(await session.message(), "behind")

    @fails_in_control("prosody", "answers 1000, whatever the client's code is")
    @fails_in_control("ejabberd", "leaves the connection open behind its Close frame, and pings on it")
    async def test_the_client_closes_first(self):
        """The client's Close frame is answered with its code, nothing follows, and others see the client go (W-29, W-30)."""
        session, peer = await self.client(), await self.peer("mercutio")
        await session.send(f"<presence to='{peer.jid}' xmlns='jabber:client'/>")
        while (await peer.stanza("presence")).get("from") != session.jid:
            pass
        session.put(CloseConnection(code=1001, reason="the page is left"))
        with self.assertRaises(LocalProtocolError):  # the machine sends nothing behind it either
            await session.send(chat(peer.jid, "too late"))
        self.assertEqual(await session.closed(), 1001)
        while (presence := await peer.stanza("presence")).get("from") != session.jid:
            pass
        self.assertEqual(presence.get("type"), "unavailable")

    @holdfast_only
    async def test_pings_of_the_service_are_answered(self):
        """W-38: a ping comes behind what was sent, and its pong proves that this has come."""
        session, peer = await self.client(), await self.peer("mercutio")
        peer.write(chat(session.jid, "proved"))
        self.assertEqual(await session.message(), "proved")
        await session.until(lambda: session.pings_behind > 0)
        # The pong is on its way, and what is sent behind it is read behind it.
        await session.send(chat(peer.jid, "behind the pong"))
        self.assertEqual(await peer.message(), "behind the pong")
        # A client of another test may still be ending its stream.
        await self.streams(1)
        returned = self.service.statistics()["upstream"]["stanzas_returned"]
        session.writer.transport.abort()
        await self.streams(0)
        self.assertEqual(self.service.statistics()["upstream"]["stanzas_returned"], returned)

    async def streams(self, count):
        """Returns when the service has so many."""
        await asyncio.to_thread(
            wait_until, lambda: self.service.statistics()["upstream"]["streams_now"] == count, f"{count} streams")

    @holdfast_only
    async def test_compression_is_declined(self):
        """W-33: it is offered, and messages go without."""
        session, peer = await self.client(extensions=[PerMessageDeflate()]), await self.peer("mercutio")
        self.assertEqual(session.accepted.extensions, [])
        await session.send(chat(peer.jid, "plain " * 100))
        self.assertEqual(await peer.message(), "plain " * 100)
