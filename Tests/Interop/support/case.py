"""The base of the test cases: a private XMPP server and the service under test, per class."""

import unittest

from . import gateway
from .processes import Scratch
from .prosody import ACCOUNTS, ANONYMOUS
from . import bosh, xmpp


def holdfast_only(test):
    """For what only Holdfast has (its upstream modes, signals, admin listener): not run against the control."""
    return unittest.skipIf(gateway.binary is None, "needs the holdfast binary")(test)


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

    @classmethod
    def setUpClass(cls):
        cls.scratch = Scratch()
        cls.addClassCleanup(cls.scratch.remove)
        cls.server = gateway.start_server(cls.scratch)
        cls.addClassCleanup(cls.server.stop)
        cls.service = gateway.start(cls.scratch.path, cls.server, options=cls.options)
        cls.addClassCleanup(cls.service.stop)

    def tearDown(self):
        self.server.child.check_alive()
        self.service.child.check_alive()

    async def session(self, user=None, polling=True, port=None, bind=True, **attributes):
        """A logged-in BOSH session, available, without a user anonymous."""
        domain = ANONYMOUS if user is None else ACCOUNTS
        session = bosh.Session(port or self.service.port, domain)
        self.addAsyncCleanup(session.close)
        await session.create(**attributes)
        await session.login(user, self.server.password, bind=bind)
        if polling:
            session.start_polling()
        return session

    async def peer(self, user=None):
        """A client directly on the server."""
        client = xmpp.Client(self.server.plain_port, ANONYMOUS if user is None else ACCOUNTS)
        await client.login(user, self.server.password)
        self.addAsyncCleanup(client.close)
        client.write("<presence/>")
        return client
