"""The base of the test cases: a private XMPP server and the service under test, per class."""

import asyncio
import socket
import unittest

from . import gateway
from .processes import Scratch
from .prosody import ACCOUNTS, ANONYMOUS
from . import bosh, xmpp


def holdfast_only(test):
    """For what only Holdfast has (its upstream modes, signals, admin listener): not run against the control."""
    return unittest.skipIf(gateway.binary is None, "needs the holdfast binary")(test)


def needs_ipv6(test):
    """Skipped where the machine has no ::1."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return unittest.skip("there is no ::1")(test)
    return test


def fails_in_control(server, reason):
    """For what this server's own BOSH is known to do wrong, which a run with --control then expects."""
    def note(test):
        test.known_failures = {**getattr(test, "known_failures", {}), server: reason}
        return test

    return note


class Case(unittest.IsolatedAsyncioTestCase):
    # Arguments for holdfast.
    options = ()
    # Whether it says something new to run this class with another server too.
    every_upstream = False
    # The servers this class is for, None for what `every_upstream` says.
    upstreams = None
    # Whether it takes more than 20 seconds and begins first, so that the run does not end with it alone.
    lasts_long = False

    @classmethod
    def server_options(cls):
        """What the private server has beyond the usual; `cls.scratch` is there already."""
        return {}

    @classmethod
    def setUpClass(cls):
        cls.scratch = Scratch()
        cls.addClassCleanup(cls.scratch.remove)
        cls.server = gateway.start_server(cls.scratch, **cls.server_options())
        cls.addClassCleanup(cls.server.stop)
        cls.service = gateway.start(cls.scratch.path, cls.server, options=cls.options)
        cls.addClassCleanup(cls.service.stop)

    def tearDown(self):
        self.server.child.check_alive()
        self.service.child.check_alive()

    async def session(self, user=None, polling=True, port=None, proxy=None, bind=True, source=None, **attributes):
        """A logged-in BOSH session, available, without a user anonymous; through a proxy if there is one."""
        domain = ANONYMOUS if user is None else ACCOUNTS
        port, tls = (port or self.service.port, None) if proxy is None else (proxy.port, proxy.tls)
        session = bosh.Session(port, domain, source=source, tls=tls)
        self.addAsyncCleanup(session.close)
        await session.create(**attributes)
        await session.login(user, self.server.password, bind=bind)
        if polling:
            session.start_polling()
        return session

    def configured(self, settings, domains=None):
        """A Holdfast of its own with a configuration file."""
        service = gateway.Configured(self.scratch.path, settings, domains)
        # It says goodbye to scripted servers, which live in this thread.
        self.addAsyncCleanup(asyncio.to_thread, service.stop)
        return service

    async def anonymous(self, service, domain, **options):
        """An anonymous session at a domain of `service`, logged in."""
        session = bosh.Session(service.port, domain, **options)
        self.addAsyncCleanup(session.close)
        await session.create()
        return await session.login()

    async def refused(self, service, domain, condition="remote-connection-failed", **attributes):
        """No session is made, the client is told why, and the service goes on."""
        session = bosh.Session(service.port, domain)
        self.addAsyncCleanup(session.close)
        with self.assertRaises(bosh.Ended) as ended:
            await session.create(**attributes)
        self.assertEqual(ended.exception.condition, condition)
        service.child.check_alive()

    async def turned_away(self, service, domain, **attributes):
        """No session is made, the client is to try again, and the service goes on."""
        session = bosh.Session(service.port, domain)
        self.addAsyncCleanup(session.close)
        with self.assertRaises(bosh.TurnedAway):
            await session.create(**attributes)
        service.child.check_alive()

    async def peer(self, user=None):
        """A client directly on the server."""
        client = xmpp.Client(self.server.plain_port, ANONYMOUS if user is None else ACCOUNTS)
        await client.login(user, self.server.password)
        self.addAsyncCleanup(client.close)
        client.write("<presence/>")
        return client


@holdfast_only
class Alone(Case):
    """Without a server of its own, and no service but those that a test starts."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = Scratch()
        cls.addClassCleanup(cls.scratch.remove)

    def tearDown(self):
        pass
