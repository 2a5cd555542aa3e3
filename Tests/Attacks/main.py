#!/usr/bin/env python3
"""Attacks a Holdfast on loopback and measures the effect on other clients; `deploy/attack` calls it."""

import argparse
import json
import os
import random
import resource
import signal
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [FOLDER, os.path.join(os.path.dirname(FOLDER), "Interop")]

import attacks_logins  # noqa: E402, F401
import attacks_memory  # noqa: E402, F401
import attacks_requests  # noqa: E402, F401
import attacks_server  # noqa: E402, F401
import costs  # noqa: E402
import search  # noqa: E402
import stage  # noqa: E402
from catalogue import ATTACKS  # noqa: E402
from support.processes import clean_up  # noqa: E402


def print_table(headings, rows):
    """A table in Markdown, its columns aligned."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    for row in [headings, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")


def run_attacks(options):
    """`run`: each attack, then the table; the exit status."""
    if options.list:
        print_table(["item", "attack", "what it does", "a second at rate 1"],
                    [[each.group, each.name, each.what, f"{each.rate:,g}"] for each in ATTACKS.values()])
        return 0
    unknown = [name for name in options.names if not any(name in each for each in ATTACKS)]
    if unknown:
        print(f"no attack is called {', '.join(unknown)}; see --list", file=sys.stderr)
        return 2
    if options.quick:
        options.rate, options.seconds, options.before, options.after = 1.0, 2.0, 0.2, 0.2
    chosen = [each for each in ATTACKS.values()
              if (any(name in each.name for name in options.names) if options.names else each.quick or not options.quick)]
    reports = []
    for each in chosen:
        report = stage.run(each, options)
        reports.append(report)
        print(f"{'FAIL' if report['failures'] else 'ok  '} {each.name}: {'; '.join(report['failures']) or each.what}\n"
              f"     {report['outcome']}", flush=True)
        if report["limits"]:
            print("     limits reached: " + ", ".join(f"{name} {count:,}" for name, count in report["limits"].items()),
                  flush=True)
        if report["trace"] and options.verbose:
            print(report["trace"], flush=True)
    print()
    print_table(stage.HEADINGS, [stage.row(report) for report in reports])
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(reports, file, indent=1)
    failed = sum(1 for report in reports if report["failures"])
    print(f"\n{len(reports) - failed} attacks withstood, {failed} not")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(prog="deploy/attack", description=__doc__)
    parser.add_argument("--holdfast", metavar="BINARY", required=True, help="the binary to attack")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="all attacks, or those whose name contains one of NAME")
    run.add_argument("names", nargs="*", metavar="NAME")
    run.add_argument("--list", action="store_true", help="only tell what there is")
    run.add_argument("--quick", action="store_true", help="a handful at rate 1, judged by processor time and memory alone")
    run.add_argument("--rate", type=float, default=10.0, metavar="N", help="times the rate of each attack (10)")
    run.add_argument("--seconds", type=float, default=5.0, metavar="S", help="how long each attack lasts (5)")
    run.add_argument("--addresses", type=int, default=1, metavar="N", help="how many addresses the attacker has (1)")
    run.add_argument("--memory-limit", default="256 MiB", metavar="BYTES", help="the setting, and what is judged by (256 MiB)")
    run.add_argument("--json", metavar="FILE", help="also write the reports there")
    run.add_argument("--verbose", action="store_true", help="show where an attack itself went wrong")
    run.set_defaults(before=1.0, after=1.0)
    table = commands.add_parser("costs", help="the table of what a stranger's byte can cost")
    table.add_argument("--verbose", action="store_true", help="print each row as it is measured")
    look = commands.add_parser("search", help="generated requests, to find one that costs too much by byte")
    look.add_argument("--requests", type=int, default=50_000, metavar="N", help="how many (50,000; the long form is 1,000,000)")
    look.add_argument("--seed", type=int, default=None, metavar="S", help="repeats the search that printed it")
    look.add_argument("--batch", type=int, default=None, metavar="B", help="only this batch of the seed")
    look.add_argument("--keep", metavar="DIR", help="write the worst requests there")
    look.add_argument("--most", type=int, default=25, metavar="N", help="stop after so many findings (25)")
    options = parser.parse_args()
    if options.command == "search" and options.seed is None:
        options.seed = random.randrange(1 << 32)
    options.holdfast = os.path.abspath(options.holdfast)
    if not os.access(options.holdfast, os.X_OK):
        parser.error(f"{options.holdfast} is not an executable file")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if options.command == "costs":
            return costs.run(options, print_table)
        if options.command == "search":
            return search.run(options, print_table)
        return run_attacks(options)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        return 130
    finally:
        clean_up()


if __name__ == "__main__":
    sys.exit(main())
