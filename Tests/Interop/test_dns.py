"""Servers found by DNS (X-18), with a private name server on loopback."""

import asyncio
import contextlib
import os
import signal

from support import bosh
from support.case import Alone, Case, holdfast_only, needs_ipv6
from support.nameserver import NameServer, SilentNameServer
from support.processes import PATIENCE, Scratch, free_ports, loopback_address, wait_until
from support.prosody import ACCOUNTS, ANONYMOUS, WRONG_NAME
from support.scripted import BlackHole, ScriptedServer, Sentinel
from support.xmpp import chat

PLAIN, DIRECT = "_xmpp-client._tcp", "_xmpps-client._tcp"


def service(domain, port, target, priority=0, weight=0, kind=PLAIN, ttl=3600):
    return f"{kind}.{domain}. {ttl} IN SRV {priority} {weight} {port} {target}."


def children(pid):
    """The processes that this one has started, as far as they still run."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
            state, parent = file.read().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(name))
    return found


class Names(Case):
    """With a name server beside the service."""

    def names(self, *records):
        own = Scratch()
        self.addCleanup(own.remove)
        server = NameServer(own.path, [
            "here.test. 3600 IN A 127.0.0.1", "here6.test. 3600 IN AAAA ::1", *records])
        self.addCleanup(server.stop)
        return server

    def found(self, names, *domains, tls="none", **settings):
        return self.configured({
            "nameserver": names.address, "domain": list(domains), "upstream": ["dns"], "upstream-tls": tls, **settings})

    async def scripted(self, host="127.0.0.1", port=0, **options):
        server = await ScriptedServer(**options).start(host, port)
        self.addAsyncCleanup(server.stop)
        return server

    def sentinel(self, address="127.0.0.1", port=0):
        sentinel = Sentinel(address, port)
        self.addCleanup(sentinel.stop)
        return sentinel


@holdfast_only
class RealServer(Names):
    """Prosody behind the records of its domains."""

    async def converse(self, service, user):
        session, peer = await self.session(user, port=service.port), await self.peer("mercutio")
        for number in range(20):
            session.send(chat(peer.jid, f"out {number}"))
            peer.write(chat(session.jid, f"in {number}"))
        for number in range(20):
            self.assertEqual(await peer.message(), f"out {number}")
            self.assertEqual(await session.message(), f"in {number}")

    async def test_log_in_over_both_kinds_and_past_dead_targets(self):
        (closed,) = free_ports(1)
        names = self.names(
            service(ANONYMOUS, closed, "here.test", priority=1, kind=DIRECT),
            service(ANONYMOUS, closed, "nowhere.test", priority=2),
            service(ANONYMOUS, self.server.plain_port, "here.test", priority=3),
            service(ACCOUNTS, self.server.direct_port, "here.test", priority=1, kind=DIRECT),
            service(ACCOUNTS, closed, "here.test", priority=2))
        holdfast = self.found(names, ANONYMOUS, ACCOUNTS, tls="starttls", **{"upstream-ca": self.server.authority})
        for user in (None, "romeo"):
            await self.converse(holdfast, user)
        sites = holdfast.statistics()["sites"]
        self.assertEqual([sites[name]["connects"] for name in (ANONYMOUS, ACCOUNTS)], [1, 1])
        self.assertEqual([sites[name]["handshake_time"]["count"] for name in (ANONYMOUS, ACCOUNTS)], [1, 1])
        for kind in (PLAIN, DIRECT):
            self.assertEqual(names.queries(f"{kind}.{ANONYMOUS}", "SRV"), 1)

    async def test_a_bad_certificate_is_one_reason_to_go_on_and_never_to_do_without(self):
        names = self.names(
            service(WRONG_NAME, self.server.direct_port, "here.test", priority=1, kind=DIRECT),
            service(WRONG_NAME, self.server.plain_port, "here.test", priority=2))
        holdfast = self.found(names, WRONG_NAME, tls="starttls", **{"upstream-ca": self.server.authority})
        await self.refused(holdfast, WRONG_NAME)
        site = holdfast.statistics()["sites"][WRONG_NAME]
        self.assertEqual((site["connects"], site["streams_opened"], site["failures"]["tls"]), (2, 0, 2))


    async def test_one_of_two_kinds_is_not_offered(self):
        """X-18: the other one is; what is not asked for is not there either."""
        names = self.names(
            service(ANONYMOUS, 0, "", kind=DIRECT), service(ANONYMOUS, self.server.plain_port, "here.test"),
            service(ACCOUNTS, self.server.direct_port, "here.test", kind=DIRECT), service(ACCOUNTS, 0, ""))
        settings = {"upstream-ca": self.server.authority}
        both = self.found(names, ANONYMOUS, ACCOUNTS, tls="starttls", **settings)
        for domain in (ANONYMOUS, ACCOUNTS):
            session = bosh.Session(both.port, domain)
            self.addAsyncCleanup(session.close)
            await session.create()
        direct = self.found(names, ANONYMOUS, ACCOUNTS, tls="direct", **settings)
        session = bosh.Session(direct.port, ACCOUNTS)
        self.addAsyncCleanup(session.close)
        await session.create()
        await self.turned_away(direct, ANONYMOUS)
        self.assertEqual(direct.statistics()["upstream"]["connects"], 1)


@holdfast_only
class Records(Names, Alone):
    """Which servers are connected to, and in which order."""

    lasts_long = True

    async def opened(self, holdfast, domain, count=1):
        """So many sessions with streams that are open."""
        sessions = [bosh.Session(holdfast.port, domain) for _ in range(count)]
        for session in sessions:
            self.addAsyncCleanup(session.close)
            await session.create()
        for session in sessions:
            await session.terminate()

    async def test_priorities(self):
        first, second = await self.scripted(), await self.scripted()
        holdfast = self.found(self.names(
            service("order.test", second.port, "here.test", priority=20, weight=100),
            service("order.test", first.port, "here.test", priority=10)), "order.test")
        await self.opened(holdfast, "order.test", 20)
        self.assertEqual((first.connections, second.connections), (20, 0))
        await first.stop()
        await self.opened(holdfast, "order.test", 3)
        self.assertEqual(second.connections, 3)

    async def test_weights(self):
        """300 times 1 in 4: below 15 or above 150 once in more than 10^12 runs."""
        light, heavy = await self.scripted(), await self.scripted()
        holdfast = self.found(self.names(
            service("weights.test", light.port, "here.test", weight=10),
            service("weights.test", heavy.port, "here.test", weight=30)), "weights.test")
        await self.opened(holdfast, "weights.test", 300)
        self.assertEqual(light.connections + heavy.connections, 300)
        self.assertTrue(15 <= light.connections <= 150, light.connections)

    async def test_fixed_addresses_have_priorities_and_weights_too(self):
        first, light, heavy = await self.scripted(), await self.scripted(), await self.scripted()
        holdfast = self.configured({"upstream-tls": "none"}, {"fixed.test": {"upstream": [
            f"127.0.0.1:{light.port} priority=2 weight=10", f"127.0.0.1:{heavy.port} priority=2 weight=30",
            f"127.0.0.1:{first.port} priority=1"]}})
        await self.opened(holdfast, "fixed.test", 5)
        self.assertEqual((first.connections, light.connections, heavy.connections), (5, 0, 0))
        await first.stop()
        await self.opened(holdfast, "fixed.test", 300)
        self.assertEqual(light.connections + heavy.connections, 300)
        self.assertTrue(15 <= light.connections <= 150, light.connections)

    async def test_the_next_target_after_one_that_fails(self):
        """Refused, without an address, with a stream error about itself."""
        (closed,) = free_ports(1)
        failing = await self.scripted(error="<system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>")
        working = await self.scripted()
        holdfast = self.found(self.names(
            service("next.test", closed, "here.test", priority=1),
            service("next.test", working.port, "nowhere.test", priority=2),
            service("next.test", failing.port, "here.test", priority=3),
            service("next.test", working.port, "here.test", priority=4)), "next.test")
        await self.opened(holdfast, "next.test")
        self.assertEqual((failing.connections, working.connections), (1, 1))

    async def test_the_next_target_after_a_silent_one(self):
        """One that accepts the connection and says nothing leaves time for the others."""
        silent, working = self.sentinel(), await self.scripted()
        holdfast = self.found(self.names(
            service("silent.test", silent.port, "here.test", priority=1),
            service("silent.test", working.port, "here.test", priority=2)), "silent.test", **{"upstream-connect-timeout": 4})
        await self.opened(holdfast, "silent.test")
        self.assertTrue(silent.was_connected())
        self.assertEqual(working.connections, 1)

    async def test_a_service_that_is_not_offered(self):
        """RFC 2782, X-18: the target `.`; the domain's own address is not tried either."""
        address = loopback_address(5222)
        own = self.sentinel(address, 5222)
        other = await self.scripted()
        names = self.names(
            service("dot.test", 0, "", kind=PLAIN), f"dot.test. 3600 IN A {address}",
            service("halfdot.test", 0, "", kind=DIRECT), f"halfdot.test. 3600 IN A {address}",
            service("halfdot.test", other.port, "here.test"))
        holdfast = self.found(names, "dot.test", "halfdot.test")
        await self.turned_away(holdfast, "dot.test")
        self.assertFalse(own.was_connected())
        self.assertEqual(holdfast.statistics()["upstream"]["connects"], 0)
        self.assertEqual(names.queries("dot.test", "A"), 0)
        await self.opened(holdfast, "halfdot.test")
        self.assertEqual(other.connections, 1)

    async def test_without_records_the_domain_itself_is_the_server(self):
        address = loopback_address(5222)
        own = await self.scripted(address, 5222)
        holdfast = self.found(self.names(f"alone.test. 3600 IN A {address}"), "alone.test")
        await self.anonymous(holdfast, "alone.test")
        self.assertEqual(own.connections, 1)

    @needs_ipv6
    async def test_ipv6_only(self):
        server = await self.scripted("::1")
        holdfast = self.found(self.names(service("six.test", server.port, "here6.test")), "six.test")
        await self.anonymous(holdfast, "six.test")
        self.assertEqual(server.connections, 1)
        fixed = self.configured({"upstream-tls": "none"}, {"six.test": {"upstream": f"[::1]:{server.port}"}})
        await self.anonymous(fixed, "six.test")
        self.assertEqual(server.connections, 2)

    @needs_ipv6
    async def test_dead_ipv6_beside_ipv4_that_works(self):
        """RFC 8305: one that refuses, and one that never answers."""
        hole = BlackHole("::1")
        self.addCleanup(hole.stop)
        silent, refused = await self.scripted(port=hole.port), await self.scripted()
        names = self.names(
            "both.test. 3600 IN A 127.0.0.1", "both.test. 3600 IN AAAA ::1",
            service("silent.test", silent.port, "both.test"), service("refused.test", refused.port, "both.test"))
        holdfast = self.found(names, "silent.test", "refused.test")
        for domain, server in (("silent.test", silent), ("refused.test", refused)):
            with self.subTest(domain=domain):
                await self.anonymous(holdfast, domain)
                self.assertEqual(server.connections, 1)

    async def test_names_that_do_not_exist(self):
        """Asked for once: that they are absent is kept as well."""
        names = self.names()
        holdfast = self.found(names, "absent.test")
        for _ in range(5):
            await self.turned_away(holdfast, "absent.test")
        self.assertEqual(names.queries(f"{PLAIN}.absent.test", "SRV"), 1)
        self.assertEqual(names.queries("absent.test", "A"), 1)
        self.assertEqual(holdfast.statistics()["sites"]["absent.test"]["failures"]["unresolved"], 5)
        self.assertEqual(holdfast.statistics()["upstream"]["connects"], 0)
        self.assertIn("no such name", holdfast.log())

    async def test_answers_are_kept_for_their_time(self):
        server = await self.scripted()
        names = self.names(
            "soon.test. 5 IN A 127.0.0.1", service("short.test", server.port, "soon.test", ttl=5),
            service("long.test", server.port, "here.test"))
        holdfast = self.found(names, "short.test", "long.test")
        await self.opened(holdfast, "long.test", 5)
        await self.opened(holdfast, "short.test")
        self.assertEqual((names.queries(f"{PLAIN}.long.test", "SRV"), names.queries("here.test", "A")), (1, 1))
        self.assertEqual((names.queries(f"{PLAIN}.short.test", "SRV"), names.queries("soon.test", "A")), (1, 1))
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while names.queries(f"{PLAIN}.short.test", "SRV") < 2 or names.queries("soon.test", "A") < 2:
            self.assertLess(asyncio.get_running_loop().time(), deadline, "no record was asked for again")
            await asyncio.sleep(0.5)
            await self.opened(holdfast, "short.test")
        await self.opened(holdfast, "long.test")
        self.assertEqual((names.queries(f"{PLAIN}.long.test", "SRV"), names.queries("here.test", "A")), (1, 1))

    async def test_more_records_than_a_datagram_holds(self):
        server = await self.scripted()
        (closed,) = free_ports(1)
        others = [service("many.test", closed, f"{'long-name-' * 5}{number}.test", priority=2) for number in range(60)]
        names = self.names(service("many.test", server.port, "here.test", priority=1), *others)
        holdfast = self.found(names, "many.test")
        await self.opened(holdfast, "many.test", 3)
        self.assertEqual(server.connections, 3)

    async def test_a_resolver_process_that_dies_is_replaced(self):
        """And none is left when the service ends."""
        server = await self.scripted()
        names = self.names(*(service(f"name{number}.test", server.port, "here.test") for number in range(4)))
        holdfast = self.found(names, *(f"name{number}.test" for number in range(4)))
        for number in range(4):
            await self.opened(holdfast, f"name{number}.test")
            running = children(holdfast.child.pid)
            self.assertTrue(running)
            for pid in running:
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in running), "its end being noticed")
        self.assertEqual(server.connections, 4)
        await self.opened(holdfast, "name0.test")
        last = children(holdfast.child.pid)
        await asyncio.to_thread(holdfast.stop)
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in last), "the resolver's end")

    async def test_an_internationalised_domain_is_asked_for_in_a_labels(self):
        server = await self.scripted()
        names = self.names(service("xn--bcher-kva.test", server.port, "here.test"))
        holdfast = self.found(names, "b\u00fccher.test")
        await self.anonymous(holdfast, "b\u00fccher.test")
        self.assertIn("to='b\u00fccher.test'".encode(), server.headers[0].replace(b'"', b"'"))
        self.assertEqual(names.queries(f"{PLAIN}.xn--bcher-kva.test", "SRV"), 1)

    async def test_a_name_server_that_does_not_answer(self):
        """Nobody else waits for it."""
        silent, server = SilentNameServer(), await self.scripted()
        self.addCleanup(silent.stop)
        holdfast = self.configured(
            {"nameserver": silent.address, "upstream-tls": "none", "upstream-connect-timeout": 6},
            {"silent.test": {"upstream": "dns"}, "fixed.test": {"upstream": f"127.0.0.1:{server.port}"}})
        refused = [asyncio.create_task(self.turned_away(holdfast, "silent.test")) for _ in range(20)]
        while not silent.was_asked():
            await asyncio.sleep(0.01)
        await self.opened(holdfast, "fixed.test", 5)
        self.assertFalse(any(task.done() for task in refused))
        await asyncio.gather(*refused)


@holdfast_only
class OpenProxy(Names, Alone):
    """Any domain, but no address that is not public (SSRF)."""

    @needs_ipv6
    async def test_private_addresses_are_never_connected_to(self):
        address = loopback_address(5222)
        four, six, own = self.sentinel(), self.sentinel("::1"), self.sentinel(address, 5222)
        names = self.names(
            service("four.test", four.port, "here.test"), service("six.test", six.port, "here6.test"),
            "ten.test. 3600 IN A 10.1.2.3", service("ten.test", 5222, "ten.test"),
            "link.test. 3600 IN A 169.254.169.254", service("link.test", 80, "link.test"),
            "ula.test. 3600 IN AAAA fd00::1", "mapped.test. 3600 IN AAAA ::ffff:127.0.0.1",
            service("mapped.test", four.port, "mapped.test"), f"own.test. 3600 IN A {address}",
            "any.test. 3600 IN A 0.0.0.0", service("any.test", four.port, "any.test"))
        holdfast = self.found(names, "configured.test", **{"open-proxy": "on"})
        domains = ("four", "six", "ten", "link", "ula", "mapped", "own", "any")
        for domain in domains:
            with self.subTest(domain=domain):
                await self.refused(holdfast, f"{domain}.test", "host-unknown")
        statistics = holdfast.statistics()
        self.assertEqual(statistics["upstream"]["connects"], 0)
        self.assertEqual(statistics["sites"]["*"]["failures"]["refused-target"], len(domains))
        self.assertFalse([sentinel.port for sentinel in (four, six, own) if sentinel.was_connected()])

    async def test_addresses_and_short_names_are_no_domains(self):
        holdfast = self.found(self.names(), "configured.test", **{"open-proxy": "on"})
        for name in ("127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "b\u00fccher.test", "a..test", "-a.test"):
            with self.subTest(name=name):
                await self.refused(holdfast, name, "host-unknown")

    async def test_a_configured_domain_may_be_anywhere(self):
        server = await self.scripted()
        names = self.names(service("configured.test", server.port, "here.test"))
        holdfast = self.found(names, "configured.test", **{"open-proxy": "on"})
        await self.anonymous(holdfast, "configured.test")
        self.assertEqual(server.connections, 1)

    async def test_off_unless_asked_for(self):
        names = self.names()
        holdfast = self.found(names, "configured.test")
        await self.refused(holdfast, "elsewhere.test", "host-unknown")
        self.assertEqual(names.queries(f"{PLAIN}.elsewhere.test", "SRV"), 0)
