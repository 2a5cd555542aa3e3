#!/usr/bin/env python3
"""Writes the figures of docs/peers.json into README.md, docs/performance.md and docs/peers.svg: `document.py [--check]`.

With `--check` nothing is written; exit 1 when a file says something else. `document.py splice FILE NAME` puts its standard
input between the marks NAME of FILE.
"""

import json
import os
import re
import sys
import textwrap

from chart import chart
from tables import report, sentence

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SITTING = os.path.join(ROOT, "docs", "peers.json")
NOT_MEASURED = "`deploy/bench --peers` measures what it takes beside the servers' own BOSH ([performance](docs/performance.md))."
IMAGE = "![Server and Holdfast together against the server's own BOSH](docs/peers.svg)"


def splice(text, name, block):
    """`text` with `block` between `<!-- NAME: begin -->` and `<!-- NAME: end -->`; ValueError without such a pair."""
    pattern = re.compile(f"(<!-- {re.escape(name)}: begin -->).*?(<!-- {re.escape(name)}: end -->)", re.DOTALL)
    result, count = pattern.subn(lambda match: match[1] + block + match[2], text)
    if count != 1:
        raise ValueError(f"{count} pairs of marks '{name}', not one")
    return result


def documents(sitting, read):
    """The files as they have to be, by path; None is a file that has to be absent. `read`: path to text. A `sitting` of None
    has not been."""
    readme, performance = read("README.md"), read("docs/performance.md")
    words = NOT_MEASURED if sitting is None else sentence(sitting)
    # In a list item: its lines are indented, the mark is at the end of the first.
    readme = splice(readme, "peers", "\n" + textwrap.indent(textwrap.fill(words, 117), "  "))
    readme = splice(readme, "peers chart", "\n" if sitting is None else f"\n{IMAGE}\n")
    performance = splice(performance, "peers", "\n" if sitting is None else f"\n{report(sitting)}\n")
    return {"README.md": readme, "docs/performance.md": performance,
            "docs/peers.svg": None if sitting is None else chart(sitting)}


def read(path):
    """The text of a file of the repository, None when it is not there."""
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def write(path, text):
    """Writes a file of the repository; None removes it."""
    path = os.path.join(ROOT, path)
    if text is None:
        os.remove(path)
        return
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main(arguments):
    """The exit status."""
    match arguments:
        case ["splice", path, name]:
            write(path, splice(read(path), name, f"\n{sys.stdin.read().strip()}\n"))
            return 0
        case [] | ["--check"]:
            pass
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    kept = read(SITTING)
    wanted = documents(None if kept is None else json.loads(kept), read)
    different = [path for path, text in wanted.items() if read(path) != text]
    if arguments:
        for path in different:
            print(f"{path} does not say what docs/peers.json says; run Tests/Peers/document.py", file=sys.stderr)
        return 1 if different else 0
    for path in different:
        write(path, wanted[path])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
