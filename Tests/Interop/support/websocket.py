"""XMPP over WebSocket (RFC 7395) with the `websockets` library, which nobody here wrote, as the client."""

import asyncio
import base64
import itertools
import xml.etree.ElementTree as ElementTree

import websockets

from .bosh import BIND, CLIENT, SASL
from .processes import PATIENCE

FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
STREAMS = "http://etherx.jabber.org/streams"
SM = "urn:xmpp:sm:3"


class Session:
    """One client: a WebSocket with one XMPP stream on it."""

    def __init__(self, url, domain):
        self.url, self.domain = url, domain
        self.jid = self.features = None
        self._ids = itertools.count(1)

    async def open(self, **options):
        """The handshake alone."""
        self.socket = await websockets.connect(
            self.url, subprotocols=["xmpp"], ping_interval=None, max_size=2**24, **options)
        assert self.socket.subprotocol == "xmpp"
        return self

    async def send(self, text):
        await self.socket.send(text)

    async def text(self):
        """The next message as it came."""
        return await asyncio.wait_for(self.socket.recv(), PATIENCE)

    async def element(self):
        """The next message, which must be one element that parses alone."""
        text = await self.text()
        assert isinstance(text, str) and text.startswith("<"), text
        return ElementTree.fromstring(text)

    async def begin(self):
        """Opens a stream, or opens it anew; its `<open/>` and features."""
        await self.send(f"<open xmlns='{FRAMING}' to='{self.domain}' version='1.0'/>")
        opening = await self.element()
        assert opening.tag == f"{{{FRAMING}}}open", opening.tag
        self.features = await self.element()
        assert self.features.tag == f"{{{STREAMS}}}features", self.features.tag
        return opening

    async def login(self, user=None, password=None, bind=True):
        await self.begin()
        initial = "" if user is None else base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        mechanism = "ANONYMOUS" if user is None else "PLAIN"
        await self.send(f"<auth xmlns='{SASL}' mechanism='{mechanism}'>{initial}</auth>")
        answer = await self.element()
        assert answer.tag == f"{{{SASL}}}success", ElementTree.tostring(answer)
        await self.begin()
        if bind:
            answer = await self.ask(f"<bind xmlns='{BIND}'/>", "set")
            self.jid = answer.findtext(f".//{{{BIND}}}jid")
            await self.send("<presence xmlns='jabber:client'/>")
        return self

    async def ask(self, payload, kind="get"):
        """Sends an iq and waits for its answer; what comes before it is dropped."""
        identifier = f"ws{next(self._ids)}"
        await self.send(f"<iq xmlns='{CLIENT}' type='{kind}' id='{identifier}'>{payload}</iq>")
        while True:
            answer = await self.element()
            if answer.get("id") == identifier:
                return answer

    async def message(self):
        """The body of the next chat message; other elements are dropped."""
        while True:
            element = await self.element()
            body = element.findtext(f"{{{CLIENT}}}body")
            if element.tag == f"{{{CLIENT}}}message" and body is not None:
                return body

    async def end(self):
        """Closes the stream and the socket in order; the code with which the socket was closed."""
        await self.send(f"<close xmlns='{FRAMING}'/>")
        while (await self.element()).tag != f"{{{FRAMING}}}close":
            pass
        return await self.closed()

    async def closed(self):
        """Waits for the other side to close; its code."""
        await asyncio.wait_for(self.socket.wait_closed(), PATIENCE)
        return self.socket.close_code

    async def close(self):
        await self.socket.close()
