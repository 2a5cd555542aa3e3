"""The list of attacks: what each needs, what it does, and for how long."""

import json
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Callable, Optional

ATTACKS = {}


@dataclass
class Attack:
    """One attack. `rate` is the number of strikes a second at rate 1."""

    name: str
    what: str
    act: Callable
    rate: float
    group: str
    settings: dict = field(default_factory=dict)
    # Settings that are left out if the binary does not know them.
    wishes: dict = field(default_factory=dict)
    domains: dict = field(default_factory=dict)
    descriptors: Optional[int] = None
    # A helper that runs beside the attack: it is started with the stage and has `stop` and `port`.
    beside: Optional[Callable] = None
    # Whether the attack is part of the quick form, where it may take `share` of a core at rate 1.
    quick: bool = False
    share: float = 0.1
    # Judges the outcome; returns what is wrong or None.
    judge: Optional[Callable] = None
    # For attacks that are judged by an outcome and not by the load: no healthy session is needed.
    seconds: Optional[float] = None


def attack(name, what, rate, group, **more):
    """Adds the function below to the catalogue."""

    def enter(function):
        ATTACKS[name] = Attack(name, what, function, rate, group, **more)
        return function

    return enter


def judge_log(result):
    """The log must not grow faster than half of what the attacker sends."""
    return None if result["log_per_byte"] < 0.5 else f"{result['log_per_byte']:.2f} bytes of log for each byte of the attack"


def attackers(count):
    """The attacker's addresses; none of them belongs to a trusted proxy or a bystander."""
    return [f"127.0.{9 + number // 200}.{9 + number % 200}" for number in range(count)]


class Scene:
    """What an attacker knows: the target, the rate and the duration."""

    def __init__(self, port, admin_port, server_port, rate, seconds, addresses=1, beside=None):
        self.port, self.admin_port, self.server_port = port, admin_port, server_port
        self.rate, self.seconds, self.beside = rate, seconds, beside
        self.source = attackers(addresses)
        self.began = None
        self.tell_start = lambda: None

    def statistics(self):
        """The admin listener's /stats."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/stats", timeout=10) as answer:
            return json.load(answer)

    def go(self):
        """Starts the clock: everything before was preparation."""
        if self.began is None:
            self.tell_start()
            self.began = time.monotonic()

    def is_on(self):
        return time.monotonic() - self.began < self.seconds

    def strikes(self, pump):
        """Yields each time a strike is due, and runs `pump(seconds)` in between. Late strikes are made up for, up to a tenth
        of a second."""
        self.go()
        gap = 1.0 / self.rate
        due = time.monotonic()
        while self.is_on():
            now = time.monotonic()
            if due > now:
                pump(min(due - now, 0.05))
                continue
            due = max(due, now - 0.1) + gap
            yield
            if time.monotonic() < due - 0.001:
                pump(0)
