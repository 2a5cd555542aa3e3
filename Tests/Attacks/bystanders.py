"""Harmless clients, each in its own process: a session that sends messages to itself, and logins."""

import multiprocessing
import random
import time

from urgency import go_first
from wire import Ended, Session

PATIENCE = 20.0


def percentile(values, share):
    """The value that `share` of the values do not exceed; 0.0 for no values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def with_omitted(delays, pause):
    """The delays, including those of the messages that were not sent while the client waited for one."""
    every = []
    for delay in delays:
        while delay > 0:
            every.append(delay)
            delay -= pause
    return every


class Bystander:
    """A process that reports what it measured when it is asked to end."""

    def __init__(self, target, *arguments):
        self._mine, theirs = multiprocessing.Pipe()

        def body():
            self._mine.close()
            go_first()
            target(theirs, *arguments)

        self.process = multiprocessing.Process(target=body, daemon=True)
        self.process.start()
        theirs.close()

    def wait(self, patience=PATIENCE):
        """The next report; None when none comes in time or the process has died."""
        try:
            return self._mine.recv() if self._mine.poll(patience) else None
        except EOFError:
            return None

    def tell(self, word):
        try:
            self._mine.send(word)
        except OSError:
            pass

    def stop(self):
        if self.process.is_alive():
            self.process.kill()
        self.process.join()


PAUSE = 0.035


def healthy(pipe, port, domain, source):
    """Logs in, then sends itself a message every 20 to 50 ms and measures the time until it returns. Reports `in` first. At
    each `mark` it reports, since the last one, the delays, the age of the message still on its way, and the end of the
    session if it ended."""
    chance = random.Random(8)
    end = None
    delays = []
    try:
        session = Session(port, domain, "healthy", source, timeout=PATIENCE).login()
        session.send()
    except (Ended, OSError) as error:
        end = f"no login: {error}"
    pipe.send(end or "in")
    number, underway = 0, None
    while True:
        while pipe.poll(0):
            pipe.recv()
            age = time.monotonic() - underway if underway else 0.0
            pipe.send({"delays": delays, "underway": age, "end": end})
            delays = []
        if end is not None:
            time.sleep(0.02)
            continue
        try:
            if underway is None:
                number += 1
                underway = time.monotonic()
                session.send(b"<message id='h%d' xmlns='jabber:client'><body>hello</body></message>" % number)
            wanted = b"'h%d'" % number
            try:
                answers = session.collect(0.25)
            except Ended as error:
                if "in time" not in str(error):
                    raise
                answers = []
            if any(wanted in answer for answer in answers):
                delays.append(time.monotonic() - underway)
                underway = None
                time.sleep(chance.uniform(0.020, 0.050))
            elif underway and time.monotonic() - underway > 600:
                end = "no answer in 600 s"
        except (Ended, OSError) as error:
            end = str(error)


def logins(pipe, port, domain, source):
    """Tries a login each second. At each `mark` it reports how many it tried since the last one, how many succeeded, how long
    the slowest took, and the last failure."""
    tried = succeeded = 0
    slowest, failure = 0.0, None
    pipe.send("ready")
    due = time.monotonic()
    while True:
        if pipe.poll(max(0.0, due - time.monotonic())):
            pipe.recv()
            pipe.send({"tried": tried, "succeeded": succeeded, "slowest": slowest, "failure": failure})
            tried = succeeded = 0
            slowest, failure = 0.0, None
            continue
        due += 1.0
        tried += 1
        begun = time.monotonic()
        session = Session(port, domain, f"other{tried}", source, timeout=5.0)
        try:
            session.login()
            succeeded += 1
        except (Ended, OSError) as error:
            failure = str(error)
        slowest = max(slowest, time.monotonic() - begun)
        session.terminate()
        due = max(due, time.monotonic())
