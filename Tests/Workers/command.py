"""What the commands of this folder share: their arguments, their rounds through the proxies, and their end."""

import argparse
import os
import random
import resource
import signal

import stage  # noqa: F401, sets the path of the modules below
from support.processes import clean_up
from tables import aligned


def say(text):
    print(text, flush=True)


def parser(name, description, short):
    """The arguments of each. `short`: what --short means."""
    made = argparse.ArgumentParser(prog=name, description=description)
    made.add_argument("--holdfast", required=True, metavar="BINARY")
    made.add_argument("--bench", required=True, metavar="BINARY", help="holdfast-bench")
    made.add_argument("--short", action="store_true", help=short)
    made.add_argument("--workers", type=int, metavar="N", help="how many")
    made.add_argument("--proxy", choices=("nginx", "haproxy"), help="only this one")
    made.add_argument("--seconds", type=int, metavar="S", help="how long messages flow")
    made.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="chooses the workers that are killed")
    return made


def prove(given, proof, plan, promise):
    """Plays a plan through each proxy and prints the table; the exit status. `proof`: the module that plays it."""
    proxies = [given.proxy] if given.proxy else ["nginx"] if given.short else ["nginx", "haproxy"]
    rows, failed = [proof.HEADINGS], False
    for proxy in proxies:
        say(f"  through {proxy} ...")
        found, faults = proof.run(given, proxy, plan, say)
        rows.append(proof.row(proxy, found))
        for fault in faults:
            say(f"  FAILED: {fault}")
            failed = True
    say("\n" + aligned(rows))
    say("\nfailed" if failed else f"\n{promise}")
    return 1 if failed else 0


def main(given, act):
    """Does it, and leaves nothing behind; the exit status."""
    given.holdfast, given.bench = os.path.abspath(given.holdfast), os.path.abspath(given.bench)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return act(given)
    except KeyboardInterrupt:
        return 130
    finally:
        clean_up()
