"""Generates requests by chance and looks for one that costs too much by byte.

Batches of one combination each: a place, a shape, a coding and a size; within a batch up to three variants, some of them
damaged. The processor time of a batch is what the process used until it slept again; its memory is how far the resident
bytes rose. What is suspicious is measured again, with a fresh process that has served plain requests of the same size.
"""

import os
import random
import time

from costs import warm
from places import ANSWERED, KEPT, Baseline, Bench, batch
from shapes import CODINGS, SHAPES, body, damage, encode

# As multiples of a plain message of the same size on the wire; and bytes of memory for each byte on the wire.
PROCESSOR, MEMORY = 20, 40
# Smaller amounts are ignored: one-time allocations, and memory that the kernel hands out in pages.
MEMORY_FLOOR = 1 << 20
# The number of draws before a fresh process is started, because memory that was used once is not requested again.
FRESH = 500


class Draw:
    """One combination, drawn by the seed and its number."""

    def __init__(self, seed, number):
        chance = random.Random(f"{seed}:{number}")
        self.number = number
        self.place = chance.choice(ANSWERED) if chance.random() < 0.9 else chance.choice(KEPT)
        self.name = chance.choice(tuple(SHAPES)) if chance.random() < 0.4 else chance.choice(tuple(PLAIN))
        self.coding = chance.choice(CODINGS) if chance.random() < 0.7 else "plain"
        # Log-uniform from 100 bytes to 1 MiB, so that small sizes are more frequent.
        self.size = int(100 * 10_486 ** (chance.random() ** 1.5))
        if self.coding == "small chunks":
            self.size = min(self.size, 60_000)
        self.count = batch(self.size)
        variants = 1 if self.size > 30_000 else chance.randrange(1, 4)
        self.shapes = []
        self.is_damaged = chance.random() < 0.3
        for _ in range(variants):
            attributes, payload = SHAPES[self.name](self.size, chance)
            if self.is_damaged:
                payload = damage(payload, chance)
            self.shapes.append((attributes, payload))

    def title(self):
        return f"{self.name}{', damaged' if self.is_damaged else ''}"


PLAIN = [name for name in SHAPES if " of " not in name]


class Finding:
    """A draw with its cost and that of a plain request."""

    def __init__(self, draw, cost, baseline):
        self.draw, self.cost = draw, cost
        self.processor = cost.seconds / baseline.expected(draw.place, cost)
        self.memory = cost.growth / cost.total_wire if cost.growth > MEMORY_FLOOR else 0.0

    @property
    def is_bad(self):
        return self.processor > PROCESSOR or self.memory > MEMORY or self.cost.is_late

    def row(self):
        draw, cost = self.draw, self.cost
        late = "> " if cost.is_late else ""
        return [f"{draw.number}", draw.place, draw.title(), draw.coding, f"{draw.size:,}", f"{cost.wire:,.0f}",
                f"{late}{cost.seconds * 1e6:,.0f}", f"{late}{self.processor:,.1f}", f"{self.memory:,.1f}"]


HEADINGS = ["batch", "place", "shape", "coding", "bytes", "on the wire", "us a request", "times a plain message",
            "memory a byte"]


def again(bench, draw, baseline):
    """Measures a suspicious draw with a fresh process: the memory of its first batch, and the shortest time of three."""
    bench.restart()
    warm(bench, draw.place, draw.size)
    cost = bench.measure(draw.place, draw.shapes, draw.coding, draw.count)
    for _ in range(2):
        if cost.is_late:
            break
        other = bench.measure(draw.place, draw.shapes, draw.coding, draw.count)
        cost.seconds = min(cost.seconds, other.seconds)
    return Finding(draw, cost, baseline)


def keep(directory, draw, bench):
    """Writes the request of a finding to a file."""
    os.makedirs(directory, exist_ok=True)
    if draw.place in ("request", "repeat"):
        bench.ready_session()
    own = {**bench.own(draw.place), **({"sid": "SID"} if draw.place == "early" else {})}
    with open(os.path.join(directory, f"request-{draw.number}"), "wb") as file:
        file.write(encode(body(own, draw.shapes[0]), draw.coding))


def run(options, print_table):
    """Searches; the exit status says whether something was found."""
    bench = Bench(options.holdfast)
    findings, bad = [], []
    done = number = 0
    begun = time.monotonic()
    random.seed(options.seed)
    print(f"seed {options.seed}, {options.requests:,} requests", flush=True)
    try:
        baseline = Baseline(bench)
        number = options.batch if options.batch is not None else 0
        while done < options.requests:
            if number % FRESH == FRESH - 1 or not bench.holdfast.is_running:
                if not bench.holdfast.is_running:
                    print(f"Holdfast ended before batch {number}", flush=True)
                    bad.append(None)
                bench.restart()
            draw = Draw(options.seed, number)
            number += 1
            try:
                cost = bench.measure(draw.place, draw.shapes, draw.coding, draw.count)
            except Exception as error:  # noqa: BLE001 - a login that fails says something too
                print(f"batch {draw.number}, {draw.place}: {error!r}", flush=True)
                bench.restart()
                done += draw.count
                continue
            done += cost.requests
            finding = Finding(draw, cost, baseline)
            if finding.is_bad:
                finding = again(bench, draw, baseline)
                if finding.is_bad:
                    bad.append(finding)
                    print("found: " + ", ".join(finding.row()), flush=True)
                    if options.keep:
                        keep(options.keep, draw, bench)
            findings.append(finding)
            if len(findings) > 2_000:
                findings = worst(findings)
            if options.batch is not None or len(bad) >= options.most:
                break
        for each in findings:
            if options.keep and each in worst(findings) and each not in bad:
                keep(options.keep, each.draw, bench)
    finally:
        bench.close()
    findings = worst(findings)
    print("\nThe worst by processor time:\n")
    print_table(HEADINGS, [each.row() for each in sorted(findings, key=lambda each: -each.processor)[:10]])
    print("\nThe worst by memory:\n")
    print_table(HEADINGS, [each.row() for each in sorted(findings, key=lambda each: -each.memory)[:10]])
    print(f"\n{done:,} requests in {number:,} batches, {time.monotonic() - begun:,.0f} s, seed {options.seed}: "
          f"{len(bad)} above {PROCESSOR} times a plain message or {MEMORY} bytes of memory a byte")
    return 1 if bad else 0


def worst(findings):
    """The draws that a table of the worst ten may need; the others without their requests."""
    chosen = sorted(findings, key=lambda each: -each.processor)[:10] + sorted(findings, key=lambda each: -each.memory)[:10]
    return list(dict.fromkeys(chosen))
