"""Strophe.js in headless Chromium, on a page of another origin than the service, over BOSH and over WebSocket."""

import asyncio

from support import gateway
from support.case import Case, fails_in_control, holdfast_only
from support.processes import wait_until
from support.prosody import ACCOUNTS, ANONYMOUS
from support.web import Browser, Pages
from support.xmpp import chat

# Long enough that no poll ends by itself within a test.
WAIT = 50


class Strophe(Case):
    every_upstream = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pages = Pages()
        cls.addClassCleanup(cls.pages.stop)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.stop)
        cls.url = f"http://127.0.0.1:{cls.service.port}/http-bind"

    async def run_script(self, script, *arguments):
        return await asyncio.to_thread(self.browser.run, script, *arguments)

    async def wait(self, expression, what):
        return await asyncio.to_thread(self.browser.wait, expression, what)

    async def open_page(self, name="client.html"):
        await asyncio.to_thread(self.browser.open, f"{self.pages.origin}/{name}")

    async def connect(self, jid, password=None):
        """A fresh page, logged in; returns the full JID."""
        await self.open_page()
        await self.run_script("sessionStorage.clear(); client.connect(...arguments)", self.url, jid, password, WAIT)
        await self.wait("client.status === 'CONNECTED' || client.status === 'AUTHFAIL' || client.status === 'CONNFAIL'",
                        "the login")
        self.assertEqual(await self.run_script("return client.status"), "CONNECTED")
        # Strophe notes the session for `restore` when it builds the first request after the login.
        await self.wait("sessionStorage.getItem('strophe-bosh-session') !== null", "the session being noted")
        return await self.run_script("return client.jid")

    async def restore(self, jid):
        await self.run_script("client.restore(...arguments)", self.url, jid, WAIT)
        await self.wait("client.status === 'ATTACHED'", "the session being restored")
        return await self.run_script("return client.jid")

    async def disconnect(self):
        await self.run_script("client.connection.disconnect('done')")
        await self.wait("client.status === 'DISCONNECTED'", "the disconnect")

    async def test_anonymous_login_and_conversation(self):
        await self.converse(ANONYMOUS, None)

    async def test_scram_login_and_conversation(self):
        await self.converse(f"romeo@{ACCOUNTS}", self.server.password)

    async def converse(self, jid, password):
        """200 messages each way, at once and in order, then the end of the session as others see it."""
        peer = await self.peer("mercutio")
        own = await self.connect(jid, password)
        used = await self.run_script("return client.connection._sasl_mechanism && client.connection._sasl_mechanism.name")
        self.assertEqual(used, "ANONYMOUS" if password is None else "SCRAM-SHA-1")

        await self.run_script("for (let n = 0; n < 200; n += 1) client.say(arguments[0], `out ${n}`)", peer.jid)
        for number in range(200):
            peer.write(chat(own, f"in {number}"))
        for number in range(200):
            self.assertEqual(await peer.message(), f"out {number}")
        await self.wait("client.messages.length >= 200", "200 messages in the page")
        messages = await self.run_script("return client.messages")
        self.assertEqual(messages, [f"in {number}" for number in range(200)])
        self.assertEqual(await self.run_script("return client.httpErrors"), 0)

        await self.run_script("client.greet(arguments[0])", peer.jid)
        self.assertIsNone((await self.presence(peer, own)).get("type"))
        await self.disconnect()
        self.assertEqual((await self.presence(peer, own)).get("type"), "unavailable")

    async def presence(self, peer, jid):
        while (presence := await peer.stanza("presence")).get("from") != jid:
            pass
        return presence

    async def test_characters_arrive_as_they_were_sent(self):
        peer = await self.peer("mercutio")
        own = await self.connect(f"romeo@{ACCOUNTS}", self.server.password)
        text = "<b> & \"quotes\" 'both' ]]> ünï \U0001f600 \ttab"
        await self.run_script("client.say(...arguments)", peer.jid, text)
        self.assertEqual(await peer.message(), text)
        peer.write(chat(own, "&lt;b&gt; &amp;&#x1F600; ü"))
        await self.wait("client.messages.length >= 1", "the message in the page")
        self.assertEqual(await self.run_script("return client.messages[0].replace(/&gt;/g, '>')"), "<b> &\U0001f600 ü")
        await self.disconnect()

    async def test_reload_restores_the_session(self):
        for jid, password in ((ANONYMOUS, None), (f"juliet@{ACCOUNTS}", self.server.password)):
            with self.subTest(jid=jid):
                peer = await self.peer("mercutio")
                own = await self.connect(jid, password)
                for number in range(3):
                    await asyncio.to_thread(self.browser.reload)
                    self.assertEqual(await self.restore(jid), own)
                    await self.run_script("client.say(...arguments)", peer.jid, f"out {number}")
                    self.assertEqual(await peer.message(), f"out {number}")
                    peer.write(chat(own, f"in {number}"))
                    await self.wait("client.messages.length >= 1", "a message after the reload")
                    self.assertEqual(await self.run_script("return client.messages"), [f"in {number}"])
                await self.disconnect()

    @holdfast_only
    async def test_a_reload_an_upgrade_and_the_supervisors_death_go_unnoticed(self):
        service = gateway.Renewable(self.scratch, self.server)
        self.addCleanup(service.stop)
        self.url = f"http://127.0.0.1:{service.port}/http-bind"
        peer = await self.peer("mercutio")
        own = await self.connect(f"romeo@{ACCOUNTS}", self.server.password)
        expected = []
        for name, change in service.changes():
            # While it happens, as well as afterwards.
            happening = asyncio.create_task(asyncio.to_thread(change))
            peer.write(chat(own, f"during {name}"))
            await self.run_script("client.say(...arguments)", peer.jid, f"during {name}")
            await happening
            peer.write(chat(own, f"after {name}"))
            await self.run_script("client.say(...arguments)", peer.jid, f"after {name}")
            for text in (f"during {name}", f"after {name}"):
                self.assertEqual(await peer.message(), text)
                expected.append(text)
            await self.wait(f"client.messages.length >= {len(expected)}", f"the messages of the {name}")
        self.assertEqual(await self.run_script("return client.messages"), expected)
        self.assertEqual(await self.run_script("return client.httpErrors"), 0)
        self.assertEqual(await self.run_script("return client.statuses.filter((status) => status === 'CONNECTED').length"), 1)
        self.assertEqual(await self.run_script("return client.jid"), own)
        await self.disconnect()

    async def test_a_beacon_ends_the_session_of_a_page_that_is_left(self):
        """L-10: no preflight, text/plain, nobody reads the answer."""
        peer = await self.peer("mercutio")
        own = await self.connect(ANONYMOUS)
        await self.run_script("client.greet(arguments[0])", peer.jid)
        self.assertIsNone((await self.presence(peer, own)).get("type"))
        await self.wait("client.connection._proto._requests.length === 1", "one open poll")
        ended = self.ended_by_terminate()
        await self.run_script("client.leaveByBeacon(arguments[0])", self.url)
        await self.open_page("blank.html")
        self.assertEqual((await self.presence(peer, own)).get("type"), "unavailable")
        if gateway.binary is not None:
            await asyncio.to_thread(wait_until, lambda: self.ended_by_terminate() == ended + 1, "the end by the beacon")

    def ended_by_terminate(self):
        return self.service.statistics()["sessions"]["ended"]["terminated"] if gateway.binary is not None else 0

    async def held_poll(self):
        """Waits until the page has one request, and the service holds it. The page has it before the service does."""
        only = "const all = client.connection._proto._requests; return all.length === 1 ? all[0].rid : null"
        rid = None
        while rid is None or rid != await self.run_script(only):
            await self.wait("client.connection._proto._requests.length === 1", "one open poll")
            rid = await self.run_script(only)
            await asyncio.to_thread(wait_until, lambda: self.service.held_polls() > 0, "a poll that is held")

    @fails_in_control("ejabberd", "notices that a poll's connection is closed only when it has answered it, with a message perhaps")
    async def test_message_sent_while_the_page_was_away(self):
        """P-13: the old page's poll died with it; what comes meanwhile goes to the restored page's next request."""
        for round_number in range(3):
            peer = await self.peer("mercutio")
            own = await self.connect(ANONYMOUS)
            await self.held_poll()
            before = self.service.aborted_polls()
            await self.open_page("blank.html")
            # The server may answer the poll meanwhile, and the page may be gone before it sends the next one.
            await asyncio.to_thread(wait_until, lambda: self.service.aborted_polls() > before or self.service.held_polls() == 0,
                                    "the end of the poll")
            peer.write(chat(own, f"first {round_number}") + chat(own, f"second {round_number}"))
            await peer.synchronise()
            await self.open_page()
            self.assertEqual(await self.restore(ANONYMOUS), own)
            await self.wait("client.messages.length >= 2", "the messages that came while the page was away")
            peer.write(chat(own, f"third {round_number}"))
            await self.wait("client.messages.length >= 3", "a message after that")
            messages = await self.run_script("return client.messages")
            self.assertEqual(messages, [f"{word} {round_number}" for word in ("first", "second", "third")])
            await self.disconnect()


class StropheOverWebSocket(Strophe):
    """The same client with a `ws:` address (RFC 7395). What is only for BOSH is left out: there a session outlives its page."""

    test_reload_restores_the_session = None
    test_message_sent_while_the_page_was_away = None
    test_a_beacon_ends_the_session_of_a_page_that_is_left = None
    test_a_reload_an_upgrade_and_the_supervisors_death_go_unnoticed = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = cls.service.websocket

    async def connect(self, jid, password=None):
        await self.open_page()
        await self.run_script("client.connect(...arguments)", self.url, jid, password, WAIT)
        await self.wait("client.status === 'CONNECTED' || client.status === 'AUTHFAIL' || client.status === 'CONNFAIL'",
                        "the login")
        self.assertEqual(await self.run_script("return client.statuses"), ["CONNECTING", "CONNECTED"])
        return await self.run_script("return client.jid")

    @fails_in_control("prosody", "refuses messages in several frames")
    async def test_long_messages_come_in_several_frames(self):
        """W-25: Chromium cuts what is longer than 131,000 bytes into frames. Prosody takes 256 KiB at most."""
        peer = await self.peer("mercutio")
        own = await self.connect(f"romeo@{ACCOUNTS}", self.server.password)
        await self.run_script("client.say(arguments[0], 'long '.repeat(40000))", peer.jid)
        self.assertEqual(await peer.message(), "long " * 40_000)
        peer.write(chat(own, "long " * 40_000))
        await self.wait("client.messages.length >= 1", "the long message in the page")
        self.assertEqual(await self.run_script("return client.messages[0].length"), 200_000)
        await self.disconnect()

    async def test_a_page_that_is_left_is_gone_at_once(self):
        """W-51: its contacts see it go, and it logs in again when it comes back."""
        peer = await self.peer("mercutio")
        own = await self.connect(f"romeo@{ACCOUNTS}", self.server.password)
        await self.run_script("client.greet(arguments[0])", peer.jid)
        self.assertIsNone((await self.presence(peer, own)).get("type"))
        await self.open_page("blank.html")
        self.assertEqual((await self.presence(peer, own)).get("type"), "unavailable")
        await self.connect(f"romeo@{ACCOUNTS}", self.server.password)
        await self.disconnect()

    @holdfast_only
    async def test_a_reload_leaves_it_where_it_is(self):
        """A WebSocket belongs to the worker that took it, and goes on while the configuration changes."""
        service = gateway.Renewable(self.scratch, self.server)
        self.addCleanup(service.stop)
        self.url = f"ws://127.0.0.1:{service.port}/xmpp-websocket"
        peer = await self.peer("mercutio")
        own = await self.connect(f"romeo@{ACCOUNTS}", self.server.password)
        for name, change in service.changes():
            await asyncio.to_thread(change)
            peer.write(chat(own, f"after {name}"))
            await self.run_script("client.say(...arguments)", peer.jid, f"after {name}")
            self.assertEqual(await peer.message(), f"after {name}")
        await self.wait(f"client.messages.length >= {len(service.changes())}", "all messages")
        self.assertEqual(await self.run_script("return client.statuses"), ["CONNECTING", "CONNECTED"])
        await self.disconnect()
