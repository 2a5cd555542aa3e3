"""The upstream modes against a real server: none, STARTTLS and direct TLS, with certificates that are right or wrong."""

import asyncio

from support import bosh, gateway
from support.case import Case, holdfast_only
from support.processes import free_ports
from support.prosody import ACCOUNTS, ANONYMOUS, WRONG_NAME
from support.xmpp import chat


@holdfast_only
class Upstream(Case):
    every_upstream = True

    def holdfast(self, tls, authority=None, domains=(ANONYMOUS, ACCOUNTS), upstream=None):
        service = gateway.Holdfast(self.scratch.path, self.server, tls=tls, authority=authority, domains=domains,
                                   upstream=upstream)
        self.addCleanup(service.stop)
        return service

    async def converse(self, service):
        """Both hosts: log in, talk in both directions, end."""
        for user in (None, "romeo"):
            session, peer = await self.session(user, port=service.port), await self.peer("mercutio")
            for number in range(50):
                session.send(chat(peer.jid, f"out {number}"))
                peer.write(chat(session.jid, f"in {number}"))
            for number in range(50):
                self.assertEqual(await peer.message(), f"out {number}")
                self.assertEqual(await session.message(), f"in {number}")
            await session.terminate()

    async def test_none(self):
        await self.converse(self.holdfast("none"))

    async def test_starttls(self):
        await self.converse(self.holdfast("starttls", self.server.authority))

    async def test_direct(self):
        await self.converse(self.holdfast("direct", self.server.authority))

    async def test_features_have_no_starttls_nor_external(self):
        """X-06: what ends at the connection manager is not offered to the client."""
        for tls in ("none", "starttls", "direct"):
            with self.subTest(tls=tls):
                service = self.holdfast(tls, None if tls == "none" else self.server.authority)
                session = bosh.Session(service.port, ACCOUNTS)
                self.addAsyncCleanup(session.close)
                await session.create()
                features = session.inbox.get_nowait()
                self.assertEqual(features.tag, "{http://etherx.jabber.org/streams}features")
                self.assertIsNone(features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls"))
                mechanisms = {element.text for element in features.iter(f"{{{bosh.SASL}}}mechanism")}
                self.assertIn("SCRAM-SHA-1", mechanisms)
                self.assertNotIn("EXTERNAL", mechanisms)

    async def test_certificate_of_another_authority_is_refused(self):
        for tls in ("starttls", "direct"):
            with self.subTest(tls=tls):
                await self.refused(self.holdfast(tls, self.server.other_authority), ANONYMOUS)

    async def test_private_authority_is_refused_without_being_named(self):
        await self.refused(self.holdfast("starttls"), ANONYMOUS)

    async def test_certificate_for_another_name_is_refused(self):
        for tls in ("starttls", "direct"):
            with self.subTest(tls=tls):
                await self.refused(self.holdfast(tls, self.server.authority, [WRONG_NAME]), WRONG_NAME)

    async def test_starttls_is_never_skipped(self):
        """X-19: a server that does not offer STARTTLS gets no session over plain TCP instead."""
        seen = []

        async def serve(reader, writer):
            seen.append(await reader.readuntil(b">"))
            writer.write(b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='x' from='anon.localhost' "
                         b"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'><stream:features>"
                         b"<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism>"
                         b"</mechanisms></stream:features>")
            seen.append(await reader.read())
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.addAsyncCleanup(server.wait_closed)
        self.addCleanup(server.close)
        service = self.holdfast("starttls", self.server.authority, upstream=server.sockets[0].getsockname()[1])
        await self.refused(service, ANONYMOUS)
        self.assertTrue(seen)
        self.assertNotIn(b"<auth", b"".join(seen))

    async def test_unknown_domain_and_closed_port(self):
        await self.refused(self.holdfast("none"), "elsewhere.example", "host-unknown")  # S-16
        service = self.holdfast("none", upstream=free_ports(1)[0])
        await self.turned_away(service, ANONYMOUS)  # S-17
