"""Attacks by the content of a request: text that is expensive to read, to compare, to parse or to expand."""

import os

from catalogue import attack
from flood import Flood
from wire import Session, creation, post, request

UNKNOWN = "0123456789abcdef0123456789abcdef"


def marks(length, is_sorted=False):
    """Combining marks of two classes in the wrong order: a naive normal form takes quadratic time to sort them. Sorted, they
    are the same text in that form."""
    above, below = "\u0301" * (length // 4), "\u0323" * (length // 4)
    return "a" + (below + above if is_sorted else above + below)


def storm(scene, *blobs, count=4):
    """Sends these requests in turn until the time is over."""
    flood = Flood(scene.port, scene.source, count)
    number = 0
    for _ in scene.strikes(flood.pump):
        flood.send(blobs[number % len(blobs)])
        number += 1
    flood.pump(0.2)
    answers = " ".join(f"{count}x{status}" for status, count in sorted(flood.statuses.items()))
    return {"sent": flood.sent, "outcome": f"{number} requests: {answers or 'no answer'}"}


@attack("unicode-to", "64 KB of combining marks in `to`", 1, "1", quick=True)
def unicode_to(scene):
    return storm(scene, post(creation(marks(60_000))))


@attack("unicode-to-gzip", "1 MiB of combining marks in `to`, as gzip (1.2 kB)", 1, "1")
def unicode_to_gzip(scene):
    return storm(scene, post(creation(marks(1_048_000)), "gzip"))


@attack("unicode-route", "64 KB of combining marks in `route`", 1, "1", settings={"route": ["127.0.0.1:5222"]})
def unicode_route(scene):
    return storm(scene, post(creation("calm.test", extra=f"route='xmpp:{marks(60_000)}:5222'")))


@attack("unicode-key", "an early request with 64 KB of combining marks as `key`, and its repeat", 1, "1")
def unicode_key(scene):
    return named(scene, "newkey='0123456789012345678901234567890123456789'", 1002, "key")


@attack("unicode-stream", "64 KB of combining marks as the name of a `stream`", 1, "1")
def unicode_stream(scene):
    return named(scene, "", 1001, "stream")


def named(scene, first, rid, name):
    """Each strike opens a session without login and sends it two requests with the same rid and a huge attribute."""
    from attacks_memory import sessions_of
    total = int(scene.rate * scene.seconds)
    flood, repeats = Flood(scene.port, scene.source, total), Flood(scene.port, scene.source, 4)
    waiting = iter(sessions_of(scene, flood, total, extra=first))
    count = 0
    scene.go()
    for _ in scene.strikes(lambda seconds: (flood.pump(seconds / 2), repeats.pump(seconds / 2))):
        connection, sid = next(waiting, (None, None))
        if sid is None:
            flood.pump(0.05)
            continue
        flood.send(post(request(sid, rid, b"<a xmlns='x'/>", f"{name}='{marks(60_000)}'")), connection)
        flood.pump(0.02)
        repeats.send(post(request(sid, rid, b"<a xmlns='x'/>", f"{name}='{marks(60_000, True)}'")))
        count += 1
    return {"sent": flood.sent + repeats.sent, "outcome": f"{count} sessions with two requests each: {repeats.statuses}"}


def unbound(size, name):
    """Elements with a long name and as many attributes as allowed, whose prefix is not declared. Each attribute causes an
    error that contains the whole name."""
    element = b"<" + b"x" * name + b"".join(b" q:a%02d=''" % number for number in range(60)) + b"/>"
    return element * (size // len(element))


@attack("namespace-error", "a namespace error for each of many attributes: 1 MiB as gzip (2.1 kB)", 6.5, "2", quick=True)
def namespace_error(scene):
    return storm(scene, post(creation("calm.test", payload=unbound(1_040_000, 10_000)), "gzip"))


@attack("namespace-error-plain", "a namespace error for each of many attributes: 60 KB", 6.5, "2")
def namespace_error_plain(scene):
    return storm(scene, post(creation("calm.test", payload=unbound(60_000, 5_000))))


@attack("relative-namespaces", "1 MiB of `<a xmlns='x/y'/>` and of `<a xmlns=':'/>` in turn, as gzip (2.2 kB)", 10, "2")
def relative_namespaces(scene):
    return storm(scene, *(post(request(UNKNOWN, 5, b"<m>" + element * 60_000 + b"</m>"), "gzip")
                          for element in (b"<a xmlns='x/y'/>", b"<a xmlns=':'/>")))


@attack("gzip-elements", "1 MiB of `<a xmlns='x'/>` as gzip (2.2 kB)", 38, "6", quick=True)
def gzip_elements(scene):
    payload = b"<a xmlns='x'/>" * (1_048_000 // 14)
    return storm(scene, post(request(UNKNOWN, 5, payload), "gzip"))


@attack("gzip-elements-creation", "the same as a creation", 38, "6")
def gzip_elements_creation(scene):
    payload = b"<a xmlns='x'/>" * (1_048_000 // 14)
    return storm(scene, post(creation("nobody.test", payload=payload), "gzip"))


@attack("gzip-almost-five-times", "60 KB of `<a xmlns='x'/>` as gzip that expands almost five times (12.8 kB)", 38, "6")
def gzip_almost_five_times(scene):
    payload = b"<a xmlns='x'/>" * (60_000 // 14)
    return storm(scene, post(creation("nobody.test", payload=payload), "gzip, almost five times"))


@attack("small-elements", "1 MiB of `<a xmlns='x'/>`, uncompressed", 4, "13")
def small_elements(scene):
    payload = b"<a xmlns='x'/>" * (1_048_000 // 14)
    return storm(scene, post(request(UNKNOWN, 5, payload)))


@attack("repeats-compressed", "repeats (195 B) of a poll whose answer was 256 KB, compressed", 45, "6")
def repeats_compressed(scene):
    from xmppserver import Hand
    session = Session(scene.port, "hostile.test", "repeater", scene.source, fields="Accept-Encoding: gzip\r\n")
    session.login()
    hand = Hand(scene.server_port)
    # Text that compresses, but not to nothing.
    text = os.urandom(96_000).hex().encode() + b"0" * 60_000
    blob = post(session.body(), fields="Accept-Encoding: gzip\r\n")
    session.lines[0].send(blob)
    hand.deliver("repeater", b"<message id='m'><body>" + text + b"</body></message>")
    first = session.lines[0].answer()
    scene.go()
    result = storm(scene, blob, count=8)
    result["outcome"] += f"; the answer: {len(first[1]):,} bytes"
    return result


@attack("stanza-to-server", "a stanza of 1 MB from a logged-in client", 1, "13")
def stanza_to_server(scene):
    session = Session(scene.port, "hostile.test", "sender", scene.source).login()
    flood = Flood(scene.port, scene.source, 2)
    payload = b"<message xmlns='jabber:client' to='x'><body>" + b"word " * 200_000 + b"</body></message>"
    count = 0
    scene.go()
    for _ in scene.strikes(flood.pump):
        if flood.connections[0].backlog == 0:
            flood.send(post(session.body(payload)), flood.connections[0])
            count += 1
    return {"sent": flood.sent, "outcome": f"{count} stanzas of 1 MB"}


@attack("stanza-elements-to-server", "a stanza of 140 KB in 10,000 elements from a logged-in client", 4, "13")
def elements_to_server(scene):
    session = Session(scene.port, "hostile.test", "sender", scene.source).login()
    flood = Flood(scene.port, scene.source, 2)
    payload = b"<message xmlns='jabber:client' to='x'>" + b"<a xmlns='x'/>" * 9_900 + b"</message>"
    count = 0
    scene.go()
    for _ in scene.strikes(flood.pump):
        if flood.connections[0].backlog == 0:
            flood.send(post(session.body(payload)), flood.connections[0])
            count += 1
    return {"sent": flood.sent, "outcome": f"{count} stanzas"}
