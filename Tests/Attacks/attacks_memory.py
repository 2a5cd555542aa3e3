"""Attacks on memory: bytes that are kept because somebody else has not come, or because nobody fetches them."""

import time

from catalogue import attack
from flood import Flood
from wire import SID, Ended, Session, creation, post, request
from xmppserver import Hand

MEBIBYTE = b"<message xmlns='jabber:client'><body>" + b"x" * 1_040_000 + b"</body></message>"


def sessions_of(scene, flood, count, domain="hostile.test", hold=1, patience=8.0, extra=""):
    """Opens up to `count` sessions without a login, each over its connection of `flood`; (connection, sid) of those that are."""
    for number, connection in enumerate(flood.connections[:count]):
        connection.keeps = True
        flood.send(post(creation(domain, hold=hold, extra=extra)), connection)
        if number % 20 == 19:
            flood.pump(0.01)
    deadline = time.monotonic() + patience
    while len(flood.sids()) < count and time.monotonic() < deadline:
        flood.pump(0.1)
        if all(connection.socket is None or b"\r\n\r\n" in connection.received for connection in flood.connections[:count]):
            break
    opened = []
    for connection in flood.connections[:count]:
        found = SID.search(bytes(connection.received))
        connection.keeps = False
        connection.received.clear()
        if found:
            opened.append((connection, found[1].decode()))
    return opened


@attack("early-gzip", "early requests of 1 MiB as gzip (1.3 kB), 3 a session, no login", 10, "3", quick=True)
def early_gzip(scene):
    return early(scene, hold=2, ahead=3)


@attack("early-gzip-hold-10", "the same with hold 10: 11 a session", 10, "3", settings={"max-hold": 10})
def early_gzip_hold(scene):
    return early(scene, hold=10, ahead=11)


def early(scene, hold, ahead):
    total = int(scene.rate * scene.seconds)
    flood = Flood(scene.port, scene.source, total)
    done = 0
    opened = sessions_of(scene, flood, total, hold=hold)
    scene.go()
    waiting = iter(opened)
    for _ in scene.strikes(flood.pump):
        connection, sid = next(waiting, (None, None))
        if sid is None:
            flood.pump(0.05)
            continue
        done += 1
        # rid 1001 is the one that never comes.
        flood.send(b"".join(post(request(sid, 1002 + number, MEBIBYTE), "gzip") for number in range(ahead)), connection)
    return {"sent": flood.sent, "outcome": f"{len(opened)} sessions of {total} opened, {done} filled, {flood.alive()} left"}


def judge_kept(result):
    return None


@attack("creation-repeats", "sessions without a login kept alive by repeats of their creation (171 B)", 20, "3", seconds=12,
        settings={"inactivity": 5}, judge=judge_kept)
def creation_repeats(scene):
    total = 50
    flood = Flood(scene.port, scene.source, total)
    opened = sessions_of(scene, flood, total)
    again = post(creation("hostile.test"))
    scene.go()
    number = 0
    for _ in scene.strikes(flood.pump):
        # A repeat of a creation is told by its rid and its sid, or by its rid alone over the same connection.
        connection, sid = opened[number % len(opened)]
        flood.send(post(request(sid, 1000)) if number // len(opened) % 2 == 0 else again, connection)
        number += 1
    return {"sent": flood.sent, "outcome": f"{number} repeats for {len(opened)} sessions: {flood.statuses}"}


@attack("opening-payload", "1 MiB as gzip with the creation, while the server is silent", 20, "3")
def opening_payload(scene):
    blob = post(creation("silent.test", payload=MEBIBYTE), "gzip")
    total = int(scene.rate * scene.seconds)
    flood = Flood(scene.port, scene.source, min(total, 2_000))
    number = 0
    for _ in scene.strikes(flood.pump):
        flood.send(blob)
        number += 1
    return {"sent": flood.sent, "outcome": f"{number} creations, {flood.alive()} wait: {flood.statuses}"}


@attack("broadcast", "seven streams added to a silent domain, and one body of 1 MiB as gzip to all of them", 5, "3")
def broadcast(scene):
    total = int(scene.rate * scene.seconds)
    flood = Flood(scene.port, scene.source, total)
    opened = sessions_of(scene, flood, total)
    scene.go()
    waiting = iter(opened)
    done = 0
    for _ in scene.strikes(flood.pump):
        connection, sid = next(waiting, (None, None))
        if sid is None:
            flood.pump(0.05)
            continue
        adds = [post(request(sid, 1001 + number, extra="to='silent.test'")) for number in range(7)]
        flood.send(b"".join(adds) + post(request(sid, 1008, MEBIBYTE), "gzip"), connection)
        done += 1
    return {"sent": flood.sent, "outcome": f"{len(opened)} sessions opened, {done} filled"}


@attack("answers-behind", "a held poll and 15 repeats of one answer of 1 MB on each of many connections", 20, "4", quick=True)
def answers_behind(scene):
    session = Session(scene.port, "hostile.test", "holder", scene.source).login()
    hand = Hand(scene.server_port)
    repeated = post(session.body())
    session.lines[0].send(repeated)
    hand.deliver("holder", b"<message id='m'><body>" + b"y" * 1_000_000 + b"</body></message>")
    size = len(session.lines[0].answer()[1])
    flood = Flood(scene.port, scene.source, min(2_000, int(scene.rate * scene.seconds)))
    # The poll is asked again on each connection: a repeat of one that is held takes its place, so each connection gets one
    # of a session of its own to hold.
    others = Flood(scene.port, scene.source, len(flood.connections))
    opened = sessions_of(scene, others, len(others.connections))
    scene.go()
    number = 0
    pairs = list(zip(flood.connections, opened))
    for _ in scene.strikes(flood.pump):
        if number >= len(pairs):
            flood.pump(0.05)
            continue
        connection, (_, sid) = pairs[number]
        flood.send(post(request(sid, 1001)) + repeated * 15, connection)
        number += 1
    flood.pump(0.5)
    return {"sent": flood.sent, "outcome": f"an answer of {size:,} bytes, repeated on {number} connections"}


@attack("half-open", "2,000 bodies of 1 MiB that lack their last byte", 200, "7")
def half_open(scene):
    return unfinished(scene, post(creation("calm.test", payload=MEBIBYTE + b" " * 7_000))[:-1])


@attack("half-open-login", "2,000 bodies of 64 KB that lack their last byte", 200, "7")
def half_open_small(scene):
    return unfinished(scene, post(creation("calm.test", payload=MEBIBYTE[:60_000]))[:-1])


def unfinished(scene, blob):
    flood = Flood(scene.port, scene.source, 2_000, reopens=False)
    number = 0
    for _ in scene.strikes(flood.pump):
        if number < len(flood.connections):
            flood.send(blob, flood.connections[number])
            number += 1
        else:
            flood.pump(0.05)
    left = flood.alive()
    return {"sent": flood.sent, "outcome": f"{number} begun, {left} stay open: {flood.statuses or ''}"}


@attack("slow-readers", "connections that ask for 640 KB of answers and read a byte a while", 100, "7")
def slow_readers(scene):
    session = Session(scene.port, "hostile.test", "slow", scene.source).login()
    repeated = post(session.body())
    session.lines[0].send(repeated)
    Hand(scene.server_port).deliver("slow", b"<message id='m'><body>" + b"y" * 160_000 + b"</body></message>")
    session.lines[0].answer()
    flood = Flood(scene.port, scene.source, 1_000, reads=False, receive_buffer=2_048)
    scene.go()
    number = 0
    for _ in scene.strikes(flood.pump):
        connection = flood.connections[number % len(flood.connections)]
        if number < len(flood.connections):
            flood.send(repeated * 4, connection)
        elif connection.socket is not None:
            try:
                connection.socket.recv(1)
            except OSError:
                pass
        number += 1
    return {"sent": flood.sent, "outcome": f"{flood.alive()} of {min(number, len(flood.connections))} connections stay"}


@attack("replay-budget", "sessions that never acknowledge answers of 200 KB, more than replay-budget in all", 10, "8",
        settings={"replay-budget": 1_000_000})
def replay_budget(scene):
    hand = Hand(scene.server_port)
    sessions = []
    for number in range(20):
        try:
            sessions.append(Session(scene.port, "hostile.test", f"replay{number}", scene.source).login())
        except (Ended, OSError):
            break
    scene.go()
    number = ended = 0
    stanza = b"<message id='m'><body>" + b"y" * 200_000 + b"</body></message>"
    for _ in scene.strikes(time.sleep):
        if not sessions:
            break
        session = sessions[number % len(sessions)]
        number += 1
        try:
            session.lines[0].send(post(session.body(extra="ack='1'")))
            hand.deliver(session.user, stanza)
            session.take(session.lines[0].answer(5))
        except (Ended, OSError):
            ended += 1
            sessions.remove(session)
    sent = sum(session.sent for session in sessions)
    return {"sent": sent, "outcome": f"{number} answers of 200 KB, {ended} sessions ended"}
