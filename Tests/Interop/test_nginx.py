"""nginx in front, with the configuration that Holdfast prints for it."""

import asyncio
import urllib.error
import urllib.request

from support.bosh import ConnectionLost
from support.case import Case
from support.proxies import Nginx
from support.processes import connections, wait_until
from support.xmpp import chat


class BehindNginx(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nginx = Nginx(cls.scratch.sub("nginx"), cls.service)
        cls.addClassCleanup(cls.nginx.stop)

    async def through_nginx(self, user=None, **attributes):
        return await self.session(user, proxy=self.nginx, **attributes)

    def get(self):
        """A GET on the BOSH path, whatever the answer."""
        try:
            urllib.request.urlopen(self.nginx.url("/http-bind"), timeout=60, context=self.nginx.tls).close()
        except urllib.error.HTTPError as error:
            error.close()

    async def test_messages_go_both_ways_in_order(self):
        session, peer = await self.through_nginx("romeo"), await self.peer("mercutio")
        for number in range(100):
            session.send(chat(peer.jid, f"out {number}"))
            peer.write(chat(session.jid, f"in {number}"))
        for number in range(100):
            self.assertEqual(await peer.message(), f"out {number}")
            self.assertEqual(await session.message(), f"in {number}")

    async def test_a_long_poll_ends_empty_after_wait(self):
        """R-15: at `wait`, neither before nor cut off by the proxy."""
        session = await self.through_nginx(polling=False, wait=3)
        await session.request()
        loop = asyncio.get_running_loop()
        start = loop.time()
        body = await session.request()
        self.assertEqual(len(body), 0)
        self.assertIsNone(body.get("type"))
        self.assertGreater(loop.time() - start, 2)

    async def test_many_sessions_share_one_connection_of_the_pool(self):
        """Requests of 40 sessions, one after another: one backend connection carries them, nothing is bound to it."""
        before = connections(self.service.port)
        nginx = Nginx(self.scratch.sub("nginx-of-its-own"), self.service)
        self.addCleanup(nginx.stop)
        sessions = [await self.session(polling=False, wait=1, proxy=nginx) for _ in range(40)]
        peer = await self.peer("mercutio")
        for round_number in range(3):
            for number, session in enumerate(sessions):
                body = await session.request(
                    chat(session.jid, f"self {round_number} {number}") + chat(peer.jid, f"{round_number} {number}"))
                self.assertIsNone(body.get("type"))
                self.assertEqual(await session.message(), f"self {round_number} {number}")
                self.assertEqual(await peer.message(), f"{round_number} {number}")
        self.assertLessEqual(connections(self.service.port) - before, 2)

    async def test_100_sessions_hold_polls_at_once(self):
        sessions = await asyncio.gather(*(self.through_nginx() for _ in range(100)))
        peer = await self.peer("mercutio")
        for number in range(3):
            for session in sessions:
                peer.write(chat(session.jid, f"message {number}"))
        for session in sessions:
            self.assertEqual([await session.message() for _ in range(3)], [f"message {number}" for number in range(3)])

    async def test_an_aborted_poll_loses_nothing(self):
        """P-13 through the proxy: nginx passes the browser's close on at once."""
        session, peer = await self.through_nginx(polling=False, wait=50), await self.peer("mercutio")
        await session.request("<presence xmlns='jabber:client'/>")
        await session.next_stanza()
        for number in range(5):
            poll = asyncio.create_task(session.request())
            # nginx passes requests on as they come: when this one is answered, the poll has reached the service.
            await asyncio.to_thread(self.get)
            before = connections(self.service.port)
            session.abort_requests()
            outcome = (await asyncio.gather(poll, return_exceptions=True))[0]
            self.assertIsInstance(outcome, ConnectionLost)
            await asyncio.to_thread(wait_until, lambda: connections(self.service.port) < before, "the abort at the service")
            peer.write(chat(session.jid, f"meanwhile {number}"))
            await peer.synchronise()
            self.assertEqual(await session.message(), f"meanwhile {number}")
