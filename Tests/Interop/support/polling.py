"""A client of HTTP polling (XEP-0025) that goes on after a lost answer: it sends the same request again until one comes."""

import asyncio
import base64
import collections
import contextlib
import hashlib
import re
import secrets
import xml.etree.ElementTree as ElementTree

from . import bosh
from .bosh import BIND, CLIENT, SASL
from .processes import PATIENCE

STREAMS = "http://etherx.jabber.org/streams"


class Ended(Exception):
    """The identifier of the answer says that the session is over, or never was."""


class Session:
    """One client with one XMPP stream. It asks only while a test waits for something."""

    def __init__(self, port, domain, chain=0):
        """`chain`: how many keys are made at once, 0: none are used."""
        self.port, self.domain, self.chain = port, domain, chain
        self.identifier = "0"
        self.jid = None
        self.elements = collections.deque()
        # How often a request was sent again.
        self.repeats = 0
        self._keys = self._new_keys()
        self._outgoing = ""

    def _new_keys(self):
        """The last one first: each is the hash of the one that is used behind it, and the seed is never used."""
        keys = [secrets.token_hex(16)]
        for _ in range(self.chain):
            keys.append(base64.b64encode(hashlib.sha1(keys[-1].encode()).digest()).decode())
        return keys[1:]

    def _head(self):
        if not self.chain:
            return self.identifier
        key = self._keys.pop()
        if self._keys:
            return f"{self.identifier};{key}"
        self._keys = self._new_keys()
        return f"{self.identifier};{key};{self._keys.pop()}"

    def send(self, text):
        """Puts XML into the next request."""
        self._outgoing += text

    async def exchange(self):
        """One request, again and again until its answer has come whole."""
        body, self._outgoing = f"{self._head()},{self._outgoing}".encode(), ""
        while (answer := await self._attempt(body)) is None:
            self.repeats += 1
        assert answer.status == 200, answer.status
        self.identifier = re.match("ID=([^;]*)", answer.headers["set-cookie"])[1]
        if self.identifier.endswith(":0"):
            raise Ended(self.identifier)
        self._read(answer.data.decode())

    async def _attempt(self, body):
        connection = bosh.Connection("127.0.0.1", self.port)
        with contextlib.suppress(bosh.ConnectionLost):
            try:
                await connection.open()
                connection.post("/http-poll", body)
                return await connection.answer()
            finally:
                connection.close()
        return None

    def _read(self, text):
        self._parser.feed(text)
        for event, element in self._parser.read_events():
            self._depth += 1 if event == "start" else -1
            if event == "end" and self._depth == 1:
                self.elements.append(element)

    async def element(self):
        async with asyncio.timeout(PATIENCE):
            while not self.elements:
                await self.exchange()
        return self.elements.popleft()

    async def begin(self):
        """Opens the stream, or opens it anew; its features."""
        self._parser, self._depth = ElementTree.XMLPullParser(events=("start", "end")), 0
        self.send(f"<stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAMS}' to='{self.domain}' version='1.0'>")
        features = await self.element()
        assert features.tag == f"{{{STREAMS}}}features", features.tag

    async def login(self, user, password):
        await self.begin()
        initial = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        self.send(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{initial}</auth>")
        answer = await self.element()
        assert answer.tag == f"{{{SASL}}}success", ElementTree.tostring(answer)
        await self.begin()
        self.send(f"<iq type='set' id='bind'><bind xmlns='{BIND}'/></iq>")
        self.jid = (await self.element()).findtext(f".//{{{BIND}}}jid")
        self.send("<presence/>")
        return self

    async def message(self):
        """The body of the next message; other elements are dropped."""
        while True:
            body = (await self.element()).findtext(f"{{{CLIENT}}}body")
            if body is not None:
                return body

    async def end(self):
        """Ends the stream; returns when the service has ended it too."""
        self.send("</stream:stream>")
        with contextlib.suppress(Ended):
            while self._depth > 0:
                await self.exchange()
