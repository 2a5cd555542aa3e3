"""The small C and C++ clients of clients/: compiled once a run, driven by lines."""

import contextlib
import os
import queue
import shlex
import subprocess
import threading

from .processes import PATIENCE, Child, Scratch

SOURCES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "clients")


def compile_client(name, compiler, package, directory):
    """The path of the program made from clients/NAME with pkg-config's flags for `package`."""
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", package], check=True, capture_output=True, text=True).stdout
    program = os.path.join(directory, name.partition(".")[0])
    source = os.path.join(SOURCES, name)
    subprocess.run([compiler, "-O1", "-w", "-o", program, source, *shlex.split(flags)], check=True)
    return program


class NativeClient:
    """One such client."""

    def __init__(self, arguments):
        self.scratch = Scratch()
        environment = dict(os.environ, HOME=self.scratch.path)
        self.child = Child([argument.replace("SCRATCH", self.scratch.path) for argument in arguments],
                           os.path.join(self.scratch.path, "log"), env=environment,
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.child.process.stdout:
            self.lines.put(line.decode(errors="replace").rstrip("\n"))
        self.lines.put(None)

    def line(self, patience=PATIENCE):
        """The next line the client writes; AssertionError when it has ended or reports an error."""
        try:
            line = self.lines.get(timeout=patience)
        except queue.Empty:
            raise AssertionError(f"{self.child.process.args[0]} wrote nothing for {patience:.0f} s") from None
        if line is None or line.startswith("error "):
            raise AssertionError(f"{self.child.process.args[0]}: {line}\n{self.child.output()[-3000:]}")
        return line

    def message(self):
        """The sender's bare JID and the text of the next message."""
        word, sender, text = self.line().split(" ", 2)
        assert word == "message", word
        return sender.partition("/")[0], text

    def write(self, line):
        try:
            self.child.process.stdin.write(line.encode() + b"\n")
            self.child.process.stdin.flush()
        except BrokenPipeError:
            self.line()  # says how it ended
            raise

    def quit(self):
        """Logs out; returns when the client has ended by itself."""
        self.write("quit")
        assert self.line() == "offline"
        assert self.child.wait() == 0

    def stop(self):
        self.child.stop()
        with contextlib.suppress(BrokenPipeError):
            self.child.process.stdin.close()
        self.child.process.stdout.close()
        self.scratch.remove()
