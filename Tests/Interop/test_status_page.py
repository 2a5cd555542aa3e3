"""The page for people on the admin listener, in headless Chromium."""

import asyncio
import os
import subprocess

from support import gateway
from support.bosh import Session
from support.case import Case, holdfast_only
from support.prosody import ANONYMOUS
from support.web import Browser

SESSIONS = "document.querySelector('[data-v=\"sessions/now\"]').textContent"


@holdfast_only
class StatusPage(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = Browser(logs=True)
        cls.addClassCleanup(cls.browser.stop)

    async def wait(self, expression, what):
        return await asyncio.to_thread(self.browser.wait, expression, what)

    async def test_numbers_appear_and_change(self):
        browser, origin = self.browser, f"http://127.0.0.1:{self.service.admin_port}"
        browser.open(f"{origin}/")
        await self.wait("document.getElementById('state').textContent === 'live'", "the page being live")
        before = int(browser.run(f"return {SESSIONS}"))
        session = Session(self.service.port, ANONYMOUS)
        self.addAsyncCleanup(session.close)
        await session.create()
        await session.login()
        await self.wait(f"{SESSIONS} === '{before + 1}'", "the session on the page")
        server = f"127.0.0.1:{self.server.plain_port}"
        row = await self.wait(
            "[...document.querySelectorAll('#servers tbody tr')].map((row) => row.innerText).find((text) => "
            f"text.startsWith('{server}')) || ''", "the row of the server")
        self.assertIn("works", row)
        await session.terminate()
        await self.wait(
            "[...document.querySelectorAll('#ends td')].some((cell) => cell.textContent === 'terminated')",
            "why the session ended")

        # At the width of a phone and of a desk nothing sticks out at the side.
        for width in (390, 1280):
            browser.resize(width, 900)
            await self.wait(f"window.innerWidth === {width}", "the width")
            self.assertLessEqual(browser.run("return document.documentElement.scrollWidth"), width)
            folder = os.environ.get("PICTURES_FOLDER")
            if folder:
                await asyncio.sleep(3)
                browser.picture(os.path.join(folder, f"status-{width}.png"))

        asked = browser.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        self.assertGreater(len(asked), 3)
        self.assertEqual([url for url in asked if not url.startswith(f"{origin}/")], [])
        self.assertEqual(browser.console(), [])

    async def test_without_javascript_the_numbers_are_there(self):
        browser = self.browser
        browser.open(f"http://127.0.0.1:{self.service.admin_port}/")
        text = browser.run(
            "return fetch('/').then((answer) => answer.text()).then((text) => "
            "new DOMParser().parseFromString(text, 'text/html').querySelector('[data-v=\"http/requests\"]').textContent)")
        self.assertGreaterEqual(int(text), 0)

    async def test_with_a_token_the_browser_asks_its_user_and_the_page_goes_on(self):
        token = "a-token-of-many-letters"
        place = os.path.join(self.scratch.sub("token"), "admin-token")
        with open(place, "w", encoding="ascii") as file:
            file.write(token + "\n")
        service = gateway.Configured(self.scratch.path, {
            "domain": ANONYMOUS, "upstream": f"127.0.0.1:{self.server.plain_port}", "upstream-tls": "none",
            "admin-token-file": place})
        self.addCleanup(service.stop)
        host = f"127.0.0.1:{service.admin_port}"
        for arguments, code in (((), 0), (("--token-file", os.path.join(self.scratch.path, "missing")), 1)):
            status = subprocess.run([gateway.binary, "status", "--config", service.file, *arguments], capture_output=True,
                                    text=True, timeout=60)
            self.assertEqual(status.returncode, code, status.stdout + status.stderr)
        status = subprocess.run([gateway.binary, "status", "--admin", host], capture_output=True, text=True, timeout=60)
        self.assertEqual(status.returncode, 1)
        self.assertIn("wants a token: name its file by --token-file", status.stderr)
        browser = self.browser
        browser.open(f"http://{host}/")
        self.assertNotIn("Sessions", browser.run("return document.body.innerText"))
        browser.open(f"http://operator:{token}@{host}/")
        await self.wait("document.getElementById('state').textContent === 'live'", "the page being live")
        row = await self.wait(
            "[...document.querySelectorAll('#limits tbody tr')].map((row) => row.innerText).find((text) => "
            "text.startsWith('open files')) || ''", "the limit on open files")
        self.assertIn("%", row)
        self.assertNotIn(token, service.log())
        # What the browser said of the refusal above.
        browser.console()
