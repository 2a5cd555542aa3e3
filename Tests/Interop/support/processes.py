"""Child processes, loopback ports and waiting for conditions."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

# Deadline of everything that is waited for. Generous: the machine may be busy with a build.
PATIENCE = 60.0

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def free_ports(count):
    """`count` different TCP ports of 127.0.0.1 that are free now."""
    sockets = []
    try:
        for _ in range(count):
            listener = socket.socket()
            listener.bind(("127.0.0.1", 0))
            sockets.append(listener)
        return [listener.getsockname()[1] for listener in sockets]
    finally:
        for listener in sockets:
            listener.close()


def loopback_address(port):
    """An address of 127.0.0.0/8 where `port` is free: for ports whose number is given."""
    while True:
        address = f"127.{random.randrange(64, 128)}.{random.randrange(256)}.{random.randrange(1, 255)}"
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((address, port))
            return address


def wait_until(condition, what, patience=PATIENCE, pause=0.02):
    """Calls `condition` until it is true and returns that value; AssertionError naming `what` when it never is."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience:.0f} s: {what}")
        time.sleep(pause)


def accepts(port):
    """Whether something accepts connections on this loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def connections(port):
    """How many IPv4 connections the accepting side of the local `port` still has, half-closed ones included."""
    count = 0
    with open("/proc/net/tcp", encoding="ascii") as table:
        next(table)
        for line in table:
            fields = line.split()
            if int(fields[1].rpartition(":")[2], 16) == port and fields[3] in ("01", "08"):
                count += 1
    return count


# What exists now, newest last: for the case that the run itself is ended.
_living = []


def born(thing):
    """Something with a `stop` method exists now."""
    _living.append(thing)


def gone(thing):
    """It does not any more."""
    if thing in _living:
        _living.remove(thing)


def clean_up():
    """Stops every child process and removes every temporary directory that is still there."""
    while _living:
        _living[-1].stop()


class Scratch:
    """A temporary directory that another user may pass through (Prosody and nginx do not run as root)."""

    def __init__(self):
        born(self)
        self.path = tempfile.mkdtemp(prefix="holdfast-interop-")
        os.chmod(self.path, 0o711)

    def sub(self, name):
        path = os.path.join(self.path, name)
        os.mkdir(path)
        return path

    def remove(self):
        gone(self)
        shutil.rmtree(self.path, ignore_errors=True)

    stop = remove


class Child:
    """A child process with its output in a file; ends with the test that started it."""

    def __init__(self, arguments, log, **options):
        self.log = log
        self._file = open(log, "ab")
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", self._file)
        # A job in the background of a shell has SIGINT ignored, its children would inherit that, and a shell among them could
        # not even trap it.
        options.setdefault("preexec_fn", lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.process = subprocess.Popen(arguments, stderr=self._file, start_new_session=True, **options)
        born(self)

    @property
    def pid(self):
        return self.process.pid

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def check_alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.process.args[0]} ended with {self.process.returncode}:\n{self.output()[-4000:]}")
        return True

    def wait_for_port(self, port):
        wait_until(lambda: accepts(port) or not self.check_alive(), f"{self.process.args[0]} listening on {port}")

    def wait(self, patience=PATIENCE):
        """The exit status; AssertionError when the process does not end."""
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.process.args[0]} did not end within {patience:.0f} s") from None

    def stop(self):
        gone(self)
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self._file.close()
