"""HTTP polling (XEP-0025): tclxmpp, the client library that still speaks it, without a window; and through a proxy that loses
answers.

At a lost answer tclxmpp sends the same request again, with the same key, up to three times at once; then it gives up. An answer
of which a part is missing it takes for a whole one. So it meets lost answers here, in `Losses`, but none in halves; these are for
the client in support/polling.py, which repeats until it has a whole one.
"""

import asyncio
import os

from support import losing, polling
from support.case import Case, holdfast_only
from support.native import SOURCES, NativeClient
from support.prosody import ACCOUNTS
from support.xmpp import chat



class PollingCase(Case):
    every_upstream = True

    def service_with(self, **settings):
        return self.configured({
            "domain": [ACCOUNTS], "upstream": f"127.0.0.1:{self.server.plain_port}", "upstream-tls": "none",
            "polling-path": "/http-poll", **settings,
        })

    async def tclxmpp(self, port, keys, numkeys=100, sasl=True, turns=5, messages=1, interval=300, proxy=None):
        """Each message both ways, once and in order. With a careful `proxy` answers are lost while the
        server has nothing to say."""
        peer = await self.peer("mercutio")
        client = NativeClient([
            "tclsh", os.path.join(SOURCES, "tclxmpp.tcl"), f"http://127.0.0.1:{port}/http-poll", ACCOUNTS,
            "romeo", self.server.password, peer.jid, str(int(keys)), str(numkeys), str(int(sasl)), str(turns), str(messages),
            str(interval),
        ])
        self.addCleanup(client.stop)
        self.assertEqual(await asyncio.to_thread(client.line), "online")
        for turn in range(turns):
            numbers = range(turn * messages, (turn + 1) * messages)
            for number in numbers:
                self.assertEqual(await peer.message(), f"out {number}")
                if proxy is not None:
                    proxy.processed()
            if proxy is not None:
                await proxy.calm()
            for number in numbers:
                peer.write(chat(f"romeo@{ACCOUNTS}/poll", f"in {number}"))
        came = ["ü <&>", *(f"in {number}" for number in range(turns * messages))]
        self.assertEqual(await asyncio.to_thread(client.line), f"done {','.join(came)}")
        await peer.synchronise()
        self.assertTrue(peer.inbox.empty())


@holdfast_only
class Polling(PollingCase):
    async def converse(self, service, keys, **options):
        """Both ways, each message in its turn, through several chains of keys."""
        await self.tclxmpp(service.port, keys, **options)
        return service.statistics()["polling"]

    async def test_with_keys(self):
        """Q-16 to Q-18: five keys a chain, so that it changes again and again."""
        statistics = await self.converse(self.service_with(**{"polling-require-keys": "on"}), keys=True, numkeys=5)
        self.assertEqual((statistics["ever"], statistics["restarts"]), (1, 1))
        self.assertEqual(statistics["errors"]["key-sequence"], 0)

    async def test_without_keys(self):
        statistics = await self.converse(self.service_with(), keys=False)
        self.assertEqual(sum(statistics["errors"].values()), 0)


@holdfast_only
class Losses(PollingCase):
    """Q-21 to Q-23: answers are lost on the way, and 200 messages each way arrive once and in order."""

    lasts_long = True
    TURNS, MESSAGES = 40, 5
    # So long that no answer is due while a request is being lost, in ms.
    HOLD = 1000

    async def proxy(self, service, *ways, **options):
        proxy = await losing.LosingProxy(service.port, ways, **options).start()
        self.addAsyncCleanup(proxy.stop)
        return proxy

    async def client(self, proxy, chain):
        """The scripted client: while many requests are lost, the server speaks at any time."""
        peer = await self.peer("mercutio")
        session = await polling.Session(proxy.port, ACCOUNTS, chain).login("romeo", self.server.password)
        for numbers in self.turns():
            for number in numbers:
                session.send(chat(peer.jid, f"out {number}"))
                peer.write(chat(session.jid, f"in {number}"))
            for number in numbers:
                self.assertEqual(await session.message(), f"in {number}")
                self.assertEqual(await peer.message(), f"out {number}")
        await self.leave(session, peer)
        return session

    async def careful_client(self, proxy):
        """The same client without keys: while its request is lost, the server has nothing to say."""
        peer = await self.peer("mercutio")
        session = await polling.Session(proxy.port, ACCOUNTS).login("romeo", self.server.password)
        # Its own presence comes back before.
        session.send(chat(session.jid, "to itself"))
        self.assertEqual(await session.message(), "to itself")
        for numbers in self.turns():
            for number in numbers:
                session.send(chat(peer.jid, f"out {number}"))
            asking = asyncio.create_task(session.message())
            for number in numbers:
                self.assertEqual(await peer.message(), f"out {number}")
                proxy.processed()
            await proxy.calm()
            for number in numbers:
                peer.write(chat(session.jid, f"in {number}"))
            self.assertEqual(await asking, f"in {numbers[0]}")
            for number in numbers[1:]:
                self.assertEqual(await session.message(), f"in {number}")
        await self.leave(session, peer)
        return session

    def turns(self):
        return [range(turn * self.MESSAGES, (turn + 1) * self.MESSAGES) for turn in range(self.TURNS)]

    async def leave(self, session, peer):
        """Nothing is left for either side."""
        await session.end()
        self.assertFalse(session.elements)
        await peer.synchronise()
        self.assertTrue(peer.inbox.empty())

    def check(self, service, proxy, session=None):
        """There were losses of each kind, and repeats. (Who loses the first answer knows no identifier, and begins again.)"""
        statistics = service.statistics()["polling"]
        self.assertEqual(sum(statistics["errors"].values()), 0, statistics["errors"])
        self.assertGreater(min(proxy.lost.values()), 0, proxy.lost)
        self.assertGreater(statistics["repeats"], 0)
        if session is not None:
            self.assertEqual(session.repeats, sum(proxy.lost.values()))

    async def test_the_scripted_client_with_keys(self):
        """Whatever is lost, also of an empty request: the key tells a repeat."""
        for seed in range(2):
            with self.subTest(seed=seed):
                service = self.service_with(**{"polling-require-keys": "on"})
                proxy = await self.proxy(service, losing.LOSE, losing.HALVE, losing.RESET, seed=seed)
                self.check(service, proxy, await self.client(proxy, chain=7))

    async def test_the_scripted_client_without_keys(self):
        """Only answers that were not written yet, to requests with XML: nothing else tells a repeat from another request."""
        for seed in range(2):
            with self.subTest(seed=seed):
                service = self.service_with(**{"polling-hold": self.HOLD})
                proxy = await self.proxy(service, losing.RESET, seed=seed, most=1, careful=True)
                self.check(service, proxy, await self.careful_client(proxy))

    async def test_tclxmpp_with_keys(self):
        service = self.service_with()
        proxy = await self.proxy(service, losing.LOSE, losing.RESET, seed=1)
        await self.tclxmpp(proxy.port, keys=True, numkeys=7, turns=20, messages=10, interval=100)
        self.check(service, proxy)

    async def test_tclxmpp_without_keys(self):
        service = self.service_with()
        proxy = await self.proxy(service, losing.RESET, seed=1, most=1, careful=True)
        await self.tclxmpp(proxy.port, keys=False, turns=10, messages=20, interval=100, proxy=proxy)
        self.check(service, proxy)
