"""Raw BOSH sessions: many at once, and connections that die under a held poll."""

import asyncio

from support.bosh import ConnectionLost
from support.case import Case, fails_in_control
from support.processes import connections, wait_until
from support.xmpp import chat


class Sessions(Case):
    every_upstream = True

    async def test_messages_go_both_ways_in_order(self):
        for user in (None, "romeo"):
            with self.subTest(user=user):
                session, peer = await self.session(user), await self.peer("mercutio")
                for number in range(200):
                    session.send(chat(peer.jid, f"out {number}"))
                    peer.write(chat(session.jid, f"in {number}"))
                for number in range(200):
                    self.assertEqual(await peer.message(), f"out {number}")
                    self.assertEqual(await session.message(), f"in {number}")

    async def test_two_sessions_of_one_account_talk(self):
        romeo, juliet = await self.session("romeo"), await self.session("juliet")
        romeo.send(chat(juliet.jid, "what light"))
        self.assertEqual(await juliet.message(), "what light")
        juliet.send(chat(romeo.jid, "ay me"))
        self.assertEqual(await romeo.message(), "ay me")

    @fails_in_control("ejabberd", "tells the poll that was open `other-request`")
    async def test_terminate_makes_the_session_unavailable(self):
        peer = await self.peer("mercutio")
        session = await self.session()
        session.send(f"<presence to='{peer.jid}' xmlns='jabber:client'/>")
        self.assertIsNone((await self.presence(peer, session)).get("type"))
        await session.terminate("<presence type='unavailable' xmlns='jabber:client'/>")
        await session.drained()
        self.assertIsNone(session.ended.condition)
        self.assertEqual((await self.presence(peer, session)).get("type"), "unavailable")

    async def presence(self, peer, session):
        """The next presence of the session that reaches the peer."""
        while (presence := await peer.stanza("presence")).get("from") != session.jid:
            pass
        return presence

    async def test_200_sessions_get_messages_paced_at_200_a_second(self):
        sessions = await asyncio.gather(*(self.session() for _ in range(200)))
        peer = await self.peer("mercutio")
        rounds = 5
        for number in range(rounds):
            for session in sessions:
                peer.write(chat(session.jid, f"message {number}"))
                await asyncio.sleep(1 / 200)  # the pace is what is tested
        for session in sessions:
            texts = [await session.message() for _ in range(rounds)]
            self.assertEqual(texts, [f"message {number}" for number in range(rounds)])
            self.assertTrue(session.inbox.empty(), "a message came twice")


class DyingConnections(Case):
    async def held(self, count):
        """So many sessions with one held poll each, and their polls."""
        sessions = await asyncio.gather(*(self.session(polling=False, wait=60) for _ in range(count)))
        for session in sessions:
            await session.request("<presence xmlns='jabber:client'/>")
            await session.next_stanza()  # the own presence comes back: nothing else is pending now
        polls = [asyncio.create_task(session.request()) for session in sessions]
        while not all(session.open_requests() for session in sessions):
            await asyncio.sleep(0.01)
        return sessions, polls

    async def test_nothing_is_lost_when_100_connections_are_killed_under_their_polls(self):
        """P-13: the restored client goes on with the next rid and never repeats the one that was open."""
        sessions, polls = await self.held(100)
        peer = await self.peer("mercutio")
        for session in sessions:
            session.abort_requests()
        for outcome in await asyncio.gather(*polls, return_exceptions=True):
            self.assertIsInstance(outcome, ConnectionLost)
        await asyncio.to_thread(wait_until, lambda: connections(self.service.port) == 0, "the closes being noticed")
        for session in sessions:
            peer.write(chat(session.jid, "first"))
        await peer.synchronise()
        for session in sessions:
            peer.write(chat(session.jid, "second"))
        for session in sessions:
            self.assertEqual(await session.message(), "first")
            self.assertEqual(await session.message(), "second")

    async def test_a_killed_poll_may_be_repeated(self):
        """R-07, R-08: a client that repeats the rid of the killed poll gets its answer, once."""
        sessions, polls = await self.held(50)
        peer = await self.peer("mercutio")
        for number, session in enumerate(sessions):
            # Half of the messages are sent before the kill: some answers get lost on their way, some do not.
            if number % 2:
                peer.write(chat(session.jid, "only"))
            session.abort_requests()
        await asyncio.gather(*polls, return_exceptions=True)
        for number, session in enumerate(sessions):
            if number % 2 == 0:
                peer.write(chat(session.jid, "only"))
        await peer.synchronise()
        for session in sessions:
            texts = [text.text for text in (await session.exchange(session.rid)).body.iter("{jabber:client}body")]
            peer.write(chat(session.jid, "next"))
            while texts[-1:] != ["next"]:
                texts.append(await session.message())
            self.assertEqual(texts, ["only", "next"])
