"""Where clients and servers may send a stream (S-18, RFC 6120 §4.9.3.19), and what a server's limits become (X-17)."""

import asyncio
import contextlib

from support import bosh
from support.bosh import SASL
from support.case import Alone, needs_ipv6
from support.processes import PATIENCE, free_ports
from support.scripted import STREAM_ERRORS, ScriptedServer, Sentinel

DOMAIN = "example.test"
LIMITS = "urn:xmpp:stream-limits:0"


class Scripted(Alone):
    """With scripted servers only."""

    async def scripted(self, *arguments, **options):
        server = await ScriptedServer(**options).start(*arguments)
        self.addAsyncCleanup(server.stop)
        return server

    def sentinel(self):
        sentinel = Sentinel()
        self.addCleanup(sentinel.stop)
        return sentinel

    def before(self, *servers, **settings):
        return self.configured({
            "domain": [DOMAIN], "upstream": [f"127.0.0.1:{server.port}" for server in servers], "upstream-tls": "none",
            **settings})

    async def created(self, service, **attributes):
        session = bosh.Session(service.port, DOMAIN)
        self.addAsyncCleanup(session.close)
        await session.create(**attributes)
        return session


class Routes(Scripted):
    async def test_without_a_list_a_route_is_ignored(self):
        own, other = await self.scripted(), self.sentinel()
        service = self.before(own)
        for route in (f"xmpp:127.0.0.1:{other.port}", f"xmpp:localhost:{other.port}", "nonsense"):
            with self.subTest(route=route):
                await self.created(service, route=route)
        self.assertEqual(own.connections, 3)
        self.assertFalse(other.was_connected())

    async def test_only_routes_of_the_list_are_taken(self):
        own, listed, other = await self.scripted(), await self.scripted(), self.sentinel()
        service = self.before(own, route=[f"127.0.0.1:{listed.port}"])
        await self.created(service, route=f"xmpp:127.0.0.1:{listed.port}")
        self.assertEqual((own.connections, listed.connections), (0, 1))
        await self.created(service)
        self.assertEqual((own.connections, listed.connections), (1, 1))
        for route in (f"xmpp:127.0.0.1:{other.port}", f"xmpp:localhost:{listed.port}", f"http:127.0.0.1:{listed.port}",
                      f"xmpp:127.0.0.1:{listed.port}:1", f"xmpp:127.1:{listed.port}", "xmpp:127.0.0.1", "nonsense"):
            with self.subTest(route=route):
                await self.refused(service, DOMAIN, "host-unknown", route=route)
        self.assertEqual((own.connections, listed.connections), (1, 1))
        self.assertFalse(other.was_connected())
        # A list makes no other domain known.
        await self.refused(service, "elsewhere.test", "host-unknown", route=f"xmpp:127.0.0.1:{listed.port}")


    @needs_ipv6
    async def test_a_route_to_an_ipv6_address(self):
        own, listed = await self.scripted(), await self.scripted("::1")
        service = self.before(own, route=[f"[::1]:{listed.port}"])
        await self.created(service, route=f"xmpp:[::1]:{listed.port}")
        self.assertEqual((own.connections, listed.connections), (0, 1))

    async def test_the_default_domain(self):
        """S-15."""
        server = await self.scripted()
        for service, condition in ((self.before(server), "improper-addressing"),
                                   (self.before(server, **{"default-domain": DOMAIN}), None)):
            for to in (None, ""):
                with self.subTest(condition=condition, to=to):
                    if condition is None:
                        await self.created(service, to=to)
                        self.assertIn(f"to='{DOMAIN}'".encode(), server.headers[-1].replace(b'"', b"'"))
                    else:
                        await self.refused(service, DOMAIN, condition, to=to)
        self.assertEqual(server.connections, 2)


class CircuitBreaker(Scripted):
    async def test_a_dead_server_is_spared_until_it_works_again(self):
        (port,) = free_ports(1)
        service = self.configured(
            {"upstream-breaker-failures": 2, "upstream-breaker-pause": 5, "upstream-tls": "none"},
            {DOMAIN: {"upstream": f"127.0.0.1:{port}"}})
        for _ in range(2):
            await self.turned_away(service, DOMAIN)
        self.assertEqual(service.statistics()["upstream"]["breakers_open"], 1)
        sentinel = Sentinel(port=port)
        await self.turned_away(service, DOMAIN)  # long before the first second is over
        spared = service.statistics()["sites"][DOMAIN]["failures"]["spared"]
        self.assertNotEqual(spared == 1, sentinel.was_connected())
        sentinel.stop()
        server = await self.scripted("127.0.0.1", port)

        async def works():
            while True:
                with contextlib.suppress(bosh.TurnedAway):
                    return await self.created(service)
                await asyncio.sleep(0.2)

        await asyncio.wait_for(works(), PATIENCE)
        self.assertEqual(server.connections, 1)
        self.assertEqual(service.statistics()["upstream"]["breakers_open"], 0)
        await self.created(service)


class SeeOtherHost(Scripted):
    async def sending_to(self, place):
        return await self.scripted(error=f"<see-other-host xmlns='{STREAM_ERRORS}'>{place}</see-other-host>")

    async def test_followed_to_a_listed_route(self):
        other = await self.scripted()
        first = await self.sending_to(f"127.0.0.1:{other.port}")
        service = self.before(first, route=[f"127.0.0.1:{other.port}"])
        session = await self.created(service)
        await session.login()
        self.assertEqual((first.connections, other.connections), (1, 1))
        self.assertEqual(service.statistics()["sites"][DOMAIN]["streams_opened"], 1)

    async def test_followed_to_another_address_of_the_domain(self):
        other = await self.scripted()
        first = await self.sending_to(f"127.0.0.1:{other.port}")
        service = self.configured({"upstream-tls": "none"}, {DOMAIN: {"upstream": [
            f"127.0.0.1:{first.port} priority=1", f"127.0.0.1:{other.port} priority=2"]}})
        await self.created(service)
        self.assertEqual((first.connections, other.connections), (1, 1))

    async def test_not_followed_anywhere_else(self):
        other, listed = self.sentinel(), await self.scripted()
        for place in (f"127.0.0.1:{other.port}", f"localhost:{other.port}", f"[::1]:{other.port}", "127.0.0.1", "", "junk:"):
            with self.subTest(place=place):
                first = await self.sending_to(place)
                service = self.before(first, route=[f"127.0.0.1:{listed.port}"])
                await self.refused(service, DOMAIN, "remote-stream-error")
                self.assertEqual(first.connections, 1)
                await asyncio.to_thread(service.stop)
        self.assertEqual(listed.connections, 0)
        self.assertFalse(other.was_connected())

    async def test_not_followed_in_circles(self):
        first = await self.sending_to("")
        second = await self.sending_to(f"127.0.0.1:{first.port}")
        first.error = f"<see-other-host xmlns='{STREAM_ERRORS}'>127.0.0.1:{second.port}</see-other-host>"
        service = self.before(first, route=[f"127.0.0.1:{server.port}" for server in (first, second)])
        await self.refused(service, DOMAIN, "remote-stream-error")
        self.assertEqual((first.connections, second.connections), (1, 1))


class Limits(Scripted):
    """XEP-0478 in the features."""

    async def offered(self, service):
        """What the client is told, before and after it has logged in."""
        session = await self.created(service)
        features = [await session.next_stanza()]
        await session.request(f"<auth xmlns='{SASL}' mechanism='ANONYMOUS'/>")
        self.assertEqual((await session.next_stanza()).tag, f"{{{SASL}}}success")
        await session.request(to=DOMAIN, xml_lang="en", xmpp_restart="true")
        features.append(await session.next_stanza())
        return [(each.findtext(f".//{{{LIMITS}}}max-bytes"), each.findtext(f".//{{{LIMITS}}}idle-seconds"))
                for each in features]

    async def test_what_is_more_than_a_request_may_have_is_lowered(self):
        for told, most, expected in ((10_000_000, 1_048_576, 1_048_576), (100_000, 1_048_576, 100_000),
                                     (100_000, 20_000, 20_000), (10**30, 20_000, 20_000)):
            with self.subTest(told=told, most=most):
                server = await self.scripted(
                    features=f"<limits xmlns='{LIMITS}'><max-bytes>{told}</max-bytes><idle-seconds>600</idle-seconds>"
                             "</limits>")
                service = self.before(server, **{"max-body": most})
                self.assertEqual(await self.offered(service), [(str(expected), "600")] * 2)
                await asyncio.to_thread(service.stop)

    async def test_a_server_that_wants_to_hear_something_does(self):
        """White space comes before `idle-seconds` are over."""
        server = await self.scripted(features=f"<limits xmlns='{LIMITS}'><idle-seconds>2</idle-seconds></limits>")
        session = await self.created(self.before(server))
        await session.login()
        await server.heard(b" ")
