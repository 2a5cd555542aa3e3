"""HTTP polling (XEP-0025): tclxmpp, the only client library left that speaks it, without a window."""

import asyncio
import os

from support.case import Case, holdfast_only
from support.native import SOURCES, NativeClient
from support.prosody import ACCOUNTS
from support.xmpp import chat


@holdfast_only
class Polling(Case):
    every_upstream = True

    def service_with(self, **settings):
        return self.configured({
            "domain": [ACCOUNTS], "upstream": f"127.0.0.1:{self.server.plain_port}", "upstream-tls": "none",
            "polling-path": "/http-poll", **settings,
        })

    async def converse(self, service, keys, numkeys=100, sasl=True):
        """Both ways, each message in its turn, through several chains of keys."""
        peer = await self.peer("mercutio")
        client = NativeClient([
            "tclsh", os.path.join(SOURCES, "tclxmpp.tcl"), f"http://127.0.0.1:{service.port}/http-poll", ACCOUNTS,
            "romeo", self.server.password, peer.jid, str(int(keys)), str(numkeys), str(int(sasl)),
        ])
        self.addCleanup(client.stop)
        self.assertEqual(await asyncio.to_thread(client.line), "online")
        for number in range(5):
            self.assertEqual(await peer.message(), f"out {number}")
            peer.write(chat(f"romeo@{ACCOUNTS}/poll", f"in {number}"))
        self.assertEqual(await asyncio.to_thread(client.line), "done")
        return service.statistics()["polling"]

    async def test_with_keys(self):
        """Q-16 to Q-18: five keys a chain, so that it changes again and again."""
        statistics = await self.converse(self.service_with(**{"polling-require-keys": "on"}), keys=True, numkeys=5)
        self.assertEqual((statistics["ever"], statistics["restarts"]), (1, 1))
        self.assertEqual(statistics["errors"]["key-sequence"], 0)

    async def test_without_keys(self):
        statistics = await self.converse(self.service_with(), keys=False)
        self.assertEqual(sum(statistics["errors"].values()), 0)
