"""The table of what a stranger's byte can cost: processor time and memory per byte, compared with a plain message."""

import random

from places import Baseline, Bench
from shapes import SHAPES, canonical

# Place, shape, coding and size before coding. Strangers come first, then clients that are logged in.
ROWS = [
    ("creation", "plain text", "plain", 1_000),
    ("creation", "plain text", "plain", 60_000),
    ("creation", "to of combining marks", "plain", 4_000),
    ("creation", "to of combining marks", "plain", 16_000),
    ("creation", "to of combining marks", "gzip", 64_000),
    ("creation", "to of capitals", "plain", 60_000),
    ("creation", "route of combining marks", "plain", 16_000),
    ("creation", "unbound prefixes", "plain", 60_000),
    ("creation", "unbound prefixes", "gzip", 1_000_000),
    ("creation", "bad namespaces", "plain", 60_000),
    ("creation", "relative namespaces", "plain", 60_000),
    ("creation", "relative namespaces", "gzip", 1_000_000),
    ("creation", "plain text", "gzip", 1_000_000),
    ("creation", "elements with a namespace", "plain", 60_000),
    ("creation", "elements with a namespace", "gzip", 1_000_000),
    ("creation", "elements with a namespace", "gzip, almost five times", 60_000),
    ("creation", "unbound prefixes", "gzip, almost five times", 60_000),
    ("creation", "plain text", "gzip, almost five times", 60_000),
    ("creation", "empty elements", "plain", 60_000),
    ("creation", "children", "plain", 60_000),
    ("creation", "attributes", "plain", 60_000),
    ("creation", "nested", "plain", 60_000),
    ("creation", "references", "plain", 60_000),
    ("creation", "CDATA", "plain", 60_000),
    ("creation", "many names", "plain", 60_000),
    ("creation", "long names", "plain", 60_000),
    ("creation", "body attributes", "plain", 60_000),
    ("creation", "random characters", "plain", 60_000),
    ("creation", "plain text", "small chunks", 60_000),
    ("unknown sid", "elements with a namespace", "gzip", 1_000_000),
    ("unknown sid", "plain text", "gzip, stored", 60_000),
    ("request", "plain text", "plain", 1_000),
    ("request", "plain text", "plain", 1_000_000),
    ("request", "plain text", "gzip", 1_000_000),
    ("request", "plain text", "gzip, almost five times", 1_000_000),
    ("request", "attributes", "gzip, almost five times", 1_000_000),
    ("request", "empty elements", "plain", 36_000),
    ("request", "empty elements", "plain", 1_000_000),
    ("request", "stanzas", "plain", 60_000),
    ("request", "key of combining marks", "plain", 16_000),
    ("request", "stream of combining marks", "plain", 16_000),
    ("repeat", "nothing", "plain", 100),
    ("repeat", "plain text", "gzip", 1_000_000),
    ("early", "plain text", "plain", 60_000),
    ("early", "plain text", "gzip", 60_000),
    ("early", "plain text", "gzip", 1_000_000),
    ("early", "plain text", "gzip, almost five times", 60_000),
    ("opening", "plain text", "plain", 60_000),
    ("opening", "plain text", "gzip", 60_000),
    ("opening", "plain text", "gzip", 1_000_000),
    ("half-open", "plain text", "plain", 60_000),
    ("half-open", "plain text", "gzip", 1_000_000),
    ("half-open", "plain text", "plain", 1_000_000),
]


def run(options, print_table):
    """Measures each row with a fresh process; the exit status."""
    bench = Bench(options.holdfast)
    rows = []
    try:
        baseline = Baseline(bench)
        for place, name, coding, size in ROWS:
            bench.restart()
            chance = canonical()
            shape = [SHAPES[name](size, chance)]
            count = 2 if size >= 100_000 else 8
            # Plain requests of the size on the wire go first, so that their buffers are not counted for this shape.
            warm(bench, place, size if coding == "plain" else 2_000)
            costs = [bench.measure(place, shape, coding, count)]
            if not costs[0].is_late:
                costs += [bench.measure(place, shape, coding, count) for _ in range(2)]
            seconds = sorted(cost.seconds for cost in costs)[len(costs) // 2]
            first = costs[0]
            late = "> " if first.is_late else ""
            rows.append([place, name, coding, f"{size:,}", f"{first.wire:,.0f}", f"{late}{seconds * 1e6:,.0f}",
                         f"{late}{seconds * 1e9 / first.wire:,.1f}",
                         f"{late}{seconds / baseline.expected(place, first):,.1f}",
                         f"{first.growth / first.total_wire:,.1f}"])
            if options.verbose:
                print(*rows[-1], flush=True)
    finally:
        bench.close()
    print_table(["place", "shape", "coding", "bytes", "on the wire", "us a request", "ns a byte", "times a plain message",
                 "memory a byte"], rows)
    return 0


def warm(bench, place, size):
    """Sends some plain requests, so that one-time allocations are not counted."""
    shape = [SHAPES["plain text"](size, random.Random(1))]
    for _ in range(2):
        bench.measure(place, shape, "plain", 2)
    # OpenSSL and zlib initialize themselves when they are first used.
    small = [({"key": b"x", "newkey": b"x"}, b"")]
    for coding in ("plain", "gzip", "deflate"):
        bench.measure("unknown sid", small, coding, 2)
    # A key is only hashed in an existing session.
    bench.measure("request", [({"key": b"x"}, b"")], "plain", 2)
