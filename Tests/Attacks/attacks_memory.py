"""Attacks on memory: bytes that are kept because another request has not come, or because nobody fetches them."""

import time

from catalogue import attack
from flood import Flood
from wire import SID, Ended, Session, creation, post, request
from xmppserver import Hand

MEBIBYTE = b"<message xmlns='jabber:client'><body>" + b"x" * 1_040_000 + b"</body></message>"


def sessions_of(scene, flood, count, domain="hostile.test", hold=1, patience=8.0, extra=""):
    """Opens up to `count` sessions without a login, each over its own connection of `flood`; returns (connection, sid) of
    each."""
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


@attack("early-gzip", "early requests of 1 MiB as gzip (1.3 kB), 2 a session, no login", 10, "3", quick=True)
def early_gzip(scene):
    return early(scene, hold=2, ahead=2)


@attack("early-gzip-hold-10", "the same with hold 10: 10 a session", 3, "3", settings={"max-hold": 10})
def early_gzip_hold(scene):
    return early(scene, hold=10, ahead=10)


def early(scene, hold, ahead):
    total = int(scene.rate * scene.seconds)
    flood = Flood(scene.port, scene.source, total)
    done = 0
    opened = sessions_of(scene, flood, total, hold=hold)
    # Rid 1001 never comes. All requests are built in advance, because building them takes longer than reading them.
    waiting = iter([(connection, b"".join(post(request(sid, 1002 + number, MEBIBYTE), "gzip") for number in range(ahead)))
                    for connection, sid in opened])
    scene.go()
    for _ in scene.strikes(flood.pump):
        connection, blob = next(waiting, (None, None))
        if blob is None:
            flood.pump(0.05)
            continue
        done += 1
        flood.send(blob, connection)
    return {"sent": flood.sent, "outcome": f"{len(opened)} sessions of {total} opened, {done} filled, {flood.alive()} left"}


def judge_kept(result):
    if not result["opened"]:
        return "no session was opened"
    return None if result["kept"] <= 5 else f"{result['kept']} sessions without a login are still there"


@attack("creation-repeats", "sessions without a login kept alive by repeats of their creation (171 B)", 20, "3", seconds=12,
        settings={"inactivity": 5}, wishes={"login-timeout": 5}, judge=judge_kept)
def creation_repeats(scene):
    total = 50
    flood = Flood(scene.port, scene.source, total)
    opened = sessions_of(scene, flood, total)
    scene.go()
    number = 0
    for _ in scene.strikes(flood.pump):
        connection, sid = opened[number % len(opened)]
        flood.send(post(request(sid, 1000)), connection)
        number += 1
    now = scene.statistics()["sessions"]["now"]
    return {"sent": flood.sent, "opened": len(opened), "kept": max(now - 2, 0),
            "outcome": f"{number} repeats for {len(opened)} sessions: {now} sessions at the end"}


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
    waiting = iter([(connection, sid, post(request(sid, 1008, MEBIBYTE), "gzip")) for connection, sid in opened])
    done = 0
    scene.go()
    for _ in scene.strikes(flood.pump):
        connection, sid, blob = next(waiting, (None, None, None))
        if sid is None:
            flood.pump(0.05)
            continue
        adds = [post(request(sid, 1001 + number, extra="to='silent.test'")) for number in range(7)]
        flood.send(b"".join(adds) + blob, connection)
        done += 1
    return {"sent": flood.sent, "outcome": f"{len(opened)} sessions opened, {done} filled"}


@attack("answers-behind", "a held poll and 15 repeats of one answer of 1 MB on each of many connections", 20, "4", quick=True,
        share=0.5)
def answers_behind(scene):
    session = Session(scene.port, "hostile.test", "holder", scene.source).login()
    hand = Hand(scene.server_port)
    repeated = post(session.body())
    session.lines[0].send(repeated)
    hand.deliver("holder", b"<message id='m'><body>" + b"y" * 1_000_000 + b"</body></message>")
    size = len(session.lines[0].answer()[1])
    flood = Flood(scene.port, scene.source, min(2_000, int(scene.rate * scene.seconds)))
    # The poll is repeated on each connection. A repeat takes the place of the held request, so each connection holds a poll
    # of its own session.
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


@attack("half-open-logged-in", "2,000 such bodies of 1 MiB of one session that is logged in", 200, "7")
def half_open_logged_in(scene):
    session = Session(scene.port, "hostile.test", "half", scene.source).login()
    return unfinished(scene, post(session.body(MEBIBYTE))[:-1])


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


def logged_in(scene, count, name):
    """Up to `count` sessions that are logged in."""
    sessions = []
    for number in range(count):
        try:
            sessions.append(Session(scene.port, "hostile.test", f"{name}{number}", scene.source, hold=2).login())
        except (Ended, OSError):
            break
    return sessions


@attack("early-logged-in", "early requests of 1 MiB as gzip, expanded five times, of sessions that are logged in", 4, "3")
def early_logged_in(scene):
    total = int(scene.rate * scene.seconds)
    sessions = logged_in(scene, total, "ahead")
    text = b"".join(b"%d" % number + b"y" * 20 for number in range(40_000))[:1_000_000]
    payload = b"<message xmlns='jabber:client'><body>" + text + b"</body></message>"
    flood = Flood(scene.port, scene.source, total)
    blobs = iter([post(request(each.sid, each.rid + 2, payload), "gzip") for each in sessions])
    done = 0
    scene.go()
    for _ in scene.strikes(flood.pump):
        blob = next(blobs, None)
        if blob is None:
            flood.pump(0.05)
            continue
        flood.send(blob, flood.connections[done])
        done += 1
    return {"sent": flood.sent,
            "outcome": f"{len(sessions)} sessions of {total} logged in, {done} filled, {flood.alive()} left"}


@attack("unfetched", "sessions that are sent 200 KB five times and fetch nothing", 10, "4")
def unfetched(scene):
    return left_lying(scene, MESSAGE % (b"y" * 200_000), 5)


@attack("unfetched-large", "sessions that are sent a stanza of 7 MiB and fetch nothing", 3, "4")
def unfetched_large(scene):
    return left_lying(scene, MESSAGE % (b"y" * (7 << 20)), 1)


MESSAGE = b"<message id='m'><body>%b</body></message>"


def left_lying(scene, stanza, times):
    total = int(scene.rate * scene.seconds)
    sessions = logged_in(scene, total, "lying")
    hand = Hand(scene.server_port)
    done = 0
    scene.go()
    for _ in scene.strikes(time.sleep):
        if done == len(sessions):
            time.sleep(0.05)
            continue
        hand.deliver(sessions[done].user, stanza, times)
        done += 1
    return {"sent": done * times * len(stanza), "outcome": f"{done} sessions of {total} filled by their server"}


def unsent(port):
    """How many bytes the kernel keeps for the readers of this port."""
    total = 0
    with open("/proc/net/tcp", encoding="ascii") as table:
        next(table)
        for line in table:
            fields = line.split()
            if int(fields[1].rpartition(":")[2], 16) == port:
                total += int(fields[4].partition(":")[0], 16)
    return total


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
    return {"sent": flood.sent, "outcome": f"{flood.alive()} of {min(number, len(flood.connections))} connections stay, "
                                           f"{unsent(scene.port) / 1e6:,.0f} MB in the kernel"}


def judge_replays(result):
    return None if result["replayed"] == "yes" else f"another session's late repeat: {result['replayed']}"


@attack("replay-budget", "sessions that never acknowledge answers of 40 KB: another one's late repeat is still answered",
        10, "8", settings={"replay-budget": 1_000_000}, judge=judge_replays)
def replay_budget(scene):
    hand = Hand(scene.server_port)
    sessions = []
    for number in range(20):
        try:
            sessions.append(Session(scene.port, "hostile.test", f"replay{number}", scene.source, extra="ack='1'").login())
        except (Ended, OSError):
            break
    victim = Session(scene.port, "hostile.test", "victim", "127.0.0.30", extra="ack='1'").login()
    # Four answers that the client does not acknowledge: two must be kept, the others may be.
    polls = [poll_with(victim, hand, b"<message id='v'><body>" + b"v" * 1_000 + b"</body></message>") for _ in range(4)]
    scene.go()
    everybody = list(sessions)
    number = ended = 0
    stanza = b"<message id='m'><body>" + b"y" * 40_000 + b"</body></message>"
    for _ in scene.strikes(time.sleep):
        if not sessions:
            break
        session = sessions[number % len(sessions)]
        number += 1
        try:
            poll_with(session, hand, stanza)
        except (Ended, OSError):
            ended += 1
            sessions.remove(session)
    victim.lines[0].send(polls[0])
    try:
        replayed = "yes" if b"vvvv" in victim.take(victim.lines[0].answer(5)) else "another answer"
    except (Ended, OSError) as error:
        replayed = str(error)
    return {"sent": sum(session.sent for session in everybody), "replayed": replayed,
            "outcome": f"{number} answers of 40 KB, {ended} sessions ended; a repeat of another session: {replayed}"}


def poll_with(session, hand, stanza):
    """Sends this stanza to a poll and returns what was sent. The poll acknowledges only the first answer."""
    blob = post(session.body(extra=f"ack='{session.first}'"))
    session.lines[0].send(blob)
    hand.deliver(session.user, stanza)
    session.take(session.lines[0].answer(5))
    return blob


@attack("replay-scan", "2,000 sessions and no replay-budget: what a request costs then", 200, "8",
        settings={"replay-budget": 0})
def replay_scan(scene):
    flood = Flood(scene.port, None, 100)
    sessions = []
    for _ in range(2_000):
        flood.send(post(creation("hostile.test", extra="ack='1'")))
    for connection in flood.connections:
        connection.keeps = True
    deadline = time.monotonic() + 8
    while len(flood.sids()) < 2_000 and time.monotonic() < deadline:
        flood.pump(0.1)
    sessions = flood.sids()
    for connection in flood.connections:
        connection.keeps = False
    scene.go()
    count = 0
    rids = [1_000] * len(sessions)
    for _ in scene.strikes(flood.pump):
        at = count % len(sessions)
        rids[at] += 1
        flood.send(post(request(sessions[at], rids[at], b"<a xmlns='x'/>", "ack='1000'")))
        count += 1
    return {"sent": flood.sent, "outcome": f"{count} requests, {len(sessions)} sessions"}
