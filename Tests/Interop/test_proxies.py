"""BOSH and WebSocket over https through each proxy, with what `holdfast print-proxy-config` prints for it."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request

from support import gateway, proxies, websocket
from support.bosh import Connection, ConnectionLost, Ended
from support.case import Case, holdfast_only
from support.processes import ROOT, connections, free_ports, wait_until
from support.prosody import ACCOUNTS, ANONYMOUS
from support.xmpp import chat


@holdfast_only
class Proxied(Case):
    """A Holdfast that each proxy stands before in turn. `own`: what is set beside the usual."""

    own = {}
    # Only the proxy's end of the connections is trusted, so that clients with another address are clients.
    usual = {"upstream-tls": "none", "domain": [ANONYMOUS, ACCOUNTS], "trusted-proxy": ["127.0.0.1"],
             "client-address-from": "x-forwarded-for", "client-scheme-from": "x-forwarded-proto",
             "public-url": "https://localhost/http-bind"}
    names = tuple(proxies.ALL)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service.stop()
        cls.service = cls.serving(cls.own)

    @classmethod
    def serving(cls, own):
        settings = {**cls.usual, "upstream": [f"127.0.0.1:{cls.server.plain_port}"], **own}
        service = gateway.Configured(cls.scratch.path, settings)
        cls.addClassCleanup(service.stop)
        return service

    def proxy(self, name, service=None, **options):
        place = self.scratch.sub(f"{name}-{self.id().split('.')[-1]}-{'own' if service else 'all'}")
        proxy = proxies.ALL[name](place, service or self.service, **options)
        self.addCleanup(proxy.stop)
        return proxy

    async def socket(self, proxy, user="romeo"):
        session = await websocket.Session(proxy.url("/xmpp-websocket", "wss"), ACCOUNTS).open(ssl=proxy.tls)
        self.addAsyncCleanup(session.close)
        return await session.login(user, self.server.password)

    async def each(self, check, **options):
        for name in self.names:
            with self.subTest(proxy=name):
                await check(self.proxy(name, **options))

    async def answer(self, proxy, data, *headers, path="/http-bind"):
        connection = await Connection("127.0.0.1", proxy.port, tls=proxy.tls).open()
        self.addCleanup(connection.close)
        connection.post(path, data, headers)
        return await connection.answer()

    def get(self, proxy, path, origin="https://elsewhere.example"):
        """Status, fields and body of an answer, whatever the status."""
        request = urllib.request.Request(proxy.url(path), headers={"Origin": origin})
        try:
            answer = urllib.request.urlopen(request, timeout=60, context=proxy.tls)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers, answer.read().decode()

    def held(self, service=None):
        """How many requests of BOSH sessions are held."""
        port = (service or self.service).admin_port
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/sessions?state=live", timeout=60) as answer:
            rows = json.load(answer)["sessions"]
        return sum(row.get("held_requests", 0) for row in rows if row["over"] == "bosh")

    def reads_it(self, fields):
        """Whether a page of another origin may read an answer with these fields: it has the field once."""
        self.assertEqual(fields.get_all("Access-Control-Allow-Origin"), ["*"])


class Proxies(Proxied):
    lasts_long = True

    async def converse(self, proxy):
        """Messages both ways, over both doors at the same time."""
        peer = await self.peer("mercutio")
        over_socket = await self.socket(proxy)
        over_polls = await self.session("juliet", proxy=proxy)
        for number in range(50):
            await over_socket.send(chat(peer.jid, f"socket {number}"))
            over_polls.send(chat(over_socket.jid, f"poll {number}"))
        for number in range(50):
            self.assertEqual(await peer.message(), f"socket {number}")
            self.assertEqual(await over_socket.message(), f"poll {number}")
        self.assertEqual(await over_socket.end(), 1000)
        await over_polls.terminate()

    async def test_messages_go_both_ways(self):
        await self.each(self.converse)

    async def leave(self, proxy):
        """The end of a client's socket is the end of its stream, at once."""
        session = await self.socket(proxy)
        streams = self.service.statistics()["upstream"]["streams_now"]
        session.socket.transport.abort()
        await asyncio.to_thread(
            wait_until, lambda: self.service.statistics()["upstream"]["streams_now"] == streams - 1, "the end of the stream")

    async def test_a_lost_client_is_noticed(self):
        await self.each(self.leave)

    async def abort(self, proxy):
        """P-13: a poll whose client is gone takes no message with it, behind a proxy that passes the end on. Behind one that
        does not, a repeat of the poll has the message, and the next poll has not."""
        session, peer = await self.session("romeo", proxy=proxy, polling=False, wait=50), await self.peer("mercutio")
        await session.request("<presence xmlns='jabber:client'/>")
        await session.next_stanza()
        for number in range(3):
            held = self.held()
            poll = asyncio.create_task(session.request())
            await asyncio.to_thread(wait_until, lambda: self.held() == held + 1, "the poll at the service")
            (rid,) = session.abort_requests()
            outcome = (await asyncio.gather(poll, return_exceptions=True))[0]
            self.assertIsInstance(outcome, ConnectionLost)
            if proxy.passes_aborts:
                await asyncio.to_thread(wait_until, lambda: self.held() == 0, "the abort at the service")
            peer.write(chat(session.jid, f"meanwhile {number}"))
            await peer.synchronise()
            if not proxy.passes_aborts:
                await asyncio.to_thread(wait_until, lambda: self.held() == 0, "the answer into nothing")
                again = (await session.exchange(rid)).body
                self.assertEqual([stanza.findtext("{jabber:client}body") for stanza in again], [f"meanwhile {number}"])
                peer.write(chat(session.jid, f"after {number}"))
                self.assertEqual(await session.message(), f"after {number}")
            else:
                self.assertEqual(await session.message(), f"meanwhile {number}")
        await session.terminate()

    async def test_an_aborted_poll(self):
        await self.each(self.abort)

    async def check(self, proxy):
        """The command that operators have for this says what is so."""
        run = await asyncio.to_thread(
            subprocess.run, [os.path.join(ROOT, "deploy", "check-proxy"), proxy.url("/http-bind"), ANONYMOUS, "--cacert",
                             proxy.certificate], capture_output=True, text=True, timeout=120)
        expected = (0, "pass: ") if proxy.passes_aborts else (1, "FAIL: ")
        self.assertEqual((run.returncode, run.stdout[:6]), expected, run.stderr)

    async def test_the_command_that_checks_it(self):
        await self.each(self.check)

    async def lost_answer(self, said):
        """A client behind Apache whose poll is aborted, and what the next poll brings: the texts of its messages, and the rid
        that Holdfast asks for again. `said`: whether the client tells by `ack` what it has received."""
        proxy = self.proxy("apache")
        acks = {"ack": "1"} if said else {}
        session, peer = await self.session("romeo", proxy=proxy, polling=False, wait=50, **acks), await self.peer("mercutio")
        await session.request("<presence xmlns='jabber:client'/>")
        await session.next_stanza()
        while session.inbox.qsize():
            session.inbox.get_nowait()
        poll = asyncio.create_task(session.request())
        await asyncio.to_thread(wait_until, self.held, "the poll at the service")
        (rid,) = session.abort_requests()
        await asyncio.gather(poll, return_exceptions=True)
        peer.write(chat(session.jid, "into nothing"))
        await asyncio.to_thread(wait_until, lambda: not self.held(), "the answer into nothing")
        attributes = {"ack": str(rid - 1)} if said else {}
        # An answer of less than a second ago may be on its way.
        await asyncio.sleep(1.1)
        peer.write(chat(session.jid, "after it"))
        body = await session.request(**attributes)
        return session, rid, [stanza.findtext("{jabber:client}body") for stanza in body], body.get("report")

    async def test_apache_loses_what_an_aborted_poll_got(self):
        """Nothing tells Holdfast that the client of the poll is gone, and the next rid says that it has the answer."""
        _, _, texts, report = await self.lost_answer(said=False)
        self.assertEqual((texts, report), (["after it"], None))

    async def test_a_client_that_acknowledges_loses_nothing_behind_apache(self):
        """XEP-0124 §9.2: it says what it has received, is told which answer is missing, and asks for that again."""
        session, rid, texts, report = await self.lost_answer(said=True)
        self.assertEqual((texts, report), (["after it"], str(rid)))
        again = (await session.exchange(rid)).body
        self.assertEqual([stanza.findtext("{jabber:client}body") for stanza in again], ["into nothing"])

    async def share(self, proxy):
        """Requests of many sessions come over few connections to Holdfast, each of which carries several sessions."""
        before = connections(self.service.port)
        sessions = [await self.session(polling=False, wait=1, proxy=proxy) for _ in range(12)]
        peer = await self.peer("mercutio")
        for turn in range(2):
            for number, session in enumerate(sessions):
                await session.request(chat(session.jid, "to answer it") + chat(peer.jid, f"{turn} {number}"))
                self.assertEqual(await session.message(), "to answer it")
                self.assertEqual(await peer.message(), f"{turn} {number}")
        self.assertLess(connections(self.service.port) - before, len(sessions))
        for session in sessions:
            await session.terminate()

    async def test_sessions_share_connections(self):
        await self.each(self.share)

    async def expect(self, proxy):
        """A client that waits for 100 Continue before it sends its body gets it, and then its answer."""
        connection = await Connection("127.0.0.1", proxy.port, tls=proxy.tls).open()
        self.addCleanup(connection.close)
        body = (f"<body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='{ANONYMOUS}' wait='1' hold='1' ver='1.6'/>").encode()
        connection.writer.write(
            f"POST /http-bind HTTP/1.1\r\nHost: 127.0.0.1:{proxy.port}\r\nExpect: 100-continue\r\n"
            f"Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        interim = await self.whole(connection)
        self.assertTrue(interim.startswith(b"HTTP/1.1 100"), interim)
        connection.writer.write(body)
        # Caddy may pass Holdfast's own interim answer on too.
        while (answer := await self.whole(connection)).startswith(b"HTTP/1.1 100"):
            pass
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer)
        length = int(re.search(rb"(?i)\r\ncontent-length: (\d+)", answer)[1])
        self.assertIn(b" sid='", await asyncio.wait_for(connection.reader.readexactly(length), 60))

    @staticmethod
    async def whole(connection):
        """The head of the next answer."""
        return await asyncio.wait_for(connection.reader.readuntil(b"\r\n\r\n"), 60)

    async def test_expect(self):
        await self.each(self.expect)

    async def errors(self, proxy):
        """Pages of other origins may read what Holdfast says, and what the proxy says itself."""
        status, fields, page = await asyncio.to_thread(self.get, proxy, "/http-bind")
        self.assertEqual(status, 200)
        self.reads_it(fields)
        self.assertIn("You came over https", page)
        status, fields, text = await asyncio.to_thread(self.get, proxy, "/.well-known/host-meta")
        self.assertEqual(status, 200)
        self.reads_it(fields)
        self.assertIn("https://localhost/http-bind", text)
        status, fields, text = await asyncio.to_thread(self.get, proxy, "/.well-known/host-meta.json")
        self.assertEqual(status, 200)
        self.assertIn("https://localhost/http-bind", json.dumps(json.loads(text)).replace("\\/", "/"))
        # Holdfast or the proxy, whoever is first.
        for turn in range(10):
            large = await self.answer(proxy, b" " * (1024 * 1024 + 1), "Origin: https://elsewhere.example")
            self.assertEqual((large.status, large.headers.get("access-control-allow-origin")), (413, "*"), turn)

    async def test_pages_read_answers(self):
        await self.each(self.errors)

    async def address(self, proxy):
        """H-28: Holdfast sees who the client is."""
        session = await self.session(polling=False, wait=1, proxy=proxy, source="127.0.0.77")
        query = f"http://127.0.0.1:{self.service.admin_port}/sessions?state=live"
        with await asyncio.to_thread(urllib.request.urlopen, query, timeout=60) as answer:
            clients = [row.get("client") for row in json.load(answer)["sessions"]]
        self.assertIn("127.0.0.77", clients)
        await session.terminate()

    async def test_the_address_of_the_client(self):
        await self.each(self.address)


class Variants(Proxied):
    """Other settings: what is printed for them means what they say."""

    variants = (
        {"client-address-from": "forwarded", "client-scheme-from": "forwarded", "unix": True},
        {"client-address-from": "x-real-ip", "websocket-path": ["/xmpp-websocket", "/ws"]},
    )
    pages = {"cors-origin": ["https://a.example", "https://b.example:8443"], "cors-credentials": True,
             "polling-path": "/http-poll"}

    def variant(self, name, settings):
        settings = {**self.pages, **settings}
        if settings.pop("unix", False):
            # The proxy's user is no member of the group.
            place = os.path.join(self.scratch.sub(f"socket-{name}"), "http")
            (port,) = free_ports(1)
            service = self.serving({**settings, "listen": [f"unix:{place}", f"127.0.0.1:{port}"]})
            os.chmod(os.path.dirname(place), 0o755)
            os.chmod(place, 0o666)
            return service
        return self.serving(settings)

    async def judge(self, service, proxy):
        session = await self.session(polling=False, wait=1, proxy=proxy, source="127.0.0.77")
        with await asyncio.to_thread(
                urllib.request.urlopen, f"http://127.0.0.1:{service.admin_port}/sessions", timeout=60) as answer:
            self.assertIn("127.0.0.77", [row.get("client") for row in json.load(answer)["sessions"]])
        await session.terminate()
        _, _, page = await asyncio.to_thread(self.get, proxy, "/http-bind")
        self.assertIn("You came over https", page)
        polled = await self.answer(proxy, b"0,", path="/http-poll")
        self.assertEqual(polled.status, 200)
        self.assertTrue(polled.headers["set-cookie"].endswith("; Secure"), polled.headers)
        self.assertEqual(polled.headers.get("connection", "").lower(), "close")
        # What Holdfast says, and then what the proxy says by itself.
        for is_there in (True, False):
            if not is_there:
                await asyncio.to_thread(service.stop)
            for origin, granted in (("https://b.example:8443", True), ("https://elsewhere.example", False)):
                status, fields, _ = await asyncio.to_thread(self.get, proxy, "/http-bind", origin)
                self.assertEqual(status == 200, is_there)
                self.assertEqual(fields.get_all("Access-Control-Allow-Origin"), [origin] if granted else None)
                self.assertEqual(fields.get_all("Access-Control-Allow-Credentials"), ["true"] if granted else None)

    async def test_variants(self):
        for name in self.names:
            for number, settings in enumerate(self.variants):
                with self.subTest(proxy=name, variant=number):
                    service = self.variant(name, settings)
                    proxy = proxies.ALL[name](self.scratch.sub(f"{name}-{number}"), service)
                    self.addCleanup(proxy.stop)
                    await self.judge(service, proxy)


class Absent(Proxied):
    """Holdfast is gone: what the proxy says itself."""

    async def gone(self, proxy):
        status, fields, _ = await asyncio.to_thread(self.get, proxy, "/http-bind")
        self.assertIn(status, (502, 503))
        self.reads_it(fields)

    async def test_pages_read_it(self):
        for name in self.names:
            with self.subTest(proxy=name):
                service = self.serving({})
                proxy = self.proxy(name, service)
                await asyncio.to_thread(service.stop)
                await self.gone(proxy)


class Slow(Proxied):
    """The proxy waits for less time than the client asked for."""

    async def late(self, proxy):
        session = await self.session("romeo", polling=False, wait=50, proxy=proxy)
        await session.request("<presence xmlns='jabber:client'/>")
        await session.next_stanza()
        peer = await self.peer("mercutio")
        rid = session.take_rid()
        answer = await session.exchange(rid)
        self.assertEqual(answer.status, proxy.timeout_status)
        self.assertEqual(answer.headers.get("access-control-allow-origin"), "*")
        # The same request again goes on. If the proxy's end of the connection has answered it with nothing before the message
        # came, the next one has the message.
        peer.write(chat(session.jid, "in time"))
        session._deliver(rid, (await session.exchange(rid)).body)
        self.assertEqual(await session.message(), "in time")
        await session.terminate()

    async def test_a_wait_beyond_the_timeout(self):
        await self.each(self.late, silence=2)


class SilentSockets(Proxied):
    """W-36, W-59: the ping keeps a silent WebSocket open, although the proxy cuts what is silent."""

    lasts_long = True
    # So short that a silent WebSocket would be cut within the test.
    SILENCE = 3
    own = {"websocket-ping": 1}

    async def stay(self, proxy):
        session, peer = await self.socket(proxy), await self.peer("mercutio")
        await asyncio.sleep(2 * self.SILENCE)
        await session.send(chat(peer.jid, "still here"))
        self.assertEqual(await peer.message(), "still here")
        peer.write(chat(session.jid, "and here"))
        self.assertEqual(await session.message(), "and here")

    async def test_silence(self):
        await self.each(self.stay, silence=self.SILENCE)

    async def go_on(self, proxy):
        """A reload of the proxy leaves the sockets that are open, but for Caddy's."""
        session = await self.socket(proxy)
        await asyncio.to_thread(proxy.reload)
        other = await self.socket(proxy, "juliet")
        if not proxy.keeps_sockets:
            session = await self.socket(proxy)
        await session.send(chat(other.jid, "over the old one"))
        self.assertEqual(await other.message(), "over the old one")
        await other.send(chat(session.jid, "over the new one"))
        self.assertEqual(await session.message(), "over the new one")

    async def test_reload(self):
        await self.each(self.go_on)

    async def reload_during_a_poll(self, proxy):
        """A poll that is held while the proxy is reloaded has its answer, and so has the next one."""
        session, peer = await self.session("romeo", polling=False, proxy=proxy), await self.peer("mercutio")
        await session.request("<presence xmlns='jabber:client'/>")
        await session.next_stanza()
        def forget_idle():
            """Apache closes idle connections of clients when it is reloaded, and a browser opens others."""
            while session._idle:
                session._idle.pop().close()

        for number in range(2):
            forget_idle()
            poll = asyncio.create_task(session.message())
            await asyncio.to_thread(wait_until, self.held, "the poll at the service")
            await asyncio.to_thread(proxy.reload)
            await asyncio.to_thread(self.get, proxy, "/http-bind")
            peer.write(chat(session.jid, f"during {number}"))
            self.assertEqual(await poll, f"during {number}")
        forget_idle()
        await session.terminate()

    async def test_reload_during_a_poll(self):
        await self.each(self.reload_during_a_poll)


class Draining(Proxied):
    """Holdfast ends: through each proxy, the clients that hold polls are told so."""

    async def end(self, service, proxy):
        sessions = [await self.session(proxy=proxy) for _ in range(3)]
        await asyncio.to_thread(wait_until, lambda: self.held(service) == len(sessions), "the polls at the service")
        service.child.process.send_signal(signal.SIGTERM)
        for session in sessions:
            await session.drained()
            self.assertEqual(session.ended.condition, "system-shutdown")

    async def test_sessions_are_told(self):
        for name in self.names:
            with self.subTest(proxy=name):
                service = self.serving({})
                await self.end(service, self.proxy(name, service))


class Unaware(proxies.HAProxy):
    """Its checks of the nodes never come within a test."""

    checks = "1h"


class Nodes(Proxied):
    """What is printed with --multi: each request reaches the node of its session."""

    names = ("nginx", "haproxy")
    own = {"node": "n1"}

    async def route(self, proxy, nodes):
        sessions = [await self.session(polling=False, wait=1, proxy=proxy) for _ in range(8)]
        owners = {session.sid.split(".")[0] for session in sessions}
        self.assertEqual(owners, {"n1", "n2"})
        peer = await self.peer("mercutio")
        for turn in range(3):
            for number, session in enumerate(sessions):
                # The stanza has what looks like another session.
                decoy = chat(peer.jid, f"{turn} {number}").replace("</message>", "<x xmlns='x' sid='n3.0.1'/></message>")
                await session.request(decoy + chat(session.jid, "to answer it"))
                self.assertEqual(await session.message(), "to answer it")
                self.assertEqual(await peer.message(), f"{turn} {number}")
        # A node that ends keeps its sessions until they are told, and new ones go to the other.
        nodes["n2"].child.process.send_signal(signal.SIGTERM)
        await self.has_noticed(proxy, "n2", "(stopping|going DOWN|DOWN)")
        fresh = await self.session(polling=False, wait=1, proxy=proxy)
        self.assertEqual(fresh.sid.split(".")[0], "n1")
        # What names a node that is gone is answered by another one.
        await asyncio.to_thread(nodes["n2"].child.wait)
        await self.has_noticed(proxy, "n2", "DOWN")
        stale = next(session for session in sessions if session.sid.startswith("n2."))
        with self.assertRaises(Ended) as ended:
            while True:
                await stale.request()
        self.assertEqual(ended.exception.condition, "item-not-found")

    async def test_a_node_has_its_sessions(self):
        for name in self.names:
            with self.subTest(proxy=name):
                second = self.serving({"node": "n2", "drain": 3})
                nodes = {"n1": self.service, "n2": second}
                proxy = self.proxy(name, self.service, nodes={**nodes, "n3": self.nowhere()})
                await self.has_noticed(proxy, "n3", "DOWN")
                await self.route(proxy, nodes)

    async def test_new_sessions_do_not_meet_a_node_that_has_just_died(self):
        """HAProxy finds out by the connection that fails, and not only by its checks, which never come here. n2 would get all new
        sessions, because n1 holds a poll and it does not."""
        second = self.serving({"node": "n2", "workers": "none"})
        nodes = {"n1": self.service, "n2": second, "n3": self.service}
        proxy = Unaware(self.scratch.sub("unaware"), self.service, nodes=nodes)
        self.addCleanup(proxy.stop)
        sessions = [await self.session(polling=False, wait=50, proxy=proxy) for _ in range(6)]
        stale = next(session for session in sessions if session.sid.startswith("n2."))
        polls = [asyncio.create_task(session.request()) for session in sessions if session.sid.startswith("n1.")]
        await asyncio.to_thread(wait_until, lambda: self.held() == len(polls), "the polls at the node that stays")
        second.child.process.kill()
        await asyncio.to_thread(second.child.wait)
        for rid in range(8):
            answer = await self.answer(proxy, (
                f"<body xmlns='http://jabber.org/protocol/httpbind' rid='{rid + 1}' to='{ANONYMOUS}' wait='1' hold='1' "
                "ver='1.6'/>").encode())
            self.assertEqual((answer.status, b" sid='n1." in answer.data), (200, True), answer.data)
        with self.assertRaises(Ended) as ended:
            await stale.request()
        self.assertEqual(ended.exception.condition, "item-not-found")
        for poll in polls:
            poll.cancel()

    async def test_a_request_that_a_node_has_received_goes_to_no_other(self):
        """The node ends the connection instead of answering."""
        bodies = []

        async def swallow(reader, writer):
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                head = await reader.readuntil(b"\r\n\r\n")
                # A check has no body.
                if length := re.search(rb"(?i)\r\ncontent-length: (\d+)", head):
                    bodies.append(await reader.readexactly(int(length[1])))
            writer.close()

        listeners = [await asyncio.start_server(swallow, "127.0.0.1", 0) for _ in range(3)]
        for listener in listeners:
            self.addCleanup(listener.close)
        ports = [listener.sockets[0].getsockname()[1] for listener in listeners]
        nodes = {name: type("Node", (), {"port": port, "admin_port": port})
                 for name, port in zip(("n1", "n2", "n3"), ports)}
        proxy = Unaware(self.scratch.sub("swallowed"), self.service, nodes=nodes)
        self.addCleanup(proxy.stop)
        sent = []
        for number, named in enumerate(("", "sid='n2.0.1' ") * 10):
            sent.append(f"<body xmlns='http://jabber.org/protocol/httpbind' {named}rid='{number + 1}'/>".encode())
            self.assertEqual((await self.answer(proxy, sent[-1])).status, 502)
        self.assertEqual(bodies, sent)

    @staticmethod
    async def has_noticed(proxy, node, state):
        """HAProxy takes a node for up until its check has failed three times. The others try and find out."""
        if proxy.kind == "haproxy":
            said = re.compile(rf"Server \S+/{node} is {state}")
            await asyncio.to_thread(wait_until, lambda: said.search(proxy.child.output()), f"{node} being {state}")

    @staticmethod
    def nowhere():
        """A node at which nobody listens."""
        port, admin = free_ports(2)
        return type("Nowhere", (), {"port": port, "admin_port": admin})

