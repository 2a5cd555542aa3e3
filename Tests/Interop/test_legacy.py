"""Clients from before `ver`, and the media types that clients ask for (T-10, L-14, H-06, H-07)."""

from support import bosh
from support.case import Case, holdfast_only
from support.prosody import ANONYMOUS
from support.xmpp import chat


@holdfast_only
class Legacy(Case):
    every_upstream = True

    async def old_client(self, **attributes):
        return await self.session(polling=False, ver=None, xmpp_version=None, **attributes)

    async def answer(self, session, rid=None, payload="", **attributes):
        return await session.exchange(session.take_rid() if rid is None else rid, payload, **attributes)

    def new(self):
        session = bosh.Session(self.service.port, ANONYMOUS)
        self.addAsyncCleanup(session.close)
        return session

    async def test_it_logs_in_and_talks(self):
        """L-14, X-13: also with stanzas that are in no namespace of their own."""
        session, peer = await self.old_client(wait=2), await self.peer("mercutio")
        await session.request("<presence/>")
        await session.request(f"<message to='{peer.jid}' type='chat'><body>out</body></message>")
        self.assertEqual(await peer.message(), "out")
        peer.write(chat(session.jid, "in"))
        self.assertEqual(await session.message(), "in")

    async def test_a_rid_out_of_the_window_is_not_found(self):
        session = await self.old_client()
        self.assertEqual((await self.answer(session, session.rid + 100)).status, 404)
        # The session is over, and of a `sid` that is not known nobody knows the version.
        after = await self.answer(session)
        self.assertEqual((after.status, after.body.get("condition")), (200, "item-not-found"))

    async def test_polling_too_often_is_forbidden(self):
        session = self.new()
        await session.create(hold=0, wait=5, ver=None, polling=None)
        statuses = [(await self.answer(session)).status for _ in range(3)]
        self.assertIn(403, statuses)
        self.assertEqual(set(statuses[:statuses.index(403)]) - {200}, set())

    async def test_what_cannot_be_read_is_bad(self):
        session = await self.old_client()
        self.assertEqual((await self.answer(session, payload="<presence>")).status, 400)
        self.assertEqual((await self.answer(self.new(), to=ANONYMOUS, wait="soon")).status, 400)

    async def test_conditions_without_a_status_stay_conditions(self):
        answer = await self.answer(self.new(), to="elsewhere.example", wait=5, hold=1)
        self.assertEqual((answer.status, answer.body.get("condition")), (200, "host-unknown"))

    async def test_newer_clients_get_conditions(self):
        session = await self.session(polling=False)
        answer = await self.answer(session, session.rid + 100)
        self.assertEqual((answer.status, answer.body.get("condition")), (200, "item-not-found"))

    async def test_content_is_what_the_client_asked_for(self):
        for content in ("text/xml", "text/xml; charset=utf-8", "application/xml", "text/plain; charset=UTF-8", None):
            with self.subTest(content=content):
                session = await self.session(polling=False, content=content)
                for attributes in ({"rid": session.rid}, {"payload": "<presence xmlns='jabber:client'/>"}, {"type": "terminate"}):
                    answer = await self.answer(session, **attributes)
                    self.assertEqual(answer.headers["content-type"], content or "text/xml; charset=utf-8")
                    self.assertEqual(answer.headers["x-content-type-options"], "nosniff")

    async def test_content_that_a_browser_would_run_is_not_granted(self):
        for content in ("text/html", "text/html; charset=utf-8", "application/xhtml+xml", "image/svg+xml", "text/javascript",
                        "text/xml\r\nSet-Cookie: a=b", "text/xml charset=utf-8", "text/xml; charset=ISO-8859-1"):
            with self.subTest(content=content):
                session = await self.session(polling=False, content=content)
                answer = await self.answer(session, type="terminate")
                self.assertEqual(answer.headers["content-type"], "text/xml; charset=utf-8")
                self.assertNotIn("set-cookie", answer.headers)
