"""A plain XMPP client on the server's client port: the other party, who does not go through BOSH."""

import asyncio
import base64
import itertools
import xml.etree.ElementTree as ElementTree

from .bosh import BIND, CLIENT, SASL
from .processes import PATIENCE


class Client:
    def __init__(self, port, domain):
        self.port, self.domain = port, domain
        self.jid = None
        self.inbox = asyncio.Queue()
        self.waiting = {}
        self._ids = itertools.count(1)
        self._reading = None

    async def login(self, user=None, password=None, resource="peer"):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        await self._open_stream()
        initial = "" if user is None else base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        self.write(f"<auth xmlns='{SASL}' mechanism='{'ANONYMOUS' if user is None else 'PLAIN'}'>{initial}</auth>")
        result = await self._next_element()
        assert result.tag == f"{{{SASL}}}success", ElementTree.tostring(result)
        await self._open_stream()
        self.write(f"<iq type='set' id='bind'><bind xmlns='{BIND}'><resource>{resource}</resource></bind></iq>")
        self.jid = (await self._next_element()).findtext(f".//{{{BIND}}}jid")
        self._reading = asyncio.create_task(self._read())
        return self

    async def _open_stream(self):
        self._parser = ElementTree.XMLPullParser(events=("start", "end"))
        self._depth = 0
        self._elements = []
        self.write(f"<?xml version='1.0'?><stream:stream xmlns='{CLIENT}' xmlns:stream='http://etherx.jabber.org/streams' "
                   f"to='{self.domain}' version='1.0'>")
        await self._next_element()

    def write(self, text):
        self.writer.write(text.encode())

    async def _next_element(self):
        while not self._elements:
            data = await asyncio.wait_for(self.reader.read(65536), PATIENCE)
            if not data:
                raise ConnectionError("the server closed the stream")
            self._feed(data)
        return self._elements.pop(0)

    def _feed(self, data):
        self._parser.feed(data)
        for event, element in self._parser.read_events():
            self._depth += 1 if event == "start" else -1
            if event == "end" and self._depth == 1:
                self._elements.append(element)

    async def _read(self):
        while True:
            while self._elements:
                stanza = self._elements.pop(0)
                waiting = self.waiting.pop(stanza.get("id"), None)
                if stanza.tag == f"{{{CLIENT}}}iq" and waiting is not None:
                    waiting.set_result(stanza)
                else:
                    self.inbox.put_nowait(stanza)
            data = await self.reader.read(65536)
            if not data:
                return
            self._feed(data)

    async def stanza(self, kind, patience=PATIENCE):
        """The next stanza with this local name; others are dropped."""
        while True:
            stanza = await asyncio.wait_for(self.inbox.get(), patience)
            if stanza.tag == f"{{{CLIENT}}}{kind}":
                return stanza

    async def message(self, patience=PATIENCE):
        """The text of the next message that has one."""
        while True:
            text = (await self.stanza("message", patience)).findtext(f"{{{CLIENT}}}body")
            if text is not None:
                return text

    async def synchronise(self):
        """Returns when the server has processed everything written so far (a ping comes back)."""
        identifier = f"ping{next(self._ids)}"
        self.waiting[identifier] = asyncio.get_running_loop().create_future()
        self.write(f"<iq type='get' id='{identifier}' to='{self.domain}'><ping xmlns='urn:xmpp:ping'/></iq>")
        await asyncio.wait_for(self.waiting[identifier], PATIENCE)

    async def close(self):
        if self._reading is not None:
            self._reading.cancel()
        self.write("</stream:stream>")
        self.writer.close()


def chat(to, text):
    """A chat message without anything that needs escaping."""
    return f"<message to='{to}' type='chat' xmlns='{CLIENT}'><body>{text}</body></message>"
