"""From the runs of one sitting to its figures. Pure: a sitting is what `deploy/bench --peers` keeps in docs/peers.json.

Only runs of the same round are divided by each other, for they saw the same machine; a ratio is the median of those of the
rounds, never the ratio of two medians.
"""

from statistics import median
from typing import NamedTuple


class Quantity(NamedTuple):
    """What is compared: processor time or memory, for each of what the load made (or for each HTTP request)."""
    load: str
    kind: str
    per: str


CLOSED = Quantity("closed", "processor", "received")
CLOSED_REQUEST = Quantity("closed", "processor", "requests")
PACED = Quantity("paced", "processor", "received")
LOGIN = Quantity("idle", "processor", "logged_in")
MEMORY = Quantity("idle", "memory", "logged_in")


class Ratio(NamedTuple):
    """The median over the rounds, and the lowest and highest."""
    middle: float
    low: float
    high: float


# The processes whose cost counts as that of a target. The null server stands for none.
PARTS = {
    "prosody": ("server",), "holdfast-prosody": ("server", "manager"),
    "ejabberd": ("server",), "holdfast-ejabberd": ("server", "manager"),
    "holdfast": ("manager",), "holdfast-starttls": ("manager",), "holdfast-direct": ("manager",),
    "nginx": ("proxy",),
    "prosody-websocket": ("server",), "holdfast-prosody-websocket": ("server", "manager"),
    "ejabberd-websocket": ("server",), "holdfast-ejabberd-websocket": ("server", "manager"),
    "holdfast-websocket": ("manager",),
}
# What may not happen in front of Holdfast.
FAULTS = ("lost", "doubled", "out_of_order", "failed_sessions")


def runs(sitting, load, target):
    """The runs of a load on a target, by their round."""
    return {run["round"]: run for run in sitting["runs"] if run["load"] == load and run["target"] == target}


def values(sitting, quantity, target, parts=None):
    """By round, in seconds or bytes. Rounds in which nothing was made are left out."""
    found = {}
    for number, run in runs(sitting, quantity.load, target).items():
        if run[quantity.per] > 0:
            found[number] = sum(run[quantity.kind][part] for part in parts or PARTS[target]) / run[quantity.per]
    return found


def middle(sitting, quantity, target, parts=None):
    """The median over the rounds; None where there is none."""
    found = values(sitting, quantity, target, parts)
    return median(found.values()) if found else None


def ratio(sitting, quantity, target, base):
    """What `target` takes in units of what `base` takes in the same round; None where they have no round in common."""
    above, below = values(sitting, quantity, target), values(sitting, quantity, base)
    found = [above[number] / below[number] for number in above if below.get(number, 0) > 0]
    return Ratio(median(found), min(found), max(found)) if found else None


def measured(sitting, target):
    """Whether there is a run on the target."""
    return any(run["target"] == target for run in sitting["runs"])


def seen(sitting, load, target, name):
    """The median over the rounds of what the load generator saw; None where there is none."""
    found = [run[name] for run in runs(sitting, load, target).values()]
    return median(found) if found else None


def total(sitting, target, name):
    """The sum over all loads and rounds."""
    return sum(run[name] for run in sitting["runs"] if run["target"] == target)


def faults(sitting, targets):
    """What of FAULTS happened on these targets, in words."""
    return [f"{target}: {name} {total(sitting, target, name)}"
            for target in targets for name in FAULTS if total(sitting, target, name) > 0]


def others(sitting):
    """The share of one core that other work on the machine had, the median of all runs."""
    return median(run["others"] for run in sitting["runs"])
