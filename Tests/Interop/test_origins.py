"""Pages of other origins in headless Chromium, which decides by the CORS protocol what they may do and read."""

import unittest

from support.case import holdfast_only
from support.gateway import Configured
from support.processes import Scratch
from support.web import Browser, Pages

# One session is asked for; nothing listens where its server should be, so the page is to try again: 503.
POST = """
const [url, headers, credentials] = arguments;
const body = "<body rid='1' to='example.org' wait='1' hold='1' xmlns='http://jabber.org/protocol/httpbind'/>";
const options = {method: "POST", body, headers: {"Content-Type": "text/xml; charset=utf-8", ...headers}, credentials};
return fetch(url, options).then(answer => answer.status, error => error.name);
"""
READ = "return fetch(arguments[0]).then(answer => answer.text(), error => error.name);"


@holdfast_only
class Origins(unittest.TestCase):
    # There is no XMPP server in it.
    upstreams = ("prosody",)

    @classmethod
    def setUpClass(cls):
        cls.scratch = Scratch()
        cls.addClassCleanup(cls.scratch.remove)
        cls.listed, cls.stranger = Pages(), Pages()
        cls.addClassCleanup(cls.listed.stop)
        cls.addClassCleanup(cls.stranger.stop)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.stop)

    def serve(self, **settings):
        """The service, with these settings; returns where its endpoint is."""
        domains = {"example.org": {"upstream": "127.0.0.1:1", "upstream-tls": "none"}}
        own = {name.replace("_", "-"): value for name, value in settings.items()}
        self.service = Configured(self.scratch.path, own, domains)
        self.addCleanup(self.service.stop)
        return f"http://127.0.0.1:{self.service.port}/http-bind"

    def post(self, url, headers=None, credentials="same-origin", pages=None):
        """The status that a page gets for a request with these fields, or `TypeError` when its browser keeps it back."""
        self.browser.open(f"{(pages or self.listed).origin}/blank.html")
        return self.browser.run(POST, url, headers or {}, credentials)

    def sessions(self):
        return self.service.statistics()["sessions"]["ever"]

    def test_extra_header(self):
        url = self.serve()
        self.assertEqual(self.post(url, {"X-Api-Key": "key", "Cache-Control": "no-cache"}), 503)
        self.assertEqual(self.post(url, {"X-Api-Key": "key"}, credentials="include"), "TypeError")
        self.assertEqual(self.sessions(), 1)

    def test_named_headers(self):
        url = self.serve(cors_header="X-Api-Key")
        self.assertEqual(self.post(url, {"X-Api-Key": "key"}), 503)
        self.assertEqual(self.post(url, {"X-Other": "key"}), "TypeError")
        self.assertEqual(self.sessions(), 1)

    def test_listed_origin_with_credentials(self):
        url = self.serve(cors_origin=[self.listed.origin], cors_credentials=True)
        self.assertEqual(self.post(url, {"X-Api-Key": "key"}, credentials="include"), 503)
        self.assertEqual(self.sessions(), 1)
        self.assertEqual(self.post(url, credentials="include", pages=self.stranger), "TypeError")
        # Without a preflight it gets as far as the endpoint, which turns it away.
        refused = self.service.statistics()["http"]["requests_refused"]
        self.assertEqual(self.post(url, {"Content-Type": "text/plain"}, pages=self.stranger), "TypeError")
        self.assertEqual(self.service.statistics()["http"]["requests_refused"], refused + 1)
        self.assertEqual(self.sessions(), 1)

    def test_own_origin(self):
        url = self.serve(cors_origin=[self.listed.origin], public_url="https://example.org/http-bind")
        # The page that GET shows on the endpoint allows no scripts to connect.
        self.browser.open(url.replace("/http-bind", "/.well-known/host-meta.json"))
        self.assertEqual(self.browser.run(POST, url, {"X-Api-Key": "key"}, "same-origin"), 503)

    def test_host_meta_is_for_every_page(self):
        url = self.serve(cors_origin=[self.listed.origin], public_url="https://example.org/http-bind")
        self.browser.open(f"{self.stranger.origin}/blank.html")
        text = self.browser.run(READ, url.replace("/http-bind", "/.well-known/host-meta.json"))
        self.assertIn("https://example.org/http-bind", text)

    def test_left_to_the_proxy(self):
        self.assertEqual(self.post(self.serve(cors_origin="off")), "TypeError")
