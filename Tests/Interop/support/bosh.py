"""A raw BOSH client on asyncio: every request, connection and abort is in the hands of the test."""

import asyncio
import base64
import random
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import quoteattr

from .processes import PATIENCE

BOSH = "http://jabber.org/protocol/httpbind"
CLIENT = "jabber:client"
XBOSH = "urn:xmpp:xbosh"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"


class Ended(Exception):
    """The session ended: `condition` is that of the terminal body, or None."""

    def __init__(self, condition):
        super().__init__(f"session ended: {condition}")
        self.condition = condition


class ConnectionLost(Exception):
    """The connection closed before the answer was complete."""


class TurnedAway(Exception):
    """No server can be reached; the client is to try again later."""


class Answer:
    """One HTTP response with the `<body/>` in it."""

    def __init__(self, status, headers, data):
        self.status = status
        self.headers = headers
        self.data = data

    @property
    def body(self):
        if self.status == 503 and b"type='error'" in self.data:
            raise TurnedAway
        assert self.status == 200, f"HTTP {self.status}: {self.data!r}"
        return ElementTree.fromstring(self.data)


class Connection:
    """One HTTP/1.1 connection. `post` only sends; answers are read in order by `answer`."""

    def __init__(self, host, port, source=None, preface=b"", tls=None):
        """`source`: the own address; `preface`: bytes before the first request; `tls`: a context for https."""
        self.host, self.port, self.tls = host, port, tls
        self.source, self.preface = source, preface
        self.reader = self.writer = None

    async def open(self):
        source = None if self.source is None else (self.source, 0)
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port, local_addr=source, ssl=self.tls)
        self.writer.write(self.preface)
        return self

    def post(self, path, data, headers=()):
        host = f"[{self.host}]" if ":" in self.host else self.host
        head = [f"POST {path} HTTP/1.1", f"Host: {host}:{self.port}", "Content-Type: text/xml; charset=utf-8",
                f"Content-Length: {len(data)}", *headers]
        self.writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + data)

    async def answer(self, patience=PATIENCE):
        try:
            return await asyncio.wait_for(self._answer(), patience)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise ConnectionLost(str(error)) from None

    async def _answer(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {}
        for line in head[1:]:
            if line:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
        if headers.get("transfer-encoding") == "chunked":  # a proxy may do this, Holdfast does not (H-05)
            data = b""
            while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
                data += await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)
        else:
            data = await self.reader.readexactly(int(headers["content-length"]))
        return Answer(int(head[0].split()[1]), headers, data)

    def abort(self):
        """Closes at once, as a browser does with the connection of a poll it gives up."""
        self.writer.transport.abort()

    def close(self):
        if self.writer is not None:
            self.writer.close()


class Session:
    """One BOSH session. `request` is one exchange; `start_polling` keeps a poll open like a real client."""

    def __init__(self, port, domain, host="127.0.0.1", path="/http-bind", headers=(), source=None, preface=b"",
                 tls=None):
        self.source, self.preface, self.tls = source, preface, tls
        self.host, self.port, self.path, self.domain, self.headers = host, port, path, domain, headers
        self.rid = random.randrange(1, 2**52)
        self.sid = None
        self.jid = None
        self.requests = 2
        self.inbox = asyncio.Queue()
        self.ended = None
        self._idle = []
        self._open = {}
        self._answers = {}
        self._delivered = self.rid
        self._sending = set()
        self._poller = None
        self._slots = None
        self._quiet = asyncio.Event()
        self._quiet.set()

    # Requests

    def wrap(self, rid, payload="", **attributes):
        """The `<body/>` of one request. Attribute names: `_` stands for `:` in `xmpp_restart`, `xml_lang`; None: absent."""
        values = {"xmlns": BOSH, "rid": str(rid)}
        if self.sid is not None:
            values["sid"] = self.sid
        for name, value in attributes.items():
            if value is None:
                continue
            values[name.replace("_", ":")] = str(value)
        if any(name.startswith("xmpp:") for name in values):
            values["xmlns:xmpp"] = XBOSH
        text = " ".join(f"{name}={quoteattr(value)}" for name, value in values.items())
        return f"<body {text}>{payload}</body>".encode()

    def take_rid(self):
        self.rid += 1
        return self.rid

    async def exchange(self, rid, payload="", **attributes):
        """Sends the request `rid` on a connection of its own choice and returns the HTTP answer."""
        data = self.wrap(rid, payload, **attributes)
        connection = self._idle.pop() if self._idle else await self._connect()
        self._open[rid] = connection
        try:
            connection.post(self.path, data, self.headers)
            answer = await connection.answer()
        except BaseException:
            connection.close()
            raise
        finally:
            del self._open[rid]
        if answer.headers.get("connection", "").lower() == "close":
            connection.close()
        else:
            self._idle.append(connection)
        return answer

    def _connect(self):
        return Connection(self.host, self.port, self.source, self.preface, self.tls).open()

    async def request(self, payload="", **attributes):
        """One new request; its stanzas go to `inbox` in rid order. Returns the response body."""
        rid = self.take_rid()
        try:
            body = (await self.exchange(rid, payload, **attributes)).body
        except BaseException:
            self._deliver(rid, ())  # given up: what comes later must not wait for it
            raise
        self._deliver(rid, body)
        if body.get("type") == "terminate":
            self.ended = Ended(body.get("condition"))
            if attributes.get("type") != "terminate":
                raise self.ended
        return body

    def _deliver(self, rid, stanzas):
        self._answers[rid] = stanzas
        while self._delivered + 1 in self._answers:
            self._delivered += 1
            for stanza in self._answers.pop(self._delivered):
                self.inbox.put_nowait(stanza)

    def abort_requests(self):
        """Closes the connections of all open requests. Their rids stay used (see `repeat`)."""
        for connection in list(self._open.values()):
            connection.abort()
        return list(self._open)

    def open_requests(self):
        return sorted(self._open)

    # Session

    async def create(self, wait=30, hold=1, **attributes):
        usual = {"to": self.domain, "wait": wait, "hold": hold, "ver": "1.6", "xml_lang": "en", "xmpp_version": "1.0",
                 "content": "text/xml; charset=utf-8"}
        body = await self.request(**{**usual, **attributes})
        self.sid = body.get("sid")
        self.requests = int(body.get("requests"))
        self._slots = asyncio.Semaphore(self.requests)
        while self.inbox.empty():  # the features may come in a later answer
            await self.request()
        return body

    async def login(self, user=None, password=None, resource="raw", bind=True):
        """SASL (ANONYMOUS without a user, else PLAIN), restart, resource binding."""
        features = self.inbox.get_nowait()
        mechanisms = [element.text for element in features.iter(f"{{{SASL}}}mechanism")]
        mechanism = "ANONYMOUS" if user is None else "PLAIN"
        assert mechanism in mechanisms, f"{mechanism} is not offered: {mechanisms}"
        initial = "" if user is None else base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        await self.request(f"<auth xmlns='{SASL}' mechanism='{mechanism}'>{initial}</auth>")
        result = await self.next_stanza()
        assert result.tag == f"{{{SASL}}}success", ElementTree.tostring(result)
        await self.request(to=self.domain, xml_lang="en", xmpp_restart="true")
        await self.next_stanza()
        if not bind:
            return self
        await self.request(f"<iq type='set' id='bind' xmlns='{CLIENT}'><bind xmlns='{BIND}'>"
                           f"<resource>{resource}</resource></bind></iq>")
        self.jid = (await self.next_stanza()).findtext(f".//{{{BIND}}}jid")
        assert self.jid, "no JID was bound"
        return self

    async def next_stanza(self, patience=PATIENCE):
        """The next element from the server; polls for it unless `start_polling` does so already."""
        async def fetch():
            while self._poller is None and self.inbox.empty():
                await self.request()
            return await self.inbox.get()

        return await asyncio.wait_for(fetch(), patience)

    async def message(self, patience=PATIENCE):
        """The text of the next message that has one; other stanzas are dropped."""
        while True:
            stanza = await self.next_stanza(patience)
            text = stanza.findtext(f"{{{CLIENT}}}body")
            if stanza.tag == f"{{{CLIENT}}}message" and text is not None:
                return text

    def start_polling(self):
        """From now on one request is always open, as XEP-0124 §8 wants; `send` goes beside it."""
        self._poller = asyncio.create_task(self._poll())

    async def _poll(self):
        while self.ended is None:
            await self._quiet.wait()
            await self._counted()

    async def _counted(self, payload=""):
        """A request that waits until fewer than `requests` are open. An aborted one, or the session's end, is no error
        here: the test that caused it looks at `ended` and goes on by hand."""
        async with self._slots:
            self._quiet.clear()
            try:
                await self.request(payload)
            except (ConnectionLost, Ended):
                self._poller.cancel()
            finally:
                if not self._open:
                    self._quiet.set()

    def send(self, payload):
        """Sends stanzas beside the open poll. Their request then stays open in its place."""
        task = asyncio.create_task(self._counted(payload))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def drained(self, patience=PATIENCE):
        """Returns when every request is answered and the session has ended: one of the answers said so (T-02)."""
        tasks = [self._poller, *self._sending]
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), patience)
        assert self.ended is not None, "no answer ended the session"

    async def stop_polling(self):
        """Gives up what is open: the connections are closed at once."""
        if self._poller is not None:
            tasks = [self._poller, *self._sending]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._poller = None

    async def terminate(self, payload=""):
        return await self.request(payload, type="terminate")

    async def close(self):
        """Closes the connections; the session is left to the server."""
        await self.stop_polling()
        for connection in [*self._idle, *self._open.values()]:
            connection.close()
