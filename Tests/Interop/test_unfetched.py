"""T-12: what a client never fetched, when its session ends by silence or by terminate: who hears of it, and what is stored.

docs/decisions/0012-what-was-never-fetched.md says in words what this file asserts.
"""

import asyncio

from support.bosh import CLIENT
from support.case import Case, holdfast_only
from support.processes import wait_until
from support.prosody import ACCOUNTS
from support.xmpp import chat

ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"
MANAGEMENT = "urn:xmpp:sm:3"


def message(session, kind, number):
    return (f"<message to='{session.jid}' type='{kind}' id='{kind}-{number}' xmlns='{CLIENT}'>"
            f"<body>{kind} {number}</body></message>")


def told(stanzas):
    """(kind, id, condition) of each error, in order."""
    result = []
    for stanza in stanzas:
        error = stanza.find(f"{{{CLIENT}}}error")
        if stanza.get("type") == "error" and error is not None:
            conditions = [child.tag for child in error if child.tag.startswith(f"{{{ERRORS}}}")]
            result.append((stanza.tag.partition("}")[2], stanza.get("id"), conditions[0].partition("}")[2]))
    return result


@holdfast_only
class Unfetched(Case):
    """romeo goes silent or leaves while things from mercutio are under way to him."""

    every_upstream = True
    lasts_long = True
    options = ("--inactivity", "5")

    async def romeo(self, sender, managed=False, **attributes):
        """A session with no request open, whose end the sender will see. All that came so far is fetched."""
        session = await self.session("romeo", polling=False, **attributes)
        await session.request(f"<presence xmlns='{CLIENT}'/><presence to='{sender.jid}' xmlns='{CLIENT}'/>")
        await session.next_stanza()  # the own presence
        if managed:
            await session.request(f"<enable xmlns='{MANAGEMENT}' resume='true'/>")
            enabled = await session.next_stanza()
            self.assertEqual(enabled.tag, f"{{{MANAGEMENT}}}enabled")
            session.resumption = enabled.get("id")
        # A ping shows that nothing else is coming; the request after its answer, that the answer was fetched.
        await session.request(f"<iq type='get' id='fence' to='{ACCOUNTS}' xmlns='{CLIENT}'><ping xmlns='urn:xmpp:ping'/></iq>")
        while (await session.next_stanza()).get("id") != "fence":
            pass
        return session

    async def until_gone(self, sender, session):
        """All that the sender gets up to the session's `unavailable`, and what is on its way then."""
        stanzas = []
        while True:
            stanza = await asyncio.wait_for(sender.inbox.get(), 60)
            if stanza.get("from") == session.jid and stanza.get("type") == "unavailable":
                break
            stanzas.append(stanza)
        await sender.synchronise()
        while not sender.inbox.empty():
            stanzas.append(sender.inbox.get_nowait())
        return stanzas

    async def stored(self, user="romeo"):
        """The messages that the account gets at its next login, and no more."""
        client = await self.peer(user)
        await client.synchronise()
        # A server may deliver what it stored after it answered: one more message makes a fence.
        client.write(chat(client.jid, "fence"))
        texts = []
        while (text := await client.message()) != "fence":
            texts.append(text)
        await client.close()
        return texts

    def stanzas_in(self):
        return self.service.statistics()["upstream"]["stanzas_in"]

    async def under_way(self, sender, stanzas):
        """The sender writes these stanzas; returns when they have come to the service, where nobody fetches them."""
        before = self.stanzas_in()
        sender.write("".join(stanzas))
        await asyncio.to_thread(wait_until, lambda: self.stanzas_in() >= before + len(stanzas), "the stanzas at the service")

    async def end(self, session, how):
        if how == "terminate":
            await session.terminate()
        # else the client just says nothing any more, and `inactivity` passes

    async def test_messages_are_returned_once_and_in_order(self):
        for how in ("silence", "terminate"):
            with self.subTest(how=how):
                sender = await self.peer("mercutio")
                session = await self.romeo(sender)
                query = f"<iq to='{session.jid}' type='get' id='version'><query xmlns='jabber:iq:version'/></iq>"
                await self.under_way(sender, [*(message(session, "chat", number) for number in range(3)),
                                              message(session, "normal", 3), query])
                await self.end(session, how)
                expected = [*(("message", f"chat-{number}", "recipient-unavailable") for number in range(3)),
                            ("message", "normal-3", "recipient-unavailable"), ("iq", "version", "service-unavailable")]
                self.assertEqual(told(await self.until_gone(sender, session)), expected)
                # The server took them for delivered: nothing is stored beside the return, so nothing is doubled.
                self.assertEqual(await self.stored(), [])

    async def test_what_nobody_waits_for_is_not_returned(self):
        """T-12 b: headlines, groupchat, errors, presence, results, carbons."""
        for how in ("silence", "terminate"):
            with self.subTest(how=how):
                sender, own = await self.peer("mercutio"), await self.peer("romeo")
                session = await self.romeo(sender)
                await session.request(f"<iq type='set' id='carbons' xmlns='{CLIENT}'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
                while (answer := await session.next_stanza()).get("id") != "carbons":
                    pass
                self.assertEqual(answer.get("type"), "result")
                await session.request(f"<iq type='get' id='fence2' to='{ACCOUNTS}' xmlns='{CLIENT}'>"
                                      f"<ping xmlns='urn:xmpp:ping'/></iq>")
                while (await session.next_stanza()).get("id") != "fence2":
                    pass
                # A message of another client of the account comes to the session as a carbon.
                await self.under_way(own, [chat(sender.jid, "seen by all clients of romeo")])
                self.assertEqual(await sender.message(), "seen by all clients of romeo")
                await self.under_way(sender, [
                    *(message(session, kind, 1) for kind in ("headline", "groupchat", "error", "chat")),
                    f"<presence to='{session.jid}'><status>here</status></presence>",
                    f"<iq to='{session.jid}' type='result' id='nothing'/>"])
                await self.end(session, how)
                self.assertEqual(told(await self.until_gone(sender, session)), [("message", "chat-1", "recipient-unavailable")])
                await own.synchronise()
                self.assertEqual(told([own.inbox.get_nowait() for _ in range(own.inbox.qsize())]), [])
                await own.close()

    async def test_what_only_receives_has_its_last_two_answers_returned(self):
        """T-12 a, without acknowledgements: nothing is proven, and what stood in older answers is beyond repeat."""
        sender = await self.peer("mercutio")
        session = await self.romeo(sender)
        for number in range(3):
            poll = asyncio.create_task(session.request())
            while not session.open_requests():
                await asyncio.sleep(0.01)
            sender.write(message(session, "chat", number))
            await poll
        sender.write(message(session, "chat", 3))
        self.assertEqual(told(await self.until_gone(sender, session)),
                         [("message", f"chat-{number}", "recipient-unavailable") for number in (1, 2, 3)])

    async def test_acknowledged_is_fetched(self):
        """T-12 a, with acknowledgements: the last `ack` counts, not the rids."""
        sender = await self.peer("mercutio")
        session = await self.romeo(sender, ack="1")
        polls = []
        for number in range(3):
            poll = asyncio.create_task(session.request(ack=polls[0] if polls else session.rid))
            while not session.open_requests():
                await asyncio.sleep(0.01)
            polls.append(session.rid)
            sender.write(message(session, "chat", number))
            await poll
        # Announced and sent with each request: the first of three answers is acknowledged.
        self.assertEqual(told(await self.until_gone(sender, session)),
                         [("message", f"chat-{number}", "recipient-unavailable") for number in (1, 2)])

    async def test_with_stream_management_the_server_requeues(self):
        """T-12 c: nothing is returned; what the client's XEP-0198 did not acknowledge the server stores, once."""
        for how in ("silence", "terminate"):
            with self.subTest(how=how):
                sender = await self.peer("mercutio")
                session = await self.romeo(sender, managed=True)
                await self.under_way(sender, [message(session, "chat", number) for number in range(3)])
                await self.end(session, how)
                stanzas = await self.until_gone(sender, session)
                self.assertEqual(told(stanzas), [])
                texts = []
                for _ in range(20):
                    # ejabberd says `unavailable` first and stores then, the latter only if nobody has logged in meanwhile.
                    await asyncio.sleep(0.3)
                    if texts := await self.stored():
                        break
                self.assertEqual(texts, [f"chat {number}" for number in range(3)])
                self.assertEqual(await self.stored(), [])

    async def test_with_stream_management_the_client_resumes_in_a_new_session(self):
        """T-12 c: the stream was dropped, not closed, so a new BOSH session can take it up and gets what was under way."""
        sender = await self.peer("mercutio")
        session = await self.romeo(sender, managed=True)
        await self.under_way(sender, [message(session, "chat", number) for number in range(3)])
        await asyncio.to_thread(wait_until, lambda: self.service.statistics()["sessions"]["now"] == 0, "the end of the session")
        again = await self.session("romeo", polling=False, bind=False)
        await again.request(f"<resume xmlns='{MANAGEMENT}' h='1' previd='{session.resumption}'/>")
        self.assertEqual((await again.next_stanza()).tag, f"{{{MANAGEMENT}}}resumed")
        self.assertEqual([await again.message() for _ in range(3)], [f"chat {number}" for number in range(3)])
        # The answer to the fence and three messages: now the server knows that the client has them.
        await again.terminate(f"<a xmlns='{MANAGEMENT}' h='4'/>")
        self.assertEqual(told(await self.until_gone(sender, session)), [])
        self.assertEqual(await self.stored(), [])
