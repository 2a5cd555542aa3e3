"""The places where a request can arrive, and its cost there: processor time and memory of a Holdfast for a batch of
requests."""

import time
from dataclasses import dataclass, replace

import xmppserver
from daemon import Holdfast
from shapes import body, encode
from wire import SID, Answers, Session, connect, creation, post, request

# The limits by rate are set out of the way, to measure what an admitted request costs.
WISHES = {"session-requests": 100_000, "session-repeats": 100_000, "login-sessions": 4_000}
PATIENCE = 20.0
UNKNOWN = "0123456789abcdef0123456789abcdef"
# Sent over one connection after another, and answered before the batch is over.
ANSWERED = ("creation", "request", "unknown sid", "repeat")
# Sent over separate connections, and kept waiting.
KEPT = ("early", "opening", "half-open")
PLACES = ANSWERED + KEPT
MOST_KEPT = 8


@dataclass
class Cost:
    """The cost of a batch: per request, and in total."""

    requests: int
    wire: float
    seconds: float
    growth: int
    total_wire: int
    is_late: bool = False
    # The session or the connection has ended because of it.
    has_ended: bool = False
    is_lost: bool = False

    def of(self, requests):
        """The same, if only this many of the requests were served."""
        share = requests / self.requests
        return replace(self, requests=requests, seconds=self.seconds / share, total_wire=int(self.total_wire * share))


class Bench:
    """A Holdfast with its server, and a session that goes on."""

    def __init__(self, binary):
        self.binary = binary
        self.server, self.server_port = xmppserver.start()
        self.holdfast = None
        self.restarts = 0
        self.restart()

    def restart(self):
        """Starts again with a fresh process."""
        self.close_lines()
        if self.holdfast is not None:
            self.holdfast.stop()
        tables = {name: {"upstream": f"127.0.0.1:{self.server_port}", "upstream-tls": "none"}
                  for name in ("served.test", "silent.test")}
        self.holdfast = Holdfast(self.binary, {}, tables, WISHES)
        self.restarts += 1
        self.session = None
        self.line = None

    def close_lines(self):
        for each in (getattr(self, "line", None), getattr(self, "session_line", None)):
            if each is not None:
                each.close()
        self.line = self.session_line = None
        if getattr(self, "session", None) is not None:
            self.session.close()
            self.session = None

    def close(self):
        self.close_lines()
        self.holdfast.stop()
        self.server.kill()
        self.server.join()

    # What the place adds to the shape.

    def own(self, place):
        """The attributes of a body at this place; the rid grows where it has to."""
        if place in ("creation", "half-open"):
            return {"rid": 7, "to": "nobody.test", "ver": "1.6", "wait": 55, "hold": 1}
        if place == "opening":
            return {"rid": 7, "to": "silent.test", "ver": "1.6", "wait": 55, "hold": 1}
        if place == "unknown sid":
            return {"rid": 7, "sid": UNKNOWN}
        if place == "early":
            return {"rid": 1002}
        if place == "request":
            self.session.rid += 1
        return {"rid": self.session.rid, "sid": self.session.sid}

    def ready_session(self):
        """A logged-in session with a poll that is held."""
        if self.session is None:
            self.session = Session(self.holdfast.port, "served.test", "bench", timeout=PATIENCE).login()
            self.session_line = Pipeline(self.holdfast.port)
            self.session_line.send(post(self.session.body()))
            self.session_line.collect(0, self.holdfast)

    def settle(self):
        """Returns once Holdfast sleeps."""
        deadline = time.monotonic() + PATIENCE
        calm = 0
        while calm < 3:
            calm = calm + 1 if self.holdfast.is_asleep() else 0
            if time.monotonic() > deadline:
                return False
        return True

    def measure(self, place, shapes, coding, count):
        """Sends `count` requests of these shapes in turn and returns their cost."""
        if place in KEPT:
            return self._kept(place, shapes, coding, min(count, MOST_KEPT))
        if place in ("request", "repeat"):
            self.ready_session()
            line = self.session_line
        else:
            if self.line is None or self.line.is_lost:
                self.line = Pipeline(self.holdfast.port)
            line = self.line
        pieces = [encode(body(self.own(place), shapes[number % len(shapes)]), coding) for number in range(count)]
        blob = b"".join(pieces)
        served = self._served()
        before, used = self._begin()
        line.send(blob)
        answered, is_sound = line.collect(count, self.holdfast)
        is_late = not self.settle() or line.is_late
        cost = self._end(before, used, count, len(blob), is_late)
        if answered < count and not is_late:
            # Requests after a held one were served too. Those after the end of the connection were not, and the question
            # itself was.
            cost = cost.of(max(1, min(count, self._served() - served - 1)))
        cost.has_ended = line is self.session_line and not is_sound
        cost.is_lost = line.is_lost
        if is_late:
            self.restart()
        elif not is_sound or line.is_lost:
            if line is self.session_line:
                self.session_line.close()
                self.session.close()
                self.session = None
            else:
                self.line.close()
                self.line = None
        return cost

    def _served(self):
        """How many requests were served since the process began."""
        statistics = self.holdfast.statistics()
        return statistics["http"]["requests"] if statistics else 0

    def _begin(self):
        self.settle()
        before, _ = self.holdfast.memory()
        self.holdfast.forget_peak()
        return before, self.holdfast.processor_time()

    def _end(self, before, used, count, wire, is_late):
        seconds = self.holdfast.processor_time() - used
        _, peak = self.holdfast.memory()
        return Cost(count, wire / count, seconds / count, max(0, peak - before), int(wire), is_late)

    def _kept(self, place, shapes, coding, count):
        """Requests that are kept waiting, each over its own connection."""
        connections, sids = [], []
        for _ in range(count):
            connections.append(connect(self.holdfast.port, timeout=PATIENCE))
        if place == "early":
            for connection in connections:
                connection.sendall(post(creation("served.test")))
            for connection in connections:
                found = SID.search(connection.recv(65536))
                sids.append(found[1].decode() if found else UNKNOWN)
        blobs = []
        for number in range(count):
            own = self.own(place)
            if place == "early":
                own["sid"] = sids[number]
            blob = encode(body(own, shapes[number % len(shapes)]), coding)
            blobs.append(blob[:-1] if place == "half-open" else blob)
        before, used = self._begin()
        for connection, blob in zip(connections, blobs):
            try:
                connection.sendall(blob)
            except OSError:
                pass
        time.sleep(0.003)
        is_late = not self.settle()
        wire = sum(len(blob) for blob in blobs)
        cost = self._end(before, used, count, wire, is_late)
        for connection, sid in zip(connections, sids):
            try:
                connection.sendall(post(request(sid, 1001, extra="type='terminate'")))
            except OSError:
                pass
        if sids:
            time.sleep(0.003)
        for connection in connections:
            connection.close()
        if is_late:
            self.restart()
        return cost


class Pipeline:
    """A connection with many requests on their way."""

    def __init__(self, port):
        self.socket = connect(port, timeout=PATIENCE)
        self.answers = Answers()
        self.is_lost = self.is_late = False

    def send(self, blob):
        try:
            self.socket.sendall(blob)
        except OSError:
            self.is_lost = True

    def collect(self, count, holdfast):
        """Waits for this many answers, or until Holdfast has nothing to do; returns how many came and whether all were
        good."""
        done, is_sound = 0, True
        deadline = time.monotonic() + PATIENCE
        while done < count:
            self.socket.settimeout(0.02)
            try:
                data = self.socket.recv(1 << 18)
            except TimeoutError:
                if holdfast.is_asleep():
                    is_sound = False
                    break
                if time.monotonic() > deadline:
                    self.is_late = True
                    return done, False
                continue
            except OSError:
                data = b""
            if not data:
                self.is_lost = True
                break
            for status, text in self.answers.feed(data):
                done += 1
                if status != 200 or b"type='terminate'" in text[:400]:
                    is_sound = False
        return done, is_sound and not self.is_lost

    def close(self):
        self.socket.close()


class Baseline:
    """The cost of a plain message by its size on the wire."""

    SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)

    def __init__(self, bench):
        from shapes import SHAPES, canonical
        plain = SHAPES["plain text"]
        self.points = {}
        for place in ("request", *KEPT):
            points = []
            # A larger body is refused before login without being read, so it says nothing about the cost of as many bytes in
            # another coding.
            sizes = [size for size in self.SIZES if size <= 30_000] + [60_000] if place == "opening" else self.SIZES
            for size in sizes:
                count = batch(size)
                shape = [plain(size, canonical())]
                costs = sorted((bench.measure(place, shape, "plain", count) for _ in range(5)), key=lambda cost: cost.seconds)
                points.append((costs[2].wire, costs[2].seconds))
            self.points[place] = points
        self.ending = sorted(self._end_session(bench) for _ in range(5))[2]
        self.closing = sorted(self._close_connection(bench) for _ in range(5))[2]

    @staticmethod
    def _end_session(bench):
        """The cost of the end of a session, for whatever reason."""
        bench.ready_session()
        _, used = bench._begin()
        bench.session_line.send(post(bench.session.body(extra="type='terminate'")))
        bench.session_line.collect(2, bench.holdfast)
        time.sleep(0.01)
        seconds = bench.holdfast.processor_time() - used
        bench.close_lines()
        return seconds

    @staticmethod
    def _close_connection(bench):
        """The cost of closing a connection with requests on it."""
        line = Pipeline(bench.holdfast.port)
        _, used = bench._begin()
        line.send(encode(b"<" + b"x" * 200, "plain") * 64)
        line.collect(64, bench.holdfast)
        bench.settle()
        seconds = bench.holdfast.processor_time() - used
        line.close()
        return seconds

    def expected(self, place, cost):
        """The cost of a plain request in place of this one. If the session or the connection has ended, that cost is
        included, because a new one has its price."""
        fees = self.ending * cost.has_ended + self.closing * cost.is_lost
        return self.seconds(place, cost.wire) + fees / cost.requests

    def seconds(self, place, wire):
        """The processor time of a plain request of this size: at the place itself if each request has its own connection,
        otherwise that of a message of a logged-in session."""
        points = self.points[place if place in KEPT else "request"]
        if wire <= points[0][0]:
            return points[0][1]
        for (low, less), (high, more) in zip(points, points[1:]):
            if wire <= high:
                return less + (more - less) * (wire - low) / (high - low)
        return points[-1][1] * wire / points[-1][0]


def batch(size):
    """The number of requests of a size that make a batch."""
    return max(2, min(64, 200_000 // size))
