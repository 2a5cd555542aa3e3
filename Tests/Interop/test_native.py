"""libpurple, gloox, xmpp4r and, over WebSocket, nbxmpp: native clients that log in with accounts, exchange messages and log out."""

import asyncio
import os

from support import gateway, relay
from support.case import Case, fails_in_control, holdfast_only
from support.native import SOURCES, NativeClient, compile_client
from support.prosody import ACCOUNTS
from support.xmpp import chat


class Native(Case):
    """Two clients of one kind that talk to each other."""

    every_upstream = True

    async def start(self, arguments):
        client = NativeClient(arguments)
        self.addCleanup(client.stop)
        self.assertEqual(await asyncio.to_thread(client.line), "online")
        return client

    async def converse(self, arguments, resource, count, leave=False):
        """`arguments` makes a command line of a JID. They take turns; then both log out.

        With `leave` the client says itself that it is unavailable; else the end of its session has to say so.
        """
        jids = [f"{user}@{ACCOUNTS}/{resource}" for user in ("romeo", "juliet")]
        watchers = [await self.watcher(user) for user in ("romeo", "juliet")]
        romeo, juliet = await asyncio.gather(*(self.start(arguments(jid)) for jid in jids))
        for watcher, jid in zip(watchers, jids):
            self.assertIsNone((await self.presence(watcher, jid)).get("type"))
        for number in range(count):
            romeo.write(f"send juliet@{ACCOUNTS} from romeo {number}")
            self.assertEqual(await asyncio.to_thread(juliet.message), (f"romeo@{ACCOUNTS}", f"from romeo {number}"))
            juliet.write(f"send romeo@{ACCOUNTS} from juliet {number}")
            self.assertEqual(await asyncio.to_thread(romeo.message), (f"juliet@{ACCOUNTS}", f"from juliet {number}"))
        for client, watcher, jid in zip((romeo, juliet), watchers, jids):
            if leave:
                client.write("leave")
                self.assertEqual((await self.presence(watcher, jid)).get("type"), "unavailable")
            await asyncio.to_thread(client.quit)
            if not leave:
                self.assertEqual((await self.presence(watcher, jid)).get("type"), "unavailable")

    async def watcher(self, user):
        """Another resource of the user, directly on the server, which gets no messages but sees the first one's presence."""
        watcher = await self.peer(user)
        watcher.write("<presence><priority>-1</priority></presence>")
        await watcher.synchronise()
        return watcher

    async def presence(self, watcher, jid):
        while (presence := await watcher.stanza("presence")).get("from") != jid:
            pass
        return presence


class Purple(Native):
    lasts_long = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = compile_client("purple.c", "cc", "purple", cls.scratch.path)

    async def test_libpurple(self):
        url = f"http://127.0.0.1:{self.service.port}/http-bind"
        await self.converse(lambda jid: [self.program, url, jid, self.server.password, "SCRATCH"], "purple", 5)

    @holdfast_only
    async def test_libpurple_notices_no_reload_no_upgrade_and_no_death_of_the_supervisor(self):
        service = gateway.Renewable(self.scratch, self.server)
        self.addCleanup(service.stop)
        url = f"http://127.0.0.1:{service.port}/http-bind"
        jids = [f"{user}@{ACCOUNTS}/renewed" for user in ("romeo", "juliet")]
        romeo, juliet = await asyncio.gather(
            *(self.start([self.program, url, jid, self.server.password, "SCRATCH"]) for jid in jids))
        for name, change in service.changes():
            happening = asyncio.create_task(asyncio.to_thread(change))
            for when in ("during", "after"):
                if when == "after":
                    await happening
                # To the resource: right after the login the server may not have its presence yet.
                romeo.write(f"send juliet@{ACCOUNTS}/renewed {when} {name}")
                self.assertEqual(await asyncio.to_thread(juliet.message), (f"romeo@{ACCOUNTS}", f"{when} {name}"))
                juliet.write(f"send romeo@{ACCOUNTS}/renewed {when} {name}")
                self.assertEqual(await asyncio.to_thread(romeo.message), (f"juliet@{ACCOUNTS}", f"{when} {name}"))
        # A client that had logged in again would have said so.
        for client in (romeo, juliet):
            await asyncio.to_thread(client.quit)


class Gloox(Native):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = compile_client("gloox.cpp", "c++", "gloox", cls.scratch.path)

    async def gloox(self, mode, count=10):
        # gloox misspells its terminate (`type='terminal'`): the session may stay until it is inactive.
        await self.converse(lambda jid: [self.program, "127.0.0.1", str(self.service.port), jid, self.server.password, mode],
                            mode, count, leave=True)

    async def test_gloox_http_1_0(self):
        await self.gloox("http10")

    async def test_gloox_http_1_1(self):
        await self.gloox("http11")

    async def test_gloox_pipelining(self):
        # mod_bosh reads the second request of a connection only when the first is answered, which takes `wait`.
        await self.gloox("pipelining", 1 if gateway.binary is None else 10)


class XMPP4R(Native):
    """A client without `ver`, xmpp:version and a namespace on its stanzas (N-05), with a connection per request."""

    @fails_in_control("ejabberd", "answers the creation without xmpp:version only after `wait`, and without features")
    async def test_xmpp4r(self):
        url = f"http://127.0.0.1:{self.service.port}/http-bind"
        program = os.path.join(SOURCES, "xmpp4r.rb")
        await self.converse(lambda jid: ["ruby", program, url, jid, self.server.password], "xmpp4r", 5)


class NBXMPP(Native):
    """Gajim's library with libsoup's WebSocket, which pings every five seconds."""

    def arguments(self, jid, port=None):
        return ["/usr/bin/python3", os.path.join(SOURCES, "nbxmpp_client.py"),
                f"ws://127.0.0.1:{port or self.service.port}/xmpp-websocket", jid, self.server.password]

    async def test_nbxmpp(self):
        await self.converse(self.arguments, "nbxmpp", 200)

    @fails_in_control("ejabberd", "does not find each stream again whose WebSocket was cut")
    async def test_nbxmpp_resumes_its_stream(self):
        """W-12, W-50: the socket is cut again and again; what comes meanwhile waits at the server, and nothing is doubled."""
        cutting = await relay.Relay(self.service.port).start()
        self.addAsyncCleanup(cutting.stop)
        jid, peer = f"romeo@{ACCOUNTS}/nbxmpp", await self.peer("mercutio")
        client = await self.start(self.arguments(jid, cutting.port))
        for number in range(5):
            # An answer shows that the stream is managed by now, or again.
            client.write(f"send {peer.jid} before {number}")
            self.assertEqual(await peer.message(), f"before {number}")
            peer.write(chat(jid, f"before {number}"))
            self.assertEqual(await self.line(client), f"message {peer.jid} before {number}")
            cutting.cut()
            peer.write(chat(jid, f"meanwhile {number}") + chat(jid, f"and {number}"))
            lines = [await self.line(client) for _ in range(3)]
            self.assertEqual(lines, ["resumed", f"message {peer.jid} meanwhile {number}", f"message {peer.jid} and {number}"])
        await asyncio.to_thread(client.quit)
        self.assertTrue(peer.inbox.empty())

    async def line(self, client):
        return await asyncio.to_thread(client.line)
