"""The base of the test cases: a private Prosody and the service under test, per class."""

import unittest

from . import gateway
from .processes import Scratch
from .prosody import ACCOUNTS, ANONYMOUS, Prosody
from . import bosh, xmpp


def holdfast_only(test):
    """For what only Holdfast has (its upstream modes, signals, admin listener): not run against the control."""
    return unittest.skipIf(gateway.binary is None, "needs the holdfast binary")(test)


class Case(unittest.IsolatedAsyncioTestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.scratch = Scratch()
        cls.addClassCleanup(cls.scratch.remove)
        cls.prosody = Prosody(cls.scratch.sub("prosody"))
        cls.addClassCleanup(cls.prosody.stop)
        cls.service = gateway.start(cls.scratch.path, cls.prosody, options=cls.options)
        cls.addClassCleanup(cls.service.stop)

    def tearDown(self):
        self.prosody.child.check_alive()
        self.service.child.check_alive()

    async def session(self, user=None, polling=True, port=None, **attributes):
        """A logged-in BOSH session, available, without a user anonymous."""
        domain = ANONYMOUS if user is None else ACCOUNTS
        session = bosh.Session(port or self.service.port, domain)
        self.addAsyncCleanup(session.close)
        await session.create(**attributes)
        await session.login(user, self.prosody.password)
        if polling:
            session.start_polling()
        return session

    async def peer(self, user=None):
        """A client directly on the server."""
        client = xmpp.Client(self.prosody.plain_port, ANONYMOUS if user is None else ACCOUNTS)
        await client.login(user, self.prosody.password)
        self.addAsyncCleanup(client.close)
        client.write("<presence/>")
        return client
