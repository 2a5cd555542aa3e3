"""Converse.js in headless Chromium over BOSH: the one that PyPI has, of 2014, in a package for Django. It knows no WebSocket."""

import asyncio
import os
import subprocess
import tarfile
import unittest

from support.case import Case
from support.prosody import ACCOUNTS
from support.web import Browser, Pages
from support.xmpp import chat

# The hash is of what was read and tried; pip takes nothing else.
PACKAGE = "django-conversejs==0.3.4 --hash=sha256:91fe2a7bdde3bd68b3f53afc08bc600eb3b8f18f6b221e861fb59f34a7eaa894"
SCRIPT = "django-conversejs-0.3.4/conversejs/static/converse.js/converse.min.js"
COUNT = 100


class Converse(Case):
    every_upstream = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pages = Pages({"/converse.js": cls.fetched(cls.scratch.sub("converse"))})
        cls.addClassCleanup(cls.pages.stop)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.stop)

    @staticmethod
    def fetched(directory):
        """The path of the script, out of the package."""
        wanted = os.path.join(directory, "wanted")
        with open(wanted, "w", encoding="ascii") as file:
            file.write(f"{PACKAGE}\n")
        command = ["/usr/bin/python3", "-m", "pip", "download", "-q", "--no-deps", "--require-hashes", "-d", directory, "-r", wanted]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode != 0 and "HASHES" not in done.stderr:
            raise unittest.SkipTest(f"PyPI is out of reach: {done.stderr[-200:]}")
        assert done.returncode == 0, done.stderr
        with tarfile.open(os.path.join(directory, "django-conversejs-0.3.4.tar.gz")) as archive:
            data = archive.extractfile(SCRIPT).read()
        path = os.path.join(directory, "converse.js")
        with open(path, "wb") as file:
            file.write(data)
        return path

    async def run_script(self, script, *arguments):
        return await asyncio.to_thread(self.browser.run, script, *arguments)

    async def wait(self, expression, what):
        return await asyncio.to_thread(self.browser.wait, expression, what)

    async def befriend(self, peer):
        """It shows only contacts, and only messages of contacts. From now on the two see each other's presence."""
        session = await self.session("romeo")
        own, other = f"romeo@{ACCOUNTS}", peer.jid.partition("/")[0]
        session.send("<presence xmlns='jabber:client'/>")
        session.send(f"<presence xmlns='jabber:client' type='subscribe' to='{other}'/>")
        await self.presence(lambda: peer.stanza("presence"), "subscribe")
        peer.write(f"<presence type='subscribed' to='{own}'/><presence type='subscribe' to='{own}'/>")
        await self.presence(session.next_stanza, "subscribe")
        session.send(f"<presence xmlns='jabber:client' type='subscribed' to='{other}'/>")
        session.send(f"<iq xmlns='jabber:client' type='get' id='processed' to='{ACCOUNTS}'><ping xmlns='urn:xmpp:ping'/></iq>")
        while (await session.next_stanza()).get("id") != "processed":
            pass
        await session.stop_polling()
        await session.terminate()

    @staticmethod
    async def presence(receive, kind):
        """Waits for a presence of this type."""
        while (await receive()).get("type") != kind:
            pass

    @staticmethod
    def is_online(presence):
        """Whether the page says that it is available; the session before had a resource of another name."""
        sender = presence.get("from")
        return sender.startswith(f"romeo@{ACCOUNTS}/") and not sender.endswith("/raw") and presence.get("type") is None

    async def test_log_in_and_chat(self):
        """The form, then messages both ways, each once and in order."""
        peer = await self.peer("mercutio")
        await self.befriend(peer)
        await asyncio.to_thread(self.browser.open, f"{self.pages.origin}/converse.html")
        await self.wait("typeof require === 'function'", "the script")
        await self.run_script("start(arguments[0])", f"http://127.0.0.1:{self.service.port}/http-bind")
        await self.wait("document.querySelector('#converse-login')", "the form")
        await self.run_script("logIn(...arguments)", f"romeo@{ACCOUNTS}", self.server.password)
        await self.wait("!document.querySelector('#converse-login') && names().length === 1", "the log-in and the contacts")
        # A message before its presence would be stored for later.
        while not self.is_online(await peer.stanza("presence")):
            pass
        # Before it opens the window for a contact, it asks for a vCard, and what comes meanwhile it shows in any order.
        peer.write(chat(f"romeo@{ACCOUNTS}", "hello"))
        await self.wait("bodies().length === 1", "the first message in the page")
        for number in range(COUNT):
            peer.write(chat(f"romeo@{ACCOUNTS}", f"in {number}"))
        await self.wait(f"bodies().length > {COUNT}", "the messages in the page")
        self.assertEqual(await self.run_script("return bodies()"), ["hello", *(f"in {number}" for number in range(COUNT))])
        await self.run_script(f"for (let n = 0; n < {COUNT}; n += 1) say(`out ${{n}}`)")
        for number in range(COUNT):
            self.assertEqual(await peer.message(), f"out {number}")
