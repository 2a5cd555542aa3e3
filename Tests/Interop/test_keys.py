"""Key sequencing over sockets (K-01 to K-07), with hashes of Python's."""

import hashlib

from support import bosh
from support.case import Case, holdfast_only
from support.prosody import ANONYMOUS
from support.xmpp import chat


class KeyedSession(bosh.Session):
    """Shows with each request the key that its rid is due, and begins a new sequence when one is used up."""

    def __init__(self, *arguments, length=7, digits=str.lower, telling=str.lower, **options):
        super().__init__(*arguments, **options)
        self.length, self.digits, self.telling = length, digits, telling
        self.due = {}
        self.sequence = []
        self.sequences = 0

    def fresh(self):
        """A sequence's last hash, which is told first; the others in the order of their use."""
        self.sequences += 1
        key = f"seed {self.sequences}"
        keys = []
        for _ in range(self.length):
            key = self.digits(hashlib.sha1(key.encode()).hexdigest())  # the next one is the hash of the text as it is sent
            keys.append(key)
        self.sequence = keys
        return self.telling(self.sequence.pop())

    def take_rid(self):
        rid = super().take_rid()
        attributes = {}
        if self.sequence:
            attributes["key"] = self.sequence.pop()
        if not self.sequence:
            attributes["newkey"] = self.fresh()
        self.due[rid] = attributes
        return rid

    def wrap(self, rid, payload="", **attributes):
        return super().wrap(rid, payload, **{**self.due.get(rid, {}), **attributes})


@holdfast_only
class Keys(Case):
    async def keyed(self, polling=False, **options):
        session = KeyedSession(self.service.port, ANONYMOUS, **options)
        self.addAsyncCleanup(session.close)
        await session.create(wait=2)
        await session.login()
        if polling:
            session.start_polling()
        return session

    async def test_messages_go_both_ways_over_many_sequences(self):
        """K-01, K-03, K-05, K-06: two requests at a time, on connections of their own. K-02: digits of either case."""
        for options in ({}, {"digits": str.upper, "telling": str.upper}, {"telling": str.upper}):
            with self.subTest(**options):
                session, peer = await self.keyed(polling=True, **options), await self.peer("mercutio")
                for number in range(100):
                    session.send(chat(peer.jid, f"out {number}"))
                    peer.write(chat(session.jid, f"in {number}"))
                for number in range(100):
                    self.assertEqual(await peer.message(), f"out {number}")
                    self.assertEqual(await session.message(), f"in {number}")
                self.assertGreater(session.sequences, 10)

    async def test_a_repeat_carries_the_key_of_its_rid(self):
        """K-06: also after the sequence has gone on."""
        session = await self.keyed(length=100)
        await session.request("<presence xmlns='jabber:client'/>")
        first = session.rid
        answer = await session.exchange(first)
        await session.request("<iq type='get' id='ping' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>")
        self.assertEqual((await session.exchange(first)).data, answer.data)
        self.assertIsNone((await session.request("<presence xmlns='jabber:client'/>")).get("type"))

    async def test_a_wrong_or_missing_key_ends_the_session_and_does_nothing(self):
        """K-04, and K-06 for the repeat."""
        for name, attributes, repeat in (("wrong", {"key": "0" * 40}, False), ("missing", {"key": None}, False),
                                         ("that of another rid", {"key": "1" * 40}, True)):
            with self.subTest(key=name):
                session, peer = await self.keyed(length=100), await self.peer("mercutio")
                await session.request(f"<presence to='{peer.jid}' xmlns='jabber:client'/>")
                self.assertIsNone((await self.presence(peer, session)).get("type"))
                rid = session.rid if repeat else session.take_rid()
                answer = await session.exchange(rid, chat(peer.jid, "not to be processed"), **attributes)
                self.assertEqual((answer.body.get("type"), answer.body.get("condition")), ("terminate", "item-not-found"))
                self.assertEqual((await self.presence(peer, session)).get("type"), "unavailable")

    async def presence(self, peer, session):
        """The session's next presence, before which it has sent no message."""
        while (stanza := await peer.inbox.get()).get("from") != session.jid:
            pass
        self.assertEqual(stanza.tag, f"{{{bosh.CLIENT}}}presence")
        return stanza
