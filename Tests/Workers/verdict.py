"""From what was counted to what is wrong. Pure.

The load generator's report says what the clients have seen, `Process` what a process has.
"""

import math
from typing import NamedTuple

# What may not happen to a session whose worker lives, nor to any session for another reason than its worker's death.
FAULTS = ("lost", "doubled", "out_of_order", "failed_sessions")
# By how much a process may have grown from before the load, when it had served as many sessions, to after all sessions
# ended, in bytes.
GROWTH = 4 << 20
# Clients that log in at the same time: so many sessions may begin or end while those of a worker are counted.
AT_ONCE = 32
# How far from the mean the sessions of a worker may be: so much of it, with few sessions so many.
UNEVEN, FEW = 0.02, 7
# How long after the death of a worker its clients may notice it, in seconds.
AFTERMATH = 3


class Process(NamedTuple):
    """A process at rest: its number of descriptors by their kind, and its own memory in bytes."""
    descriptors: dict
    memory: int


class Event(NamedTuple):
    """A line of a load generator's journal: an arrival with its delay in microseconds, a failure with the status, or an end.
    The instant is in seconds of the monotonic clock."""
    instant: float
    kind: str
    number: int | None


def event(line):
    _, instant, kind, number = line.split()
    return Event(int(instant) / 1e9, kind, None if number == "-" else int(number))


def misplaced(events, deaths):
    """Failures of requests and ends of sessions that the death of no worker explains. `deaths`: their instants."""
    counts, first = {}, {}
    for each in events:
        if each.kind == "arrival" or any(death <= each.instant <= death + AFTERMATH for death in deaths):
            continue
        what = "sessions ended" if each.kind == "end" else f"requests failed with {each.number or 'no response'}"
        counts[what] = counts.get(what, 0) + 1
        first[what] = min(each.instant, first.get(what, each.instant))
    return [f"{count} {what} while no worker had died, the first at {first[what]:.3f} s" for what, count in counts.items()]


def percentile(values, part):
    """The least of the values that so many percent of them do not exceed."""
    return sorted(values)[math.ceil(len(values) * part / 100) - 1]


def slowest(events, spans):
    """The 99th percentile of forwarding in each span of time, in milliseconds: the greatest of these. Nothing is
    slower than a span in which no message came."""
    found = []
    for began, ended in spans:
        delays = [each.number for each in events if each.kind == "arrival" and began <= each.instant <= ended]
        found.append(percentile(delays, 99) / 1000 if delays else math.inf)
    return max(found)


def sums(reports):
    """What several load generators have seen together."""
    names = {name for report in reports for name, value in report.items() if isinstance(value, int)}
    return {name: (max if name == "most_repeats_in_turn" else sum)(report[name] for report in reports) for name in names}


def repeats(report):
    """Requests that failed and were sent again."""
    return report["connection_losses"] + sum(count for name, count in report.items() if name.startswith("repeats_"))


def traffic(report, victims):
    """What is wrong with a load. `victims`: how many sessions each worker had that was killed."""
    faults = [f"{name} {report[name]}" for name in FAULTS if report[name] > 0]
    if report["live_sessions"] != report["sessions"]:
        faults.append(f"{report['live_sessions']} of {report['sessions']} sessions lived at the end")
    if report["received"] == 0:
        faults.append("no message came")
    ended, most = report["ended_sessions"], sum(victims) + AT_ONCE * len(victims)
    if ended > most:
        faults.append(f"{ended} sessions ended, and the killed workers had at most {most}")
    # Each session of a dead worker has up to two requests open, and their repeats may meet the proxy's dead connections.
    failed, most = repeats(report), 4 * most
    if failed > most:
        faults.append(f"{failed} requests failed, which is more than {most}")
    if report["most_repeats_in_turn"] > 1:
        faults.append(f"a request failed {report['most_repeats_in_turn']} times in turn")
    return faults


def spread(counts):
    """What is wrong with the spread of sessions over workers."""
    mean = sum(counts) / len(counts)
    return [f"a worker has {count} sessions, the mean is {mean:.0f}" for count in counts
            if abs(count - mean) > max(UNEVEN * mean, FEW)]


def at_rest(name, before, after):
    """What a process has kept that it did not have before."""
    faults = [f"{name}: {after.descriptors.get(kind, 0)} descriptors '{kind}', {before.descriptors.get(kind, 0)} before"
              for kind in sorted({*before.descriptors, *after.descriptors})
              if after.descriptors.get(kind, 0) > before.descriptors.get(kind, 0)]
    if after.memory - before.memory > GROWTH:
        faults.append(f"{name}: grown by {(after.memory - before.memory) / 1024:.0f} KiB")
    return faults
