"""The rules of TLS towards a server: pinned keys, versions, ciphers, a certificate of one's own, resumption."""

import asyncio
import ssl

from support import bosh, gateway
from support.bosh import CLIENT, SASL
from support.case import Case, holdfast_only
from support.certificates import Authority, pin, xmpp_address

GOOD = "good.localhost"
OLD = "old.localhost"
# Prosody says why a handshake fails, ejabberd just closes the connection.
UNWILLING = ["protocol-version", "alert", "handshake", "closed-during-handshake"]
OLD_CIPHER, OTHER_CIPHER = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"


@holdfast_only
class TLS(Case):
    """GOOD speaks what its server does; OLD nothing newer than TLS 1.2, with OLD_CIPHER."""

    every_upstream = True

    @classmethod
    def server_options(cls):
        cls.certificates = Authority(cls.scratch.sub("ca"))
        hosts = {name: cls.certificates.issue(name, [f"DNS:{name}"]) for name in (GOOD, OLD)}
        cls.good_certificate, cls.old_certificate = (hosts[name][0] for name in (GOOD, OLD))
        if gateway.upstream == "prosody":
            return {"hosts": hosts, "tables": {
                GOOD: "options = { no_ticket = false }", OLD: f'protocol = "tlsv1_2"; ciphers = "{OLD_CIPHER}"'}}
        return {"hosts": hosts, "listeners": {
            "old": f'starttls: true, protocol_options: [no_tlsv1_3], ciphers: "{OLD_CIPHER}"'}}

    def ruled(self, domain=GOOD, port=None, **rules):
        """A Holdfast that reaches a domain by STARTTLS under these rules."""
        if port is None:
            port = self.server.plain_port if domain == GOOD or gateway.upstream == "prosody" else self.server.ports["old"]
        return self.configured(
            {"upstream-breaker-failures": 0},
            {domain: {"upstream": f"127.0.0.1:{port}", "upstream-ca": self.certificates.certificate,
                      **{f"upstream-{name.replace('_', '-')}": value for name, value in rules.items()}}})

    async def works(self, domain=GOOD, **rules):
        await self.anonymous(self.ruled(domain, **rules), domain)

    async def fails(self, labels, domain=GOOD, **rules):
        service = self.ruled(domain, **rules)
        await self.refused(service, domain)
        failures = service.statistics()["upstream"]["failures"]
        self.assertEqual(sum(failures[f"tls-{label}"] for label in labels), 1, failures)
        self.assertEqual(sum(failures.values()), 1, failures)
        self.assertEqual(service.statistics()["sites"][domain]["failures"]["tls"], 1)
        self.assertTrue(any(f"upstream tls-{label}" in service.log() for label in labels))

    async def test_a_pinned_key(self):
        good, other = pin(self.good_certificate), pin(self.old_certificate)
        await self.works(pin=[good])
        await self.works(pin=[other, good])
        await self.fails(["pin"], pin=[other])

    async def test_the_minimum_version(self):
        await self.works(tls_minimum="1.3")
        await self.works(OLD, tls_minimum="1.2")
        await self.fails(UNWILLING, OLD, tls_minimum="1.3")

    async def test_the_ciphers(self):
        await self.works(OLD, ciphers=f"{OTHER_CIPHER}:{OLD_CIPHER}")
        await self.fails(UNWILLING, OLD, ciphers=OTHER_CIPHER)

    async def test_sessions_are_resumed(self):
        if gateway.upstream == "ejabberd":
            self.skipTest("ejabberd 23.01 never does")
        service = self.ruled()
        for _ in range(5):
            session = await self.anonymous(service, GOOD)
            await session.terminate()
        site = service.statistics()["sites"][GOOD]
        self.assertEqual((site["streams_opened"], site["handshake_time"]["count"]), (5, 5))
        self.assertEqual(site["handshakes_resumed"], 4)


@holdfast_only
class OwnCertificate(Case):
    """X-15: ejabberd offers EXTERNAL to whoever shows a good certificate; no client of ours may use ours."""

    upstreams = ("ejabberd",)

    @classmethod
    def server_options(cls):
        cls.certificates = Authority(cls.scratch.sub("ca"))
        # One that ejabberd takes for romeo's: whoever logs in with it is romeo.
        cls.own = cls.certificates.issue("own", [xmpp_address("romeo@accounts.localhost")])
        return {"hosts": {GOOD: cls.certificates.issue(GOOD, [f"DNS:{GOOD}"])}, "listeners": {
            "asking": f"starttls: true, tls_verify: true, cafile: {cls.certificates.certificate}"}}

    def shows_it(self):
        certificate, key = self.own
        return self.configured(
            {"upstream-breaker-failures": 0},
            {GOOD: {"upstream": f"127.0.0.1:{self.server.ports['asking']}", "upstream-ca": self.certificates.certificate,
                    "upstream-certificate": certificate, "upstream-key": key}})

    async def offered_without_holdfast(self):
        """The features that a direct client with the same certificate gets."""
        context = ssl.create_default_context(cafile=self.certificates.certificate)
        context.load_cert_chain(*self.own)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.ports["asking"])
        header = (f"<?xml version='1.0'?><stream:stream xmlns='{CLIENT}' xmlns:stream='http://etherx.jabber.org/streams' "
                  f"to='{GOOD}' version='1.0'>").encode()
        writer.write(header + b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        await reader.readuntil(b"</stream:features>")
        await reader.readuntil(b"<proceed")
        await reader.readuntil(b">")
        await writer.start_tls(context, server_hostname=GOOD)
        writer.write(header)
        features = await reader.readuntil(b"</stream:features>")
        writer.close()
        return features

    async def test_external_never_reaches_a_client(self):
        self.assertIn(b"<mechanism>EXTERNAL</mechanism>", await asyncio.wait_for(self.offered_without_holdfast(), 60))
        service = self.shows_it()
        session = bosh.Session(service.port, GOOD)
        self.addAsyncCleanup(session.close)
        await session.create()
        mechanisms = [element.text for element in session.inbox.get_nowait().iter(f"{{{SASL}}}mechanism")]
        self.assertIn("ANONYMOUS", mechanisms)
        self.assertNotIn("EXTERNAL", mechanisms)

    async def test_a_client_that_asks_for_external_is_refused(self):
        service = self.shows_it()
        for written in ("EXTERNAL", "external", " EXTERNAL "):
            for element in (f"<auth xmlns='{SASL}' mechanism='{written}'>=</auth>",
                            f"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='{written}'/>"):
                with self.subTest(element=element):
                    session = bosh.Session(service.port, GOOD)
                    self.addAsyncCleanup(session.close)
                    await session.create()
                    with self.assertRaises(bosh.Ended) as ended:
                        await session.request(element)
                        await session.next_stanza()
                    self.assertIsNotNone(ended.exception.condition)
        self.assertNotIn("EXTERNAL", self.server.log())
        # And its own certificate hinders nobody from logging in otherwise.
        await self.anonymous(service, GOOD)
