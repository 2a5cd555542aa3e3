"""What /proc tells about Holdfast's processes."""

import glob
import os

TICKS = os.sysconf("SC_CLK_TCK")


def stat(pid):
    """The fields of /proc/PID/stat after the name: state, parent, process group, ... None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def group(number):
    """The processes of a process group, those included that have ended and were not waited for."""
    found = {pid: stat(pid) for pid in processes()}
    return sorted(pid for pid, fields in found.items() if fields is not None and int(fields[2]) == number)


def children(parent):
    """The living children of a process by their number."""
    found = {pid: stat(pid) for pid in processes()}
    return sorted(pid for pid, fields in found.items()
                  if fields is not None and int(fields[1]) == parent and fields[0] != "Z")


def zombies(parent):
    """The children that a process has not waited for."""
    found = {pid: stat(pid) for pid in processes()}
    return [pid for pid, fields in found.items() if fields is not None and int(fields[1]) == parent and fields[0] == "Z"]


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def workers(supervisor):
    """The worker processes of a supervisor; the process itself when it has none."""
    return workers_among(children(supervisor)) or [supervisor]


def living(groups):
    """The processes of these process groups that have not ended."""
    found = {pid: stat(pid) for pid in processes()}
    return sorted(pid for pid, fields in found.items()
                  if fields is not None and int(fields[2]) in groups and fields[0] != "Z")


def workers_among(pids):
    return [pid for pid in pids if command(pid)[1:2] == ["worker"]]


def program(pid):
    """What tells the file that a process executes from any other one."""
    file = os.stat(f"/proc/{pid}/exe")
    return file.st_dev, file.st_ino


def descriptors(pid):
    """What each descriptor of a process is, by its number."""
    found = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}")
        except OSError:
            pass  # closed meanwhile
    return found


def kinds(pid):
    """How many descriptors of each kind a process has: socket, memfd, epoll and so on."""
    counts = {}
    for target in descriptors(pid).values():
        kind = "memfd" if target.startswith("/memfd:") else target.partition(":")[0]
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def memory(pid):
    """Resident bytes, and those that are the process's own: private and written to."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        found = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in file if line.split()[0].endswith(":")}
    return found["Rss"], found["Private_Dirty"]


ESTABLISHED, LISTENING = "01", "0A"


def inodes(port, state, field):
    """Of the IPv4 sockets of this machine in a state, with this port in their own address (field 1) or their peer's (2)."""
    found = set()
    with open("/proc/net/tcp", encoding="ascii") as file:
        next(file)
        for line in file:
            fields = line.split()
            if int(fields[field].rpartition(":")[2], 16) == port and fields[3] == state:
                found.add(fields[9])
    return found


def connections_to(port):
    """The inodes of the established IPv4 connections to a port of this machine, on the side that connected."""
    return inodes(port, ESTABLISHED, 2)


def listening(pids, port):
    """Those of the processes that have a socket that listens on this port."""
    return {pid for pid, count in holders(pids, inodes(port, LISTENING, 1)).items() if count}


def streams(pids, port):
    """How many connections to the XMPP server's port each process has: as many as sessions."""
    return holders(pids, connections_to(port))


def holders(pids, sockets):
    """How many of the sockets with these inodes each process has."""
    counts = {}
    for pid in pids:
        try:
            targets = descriptors(pid).values()
        except OSError:
            targets = []
        counts[pid] = sum(1 for target in targets if target.startswith("socket:[") and target[8:-1] in sockets)
    return counts


def remains(place):
    """Files below a directory, and Unix sockets with a path in it that are still open."""
    files = [path for path in glob.glob(os.path.join(glob.escape(place), "**"), recursive=True) if not os.path.isdir(path)]
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:
        next(table)
        sockets = [line.split()[7] for line in table if len(line.split()) > 7 and line.split()[7].startswith(place)]
    return sorted({*files, *sockets})
