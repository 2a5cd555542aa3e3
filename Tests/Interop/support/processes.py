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


class Ports:
    """Ports for daemons, which nobody else gets between the choice of a port and the start of its daemon.

    The kernel gives ports from 32768 on to connections and to those who ask for any port; these ports are lower. A test run
    takes them in blocks. It binds an abstract Unix socket with the number of the block in its name, so that no other run
    takes this block. The kernel frees the name when the run ends.
    """

    # Some browsers refuse certain ports below the first number. From the second one on are the ports of the unit tests, and
    # then those of free_ports in deploy/lib/common.sh.
    LOWEST, END = 12_000, 20_000
    BLOCK = 40

    def __init__(self):
        self._owner = None
        self._locks = []
        self._left = []

    def next(self):
        """A port that no other run gets, that nothing uses now, and that was not given before."""
        if self._owner != os.getpid():
            # A forked child has the sockets of its parent, but the ports of these blocks belong to the parent.
            self._owner, self._locks, self._left = os.getpid(), [], []
        while True:
            while self._left:
                port = self._left.pop()
                if is_free(port):
                    return port
            self._take_block()

    def _take_block(self):
        blocks = list(range(self.LOWEST, self.END, self.BLOCK))
        random.shuffle(blocks)
        for first in blocks:
            lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                lock.bind(f"\0holdfast-test-ports-{first}")
            except OSError:
                lock.close()
                continue
            self._locks.append(lock)
            self._left = list(range(first, first + self.BLOCK))
            return
        raise AssertionError("other test runs have all ports")


def is_free(port):
    """Whether nothing uses this port at any IPv4 address, for TCP or for UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True


_ports = Ports()


def free_ports(count):
    """`count` different ports for TCP and UDP that nobody uses and that no other test run gets."""
    return [_ports.next() for _ in range(count)]


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
