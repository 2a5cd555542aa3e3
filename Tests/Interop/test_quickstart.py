"""deploy/quickstart: two tabs of a browser chat through it, and Ctrl-C leaves nothing behind."""

import json
import os
import re
import signal
import unittest
import urllib.request

from support import gateway
from support.case import holdfast_only
from support.processes import PATIENCE, ROOT, Child, Scratch, accepts, free_ports, wait_until
from support.web import Browser


@holdfast_only
class Quickstart(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch()
        self.addCleanup(self.scratch.remove)
        self.temporary = self.scratch.sub("tmp")
        os.chmod(self.temporary, 0o711)
        self.ports = free_ports(3)
        names = ("QUICKSTART_PORT", "QUICKSTART_ADMIN_PORT", "CHAT_PORT")
        environment = dict(os.environ, QUICKSTART_BINARY=gateway.binary, TMPDIR=self.temporary,
                           **{name: str(port) for name, port in zip(names, self.ports)})
        self.child = Child([os.path.join(ROOT, "deploy", "quickstart")], os.path.join(self.scratch.path, "output"),
                           env=environment, cwd="/")
        self.addCleanup(self.child.stop)
        wait_until(lambda: "Ctrl-C" in self.child.output() or not self.child.check_alive(), "the quickstart's page")
        self.url = re.search(r"http://127\.0\.0\.1:\d+/$", self.child.output(), re.MULTILINE)[0]

    def interrupt(self):
        """Ctrl-C, as a terminal sends it: to the whole group."""
        os.killpg(self.child.pid, signal.SIGINT)
        self.assertEqual(self.child.wait(), 130)

    def test_two_tabs_chat_and_nothing_is_left_behind(self):
        browser = Browser()
        self.addCleanup(browser.stop)
        tabs, names = [browser.tab(), browser.new_tab()], []
        for tab in tabs:
            browser.switch(tab)
            browser.open(self.url)
            browser.wait("document.getElementById('state').className === 'connected'", "the tab being connected")
            names.append(browser.wait("nickname", "a nickname"))
        self.assertNotEqual(*names)
        for number, tab in enumerate(tabs):
            browser.switch(tab)
            browser.wait("people.size === 2", "both tabs in the room")
            browser.run("nodes.text.value = arguments[0]; nodes.say.requestSubmit();", f"hello from {names[number]}")
            # The room orders what two sessions say at once, so the other tab waits for the room's echo.
            self.messages(browser, number + 1)
        said = [[name, f"hello from {name}"] for name in names]
        for tab in tabs:
            browser.switch(tab)
            self.assertEqual(self.messages(browser, 2), said)

        # A reload goes on with the same session, and the room is as it was.
        browser.switch(tabs[0])
        jid = browser.run("return connection.jid")
        browser.reload()
        browser.wait("document.getElementById('state').className === 'connected'", "the tab being connected again")
        self.assertEqual(browser.run("return connection.jid"), jid)
        self.assertEqual(self.messages(browser, 2), said)
        self.assertEqual(browser.run("return nickname"), names[0])

        # An account of its own, by the form.
        browser.run("nodes.account.value = 'romeo@accounts.localhost'; nodes.login.requestSubmit();")
        browser.wait("connection.connected && connection.jid.startsWith('romeo@') && people.size === 2", "romeo in the room")
        browser.run("nodes.text.value = 'it is I'; nodes.say.requestSubmit();")
        browser.switch(tabs[1])
        self.assertEqual(self.messages(browser, 3)[2][1], "it is I")

        # Over the other doors, in the same room; a message from there, and one to there.
        for number, (way, service) in enumerate((("WebSocket", "ws:"), ("HTTP polling", "/http-poll"))):
            browser.switch(tabs[0])
            self.assertNotEqual(browser.run("return nodes.door.textContent"), way)
            browser.run("nodes.way.value = arguments[0]; nodes.login.requestSubmit();", way)
            browser.wait(f"nodes.door.textContent === '{way}' && people.size === 2", f"a tab over {way}")
            self.assertTrue(browser.run("return connection.service").startswith(service))
            self.assertIn(f"over {way}", browser.run("return nodes['state-text'].textContent"))
            browser.run("nodes.text.value = arguments[0]; nodes.say.requestSubmit();", f"over {way}")
            browser.switch(tabs[1])
            self.assertEqual(self.messages(browser, 4 + 2 * number)[-1][1], f"over {way}")
            browser.run("nodes.text.value = arguments[0]; nodes.say.requestSubmit();", f"to {way}")
            browser.switch(tabs[0])
            browser.wait(f"nodes.messages.lastChild.lastChild.textContent === 'to {way}'", f"the message over {way}")
            # A reload keeps the door.
            browser.reload()
            browser.wait("document.getElementById('state').className === 'connected'", "the tab being connected again")
            self.assertEqual(browser.run("return nodes.door.textContent"), way)
            self.assertTrue(browser.run("return connection.jid").startswith("romeo@"))
        statistics = self.statistics()
        self.assertGreaterEqual(statistics["websockets"]["ever"], 2)
        self.assertGreaterEqual(statistics["polling"]["ever"], 2)
        self.assertEqual(sum(statistics["polling"]["errors"].values()), 0, statistics["polling"]["errors"])
        browser.switch(tabs[1])
        if picture := os.environ.get("QUICKSTART_PICTURE"):
            browser.picture(picture)

        # None of the pages that were left is still there.
        browser.switch(tabs[0])
        browser.run("nodes.leave.click()")
        browser.wait("nodes.state.className === 'ended'", "the tab having left")
        browser.switch(tabs[1])
        browser.wait("people.size === 1", "the other tab being alone")

        self.interrupt()
        self.assertEqual(os.listdir(self.temporary), [])
        self.assertFalse([port for port in self.ports if accepts(port)])

    def statistics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[1]}/stats", timeout=PATIENCE) as answer:
            return json.load(answer)

    def messages(self, browser, count):
        """Who said what, once there are so many."""
        browser.wait(f"document.querySelectorAll('#messages li:not(.note)').length >= {count}", f"{count} messages")
        return browser.run("return [...document.querySelectorAll('#messages li:not(.note)')].map("
                           "(item) => [item.firstChild.textContent, item.lastChild.textContent])")

    def test_a_port_in_use_is_named(self):
        environment = dict(os.environ, QUICKSTART_BINARY=gateway.binary, TMPDIR=self.temporary,
                           QUICKSTART_PORT=str(self.ports[0]))
        second = Child([os.path.join(ROOT, "deploy", "quickstart")], os.path.join(self.scratch.path, "second"),
                       env=environment)
        self.addCleanup(second.stop)
        self.assertEqual(second.wait(), 1)
        self.assertEqual(second.output(), f"quickstart: QUICKSTART_PORT={self.ports[0]}: "
                                          f"port {self.ports[0]} of 127.0.0.1 is in use\n")
        self.interrupt()
