#!/usr/bin/env python3
"""Runs the interop tests: `run.py (--holdfast BINARY | --control) [--upstream prosody|ejabberd|all] [NAME ...]`.

Without `--control` the holdfast binary stands before a private XMPP server; with it the tests run against that server's
own mod_bosh, which shows whether a failure is one of the tests or of Holdfast. What a server's mod_bosh is known to do
wrong is noted at the test and counts as neither passed nor failed. With `all`, the default, every test runs with Prosody,
and the matrix of clients, the end of sessions and all about the stream to the server with ejabberd too; what only
ejabberd has runs with that alone; the two run at the same time. A NAME selects the tests whose id contains it.
The last line is `N passed, N failed`; the exit status is 0 when none failed and some passed.
"""

import argparse
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
import unittest

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)

from support import gateway  # noqa: E402
from support.processes import clean_up  # noqa: E402


class Result(unittest.TestResult):
    """One line a test: the outcome, how long it took and its name."""

    def __init__(self):
        super().__init__()
        self.passed = self.failed = self.skipped_count = self.known = 0

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()
        self.spoiled = False

    def _line(self, word, test, detail=""):
        elapsed = f"{time.monotonic() - self.started:6.1f} s" if hasattr(self, "started") else " " * 8
        print(f"{word:5}{elapsed}  {gateway.upstream:8}  {test.id()}{detail}", flush=True)

    def addSuccess(self, test):
        if not self.spoiled:
            self.passed += 1
            self._line("ok", test)

    def _fail(self, test, error, detail=""):
        method = getattr(test, getattr(test, "_testMethodName", ""), None)
        reason = getattr(method, "known_failures", {}).get(gateway.upstream)
        if gateway.binary is None and reason is not None:
            if not self.spoiled:
                self.known += 1
                self._line("known", test, f" ({reason})")
            self.spoiled = True
            return
        if not self.spoiled:
            self.failed += 1
        self.spoiled = True
        self._line("FAIL", test, detail)
        print(self._exc_info_to_string(error, test), flush=True)

    def addFailure(self, test, error):
        self._fail(test, error)

    def addError(self, test, error):
        self.spoiled = isinstance(test, unittest.TestCase) and getattr(self, "spoiled", False)
        self._fail(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self._fail(subtest, error)

    def addSkip(self, test, reason):
        self.skipped_count += 1
        self._line("skip", test, f" ({reason})")


def selected(suite, names):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from selected(test, names)
        elif not names or any(name in test.id() for name in names) or "_FailedTest" in test.id():
            yield test


def run(upstream, everything, names, result):
    gateway.upstream = upstream
    result._previousTestClass = None  # the same class again is set up again
    tests = selected(unittest.defaultTestLoader.discover(FOLDER), names)
    unittest.TestSuite(test for test in tests if belongs(test, upstream, everything)).run(result)


def belongs(test, upstream, everything):
    """Whether a test is to run with this server."""
    upstreams = getattr(test, "upstreams", None)
    if upstreams is not None:
        return upstream in upstreams
    return everything or getattr(test, "every_upstream", True)


def run_side_by_side(arguments):
    """Runs the tests with each server in a process of its own: most of their time is spent waiting."""
    target = ["--control"] if arguments.control else ["--holdfast", arguments.holdfast]
    parts = []
    for number, upstream in enumerate(gateway.SERVERS):
        every = ["--every-upstream"] if number > 0 or arguments.every_upstream else []
        command = [sys.executable, os.path.abspath(__file__), *target, "--upstream", upstream, *every, *arguments.names]
        parts.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    totals = {"passed": 0, "failed": 0, "parts": 0}
    lock = threading.Lock()

    def show(part):
        for line in part.stdout:
            with lock:
                summary = re.fullmatch(r"(\d+) passed, (\d+) failed\n", line)
                if summary:
                    totals["passed"] += int(summary[1])
                    totals["failed"] += int(summary[2])
                    totals["parts"] += 1
                else:
                    print(line, end="", flush=True)

    readers = [threading.Thread(target=show, args=[part]) for part in parts]
    try:
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    except KeyboardInterrupt:
        for part in parts:
            part.terminate()
        return 130
    for part in parts:
        part.wait()
    print(f"{totals['passed']} passed, {totals['failed']} failed")
    # With a NAME one of the servers may have no test, but it says so.
    return 0 if totals["passed"] > 0 and totals["failed"] == 0 and totals["parts"] == len(parts) else 1


def main():
    parser = argparse.ArgumentParser(description="Interop tests of Holdfast with real clients and real servers.")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--holdfast", metavar="BINARY", help="the holdfast binary to test")
    target.add_argument("--control", action="store_true", help="test the server's own mod_bosh instead")
    parser.add_argument("--upstream", choices=[*gateway.SERVERS, "all"], default="all", help="the XMPP server (all)")
    parser.add_argument("--every-upstream", action="store_true", help="only the tests that run with every server")
    parser.add_argument("names", nargs="*", metavar="NAME", help="run only the tests whose id contains one of these")
    arguments = parser.parse_args()
    if arguments.holdfast:
        gateway.binary = os.path.abspath(arguments.holdfast)
        if not os.access(gateway.binary, os.X_OK):
            parser.error(f"argument --holdfast: {arguments.holdfast} is not an executable file")

    if arguments.upstream == "all":
        return run_side_by_side(arguments)
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # unittest turns on its debug mode
    result = Result()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(arguments.upstream, not arguments.every_upstream, arguments.names, result)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        return 130
    finally:
        clean_up()
    if result.known:
        print(f"{result.known} failed as they are known to in this control")
    if result.skipped_count:
        print(f"{result.skipped_count} skipped")
    print(f"{result.passed} passed, {result.failed} failed")
    return 0 if result.passed > 0 and result.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
