"""Processes that get only a part of a core each, by the processor controller of the kernel's control groups."""

import os

# How long a part of a core is counted, in microseconds: so short that a process which has used it up does not stand still for
# long.
PERIOD = 10_000


class Unavailable(Exception):
    """This machine has no such controller, or it is not ours to use."""


class Quota:
    """Gives each of the processes `share` of a core, until `lift`."""

    def __init__(self, pids, share):
        self._groups = []
        try:
            for pid in pids:
                self._groups.append(_group(pid, round(share * PERIOD)))
        except OSError as error:
            self.lift()
            raise Unavailable(f"no control group for a part of a core: {error}") from error

    def lift(self):
        """Processes that still live go back to where all processes are; call it when they have ended or need no bound."""
        for path in self._groups:
            with open(os.path.join(path, "cgroup.procs"), encoding="ascii") as file:
                for pid in file.read().split():
                    _write(os.path.dirname(path), "cgroup.procs", pid)
            os.rmdir(path)
        self._groups = []


def _group(pid, microseconds):
    """Puts a process into a group of its own that gets so many microseconds in each period; the group's path."""
    first = "/sys/fs/cgroup/cpu"
    is_first = os.path.isdir(first)
    path = os.path.join(first if is_first else "/sys/fs/cgroup", f"holdfast-proof-{pid}")
    os.mkdir(path)
    try:
        if is_first:
            _write(path, "cpu.cfs_period_us", PERIOD)
            _write(path, "cpu.cfs_quota_us", microseconds)
        else:
            _write(path, "cpu.max", f"{microseconds} {PERIOD}")
        _write(path, "cgroup.procs", pid)
    except OSError:
        os.rmdir(path)
        raise
    return path


def _write(path, name, value):
    with open(os.path.join(path, name), "w", encoding="ascii") as file:
        file.write(str(value))
