"""The client's address: from the connection, from a proxy that is trusted (H-28), to an ejabberd that wants to know it."""

import ipaddress
import itertools
import re
import struct

from support import bosh
from support.case import Case, holdfast_only, needs_ipv6
from support.processes import free_ports, wait_until
from support.prosody import ACCOUNTS


def first_version(source, port=40000):
    """The header of the PROXY protocol's version 1 that an HTTP proxy would send for this client."""
    family, destination = ("TCP6", "2001:db8::1") if ":" in source else ("TCP4", "192.0.2.1")
    return f"PROXY {family} {source} {destination} {port} 443\r\n".encode()


def second_version(source, port=40000):
    family, destination = (0x21, "2001:db8::1") if ":" in source else (0x11, "192.0.2.1")
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    content = addresses + struct.pack(">HH", port, 443) + b"\x04\x00\x03abc"  # with a TLV of no meaning
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x21, family]) + struct.pack(">H", len(content)) + content


@holdfast_only
class ClientAddress(Case):
    upstreams = ("ejabberd",)

    @classmethod
    def server_options(cls):
        return {"listeners": {"proxied": "starttls: true, use_proxy_protocol: true"}}

    resources = itertools.count(1)

    def telling(self, version="v2", **settings):
        return self.configured({
            "domain": [ACCOUNTS], "upstream": [f"127.0.0.1:{self.server.ports['proxied']}"],
            "upstream-ca": self.server.authority, "upstream-proxy-protocol": version, **settings})

    async def logged(self, port, **options):
        """The address from which ejabberd says that a new session of romeo's has come."""
        session = bosh.Session(port, ACCOUNTS, **options)
        self.addAsyncCleanup(session.close)
        await session.create()
        seen = len(self.server.log())
        await session.login("romeo", self.server.password, resource=f"resource{next(self.resources)}")
        line = re.compile(r"Accepted c2s \S+ authentication for romeo@\S+ by \S+ backend from (\S+)")
        return wait_until(lambda: line.search(self.server.log()[seen:]), "ejabberd's log of the log-in")[1]

    async def test_of_the_connection(self):
        for version in ("v1", "v2"):
            with self.subTest(version=version):
                service = self.telling(version)
                for address in ("127.0.0.2", "127.0.0.3"):
                    self.assertIn(address, await self.logged(service.port, source=address))

    @needs_ipv6
    async def test_of_an_ipv6_connection(self):
        (port,) = free_ports(1)
        for version in ("v1", "v2"):
            with self.subTest(version=version):
                service = self.telling(version, listen=[f"[::1]:{port}"])
                self.assertIn("::1", await self.logged(port, host="::1"))
                service.stop()

    async def test_of_a_header_field(self):
        for version, name, field, expected in (
                ("v1", "x-forwarded-for", "X-Forwarded-For: 198.51.100.1, 203.0.113.7", "203.0.113.7"),
                ("v2", "x-forwarded-for", "X-Forwarded-For: 203.0.113.8, 127.0.0.9", "203.0.113.8"),
                ("v2", "x-forwarded-for", "X-Forwarded-For: 2001:db8::8", "2001:db8::8"),
                ("v1", "forwarded", "Forwarded: for=\"[2001:db8::7]:4711\";proto=https", "2001:db8::7"),
                ("v2", "forwarded", "Forwarded: for=203.0.113.9", "203.0.113.9")):
            with self.subTest(field=field, version=version):
                service = self.telling(version, **{"client-address-from": name})
                self.assertIn(expected, await self.logged(service.port, headers=[field]))

    async def test_of_a_header_field_that_is_not_believed(self):
        """Nobody said that there is one, it is another one, or it comes from a stranger."""
        for settings in ({}, {"client-address-from": "forwarded"},
                         {"client-address-from": "x-forwarded-for", "trusted-proxy": ["192.0.2.0/24"]}):
            with self.subTest(**settings):
                service = self.telling(**settings)
                address = await self.logged(service.port, headers=["X-Forwarded-For: 203.0.113.7"], source="127.0.0.4")
                self.assertIn("127.0.0.4", address)

    async def test_of_the_proxy_protocol(self):
        (port,) = free_ports(1)
        service = self.telling(**{"listen-proxy": [f"127.0.0.1:{port}"]})
        for preface, expected in (
                (first_version("203.0.113.10"), "203.0.113.10"), (second_version("203.0.113.11"), "203.0.113.11"),
                (first_version("2001:db8::10"), "2001:db8::10"), (second_version("2001:db8::11"), "2001:db8::11")):
            with self.subTest(preface=preface):
                self.assertIn(expected, await self.logged(port, preface=preface))
        for preface in (b"", b"PROXY nonsense\r\n"):
            with self.subTest(preface=preface):
                session = bosh.Session(port, ACCOUNTS, preface=preface)
                self.addAsyncCleanup(session.close)
                with self.assertRaises((bosh.ConnectionLost, AssertionError)):
                    await session.create()
        service.child.check_alive()

    async def test_of_the_proxy_protocol_from_a_stranger(self):
        (port,) = free_ports(1)
        service = self.telling(**{"listen-proxy": [f"127.0.0.1:{port}"], "trusted-proxy": ["192.0.2.0/24"]})
        session = bosh.Session(port, ACCOUNTS, preface=first_version("203.0.113.10"))
        self.addAsyncCleanup(session.close)
        with self.assertRaises(bosh.ConnectionLost):
            await session.create()
        self.assertEqual(service.statistics()["http"]["connections_untrusted"], 1)
        self.assertEqual(service.statistics()["upstream"]["connects"], 0)
