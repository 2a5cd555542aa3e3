"""Several streams in one session, to two domains of a real server (M-01 to M-09), and acknowledgements (A-01 to A-05)."""

import asyncio
import base64

from support import bosh
from support.bosh import BIND, CLIENT, SASL
from support.case import Case, holdfast_only
from support.prosody import ACCOUNTS, ANONYMOUS
from support.xmpp import chat

ONLY_AT_CREATION = ("sid", "requests", "polling", "hold", "inactivity", "maxpause", "accept", "charsets", "ver", "wait")


class SeveralStreams(bosh.Session):
    """Notes for each stanza which stream its response named."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.responses = []

    def _deliver(self, rid, body):
        if len(body) > 0:
            self.responses.append((body.get("stream"), [stanza.get("to") for stanza in body if stanza.get("to")]))
        super()._deliver(rid, body)


@holdfast_only
class Streams(Case):
    """An anonymous stream and one of romeo's in one session."""

    every_upstream = True

    async def first(self):
        session = SeveralStreams(self.service.port, ANONYMOUS)
        self.addAsyncCleanup(session.close)
        body = await session.create(wait=2)
        session.names = [body.get("stream")]
        await session.login()
        return session

    async def both(self):
        session = await self.first()
        body = await session.request(to=ACCOUNTS, xml_lang="en", xmpp_version="1.0")
        session.names.append(body.get("stream"))
        self.assertFalse([name for name in ONLY_AT_CREATION if name in body.attrib])  # M-02
        self.assertTrue(all(session.names) and session.names[0] != session.names[1], session.names)  # M-01
        self.assertTrue((await session.next_stanza()).tag.endswith("}features"))
        stream = session.names[1]
        initial = base64.b64encode(f"\0romeo\0{self.server.password}".encode()).decode()
        await session.request(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{initial}</auth>", stream=stream)
        self.assertEqual((await session.next_stanza()).tag, f"{{{SASL}}}success")
        await session.request(to=ACCOUNTS, xml_lang="en", xmpp_restart="true", stream=stream)
        self.assertTrue((await session.next_stanza()).tag.endswith("}features"))
        await session.request(f"<iq type='set' id='bind' xmlns='{CLIENT}'><bind xmlns='{BIND}'/></iq>", stream=stream)
        session.jids = [session.jid, (await session.next_stanza()).findtext(f".//{{{BIND}}}jid")]
        self.assertEqual([jid.partition("/")[0].partition("@")[2] for jid in session.jids], [ANONYMOUS, ACCOUNTS])
        return session

    async def presences(self, peer, jids):
        found = {}
        while set(found) != set(jids):
            presence = await peer.stanza("presence")
            if presence.get("from") in jids:
                found[presence.get("from")] = presence.get("type")
        return found

    async def test_both_streams_talk_and_each_body_is_of_one_stream(self):
        """M-02, M-04."""
        session, peer = await self.both(), await self.peer("mercutio")
        for number in range(20):
            for name, jid in zip(session.names, session.jids):
                await session.request(chat(peer.jid, f"out {number}") + chat(jid, f"self {number}"), stream=name)
                message = await peer.stanza("message")
                self.assertEqual((message.get("from"), message.findtext(f"{{{CLIENT}}}body")), (jid, f"out {number}"))
                peer.write(chat(jid, f"in {number}"))
                self.assertEqual({await session.message(), await session.message()}, {f"self {number}", f"in {number}"})
        owners = dict(zip(session.names, session.jids))
        named = [(name, addressees) for name, addressees in session.responses if set(addressees) & set(session.jids)]
        self.assertGreaterEqual(len(named), 40)
        for name, addressees in named:
            # Before the second stream was there, the first one needed no name.
            self.assertEqual(set(addressees), {owners[name]} if name else {session.jids[0]})

    async def test_payload_for_no_stream_goes_to_all(self):
        """M-05."""
        session, peer = await self.both(), await self.peer("mercutio")
        await session.request(f"<presence to='{peer.jid}' xmlns='{CLIENT}'/>")
        self.assertEqual(await self.presences(peer, session.jids), {jid: None for jid in session.jids})

    async def test_terminate_closes_one_stream_then_the_session(self):
        """M-07: each at its server too."""
        session, peer = await self.both(), await self.peer("mercutio")
        await session.request(f"<presence to='{peer.jid}' xmlns='{CLIENT}'/>")
        await self.presences(peer, session.jids)
        answer = await session.exchange(session.take_rid(), type="terminate", stream=session.names[1])
        session._deliver(session.rid, answer.body)
        self.assertEqual(answer.body.get("stream", session.names[1]), session.names[1])
        self.assertEqual(await self.presences(peer, session.jids[1:]), {session.jids[1]: "unavailable"})
        await session.request(chat(peer.jid, "still there"), stream=session.names[0])
        self.assertEqual(await peer.message(), "still there")
        peer.write(chat(session.jids[0], "so I see"))
        self.assertEqual(await session.message(), "so I see")
        await session.terminate()
        self.assertEqual(await self.presences(peer, session.jids[:1]), {session.jids[0]: "unavailable"})

    async def test_terminate_without_a_stream_ends_all(self):
        """M-07: with the payload to every stream."""
        session, peer = await self.both(), await self.peer("mercutio")
        await session.request(f"<presence to='{peer.jid}' xmlns='{CLIENT}'/>")
        await self.presences(peer, session.jids)
        await session.terminate(chat(peer.jid, "good night"))
        seen = {jid: [] for jid in session.jids}
        while min(len(stanzas) for stanzas in seen.values()) < 2:
            stanza = await asyncio.wait_for(peer.inbox.get(), 60)
            if stanza.get("from") in seen:
                seen[stanza.get("from")].append(stanza.findtext(f"{{{CLIENT}}}body") or stanza.get("type"))
        self.assertEqual(seen, {jid: ["good night", "unavailable"] for jid in session.jids})

    async def test_a_stream_that_is_not_known_is_not_found(self):
        """M-06."""
        session = await self.both()
        with self.assertRaises(bosh.Ended) as ended:
            await session.request(chat(session.jids[0], "nobody"), stream="0123456789abcdef")
        self.assertEqual(ended.exception.condition, "item-not-found")

    async def test_a_stream_to_nowhere_fails_alone(self):
        """M-08."""
        session, peer = await self.first(), await self.peer("mercutio")
        answer = await session.exchange(session.take_rid(), to="elsewhere.example", xml_lang="en", xmpp_version="1.0")
        session._deliver(session.rid, answer.body)
        self.assertEqual((answer.body.get("type"), answer.body.get("condition")), ("terminate", "host-unknown"))
        self.assertTrue(answer.body.get("stream"))
        await session.request(chat(peer.jid, "still there"), stream=session.names[0])
        self.assertEqual(await peer.message(), "still there")


@holdfast_only
class Acknowledgements(Case):
    async def answered(self, session, peer, count):
        """So many polls, each answered with one message; their answers."""
        answers = []
        for number in range(count):
            poll = asyncio.create_task(session.exchange(session.take_rid(), ack=session.acknowledged))
            while not session.open_requests():
                await asyncio.sleep(0.01)
            peer.write(chat(session.jid, f"message {number}"))
            answers.append((session.rid, await poll))
            self.assertIn(f"message {number}".encode(), answers[-1][1].data)
        return answers

    async def acknowledging(self):
        session = bosh.Session(self.service.port, ANONYMOUS)
        self.addAsyncCleanup(session.close)
        body = await session.create(ack="1")
        self.assertEqual(body.get("ack"), str(session.rid))
        await session.login()
        await session.request("<presence xmlns='jabber:client'/>")
        session.acknowledged = session.rid
        return session

    async def test_what_is_not_acknowledged_can_be_had_again(self):
        """A-05: more than the last `requests` answers; of those acknowledged no more than that."""
        session, peer = await self.acknowledging(), await self.peer("mercutio")
        answers = await self.answered(session, peer, 5)
        for rid, answer in answers:
            self.assertEqual((await session.exchange(rid)).data, answer.data)
        poll = asyncio.create_task(session.exchange(session.take_rid(), ack=answers[-1][0]))
        while not session.open_requests():
            await asyncio.sleep(0.01)
        peer.write(chat(session.jid, "more"))
        await poll
        gone = await session.exchange(answers[0][0])
        self.assertEqual(gone.body.get("condition"), "item-not-found")

    async def test_a_lost_answer_is_reported(self):
        """A-04: `ack` says that an answer of more than a second ago did not come; the next request is told which."""
        session, peer = await self.acknowledging(), await self.peer("mercutio")
        ((first, _), (second, _)) = await self.answered(session, peer, 2)
        await asyncio.sleep(1.1)
        body = (await session.exchange(session.take_rid(), ack=first)).body
        self.assertEqual(body.get("report"), str(second))
        self.assertGreaterEqual(int(body.get("time")), 1000)

    async def test_requests_are_acknowledged(self):
        """A-01, A-02: the highest rid so far, unless it is that of the request itself."""
        session, peer = await self.acknowledging(), await self.peer("mercutio")
        ((rid, answer),) = await self.answered(session, peer, 1)
        self.assertIsNone(answer.body.get("ack"))
        older = asyncio.create_task(session.exchange(session.take_rid(), ack=rid))
        while not session.open_requests():
            await asyncio.sleep(0.01)
        newer = asyncio.create_task(session.exchange(session.take_rid(), ack=rid))
        self.assertEqual((await older).body.get("ack"), str(session.rid))  # released by the newer one
        peer.write(chat(session.jid, "for the newer one"))
        self.assertIsNone((await newer).body.get("ack"))
