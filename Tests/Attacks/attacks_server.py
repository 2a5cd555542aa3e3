"""Attacks by a server, or by a contact whose stanzas the server delivers."""

import socket
import subprocess
import time

from catalogue import attack, judge_log
from support.certificates import Authority
from support.processes import Scratch, accepts, free_ports, wait_until
from wire import Ended, Session, creation, post
from flood import Flood
from xmppserver import Hand, hostile_condition

MESSAGE = b"<message id='m%d' from='contact@x/y'>%b</message>"


def judge_victim(result):
    return None if result.get("victim") == "lives" else f"the victim's session: {result.get('victim')}"


def at_victim(scene, stanza, times=1, answer_every=1, expects=True):
    """Sends a stanza to a victim at the scene's rate. The victim goes on polling and reports its state."""
    victim = Session(scene.port, "hostile.test", "victim", "127.0.0.30").login()
    hand = Hand(scene.server_port)
    victim.send()
    sent = delivered = got = 0
    fate = "lives"

    def pump(seconds):
        nonlocal got, fate
        if fate != "lives":
            time.sleep(seconds)
            return
        try:
            for body in victim.collect(max(seconds, 0.001)):
                got += len(body)
                if sum(line.pending for line in victim.lines) == 0:
                    victim.send()
        except Ended as error:
            if "in time" not in str(error):
                fate = str(error)

    scene.go()
    for _ in scene.strikes(pump):
        if fate != "lives":
            time.sleep(0.02)
            continue
        if delivered - got > 16 << 20:
            continue
        hand.deliver("victim", stanza, times)
        sent += 1
        delivered += len(stanza) * times
    if fate == "lives":
        # A small message still reaches the victim, after everything that is on its way.
        hand.deliver("victim", MESSAGE % (0, b"<body>the-last</body>"))
        deadline = time.monotonic() + 25
        fate = "gets nothing more"
        try:
            while time.monotonic() < deadline:
                for body in victim.collect(5):
                    got += len(body)
                    if b"the-last" in body:
                        fate = "lives"
                        deadline = 0
                if sum(line.pending for line in victim.lines) == 0:
                    victim.send()
        except (Ended, OSError) as error:
            fate = f"{fate}: {error}" if "in time" in str(error) else str(error)
    return {"sent": delivered, "victim": fate,
            "outcome": f"{sent} x {len(stanza) * times:,} bytes to the victim, who got {got:,} and {fate}"}


def contact(name, what, make, rate=2, **more):
    """An attack by one stanza on a victim that must survive."""

    @attack(name, what, rate, "9", judge=judge_victim, **more)
    def act(scene):
        return at_victim(scene, make())


def nested(depth):
    return MESSAGE % (1, b"<a xmlns='x'>" + b"<a>" * (depth - 2) + b"</a>" * (depth - 2) + b"</a>")


def wide(count):
    return MESSAGE % (1, b"<a xmlns='x'" + b"".join(b" a%d='1'" % number for number in range(count - 1)) + b"/>")


def roster(contacts):
    items = b"".join(b"<item jid='a-contact-with-a-long-name-%d@chat.example.org' name='Contact with a name %d' "
                     b"subscription='both'><group>Friends</group></item>" % (number, number) for number in range(contacts))
    return b"<iq type='result' id='r'><query xmlns='jabber:iq:roster'>" + items + b"</query></iq>"


contact("contact-deep-66", "a contact's message with 66 nested elements", lambda: nested(66), quick=True)
contact("contact-deep-1001", "a contact's message with 1,001 nested elements", lambda: nested(1_001))
contact("contact-deep-20000", "a contact's message with 20,000 nested elements", lambda: nested(20_000))
contact("contact-wide-66", "a contact's message with 66 attributes", lambda: wide(66))
contact("contact-wide-1025", "a contact's message with 1,025 attributes", lambda: wide(1_025))
contact("contact-wide-60000", "a contact's message with 60,000 attributes", lambda: wide(60_000))
contact("roster-9000", "a roster of 9,000 contacts (1.2 MB)", lambda: roster(9_000), rate=0.5)
contact("stanza-above-8-mib", "a message of 9 MiB", lambda: MESSAGE % (1, b"<body>" + b"z" * (9 << 20) + b"</body>"), rate=0.2)
contact("stanza-1-mb", "a message of 1 MB from a server", lambda: MESSAGE % (1, b"<body>" + b"z" * 1_000_000 + b"</body>"),
        rate=1)


@attack("server-elements", "64 KB of `<a/>` in a message from a server", 4, "13", judge=judge_victim, quick=True)
def server_elements(scene):
    return at_victim(scene, MESSAGE % (1, b"<b xmlns='x'>" + b"<a/>" * 16_000 + b"</b>"))


@attack("server-stanzas", "64 KB of stanzas `<message/>` from a server at once", 4, "13", judge=judge_victim)
def server_stanzas(scene):
    return at_victim(scene, b"<message/>" * 6_500)


@attack("unicode-stream-error", "a server's stream error with 48 KB of combining marks as condition", 1, "1", quick=True,
        judge=judge_log)
def unicode_stream_error(scene):
    sessions = []
    total = int(scene.rate * scene.seconds)
    for number in range(total):
        sessions.append(Session(scene.port, "hostile.test", f"erring{number}", scene.source).login())
    hand = Hand(scene.server_port)
    error = (b"<stream:error><%b xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
             % hostile_condition(48_000))
    scene.go()
    number = 0
    for _ in scene.strikes(time.sleep):
        if number < total:
            hand.deliver(f"erring{number}", error)
            number += 1
    return {"sent": number * len(error), "outcome": f"{number} streams ended so"}


class RestlessServer:
    """OpenSSL's own server, which changes its keys again and again (openssl s_server, by the letter K)."""

    def __init__(self):
        self.scratch = Scratch()
        authority = Authority(self.scratch.sub("ca"))
        certificate, key = authority.issue("restless", ["DNS:restless.test"])
        self.port, = free_ports(1)
        self.settings = {}
        self.domains = {"restless.test": {"upstream": f"127.0.0.1:{self.port}", "upstream-tls": "direct",
                                          "upstream-ca": authority.certificate}}
        # One letter for each read, because standard input keeps its packets apart in this way.
        self.hand, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert", certificate, "-key", key, "-tls1_3", "-nbio"],
            stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        theirs.close()
        wait_until(lambda: accepts(self.port), "openssl s_server listening")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.hand.close()
        self.scratch.remove()


@attack("key-updates", "KeyUpdates from a server over TLS, as fast as it can", 1_000_000, "12", beside=RestlessServer)
def key_updates(scene):
    flood = Flood(scene.port, scene.source, 1)
    flood.send(post(creation("restless.test")))
    flood.pump(0.5)
    hand = scene.beside.hand
    hand.setblocking(False)
    count = 0
    scene.go()
    while scene.is_on():
        try:
            for _ in range(100):
                hand.send(b"K\n")
                count += 1
        except BlockingIOError:
            flood.pump(0.001)
        except OSError:
            break
    return {"sent": count * 27, "outcome": f"{count:,} KeyUpdates asked for: {flood.statuses or 'no answer yet'}"}
