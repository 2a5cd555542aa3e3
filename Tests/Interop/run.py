#!/usr/bin/env python3
"""Runs the interop tests: `run.py (--holdfast BINARY | --control) [--upstream prosody|ejabberd|all] [NAME ...]`.

Without `--control` the holdfast binary stands before a private XMPP server; with it the tests run against that server's
own mod_bosh, which shows whether a failure is one of the tests or of Holdfast. What a server's mod_bosh is known to do
wrong is noted at the test and counts as neither passed nor failed. With `all`, the default, every test runs with Prosody,
and the matrix of clients, the end of sessions and all about the stream to the server with ejabberd too; what only
ejabberd has runs with that alone. Each class of tests runs in a process of its own, and some run side by side. A NAME
selects the tests whose id contains it.
The last line is `N passed, N failed`; the exit status is 0 when none failed and some passed.
"""

import argparse
import collections
import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import time
import unittest

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)

from support import gateway  # noqa: E402
from support.processes import clean_up  # noqa: E402


class Result(unittest.TestResult):
    """One line a test: the outcome, how long it took and its name."""

    def __init__(self, say):
        """`say`: what takes a line."""
        super().__init__()
        self.say = say
        self.counts = collections.Counter()

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()
        self.spoiled = False

    def _line(self, word, test, detail=""):
        elapsed = f"{time.monotonic() - self.started:6.1f} s" if hasattr(self, "started") else " " * 8
        self.say(f"{word:5}{elapsed}  {gateway.upstream:8}  {test.id()}{detail}")

    def addSuccess(self, test):
        if not self.spoiled:
            self.counts["passed"] += 1
            self._line("ok", test)

    def _fail(self, test, error, detail=""):
        method = getattr(test, getattr(test, "_testMethodName", ""), None)
        reason = getattr(method, "known_failures", {}).get(gateway.upstream)
        if gateway.binary is None and reason is not None:
            if not self.spoiled:
                self.counts["known"] += 1
                self._line("known", test, f" ({reason})")
            self.spoiled = True
            return
        if not self.spoiled:
            self.counts["failed"] += 1
        self.spoiled = True
        self._line("FAIL", test, detail)
        self.say(self._exc_info_to_string(error, test))

    def addFailure(self, test, error):
        self._fail(test, error)

    def addError(self, test, error):
        self.spoiled = isinstance(test, unittest.TestCase) and getattr(self, "spoiled", False)
        self._fail(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self._fail(subtest, error)

    def addSkip(self, test, reason):
        self.counts["skipped"] += 1
        self._line("skip", test, f" ({reason})")


def selected(suite, names):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from selected(test, names)
        elif not names or any(name in test.id() for name in names) or "_FailedTest" in test.id():
            yield test


def belongs(test, upstream, everything):
    """Whether a test is to run with this server."""
    upstreams = getattr(test, "upstreams", None)
    if upstreams is not None:
        return upstream in upstreams
    return everything or getattr(test, "every_upstream", True)


class Part:
    """What runs in one go: the tests of a class with one server, in a process of their own."""

    def __init__(self, upstream, tests):
        self.upstream = upstream
        self.tests = tests
        self.ended = False

    def start(self):
        # A process that is forked has the modules already.
        context = multiprocessing.get_context("fork")
        self.lines, told = context.Pipe(duplex=False)
        self.process = context.Process(target=self._run, args=[told])
        self.process.start()
        told.close()

    def _run(self, told):
        gateway.upstream = self.upstream
        result = Result(told.send)
        try:
            unittest.TestSuite(self.tests).run(result)
            told.send(result.counts)
        except KeyboardInterrupt:
            sys.exit(130)
        finally:
            clean_up()


def parts(upstreams, everything, names):
    """All classes with their servers, those first that last long: so the last one to end has not begun late."""
    tests = list(selected(unittest.defaultTestLoader.discover(FOLDER), names))
    found = []
    for number, upstream in enumerate(upstreams):
        classes = {}
        for test in tests:
            if belongs(test, upstream, everything and number == 0):
                classes.setdefault(type(test), []).append(test)
        found += [Part(upstream, tests) for tests in classes.values()]
    return sorted(found, key=lambda part: not getattr(part.tests[0], "lasts_long", False))


def run(waiting, jobs):
    """Runs parts side by side, because most of their time is spent waiting. What all of them counted."""
    waiting, running, counts = collections.deque(waiting), [], collections.Counter()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(waiting.popleft())
                running[-1].start()
            ready = multiprocessing.connection.wait([part.lines for part in running])
            for part in [part for part in running if part.lines in ready]:
                try:
                    told = part.lines.recv()
                except EOFError:
                    running.remove(part)
                    part.process.join()
                    if not part.ended or part.process.exitcode != 0:
                        counts["failed"] += 1
                        print(f"FAIL  the process of {type(part.tests[0]).__name__} with {part.upstream}", flush=True)
                    continue
                if isinstance(told, str):
                    print(told, flush=True)
                else:
                    part.ended = True
                    counts += told
    except KeyboardInterrupt:
        for part in running:
            part.process.terminate()
        for part in running:
            part.process.join()
        raise
    return counts


def main():
    parser = argparse.ArgumentParser(description="Interop tests of Holdfast with real clients and real servers.")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--holdfast", metavar="BINARY", help="the holdfast binary to test")
    target.add_argument("--control", action="store_true", help="test the server's own mod_bosh instead")
    parser.add_argument("--upstream", choices=[*gateway.SERVERS, "all"], default="all", help="the XMPP server (all)")
    parser.add_argument("--every-upstream", action="store_true", help="only the tests that run with every server")
    parser.add_argument("--jobs", type=int, default=4, help="how many classes of tests run side by side (4)")
    parser.add_argument("names", nargs="*", metavar="NAME", help="run only the tests whose id contains one of these")
    arguments = parser.parse_args()
    if arguments.holdfast:
        gateway.binary = os.path.abspath(arguments.holdfast)
        if not os.access(gateway.binary, os.X_OK):
            parser.error(f"argument --holdfast: {arguments.holdfast} is not an executable file")

    logging.getLogger("asyncio").setLevel(logging.ERROR)  # unittest turns on its debug mode
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    upstreams = list(gateway.SERVERS) if arguments.upstream == "all" else [arguments.upstream]
    try:
        counts = run(parts(upstreams, not arguments.every_upstream, arguments.names), arguments.jobs)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        return 130
    if counts["known"]:
        print(f"{counts['known']} failed as they are known to in this control")
    if counts["skipped"]:
        print(f"{counts['skipped']} skipped")
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return 0 if counts["passed"] > 0 and counts["failed"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
