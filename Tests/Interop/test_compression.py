"""Stream compression towards the server (X-07): ejabberd offers zlib, Prosody 0.12 does not."""

from support import bosh, gateway
from support.bosh import SASL
from support.case import Case, holdfast_only
from support.prosody import ACCOUNTS, ANONYMOUS
from support.xmpp import chat

FILLING = "wherefore art thou " * 50
COUNT = 200


@holdfast_only
class Compression(Case):
    every_upstream = True

    @classmethod
    def server_options(cls):
        if gateway.upstream == "prosody":
            return {}
        return {"listeners": {"zlib": "starttls: true, zlib: true, max_stanza_size: 1048576"}}

    def compressing(self, **settings):
        port = self.server.plain_port if gateway.upstream == "prosody" else self.server.ports["zlib"]
        return self.configured({"domain": [ANONYMOUS, ACCOUNTS], "upstream": [f"127.0.0.1:{port}"], **settings})

    async def converse(self, service, user):
        """So many messages both ways, each once and in order. How many bytes that were from the server and to it."""
        session, peer = await self.session(user, port=service.port), await self.peer("mercutio")
        before = service.statistics()["upstream"]
        for number in range(COUNT):
            session.send(chat(peer.jid, f"out {number} {FILLING}"))
            peer.write(chat(session.jid, f"in {number} {FILLING}"))
        for number in range(COUNT):
            self.assertEqual(await peer.message(), f"out {number} {FILLING}")
            self.assertEqual(await session.message(), f"in {number} {FILLING}")
        after = service.statistics()["upstream"]
        await session.terminate()
        return [after[name] - before[name] for name in ("bytes_in", "bytes_out")]

    async def test_off_is_the_default(self):
        for count in await self.converse(self.compressing(**{"upstream-tls": "none"}), "romeo"):
            self.assertGreater(count, COUNT * len(FILLING))

    async def test_zlib(self):
        service = self.compressing(**{"upstream-tls": "none", "upstream-compression": "zlib"})
        for user in (None, "romeo"):
            with self.subTest(user=user):
                for count in await self.converse(service, user):
                    if gateway.upstream == "ejabberd":
                        self.assertLess(count, COUNT * len(FILLING) / 5)
                    else:
                        self.assertGreater(count, COUNT * len(FILLING))

    async def test_zlib_inside_tls(self):
        service = self.compressing(**{"upstream-ca": self.server.authority, "upstream-compression": "zlib"})
        await self.converse(service, "romeo")

    async def test_the_client_is_not_offered_it(self):
        """X-06, X-07."""
        service = self.compressing(**{"upstream-tls": "none", "upstream-compression": "zlib"})
        session = bosh.Session(service.port, ANONYMOUS)
        self.addAsyncCleanup(session.close)
        await session.create()
        features = [await session.next_stanza()]
        await session.request(f"<auth xmlns='{SASL}' mechanism='ANONYMOUS'/>")
        self.assertEqual((await session.next_stanza()).tag, f"{{{SASL}}}success")
        await session.request(to=ANONYMOUS, xml_lang="en", xmpp_restart="true")
        features.append(await session.next_stanza())
        for each in features:
            self.assertTrue(each.tag.endswith("}features"), each.tag)
            self.assertFalse([element.tag for element in each if "compress" in element.tag])
